// Panoptic quality, against panopticapi's numbers (tests/data/label_maps/README.md), and what readers refuse.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>

#include "map_folder.h"
#include "runtime/label_maps/panoptic_quality.h"

namespace maskrt::label_maps {
namespace {

using nlohmann::json;
using testing::read_text;
using testing::TemporaryFolder;
using testing::write_text;

const std::string data = MASKRT_TEST_DATA "/label_maps/";

/// Far below any other rule's difference, far above what the order of sums changes.
constexpr double kBound = 1e-9;

/// `counts`: else panopticapi has 0 for what is -1 here.
void compare(const std::string& what, const Quality& got, const json& want, bool counts) {
  const std::pair<const char*, double> values[] = {{"pq", got.pq}, {"sq", got.sq}, {"rq", got.rq}};
  for (const auto& [key, value] : values) {
    const double wanted = counts ? want.at(key).get<double>() : -1;
    INFO(what << " " << key << ": got " << value << ", want " << wanted << ", bound " << kBound);
    CHECK(std::abs(value - wanted) <= kBound);
  }
}

void compare(const PanopticQuality& got, const json& want) {
  const std::pair<const char*, const MeanQuality*> means[] = {
      {"all", &got.all}, {"things", &got.things}, {"stuff", &got.stuff}};
  for (const auto& [name, mean] : means) {
    CHECK(mean->categories == want.at(name).at("n").get<std::size_t>());
    compare(name, mean->quality, want.at(name), mean->categories > 0);
  }
  REQUIRE(got.categories.size() == want.at("per_class").size());
  for (const CategoryQuality& one : got.categories)
    compare(one.name, one.quality, want.at("per_class").at(std::to_string(one.id.number())), one.matches.counts());
}

PanopticQuality quality_of(const std::string& truths, const std::string& results, int threads = 0) {
  const PanopticSet set = read_panoptic_annotations(truths);
  return panoptic_quality(set, read_panoptic_results(results, set), threads);
}

/// Segments of category 0, crowds in capitals.
std::vector<SegmentInfo> named(std::string_view ids) {
  std::vector<SegmentInfo> made;
  for (const char c : ids) {
    SegmentInfo segment;
    segment.crowd = c < 'a';
    segment.id = static_cast<std::uint32_t>(c - (segment.crowd ? 'A' : 'a')) + 1;
    made.push_back(segment);
  }
  return made;
}

SegmentMatches matched(std::string_view truth, std::string_view truth_ids, std::string_view result,
                       std::string_view result_ids) {
  return match_segments(segments(truth), named(truth_ids), segments(result), named(result_ids), 1).at(0);
}

/// A set of two images that is right, and files of it with a member changed.
struct SmallSet {
  TemporaryFolder folder;
  json truths = json::parse(R"({"categories": [{"id": 1, "name": "cat", "isthing": 1},
                                               {"id": "sky", "name": "sky", "isthing": 0}],
    "annotations": [{"image_id": 5, "file_name": "x.png", "segments_info": [
                      {"id": 1, "category_id": 1, "iscrowd": 0, "area": 3}, {"id": 2, "category_id": "sky"}]},
                    {"image_id": "b", "file_name": "y.png", "segments_info": []}]})");
  json results = json::parse(R"({"annotations": [
     {"image_id": "b", "file_name": "y.png", "segments_info": [{"id": 3, "category_id": 1, "score": 0.5}]},
     {"image_id": 5, "file_name": "x.png", "segments_info": [{"id": 1, "category_id": "sky"}]}]})");

  SmallSet() {
    write_map(folder / "t/x.png", "aab/abb");
    write_map(folder / "t/y.png", ".../...");
    write_map(folder / "r/x.png", "..a/.aa");
    write_map(folder / "r/y.png", "c../...");
  }
  PanopticQuality quality() const {
    write_text(folder / "t.json", truths.dump());
    write_text(folder / "r.json", results.dump());
    return quality_of((folder / "t.json").string(), (folder / "r.json").string());
  }
  std::string error() const {
    std::string text = error_of([&] { quality(); });
    const std::string path = folder.path().string() + "/";
    for (std::size_t at = 0; (at = text.find(path)) != std::string::npos;) text.erase(at, path.size());
    return text;
  }
};

}  // namespace

TEST_CASE("panoptic quality is what panopticapi finds") {
  const auto name = GENERATE(as<std::string>(), "mixed", "limits");
  CAPTURE(name);
  const json expected = json::parse(read_text(data + "expected.json"));
  compare(quality_of(data + name + "_truths.json", data + name + "_results.json"), expected.at("panoptic").at(name));
}

TEST_CASE("panoptic quality: the number of threads changes nothing") {
  const auto quality = [](int threads) {
    return quality_of(data + "mixed_truths.json", data + "mixed_results.json", threads);
  };
  const PanopticQuality one = quality(1);
  for (const int threads : {2, 5, 100}) {
    const PanopticQuality more = quality(threads);
    CHECK(more.all.quality.pq == one.all.quality.pq);
    for (std::size_t i = 0; i < one.categories.size(); ++i)
      CHECK(more.categories[i].matches.iou == one.categories[i].matches.iou);
  }
}

TEST_CASE("segments match above an IoU of a half") {
  const SegmentMatches half = matched("aabb", "ab", "aaaa", "a");
  CHECK(half.matched == 0);
  CHECK(half.false_positives == 1);
  CHECK(half.missed == 2);
  const SegmentMatches more = matched("aaab", "ab", "aaaa", "a");
  CHECK(more.matched == 1);
  CHECK(more.iou == 0.75);
  CHECK(more.missed == 1);
  CHECK(more.false_positives == 0);
}

TEST_CASE("void pixels are in no union, and excuse what is mostly there") {
  CHECK(matched("aa....", "a", "aaaaaa", "a").iou == 1);
  CHECK(matched("bb....", "b", "a.aa..", "a").false_positives == 0);   // 2 of 3 pixels
  CHECK(matched("bb....", "b", "a.a...", "a").false_positives == 1);   // 1 of 2
  CHECK(matched("......", "", "a.bb.c", "abc").false_positives == 0);  // an image without a truth
  CHECK(matched("aabb..", "ab", "......", "").missed == 2);
}

TEST_CASE("crowds match nothing, are not missed, and excuse what is mostly there") {
  const SegmentMatches crowd = matched("aaabbb", "Ab", "aacbbb", "abc");
  CHECK(crowd.matched == 1);
  CHECK(crowd.missed == 0);
  CHECK(crowd.false_positives == 0);
  // Of two crowds the later one counts.
  CHECK(matched("aaabbb", "AB", "aaaccc", "ac").false_positives == 1);
}

TEST_CASE("panoptic files: ids that are strings, other members, results that are left out") {
  SmallSet set;
  const PanopticQuality found = set.quality();
  CHECK(found.images == 2);
  CHECK(found.categories[1].quality.pq == 1);
  CHECK(found.things.quality.pq == 0);
  CHECK(found.categories[0].matches.missed == 1);
  CHECK(found.categories[0].matches.false_positives == 0);  // it lies in void
  set.results["annotations"].push_back({{"image_id", 7}, {"file_name", "z.png"}, {"segments_info", json::array()}});
  set.results["categories"] = "nobody reads them";
  CHECK(set.quality().left_out == 1);
  set.truths["categories"].push_back({{"id", 9}, {"name", "never"}, {"isthing", 0}});
  CHECK(set.quality().categories.at(2).quality.pq == -1);
  CHECK(set.quality().stuff.categories == 1);
}

TEST_CASE("panoptic annotations tell their pictures' names, where they are names") {
  SmallSet set;
  set.truths["images"] = json::parse(R"([{"id": 5, "file_name": "five.jpg"}, {"id": "b", "file_name": 7},
                                         {"id": 9, "file_name": "nobody's.jpg"}, {"id": 1.5, "file_name": "half.jpg"},
                                         {"file_name": "none.jpg"}, {"id": "b"}])");
  CHECK(set.quality().images == 2);
  const PanopticSet read = read_panoptic_annotations(set.folder / "t.json");
  REQUIRE(read.images.size() == 2);
  CHECK(read.images[0].picture == "five.jpg");
  CHECK(read.images[1].picture.empty());
}

TEST_CASE("panoptic quality adds up image after image") {
  const PanopticSet truths = read_panoptic_annotations(data + "mixed_truths.json");
  const PanopticSet results = read_panoptic_results(data + "mixed_results.json", truths);
  PanopticScorer scorer(truths.categories);
  CHECK(scorer.quality().all.quality.pq == -1);
  for (const PanopticImage& truth : truths.images) {
    const auto result = std::find_if(results.images.begin(), results.images.end(),
                                     [&](const PanopticImage& image) { return image.id == truth.id; });
    REQUIRE(result != results.images.end());
    scorer.add(those_that_count(match_segments(read_segment_map(truths.maps / truth.file_name), truth.segments,
                                               read_segment_map(results.maps / result->file_name), result->segments,
                                               truths.categories.size())));
  }
  CHECK(scorer.images() == truths.images.size());
  CHECK(scorer.quality().all.quality.pq == panoptic_quality(truths, results).all.quality.pq);
  CHECK(error_of([&] {
          scorer.add({{truths.categories.size(), {}}});
        }) == "panoptic quality: expected matches of 6 categories, found some of category 6");
}

TEST_CASE("panoptic files are refused by name") {
  SmallSet set;
  json& truth = set.truths["annotations"][0];
  json& result = set.results["annotations"][0];
  REQUIRE(set.error() == "no error");
  SECTION("no categories") {
    set.truths.erase("categories");
    CHECK(set.error() == "t.json: expected COCO's panoptic format with \"categories\", found no such member");
  }
  SECTION("results as a list") {
    set.results = set.results["annotations"];
    CHECK_THAT(set.error(), Catch::StartsWith("r.json: expected an object"));
  }
  SECTION("results without annotations") {
    set.results = json::object();
    CHECK(set.error() == "r.json: expected COCO's panoptic format with \"annotations\", found no such member");
  }
  SECTION("a category twice") {
    set.truths["categories"][1]["id"] = 1;
    CHECK(set.error() == "t.json: expected categories of different ids, found 1 twice");
  }
  SECTION("neither thing nor stuff") {
    set.truths["categories"][1].erase("isthing");
    CHECK(set.error() == "t.json: categories[1] (id \"sky\"): isthing must be 0 or 1, but is missing");
  }
  SECTION("an unknown category of a truth") {
    truth["segments_info"][0]["category_id"] = 4;
    CHECK(set.error() == "t.json: image 5, segment 1: expected a category that t.json lists, found category_id 4");
  }
  SECTION("an unknown category of a result") {
    result["segments_info"][0]["category_id"] = "1";
    CHECK(set.error() ==
          "r.json: image \"b\", segment 3: expected a category that t.json lists, found category_id \"1\"");
  }
  SECTION("an image twice") {
    set.results["annotations"].push_back(result);
    CHECK(set.error() == "r.json: image \"b\": expected one annotation of it, found two");
  }
  SECTION("an image without a result") {
    set.results["annotations"].erase(1);
    CHECK(set.error() ==
          "expected results on all 2 images of t.json in r.json, 1 is missing, the first has the image_id 5");
  }
  SECTION("a segment's id twice") {
    truth["segments_info"][1]["id"] = 1;
    CHECK(set.error() ==
          "t.json: annotations[0].segments_info[1] (id 1): id must be used once in its image, but is "
          "the number 1");
  }
  SECTION("ids beyond 24 bits, and void") {
    const auto id = GENERATE(0, -1, 16777216);
    result["segments_info"][0]["id"] = id;
    CHECK(set.error() == "r.json: annotations[0].segments_info[0] (id " + std::to_string(id) +
                             "): id must be a whole number from 1 to 16777215 (0 is void), but is the number " +
                             std::to_string(id));
  }
  SECTION("an id without segments_info") {
    result["segments_info"] = json::array();
    CHECK(set.error() ==
          "r/y.png and t/y.png (image \"b\"): expected ids of the result's segments_info in its map, "
          "found 3");
  }
  SECTION("an id of a truth without segments_info") {
    truth["segments_info"].erase(1);
    CHECK(set.error() ==
          "r/x.png and t/x.png (image 5): expected ids of the truth's segments_info in its map, found 2");
  }
  SECTION("a segment without pixels") {
    result["segments_info"].push_back({{"id", 4}, {"category_id", 1}});
    CHECK(set.error() ==
          "r/y.png and t/y.png (image \"b\"): expected a pixel or more of each segment in the result's "
          "segments_info, found none of 4");
  }
  SECTION("a map of another size") {
    write_map(set.folder / "r/x.png", "aa/aa/aa");
    CHECK(set.error() == "r/x.png and t/x.png (image 5): expected a result of 3x2 pixels as the truth has, found 2x3");
  }
  SECTION("a map of another kind") {
    write_bytes(set.folder / "r/x.png", one_pixel(6, 8, 4));
    CHECK(set.error() == "r/x.png: expected ids of segments as 8-bit RGB PNG, found 8-bit RGB with alpha");
  }
  SECTION("a map that is missing") {
    std::filesystem::remove(set.folder / "r/y.png");
    CHECK_THAT(set.error(), Catch::StartsWith("r/y.png: cannot be opened"));
  }
  SECTION("a record without a map") {
    result.erase("file_name");
    CHECK(set.error() == "r.json: annotations[0]: file_name must be a PNG file's name, but is missing");
  }
  SECTION("a record without segments") {
    result["segments_info"] = 3;
    CHECK(set.error() == "r.json: annotations[0]: segments_info must be an array of segments, but is the number 3");
  }
  SECTION("a score that is none") {
    result["segments_info"][0]["score"] = "high";
    CHECK_THAT(set.error(), Catch::Contains("score must be a finite number, but is the string"));
  }
}

TEST_CASE("panoptic files with flipped bytes end in an error or a score") {
  const TemporaryFolder folder;
  const std::string truths = read_text(data + "limits_truths.json"), results = read_text(data + "limits_results.json");
  std::mt19937 random(5);
  for (int round = 0; round < 300; ++round) {
    std::string texts[2] = {truths, results};
    for (unsigned damages = 1 + random() % 3; damages > 0; --damages) {
      std::string& text = texts[random() % 2];
      text[random() % text.size()] = static_cast<char>(' ' + random() % 95);
    }
    write_text(folder / "t.json", texts[0]);
    write_text(folder / "r.json", texts[1]);
    const std::string error = error_of([&] {
      const PanopticSet set = read_panoptic_annotations(folder / "t.json", data + "limits_truths");
      const PanopticQuality found =
          panoptic_quality(set, read_panoptic_results(folder / "r.json", set, data + "limits_results"), 1);
      CHECK(found.all.quality.pq >= -1);
    });
    CHECK(error.size() > 6);
  }
}

}  // namespace maskrt::label_maps
