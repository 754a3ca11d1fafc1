// Label maps and segment maps as PNG files.
#include <catch2/catch.hpp>
#include <random>

#include "map_folder.h"
#include "maskrt/maskrt.hpp"
#include "runtime/image/png_samples.h"

namespace maskrt::label_maps {

using testing::TemporaryFolder;
using testing::write_text;

TEST_CASE("label maps come back as they were, in a palette or in 16 bits") {
  const TemporaryFolder folder;
  std::mt19937 random(1);
  for (const std::size_t classes : {1u, 2u, 19u, 255u, 256u, 257u, 1000u, 65535u}) {
    CAPTURE(classes);
    LabelMap map{13, 7, {}};
    for (int i = 0; i < 13 * 7; ++i)
      map.labels.push_back(static_cast<std::uint16_t>(random() % 3 == 0 ? random() % classes : classes - 1));
    if (classes < 256) map.labels[5] = 255;
    std::vector<ClassColor> colors(classes);
    for (std::size_t i = 0; i < classes; ++i) colors[i] = {static_cast<std::uint8_t>(i), 3, 250};
    const auto file = encode_label_map(map, colors);
    const LabelMap read = read_label_map(write_bytes(folder / "map.png", file));
    CHECK(read.width == 13);
    CHECK(read.height == 7);
    CHECK(read.labels == map.labels);
    CHECK(image::read_png_samples(file).kind() == (classes <= 256 ? "8-bit palette" : "16-bit grey"));
    if (classes > 256) continue;
    // Whoever opens the picture sees the classes' colours, and white for what is ignored.
    const Image seen = Image::from_bytes(file);
    CHECK(seen.row(0)[0] == colors[map.labels[0]][0]);
    CHECK(seen.row(0)[1] == 3);
    CHECK(seen.row(0)[2] == 250);
    if (classes < 256) CHECK(seen.row(0)[15] == 255);
  }
}

TEST_CASE("segment maps come back as they were, and are COCO's colours") {
  const TemporaryFolder folder;
  std::mt19937 random(2);
  SegmentMap map{70, 30, {}};
  std::uint32_t id = 0;
  for (int i = 0; i < 70 * 30; ++i) {
    if (random() % 9 == 0) id = random() % (kMostSegmentId + 1);
    map.ids.push_back(id);
  }
  map.ids[0] = 1 + 256 * 2 + 65536 * 3;
  map.ids[1] = kMostSegmentId;
  const auto file = encode_segment_map(map);
  const SegmentMap read = read_segment_map(write_bytes(folder / "map.png", file));
  CHECK(read.width == 70);
  CHECK(read.height == 30);
  CHECK(read.ids == map.ids);
  const Image seen = Image::from_bytes(file);
  CHECK(seen.row(0)[0] == 1);
  CHECK(seen.row(0)[1] == 2);
  CHECK(seen.row(0)[2] == 3);
  CHECK(seen.row(0)[3] == 255);
}

TEST_CASE("maps of areas take few bytes") {
  LabelMap map{640, 480, {}};
  for (int y = 0; y < 480; ++y)
    for (int x = 0; x < 640; ++x) map.labels.push_back(static_cast<std::uint16_t>((x - y / 3 + 200) / 150));
  CHECK(encode_label_map(map, std::vector<ClassColor>(19)).size() < 12000);
}

TEST_CASE("maps of another kind are refused by name") {
  const TemporaryFolder folder;
  struct Kind {
    int type, bits;
    std::size_t bytes;
    const char* name;
    bool is_label_map, is_segment_map;
  };
  const Kind kinds[] = {{0, 1, 1, "1-bit grey", false, false},
                        {0, 8, 1, "8-bit grey", true, false},
                        {0, 16, 2, "16-bit grey", true, false},
                        {3, 4, 1, "4-bit palette", true, false},
                        {3, 8, 1, "8-bit palette", true, false},
                        {4, 8, 2, "8-bit grey with alpha", false, false},
                        {2, 8, 3, "8-bit RGB", false, true},
                        {2, 16, 6, "16-bit RGB", false, false},
                        {6, 8, 4, "8-bit RGB with alpha", false, false},
                        {6, 16, 8, "16-bit RGB with alpha", false, false}};
  for (const Kind& kind : kinds) {
    CAPTURE(kind.name);
    const std::string path = write_bytes(folder / "map.png", one_pixel(kind.type, kind.bits, kind.bytes)).string();
    const std::string found = std::string(", found ") + kind.name;
    const std::string as_labels = error_of([&] { read_label_map(path); });
    const std::string as_segments = error_of([&] { read_segment_map(path); });
    CHECK(as_labels == (kind.is_label_map
                            ? "no error"
                            : path + ": expected a label map as 8-bit or 16-bit grey or palette PNG" + found));
    CHECK(as_segments ==
          (kind.is_segment_map ? "no error" : path + ": expected ids of segments as 8-bit RGB PNG" + found));
  }
}

TEST_CASE("files that are no maps are refused by name") {
  const TemporaryFolder folder;
  const auto check = [&](const std::string& name, const std::string& sentence) {
    const std::string path = (folder / name).string();
    for (const std::string& found :
         {error_of([&] { read_label_map(path); }), error_of([&] { read_segment_map(path); })})
      CHECK_THAT(found, Catch::StartsWith(path + ": ") && Catch::Contains(sentence));
  };
  check("none.png", "No such file");
  std::filesystem::create_directory(folder / "folder.png");
  check("folder.png", "expected a PNG file, found a folder");
  write_text(folder / "empty.png", "");
  check("empty.png", "found no bytes");
  write_text(folder / "text.png", "GIF89a");
  check("text.png", "expected a PNG file");
  const std::string whole = testing::read_text(write_map(folder / "whole.png", "aab/bb."));
  write_text(folder / "cut.png", whole.substr(0, whole.size() - 13));
  check("cut.png", "truncated");
}

TEST_CASE("what cannot be encoded is an error") {
  CHECK_THAT(error_of([] { encode_label_map({}, {}); }), Catch::Contains("0x0 and 0 numbers"));
  CHECK_THAT(error_of([] { encode_label_map({2, 2, {1, 1, 1}}, {}); }), Catch::Contains("2x2 and 3 numbers"));
  CHECK_THAT(error_of([] {
               encode_label_map({1, 1, {256}}, std::vector<ClassColor>(256));
             }),
             Catch::Contains("expected labels below 256 with 256 classes, found 256"));
  CHECK_THAT(error_of([] { encode_segment_map({1, 1, {1 << 24}}); }), Catch::Contains("found 16777216"));
}

}  // namespace maskrt::label_maps
