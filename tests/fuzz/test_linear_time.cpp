// Files of a megabyte (256 KB where a reader takes no more) that are made to cost time or memory with the square of
// their size: each is answered within two seconds of processor time, with a result or an Error.
#include <array>
#include <catch2/catch.hpp>
#include <cstring>
#include <ctime>
#include <functional>
#include <string>

#include "maskrt/maskrt.hpp"
#include "runtime/coco/evaluate.h"
#include "runtime/mask/rle.h"
#include "support/files.h"
#include "support/sanitized.h"
#include "weights_tools/checkpoint/checkpoint.h"
#include "weights_tools/config/yaml.h"
#include "weights_tools/labels.h"

namespace maskrt {
namespace {

using testing::TemporaryFolder;
using testing::write_text;

constexpr std::size_t kMegabyte = 1000000;

constexpr double kSecondsAllowed = testing::kSanitized || !testing::kOptimized ? 20 : 2;

/// Does the work; what an Error of it says, or "". Fails the test where it takes longer than it may.
std::string answer(const std::function<void()>& work) {
  std::string said;
  const std::clock_t start = std::clock();
  try {
    work();
  } catch (const Error& error) {
    said = error.what();
  }
  const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  INFO(said << "\nprocessor time: got " << seconds << " s, bound " << kSecondsAllowed << " s");
  CHECK(seconds <= kSecondsAllowed);
  return said;
}

std::string repeat(const std::string& text, std::size_t bytes) {
  std::string out;
  while (out.size() < bytes) out += text;
  out.resize(bytes);
  return out;
}

/// made(0), made(1), ... with commas between, until there are so many bytes.
std::string list(std::size_t bytes, const std::function<std::string(std::size_t)>& made) {
  std::string out;
  for (std::size_t i = 0; out.size() < bytes; ++i) out += (i == 0 ? "" : ",") + made(i);
  return out;
}

std::string number(std::size_t n) { return std::to_string(n); }

template <typename Number>
std::string little(Number value) {
  std::string bytes(sizeof value, '\0');
  std::memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}

std::string big16(std::size_t value) { return {static_cast<char>(value >> 8 & 255), static_cast<char>(value & 255)}; }

std::string decode(const std::string& file) {
  return answer([&] { Image::from_bytes(std::as_bytes(std::span(file))); });
}

/// A JPEG segment.
std::string segment(unsigned marker, const std::string& data) {
  return std::string{'\xff', static_cast<char>(marker)} + big16(data.size() + 2) + data;
}

/// A JPEG of one component whose Huffman codes are one bit long, with these scans.
std::string jpeg(unsigned frame, std::size_t side, const std::string& scans) {
  const std::string one_code = '\1' + std::string(15, '\0');
  return "\xff\xd8" + segment(0xdb, '\0' + std::string(64, '\1')) +
         segment(frame, '\x8' + big16(side) + big16(side) + std::string{1, 1, 0x11, 0}) +
         segment(0xc4, '\0' + one_code + '\0') + segment(0xc4, '\x10' + one_code + '\1') + scans + "\xff\xd9";
}

std::string scan(int first, int last, int bits) {
  return segment(0xda,
                 std::string{1, 1, 0, static_cast<char>(first), static_cast<char>(last), static_cast<char>(bits)}) +
         '\0';
}

}  // namespace

TEST_CASE("YAML of repeated pieces") {
  const auto piece = GENERATE(as<std::string>(), ",", "&a ", "*a ", "? ", "- ", "-\n", "! ", "%\n", "\"", "\"\\\n",
                              "|\n ", ">\n a\n", "#", "[", "{", "]", "a:\n", "a: ", ": ", "a ", "a\n b\n", "---\n",
                              "...\n", "--- a\n", "[a,", "{a: ", "- a: 1\n", "&a1 x\n", "'", "a #", "\t", "\r", "\x01");
  CAPTURE(piece);
  constexpr std::size_t most = 262000;  // what the reader takes
  for (const std::string begin : {"", "a: [", "a: \"", "a: |\n  ", "a: b", "a: &a x\nb: [*a, "})
    answer([&] { weights::parse_yaml(begin + repeat(piece, most), "file.yaml"); });
}

TEST_CASE("YAML with many keys") {
  std::string text;
  for (int i = 0; i < 16000; ++i) text += "k" + std::to_string(i) + ": 1\n";
  CHECK_THAT(answer([&] { weights::parse_yaml(text, "file.yaml"); }),
             Catch::Contains("file.yaml, line 2049: expected at most 2048 keys in a mapping"));
}

TEST_CASE("pickles that name one long value again and again") {
  const TemporaryFolder folder;
  const auto read = [&](const std::string& pickle) {
    const auto path = write_text(folder / "file.pkl", pickle);
    return answer([&] { weights::read_checkpoint(path); });
  };
  const auto call = [](const std::string& value, const std::string& function, const std::string& more = "") {
    // memo 0: the value; 1: the function; 2: the arguments; then as many calls as there is room for.
    return "\x80\2" + value + "q\1" + std::string(1, '0') + "c" + function + "q\2" + "0h\1" + more + "q\3" + "0" +
           repeat("h\2h\3R0", kMegabyte - value.size()) + "}.";
  };
  const std::string nones(300000, 'N');
  read(call("(" + nones + "l", "builtins\nset\n", "\x85"));
  std::string items;
  for (int i = 0; i < 100000; ++i) items += "K\1N";
  read(call("}(" + items + "u", "collections\nOrderedDict\n", "\x85"));
  read(call("X" + little<std::uint32_t>(300000) + std::string(300000, 'a'), "_codecs\nencode\n", "U\6latin1\x86"));
  read("\x80\2" + repeat("(", kMegabyte));
  read("\x80\4" + repeat("N\x94", kMegabyte));
  read("\x80\2}(" + std::string("X") + little<std::uint32_t>(512) + std::string(512, 'a') + "q\1N" +
       repeat("h\1N", kMegabyte) + "u.");
}

TEST_CASE("pickles whose objects are not built, again and again") {
  const TemporaryFolder folder;
  const auto read = [&](const std::string& pickle) {
    const auto path = write_text(folder / "file.pkl", pickle);
    return answer([&] { weights::read_checkpoint(path); });
  };
  // Data made with an object: each call fails and leaves a place.
  read("\x80\2ccollections\nOrderedDict\nq\1ctrain\nPairs\n)R\x85q\2" + repeat("h\1h\2R0", kMegabyte) + "}.");
  // A long list with an object at its end, as the state of a numpy array.
  read("\x80\2](" + std::string(300000, 'N') + "ctrain\nPairs\neq\1cnumpy.core.multiarray\n_reconstruct\n(NNNtR" +
       repeat("h\1b", kMegabyte) + ".");
  // Long names that a short opcode names.
  read("\x80\4X" + little<std::uint32_t>(100000) + std::string(100000, 'a') + "q\1" + repeat("h\1\x93h\1", kMegabyte) +
       ".");
  // The smallest file of a storage, in bytes.
  using namespace std::string_literals;
  const std::string storage = "\x80\2\x8a\nl\xfc\x9c\x46\xf9 j\xa8P\x19."s +
                              "\x80\2M\xe9\3.\x80\2}X\15\0\0\0little_endian\x88s."
                              "\x80\2(X\7\0\0\0storagectorch\nFloatStorage\nX\1\0\0\0aX\3\0\0\0cpuK\1NtQ."
                              "\x80\2]X\1\0\0\0aa.\1\0\0\0\0\0\0\0...."s;
  const std::string load = "ctorch.storage\n_load_from_bytes\nq\1C" +
                           std::string(1, static_cast<char>(storage.size())) + storage + "\x85q\2";
  CHECK_THAT(read("\x80\4" + load + "h\1h\2R0}."), Catch::Contains("found nothing"));
  CHECK_THAT(read("\x80\4" + load + repeat("h\1h\2R0", kMegabyte) + "}."), Catch::Contains("memory"));
}

TEST_CASE("a long dict as the flags of many tensors") {
  // The storage is memo 1, its dict of flags 2, the arguments 3, the function 4.
  std::string flags = "}(";
  for (int i = 0; i < 100000; ++i) flags += "K\1N";
  const std::string pickle = "\x80\2" + flags + "uq\2" + "0ctorch._utils\n_rebuild_tensor_v2\nq\4" +
                             "0(NK\1))\x89Nh\2tq\3" + "0" + repeat("h\4h\3R0", kMegabyte) + "}.";
  const TemporaryFolder folder;
  const auto path = write_text(folder / "file.pkl", pickle);
  CHECK_THAT(answer([&] { weights::read_checkpoint(path); }), Catch::Contains("expected at most 16 flags of a tensor"));
}

TEST_CASE("a zip archive with many end records") {
  constexpr std::uint16_t entries = 9000, records = 2900;
  std::string file, directory;
  for (std::uint16_t i = 0; i < entries; ++i) {
    const std::string name = "a/" + std::to_string(10000 + i);
    directory += "PK\1\2" + little<std::uint32_t>(0x140014) + std::string(20, '\0') +
                 little(static_cast<std::uint16_t>(name.size())) + std::string(12, '\0') +
                 little(static_cast<std::uint32_t>(file.size())) + name;
    file += "PK\3\4" + little<std::uint16_t>(20) + std::string(20, '\0') +
            little(static_cast<std::uint32_t>(name.size())) + name;
  }
  const auto start = static_cast<std::uint32_t>(file.size());
  file += directory;
  for (std::uint16_t i = 0; i < records; ++i)
    file += "PK\5\6" + std::string(4, '\0') + little(entries) + little(entries) +
            little(static_cast<std::uint32_t>(directory.size())) + little(start) +
            little(static_cast<std::uint16_t>(22 * (records - 1 - i)));
  const TemporaryFolder folder;
  const auto path = write_text(folder / "file.pth", file);
  CHECK_THAT(answer([&] { weights::read_checkpoint(path); }), Catch::Contains("end records"));
}

TEST_CASE("outlines that cost more than their text") {
  const TemporaryFolder folder;
  const auto score = [&](const std::string& size, const std::string& annotations) {
    const auto path =
        write_text(folder / "file.json", R"({"images":[{"id":1,)" + size +
                                             R"(}],"categories":[{"id":1}],"annotations":[)" + annotations + "]}");
    return answer([&] { coco::evaluate(coco::read_annotations(path), {}); });
  };
  const auto annotation = [](std::size_t id, const std::string& polygons) {
    return R"({"id":)" + number(id) + R"(,"image_id":1,"category_id":1,"area":1,"segmentation":[)" + polygons + "]}";
  };
  const std::string usual = R"("height":480,"width":640)", widest = R"("height":4095,"width":1048576)";
  // Far outside of the picture, to and fro: to its left, and through it from above and below.
  const auto left = [](std::size_t i) { return std::string(i % 2 == 0 ? "-9,1048576" : "-1048576,-1048576"); };
  CHECK(score(usual, annotation(1, "[" + list(kMegabyte, left) + "]")) == "");
  const auto steep = [](std::size_t i) { return number(300 + i % 20) + (i % 2 == 0 ? ",1048576" : ",-1048576"); };
  CHECK(score(usual, annotation(1, "[" + list(kMegabyte, steep) + "]")) == "");
  // Across all columns of the picture, to and fro.
  const auto across = [](std::size_t i) { return (i % 2 == 0 ? "0," : "640,") + number(i % 479); };
  CHECK_THAT(score(usual, annotation(1, "[" + list(kMegabyte, across) + "]")),
             Catch::Contains("expected outlines that cross at most"));
  CHECK(score(usual, annotation(1, "[" + list(kMegabyte / 20, across) + "]")) == "");
  // Many small outlines in one annotation.
  const auto triangle = [](std::size_t i) {
    const std::string x = number(i % 600), y = number(i % 461);
    return "[" + x + "," + y + "," + number(i % 600 + 19) + "," + y + "," + x + "," + number(i % 461 + 19) + "]";
  };
  CHECK(score(usual, annotation(1, list(kMegabyte, triangle))) == "");
  // A few points in the widest picture there may be.
  const auto rectangle = [&](std::size_t i) { return annotation(i + 1, "[0,0,1048576,0,1048576,9,0,9]"); };
  CHECK_THAT(score(widest, list(kMegabyte, rectangle)), Catch::Contains("expected outlines that cross at most"));
}

TEST_CASE("masks and ids that cost more than their text") {
  const TemporaryFolder folder;
  const auto result = [](std::size_t category, const rle::Runs& runs) {
    std::string counts;
    for (const std::uint32_t count : runs.counts) counts += (counts.empty() ? "" : ",") + number(count);
    return R"({"image_id":1,"category_id":)" + number(category) + R"(,"score":0.5,"segmentation":{"size":[)" +
           std::to_string(runs.height) + "," + std::to_string(runs.width) + R"(],"counts":[)" + counts + "]}}";
  };
  const auto truths = [](const std::vector<coco::CocoResult>& results, int height, int width) {
    coco::Annotations annotations;
    annotations.images.push_back({1, "", height, width});
    for (int i = 0; i < 10000; ++i) annotations.categories.push_back({i, ""});
    for (const auto& one : results) {
      coco::Annotation truth;
      truth.id = static_cast<std::int64_t>(annotations.annotations.size()) + 1;
      truth.image_id = 1;
      truth.category_id = one.category_id;
      truth.segmentation = *one.segmentation;
      annotations.annotations.push_back(truth);
    }
    return annotations;
  };
  // One run over a million columns.
  const rle::Runs wide{4095, 1 << 20, {1, 4095u * 1000000u, 4095u * 48576u - 1}};
  const auto path = write_text(folder / "wide.json",
                               "[" + list(kMegabyte, [&](std::size_t i) { return result(i % 9999, wide); }) + "]");
  CHECK(answer([&] {
          const auto results = coco::read_results(path);
          coco::evaluate(truths(results, wide.height, wide.width), results);
        }) == "");
  // A hundred masks of many runs against thousands of few.
  rle::Runs fine{480, 640, std::vector<std::uint32_t>(4800, 1)};
  fine.counts.push_back(480 * 640 - 4800);
  const auto fine_path =
      write_text(folder / "fine.json", "[" + list(kMegabyte, [&](std::size_t) { return result(1, fine); }) + "]");
  const rle::Runs coarse{480, 640, {1, 300000, 7199}};
  const auto coarse_path =
      write_text(folder / "coarse.json", "[" + list(kMegabyte, [&](std::size_t) { return result(1, coarse); }) + "]");
  CHECK(answer([&] {
          coco::evaluate(truths(coco::read_results(coarse_path), 480, 640), coco::read_results(fine_path));
        }) == "");
  // Ids that meet in a hash table whose number of buckets is one of those primes.
  const auto image = [](std::size_t i) { return R"({"id":)" + number(i * 541 * 1109 * 2357 * 5087) + "}"; };
  const auto ids = write_text(folder / "ids.json", R"({"images":[)" + list(kMegabyte, image) + R"(],"categories":[]})");
  CHECK(answer([&] { coco::read_annotations(ids); }) == "");
}

TEST_CASE("JSON that costs more than its text") {
  const TemporaryFolder folder;
  const auto said = [&](const std::string& text) {
    const auto path = write_text(folder / "r.json", text);
    return answer([&] { coco::read_results(path); });
  };
  // A record of many members, whose names must be compared with what is looked for.
  CHECK(said(R"([{"image_id": 1, "category_id": 1, "score": 1, )" +
             list(kMegabyte, [](std::size_t) { return R"("\u0069mage_id": 7)"; }) + "}]") == "");
  // What is wrong is told by another parser, which must not see what only this one reads.
  CHECK(said(R"([{"image_id": 1, "category_id": 1, "score": 1, "x": [)" +
             list(kMegabyte, [](std::size_t) { return "NaN"; }) + "]}, y]")
            .find("line 1, column") != std::string::npos);
  CHECK(said("[{\"x\": " + repeat("1", kMegabyte) + "}]").find("image_id must be") != std::string::npos);
  const auto images =
      write_text(folder / "a.json", R"({"categories": [], "images": [)" + list(kMegabyte, [](std::size_t n) {
                                      return "{\"id\": \"" + number(n % 1000) + "\"}";
                                    }) + "]}");
  CHECK(answer([&] { CHECK(coco::read_annotations(images).images.size() == 1000); }) == "");
}

TEST_CASE("labels of repeated pieces") {
  const TemporaryFolder folder;
  for (const std::string piece : {"\n", "a\n", " ", "[", "{\"a\":", "1", "[]"}) {
    CAPTURE(piece);
    for (const std::string begin : {"", "[", "{\"info\":"}) {
      const auto path = write_text(folder / "labels", begin + repeat(piece, kMegabyte));
      answer([&] { weights::read_labels(path, 3, "NUM_CLASSES"); });
    }
  }
}

TEST_CASE("JPEGs of many scans") {
  std::string scans = scan(0, 0, 0);
  for (std::size_t i = 0; scans.size() < kMegabyte; ++i) scans += scan(1, 63, 0);
  CHECK_THAT(decode(jpeg(0xc2, 4096, scans)), Catch::Contains("expected JPEG scans that visit at most"));
  scans.clear();
  while (scans.size() < kMegabyte) scans += scan(0, 63, 0);
  CHECK_THAT(decode(jpeg(0xc0, 4096, scans)), Catch::Contains("expected JPEG scans that visit at most"));
  // Small pictures may have as many as they like.
  CHECK(decode(jpeg(0xc2, 8, scan(0, 0, 0) + scan(1, 63, 0))) == "");
}

TEST_CASE("BMPs without pixels") {
  const std::string header = "BM" + little<std::uint32_t>(54) + std::string(4, '\0') + little<std::uint32_t>(54) +
                             little<std::uint32_t>(40) + little<std::int32_t>(16384) + little<std::int32_t>(16384) +
                             little<std::uint16_t>(1) + little<std::uint16_t>(0) + std::string(24, '\0');
  CHECK_THAT(decode(header), Catch::Contains("bits a pixel, found 0"));
}

TEST_CASE("PNGs that expand a thousand times") {
  const std::string file = testing::read_text(MASKRT_TEST_DATA "/hostile/image/expands_25000_times.png");
  CHECK_THAT(decode(file), Catch::Contains("expected a picture of this size in a file of at least 4194304 bytes, found "
                                           "16384 x 16384 pixels in 32697 bytes"));
}

/// A classic TIFF file: what lies behind its header, then one directory.
std::string tiff(std::string content, const std::vector<std::array<std::uint32_t, 4>>& entries) {
  if (content.size() % 2 != 0) content += 'x';
  std::string file = std::string("II*\0", 4) + little(static_cast<std::uint32_t>(8 + content.size())) + content;
  file += little(static_cast<std::uint16_t>(entries.size()));
  for (const auto& [tag, type, count, value] : entries)
    file += little(static_cast<std::uint16_t>(tag)) + little(static_cast<std::uint16_t>(type)) + little(count) +
            little(value);
  return file + little(std::uint32_t{0});
}

TEST_CASE("TIFFs of many strips and of many tags that nobody knows") {
  constexpr std::uint32_t short_type = 3, long_type = 4, strips = 120000;
  std::string content = repeat("x", strips);
  for (std::uint32_t i = 0; i < strips; ++i) content += little(8 + i);
  for (std::uint32_t i = 0; i < strips; ++i) content += little(std::uint32_t{1});
  std::vector<std::array<std::uint32_t, 4>> entries = {
      {256, long_type, 1, 1},  {257, long_type, 1, strips}, {258, short_type, 1, 8},
      {259, short_type, 1, 1}, {262, short_type, 1, 1},     {273, long_type, strips, 8 + strips},
      {277, short_type, 1, 1}, {278, long_type, 1, 1},      {279, long_type, strips, 8 + 5 * strips}};
  const auto read = [](const std::string& said) {
    return said == "" || said.find("needs libmaskrt_images.so") != said.npos;
  };
  CHECK(read(decode(tiff(content, entries))));
  for (std::uint32_t i = 0; entries.size() < 1000; ++i) entries.push_back({40000 + i, long_type, 1, i});
  CHECK(read(decode(tiff(content, entries))));
}

TEST_CASE("GIFs and WebPs of many blocks") {
  const std::string gif = std::string("GIF89a\x08\0\x08\0\0\0\0", 13);
  CHECK_THAT(decode(gif + repeat("!\xfe" + std::string(1, '\0'), kMegabyte)), Catch::Contains("truncated"));
  CHECK_THAT(decode(gif + repeat("x", kMegabyte)), Catch::Contains("truncated"));
  const std::string canvas = "VP8X" + little(std::uint32_t{10}) + std::string("\x02\0\0\0\x07\0\0\x07\0\0", 10);
  for (const std::string& chunk :
       {std::string("abcd\0\0\0\0", 8), "ANMF" + little(std::uint32_t{16}) + std::string(16, '\0')}) {
    const std::string chunks = "WEBP" + canvas + repeat(chunk, kMegabyte / chunk.size() * chunk.size());
    CHECK(decode("RIFF" + little(static_cast<std::uint32_t>(chunks.size())) + chunks) != "");
  }
}

TEST_CASE("JPEGs of many bytes between segments") {
  for (const std::string& stray :
       {std::string("\xff"), std::string("\xff\0", 2), std::string("\xff\xd0"), std::string("x")})
    CHECK_THAT(decode(std::string("\xff\xd8\xff\xe0\0\2", 6) + repeat(stray, kMegabyte)),
               Catch::Contains("the JPEG file is truncated"));
}

}  // namespace maskrt
