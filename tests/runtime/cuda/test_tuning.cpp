// Tuning, from measurements to plans: made-up times stand for a GPU's, so that all of it runs on the virtual one.
#include <algorithm>
#include <catch2/catch.hpp>
#include <set>

#include "kernels/conv/cuda/conv_kernels.h"
#include "runtime/cuda/conv_tuner.h"
#include "runtime/cuda/network.h"
#include "runtime/model.h"
#include "support/files.h"
#include "support/fixture_checks.h"
#include "support/gpu.h"
#include "support/small_network.h"

namespace maskrt {
namespace {

using namespace testing;

ModelOptions on_gpu(const std::string& tuning = "") {
  ModelOptions options;
  options.device = "cuda";
  options.precision = Compute::fp16;
  options.tuning = tuning;
  return options;
}

graph::ModelDescription small_model() {
  Dice dice(1);
  graph::ModelDescription description;
  description.name = "small";
  description.graph = small_sparse_inst(dice);
  return description;
}

std::vector<kernels::CudaConvProblem> convolutions_of(const Model& model, std::int64_t batch, std::int64_t height,
                                                      std::int64_t width) {
  return static_cast<cuda::CudaNetwork&>(*model.impl()->network).convolutions(batch, height, width);
}

/// Every choice seems faster than the one before it, so that the cost model's last one wins.
class EverFaster {
 public:
  double operator()() { return seconds_ /= 2; }

 private:
  double seconds_ = 1;
};

std::string algorithm_of(const kernels::ConvChoice& choice) {
  const std::string entry = kernels::conv_kernels()[static_cast<std::size_t>(choice.kernel)].name.entry;
  return entry + (choice.splits > 1 ? " / " + std::to_string(choice.splits) : "");
}

std::set<std::string> algorithms_of(const Model& model, int batch, int height, int width) {
  std::vector<LayerTiming> layers;
  Session(model).run_network(batch, height, width, &layers);
  std::set<std::string> algorithms;
  for (const LayerTiming& layer : layers)
    if (layer.operation == "conv") algorithms.insert(layer.algorithm);
  return algorithms;
}

TEST_CASE("Every choice for every convolution is launched, and the fastest one is noted") {
  const auto problems = convolutions_of(make_model(small_model(), on_gpu()), 1, 64, 64);
  REQUIRE(problems.size() > 10);
  Gpu& gpu = Gpu::instance();
  cuda::SessionStream stream(gpu.library(), {});
  std::size_t launches = 0, choices = 0, heard = 0;
  EverFaster seconds;
  kernels::ConvTuning tuning;
  cuda::tune_convs(
      problems, stream,
      [&](const cuda::SessionStream&, const std::function<void()>& launch, double predicted_seconds) {
        CHECK(predicted_seconds > 0);
        launch();
        ++launches;
        return seconds();
      },
      [&](std::size_t done) { CHECK(done == ++heard); }, tuning);
  stream.synchronize();
  CHECK(heard == problems.size());
  CHECK(tuning.size() == problems.size());
  CHECK(tuning.count_for(gpu.chip()) == problems.size());
  for (const kernels::CudaConvProblem& problem : problems) {
    const auto all = kernels::conv_choices(problem, gpu.chip());
    choices += all.size();
    CHECK(tuning.find(problem, gpu.chip()) == all.back());
  }
  CHECK(launches == choices);
}

TEST_CASE("A tuning file decides on the kernels of a model, which stays as accurate") {
  const TemporaryFolder folder;
  const Fixture fixture = load_fixture(smallest_fixture(), folder.path());
  const Model plain = make_model(fixture.model, on_gpu());
  const auto [height, width] = input_size(plain.info(), fixture.images);
  const auto batch = static_cast<int>(fixture.images.size());

  Gpu& gpu = Gpu::instance();
  kernels::ConvTuning tuning;
  std::set<std::string> last;
  for (const kernels::CudaConvProblem& problem : convolutions_of(plain, batch, height, width)) {
    tuning.set(problem, gpu.chip(), kernels::conv_choices(problem, gpu.chip()).back());
    last.insert(algorithm_of(tuning.find(problem, gpu.chip())));
  }
  write_text(folder / "tuned.txt", tuning.text());
  const Model tuned = make_model(fixture.model, on_gpu(folder / "tuned.txt"));
  CHECK(tuned.info().tuning_reason == "");
  const auto found = algorithms_of(tuned, batch, height, width);
  CHECK(found == last);
  CHECK(found != algorithms_of(plain, batch, height, width));
  compare_tensors(fixture, Session(tuned).tensors(fixture.images), Compute::fp16, false);
}

TEST_CASE("Tuning files that are broken, missing or of another chip are told in one sentence") {
  const TemporaryFolder folder;
  const std::string file = folder / "t.txt";
  write_text(file, "# fine\nno choice\n");
  CHECK_THROWS_WITH(make_model(small_model(), on_gpu(file)), Catch::Contains(file) && Catch::Contains("line 2"));
  CHECK_THROWS_WITH(make_model(small_model(), on_gpu(folder / "none.txt")), Catch::Contains("none.txt"));
  CHECK_THROWS_AS(make_model(small_model(), on_gpu(folder.path())), Error);

  const Gpu& gpu = Gpu::instance();
  kernels::Chip other = gpu.chip();
  other.multiprocessors += 1;
  const Model plain = make_model(small_model(), on_gpu());
  kernels::ConvTuning tuning;
  for (const kernels::CudaConvProblem& problem : convolutions_of(plain, 1, 64, 64))
    tuning.set(problem, other, kernels::conv_choices(problem, gpu.chip()).back());
  write_text(file, tuning.text());
  const Model ignoring = make_model(small_model(), on_gpu(file));
  CHECK_THAT(ignoring.info().tuning_reason, Catch::Contains(file) && Catch::Contains(gpu.context()->name()));
  CHECK(algorithms_of(ignoring, 1, 64, 64) == algorithms_of(plain, 1, 64, 64));
}

TEST_CASE("Times are a real GPU's or none") {
  const Model model = make_model(small_model(), on_gpu());
  const Gpu& gpu = Gpu::instance();
  if (gpu.context()->name().starts_with("Virtual")) {
    CHECK_THROWS_WITH(Session(model).tune(1, 64, 64), Catch::Contains("expected a GPU with a clock to measure by") &&
                                                          Catch::Contains("a device without a clock"));
    return;
  }
  std::size_t heard = 0;
  const std::string text = Session(model).tune(1, 64, 64, [&](std::size_t, std::size_t all) { heard = all; });
  const auto tuning = kernels::ConvTuning::parse(text, "measured");
  CHECK(tuning.size() == heard);
  CHECK(tuning.count_for(gpu.chip()) == heard);
}

}  // namespace
}  // namespace maskrt
