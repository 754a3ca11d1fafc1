// `maskrt eval` at several sizes: a table, JSON, and a figure of average precision against time.
#include <algorithm>
#include <catch2/catch.hpp>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <span>

#include "four_pictures.h"
#include "runtime/cli/size_sweep.h"
#include "support/demo_command.h"
#include "support/running_process.h"
#include "support/xml.h"

using namespace maskrt;
using namespace maskrt::testing;
using Catch::Contains;
using Catch::StartsWith;
using nlohmann::json;
namespace fs = std::filesystem;

namespace {

const Words kData = {"--images", demo + "/images", "--annotations", demo + "/annotations.json", "--limit", "6"};

json read_json(const fs::path& path) { return json::parse(read_text(path)); }

std::vector<std::string> figure_texts(const fs::path& path) {
  return texts_of(XmlReader(read_text(path)).elements(), "text");
}

std::size_t markers(const fs::path& path) { return texts_of(XmlReader(read_text(path)).elements(), "circle").size(); }

bool holds(const std::vector<std::string>& texts, const std::string& text) {
  return std::find(texts.begin(), texts.end(), text) != texts.end();
}

}  // namespace

TEST_CASE("eval --min-size: of several sizes a row each, with the figures of each by itself") {
  const TemporaryFolder folder;
  const ProcessResult ran =
      ruled_command("eval", kData + Words{"--threads", "1", "--min-size", "192", "96", "256", "--json",
                                          folder / "s.json", "--plot", folder / "s.svg"});
  check_success(ran);
  CHECK_THAT(ran.out, Contains(" on cpu, fp32, 1 thread, batch 1, longest edge at most 342\n"));
  for (const char* title : {"shortest", "input", "AP50", "network", "post-proc", "whole ms", "frames/s"})
    CHECK_THAT(ran.out, Contains(title));

  const json figures = read_json(folder / "s.json");
  CHECK(figures.at("device") == "cpu");
  CHECK(figures.at("threads") == 1);
  CHECK(figures.at("iou_type") == "segm");
  REQUIRE(figures.at("sizes").size() == 3);
  const std::vector<int> sizes = {192, 96, 256};
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    INFO(sizes[i]);
    const json& size = figures.at("sizes")[i];
    CHECK(size.at("min_size") == sizes[i]);
    CHECK(size.at("max_size") == 342);
    CHECK(size.at("images") == 6);
    const double network = size.at("network_ms"), postprocess = size.at("postprocess_ms"), whole = size.at("whole_ms");
    CHECK(network > 0);
    CHECK(postprocess > 0);
    CHECK(whole == Approx(network + postprocess + size.at("preprocess_ms").get<double>()));
    CHECK(size.at("frames_per_second").get<double>() == Approx(1000 / (network + postprocess)));

    check_success(ruled_command("eval", kData + Words{"--threads", "1", "--min-size", std::to_string(sizes[i]),
                                                      "--json", folder / "one.json"}));
    const json one = read_json(folder / "one.json");
    CHECK(one.size() == 12);
    for (const auto& [name, value] : one.items()) CHECK(size.at(name) == value);
    char row[64];
    std::snprintf(row, sizeof row, "\n%8d  ", sizes[i]);
    CHECK_THAT(ran.out, Contains(row));
    std::snprintf(row, sizeof row, "%9s       6  %6.3f  %6.3f", size.at("input").get<std::string>().c_str(),
                  one.at("AP").get<double>(), one.at("AP50").get<double>());
    CHECK_THAT(ran.out, Contains(row));
  }
  CHECK(figures.at("sizes")[1].at("AP") < figures.at("sizes")[2].at("AP"));

  const auto texts = figure_texts(folder / "s.svg");
  for (const char* text :
       {"96", "192", "256", "network and post-processing, milliseconds an image", "mask AP (IoU 0.50:0.95)"}) {
    INFO(text);
    CHECK(holds(texts, text));
  }
  CHECK_THAT(texts.front(), Contains(figures.at("model").get<std::string>() + ": mask AP against time"));
  CHECK(markers(folder / "s.svg") == 3);
}

TEST_CASE("eval --min-size: one size is an evaluation like any other, with a figure where that is asked for") {
  const TemporaryFolder folder;
  const auto eval = [&](const std::string& name, const Words& more) {
    const ProcessResult ran = ruled_command("eval", kData + more +
                                                        Words{"--threads", "1", "--json", folder / (name + ".json"),
                                                              "--results", folder / (name + ".results")});
    check_success(ran);
    CHECK(std::count(ran.out.begin(), ran.out.end(), '\n') == 13);
    CHECK_THAT(ran.out, StartsWith("6 images, "));
    return ran.out.substr(ran.out.find('\n'));  // without the times
  };
  const std::string plain = eval("plain", {});
  CHECK(eval("same", {"--min-size", "256", "--max-size", "342"}) == plain);
  CHECK(eval("drawn", {"--plot", folder / "one.svg"}) == plain);
  CHECK(eval("small", {"--min-size", "64"}) != plain);
  for (const char* name : {"same", "drawn"}) {
    INFO(name);
    CHECK(read_text(folder / (std::string(name) + ".json")) == read_text(folder / "plain.json"));
    CHECK(read_text(folder / (std::string(name) + ".results")) == read_text(folder / "plain.results"));
  }
  CHECK(holds(figure_texts(folder / "one.svg"), "256"));
  CHECK(markers(folder / "one.svg") == 1);

  // Lines tell the size.
  const Words lines = {"--jsonl", folder / "r.jsonl", "--threads", "1"};
  check_success(ruled_command("eval", kData + lines + Words{"--min-size", "64"}));
  const ProcessResult refused = ruled_command("eval", kData + lines + Words{"--resume"});
  CHECK(refused.status == 1);
  CHECK_THAT(refused.err, Contains("expected lines of this run") && Contains("resize: shortest edge 64"));
}

TEST_CASE("eval --min-size: pictures that cannot be used, sizes at which none can, and outputs to a pipe") {
  const TemporaryFolder folder;
  fs::copy(demo + "/images", folder / "images");
  write_text(folder / "images/001.jpg", "no picture");
  const Words data = {"--images", folder / "images", "--annotations", demo + "/annotations.json", "--limit", "3"};
  const ProcessResult ran = ruled_command(
      "eval", data + Words{"--min-size", "64,96", "--json", "-", "--plot", folder / "s.svg", "--iou-type", "bbox"});
  CHECK(ran.status == 1);
  CHECK_THAT(ran.err, Contains("001.jpg") && Contains("scored 2 of 3 images") && Contains("shortest"));
  const json figures = json::parse(ran.out);
  REQUIRE(figures.at("sizes").size() == 2);
  for (const json& size : figures.at("sizes")) CHECK(size.at("images") == 2);
  CHECK(figures.at("iou_type") == "bbox");
  CHECK(holds(figure_texts(folder / "s.svg"), "box AP (IoU 0.50:0.95)"));

  const ProcessResult large = ruled_command(
      "eval", kData + Words{"--min-size", "65536", "64", "--max-size", "65536", "--json", folder / "l.json"});
  CHECK(large.status == 1);
  CHECK_THAT(large.err, Contains("at most 1073741824 pixels") && Contains("scored 0 of 6 images") &&
                            Contains("with a shortest edge of 65536, found none"));
  REQUIRE(read_json(folder / "l.json").at("sizes").size() == 1);
  CHECK(read_json(folder / "l.json").at("sizes")[0].at("min_size") == 64);

  const ProcessResult none = ruled_command(
      "eval", kData + Words{"--min-size", "65536", "65535", "--max-size", "65536", "--json", folder / "none.json"});
  CHECK(none.status == 1);
  CHECK_FALSE(fs::exists(folder / "none.json"));
}

TEST_CASE("eval --min-size: a signal keeps the sizes so far") {
  const TemporaryFolder folder;
  RunningProcess run(
      command_line("eval", {"--images", demo + "/images", "--annotations", demo + "/annotations.json", "--min-size",
                            "32", "1600", "--max-size", "0", "--json", folder / "s.json", "--plot", folder / "s.svg"}));
  std::string line;
  for (int i = 0; i < 20 && !line.starts_with("      32"); ++i) line = run.read_line();
  CHECK_THAT(line, StartsWith("      32"));
  run.signal(SIGINT);
  CHECK(run.wait() == 128 + SIGINT);
  CHECK_THAT(run.err, Contains("stopped after 1 of 2 sizes; their figures are in " + (folder / "s.json").string() +
                               " and " + (folder / "s.svg").string()));
  CHECK(read_json(folder / "s.json").at("sizes").size() == 1);
  CHECK(markers(folder / "s.svg") == 1);
}

TEST_CASE("Figures without an average precision or a time are told as such") {
  cli::SweepSubject subject;
  subject.model.name = "a <model>";
  subject.model.device = "cuda:0";
  subject.model.precision = "fp16";
  subject.batch = 1;
  cli::SizeFigures untimed, unscored, whole;
  unscored.input.min_size = 448;
  unscored.images = untimed.images = whole.images = 5;
  unscored.metrics.assign(12, -1);
  unscored.times = {0.001, 0.01, 0.002};
  untimed.input.min_size = 512;
  untimed.times = cli::CallTimes().of_an_image();
  whole.input.min_size = 0;
  untimed.metrics.assign(12, 0);
  whole.metrics.assign(12, 0.4);
  whole.times = {0.001, 0.02, 0.005};
  const std::vector<cli::SizeFigures> sizes = {unscored, untimed, whole};
  const json figures = json::parse(cli::sizes_json(subject, sizes));
  CHECK(figures.at("sizes")[0].at("AP") == -1);
  CHECK(figures.at("sizes")[1].at("network_ms").is_null());
  CHECK(figures.at("sizes")[2].at("frames_per_second").get<double>() == Approx(40));
  CHECK(figures.at("sizes")[2].at("whole_ms").get<double>() == Approx(26));

  const auto texts = texts_of(XmlReader(cli::svg_of(cli::sizes_plot(subject, sizes))).elements(), "text");
  CHECK(holds(texts, "a <model>: mask AP against time"));
  CHECK(holds(texts, "GPU time, milliseconds an image"));
  CHECK(holds(texts, "no resize"));
  CHECK(holds(texts, "not shown, for want of a number: 448, 512"));
}
