// Bulk reductions and the other asynchronous ways out of shared memory on sm_90a (bulk.cu), against plain loops.
#include <algorithm>
#include <bit>

#include "harness.h"

namespace vgpu {
namespace {

using Half = std::uint16_t;

/// Small integers, exact in every format.
Half half_of(int v) {
  const auto f = std::bit_cast<std::uint32_t>(static_cast<float>(v));
  return v == 0 ? Half{0} : static_cast<Half>((f >> 16 & 0x8000) | ((f >> 23 & 255) - 112) << 10 | (f >> 13 & 1023));
}
Half bfloat_of(int v) { return static_cast<Half>(std::bit_cast<std::uint32_t>(static_cast<float>(v)) >> 16); }

Bench bench(std::uint64_t seed = 0) { return Bench(test_ptx("bulk.ptx"), test_settings(90, seed)); }

/// Five blocks reduce 64 small integers each into y: PTX ISA, 9.7.9.25.5.2 "cp.reduce.async.bulk".
template <class T, class Encode, class Op>
void check_reduction(const std::string& entry, Encode encode, Op op) {
  Numbers numbers(17);
  std::vector<int> x(5 * 64), y(64);
  for (int& v : x) v = numbers.integer(0, 50);
  for (int& v : y) v = numbers.integer(0, 50);
  for (std::uint64_t seed = 0; seed < 3; ++seed) {
    Bench gpu = bench(seed);
    std::vector<T> from, to;
    for (const int v : x) from.push_back(encode(v));
    for (const int v : y) to.push_back(encode(v));
    const std::uint64_t result = gpu.upload(to);
    gpu.run_clean("reduce_" + entry, grid(5, 64), gpu.upload(from), result);
    const auto got = gpu.download<T>(result, 64);
    for (std::size_t i = 0; i < 64; ++i) {
      int want = y[i];
      for (std::size_t block = 0; block < 5; ++block) want = op(want, x[block * 64 + i]);
      INFO(entry << ", seed " << seed << ", element " << i);
      REQUIRE(got[i] == encode(want));
    }
  }
}

}  // namespace

TEST_CASE("bulk reductions into global memory") {
  const auto add = [](int a, int b) { return a + b; };
  const auto largest = [](int a, int b) { return std::max(a, b); };
  const auto as = []<class T>(T) { return [](int v) { return static_cast<T>(v); }; };
  check_reduction<float>("add_f32", as(0.0f), add);
  check_reduction<double>("add_f64", as(0.0), add);
  check_reduction<Half>("add_f16", half_of, add);
  check_reduction<Half>("add_bf16", bfloat_of, [](int a, int b) {
    // Sums beyond 256 lose their last bit: to nearest, ties to even.
    const int sum = a + b;
    return sum <= 256 || sum % 2 == 0 ? sum : sum % 4 == 1 ? sum - 1 : sum + 1;
  });
  check_reduction<Half>("max_f16", half_of, largest);
  check_reduction<long long>("min_s64", as(0LL), [](int a, int b) { return std::min(a, b); });
  check_reduction<unsigned>("max_u32", as(0u), largest);
  check_reduction<unsigned long long>("xor_b64", as(0ULL), [](int a, int b) { return a ^ b; });
}

TEST_CASE("sectors of bulk copies are counted") {
  Settings settings = test_settings(90);
  settings.counters = true;
  Bench gpu(test_ptx("bulk.ptx"), settings);
  const std::uint64_t x = gpu.upload(std::vector<float>(5 * 64, 1.0f)), y = gpu.upload(std::vector<float>(64, 1.0f));
  const LaunchResult result = gpu.run_clean("reduce_add_f32", grid(5, 64), x, y);
  LineCount bulk;
  for (const auto& [name, program] : gpu.module->programs()) {
    for (std::size_t i = 0; i < program->code.size(); ++i) {
      const LineCount& count = result.counts[program->first_count + i];
      if (program->code[i].kind == Kind::async) bulk.add(count);
    }
  }
  // Each of 5 blocks sends 256 bytes in one piece.
  CHECK(bulk.requests == 5);
  CHECK(bulk.sectors == 5 * 8);
  CHECK(bulk.used == 5 * 256);
}

TEST_CASE("bulk reductions that count wrap at the operand") {
  Bench gpu = bench();
  // One block: d = old >= b ? 0 : old + 1.
  std::vector<unsigned> limits(64), y(64);
  for (unsigned i = 0; i < 64; ++i) {
    limits[i] = 20;
    y[i] = i;
  }
  const std::uint64_t result = gpu.upload(y);
  gpu.run_clean("reduce_inc_u32", grid(1, 64), gpu.upload(limits), result);
  const auto got = gpu.download<unsigned>(result, 64);
  for (unsigned i = 0; i < 64; ++i) REQUIRE(got[i] == (i >= 20 ? 0 : i + 1));
}

TEST_CASE("a bulk reduction of memory that was never written is reported") {
  Bench gpu = bench();
  const std::uint64_t y = gpu.allocate(256);
  const LaunchResult result = gpu.run("reduce_add_f32", grid(1, 64), gpu.upload(std::vector<float>(64, 1.0f)), y);
  REQUIRE(result.report);
  CHECK(result.report->check == Check::uninitialised);
  CHECK(result.report->ptx_text.find("cp.reduce.async.bulk") != std::string::npos);
}

TEST_CASE("a tensor reduction adds what lies inside the tensor") {
  Bench gpu = bench();
  std::vector<float> x(64), y(20 * 12, 1.0f);
  for (std::size_t i = 0; i < 64; ++i) x[i] = static_cast<float>(i);
  TensorMap map;
  map.address = gpu.upload(y);
  map.rank = 2;
  map.sizes = {12, 20, 0, 0, 0};
  map.strides = {4, 48, 0, 0, 0};
  map.box = {8, 8, 0, 0, 0};
  map.element_bytes = 4;
  map.type = Type::f32;
  const std::uint64_t from = gpu.upload(x);
  for (int times = 0; times < 2; ++times) gpu.run_clean("reduce_tensor", grid(1, 64), map.encode(), from, 7, -2);
  const auto got = gpu.download<float>(map.address, y.size());
  for (int r = 0; r < 20; ++r) {
    for (int c = 0; c < 12; ++c) {
      const int br = r + 2, bc = c - 7;
      const bool inside = br < 8 && bc >= 0 && bc < 8;
      INFO("row " << r << ", column " << c);
      REQUIRE(got[static_cast<std::size_t>(r * 12 + c)] ==
              (inside ? 1.0f + 2.0f * static_cast<float>(br * 8 + bc) : 1.0f));
    }
  }
}

TEST_CASE("a store through an im2col map walks the bounding box") {
  // N 2, H 4, W 5, C 16, no padding: the box is the whole image.
  Bench gpu = bench();
  const int n = 2, h = 4, w = 5, c = 16, pixels = 23;
  std::vector<Half> x(static_cast<std::size_t>(pixels) * 8), y(static_cast<std::size_t>(n * h * w * c), 0xabcd);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<Half>(i + 1);
  TensorMap map;
  map.address = gpu.upload(y);
  map.rank = 4;
  map.sizes = {16, 5, 4, 2, 0};
  map.strides = {2, 32, 32 * 5, 32 * 5 * 4, 0};
  map.im2col = true;
  map.channels = 8;
  map.pixels = pixels;
  // From the middle of image 0's third row on into image 1 and past its end.
  gpu.run_clean("store_im2col", grid(1, 32, static_cast<std::uint32_t>(pixels) * 16), map.encode(), gpu.upload(x),
                pixels, 8, 3, 3, 0);
  std::vector<Half> want = y;
  int at_w = 3, at_h = 3, at_n = 0;
  for (int p = 0; p < pixels; ++p) {
    for (int k = 0; k < 8 && at_n < n; ++k)
      want[static_cast<std::size_t>(((at_n * h + at_h) * w + at_w) * c + 8 + k)] =
          x[static_cast<std::size_t>(p * 8 + k)];
    if (++at_w == w) {
      at_w = 0;
      if (++at_h == h) {
        at_h = 0;
        ++at_n;
      }
    }
  }
  CHECK(gpu.download<Half>(map.address, want.size()) == want);
}

TEST_CASE("tensor prefetches stay inside the allocation and read nothing") {
  const auto prefetch = [](std::uint64_t rows, int column, int row) {
    Bench gpu = bench();
    TensorMap map;
    map.address = gpu.allocate(12 * 20 * 4);  // never written
    map.rank = 2;
    map.sizes = {12, rows, 0, 0, 0};
    map.strides = {4, 48, 0, 0, 0};
    map.box = {8, 8, 0, 0, 0};
    map.element_bytes = 4;
    map.type = Type::f32;
    return gpu.run("prefetch_tile", grid(1, 32), map.encode(), column, row).report;
  };
  CHECK(!prefetch(20, 7, 15));  // beyond the tensor
  CHECK(!prefetch(40, 7, 12));
  const auto report = prefetch(40, 7, 15);
  REQUIRE(report);
  CHECK(report->check == Check::out_of_bounds);
  CHECK(report->ptx_text.find("cp.async.bulk.prefetch.tensor") != std::string::npos);

  const auto taps = [](std::uint64_t images, int tap) {
    Bench gpu = bench();
    TensorMap map;
    map.address = gpu.allocate(2 * 4 * 5 * 16 * 2);
    map.rank = 4;
    map.sizes = {16, 5, 4, images, 0};
    map.strides = {2, 32, 32 * 5, 32 * 5 * 4, 0};
    map.im2col = true;
    map.upper = {-1, 0, 0};
    map.channels = 8;
    map.pixels = 4;
    return gpu.run("prefetch_im2col", grid(1, 32), map.encode(), 8, 2, 3, 1, tap, 0).report;
  };
  CHECK(!taps(2, 1));
  const auto beyond = taps(3, 1);
  REQUIRE(beyond);
  CHECK(beyond->check == Check::out_of_bounds);
}

TEST_CASE("copies and reductions between the blocks of a cluster") {
  std::vector<int> x(8 * 32);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<int>(i * i);
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    Bench gpu = bench(seed);
    const std::uint64_t y = gpu.allocate(x.size() * 4), sums = gpu.allocate(x.size() * 4);
    gpu.run_clean("pass_on", grid(8, 32), gpu.upload(x), y, sums);
    const auto copies = gpu.download<int>(y, x.size()), added = gpu.download<int>(sums, x.size());
    for (std::size_t i = 0; i < x.size(); ++i) {
      const std::size_t cluster = i / 128, rank = i / 32 % 4;
      REQUIRE(copies[i] == x[cluster * 128 + (rank + 3) % 4 * 32 + i % 32]);
      REQUIRE(added[i] == 1000 + x[cluster * 128 + (rank + 2) % 4 * 32 + i % 32]);
    }
  }
}

TEST_CASE("asynchronous stores and reductions in another block's memory") {
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    Bench gpu = bench(seed);
    const std::uint64_t y = gpu.allocate(4 * 32 * 8), counts = gpu.allocate(16);
    gpu.run_clean("remote_stores", grid(4, 32), y, counts);
    const auto got = gpu.download<int>(y, 4 * 64);
    for (std::size_t i = 0; i < 128; ++i) {
      REQUIRE(got[2 * i] == static_cast<int>((i / 32) ^ 1));
      REQUIRE(got[2 * i + 1] == static_cast<int>(i % 32 * 3));
    }
    CHECK(gpu.download<unsigned>(counts, 4) == std::vector<unsigned>(4, 7 + 31 * 32 / 2));
  }
}

TEST_CASE("128-bit atomics") {
  for (std::uint64_t seed = 0; seed < 3; ++seed) {
    Bench gpu = bench(seed);
    const std::uint64_t total = gpu.upload(std::vector<std::uint64_t>{0, 5}), before = gpu.allocate(6 * 32 * 16);
    gpu.run_clean("wide_atomics", grid(6, 32), total, before);
    CHECK(gpu.download<std::uint64_t>(total, 2) == std::vector<std::uint64_t>{192, 5 + 32 * 21});
    // Every update saw another state.
    auto seen = gpu.download<std::uint64_t>(before, 2 * 192);
    std::vector<std::uint64_t> counts;
    for (std::size_t i = 0; i < seen.size(); i += 2) counts.push_back(seen[i]);
    std::sort(counts.begin(), counts.end());
    for (std::size_t i = 0; i < counts.size(); ++i) REQUIRE(counts[i] == i);
  }
}

TEST_CASE("a tensor map that the kernel points elsewhere") {
  Bench gpu = bench();
  const int columns = 40, rows = 9;
  std::vector<Half> x(static_cast<std::size_t>(columns * rows));
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<Half>(i + 1);
  TensorMap map;
  map.address = gpu.upload(std::vector<Half>(64 * 64, 0));
  map.rank = 2;
  map.sizes = {64, 64, 0, 0, 0};
  map.strides = {2, 128, 0, 0, 0};
  map.box = {32, 8, 0, 0, 0};
  const std::uint64_t scratch = gpu.device.memory().allocate(128), y = gpu.allocate(512);
  gpu.run_clean("replace_map", grid(1, 32), map.encode(), scratch, gpu.upload(x), columns, rows, y);
  const auto got = gpu.download<Half>(y, 256);
  for (int r = 0; r < 8; ++r) {
    for (int c = 0; c < 32; ++c) {
      const bool inside = r + 2 < rows && c + 8 < columns;
      const Half want = inside ? x[static_cast<std::size_t>((r + 2) * columns + c + 8)] : Half{0};
      INFO("row " << r << ", column " << c);
      REQUIRE(got[static_cast<std::size_t>(r * 32 + c)] == want);
    }
  }
}

}  // namespace vgpu
