// Scores of semantic segmentation, against detectron2's numbers (tests/data/label_maps/README.md); classes of data
// sets, and folders of label maps.
#include <catch2/catch.hpp>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "map_folder.h"
#include "runtime/label_maps/map_files.h"
#include "runtime/label_maps/semantic_score.h"

namespace maskrt::label_maps {
namespace {

using nlohmann::json;
using testing::read_text;
using testing::TemporaryFolder;
using testing::write_text;

const std::string data = MASKRT_TEST_DATA "/label_maps/";
constexpr double kBound = 1e-9;

void check(const std::string& what, double got, const json& want) {
  INFO(what << ": got " << got << ", want " << want << ", bound " << kBound);
  CHECK(std::abs(got - want.get<double>()) <= kBound);
}

void compare(const SemanticScore& got, const json& want) {
  check("mIoU", got.mean_iou, want.at("mIoU"));
  check("fwIoU", got.weighted_iou, want.at("fwIoU"));
  check("mACC", got.mean_accuracy, want.at("mACC"));
  check("pACC", got.pixel_accuracy, want.at("pACC"));
  REQUIRE(got.classes.size() == want.at("IoU").size());
  for (std::size_t i = 0; i < got.classes.size(); ++i) {
    check("IoU of " + got.classes[i].name, got.classes[i].iou, want.at("IoU")[i]);
    check("accuracy of " + got.classes[i].name, got.classes[i].accuracy, want.at("ACC")[i]);
  }
}

/// Classes "0", "1", ... whose ids are their indices.
LabelClasses numbered(const TemporaryFolder& folder, std::size_t count) {
  std::string lines;
  for (std::size_t i = 0; i < count; ++i) lines += std::to_string(i) + "\n";
  return read_classes(write_text(folder / "classes.txt", lines).string());
}

SemanticScore scored(const std::string& name, const LabelClasses& table, SemanticOptions options = {}) {
  const std::string folder = data + name;
  const MapFolders found = find_maps(folder + "/truths", folder + "/results", table.names);
  options.truths = found.truths;
  return score_maps(found.pairs, table, options);
}

SemanticScore score_of(std::string_view truth, std::string_view result, const LabelClasses& table) {
  SemanticScorer scorer(table.classes.size());
  scorer.add(labels(truth), table.ids, labels(result), table.indices);
  return scorer.score(table);
}

}  // namespace

TEST_CASE("semantic scores are what detectron2 finds") {
  const TemporaryFolder folder;
  const json expected = json::parse(read_text(data + "expected.json")).at("semantic");
  SECTION("grey truths, results with a palette") {
    compare(scored("plain", numbered(folder, 21)), expected.at("plain"));
  }
  SECTION("more than 256 classes") { compare(scored("many", numbered(folder, 300)), expected.at("many")); }
  SECTION("Cityscapes: truths in ids, results in train ids") {
    compare(scored("cityscapes", cityscapes_classes()), expected.at("cityscapes"));
  }
  SECTION("Cityscapes: truths in train ids, results in ids") {
    SemanticOptions options;
    options.results = Numbering::ids;
    compare(scored("train_ids", cityscapes_classes(), options), expected.at("train_ids"));
  }
  SECTION("ADE20K") { compare(scored("ade20k", ade20k_classes()), expected.at("ade20k")); }
}

TEST_CASE("semantic scores: the number of threads changes nothing") {
  const TemporaryFolder folder;
  const LabelClasses table = numbered(folder, 21);
  SemanticOptions options;
  options.threads = 1;
  const SemanticScore one = scored("plain", table, options);
  options.threads = 7;
  const SemanticScore more = scored("plain", table, options);
  CHECK(more.mean_iou == one.mean_iou);
  CHECK(more.weighted_iou == one.weighted_iou);
}

TEST_CASE("semantic scores by hand") {
  const TemporaryFolder folder;
  const LabelClasses table = numbered(folder, 4);
  const SemanticScore found = score_of("0011..", "010122", table);
  CHECK(found.pixels == 4);
  CHECK(found.images == 1);
  CHECK(found.classes[0].iou == Approx(1.0 / 3));
  CHECK(found.classes[1].accuracy == 0.5);
  CHECK(found.classes[2].iou == -1);  // found where nothing counts
  CHECK(found.pixel_accuracy == 0.5);
  CHECK(found.mean_iou == Approx(1.0 / 3));
  // A class without truths takes part by what it takes from others alone.
  CHECK(score_of("0000", "0003", table).mean_iou == 0.75);
  // Pixels that a result leaves out are missed.
  CHECK(score_of("0011", "00..", table).mean_iou == 0.5);
  CHECK(score_of("0011", "00..", table).pixel_accuracy == 0.5);
  const SemanticScore none = score_of("....", "0123", table);
  CHECK(none.mean_iou == -1);
  CHECK(none.pixel_accuracy == -1);
}

TEST_CASE("classes of Cityscapes and ADE20K") {
  const LabelClasses cityscapes = cityscapes_classes();
  CHECK(cityscapes.classes.size() == 19);
  CHECK(cityscapes.classes[13].name == "car");
  CHECK(cityscapes.ids[26] == 13);
  CHECK(cityscapes.indices[13] == 13);
  int ignored = 0, unknown = 0;
  for (std::uint16_t id = 0; id < 34; ++id) {
    if (cityscapes.ids[id] == kIgnored) ++ignored;
    if (cityscapes.ids[id] == kUnknown) ++unknown;
  }
  CHECK(ignored == 15);
  CHECK(unknown == 0);
  CHECK(cityscapes.ids[34] == kUnknown);
  CHECK(cityscapes.indices[19] == kUnknown);
  CHECK(cityscapes.indices[255] == kIgnored);

  const LabelClasses ade20k = ade20k_classes();
  CHECK(ade20k.classes.size() == 150);
  CHECK(ade20k.classes[12].name == "person");
  CHECK(ade20k.classes[149].name == "flag");
  CHECK(ade20k.ids[0] == kIgnored);
  CHECK(ade20k.ids[150] == 149);
  CHECK(ade20k.ids[151] == kUnknown);
  CHECK(ade20k.indices[0] == 0);
  std::set<std::string> names;
  for (const LabelClass& one : ade20k.classes) names.insert(one.name);
  CHECK(names.size() == 150);
}

TEST_CASE("classes from files") {
  const TemporaryFolder folder;
  const auto read = [&](const std::string& text, std::optional<std::uint16_t> ignored = std::nullopt) {
    return read_classes(write_text(folder / "c", text).string(), ignored);
  };
  const auto error = [&](const std::string& text) {
    return error_of([&] { read(text); }).substr(folder.path().string().size() + 1);
  };
  const LabelClasses lines = read("road\r\nsky\n\n");
  CHECK(lines.classes.size() == 2);
  CHECK(lines.classes[0].name == "road");
  CHECK(lines.ids[1] == 1);
  CHECK(lines.ids[2] == kUnknown);
  CHECK(lines.ids[255] == kIgnored);
  const LabelClasses listed = read(R"([{"id": 7, "name": "road", "color": [1, 2, 3]}, {"id": 0, "name": "sky"}])", 0);
  CHECK(listed.classes[0].color == ClassColor{1, 2, 3});
  CHECK(listed.ids[7] == 0);
  CHECK(listed.ids[0] == kIgnored);  // though a class has it
  CHECK(listed.indices[1] == 1);
  CHECK(listed.ids[255] == kUnknown);
  CHECK(read(R"({"images": [], "categories": [{"id": 255, "name": "last"}]})").ids[255] == 0);

  CHECK(error("") == "c: expected a class or more, found none");
  CHECK(error("road\n\nsky\n") == "c: expected a class's name in line 2, found an empty line");
  CHECK(error("{}") == "c: expected COCO's categories, a list or the member \"categories\", found none");
  CHECK(error(R"([{"id": 1, "name": "a"}, {"id": 1, "name": "b"}])") ==
        "c: categories[1] (id 1): id must be used once in its list, but is the number 1");
  CHECK_THAT(error(R"([{"id": 65536, "name": "a"}])"), Catch::Contains("id must be a whole number from 0 to 65535"));
  CHECK_THAT(error(R"([{"id": 1}])"), Catch::Contains("name must be a name, but is missing"));
  CHECK_THAT(error(R"([{"id": 1, "name": "a", "color": [1, 2, 256]}])"), Catch::Contains("from 0 to 255"));
  CHECK_THAT(error_of([] { read_classes("citiscapes"); }),
             Catch::StartsWith("expected cityscapes, ade20k or a file of classes, found citiscapes"));
}

TEST_CASE("label maps that cannot be scored are refused by name") {
  const TemporaryFolder folder;
  const LabelClasses table = numbered(folder, 4);
  const std::string truth = write_labels(folder / "t.png", "0123/012.").string();
  const auto error = [&](std::string_view rows) {
    const std::string result = write_labels(folder / "r.png", rows).string();
    const std::string where = result + " and " + truth + ": ";
    const std::string text = error_of([&] { score_maps(std::vector<MapPair>{{truth, result}}, table, {}); });
    return text.starts_with(where) ? text.substr(where.size()) : text;
  };
  CHECK(error("0123/0123") == "no error");
  CHECK(error("0123/0423") == "expected labels of the classes in the result, found 4 at x 1, y 1");
  CHECK(error("0123/0124") ==
        "expected labels of the classes in the result, found 4 at x 3, y 1");  // beside what is ignored
  CHECK(error("012/301") == "expected a result of 4x2 pixels as the truth has, found 3x2");
  write_labels(folder / "t.png", "0123/0129");
  CHECK(error("0123/0123") == "expected labels of the classes in the truth, found 9 at x 3, y 1");
  write_bytes(folder / "t.png", one_pixel(2, 8, 3));
  CHECK_THAT(error("0123/0123"), Catch::Contains("expected a label map as 8-bit or 16-bit grey or palette PNG"));
}

TEST_CASE("annotations without results are found alike") {
  const TruthMaps ids = find_truth_maps(data + "cityscapes/truths", MapNames::cityscapes);
  CHECK(ids.numbering == Numbering::ids);
  CHECK(ids.files.size() == 3);
  CHECK(ids.files.at("aachen_000001_000019").filename() == "aachen_000001_000019_gtFine_labelIds.png");
  CHECK(find_truth_maps(data + "train_ids/truths", MapNames::cityscapes).numbering == Numbering::indices);
  CHECK(find_truth_maps(data + "plain/truths", MapNames::same).files.contains("000"));
  const TemporaryFolder folder;
  CHECK(error_of([&] { find_truth_maps(folder.path(), MapNames::same); }) ==
        "expected label maps, *.png in " + folder.path().string() + ", found none");
}

TEST_CASE("folders of label maps are paired by name") {
  const TemporaryFolder folder;
  const auto make = [&](const std::string& name) { write_labels(folder / name, "0"); };
  const auto find = [&](MapNames names, std::optional<Numbering> truths = std::nullopt) {
    return find_maps(folder / "t", folder / "r", names, truths);
  };
  const auto error = [&](MapNames names) {
    std::string text = error_of([&] { find(names); });
    const std::string path = folder.path().string() + "/";
    for (std::size_t at = 0; (at = text.find(path)) != std::string::npos;) text.erase(at, path.size());
    return text;
  };
  std::filesystem::create_directories(folder / "t");
  CHECK(error(MapNames::same) == "expected label maps, *.png in t, found none");
  make("t/b.png");
  make("t/inside/a.PNG");
  make("t/.hidden.png");
  write_text(folder / "t/notes.txt", "");
  CHECK_THAT(error(MapNames::same), Catch::StartsWith("r: expected a folder of label maps, but: "));
  make("r/other.png");
  CHECK(error(MapNames::same) == "expected results of all 2 images of t in r, 2 are missing, the first is of a");
  make("r/a.png");
  make("r/deep/down/b.png");
  const MapFolders found = find(MapNames::same);
  REQUIRE(found.pairs.size() == 2);
  CHECK(found.pairs[0].truth == folder / "t/inside/a.PNG");
  CHECK(found.pairs[1].result == folder / "r/deep/down/b.png");
  CHECK(found.left_out == 1);
  CHECK(found.truths == Numbering::ids);
  make("r/b.png");
  CHECK(error(MapNames::same) == "expected one label map of the image b, found r/b.png and r/deep/down/b.png");

  CHECK(error(MapNames::cityscapes) ==
        "expected Cityscapes' label maps, *_labelIds.png or *_labelTrainIds.png in t, found none");
  std::filesystem::remove_all(folder / "r");
  make("t/ulm/ulm_000001_000019_gtFine_labelTrainIds.png");
  make("t/ulm/ulm_000001_000019_gtFine_color.png");
  make("r/ulm_000001_000019_leftImg8bit.png");
  CHECK(find(MapNames::cityscapes).truths == Numbering::indices);
  make("t/ulm/ulm_000001_000019_gtFine_labelIds.png");
  CHECK(find(MapNames::cityscapes).truths == Numbering::ids);
  CHECK(find(MapNames::cityscapes).pairs.at(0).truth.filename() == "ulm_000001_000019_gtFine_labelIds.png");
  CHECK(find(MapNames::cityscapes, Numbering::indices).pairs.at(0).truth.filename() ==
        "ulm_000001_000019_gtFine_labelTrainIds.png");
}

}  // namespace maskrt::label_maps
