// What sm_80 brings, in kernels that nvcc compiled for it (ampere.cu), against plain loops.
#include <cmath>

#include "harness.h"

namespace vgpu {
namespace {

std::uint16_t bfloat_of(float f) {
  std::uint32_t bits;
  std::memcpy(&bits, &f, 4);
  return static_cast<std::uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}
float float_of(std::uint16_t bfloat) {
  const std::uint32_t bits = std::uint32_t{bfloat} << 16;
  float f;
  std::memcpy(&f, &bits, 4);
  return f;
}
/// Operands are small integers, whose products and sums are exact.
std::uint16_t half_of(int v) {
  const float f = static_cast<float>(v);
  std::uint32_t bits;
  std::memcpy(&bits, &f, 4);
  return v == 0 ? 0
                : static_cast<std::uint16_t>((bits >> 16 & 0x8000) | ((bits >> 23 & 255) - 112) << 10 |
                                             (bits >> 13 & 1023));
}

std::vector<float> units(std::uint64_t seed, std::size_t count) {
  Numbers numbers(seed);
  std::vector<float> values(count);
  for (float& v : values) v = numbers.unit();
  return values;
}
std::vector<int> integers(std::uint64_t seed, std::size_t count, int low, int high) {
  Numbers numbers(seed);
  std::vector<int> values(count);
  for (int& v : values) v = numbers.integer(low, high);
  return values;
}

Bench bench(std::uint64_t seed = 0) { return Bench(test_ptx("ampere.ptx"), test_settings(80, seed)); }

}  // namespace

TEST_CASE("a pipelined bf16 GEMM fills what lies beyond its matrices with zero") {
  // K is no multiple of the 8 values of a copy: rows are padded to 8, and copies end at K.
  const int shapes[][3] = {{64, 64, 32}, {70, 100, 72}, {130, 33, 200}};
  for (const auto& shape : shapes) {
    const int m = shape[0], n = shape[1], k = shape[2];
    std::vector<std::uint16_t> a(static_cast<std::size_t>(m * k)), b(static_cast<std::size_t>(n * k));
    const auto ua = units(1, a.size()), ub = units(2, b.size());
    for (std::size_t i = 0; i < a.size(); ++i) a[i] = bfloat_of(ua[i]);
    for (std::size_t i = 0; i < b.size(); ++i) b[i] = bfloat_of(ub[i]);
    for (std::uint64_t seed = 0; seed < 3; ++seed) {
      Bench gpu = bench(seed);
      const std::uint64_t c = gpu.allocate(static_cast<std::uint64_t>(m * n) * 2);
      LaunchConfig config = grid(static_cast<std::uint32_t>((n + 63) / 64), 128);
      config.grid[1] = static_cast<std::uint32_t>((m + 63) / 64);
      gpu.run_clean("gemm_bf16", config, gpu.upload(a), gpu.upload(b), c, m, n, k);
      const auto got = gpu.download<std::uint16_t>(c, static_cast<std::size_t>(m * n));
      for (int i = 0; i < m; ++i) {
        for (int j = 0; j < n; ++j) {
          double want = 0, size = 0;
          for (int x = 0; x < k; ++x) {
            const double product = static_cast<double>(float_of(a[static_cast<std::size_t>(i * k + x)])) *
                                   float_of(b[static_cast<std::size_t>(j * k + x)]);
            want += product;
            size += std::fabs(product);
          }
          const double value = static_cast<double>(float_of(got[static_cast<std::size_t>(i * n + j)]));
          // K roundings in f32, and one to 8 bits.
          const double bound = size * k * 0x1p-24 + std::fabs(want) * 0x1p-8 + 1e-30;
          INFO(m << "x" << n << "x" << k << ", row " << i << ", column " << j << ", got " << value << ", want " << want
                 << ", bound " << bound);
          REQUIRE(std::fabs(value - want) <= bound);
        }
      }
    }
  }
}

TEST_CASE("cp.async of 4, 8 and 16 bytes fills the rest with zero on sm_80") {
  for (const std::size_t bytes : {4u, 8u, 16u}) {
    for (int size = 0; size <= static_cast<int>(bytes); ++size) {
      Bench gpu = bench();
      std::vector<std::uint8_t> x(64 * bytes);
      for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<std::uint8_t>(i * 7 + 1);
      const std::uint64_t y = gpu.allocate(x.size());
      gpu.run_clean("zero_fill_" + std::to_string(bytes), grid(1, 64), gpu.upload(x), y, size);
      const auto got = gpu.download<std::uint8_t>(y, x.size());
      for (std::size_t i = 0; i < x.size(); ++i) {
        const std::size_t byte = i % bytes, from = (63 - i / bytes) * bytes + byte;
        INFO(bytes << " bytes, " << size << " from memory, at " << i);
        REQUIRE(got[i] == (byte < static_cast<std::size_t>(size) ? x[from] : 0));
      }
    }
  }
}

TEST_CASE("mbarriers of sm_80 pass a ring of buffers from a producer to consumers and back") {
  const int rounds = 9;
  const auto x = integers(3, 96 * rounds, -1000, 1000);
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    Bench gpu = bench(seed);
    const std::uint64_t y = gpu.allocate(x.size() * 4);
    gpu.run_clean("mbarrier_ring", grid(1, 128), gpu.upload(x), y, rounds);
    const auto got = gpu.download<int>(y, x.size());
    for (std::size_t i = 0; i < x.size(); ++i) REQUIRE(got[i] == x[i / 96 * 96 + 95 - i % 96] + 1);
  }
}

TEST_CASE("split-K blocks take turns by a semaphore") {
  const int tiles = 5, parts = 7, threads = 64;
  const auto x = integers(4, static_cast<std::size_t>(tiles * parts * threads), -64, 64);
  std::vector<float> values(x.begin(), x.end());
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    Bench gpu = bench(seed);
    const std::uint64_t y = gpu.allocate(tiles * threads * 4),
                        semaphores = gpu.upload(std::vector<int>(static_cast<std::size_t>(tiles), 0));
    LaunchConfig config = grid(tiles, threads);
    config.grid[1] = parts;
    gpu.run_clean("split_k", config, gpu.upload(values), y, semaphores, parts);
    const auto got = gpu.download<float>(y, static_cast<std::size_t>(tiles * threads));
    for (int i = 0; i < tiles * threads; ++i) {
      float want = 0;
      for (int p = 0; p < parts; ++p) {
        const float v = values[static_cast<std::size_t>(p * tiles * threads + i)];
        want = p == 0 ? v : want * 0.5f + v;
      }
      REQUIRE(got[static_cast<std::size_t>(i)] == want);
    }
    CHECK(gpu.download<int>(semaphores, tiles) == std::vector<int>(tiles, 0));
  }
}

TEST_CASE("the last block sums what the others left, launch after launch") {
  const auto x = integers(5, 128 * 40, -100, 100);
  const std::vector<float> values(x.begin(), x.end());
  float want = 0;
  for (const float v : values) want += v;
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    Bench gpu = bench(seed);
    const std::uint64_t parts = gpu.allocate(160), y = gpu.allocate(4), from = gpu.upload(values);
    for (int launch = 0; launch < 2; ++launch) {
      gpu.run_clean("last_block", grid(40, 128), from, parts, y);
      CHECK(gpu.download<float>(y, 1)[0] == want);
    }
  }
}

TEST_CASE("a barrier of the whole grid between the rounds of a stencil") {
  const int blocks = 12, threads = 64, n = blocks * threads, rounds = 6;
  const auto x = integers(6, static_cast<std::size_t>(n), -3, 3);
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    Bench gpu = bench(seed);
    const std::uint64_t from = gpu.upload(std::vector<float>(x.begin(), x.end())), to = gpu.allocate(n * 4),
                        arrived = gpu.upload(std::vector<unsigned>{0});
    gpu.run_clean("grid_barrier", grid(blocks, threads), from, to, arrived, rounds);
    std::vector<float> want(x.begin(), x.end());
    for (int r = 0; r < rounds; ++r) {
      std::vector<float> next(want.size());
      for (int i = 0; i < n; ++i)
        next[static_cast<std::size_t>(i)] =
            want[static_cast<std::size_t>((i + 1) % n)] + want[static_cast<std::size_t>((i + n - 1) % n)];
      want = next;
    }
    CHECK(gpu.download<float>(rounds % 2 == 0 ? from : to, static_cast<std::size_t>(n)) == want);
  }
}

TEST_CASE("64-bit atomics") {
  const auto x = integers(7, 4 * 96, 1, 100000);
  using Wide = unsigned long long;
  std::vector<Wide> want{0, 0, 0, ~Wide{0}};
  double sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const Wide packed = static_cast<Wide>(x[i]) << 32 | i;
    want[0] += packed;
    want[1] = std::max(want[1], packed);
    want[2] ^= packed;
    want[3] = std::min(want[3], packed);
    sum += x[i] * 0.25;
  }
  for (std::uint64_t seed = 0; seed < 3; ++seed) {
    Bench gpu = bench(seed);
    const std::uint64_t y = gpu.upload(std::vector<Wide>{0, 0, 0, ~Wide{0}}),
                        total = gpu.upload(std::vector<double>{0});
    gpu.run_clean("wide_atomics", grid(4, 96), gpu.upload(x), y, total);
    CHECK(gpu.download<Wide>(y, 4) == want);
    CHECK(gpu.download<double>(total, 1)[0] == sum);
  }
}

TEST_CASE("bf16 arithmetic on pairs rounds each result once") {
  const auto values = units(8, 128);
  std::vector<std::uint16_t> x;
  for (const float v : values) x.push_back(bfloat_of(v * 3));
  const std::uint16_t scales[2] = {bfloat_of(0.75f), bfloat_of(-1.25f)};
  Bench gpu = bench();
  const std::uint64_t y = gpu.allocate(256);
  const std::uint32_t scale = scales[0] | std::uint32_t{scales[1]} << 16;
  gpu.run_clean("bf16_arithmetic", grid(1, 64), gpu.upload(x), y, scale);
  const auto got = gpu.download<std::uint16_t>(y, 128);
  // Products of 8-bit fractions are exact in f32; sums that are not exact there are rounded from f64.
  const auto rounded = [](double v) {
    const float f = static_cast<float>(v);
    if (static_cast<double>(f) == v) return bfloat_of(f);
    // Rounded to odd, so that the second rounding sees that something was lost.
    std::uint32_t bits;
    std::memcpy(&bits, &f, 4);
    if (std::fabs(static_cast<double>(f)) > std::fabs(v)) --bits;
    bits |= 1;
    float odd;
    std::memcpy(&odd, &bits, 4);
    return bfloat_of(odd);
  };
  for (std::size_t i = 0; i < 64; ++i) {
    std::uint16_t r[2];
    for (std::size_t e = 0; e < 2; ++e) {
      const double v = static_cast<double>(float_of(x[2 * i + e])), s = static_cast<double>(float_of(scales[e]));
      const double fused = static_cast<double>(float_of(rounded(v * s + std::max(v, s))));
      r[e] = rounded(std::min(fused, static_cast<double>(float_of(rounded(v * v)))));
    }
    const bool greater = float_of(x[2 * i]) > float_of(scales[0]);
    for (std::size_t e = 0; e < 2; ++e) {
      const double sum = static_cast<double>(float_of(r[e])) + static_cast<double>(float_of(x[2 * i + e]));
      INFO("pair " << i << ", element " << e);
      REQUIRE(got[2 * i + e] == (greater ? r[e] : rounded(sum)));
    }
  }
}

TEST_CASE("warp matrices of nvcc's interface") {
  const int k = 48;
  const auto a = integers(9, 16 * k, -8, 8), b = integers(10, 16 * k, -8, 8), c = integers(11, 256, -50, 50);
  for (const bool bfloat : {false, true}) {
    const auto encode = [&](const std::vector<int>& values) {
      std::vector<std::uint16_t> bits;
      for (const int v : values) bits.push_back(bfloat ? bfloat_of(static_cast<float>(v)) : half_of(v));
      return bits;
    };
    Bench gpu = bench();
    const std::uint64_t d = gpu.upload(std::vector<float>(c.begin(), c.end()));
    gpu.run_clean(bfloat ? "wmma_bf16" : "wmma_f16", grid(1, 32), gpu.upload(encode(a)), gpu.upload(encode(b)), d, k);
    const auto got = gpu.download<float>(d, 256);
    for (std::size_t i = 0; i < 16; ++i) {
      for (std::size_t j = 0; j < 16; ++j) {
        int sum = c[i * 16 + j];
        for (std::size_t x = 0; x < k; ++x) sum += a[i * k + x] * (bfloat ? b[x * 16 + j] : b[j * k + x]);
        INFO((bfloat ? "bf16" : "f16") << ", row " << i << ", column " << j);
        REQUIRE(got[j * 16 + i] == static_cast<float>(2 * sum));
      }
    }
  }
  const auto sa = integers(12, 32 * 16, -128, 127), sb = integers(13, 8 * 16, -128, 127);
  Bench gpu = bench();
  const std::uint64_t d = gpu.allocate(32 * 8 * 4);
  gpu.run_clean("wmma_s8", grid(1, 32), gpu.upload(std::vector<signed char>(sa.begin(), sa.end())),
                gpu.upload(std::vector<signed char>(sb.begin(), sb.end())), d);
  const auto got = gpu.download<int>(d, 256);
  for (std::size_t i = 0; i < 32; ++i) {
    for (std::size_t j = 0; j < 8; ++j) {
      int sum = 0;
      for (std::size_t x = 0; x < 16; ++x) sum += sa[i * 16 + x] * sb[j * 16 + x];
      REQUIRE(got[i * 8 + j] == sum);
    }
  }
}

TEST_CASE("a kernel that stops itself ends the launch") {
  Bench gpu = bench();
  std::vector<float> x(64, 4.0f);
  const std::uint64_t y = gpu.allocate(256);
  gpu.run_clean("positive_only", grid(1, 64), gpu.upload(x), y);
  CHECK(gpu.download<float>(y, 64) == std::vector<float>(64, 2.0f));
  x[37] = -1.0f;
  const LaunchResult result = gpu.run("positive_only", grid(1, 64), gpu.upload(x), y);
  REQUIRE(result.report);
  CHECK(result.report->check == Check::trap);
  CHECK(result.report->thread == Dim3{37, 0, 0});
}

}  // namespace vgpu
