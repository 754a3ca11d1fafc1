// maskrt-bench: the CPU device's operations, images in and out, whole networks. All of Google Benchmark's options work;
// MASKRT_BENCH_THREADS sets the threads.
#include <benchmark/benchmark.h>

#include <cstdio>

#include "maskrt/types.hpp"
#include "models.h"

int main(int argc, char** argv) {
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
