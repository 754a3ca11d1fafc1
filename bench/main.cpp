// maskrt-bench: the CPU device's operations, images in and out, whole networks. All of Google Benchmark's options work;
// MASKRT_BENCH_THREADS sets the threads.
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "maskrt/types.hpp"
#include "models.h"
#include "runtime/support/brief_spinning.h"

namespace {

/// Starts the program again where its OpenMP runtime, which is linked and so loaded before main, has not been told what
/// the CPU device's loader tells it: the benchmarks are of what products run.
void spin_as_products_do(char** argv) {
  const bool told = std::getenv("GOMP_SPINCOUNT") != nullptr;
  const maskrt::BriefSpinning spinning;
  if (!told && std::getenv("GOMP_SPINCOUNT") != nullptr) ::execv("/proc/self/exe", argv);
}

}  // namespace

int main(int argc, char** argv) {
  spin_as_products_do(argv);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  try {
    // Steps exist once a plan is made; the plan decides which there are.
    maskrt::bench::register_layers(maskrt::Compute::fp32);
    maskrt::bench::register_layers(maskrt::Compute::bf16);
  } catch (const maskrt::Error& error) {
    std::fprintf(stderr, "maskrt-bench: %s\n", error.what());
    return 1;
  }
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
