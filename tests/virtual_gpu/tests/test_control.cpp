// Control flow, calls, atomics and barriers in kernels that nvcc compiled for sm_75.
#include <bit>

#include "harness.h"

namespace vgpu {
namespace {

std::vector<int> numbers(std::size_t count, int high = 1000) {
  Numbers source(3);
  std::vector<int> values(count);
  for (int& v : values) v = source.integer(1, high);
  return values;
}

/// Runs an entry of control.cu with x and y of `count` elements at three seeds, and compares y with want(i, x).
template <class T, class F>
void check(const std::string& entry, std::size_t count, F want) {
  for (std::uint64_t seed = 0; seed < 3; ++seed) {
    Bench bench(test_ptx("control.ptx"), test_settings(75, seed));
    const std::vector<int> x = numbers(count);
    const std::uint64_t y = bench.allocate(count * sizeof(T));
    bench.run_clean(entry, grid(1, static_cast<std::uint32_t>(count)), bench.upload(x), y);
    const auto got = bench.download<T>(y, count);
    for (std::size_t i = 0; i < count; ++i) {
      INFO(entry << ", seed " << seed << ", thread " << i << ", x " << x[i]);
      REQUIRE(got[i] == want(i, x));
    }
  }
}

int collatz_steps(int n) {
  int steps = 0;
  for (; n != 1; ++steps) n = n % 2 == 0 ? n / 2 : 3 * n + 1;
  return steps;
}

int fibonacci(int n) { return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2); }

}  // namespace

TEST_CASE("lanes that leave a loop at different times meet behind it") {
  check<int>("collatz", 128, [](std::size_t i, const std::vector<int>& x) { return collatz_steps(x[i ^ 5]); });
}

TEST_CASE("recursive calls") {
  check<int>("recursion", 96, [](std::size_t i, const std::vector<int>& x) { return fibonacci(x[i] % 12); });
}

TEST_CASE("a switch") {
  check<int>("branches", 128, [](std::size_t i, const std::vector<int>& x) {
    const int v = x[i];
    switch (v % 9) {
      case 0:
        return v + 1;
      case 1:
        return v * 3;
      case 2:
        return v - 7 + (v ^ 5);
      case 3:
        return v ^ 5;
      case 4:
        return v << 2;
      case 5:
        return -v;
      case 6:
        return v / 3;
      case 7:
        return v % 5;
      default:
        return 99;
    }
  });
}

TEST_CASE("local arrays and constant memory") {
  check<float>("local_memory", 64, [](std::size_t i, const std::vector<int>& x) {
    float sum = 0;
    for (int k = 0; k < 5; ++k) {
      const int slot = (x[i] * (k + 1)) & 15;
      sum += static_cast<float>(1 << ((slot + x[i]) & 7)) * static_cast<float>(slot);
    }
    return sum;
  });
}

TEST_CASE("votes and matches") {
  check<unsigned>("votes", 64, [](std::size_t i, const std::vector<int>& x) {
    const std::size_t first = i / 32 * 32;
    unsigned ballot = 0, even = 0, same = 0;
    bool any = false;
    for (std::size_t l = 0; l < 32; ++l) {
      const int v = x[first + l];
      ballot |= (v % 3 == 0 ? 1u : 0u) << l;
      even |= (v % 2 == 0 ? 1u : 0u) << l;
      same |= (v % 4 == x[i] % 4 ? 1u : 0u) << l;
      any |= v == 77;
    }
    unsigned r = ballot;
    if (x[i] % 2 == 0) r += static_cast<unsigned>(std::popcount(even)) * 1000003u;
    r ^= same;
    return r + (any ? 7 : 0) + 11;
  });
}

TEST_CASE("barrier reductions") {
  check<int>("barrier_reductions", 96, [](std::size_t, const std::vector<int>& x) {
    int odd = 0;
    bool any = false;
    for (const int v : x) {
      odd += v % 2;
      any |= v == 77;
    }
    return odd * 4 + 2 + (any ? 1 : 0);
  });
}

TEST_CASE("calls through registers, each lane its own") {
  const auto function = [](int which, int v) {
    return which == 0 ? v * v : which == 1 ? v + 1 : v < 2 ? v : 2 * v - 1;
  };
  check<int>("indirect_calls", 128, [&](std::size_t i, const std::vector<int>& x) {
    const int v = x[i], side = v % 10;
    return function(v % 3, v % 20) + 3 * (v % 2 == 0 ? side * side : function(2, v % 8));
  });
}

TEST_CASE("local memory of a size known only at run time") {
  check<int>("dynamic_local", 96, [](std::size_t i, const std::vector<int>& x) {
    const int n = x[i] % 13 + 1;
    unsigned sum = 0;
    for (int k = n - 1; k >= 0; --k) sum = sum * 3 + static_cast<unsigned>(x[(i + static_cast<std::size_t>(k)) % 96]);
    return static_cast<int>(sum);
  });
}

TEST_CASE("structures by value, as parameters and results") {
  struct Pair {
    float a;
    int b[3];
  };
  Bench bench(test_ptx("control.ptx"), test_settings(75));
  const std::vector<int> x = numbers(64);
  const std::uint64_t y = bench.allocate(256);
  const Pair given{7.5f, {100, 200, 300}};
  bench.run_clean("structures", grid(1, 64), bench.upload(x), y, given);
  const auto got = bench.download<int>(y, 64);
  for (std::size_t i = 0; i < 64; ++i) {
    const int want = x[i] % 2 == 0 ? 3 + x[i] + x[i] % 3 : 7 + given.b[x[i] % 3];
    REQUIRE(got[i] == want);
  }
}

TEST_CASE("diverged lanes make progress while others spin") {
  for (std::uint64_t seed = 0; seed < 3; ++seed) {
    Bench bench(test_ptx("control.ptx"), test_settings(75, seed));
    const std::uint64_t lock = bench.upload(std::vector<int>{0}), y = bench.upload(std::vector<int>{0});
    bench.run_clean("spin_lock", grid(4, 64), lock, y);
    CHECK(bench.download<int>(y, 1)[0] == 256);
  }
}

TEST_CASE("atomics of 32 and 64 bits across blocks") {
  Bench bench(test_ptx("control.ptx"), test_settings(75, 1));
  const std::vector<int> x = numbers(1024);
  const std::uint64_t sums = bench.upload(std::vector<int>{0, 0, 0, 0, 0, 100000, 0});
  const std::uint64_t wide = bench.upload(std::vector<std::uint64_t>{0, 0}), real = bench.upload(std::vector<float>{0});
  bench.run_clean("atomics", grid(8, 128), bench.upload(x), sums, wide, real);
  std::vector<int> want{0, 0, 0, 0, 0, 100000, 0};
  std::uint64_t sum = 0, largest = 0;
  for (const int v : x) {
    want[static_cast<std::size_t>(v % 4)] += v;
    want[4] = std::max(want[4], v);
    want[5] = std::min(want[5], v);
    want[6] |= static_cast<int>(1u << (v & 31));
    sum += static_cast<std::uint64_t>(v) << 30;
    largest = std::max(largest, static_cast<std::uint64_t>(v) * static_cast<std::uint64_t>(v));
  }
  CHECK(bench.download<int>(sums, 7) == want);
  CHECK(bench.download<std::uint64_t>(wide, 2) == std::vector<std::uint64_t>{sum, largest});
  CHECK(bench.download<float>(real, 1)[0] == 512.0f);
  const std::uint64_t y = bench.allocate(4);
  bench.run_clean("read_total", grid(1, 1), y);
  CHECK(bench.download<int>(y, 1)[0] == 5 + 1024);
}

TEST_CASE("a last block that sums the others' results is clean and right") {
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    Bench bench(test_ptx("control.ptx"), test_settings(75, seed));
    const std::vector<float> x(128 * 24, 0.25f);
    const std::uint64_t partial = bench.allocate(24 * 4), y = bench.allocate(4);
    bench.run_clean("last_block_sum", grid(24, 128), bench.upload(x), partial, y);
    CHECK(bench.download<float>(y, 1)[0] == 0.25f * 128 * 24);
  }
}

TEST_CASE("blocks that wait for each other finish") {
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    Bench bench(test_ptx("control.ptx"), test_settings(75, seed));
    const std::uint64_t flags = bench.upload(std::vector<int>(40, 0)), values = bench.allocate(160);
    bench.run_clean("chain", grid(40, 32), flags, values);
    CHECK(bench.download<int>(values, 40)[39] == 39 * 40 / 2);
  }
}

TEST_CASE("named barriers between a producing and a consuming half") {
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    Bench bench(test_ptx("control.ptx"), test_settings(75, seed));
    const std::vector<int> x = numbers(64);
    const std::uint64_t y = bench.allocate(8 * 64 * 4);
    bench.run_clean("named_barriers", grid(1, 128), bench.upload(x), y);
    const auto got = bench.download<int>(y, 512);
    for (std::size_t i = 0; i < 512; ++i) REQUIRE(got[i] == x[63 - i % 64] + static_cast<int>(i / 64));
  }
}

}  // namespace vgpu
