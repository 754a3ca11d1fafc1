// The maskrt command on the demo's model: what it writes, and what it leaves when something is wrong.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "graph/safetensors.h"
#include "maskrt/maskrt.hpp"
#include "runtime/coco/results.h"
#include "runtime/mask/rle.h"
#include "support/demo_command.h"

using namespace maskrt;
using Catch::Contains;
using Catch::Matches;
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
  const ProcessResult ran =
      maskrt_command("run", {demo_picture(3), demo_picture(0), demo_picture(1), "--json", folder / "made/here/r.json", "--boxes"});
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

TEST_CASE("--quiet prints errors alone") {
  const TemporaryFolder folder;
  const std::string out = folder / "out.json", broken = folder / "broken.jpg";
  const auto without_device = [](std::vector<std::string> words) {  // so that "auto" has something to tell
    words.insert(words.begin() + 1, demo_model());
    words.insert(words.begin(), {MASKRT_COMMAND});
    return run_process(words);
  };
  const ProcessResult ran = without_device({"run", demo_picture(0), "--json", out, "--quiet"});
  CHECK(ran.status == 0);
  CHECK(ran.out + ran.err == "");
  const ProcessResult scored = without_device({"eval", "--images", demo + "/images", "--annotations", demo + "/annotations.json",
                                               "--limit", "1", "--json", out, "--quiet"});
  CHECK(scored.status == 0);
  CHECK(scored.out + scored.err == "");
  write_text(broken, "no picture");
  const ProcessResult failed = without_device({"run", demo_picture(0), broken, "--quiet"});
  CHECK(failed.status == 1);
  CHECK(failed.out.empty());
  CHECK_THAT(failed.err, StartsWith("maskrt: " + broken + ": ") && Matches("[^\n]*\n"));
}

TEST_CASE("run: --score filters what is written, masks and pictures have their names") {
  TemporaryFolder folder;
  const std::string all = folder / "all.json", some = folder / "some.json";
  check_success(maskrt_command("run", {demo_picture(0), "--score", "0", "--json", all, "--masks", folder / "masks", "--quiet"}));
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
  const std::string bad = write_text(folder / "bad.jpg", read_text(demo_picture(0)).substr(0, 300)), out = folder / "r.json";
  for (const char* batch : {"1", "2", "3"}) {
    INFO("batch " << batch);
    const ProcessResult ran = maskrt_command("run", {demo_picture(0), bad, demo_picture(1), folder / "none.jpg", "--batch", batch,
                                                     "--json", out, "--overlay", folder / "drawn"});
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

  const ProcessResult stopped = maskrt_command("run", {demo_picture(0), bad, demo_picture(1), "--fail-fast", "--json", out});
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

TEST_CASE("Outputs that cannot be written are errors, and nothing is left behind") {
  TemporaryFolder folder;
  const std::string file = write_text(folder / "file", "kept");
  const std::vector<std::pair<std::string, std::vector<std::string>>> cases = {
      {"run", {demo_picture(0), "--json", file + "/r.json"}},
      {"run", {demo_picture(0), "--overlay", file}},
      {"run", {demo_picture(0), "--masks", file + "/below"}},
      {"dump", {demo_picture(0), "-o", file + "/t.safetensors"}},
      {"dump", {demo_picture(0), "-o", folder.path()}},
      {"bench", {"--size", "64x64", "--runs", "1", "--json", file + "/b.json"}},
      {"eval",
       {"--images", demo + "/images", "--annotations", demo + "/annotations.json", "--limit", "1", "--results",
        file + "/r.json"}}};
  for (const auto& [command, arguments] : cases) {
    const ProcessResult refused = maskrt_command(command, arguments);
    INFO(command << " " << arguments.back() << ": " << refused.err);
    CHECK(refused.status == 1);
    CHECK(lines(refused.err) == 1);
    CHECK_THAT(refused.err, StartsWith("maskrt: ") && Contains(folder.path().string()));
    CHECK(files_in(folder.path()) == std::set<std::string>{"file"});
    CHECK(read_text(file) == "kept");
  }
}

TEST_CASE("eval: runs a model, writes its results, and scores those the same") {
  TemporaryFolder folder;
  const std::vector<std::string> annotations = {"--annotations", demo + "/annotations.json"};
  const ProcessResult ran =
      maskrt_command("eval", {"--images", demo + "/images", annotations[0], annotations[1], "--limit", "6", "--results",
                              folder / "r.json", "--json", folder / "ap.json"});
  check_success(ran);
  CHECK_THAT(ran.out, StartsWith("6 images, ") && Contains("images a second"));
  CHECK(lines(ran.out) == 13);

  const ProcessResult again = run_process({MASKRT_COMMAND, "eval", "--results-only", folder / "r.json", annotations[0],
                                           annotations[1], "--limit", "6", "--json", folder / "again.json"});
  check_success(again);
  CHECK(read_text(folder / "ap.json") == read_text(folder / "again.json"));
  const json metrics = json::parse(read_text(folder / "ap.json"));
  CHECK(metrics.size() == 12);
  CHECK(metrics.at("AP").get<double>() > 0.4);
  std::set<coco::Id> images;
  for (const auto& result : coco::read_results(folder / "r.json")) images.insert(result.image_id);
  CHECK(images == std::set<coco::Id>{1000, 1007, 1014, 1021, 1028, 1035});

  const std::string other = write_text(
      folder / "other.json",
      R"({"images": [{"id": 1, "file_name": "000.jpg"}], "categories": [{"id": 77, "name": "x"}], "annotations": []})");
  const ProcessResult refused = maskrt_command("eval", {"--images", demo + "/images", "--annotations", other});
  CHECK(refused.status == 1);
  CHECK_THAT(refused.err, Contains("--labels"));
}

TEST_CASE("dump: tensors of a batch under the network's names") {
  TemporaryFolder folder;
  check_success(maskrt_command("dump", {demo_picture(0), demo_picture(1), "-o", folder / "new/some.safetensors"}));
  const auto some = graph::Safetensors::read(folder / "new/some.safetensors");
  std::set<std::string> names;
  for (const auto& [name, tensor] : some.tensors) {
    names.insert(name);
    CHECK(tensor.type == DataType::f32);
    CHECK(tensor.shape.front() == 2);
  }
  CHECK(names == std::set<std::string>{"class_logits", "input", "mask_logits", "objectness_logits"});
  CHECK(some.tensors.at("input").shape[1] == 3);
  CHECK(some.tensors.at("class_logits").shape == Shape{2, 40, 5});
  CHECK(some.tensors.at("objectness_logits").shape == Shape{2, 40, 1});

  check_success(
      maskrt_command("dump", {demo_picture(0), demo_picture(1), "-o", folder / "all.safetensors", "--all", "--no-rewrites"}));
  const auto all = graph::Safetensors::read(folder / "all.safetensors");
  for (const char* name : {"input", "encoder", "iam_logits", "class_logits", "mask_logits"})
    CHECK(all.tensors.count(name) == 1);

  const ProcessResult refused =
      maskrt_command("dump", {demo_picture(0), folder / "none.png", "-o", folder / "none.safetensors"});
  CHECK(refused.status == 1);
  CHECK_FALSE(fs::exists(folder / "none.safetensors"));
}

TEST_CASE("bench: every stage and every layer, with figures that fit together") {
  TemporaryFolder folder;
  const ProcessResult ran = maskrt_command(
      "bench", {"--size", "100x128", "--runs", "3", "--warmup", "1", "--threads", "1", "--layers", "--json", folder / "b.json"});
  check_success(ran);
  for (const char* stage : {"decode", "preprocess", "network", "postprocess", "whole call", "network alone", "GFLOP/s",
                            "maskrt 0.", ", commit ", "oneDNN", "operation", "bound ms", "network alone: again and again"})
    CHECK_THAT(ran.out, Contains(stage));

  const json figures = json::parse(read_text(folder / "b.json"));
  CHECK(figures.at("size") == "128x128");
  CHECK(figures.at("device") == "cpu");
  CHECK(figures.at("precision") == "fp32");
  CHECK(figures.at("threads") == 1);
  CHECK(figures.at("batch") == 1);
  CHECK(figures.at("warmup") == 1);
  CHECK_THAT(figures.at("processor").get<std::string>(), Contains("oneDNN"));
  CHECK(figures.at("version") == version());
  CHECK(figures.at("commit").get<std::string>().size() >= 7);
  CHECK(figures.at("date").get<std::string>().size() == 10);
  for (const char* stage : {"decode", "preprocess", "network", "postprocess", "whole_call", "network_alone"}) {
    INFO(stage);
    const json& spread = figures.at(stage);
    CHECK(spread.at("runs") == 3);
    CHECK(spread.at("p10_ms").get<double>() > 0);
    CHECK(spread.at("p10_ms").get<double>() <= spread.at("median_ms").get<double>());
    CHECK(spread.at("median_ms").get<double>() <= spread.at("p90_ms").get<double>());
    CHECK(spread.at("p90_ms").get<double>() <= spread.at("p99_ms").get<double>());
  }
  double share = 0;
  for (const json& layer : figures.at("layers")) {
    CHECK(layer.at("name").is_string());
    CHECK(layer.at("op").is_string());
    CHECK(layer.at("ms").get<double>() >= 0);
    CHECK(layer.at("gflops").get<double>() >= 0);
    share += layer.at("share").get<double>();
  }
  CHECK(figures.at("layers").size() > 40);
  CHECK(share == Approx(1));
  for (const char* rate : {"flops", "memory_bytes", "cache_bytes"}) CHECK(figures.at("peak").at(rate).get<double>() > 1e8);

  // What layers say adds up by operation and in all.
  for (const char* key : {"ms", "flops", "bytes", "bound_ms"}) {
    INFO(key);
    const auto sum = [&](const char* list) {
      double all = 0;
      for (const json& part : figures.at(list)) all += part.at(key).get<double>();
      return all;
    };
    CHECK(sum("layers") > 0);
    CHECK(sum("operations") == Approx(sum("layers")));
    CHECK(figures.at("all_layers").at(key).get<double>() == Approx(sum("layers")));
  }
  std::size_t layers = 0;
  for (const json& operation : figures.at("operations")) layers += operation.at("layers").get<std::size_t>();
  CHECK(layers == figures.at("layers").size());
}

TEST_CASE("tune: one file for several sizes and devices, which decides from then on") {
  const TemporaryFolder folder;
  const std::string file = folder / "tuned.txt", figures = folder / "figures.json";
  const std::string of_gpu = "9.0x132 fp16 1x8x8x64 -> 64 3x3 stride 1 padding 1 dilation 1 groups 1 residual 0 fp16: a / 1\n";
  write_text(file, of_gpu);
  const auto bench = [&] {
    return maskrt_command("bench", {"--size", "64x96", "--runs", "1", "--tuning", file, "--json", figures});
  };
  const ProcessResult ignoring = bench();
  CHECK(ignoring.status == 0);
  CHECK_THAT(ignoring.err, Contains("without the tuning file: " + file + " has no choices for "));

  for (const char* size : {"64x64", "64x96"})
    CHECK(maskrt_command("tune", {"--size", size, "--threads", "1", "--tuning", file, "-o", file}).status == 0);
  const std::string text = read_text(file);
  CHECK_THAT(text, Contains(of_gpu));
  CHECK_THAT(text, Contains("| 1 threads fp32") && Contains(" | 1x16x16: ") && Contains(" | 1x16x24: "));
  const ProcessResult tuned = bench();
  check_success(tuned);
  CHECK_THAT(tuned.err, !Contains("without the tuning file"));
  CHECK(nlohmann::json::parse(read_text(figures)).at("further_plan_ms").get<double>() > 0);

  write_text(file, text + "cpu of no form\n");
  const ProcessResult malformed = bench();
  CHECK(malformed.status == 1);
  CHECK_THAT(malformed.err, Contains(file + ", line ") && Contains("expected \"problem: algorithm / seconds\""));
  CHECK(maskrt_command("bench", {"--tuning", folder / "none.txt"}).status == 1);
}

TEST_CASE("dump --deterministic: two processes write the same bytes") {
  const TemporaryFolder folder;
  for (const char* name : {"first", "second"})
    check_success(maskrt_command("dump", {demo_picture(0), "--deterministic", "--threads", "2", "-o", folder / name}));
  CHECK(read_text(folder / "first") == read_text(folder / "second"));
}

TEST_CASE("info: the model, its graph, and the memory that running takes") {
  const ProcessResult ran = maskrt_command("info", {});
  check_success(ran);
  for (const char* part :
       {"SparseInst", "circle, square, triangle, star, ring", "xxh3:", "prepared weights", "arena", "scratch"})
    CHECK_THAT(ran.out, Contains(part));

  const ProcessResult fused = maskrt_command("info", {"--graph", "--size", "128x160"});
  const ProcessResult plain = maskrt_command("info", {"--graph", "--size", "128x160", "--no-rewrites"});
  check_success(fused);
  check_success(plain);
  CHECK_THAT(plain.out, Contains("batch_norm") && Contains("[1, 32, 40, "));
  CHECK_THAT(fused.out, !Contains("batch_norm"));
  CHECK(lines(fused.out) < lines(plain.out));

  const ProcessResult some =
      maskrt_command("info", {"--graph", "--size", "128x160", "--rewrites-off", "fold-batch-norm,fuse-iam"});
  check_success(some);
  CHECK_THAT(some.out, Contains("batch_norm") && !Contains("fuse-iam") && Contains("merge-siblings"));
  const ProcessResult unknown = maskrt_command("info", {"--graph", "--rewrites-off", "fuse-all"});
  CHECK(unknown.status == 2);
  CHECK_THAT(unknown.err, Contains("--rewrites-off") && Contains("fold-batch-norm") && Contains("found 'fuse-all'"));
}

TEST_CASE("The CPU device's OpenMP runtime spins briefly, unless the environment says otherwise") {
  // The runtime prints how it understood its environment.
  ::unsetenv("OMP_WAIT_POLICY");
  ::setenv("OMP_DISPLAY_ENV", "VERBOSE", 1);
  CHECK_THAT(maskrt_command("info", {}).err, Contains("GOMP_SPINCOUNT = '2000'"));
  ::setenv("OMP_WAIT_POLICY", "passive", 1);
  CHECK_THAT(maskrt_command("info", {}).err, Contains("GOMP_SPINCOUNT = '0'"));
  ::unsetenv("OMP_WAIT_POLICY");
  ::unsetenv("OMP_DISPLAY_ENV");
}
