// mma.sync in every shape and type, and the instructions that move its fragments, against plain matrix products.
#include <bit>
#include <functional>

#include "harness.h"

namespace vgpu {
namespace {

/// How a type's small integers are stored, and how many a 32-bit register holds.
struct Format {
  std::string name;
  int bits;
  int low, high;
  std::function<std::uint64_t(int)> encode;
};

std::uint64_t as_float(int v) { return std::bit_cast<std::uint32_t>(static_cast<float>(v)); }
std::uint64_t as_half(int v) {
  // f32 with its exponent rebased; exact for small integers.
  const auto f = static_cast<std::uint32_t>(as_float(v));
  return v == 0 ? 0 : (f >> 16 & 0x8000) | (((f >> 23 & 255) - 112) << 10) | (f >> 13 & 1023);
}
std::uint64_t as_e4m3(int v) {
  const auto f = static_cast<std::uint32_t>(as_float(v));
  return v == 0 ? 0 : (f >> 24 & 0x80) | (((f >> 23 & 255) - 120) << 3) | (f >> 20 & 7);
}
std::uint64_t as_e5m2(int v) {
  const auto f = static_cast<std::uint32_t>(as_float(v));
  return v == 0 ? 0 : (f >> 24 & 0x80) | (((f >> 23 & 255) - 112) << 2) | (f >> 21 & 3);
}

const Format kHalf{"f16", 16, -8, 8, as_half};
const Format kBfloat{"bf16", 16, -8, 8, [](int v) { return as_float(v) >> 16; }};
const Format kTf32{"tf32", 32, -8, 8, as_float};
const Format kDouble{"f64", 64, -8, 8, [](int v) { return std::bit_cast<std::uint64_t>(static_cast<double>(v)); }};
const Format kS8{"s8", 8, -128, 127, [](int v) { return static_cast<std::uint64_t>(v) & 255; }};
const Format kU8{"u8", 8, 0, 255, [](int v) { return static_cast<std::uint64_t>(v); }};
const Format kS4{"s4", 4, -8, 7, [](int v) { return static_cast<std::uint64_t>(v) & 15; }};
const Format kU4{"u4", 4, 0, 15, [](int v) { return static_cast<std::uint64_t>(v); }};
const Format kE4m3{"e4m3", 8, -8, 8, as_e4m3};
const Format kE5m2{"e5m2", 8, -4, 4, as_e5m2};
const Format kFloat{"f32", 32, -1000, 1000, as_float};
const Format kS32{"s32", 32, -100000, 100000,
                  [](int v) { return static_cast<std::uint64_t>(static_cast<std::uint32_t>(v)); }};

/// One warp runs one mma. Fragments follow the manual's index formulas: A's registers advance first over rows, then
/// over columns; a register holds consecutive columns. PTX ISA, 9.7.14.5.1 to 9.7.14.5.13.
void check(int m, int k, const Format& fa, const Format& fb, const Format& fd) {
  INFO("m" << m << "n8k" << k << " " << fd.name << "." << fa.name << "." << fb.name);
  Numbers numbers(11);
  std::vector<int> a(static_cast<std::size_t>(m * k)), b(static_cast<std::size_t>(k * 8)),
      c(static_cast<std::size_t>(m * 8));
  for (int& v : a) v = numbers.integer(fa.low, fa.high);
  for (int& v : b) v = numbers.integer(fb.low, fb.high);
  const bool half = fd.bits == 16;
  for (int& v : c) v = numbers.integer(half ? -8 : fd.low, half ? 8 : fd.high);
  const int width = fa.bits == 64 ? 64 : 32, per = width / fa.bits, halves = m / 8;
  const int na = halves * k / (4 * per), nb = k / (4 * per), nd = half ? halves : 2 * halves;
  using Words = std::vector<std::uint64_t>;
  const auto registers = [&](int count) { return Words(static_cast<std::size_t>(count * 32), 0); };
  Words ra = registers(na), rb = registers(nb), rc = registers(nd);
  for (int lane = 0; lane < 32; ++lane) {
    const int group = lane >> 2, in_group = lane & 3;
    const auto put = [lane](Words& words, int reg, int shift, std::uint64_t bits) {
      words[static_cast<std::size_t>(reg * 32 + lane)] |= bits << shift;
    };
    for (int i = 0; i < na * per; ++i) {
      const int reg = i / per, row = group + 8 * (reg % halves),
                column = in_group * per + i % per + reg / halves * 4 * per;
      put(ra, reg, i % per * fa.bits, fa.encode(a[static_cast<std::size_t>(row * k + column)]));
    }
    for (int i = 0; i < nb * per; ++i) {
      const int row = in_group * per + i % per + i / per * 4 * per;
      put(rb, i / per, i % per * fb.bits, fb.encode(b[static_cast<std::size_t>(row * 8 + group)]));
    }
    for (int i = 0; i < 2 * halves; ++i) {
      const int row = group + 8 * (i / 2), column = in_group * 2 + i % 2;
      put(rc, half ? i / 2 : i, half ? i % 2 * 16 : 0, fd.encode(c[static_cast<std::size_t>(row * 8 + column)]));
    }
  }
  const std::string reg = width == 64 ? ".b64" : ".b32";
  const int size = width / 8;
  std::string ptx =
      ".version 8.7\n.target sm_90a\n.address_size 64\n.visible .entry k(.param .u64 pa, .param .u64 pb, .param .u64 "
      "pc)\n{\n.reg .b64 %rd<3>; .reg .b32 %r1; .reg " +
      reg + " a<16>; .reg " + reg + " b<8>; .reg " + reg + " c<8>;\nmov.u32 %r1, %laneid;\n";
  const auto list = [](const std::string& name, int count) {
    std::string text = "{";
    for (int i = 0; i < count; ++i) text += (i != 0 ? ", " : "") + name + std::to_string(i);
    return text + "}";
  };
  const auto move = [&](const std::string& name, int count, bool load) {
    ptx += "ld.param.u64 %rd1, [p" + name + "];\nmad.wide.u32 %rd2, %r1, " + std::to_string(size) + ", %rd1;\n";
    for (int i = 0; i < count; ++i) {
      const std::string place = "[%rd2 + " + std::to_string(i * 32 * size) + "]", value = name + std::to_string(i);
      ptx += load ? "ld.global" + reg + " " + value + ", " + place + ";\n"
                  : "st.global" + reg + " " + place + ", " + value + ";\n";
    }
  };
  move("a", na, true);
  move("b", nb, true);
  move("c", nd, true);
  ptx += "mma.sync.aligned.m" + std::to_string(m) + "n8k" + std::to_string(k) + ".row.col." + fd.name + "." + fa.name +
         "." + fb.name + "." + fd.name + " " + list("c", nd) + ", " + list("a", na) + ", " + list("b", nb) + ", " +
         list("c", nd) + ";\n";
  move("c", nd, false);
  ptx += "ret;\n}\n";
  Bench bench(ptx);
  const auto upload = [&](const Words& words) {
    std::vector<std::uint8_t> bytes(words.size() * static_cast<std::size_t>(size));
    for (std::size_t i = 0; i < words.size(); ++i)
      std::memcpy(bytes.data() + i * static_cast<std::size_t>(size), &words[i], static_cast<std::size_t>(size));
    return bench.upload(bytes);
  };
  const std::uint64_t d = upload(rc);
  bench.run_clean("k", grid(1, 32), upload(ra), upload(rb), d);
  const auto got = bench.download<std::uint8_t>(d, rc.size() * static_cast<std::size_t>(size));
  for (int lane = 0; lane < 32; ++lane) {
    for (int i = 0; i < 2 * halves; ++i) {
      const int row = (lane >> 2) + 8 * (i / 2), column = (lane & 3) * 2 + i % 2;
      int want = c[static_cast<std::size_t>(row * 8 + column)];
      for (int x = 0; x < k; ++x)
        want += a[static_cast<std::size_t>(row * k + x)] * b[static_cast<std::size_t>(x * 8 + column)];
      std::uint64_t bits = 0;
      const int at = (half ? i / 2 : i) * 32 + lane;
      std::memcpy(&bits, got.data() + at * size + (half ? i % 2 * 2 : 0), static_cast<std::size_t>(fd.bits / 8));
      INFO("row " << row << ", column " << column << ", want " << want);
      // Sums below 2048 are exact in f16.
      REQUIRE(bits == fd.encode(want));
    }
  }
}

}  // namespace

TEST_CASE("mma") {
  for (const int k : {8, 16}) {
    check(16, k, kHalf, kHalf, kFloat);
    check(16, k, kHalf, kHalf, kHalf);
    check(16, k, kBfloat, kBfloat, kFloat);
  }
  check(16, 4, kTf32, kTf32, kFloat);
  check(16, 8, kTf32, kTf32, kFloat);
  check(8, 4, kDouble, kDouble, kDouble);
  for (const int k : {4, 8, 16}) check(16, k, kDouble, kDouble, kDouble);
  for (const Format& a : {kS8, kU8}) {
    for (const Format& b : {kS8, kU8}) {
      check(8, 16, a, b, kS32);
      check(16, 16, a, b, kS32);
      check(16, 32, a, b, kS32);
    }
  }
  for (const Format& a : {kS4, kU4}) {
    for (const Format& b : {kS4, kU4}) {
      check(8, 32, a, b, kS32);
      check(16, 32, a, b, kS32);
      check(16, 64, a, b, kS32);
    }
  }
  for (const Format& a : {kE4m3, kE5m2}) {
    for (const Format& b : {kE4m3, kE5m2}) {
      for (const int k : {16, 32}) {
        check(16, k, a, b, kFloat);
        check(16, k, a, b, kHalf);
      }
    }
  }
}

TEST_CASE("mma of single bits counts those that agree or differ") {
  // PTX ISA, 9.7.14.5.12 and 9.7.14.5.13: lane l holds bits 32 * (l % 4) on of row l / 4, then of row l / 4 + 8, then
  // the same 128 further on.
  for (const int k : {128, 256}) {
    for (const std::string op : {"xor", "and"}) {
      const int na = k / 64, nb = k / 128;
      Numbers numbers(5);
      std::vector<std::uint32_t> a(static_cast<std::size_t>(na) * 32), b(static_cast<std::size_t>(nb) * 32);
      for (auto& v : a) v = static_cast<std::uint32_t>(numbers.bits());
      for (auto& v : b) v = static_cast<std::uint32_t>(numbers.bits());
      std::string ptx =
          ".version 8.7\n.target sm_90a\n.address_size 64\n.visible .entry k(.param .u64 pa, .param .u64 pb, .param "
          ".u64 pc)\n{\n.reg .b64 %rd<5>; .reg .b32 %r1; .reg .b32 a<4>; .reg .b32 b<2>; .reg .b32 c<4>;\nmov.u32 %r1, "
          "%laneid;\nld.param.u64 %rd1, [pa];\nmad.wide.u32 %rd1, %r1, 4, %rd1;\nld.param.u64 %rd2, [pb];\n"
          "mad.wide.u32 %rd2, %r1, 4, %rd2;\nld.param.u64 %rd3, [pc];\nmad.wide.u32 %rd3, %r1, 16, %rd3;\n";
      std::string list_a, list_b;
      for (int i = 0; i < na; ++i) {
        ptx += "ld.global.b32 a" + std::to_string(i) + ", [%rd1 + " + std::to_string(i * 128) + "];\n";
        list_a += (i != 0 ? ", a" : "a") + std::to_string(i);
      }
      for (int i = 0; i < nb; ++i) {
        ptx += "ld.global.b32 b" + std::to_string(i) + ", [%rd2 + " + std::to_string(i * 128) + "];\n";
        list_b += (i != 0 ? ", b" : "b") + std::to_string(i);
      }
      ptx += "mov.b32 c0, 10;\nmov.b32 c1, 20;\nmov.b32 c2, 30;\nmov.b32 c3, 40;\nmma.sync.aligned.m16n8k" +
             std::to_string(k) + ".row.col.s32.b1.b1.s32." + op + ".popc {c0, c1, c2, c3}, {" + list_a + "}, {" +
             list_b + "}, {c0, c1, c2, c3};\nst.global.v4.b32 [%rd3], {c0, c1, c2, c3};\nret;\n}\n";
      Bench bench(ptx);
      const std::uint64_t d = bench.allocate(512);
      bench.run_clean("k", grid(1, 32), bench.upload(a), bench.upload(b), d);
      const auto got = bench.download<int>(d, 128);
      for (int lane = 0; lane < 32; ++lane) {
        for (int i = 0; i < 4; ++i) {
          const int row = lane / 4, half = i / 2, column = lane % 4 * 2 + i % 2;
          int want = 10 * (i + 1);
          for (int part = 0; part < k / 32; ++part) {
            // Word `part` of the row: quad member part % 4, registers of the upper 128 bits after those of the lower.
            const std::uint32_t x = a[static_cast<std::size_t>((part / 4 * 2 + half) * 32 + row * 4 + part % 4)];
            const std::uint32_t y = b[static_cast<std::size_t>(part / 4 * 32 + column * 4 + part % 4)];
            want += std::popcount(op == "xor" ? x ^ y : x & y);
          }
          INFO("k " << k << ", " << op << ", lane " << lane << ", register " << i);
          REQUIRE(got[static_cast<std::size_t>(lane * 4 + i)] == want);
        }
      }
    }
  }
}

TEST_CASE("mma.m8n8k4 of f16 in every layout") {
  // PTX ISA, 9.7.14.5.1: four products at a time, each by the threads of two quads.
  for (int layouts = 0; layouts < 4; ++layouts) {
    for (int types = 0; types < 4; ++types) {
      const bool a_column = (layouts & 1) != 0, b_row = (layouts & 2) != 0, d_half = (types & 1) != 0,
                 c_half = (types & 2) != 0;
      Numbers numbers(19);
      int a[4][8][4], b[4][4][8], c[4][8][8];
      for (auto& matrix : a)
        for (auto& row : matrix)
          for (int& v : row) v = numbers.integer(-8, 8);
      for (auto& matrix : b)
        for (auto& row : matrix)
          for (int& v : row) v = numbers.integer(-8, 8);
      for (auto& matrix : c)
        for (auto& row : matrix)
          for (int& v : row) v = numbers.integer(-8, 8);
      // Eight words a lane for A and B together (four used), eight for C.
      std::vector<std::uint32_t> given(32 * 4, 0), sums(32 * 8, 0);
      const auto where = [](int lane, int i, bool half) {
        const int upper = lane < 16 ? 0 : 4;
        return half ? std::pair{lane % 4 + upper, i}
                    : std::pair{(lane & 1) + (i & 2) + upper, (i & 4) + (lane & 2) + (i & 1)};
      };
      for (int lane = 0; lane < 32; ++lane) {
        const int product = lane % 16 / 4, upper = lane < 16 ? 0 : 4, in_quad = lane % 4;
        for (int i = 0; i < 4; ++i) {
          const int va = a_column ? a[product][i + upper][in_quad] : a[product][in_quad + upper][i];
          const int vb = b_row ? b[product][in_quad][i + upper] : b[product][i][in_quad + upper];
          given[static_cast<std::size_t>(lane * 4 + i / 2)] |= static_cast<std::uint32_t>(as_half(va)) << i % 2 * 16;
          given[static_cast<std::size_t>(lane * 4 + 2 + i / 2)] |= static_cast<std::uint32_t>(as_half(vb))
                                                                   << i % 2 * 16;
        }
        for (int i = 0; i < 8; ++i) {
          const auto [row, column] = where(lane, i, c_half);
          const int v = c[product][row][column];
          if (c_half) {
            sums[static_cast<std::size_t>(lane * 8 + i / 2)] |= static_cast<std::uint32_t>(as_half(v)) << i % 2 * 16;
          } else {
            sums[static_cast<std::size_t>(lane * 8 + i)] = static_cast<std::uint32_t>(as_float(v));
          }
        }
      }
      const std::string eight = "{c0, c1, c2, c3, c4, c5, c6, c7}", four = "{c0, c1, c2, c3}";
      const std::string results = "{d0, d1, d2, d3, d4, d5, d6, d7}", half_results = "{d0, d1, d2, d3}";
      const std::string ptx =
          std::string(
              ".version 8.7\n.target sm_75\n.address_size 64\n.visible .entry k(.param .u64 pa, .param .u64 pc, "
              ".param .u64 pd)\n{\n.reg .b64 %rd<4>; .reg .b32 %r1; .reg .b32 a<4>; .reg .b32 c<8>; .reg .b32 "
              "d<8>;\nmov.u32 %r1, %laneid;\nld.param.u64 %rd1, [pa];\nmad.wide.u32 %rd1, %r1, 16, "
              "%rd1;\nld.param.u64 %rd2, [pc];\nmad.wide.u32 %rd2, %r1, 32, %rd2;\nld.param.u64 %rd3, "
              "[pd];\nmad.wide.u32 %rd3, %r1, 32, %rd3;\nld.global.v4.b32 {a0, a1, a2, a3}, [%rd1];\n"
              "ld.global.v4.b32 {c0, c1, c2, c3}, [%rd2];\nld.global.v4.b32 {c4, c5, c6, c7}, [%rd2 + 16];\n"
              "mov.b32 d4, 0;\nmov.b32 d5, 0;\nmov.b32 d6, 0;\nmov.b32 d7, 0;\n") +
          "mma.sync.aligned.m8n8k4." + (a_column ? "col" : "row") + (b_row ? ".row." : ".col.") +
          (d_half ? "f16" : "f32") + ".f16.f16." + (c_half ? "f16 " : "f32 ") + (d_half ? half_results : results) +
          ", {a0, a1}, {a2, a3}, " + (c_half ? four : eight) +
          ";\nst.global.v4.b32 [%rd3], {d0, d1, d2, d3};\nst.global.v4.b32 [%rd3 + 16], {d4, d5, d6, d7};\nret;\n}\n";
      Bench bench(ptx, test_settings(75));
      const std::uint64_t d = bench.allocate(1024);
      bench.run_clean("k", grid(1, 32), bench.upload(given), bench.upload(sums), d);
      const auto got = bench.download<std::uint32_t>(d, 256);
      for (int lane = 0; lane < 32; ++lane) {
        const int product = lane % 16 / 4;
        for (int i = 0; i < 8; ++i) {
          const auto [row, column] = where(lane, i, d_half);
          int want = c[product][row][column];
          for (int x = 0; x < 4; ++x) want += a[product][row][x] * b[product][x][column];
          const std::uint32_t word = got[static_cast<std::size_t>(lane * 8 + (d_half ? i / 2 : i))];
          INFO("layouts " << layouts << ", types " << types << ", lane " << lane << ", element " << i);
          REQUIRE((d_half ? word >> i % 2 * 16 & 0xffff : word) == (d_half ? as_half(want) : as_float(want)));
        }
      }
    }
  }
}

TEST_CASE("ldmatrix, stmatrix and movmatrix") {
  // Loads four 8x8 matrices, transposed or not, and stores them elsewhere; the result is the matrices, transposed or
  // not.
  for (const bool load_transposed : {false, true}) {
    for (const bool store_transposed : {false, true}) {
      const std::string t1 = load_transposed ? ".trans" : "", t2 = store_transposed ? ".trans" : "";
      const std::string ptx =
          ".version 8.7\n.target sm_90a\n.address_size 64\n.visible .entry k(.param .u64 x, .param .u64 y)\n{\n.shared "
          ".align 16 .b8 tile[1024];\n"
          ".reg .b64 %rd<5>; .reg .b32 %r<12>;\nmov.u32 %r1, %laneid;\nmov.u32 %r2, tile;\nmad.lo.u32 %r3, %r1, 16, "
          "%r2;\n"
          "ld.param.u64 %rd1, [x];\nmad.wide.u32 %rd2, %r1, 16, %rd1;\nld.global.v4.b32 {%r4, %r5, %r6, %r7}, "
          "[%rd2];\nst.shared.v4.b32 [%r3], {%r4, %r5, %r6, %r7};\nbar.warp.sync 0xffffffff;\n"
          "ldmatrix.sync.aligned.m8n8.x4" +
          t1 +
          ".shared.b16 {%r8, %r9, %r10, %r11}, [%r3];\nmovmatrix.sync.aligned.m8n8.trans.b16 %r8, %r8;\n"
          "stmatrix.sync.aligned.m8n8.x4" +
          t2 +
          ".shared.b16 [%r3 + 512], {%r8, %r9, %r10, %r11};\nbar.warp.sync 0xffffffff;\n"
          "ld.shared.v4.b32 {%r4, %r5, %r6, %r7}, [%r3 + 512];\nld.param.u64 %rd3, [y];\nmad.wide.u32 %rd4, %r1, 16, "
          "%rd3;\nst.global.v4.b32 [%rd4], {%r4, %r5, %r6, %r7};\nret;\n}\n";
      Bench bench(ptx);
      std::vector<std::uint16_t> x(256);
      for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<std::uint16_t>(i * 3 + 1);
      const std::uint64_t y = bench.allocate(512);
      bench.run_clean("k", grid(1, 32), bench.upload(x), y);
      const auto got = bench.download<std::uint16_t>(y, 256);
      for (std::size_t matrix = 0; matrix < 4; ++matrix) {
        for (std::size_t r = 0; r < 8; ++r) {
          for (std::size_t c = 0; c < 8; ++c) {
            const bool swapped = load_transposed != (store_transposed != (matrix == 0));
            INFO("matrix " << matrix << ", row " << r << ", column " << c);
            REQUIRE(got[matrix * 64 + r * 8 + c] ==
                    (swapped ? x[matrix * 64 + c * 8 + r] : x[matrix * 64 + r * 8 + c]));
          }
        }
      }
    }
  }
}

TEST_CASE("an unknown instruction is an error that shows it and its line") {
  const std::string ptx =
      ".version 8.7\n.target sm_90a\n.address_size 64\n.visible .entry k()\n{\n.reg .b32 %r<3>;\nfrobnicate.b32 %r1, "
      "%r2;\nret;\n}\n";
  Device device(test_settings());
  CHECK_THROWS_WITH(device.load(ptx), Catch::Contains("PTX line 7") && Catch::Contains("frobnicate.b32 %r1, %r2"));
  const std::string modifier =
      ".version 8.7\n.target sm_90a\n.address_size 64\n.visible .entry k()\n{\n.reg .b32 %r<3>;\nadd.sideways.s32 %r1, "
      "%r2, %r2;\nret;\n}\n";
  CHECK_THROWS_WITH(device.load(modifier), Catch::Contains("PTX line 7") && Catch::Contains("sideways"));
  CHECK_THROWS_WITH(device.load(".version 8.7\n.target sm_90a\n.address_size 64\n.visible .entry k(\n{ ret; }"),
                    Catch::Contains("PTX line 5"));
}

}  // namespace vgpu
