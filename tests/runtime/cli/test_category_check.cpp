// What `eval` and `run --annotations` find out before a picture is read: categories that differ, pictures that are no
// image of the annotations.
#include <catch2/catch.hpp>
#include <string>

#include "maskrt/maskrt.hpp"
#include "runtime/cli/annotated_pictures.h"
#include "runtime/cli/category_check.h"
#include "support/files.h"

using namespace maskrt;
using namespace maskrt::cli;
using Catch::Contains;
using maskrt::testing::TemporaryFolder;
using maskrt::testing::write_text;

namespace {

using Names = std::vector<std::pair<int, std::string>>;

std::vector<Category> model_of(const Names& names) {
  std::vector<Category> model;
  for (const auto& [id, name] : names) model.push_back({id, name, true, {}});
  return model;
}

coco::Annotations annotations_of(const Names& names) {
  coco::Annotations annotations;
  annotations.path = "a.json";
  for (const auto& [id, name] : names) annotations.categories.push_back({id, name});
  return annotations;
}

/// The remark; the message of the Error where there is one.
std::string check(const Names& model, const Names& annotated) {
  try {
    return check_categories(model_of(model), annotations_of(annotated).categories, "a.json");
  } catch (const Error& error) {
    return error.what();
  }
}

const Names shapes = {{1, "circle"}, {2, "square"}, {3, "triangle"}, {4, "star"}, {5, "ring"}};
const Names made_up = {{1, "class_0"}, {2, "class_1"}, {3, "class_2"}, {4, "class_3"}, {5, "class_4"}};

Names many(int from, int count) {
  Names names;
  for (int i = from; i < from + count; ++i) names.push_back({i, "name of " + std::to_string(i)});
  return names;
}

}  // namespace

TEST_CASE("categories that agree pass without a word") {
  CHECK(check(shapes, shapes) == "");
  CHECK(check({{1, "hair drier"}, {2, "Fire_Hydrant"}, {3, "T-shirt"}},
              {{1, "hair_drier"}, {2, "fire hydrant"}, {3, "t shirt"}}) == "");
  CHECK(check(many(1, 80), {{5, "name of 5"}, {17, "name of 17"}}) == "");  // some of the model's classes
  CHECK(check(made_up, made_up) == "");                                     // a data set without names of its own
  CHECK(check(shapes, {{1, ""}, {2, ""}, {3, ""}, {4, ""}, {5, ""}}) == "");
}

TEST_CASE("small differences are a remark") {
  CHECK(check({{1, "person"}, {2, "airplane"}, {3, "tv"}}, {{1, "person"}, {2, "aeroplane"}, {3, "tv"}}) ==
        "1 of the ids have other names in a.json (2 \"airplane\" and 2 \"aeroplane\")");
  CHECK(check(shapes, many(6, 75)).find("none of 5 in common") != std::string::npos);
  Names more = shapes;
  for (const auto& other : many(6, 75)) more.push_back(other);
  CHECK(check(shapes, more) == "the model lacks 75 of the categories of a.json, which count as not found");
}

TEST_CASE("categories that differ are an error with both lists, and with what to do") {
  const std::string lists =
      "\n  the model's categories: 1 \"circle\", 2 \"square\", 3 \"triangle\", 4 \"star\", 5 \"ring\"\n  a.json: ";
  const std::string remedy = "maskrt-convert CHECKPOINT --config CONFIG --labels a.json -o MODEL";
  SECTION("ids from 0 against ids from 1") {
    const Names from_0 = {{0, "circle"}, {1, "square"}, {2, "triangle"}, {3, "star"}, {4, "ring"}};
    CHECK_THAT(check(shapes, from_0), Contains("found \"circle\" with the id 1 where the annotations have 0") &&
                                          Contains(lists + "0 \"circle\", 1 \"square\"") && Contains(remedy) &&
                                          Contains("--ignore-labels"));
  }
  SECTION("other ids altogether") {
    const Names others = {{12, "circle"}, {15, "square"}, {19, "triangle"}, {24, "star"}, {30, "ring"}};
    CHECK_THAT(check(shapes, others), Contains("\"circle\" with the id 1 where the annotations have 12"));
  }
  SECTION("two names exchanged") {
    const Names exchanged = {{1, "circle"}, {2, "triangle"}, {3, "square"}, {4, "star"}, {5, "ring"}};
    CHECK_THAT(check(shapes, exchanged), Contains("\"square\" with the id 2 where the annotations have 3"));
  }
  SECTION("other names") {
    const Names others = {{1, "cat"}, {2, "dog"}, {3, "cow"}, {4, "star"}, {5, "ring"}};
    CHECK_THAT(check(shapes, others), Contains("found 2 of 5 in common"));
    CHECK_THAT(check(shapes, many(1, 5)), Contains("found none of 5 in common"));
  }
  SECTION("names that were made up, whatever the ids") {
    CHECK_THAT(check(made_up, shapes), Contains("found names that maskrt-convert made up") && Contains(remedy));
    CHECK_THAT(check(made_up, {{2, "circle"}, {5, "square"}}),
               Contains("made up") && Contains("--labels LABELS") && Contains("all the classes"));
  }
  SECTION("long lists are cut") {
    CHECK_THAT(check(many(1, 80), many(101, 80)), Contains("6 \"name of 6\" and 74 more") &&
                                                      Contains("106 \"name of 106\" and 74 more") &&
                                                      !Contains("\"name of 7\""));
  }
  SECTION("no categories at all") { CHECK_THAT(check(shapes, {}), Contains("a.json: none")); }
}

TEST_CASE("results are compared by their categories' ids, and by names where they have them") {
  const auto result = [](int id, const std::string& name) { return coco::CocoResult{"", 1, id, name, {}, 0.5, {}}; };
  const auto check_results = [&](const std::vector<coco::CocoResult>& results, bool ignore_labels = false) {
    try {
      return check_categories(results, annotations_of(shapes), "r.json", ignore_labels);
    } catch (const Error& error) {
      return std::string(error.what());
    }
  };
  CHECK(check_results({result(1, ""), result(5, "")}) == "");
  CHECK(check_results({result(1, "circle"), result(5, "Ring")}) == "");
  CHECK(check_results({result(1, ""), result(0, ""), result(0, ""), result(9, "")}) ==
        "3 of the 4 results are left out, since a.json does not list their categories (0, 9)");
  CHECK_THAT(check_results({result(0, ""), result(77, "")}),
             Contains("expected results of categories that a.json lists (1 \"circle\"") &&
                 Contains("found none in r.json: the ids of their categories are 0, 77"));
  CHECK_THAT(check_results({result(1, "square"), result(2, "triangle")}),
             Contains("expected the categories of r.json") && Contains("\"square\" with the id 1"));
  CHECK_THAT(check_results({result(1, "class_0")}), Contains("made up"));
  CHECK(check_results({result(1, "class_0")}, true) == "");
}

TEST_CASE("pictures take the ids and names of the images that end their paths") {
  const TemporaryFolder folder;
  const std::string file = write_text(folder / "a.json", R"({"annotations": [{"broken": true}], "images": [
      {"id": 7, "file_name": "val/1.jpg"}, {"id": 8, "file_name": "train/1.jpg"}, {"id": "nine", "file_name": "2.jpg"},
      {"id": 10, "file_name": "deep/3.jpg"}, {"id": 11, "coco_url": "http://host/val2017/4.jpg"},
      {"id": 12, "file_name": "x/5.jpg"}, {"id": 13, "file_name": "y/5.jpg"}, {"id": 14}]})");
  const auto taken = [&](std::vector<std::string> paths) {
    std::vector<Picture> pictures;
    for (const std::string& path : paths) pictures.push_back({path, "other", 0});
    take_annotated_ids(pictures, file);
    return pictures;
  };
  const auto pictures = taken({"/data/val/1.jpg", "train/../train/1.jpg", "/data/2.jpg", "/flat/3.jpg", "4.jpg"});
  const std::pair<coco::Id, const char*> want[] = {{7, "val/1.jpg"},
                                                   {8, "train/1.jpg"},
                                                   {coco::Id(std::string("nine")), "2.jpg"},
                                                   {10, "deep/3.jpg"},
                                                   {11, "val2017/4.jpg"}};
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    INFO(pictures[i].path);
    CHECK((pictures[i].image_id == want[i].first));
    CHECK(pictures[i].file_name == want[i].second);
  }
  CHECK_THROWS_WITH(taken({"2.jpg", "z/5.jpg", "none.jpg"}),
                    Contains("found 2 of 3 that it does not, the first is z/5.jpg, of which it lists several"));
  CHECK_THROWS_WITH(taken({"/data/12.jpg"}), Contains("the first is /data/12.jpg, which it does not list"));
  CHECK_THROWS_WITH(taken({"a/2.jpg", "b/2.jpg"}), Contains("found a/2.jpg and b/2.jpg for the image of id \"nine\""));
}

TEST_CASE("pictures of images that are named by URLs are found with and without their folder") {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder / "val2017");
  write_text(folder / "val2017/1.jpg", "");
  write_text(folder / "2.jpg", "");
  const auto entry = [](const std::string& name, bool by_url) { return coco::ImageEntry{1, name, 0, 0, by_url}; };
  CHECK(find_picture(folder.path(), entry("val2017/1.jpg", true)) == folder / "val2017/1.jpg");
  CHECK(find_picture(folder.path(), entry("val2017/2.jpg", true)) == folder / "2.jpg");
  CHECK(find_picture(folder.path(), entry("val2017/2.jpg", false)).empty());
  CHECK(find_picture(folder.path(), entry("val2017/3.jpg", true)).empty());
  CHECK(find_picture(folder.path(), entry("", false)).empty());
}
