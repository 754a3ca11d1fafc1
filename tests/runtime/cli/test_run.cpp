// `maskrt run` on the demo's model: results, batches, pictures that are none.
#include <catch2/catch.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "maskrt/maskrt.hpp"
#include "runtime/coco/results.h"
#include "runtime/mask/rle.h"
#include "support/demo_command.h"

using namespace maskrt;
using Catch::Contains;
using Catch::StartsWith;
using namespace maskrt::testing;
namespace fs = std::filesystem;
using nlohmann::json;

namespace {

ProcessResult maskrt_command(const std::string& command, const Words& arguments) {
  return run_process(demo_command(command, arguments));
}

std::ptrdiff_t lines(const std::string& text) { return std::count(text.begin(), text.end(), '\n'); }

}  // namespace

TEST_CASE("run: JSON is a flat list of COCO results, in the order of inputs, with boxes of the masks") {
  TemporaryFolder folder;
  const ProcessResult ran = maskrt_command(
      "run", {demo_picture(3), demo_picture(0), demo_picture(1), "--json", folder / "made/here/r.json", "--boxes"});
  check_success(ran);
  CHECK(lines(ran.out) == 4);
  CHECK_THAT(ran.out, StartsWith("003.jpg") && Contains("3 images"));

  const json list = json::parse(read_text(folder / "made/here/r.json"));
  REQUIRE(list.size() > 3);
  const std::map<std::string, std::pair<int, std::vector<int>>> images = {
      {"003.jpg", {3, {320, 480}}}, {"000.jpg", {0, {240, 320}}}, {"001.jpg", {1, {300, 400}}}};
  const std::map<int, std::string> categories = {
      {2, "circle"}, {5, "square"}, {9, "triangle"}, {14, "star"}, {30, "ring"}};
  std::vector<std::string> order;
  for (const json& result : list) {
    INFO(result.dump());
    const std::string name = result.at("file_name");
    if (order.empty() || order.back() != name) order.push_back(name);
    CHECK(result.at("image_id") == images.at(name).first);
    CHECK(result.at("category") == categories.at(result.at("category_id")));
    const double score = result.at("score");
    CHECK(score >= 0);
    CHECK(score <= 1);
    const json& segmentation = result.at("segmentation");
    CHECK(segmentation.at("size") == images.at(name).second);
    const auto runs = rle::from_string(segmentation.at("size")[0], segmentation.at("size")[1],
                                       segmentation.at("counts").get<std::string>());
    CHECK(result.at("bbox") == json(rle::bounding_box(runs)));
  }
  CHECK(order == std::vector<std::string>{"003.jpg", "000.jpg", "001.jpg"});
}

TEST_CASE("run: --score filters what is written, masks and pictures have their names") {
  TemporaryFolder folder;
  const std::string all = folder / "all.json", some = folder / "some.json";
  check_success(
      maskrt_command("run", {demo_picture(0), "--score", "0", "--json", all, "--masks", folder / "masks", "--quiet"}));
  const auto results = coco::read_results(all);

  // Between two scores that are far apart: each process chooses its algorithms anew, and scores differ in their last
  // digits.
  std::vector<double> scores;
  for (const auto& result : results) scores.push_back(result.score);
  std::sort(scores.begin(), scores.end());
  std::size_t gap = 1;
  for (std::size_t i = 1; i < scores.size(); ++i)
    if (scores[i] - scores[i - 1] > scores[gap] - scores[gap - 1]) gap = i;
  const double threshold = (scores.at(gap - 1) + scores.at(gap)) / 2;
  REQUIRE(scores[gap] - scores[gap - 1] > 0.02);
  check_success(maskrt_command("run", {demo_picture(0), "--json", some, "--score", std::to_string(threshold), "--masks",
                                       folder / "some", "--overlay", folder / "drawn", "--quiet"}));
  const auto filtered = coco::read_results(some);
  std::size_t next = 0;
  for (const auto& result : results) {
    if (result.score < threshold) continue;
    REQUIRE(next < filtered.size());
    CHECK(filtered[next].category_id == result.category_id);
    CHECK(filtered[next].score == Approx(result.score).margin(0.01));
    ++next;
  }
  CHECK(next == filtered.size());
  CHECK(next == scores.size() - gap);

  REQUIRE(files_in(folder / "masks").size() == results.size());
  for (std::size_t i = 0; i < results.size(); ++i) {
    char name[64];
    std::snprintf(name, sizeof name, "masks/000_%03zu_%s.png", i, results[i].category.c_str());
    INFO(name);
    const Image mask = Image::from_file(folder / name);
    const auto bitmap = rle::to_bitmap(rle::from_string(mask.height(), mask.width(), results[i].segmentation->counts));
    bool equal = true;
    for (int y = 0; y < mask.height(); ++y)
      for (int x = 0; x < mask.width(); ++x)
        equal = equal && mask.row(y)[3 * x] == 255 * bitmap[static_cast<std::size_t>(y * mask.width() + x)];
    CHECK(equal);
  }
  CHECK(files_in(folder / "some").size() == filtered.size());

  CHECK(files_in(folder / "drawn") == std::set<std::string>{"000.jpg"});
  const Image original = Image::from_file(demo_picture(0)), drawn = Image::from_file(folder / "drawn/000.jpg");
  REQUIRE(drawn.width() == original.width());
  REQUIRE(drawn.height() == original.height());
  int changed = 0;
  for (int y = 0; y < drawn.height(); ++y)
    for (int x = 0; x < 3 * drawn.width(); ++x) changed += drawn.row(y)[x] != original.row(y)[x] ? 1 : 0;
  CHECK(changed > 1000);
}

TEST_CASE("run: the same image and plan give the same bits, and pictures of one name do not overwrite each other") {
  TemporaryFolder folder;
  fs::create_directories(folder / "a");
  fs::create_directories(folder / "b");
  fs::copy(demo_picture(0), folder / "a/x.jpg");
  fs::copy(demo_picture(0), folder / "b/x.jpg");
  check_success(maskrt_command(
      "run", {folder / "a", folder / "b/*.jpg", "--json", folder / "r.json", "--overlay", folder / "drawn"}));
  CHECK(files_in(folder / "drawn") == std::set<std::string>{"x.jpg", "x_2.jpg"});
  CHECK(read_text(folder / "drawn/x.jpg") == read_text(folder / "drawn/x_2.jpg"));
  const auto results = coco::read_results(folder / "r.json");
  const std::size_t half = results.size() / 2;
  REQUIRE(results.size() == 2 * half);
  REQUIRE(half > 0);
  for (std::size_t i = 0; i < half; ++i) {
    INFO("result " << i);
    const auto &first = results[i], &second = results[half + i];
    CHECK(first.file_name == folder / "a/x.jpg");
    CHECK(second.file_name == folder / "b/x.jpg");
    CHECK(first.score == second.score);
    CHECK(first.category_id == second.category_id);
    CHECK(first.segmentation->counts == second.segmentation->counts);
  }
}

TEST_CASE("run: images of one size have the same instances alone and in a batch") {
  TemporaryFolder folder;
  const std::vector<std::string> inputs = {demo + "/images/000.jpg", demo + "/images/006.jpg", demo + "/images/012.jpg",
                                           demo + "/images/018.jpg"};
  for (const std::string batch : {"1", "4"}) {
    std::vector<std::string> arguments = inputs;
    arguments.insert(arguments.end(), {"--batch", batch, "--json", folder / (batch + ".json")});
    check_success(maskrt_command("run", arguments));
  }
  const auto alone = coco::read_results(folder / "1.json"), batched = coco::read_results(folder / "4.json");
  REQUIRE(batched.size() == alone.size());
  for (std::size_t i = 0; i < alone.size(); ++i) {
    INFO("result " << i << " of " << alone[i].file_name);
    CHECK(batched[i].file_name == alone[i].file_name);
    CHECK(batched[i].category_id == alone[i].category_id);
    // Another algorithm may be chosen for a batch, so that a pixel at the mask's threshold may fall on either side.
    // That moves the mean over the mask's n pixels at stride 4 by at most 0.55 / n; one of those is about 14 of the
    // image's.
    const Rle& mask = *alone[i].segmentation;
    const double area = static_cast<double>(rle::area(rle::from_string(mask.height, mask.width, mask.counts)));
    if (area >= 200) CHECK(batched[i].score == Approx(alone[i].score).margin(1e-4 + 2 * 0.55 * 14 / area));
  }
}

TEST_CASE("run: a bad image is reported and skipped, and the status is 1") {
  TemporaryFolder folder;
  const std::string bad = write_text(folder / "bad.jpg", read_text(demo_picture(0)).substr(0, 300)),
                    out = folder / "r.json";
  for (const char* batch : {"1", "2", "3"}) {
    INFO("batch " << batch);
    const ProcessResult ran = maskrt_command("run", {demo_picture(0), bad, demo_picture(1), folder / "none.jpg",
                                                     "--batch", batch, "--json", out, "--overlay", folder / "drawn"});
    CHECK(ran.status == 1);
    CHECK(lines(ran.err) == 2);
    CHECK_THAT(ran.err, StartsWith("maskrt: ") && Contains("bad.jpg") && Contains("none.jpg"));
    CHECK_THAT(ran.out, Contains("2 images, 2 failed"));
    std::set<std::pair<std::string, coco::Id>> found;
    for (const auto& result : coco::read_results(out)) found.emplace(result.file_name, result.image_id);
    CHECK(found == std::set<std::pair<std::string, coco::Id>>{{"000.jpg", 1}, {"001.jpg", 3}});
    CHECK(files_in(folder / "drawn") == std::set<std::string>{"000.jpg", "001.jpg"});
    fs::remove(out);
  }

  const ProcessResult stopped =
      maskrt_command("run", {demo_picture(0), bad, demo_picture(1), "--fail-fast", "--json", out});
  CHECK(stopped.status == 1);
  CHECK(lines(stopped.err) == 2);
  CHECK_THAT(stopped.err, StartsWith("maskrt: stopped after 1 of 3 images; their results are in ") &&
                              Contains("bad.jpg: the JPEG file is truncated"));
  CHECK(files_in(folder.path()) == std::set<std::string>{"bad.jpg", "drawn", "r.json"});
  for (const auto& result : coco::read_results(out)) CHECK(result.file_name == "000.jpg");
  fs::remove(out);

  const ProcessResult nothing = maskrt_command("run", {bad, "--json", out});
  CHECK(nothing.status == 1);
  CHECK_FALSE(fs::exists(out));
}

TEST_CASE("run: pictures of one pixel and of a single row are pictures") {
  TemporaryFolder folder;
  const std::string dot = write_text(folder / "dot.ppm", "P6 1 1 255\n\x80\x40\x20");
  const std::string thread = write_text(folder / "thread.pgm", "P5 5000 1 255\n" + std::string(5000, 'x'));
  const std::string pole = write_text(folder / "pole.pgm", "P5 1 5000 255\n" + std::string(5000, 'x'));
  const ProcessResult ran = maskrt_command("run", {dot, thread, pole, "--score", "0", "--json", folder / "r.json",
                                                   "--overlay", folder / "drawn", "--masks", folder / "masks"});
  check_success(ran);
  CHECK(files_in(folder / "drawn").size() == 3);
  for (const auto& result : coco::read_results(folder / "r.json")) {
    const Rle& mask = *result.segmentation;
    CHECK_NOTHROW(rle::from_string(mask.height, mask.width, mask.counts));
  }
}
