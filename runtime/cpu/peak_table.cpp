#include "peak_table.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <fstream>
#include <mutex>
#include <string>
#include <vector>

#include "aligned_bytes.h"
#include "conv_chooser.h"
#include "conv_problems.h"
#include "kernels/cpu/rows.h"
#include "team.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace maskrt::cpu {
namespace {

using Clock = std::chrono::steady_clock;

/// Multiply-adds that depend on the ones `sums` before: enough for two units of latency 4 to 5, and few enough for the
/// 16 registers of AVX2.
constexpr int kSums = 12;

/// Gives a number that depends on all of its `rounds` times `sums` multiply-adds, so that none is left out.
using Arithmetic = float (*)(int rounds, float factor);

struct ArithmeticLoop {
  Arithmetic run = nullptr;
  double flops_a_step = 0;  ///< of one multiply-add, counted twice for each lane
};

MASKRT_CLONES float multiply_plainly(int rounds, float factor) {
  constexpr int lanes = 16;
  float sum[kSums * lanes] = {};
  for (int i = 0; i < rounds; ++i)
    for (float& s : sum) s = s * factor + factor;
  float all = 0;
  for (const float s : sum) all += s;
  return all;
}

#if defined(__x86_64__)

__attribute__((target("avx512f"))) float multiply_avx512(int rounds, float factor) {
  const __m512 f = _mm512_set1_ps(factor);
  __m512 sum[kSums];
  for (__m512& s : sum) s = f;
  for (int i = 0; i < rounds; ++i) {
#pragma GCC unroll 12
    for (int k = 0; k < kSums; ++k) sum[k] = _mm512_fmadd_ps(sum[k], f, f);
  }
  float all = 0;
  for (const __m512& s : sum) all += s[0];  // every lane has the same number
  return all;
}

__attribute__((target("avx2,fma"))) float multiply_avx2(int rounds, float factor) {
  const __m256 f = _mm256_set1_ps(factor);
  __m256 sum[kSums];
  for (__m256& s : sum) s = f;
  for (int i = 0; i < rounds; ++i) {
#pragma GCC unroll 12
    for (int k = 0; k < kSums; ++k) sum[k] = _mm256_fmadd_ps(sum[k], f, f);
  }
  float all = 0;
  for (const __m256& s : sum) all += s[0];
  return all;
}

__attribute__((target("avx512f,avx512bf16"))) float multiply_bf16(int rounds, float factor) {
  const auto f = reinterpret_cast<__m512bh>(_mm512_set1_ps(factor));
  __m512 sum[kSums];
  for (__m512& s : sum) s = _mm512_setzero_ps();
  for (int i = 0; i < rounds; ++i) {
#pragma GCC unroll 12
    for (int k = 0; k < kSums; ++k) sum[k] = _mm512_dpbf16_ps(sum[k], f, f);
  }
  float all = 0;
  for (const __m512& s : sum) all += s[0];  // every lane has the same number
  return all;
}

#endif

ArithmeticLoop loop_of(Precision precision) {
#if defined(__x86_64__)
  if (precision == Precision::bf16 && has_isa(dnnl::cpu_isa::avx512_core_bf16)) return {multiply_bf16, 2 * 32};
  if (__builtin_cpu_supports("avx512f")) return {multiply_avx512, 2 * 16};
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return {multiply_avx2, 2 * 8};
#endif
  static_cast<void>(precision);
  return {multiply_plainly, 2 * 16};
}

MASKRT_CLONES float read_all(const float* numbers, std::size_t count) {
  constexpr std::size_t lanes = 64;
  float sum[lanes] = {};
  for (std::size_t i = 0; i + lanes <= count; i += lanes)
    for (std::size_t k = 0; k < lanes; ++k) sum[k] += numbers[i + k];
  float all = 0;
  for (const float s : sum) all += s;
  return all;
}

/// The seconds of the best of `runs` runs of `work(thread)` on all threads at a time.
template <typename Work>
double best_seconds(int threads, int runs, const Work& work) {
  double best = 1e9;
  std::vector<float> kept(static_cast<std::size_t>(threads));
  for (int run = 0; run < runs; ++run) {
    const auto start = Clock::now();
#pragma omp parallel for num_threads(threads) schedule(static, 1)
    for (int thread = 0; thread < threads; ++thread) kept[static_cast<std::size_t>(thread)] = work(thread);
    best = std::min(best, std::chrono::duration<double>(Clock::now() - start).count());
  }
  volatile float used = 0;
  for (const float number : kept) used = used + number;
  return best;
}

double measure_flops(Precision precision, int threads) {
  const ArithmeticLoop loop = loop_of(precision);
  constexpr int rounds = 100000;  // about a millisecond, for which parallel loops' starts count little
  const double seconds = best_seconds(threads, 10, [&](int) { return loop.run(rounds, 0.5f); });
  const double flops = rounds * kSums * loop.flops_a_step * threads / seconds;
  if (precision != Precision::bf16 || !has_isa(dnnl::cpu_isa::avx512_core_amx)) return flops;
  return std::max(flops, ConvChooser(true).rate(DataType::bf16, threads));
}

/// Bytes of the largest cache that the first core has a part in, as the kernel tells (sysconf() adds up those of a
/// whole machine on some); a usual size where it does not.
double last_cache() {
  double largest = 0;
  for (int i = 0;; ++i) {
    std::ifstream file("/sys/devices/system/cpu/cpu0/cache/index" + std::to_string(i) + "/size");
    double kilobytes = 0;
    if (!(file >> kilobytes)) break;
    largest = std::max(largest, 1024 * kilobytes);
  }
  constexpr double usual = 32 << 20;
  return largest > 0 ? largest : usual;
}

PeakRates measure(Precision precision, int threads) {
  PeakRates peak;
  Team team(threads);
  team.perform([&] {
    peak.flops = measure_flops(precision, threads);
    peak.cache = last_cache();
    // Twice the last cache's size, as far as that is a reasonable amount: the cache then has nothing of what comes
    // next.
    const double wanted = std::clamp(2 * peak.cache, 32.0 * (1 << 20), 128.0 * (1 << 20));
    const std::size_t share =
        (static_cast<std::size_t>(wanted) / static_cast<std::size_t>(threads) + 4095) / 4096 * 4096;
    const AlignedBytes memory = allocate_aligned(share * static_cast<std::size_t>(threads));
    const auto part = [&](int thread) {
      return reinterpret_cast<float*>(memory.get() + share * static_cast<std::size_t>(thread));
    };
    const std::size_t count = share / sizeof(float);
    best_seconds(threads, 1, [&](int thread) {  // each thread's pages lie where it runs
      std::fill_n(part(thread), count, 1.0f);
      return 0.0f;
    });
    const double seconds = best_seconds(threads, 3, [&](int thread) { return read_all(part(thread), count); });
    peak.bytes = static_cast<double>(share) * threads / seconds;
    const std::size_t near = std::min<std::size_t>(count, (256U << 10) / sizeof(float));
    constexpr int times = 64;
    const double near_seconds = best_seconds(threads, 5, [&](int thread) {
      float sum = 0;
      for (int i = 0; i < times; ++i) sum += read_all(part(thread), near);
      return sum;
    });
    peak.cached_bytes =
        std::max(peak.bytes, static_cast<double>(near * sizeof(float)) * times * threads / near_seconds);
  });
  return peak;
}

}  // namespace

PeakRates PeakTable::of(Precision precision, int threads) {
  const std::lock_guard lock(mutex_);
  PeakRates& peak = measured_[{precision, threads}];
  if (peak.flops == 0) peak = measure(precision, threads);
  return peak;
}

}  // namespace maskrt::cpu
