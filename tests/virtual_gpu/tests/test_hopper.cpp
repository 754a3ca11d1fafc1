// What sm_90a adds, in kernels that nvcc compiled: clusters, TMA, wgmma, zero fill.
#include "harness.h"

namespace vgpu {
namespace {

using Half = std::uint16_t;

/// Small integers are exact in every format: results must be equal.
Half half_of(int v) {
  if (v == 0) return 0;
  const int magnitude = v < 0 ? -v : v;
  int exponent = 0;
  while (magnitude >> (exponent + 1) != 0) ++exponent;
  return static_cast<Half>((v < 0 ? 0x8000 : 0) | (exponent + 15) << 10 | ((magnitude << (10 - exponent)) & 0x3ff));
}
std::uint16_t bfloat_of(int v) {
  const float f = static_cast<float>(v);
  std::uint32_t bits;
  std::memcpy(&bits, &f, 4);
  return static_cast<std::uint16_t>(bits >> 16);
}

TensorMap map_2d(std::uint64_t address, std::uint32_t rows, std::uint32_t columns, std::uint32_t box_rows,
                 std::uint32_t box_columns, std::uint32_t swizzle) {
  TensorMap map;
  map.address = address;
  map.rank = 2;
  map.sizes = {columns, rows, 0, 0, 0};
  map.strides = {2, columns * 2, 0, 0, 0};
  map.box = {box_columns, box_rows, 0, 0, 0};
  map.swizzle_bytes = swizzle;
  return map;
}

std::vector<Half> counting(std::size_t count) {
  std::vector<Half> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = static_cast<Half>(i + 1);
  return values;
}

}  // namespace

TEST_CASE("blocks of a cluster read each other's shared memory") {
  for (std::uint64_t seed = 0; seed < 3; ++seed) {
    Bench bench(test_ptx("hopper.ptx"), test_settings(90, seed));
    const std::uint64_t y = bench.allocate(8 * 64 * 4), count = bench.allocate(8);
    bench.run_clean("neighbours", grid(8, 64), y, count);
    const auto got = bench.download<int>(y, 512);
    for (int i = 0; i < 512; ++i) REQUIRE(got[static_cast<std::size_t>(i)] == (i / 64 % 4 + 1) % 4 * 1000 + i % 64);
    CHECK(bench.download<int>(count, 2) == std::vector<int>{256, 256});
  }
}

TEST_CASE("a multicast load fills both blocks' memory, zero beyond the tensor") {
  for (std::uint64_t seed = 0; seed < 3; ++seed) {
    Bench bench(test_ptx("hopper.ptx"), test_settings(90, seed));
    const auto x = counting(40 * 32);
    const TensorMap map = map_2d(bench.upload(x), 40, 32, 16, 32, 0);
    const std::uint64_t y = bench.allocate(2 * 16 * 32 * 2);
    bench.run_clean("multicast", grid(2, 64), map.encode(), y, 30);
    const auto got = bench.download<Half>(y, 2 * 16 * 32);
    for (std::size_t i = 0; i < got.size(); ++i) {
      const std::size_t row = 30 + i / 32 % 16;
      REQUIRE(got[i] == (row < 40 ? x[row * 32 + i % 32] : 0));
    }
  }
}

TEST_CASE("an im2col load walks the bounding box and shifts by the tap") {
  // N 2, H 5, W 6, C 16; a 3x3 convolution with padding 1: corners -1 and -1.
  Bench bench(test_ptx("hopper.ptx"));
  const int n = 2, h = 5, w = 6, c = 16, pixels = 24;
  const auto x = counting(static_cast<std::size_t>(n * h * w * c));
  TensorMap map;
  map.address = bench.upload(x);
  map.rank = 4;
  map.sizes = {16, 6, 5, 2, 0};
  map.strides = {2, 32, 32 * 6, 32 * 6 * 5, 0};
  map.im2col = true;
  map.lower = {-1, -1, 0};
  map.upper = {-1, -1, 0};
  map.channels = 8;
  map.pixels = pixels;
  for (int tap = 0; tap < 9; ++tap) {
    for (const int first : {-1, 2}) {
      const std::uint64_t y = bench.allocate(pixels * 8 * 2);
      // Starts in the last row of image 0, so that it crosses into image 1.
      bench.run_clean("im2col", grid(1, 32, pixels * 8 * 2), map.encode(), y, pixels * 8, 8, first, 3, 0, tap % 3,
                      tap / 3);
      const auto got = bench.download<Half>(y, pixels * 8);
      int at_w = first, at_h = 3, at_n = 0;
      for (int p = 0; p < pixels; ++p) {
        const int iw = at_w + tap % 3, ih = at_h + tap / 3;
        for (int k = 0; k < 8; ++k) {
          const bool inside = iw >= 0 && iw < w && ih >= 0 && ih < h && at_n < n;
          const Half want = inside ? x[static_cast<std::size_t>(((at_n * h + ih) * w + iw) * c + 8 + k)] : Half{0};
          INFO("tap " << tap << ", pixel " << p << ", channel " << k);
          REQUIRE(got[static_cast<std::size_t>(p * 8 + k)] == want);
        }
        // Output positions run from -1 to W - 2 and to H - 2, one for each output of the padded convolution.
        if (++at_w > w - 2) {
          at_w = -1;
          if (++at_h > h - 2) {
            at_h = -1;
            ++at_n;
          }
        }
      }
    }
  }
}

TEST_CASE("tiles go in and out through every swizzle; what lies outside is not written") {
  for (const std::uint32_t swizzle : {0u, 32u, 64u, 128u}) {
    Bench bench(test_ptx("hopper.ptx"));
    const std::uint32_t columns = swizzle == 0 ? 32 : swizzle / 2, rows = 20;
    const auto x = counting(std::size_t{64} * 64);
    const std::uint64_t from = bench.upload(x), to = bench.upload(std::vector<Half>(64 * 64, 0));
    bench.run_clean("tensor_copy", grid(1, 32, 16384), map_2d(from, 64, 64, rows, columns, swizzle).encode(),
                    map_2d(to, 64, 64, rows, columns, swizzle).encode(), static_cast<int>(rows * columns * 2), 8, 50,
                    56, -3);
    const auto got = bench.download<Half>(to, 64 * 64);
    for (int r = 0; r < 64; ++r) {
      for (int k = 0; k < 64; ++k) {
        const int row = r + 3, column = k - 56;
        const bool copied = row < static_cast<int>(rows) && column >= 0 && column < static_cast<int>(columns);
        const int source_row = 50 + row, source_column = 8 + column;
        const Half want = copied && source_row < 64 && source_column < 64
                              ? x[static_cast<std::size_t>(source_row * 64 + source_column)]
                              : Half{0};
        INFO("swizzle " << swizzle << ", row " << r << ", column " << k);
        REQUIRE(got[static_cast<std::size_t>(r * 64 + k)] == want);
      }
    }
  }
}

namespace {

/// Places elements in shared memory the way the manual draws the layouts: atoms of 8 rows of `span` bytes (of 16
/// without swizzle), in which the 16-byte chunk c of row r stands at chunk c xor (r * span / 128 mod chunks).
struct Image {
  std::vector<Half> halves = std::vector<Half>(8192, 0);
  std::uint32_t span;

  /// `row` counts along the strided direction of an atom, `column` along the contiguous one.
  void put(std::uint32_t base, std::uint32_t row_stride, std::uint32_t column_stride, std::uint32_t row,
           std::uint32_t column, Half value) {
    const std::uint32_t width = (span == 0 ? 16 : span) / 2;
    const std::uint32_t atom = base + row / 8 * row_stride + column / width * column_stride;
    std::uint32_t chunk = column % width / 8;
    if (span != 0) chunk ^= (row % 8) * span / 128 % (span / 16);
    halves[atom / 2 + row % 8 * width + chunk * 8 + column % 8] = value;
  }
};

std::uint64_t descriptor(std::uint32_t base, std::uint32_t leading, std::uint32_t stride, std::uint32_t span) {
  const std::uint64_t mode = span == 128 ? 1 : span == 64 ? 2 : span == 32 ? 3 : 0;
  return base / 16 | std::uint64_t{leading / 16} << 16 | std::uint64_t{stride / 16} << 32 | mode << 62;
}

}  // namespace

TEST_CASE("wgmma reads every layout of shared memory") {
  // PTX ISA, 9.7.15.5.1: K-major and MN-major, without swizzle and with 32, 64 and 128 bytes.
  for (const bool transposed : {false, true}) {
    for (const std::uint32_t span : {0u, 32u, 64u, 128u}) {
      INFO((transposed ? "MN-major" : "K-major") << ", swizzle " << span);
      Numbers numbers(5);
      int a[64][16], b[16][16];
      for (auto& row : a)
        for (int& v : row) v = numbers.integer(-8, 8);
      for (auto& row : b)
        for (int& v : row) v = numbers.integer(-8, 8);
      Image image;
      image.span = span;
      const std::uint32_t atom = 8 * (span == 0 ? 16 : span), b_base = 8192;
      // Strides between atoms, chosen so that nothing overlaps: rows of atoms 1024 * 4 apart where they are few.
      const std::uint32_t along = transposed ? (span == 0 ? atom : 2 * atom) : atom;
      const std::uint32_t across = transposed ? (span == 0 ? 8 * atom : atom) : (span == 0 ? 8 * atom : 0);
      for (std::uint32_t m = 0; m < 64; ++m) {
        for (std::uint32_t k = 0; k < 16; ++k) {
          if (transposed)
            image.put(0, across, along, k, m, half_of(a[m][k]));
          else
            image.put(0, along, across, m, k, half_of(a[m][k]));
        }
      }
      for (std::uint32_t n = 0; n < 16; ++n) {
        for (std::uint32_t k = 0; k < 16; ++k) {
          if (transposed)
            image.put(b_base, across, along, k, n, half_of(b[k][n]));
          else
            image.put(b_base, along, across, n, k, half_of(b[k][n]));
        }
      }
      // K-major: leading is the step along K (without swizzle), stride along M and N. MN-major with swizzle: leading is
      // the step along M and N, stride along K; without, the other way round.
      const bool swapped = transposed && span != 0;
      const std::uint32_t leading = swapped ? along : across, stride = swapped ? across : along;
      Bench bench(test_ptx("hopper.ptx"));
      const std::uint64_t d = bench.allocate(64 * 16 * 4);
      bench.run_clean(transposed ? "product_tt" : "product_nn", grid(1, 128, 16384), bench.upload(image.halves), 1024,
                      descriptor(0, leading, stride, span), descriptor(b_base, leading, stride, span), d);
      const auto got = bench.download<float>(d, 64 * 16);
      for (int m = 0; m < 64; ++m) {
        for (int n = 0; n < 16; ++n) {
          int want = 0;
          for (int k = 0; k < 16; ++k) want += a[m][k] * b[k][n];
          INFO("row " << m << ", column " << n);
          REQUIRE(got[static_cast<std::size_t>(m * 16 + n)] == static_cast<float>(want));
        }
      }
    }
  }
}

TEST_CASE("wgmma's base offset says where the swizzle's pattern starts") {
  // PTX ISA, 9.7.15.5.1 "Matrix Descriptor Format": A lies K-major behind `row` lines of 128 bytes.
  for (const std::uint32_t span : {32u, 64u, 128u}) {
    for (std::uint32_t row = 0; row < span / 16; ++row) {
      INFO("swizzle " << span << ", pattern from line " << row);
      Numbers numbers(7);
      Image image;
      image.span = span;
      const std::uint32_t atom = 8 * span, b_base = 12288;
      image.halves.resize(16384 / 2);
      int a[64][16], b[16][16];
      for (std::uint32_t m = 0; m < 64; ++m) {
        for (std::uint32_t k = 0; k < 16; ++k)
          image.put(row * 128, atom, 0, m, k, half_of(a[m][k] = numbers.integer(-8, 8)));
      }
      for (std::uint32_t n = 0; n < 16; ++n) {
        for (std::uint32_t k = 0; k < 16; ++k)
          image.put(b_base, atom, 0, n, k, half_of(b[k][n] = numbers.integer(-8, 8)));
      }
      const auto run = [&](std::uint32_t base_offset, std::vector<float>& got) {
        Bench bench(test_ptx("hopper.ptx"));
        const std::uint64_t d = bench.allocate(64 * 16 * 4);
        const LaunchResult result = bench.run("product_nn", grid(1, 128, 16384), bench.upload(image.halves), 1024,
                                              descriptor(row * 128, 0, atom, span) | std::uint64_t{base_offset} << 49,
                                              descriptor(b_base, 0, atom, span), d);
        if (!result.report) got = bench.download<float>(d, 64 * 16);
        return result;
      };
      std::vector<float> got;
      const LaunchResult repaired = run(row, got);
      if (repaired.report) FAIL(to_string(*repaired.report));
      for (int m = 0; m < 64; ++m) {
        for (int n = 0; n < 16; ++n) {
          int want = 0;
          for (int k = 0; k < 16; ++k) want += a[m][k] * b[k][n];
          INFO("row " << m << ", column " << n);
          REQUIRE(got[static_cast<std::size_t>(m * 16 + n)] == static_cast<float>(want));
        }
      }
      const std::uint32_t wrong = row == 0 ? 1 : 0;
      const LaunchResult broken = run(wrong, got);
      REQUIRE(broken.report);
      CHECK(broken.report->check == Check::invalid);
      INFO(broken.report->message);
      CHECK(broken.report->message.find("expected base offset " + std::to_string(row) + ", found " +
                                        std::to_string(wrong)) != std::string::npos);
    }
  }
}

TEST_CASE("wgmma with A in registers accumulates in bf16") {
  Numbers numbers(6);
  std::vector<std::uint16_t> a(64 * 16), b(16 * 16);
  std::vector<float> d(64 * 16);
  std::vector<int> ia(a.size()), ib(b.size()), id(d.size());
  for (std::size_t i = 0; i < a.size(); ++i) a[i] = bfloat_of(ia[i] = numbers.integer(-8, 8));
  for (std::size_t i = 0; i < d.size(); ++i) d[i] = static_cast<float>(id[i] = numbers.integer(-100, 100));
  for (std::size_t n = 0; n < 16; ++n) {
    for (std::size_t k = 0; k < 16; ++k) {
      const int v = ib[n * 16 + k] = numbers.integer(-8, 8);
      b[n / 8 * 128 + k / 8 * 64 + n % 8 * 8 + k % 8] = bfloat_of(v);
    }
  }
  Bench bench(test_ptx("hopper.ptx"));
  const std::uint64_t result = bench.upload(d);
  bench.run_clean("product_registers", grid(1, 128), bench.upload(a), bench.upload(b), result);
  const auto got = bench.download<float>(result, d.size());
  for (std::size_t m = 0; m < 64; ++m) {
    for (std::size_t n = 0; n < 16; ++n) {
      int want = id[m * 16 + n];
      for (std::size_t k = 0; k < 16; ++k) want += 2 * ia[m * 16 + k] * ib[n * 16 + k];
      REQUIRE(got[m * 16 + n] == static_cast<float>(want));
    }
  }
}

TEST_CASE("cp.async of 4, 8 and 16 bytes fills with zeros and arrives on an mbarrier") {
  for (const int bytes : {4, 8, 16}) {
    for (const int size : {0, bytes / 2, bytes}) {
      for (std::uint64_t seed = 0; seed < 3; ++seed) {
        Bench bench(test_ptx("hopper.ptx"), test_settings(90, seed));
        std::vector<std::uint8_t> x(static_cast<std::size_t>(32 * bytes));
        for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<std::uint8_t>(i * 7 + 1);
        const std::uint64_t y = bench.allocate(x.size());
        bench.run_clean("zero_fill_" + std::to_string(bytes), grid(1, 32), bench.upload(x), y, size);
        const auto got = bench.download<std::uint8_t>(y, x.size());
        for (int i = 0; i < 32 * bytes; ++i) {
          const int from = (31 - i / bytes) * bytes + i % bytes;
          REQUIRE(got[static_cast<std::size_t>(i)] == (i % bytes < size ? x[static_cast<std::size_t>(from)] : 0));
        }
      }
    }
  }
}

}  // namespace vgpu
