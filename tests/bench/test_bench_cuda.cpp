// The suite runs where there is no GPU, and counts.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <set>

#include "bench/kernel_table/results.h"
#include "bench/kernel_table/tables.h"
#include "support/process.h"

using namespace maskrt;

namespace {

int run(std::vector<std::string> arguments) {
  ::setenv("MASKRT_CUDA_DRIVER", MASKRT_VIRTUAL_GPU, 1);
  arguments.insert(arguments.begin(), MASKRT_BENCH_CUDA);
  const testing::ProcessResult result = testing::run_process(arguments);
  UNSCOPED_INFO(result.err);
  return result.status;
}

}  // namespace

TEST_CASE("every kernel of a network is counted on the virtual GPU") {
  const std::string file = "bench_cuda.json";
  REQUIRE(run({"--height=64", "--width=96", "--batch=2", "--benchmark_filter=res2.0|postprocess|network|pipeline",
               "--benchmark_out=" + file}) == 0);
  const auto results = bench::read_results(file);
  const auto find = [&](const std::string& layer, const std::string& kernel) {
    const auto found = std::find_if(results.begin(), results.end(), [&](const bench::Result& r) {
      return r.layer == layer && r.kernel.starts_with(kernel);
    });
    INFO(layer << " " << kernel);
    REQUIRE(found != results.end());
    CHECK(found->batch == "b2");
    CHECK(found->precision == "fp16");
    CHECK(found->config == "sparse_inst_r50_giam");
    return *found;
  };
  const bench::Result conv = find("backbone.res2.0.conv2", "conv_");
  CHECK(conv.get("blocks") > 0);
  CHECK(conv.get("blocks_run") == conv.get("blocks"));  // of something this small, all
  CHECK(conv.get("tensor_share") > 0);
  CHECK(conv.get("loop_tensor_share") > conv.get("tensor_share"));
  CHECK(conv.get("sectors_used") > 0);
  CHECK(conv.get("sectors_used") <= 1);
  CHECK(conv.get("passes_per_access") >= 1);
  CHECK(conv.get("GFLOP") == Approx(2e-9 * 2 * 16 * 24 * 64 * 64 * 9));
  CHECK(conv.get("predicted_us") > 0);
  CHECK(conv.get("layers") == 3);
  CHECK(find("postprocess", "score_queries").get("instructions") > 0);
  CHECK(find("postprocess", "mask_words").get("instructions") > 0);
  // All instances were kept: their run lengths were made.
  CHECK(find("postprocess", "mask_runs").get("instructions") > 10 * find("postprocess", "mask_runs").get("blocks"));
  CHECK(find("network", "").get("GFLOP") > conv.get("GFLOP"));
  CHECK(find("pipeline", "").get("kernels") <= 83);
}

TEST_CASE("kernels of a transformer are counted, and keep to the limits") {
  const std::string file = "bench_cuda_transformer.json";
  for (const std::string precision : {"fp16", "fp32"}) {
    REQUIRE(
        run({"--config=sparse_inst_pvt_b1_giam", "--height=64", "--width=96", "--batch=1", "--precision=" + precision,
             "--benchmark_filter=backbone.*(norm|attention|dwconv)", "--benchmark_out=" + file}) == 0);
    std::set<std::string> kernels;
    for (const bench::Result& r : bench::read_results(file)) {
      INFO(r.name);
      CHECK(r.config == "sparse_inst_pvt_b1_giam");
      CHECK(r.get("bound_us") > 0);
      CHECK(r.get("sectors_used") >= bench::kLeastSectorsUsed);
      if (r.has("loop_passes_per_access")) CHECK(r.get("loop_passes_per_access") <= bench::kMostPassesPerAccess);
      kernels.insert(r.kernel.substr(0, r.kernel.find('_')));
    }
    CHECK(kernels == std::set<std::string>{"attention", "depthwise", "layer"});
  }
}

TEST_CASE("what a GPU is timed with runs clean on the virtual one") {
  const std::string file = "bench_cuda_times.json";
  REQUIRE(run({"--times", "--measurements=1", "--repeats=2", "--no-rivals", "--height=32", "--width=32", "--batch=1",
               "--benchmark_filter=res5.0.conv2|aggregate|postprocess.mask|pipeline", "--benchmark_out=" + file}) == 0);
  const auto results = bench::read_results(file);
  const auto count = [&](const char* ending) {
    return std::count_if(results.begin(), results.end(),
                         [&](const bench::Result& r) { return r.name.ends_with(ending); });
  };
  CHECK(count("/cold") == 6);
  CHECK(count("pipeline") == 1);
  for (const bench::Result& r : results) {
    INFO(r.name);
    CHECK(r.get("real_time") > 0);
    if (r.has("bound_us")) CHECK(r.get("bound_share") == Approx(r.get("bound_us") / r.get("real_time")).epsilon(1e-3));
  }
}

TEST_CASE("options that make no sense are refused") {
  CHECK(run({"--precision=int3"}) == 2);
  CHECK(run({"--batch=0"}) == 2);
  CHECK(run({"--help"}) == 0);
}
