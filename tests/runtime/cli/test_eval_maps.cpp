// `maskrt eval --task semantic` and `--task panoptic`.
#include <catch2/catch.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "maskrt/maskrt.hpp"
#include "runtime/cli/png.h"
#include "support/files.h"
#include "support/process.h"

using namespace maskrt;
using Catch::Contains;
using namespace maskrt::testing;
using nlohmann::json;

namespace {

using Words = std::vector<std::string>;

Words operator+(Words words, const Words& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

void check_success(const ProcessResult& result) {
  CHECK(result.err == "");
  REQUIRE(result.status == 0);
}

std::set<std::string> files_in(const std::filesystem::path& folder) {
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) names.insert(entry.path().filename().string());
  return names;
}

const std::string data = MASKRT_TEST_DATA "/label_maps/";
const Words panoptic = {
    "--task", "panoptic", "--annotations", data + "mixed_truths.json", "--results-only", data + "mixed_results.json"};
const Words semantic = {"--task",         "semantic",
                        "--annotations",  data + "cityscapes/truths",
                        "--results-only", data + "cityscapes/results",
                        "--classes",      "cityscapes"};

ProcessResult eval(const Words& arguments) { return run_process(Words{MASKRT_COMMAND, "eval"} + arguments); }

json expected(const char* task, const char* name) {
  return json::parse(read_text(data + "expected.json")).at(task).at(name);
}

}  // namespace

TEST_CASE("eval scores panoptic results") {
  const TemporaryFolder folder;
  const ProcessResult plain = eval(panoptic);
  check_success(plain);
  CHECK_THAT(plain.out, Contains("12 images") && Contains("all                       0.357  0.718  0.497       5\n") &&
                            Contains("things                    0.310  0.690  0.449       2\n") && !Contains("person"));
  const ProcessResult written = eval(panoptic + Words{"--json", folder / "s.json", "--per-class", "--threads", "3"});
  check_success(written);
  CHECK_THAT(written.out, Contains("person") && Contains("ship                          -      -      -"));
  const json scores = json::parse(read_text(folder / "s.json")), want = expected("panoptic", "mixed");
  CHECK(scores.at("task") == "panoptic");
  CHECK(std::abs(scores.at("PQ").get<double>() - want.at("all").at("pq").get<double>()) < 1e-9);
  CHECK(std::abs(scores.at("SQ_things").get<double>() - want.at("things").at("sq").get<double>()) < 1e-9);
  CHECK(std::abs(scores.at("RQ_stuff").get<double>() - want.at("stuff").at("rq").get<double>()) < 1e-9);
  CHECK(scores.at("classes") == json({{"all", 5}, {"things", 2}, {"stuff", 3}}));
  REQUIRE(scores.at("per_class").size() == 6);
  CHECK(scores.at("per_class")[2].at("PQ").is_null());
  CHECK(scores.at("per_class")[2].at("name") == "ship");

  std::filesystem::copy_file(data + "mixed_results.json", folder / "other.json");
  const ProcessResult elsewhere =
      eval({"--task", "panoptic", "--annotations", data + "mixed_truths.json", "--annotation-maps",
            data + "mixed_truths", "--results-only", folder / "other.json", "--result-maps", data + "mixed_results"});
  CHECK(elsewhere.out == plain.out);
}

TEST_CASE("eval scores semantic results") {
  const TemporaryFolder folder;
  const ProcessResult plain = eval(semantic + Words{"--json", folder / "s.json", "--per-class"});
  check_success(plain);
  CHECK_THAT(plain.out, Contains("mean IoU") && Contains("traffic light"));
  const json scores = json::parse(read_text(folder / "s.json")), want = expected("semantic", "cityscapes");
  for (const char* const key : {"mIoU", "fwIoU", "mACC", "pACC"})
    CHECK(std::abs(scores.at(key).get<double>() - want.at(key).get<double>()) < 1e-9);
  CHECK(scores.at("per_class").size() == 19);
  CHECK(scores.at("images") == 3);

  const std::string folder_of = data + "train_ids/";
  const ProcessResult ids =
      eval({"--task", "semantic", "--annotations", folder_of + "truths", "--results-only", folder_of + "results",
            "--classes", "cityscapes", "--result-labels", "ids", "--json", "-"});
  REQUIRE(ids.status == 0);
  CHECK(std::abs(json::parse(ids.out).at("mIoU").get<double>() -
                 expected("semantic", "train_ids").at("mIoU").get<double>()) < 1e-9);
  CHECK_THAT(ids.err, Contains("mean IoU"));

  write_text(folder / "names", "a\nb\nc\n");
  const ProcessResult few = eval({"--task", "semantic", "--annotations", data + "plain/truths", "--results-only",
                                  data + "plain/results", "--classes", folder / "names"});
  CHECK(few.status == 1);
  CHECK_THAT(few.err, Contains("expected labels of the classes in the "));
}

TEST_CASE("eval draws semantic and panoptic results") {
  const TemporaryFolder folder;
  std::filesystem::create_directories(folder / "pictures/aachen");
  const std::vector<std::uint8_t> grey(std::size_t{56} * 40 * 3, 128);
  const json results = json::parse(read_text(data + "mixed_results.json"));
  for (const json& image : results.at("annotations"))
    cli::write_png(folder / "pictures" / image.at("file_name").get<std::string>(), grey, 56, 40, 3);
  check_success(eval(panoptic + Words{"--images", folder / "pictures", "--overlay", folder / "out", "--quiet"}));
  CHECK(files_in(folder / "out").size() == 12);
  const Image drawn = Image::from_file((folder / "out" / *files_in(folder / "out").begin()).string());
  CHECK(drawn.width() == 56);
  CHECK(drawn.height() == 40);

  for (int i = 0; i < 3; ++i)
    cli::write_png(folder / ("pictures/aachen/aachen_00000" + std::to_string(i) + "_000019_leftImg8bit.png"), grey, 56,
                   40, 3);
  check_success(eval(semantic + Words{"--images", folder / "pictures", "--overlay", folder / "city"}));
  CHECK(files_in(folder / "city").contains("aachen_000002_000019.jpg"));

  std::filesystem::remove(folder / "pictures/aachen/aachen_000001_000019_leftImg8bit.png");
  const ProcessResult missing = eval(semantic + Words{"--images", folder / "pictures", "--overlay", folder / "city"});
  CHECK(missing.status == 1);
  CHECK_THAT(missing.err, Contains("1 is missing, the first is of aachen_000001_000019"));
}

TEST_CASE("eval refuses to write what it reads, of maps too") {
  const ProcessResult over = eval(panoptic + Words{"--json", data + "mixed_results.json"});
  CHECK(over.status == 1);
  CHECK_THAT(over.err, Contains("expected an output file that is none of the inputs"));
}

TEST_CASE("options that do not go with the task are wrong usage") {
  const auto usage = [](const Words& arguments, const std::string& sentence) {
    const ProcessResult result = eval(arguments);
    CHECK(result.status == 2);
    CHECK_THAT(result.err, Contains(sentence));
  };
  usage({"--task", "panoptic", "--annotations", "a.json"}, "--task panoptic needs a MODEL to run, or --results-only");
  usage({"--task", "semantic", "--annotations", "a", "--results-only", "r"}, "--task semantic needs --classes");
  usage({"--annotations", "a.json", "--results-only", "r.json", "--classes", "ade20k"}, "go with --task semantic");
  usage(panoptic + Words{"--ignore-label", "0"}, "are of --task semantic");
  usage(semantic + Words{"--result-maps", "m"}, "are of --task panoptic");
  usage(panoptic + Words{"--errors"}, "go without --results, --jsonl, --resume, --boxes, --activations, --errors");
  usage(panoptic + Words{"--limit", "3"}, "--results-only runs no model");
  usage(panoptic + Words{"--overlay", "o"}, "one needs the other");
  usage(panoptic + Words{"--quiet"}, "--quiet prints errors alone");
  usage(panoptic + Words{"--task", "things"}, "--task");
}
