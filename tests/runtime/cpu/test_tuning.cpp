// What the CPU device measures, keeps and forgets.
#include <algorithm>
#include <catch2/catch.hpp>

#include "graph/rewrites/rewrites.h"
#include "runtime/cpu/conv_chooser.h"
#include "runtime/cpu/conv_times.h"
#include "runtime/cpu/processor.h"
#include "support/device_run.h"
#include "support/files.h"
#include "support/small_network.h"
#include "support/winograd_orders.h"

namespace maskrt::testing {
namespace {

using Catch::Matchers::Contains;
using cpu::ConvTimes;
using kernels::ConvAlgorithm;
using kernels::ConvProblem;

ConvProblem problem_of(int batch, int height, int width, DataType type = DataType::f32) {
  ConvProblem problem;
  problem.geometry = {3, 3, 1, 1, 1, 1};
  problem.in = kernels::dense(nullptr, type, batch, height, width, 64, 16);
  problem.out = kernels::dense(nullptr, type, batch, height, width, 32, 16);
  return problem;
}

graph::Graph network_of(Dice& dice) {
  graph::Graph g = small_sparse_inst(dice);
  graph::rewrite(g);
  return g;
}

/// Layers wide enough for all algorithms.
graph::Graph wide_network(Dice& dice) {
  graph::Graph g;
  graph::ValueId value = g.add("input", graph::Input{256}, {});
  for (const char* name : {"a", "b"}) {
    graph::Conv op = dice.conv(name, 256, 256, 3);
    op.padding = 1;
    value = g.add(name, op, {value});
  }
  g.outputs.push_back(value);
  return g;
}

std::vector<std::string> algorithms_of(const Program& program) {
  std::vector<std::string> algorithms;
  for (const Step& step : program.steps) algorithms.push_back(step.operation + " " + step.algorithm);
  return algorithms;
}

bool without_bf16(const cpu::CpuDevice& device) { return device.description().find("bf16") == std::string::npos; }

TEST_CASE("times of convolutions as text and back, other devices' lines among them") {
  ConvTimes times("processor");
  times.set(problem_of(1, 20, 30), 2, {ConvAlgorithm::winograd, 0.25});
  times.set(problem_of(3, 20, 30), 2, {ConvAlgorithm::direct, 0.5});
  times.set(problem_of(1, 20, 30, DataType::bf16), 4, {ConvAlgorithm::free, 1.5e-7});
  times.set_rate(DataType::bf16, 2, 3e11);
  const std::string others =
      "cpu another | 2 threads fp32 | rate: direct / 5\n"
      "9.0x132 fp16 1x8x8x64 -> 64 3x3: kernel / 1\n";
  const std::string text = times.text();
  ConvTimes read = ConvTimes::parse("# a comment\r\n\n" + others + text, "t", "processor");
  CHECK(read.text() == text + others.substr(others.find('9')) + others.substr(0, others.find('9')));
  CHECK(read.size() == 3);
  const auto known = read.find(problem_of(1, 20, 30), 2);
  REQUIRE(known);
  CHECK(known->algorithm == ConvAlgorithm::winograd);
  CHECK(known->seconds == 0.25);
  CHECK(read.find(problem_of(1, 20, 30, DataType::bf16), 4)->algorithm == ConvAlgorithm::free);
  CHECK_FALSE(read.find(problem_of(1, 20, 30), 4));
  CHECK_FALSE(read.find(problem_of(1, 30, 20), 2));
  CHECK(read.rate(DataType::bf16, 2) == 3e11);
  CHECK_FALSE(read.rate(DataType::f32, 2));
  CHECK(ConvTimes::parse(text, "t", "another").size() == 0);
}

TEST_CASE("the nearest size of a layer decides, in proportion to its area") {
  ConvTimes times("processor");
  times.set(problem_of(1, 10, 10), 1, {ConvAlgorithm::direct, 1});
  times.set(problem_of(1, 40, 40), 1, {ConvAlgorithm::winograd, 8});
  const auto small = times.nearest(problem_of(1, 10, 15), 1), large = times.nearest(problem_of(2, 40, 40), 1);
  REQUIRE(small);
  CHECK(small->algorithm == ConvAlgorithm::direct);
  CHECK(small->seconds == Approx(1.5));
  REQUIRE(large);
  CHECK(large->algorithm == ConvAlgorithm::winograd);
  CHECK(large->seconds == Approx(16));
  CHECK(times.nearest(problem_of(1, 20, 20), 1)->algorithm == ConvAlgorithm::direct);  // as far from both
  CHECK_FALSE(times.nearest(problem_of(1, 10, 15), 2));
  ConvProblem other = problem_of(1, 10, 15);
  other.geometry.stride = 2;
  CHECK_FALSE(times.nearest(other, 1));
}

TEST_CASE("a size that has taken another's algorithms keeps them when a nearer one is measured") {
  cpu::ConvChooser chooser(false);
  ConvTimes times(cpu::processor_description());
  constexpr double kSeconds = 1000;  // which no measurement of these takes
  times.set(problem_of(1, 10, 10), 1, {ConvAlgorithm::free, kSeconds});
  chooser.use(times);
  chooser.set_measuring(cpu::ConvChooser::Measuring::unknown);
  const ConvProblem alike = problem_of(1, 19, 20), unlike = problem_of(1, 21, 20);
  CHECK(chooser.choose(alike, 1).seconds > kSeconds);  // in proportion to the size
  CHECK(chooser.choose(unlike, 1).seconds < kSeconds);
  CHECK(chooser.choose(alike, 1).seconds > kSeconds);  // in proportion to the size
  CHECK(chooser.choose(problem_of(1, 20, 20), 1).seconds < kSeconds);
}

TEST_CASE("a line of times that is none is refused by its number") {
  for (const char* line :
       {"cpu p | layer | 1x2x3 winograd / 1", "cpu p | layer | 1x2x3: winograd", "cpu p | layer | 1x2x3: quick / 1",
        "cpu p | layer | 1x2x3: winograd / 0", "cpu p | layer | 1x2x3: winograd / -1",
        "cpu p | layer | 1x2x3: direct / nan", "cpu p | layer | 1x2x3: direct / 1e999",
        "cpu p | layer | 1x2x3: direct / 1 s", "cpu p | layer | 1x2: direct / 1", "cpu p | layer | 0x2x3: direct / 1",
        "cpu p | 1x2x3: direct / 1", "cpu q | layer | 1x2x3: quick / 1", "of no form", ": /"}) {
    INFO(line);
    CHECK_THROWS_WITH(ConvTimes::parse("# one\n" + std::string(line) + "\n", "tuned.txt", "p"),
                      Contains("tuning file tuned.txt, line 2: expected \"problem: ") && Contains(line));
  }
}

TEST_CASE("without measuring, two networks run the same algorithms and give the same bits") {
  cpu::CpuDevice device;
  std::vector<DeviceRun> runs;
  for (int i = 0; i < 2; ++i) {
    Dice dice(19);
    const auto network = device.prepare(network_of(dice), Precision::fp32);
    network->measure_nothing();
    if (i == 1) network->compile(1, 32, 64, 2);  // what came before does not matter
    CHECK(network->compile(1, 64, 96, 2).tuning_seconds == 0);
    runs.push_back(run_on_cpu(*network, dice.map({1, 64, 96, 3, false}), 2));
  }
  CHECK(runs[0].algorithms == runs[1].algorithms);
  for (const auto& [name, map] : runs[0].outputs) CHECK(map.data == runs[1].outputs.at(name).data);
}

TEST_CASE("a network with a tuning file measures nothing and chooses what was measured, at further sizes too") {
  const Tuning measuring("1");
  const TemporaryFolder folder;
  const std::string file = folder / "tuned.txt";
  cpu::CpuDevice device;
  for (const Precision precision : {Precision::fp32, Precision::bf16}) {
    if (precision == Precision::bf16 && without_bf16(device)) continue;
    Dice dice(23);
    const graph::Graph g = wide_network(dice);
    const auto stream = device.open_stream({1});
    const auto tuned = device.prepare(g, precision);
    std::vector<std::size_t> heard;
    std::string text =
        tuned->tune(1, 16, 24, *stream, [&](std::size_t done, std::size_t all) { heard.push_back(10 * done + all); });
    CHECK(heard == std::vector<std::size_t>{12, 22});

    // Whatever was the fastest, the file says another now, where there is one.
    const std::string from = ": winograd /", to = ": direct /";
    for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from))
      text.replace(at, from.size(), to);
    write_text(file, text);
    const auto network = device.prepare(g, precision);
    CHECK(network->use_tuning(file) == "");
    for (const auto& [height, width] : {std::pair{16, 24}, std::pair{18, 26}, std::pair{40, 8}}) {
      const Program program = network->compile(1, height, width, 1);
      CHECK(program.tuning_seconds == 0);
      for (const std::string& algorithm : algorithms_of(program)) CHECK_THAT(algorithm, !Contains("winograd"));
    }
    CHECK(network->compile(1, 16, 24, 2).tuning_seconds == 0);  // another number of threads: a rule
  }
}

TEST_CASE("a tuning file of another processor is ignored, kept, and said to be ignored") {
  const Tuning measuring("1");
  const TemporaryFolder folder;
  const std::string file = folder / "tuned.txt", line = "cpu another | 1 threads layer | 1x16x24: direct / 0.5\n";
  write_text(file, line);
  cpu::CpuDevice device;
  Dice dice(29);
  const auto network = device.prepare(wide_network(dice), Precision::fp32);
  CHECK(network->use_tuning(file) == file + " has no choices for " + cpu::processor_description());
  CHECK(network->compile(1, 16, 24, 1).tuning_seconds >= 0);
  const auto stream = device.open_stream({1});
  CHECK_THAT(network->tune(1, 16, 24, *stream, {}), Contains(line) && Contains(cpu::processor_description()));
  CHECK_THROWS_WITH(network->use_tuning(folder / "none.txt"), Contains("none.txt: expected a file that can be read"));
}

TEST_CASE("wide layers share their weights at all sizes, and what programs no longer need is given back") {
  cpu::CpuDevice device;
  Dice dice(31);
  const auto network = device.prepare(wide_network(dice), Precision::fp32);
  network->measure_nothing();
  std::vector<Program> programs;
  programs.push_back(network->compile(1, 40, 54, 2));
  const std::size_t once = network->memory().prepared_weights;
  CHECK(once >= 2 * 256 * 256 * 9 * sizeof(float));
  // One copy more for each further order that oneDNN wants, which is none on most processors; biases have no order.
  const std::size_t weights = once - 2 * 256 * sizeof(float);
  std::vector<MapSize> sizes{{1, 40, 54}};
  const auto expected = [&] {
    return once + (std::max<std::size_t>(winograd_orders(256, sizes, 2).size(), 1) - 1) * weights;
  };
  for (const MapSize& size : {MapSize{1, 54, 40}, MapSize{1, 80, 108}, MapSize{2, 40, 54}, MapSize{1, 26, 54}}) {
    sizes.push_back(size);
    programs.push_back(network->compile(size.batch, size.height, size.width, 2));
    CHECK(network->memory().prepared_weights == expected());
  }
  // A map of few tiles takes another algorithm, in another layout. It stays while its program does, or is the last.
  programs.push_back(network->compile(1, 2, 2, 2));
  const std::size_t both = network->memory().prepared_weights;
  network->compile(1, 40, 54, 2);
  CHECK(network->memory().prepared_weights == both);
  programs.pop_back();
  CHECK(network->memory().prepared_weights == expected());
  programs.clear();
  CHECK(network->memory().prepared_weights == once);
}

}  // namespace
}  // namespace maskrt::testing
