// How fast the virtual GPU is with its checks on: lane instructions and emulated tensor-core FLOP a second on one core,
// and a network on all of them.
#include <benchmark/benchmark.h>

#include <cstring>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "machine/device.h"

namespace {

constexpr const char* kHeader = ".version 8.7\n.target sm_90a\n.address_size 64\n";

vgpu::Settings settings() {
  vgpu::Settings s;
  s.threads = 1;
  s.memory = std::uint64_t{256} << 20;
  return s;
}

/// A loop of `count` rounds around `body`; registers %f, %r, %rd and the shared array `tile` are there to use.
std::string kernel(const std::string& setup, const std::string& body, int count, const std::string& finish) {
  return std::string(kHeader) +
         ".visible .entry k(.param .u64 x, .param .u64 y)\n{\n.shared .align 1024 .b8 tile[32768];\n.reg .pred %p<4>; "
         ".reg .f32 %f<160>; .reg .b32 %r<64>; .reg .b64 %rd<16>;\n" +
         "mov.u32 %r0, %tid.x;\nld.param.u64 %rd1, [x];\nld.param.u64 %rd2, [y];\nmov.u32 %r3, tile;\n" + setup +
         "mov.u32 %r1, 0;\nL:\n" + body + "add.u32 %r1, %r1, 1;\nsetp.lt.u32 %p1, %r1, " + std::to_string(count) +
         ";\n@%p1 bra L;\n" + finish + "ret;\n}\n";
}

/// Runs a kernel of one block; items are what `per_launch` says.
void run(benchmark::State& state, const std::string& ptx, std::uint32_t threads, double per_launch, const char* unit) {
  vgpu::Device device(settings());
  const auto module = device.load(ptx);
  const std::vector<float> zeros(1 << 20, 0.0f);
  std::uint64_t pointers[2] = {device.memory().allocate(zeros.size() * 4), device.memory().allocate(zeros.size() * 4)};
  for (const std::uint64_t p : pointers) device.memory().write(p, zeros.data(), zeros.size() * 4);
  vgpu::LaunchConfig config;
  config.block = {threads, 1, 1};
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(pointers);
  for (auto _ : state) {
    const vgpu::LaunchResult result = device.launch(*module, *module->entry("k"), config, {bytes, sizeof pointers});
    if (result.report) {
      state.SkipWithError(vgpu::to_string(*result.report).c_str());
      return;
    }
  }
  state.counters[unit] =
      benchmark::Counter(per_launch * static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}

void arithmetic(benchmark::State& state) {
  std::string setup, body;
  for (int i = 0; i < 8; ++i)
    setup += "cvt.rn.f32.u32 %f" + std::to_string(i) + ", %r0;\nadd.u32 %r" + std::to_string(8 + i) + ", %r0, " +
             std::to_string(i) + ";\n";
  for (int i = 0; i < 16; ++i) {
    const std::string a = std::to_string(i % 8), b = std::to_string(8 + (i + 3) % 8), c = std::to_string(8 + i % 8);
    body += "fma.rn.f32 %f" + a + ", %f" + a + ", 0f3F7FFFFF, 0f3F000000;\nmad.lo.s32 %r" + c + ", %r" + b +
            ", 3, %r0;\nxor.b32 %r" + b + ", %r" + c + ", %r1;\nshl.b32 %r" + c + ", %r" + b + ", 1;\n";
  }
  constexpr int kRounds = 2000;
  run(state, kernel(setup, body, kRounds, ""), 256, 256.0 * kRounds * 67, "lane_instructions");
}

void memory(benchmark::State& state) {
  // Coalesced loads and stores of 16 bytes, global and shared.
  const std::string setup =
      "mul.wide.u32 %rd3, %r0, 16;\nadd.u64 %rd1, %rd1, %rd3;\nadd.u64 %rd2, %rd2, %rd3;\nmad.lo.u32 %r4, %r0, 16, "
      "%r3;\n";
  const std::string body =
      "ld.global.v4.f32 {%f0, %f1, %f2, %f3}, [%rd1];\nst.shared.v4.f32 [%r4], {%f0, %f1, %f2, %f3};\nld.shared.v4.f32 "
      "{%f4, %f5, %f6, %f7}, [%r4];\nst.global.v4.f32 [%rd2], {%f4, %f5, %f6, %f7};\n";
  constexpr int kRounds = 2000;
  run(state, kernel(setup, body, kRounds, ""), 256, 256.0 * kRounds * 64, "bytes");
}

void mma(benchmark::State& state) {
  // A warp's 64x32 tile: per 16 of K six ldmatrix.x4 and sixteen mma, as a GEMM's main loop does.
  std::string setup = "mad.lo.u32 %r4, %r0, 16, %r3;\n", body;
  for (int i = 0; i < 7; ++i)
    setup += "mov.b32 %r5, 0;\nst.shared.v4.b32 [%r4 + " + std::to_string(i * 4096) + "], {%r5, %r5, %r5, %r5};\n";
  for (int i = 0; i < 64; ++i) setup += "mov.f32 %f" + std::to_string(i) + ", 0f00000000;\n";
  setup += "bar.sync 0;\n";
  for (int i = 0; i < 6; ++i) {
    const int r = 8 + 4 * i;
    body += "ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%r" + std::to_string(r) + ", %r" + std::to_string(r + 1) +
            ", %r" + std::to_string(r + 2) + ", %r" + std::to_string(r + 3) + "}, [%r4 + " + std::to_string(i * 4096) +
            "];\n";
  }
  for (int m = 0; m < 4; ++m) {
    for (int n = 0; n < 4; ++n) {
      const int d = 16 * m + 4 * n, a = 8 + 4 * m, b = 24 + 2 * n;
      std::string c;
      for (int i = 0; i < 4; ++i) c += (i != 0 ? ", %f" : "{%f") + std::to_string(d + i);
      c += "}";
      body += "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 " + c + ", {%r" + std::to_string(a) + ", %r" +
              std::to_string(a + 1) + ", %r" + std::to_string(a + 2) + ", %r" + std::to_string(a + 3) + "}, {%r" +
              std::to_string(b) + ", %r" + std::to_string(b + 1) + "}, " + c + ";\n";
    }
  }
  constexpr int kRounds = 100;
  run(state, kernel(setup, body, kRounds, ""), 256, 8.0 * kRounds * 16 * 4096, "FLOP");
}

void wgmma(benchmark::State& state) {
  // m64n128k16 from shared memory with 128-byte swizzle, four a group.
  std::string setup = "mad.lo.u32 %r4, %r0, 16, %r3;\nmov.b32 %r5, 0;\n", accumulators, body;
  for (int i = 0; i < 16; ++i)
    setup += "st.shared.v4.b32 [%r4 + " + std::to_string(i * 2048) + "], {%r5, %r5, %r5, %r5};\n";
  for (int i = 0; i < 64; ++i) {
    setup += "mov.f32 %f" + std::to_string(i) + ", 0f00000000;\n";
    accumulators += (i != 0 ? ", %f" : "{%f") + std::to_string(i);
  }
  accumulators += "}";
  setup +=
      "fence.proxy.async.shared::cta;\nbar.sync 0;\nbfe.u32 %r6, %r3, 4, 14;\ncvt.u64.u32 %rd4, %r6;\nor.b64 %rd4, "
      "%rd4, 4611686293305294848;\nadd.u64 %rd5, %rd4, 512;\n";
  body = "wgmma.fence.sync.aligned;\n";
  for (int i = 0; i < 4; ++i)
    body += "wgmma.mma_async.sync.aligned.m64n128k16.f32.f16.f16 " + accumulators + ", %rd4, %rd5, 1, 1, 1, 0, 0;\n";
  body += "wgmma.commit_group.sync.aligned;\nwgmma.wait_group.sync.aligned 0;\n";
  constexpr int kRounds = 20;
  run(state, kernel(setup, body, kRounds, ""), 128, kRounds * 4 * 2.0 * 64 * 128 * 16, "FLOP");
}

std::string file(const std::string& name) {
  std::ifstream stream(std::string(MASKRT_TEST_DATA) + name);
  if (!stream) throw vgpu::Error("expected the PTX file " + name + ", found none");
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

/// Parameters one after another, each at its offset.
template <class... P>
std::vector<std::uint8_t> parameters(const vgpu::Program& kernel, const P&... values) {
  std::vector<std::uint8_t> bytes;
  std::size_t i = 0;
  const auto append = [&](const void* value, std::size_t size) {
    const vgpu::ParamSlot& slot = kernel.parameters.at(i++);
    bytes.resize(slot.offset + size);
    std::memcpy(bytes.data() + slot.offset, value, size);
  };
  (append(&values, sizeof values), ...);
  return bytes;
}

/// A network of about 10 GFLOP on all cores: the convolutions of a ResNet-50 for 256 x 256 pixels as matrix products,
/// half of them by Triton's kernel, half by nvcc's, and a pass over each result. What a whole model costs to run here.
void network(benchmark::State& state) {
  struct Layer {
    int rows, columns, depth, times;
  };
  static constexpr Layer kLayers[] = {
      {16384, 64, 152, 1}, {4096, 64, 64, 1},    {4096, 64, 576, 3},  {4096, 256, 64, 4},  {4096, 64, 256, 2},
      {4096, 128, 256, 1}, {1024, 128, 1152, 4}, {1024, 512, 128, 4}, {1024, 512, 256, 1}, {1024, 128, 512, 3},
      {1024, 256, 512, 1}, {256, 256, 2304, 6},  {256, 1024, 256, 6}, {256, 1024, 512, 1}, {256, 256, 1024, 5},
      {256, 512, 1024, 1}, {64, 512, 4608, 3},   {64, 2048, 512, 3},  {64, 2048, 1024, 1}, {64, 512, 2048, 2},
  };
  vgpu::Settings s;
  s.compute_capability = 80;
  s.memory = std::uint64_t{256} << 20;
  vgpu::Device device(s);
  const auto triton = device.load(file("/ptx/gemm_f16_sm80.ptx")), nvcc = device.load(file("/ptx_cuda/ampere.ptx"));
  const auto pass = device.load(
      std::string(kHeader) +
      ".visible .entry k(.param .u64 x, .param .u32 n)\n{\n.reg .pred %p; .reg .b32 %r<8>; .reg .b64 %rd<3>;\n"
      "mov.u32 %r1, %ctaid.x;\nmov.u32 %r2, %ntid.x;\nmov.u32 %r3, %tid.x;\nmad.lo.u32 %r1, %r1, %r2, %r3;\n"
      "ld.param.u32 %r2, [n];\nsetp.ge.u32 %p, %r1, %r2;\n@%p bra DONE;\nld.param.u64 %rd1, [x];\n"
      "mad.wide.u32 %rd1, %r1, 16, %rd1;\nld.global.v4.b32 {%r4, %r5, %r6, %r7}, [%rd1];\nmov.b32 %r3, 0;\n"
      "max.f16x2 %r4, %r4, %r3;\nmax.f16x2 %r5, %r5, %r3;\nmax.f16x2 %r6, %r6, %r3;\nmax.f16x2 %r7, %r7, %r3;\n"
      "st.global.v4.b32 [%rd1], {%r4, %r5, %r6, %r7};\nDONE: ret;\n}\n");
  constexpr std::size_t kBytes = std::size_t{16} << 20;
  const std::vector<std::uint16_t> values(kBytes / 2, 0x2000);
  std::uint64_t buffers[3];
  for (std::uint64_t& b : buffers) {
    b = device.memory().allocate(kBytes);
    device.memory().write(b, values.data(), kBytes);
  }
  double flop = 0;
  const auto launch = [&](const vgpu::Module& module, const char* entry, vgpu::Dim3 grid, std::uint32_t shared,
                          const auto&... arguments) {
    const vgpu::Program& kernel = *module.entry(entry);
    vgpu::LaunchConfig config;
    config.grid = grid;
    config.block = {128, 1, 1};
    config.dynamic_shared = shared;
    const auto result = device.launch(module, kernel, config, parameters(kernel, arguments...));
    if (result.report) throw vgpu::Error(vgpu::to_string(*result.report));
  };
  const auto tiles = [](int n, int tile) { return static_cast<std::uint32_t>((n + tile - 1) / tile); };
  for (auto _ : state) {
    flop = 0;
    int number = 0;
    for (const Layer& l : kLayers) {
      for (int i = 0; i < l.times; ++i, ++number) {
        if (number % 2 == 0) {
          launch(*triton, "matmul", {tiles(l.rows, 64), tiles(l.columns, 64), 1}, 12288, buffers[0], buffers[1],
                 buffers[2], l.rows, l.columns, l.depth, l.depth, l.columns, l.columns, std::uint64_t{0},
                 std::uint64_t{0});
        } else {
          launch(*nvcc, "gemm_bf16", {tiles(l.columns, 64), tiles(l.rows, 64), 1}, 0, buffers[0], buffers[1],
                 buffers[2], l.rows, l.columns, l.depth);
        }
        const int pieces = l.rows * l.columns / 8;
        launch(*pass, "k", {tiles(pieces, 128), 1, 1}, 0, buffers[2], pieces);
        flop += 2.0 * l.rows * l.columns * l.depth;
      }
    }
  }
  state.counters["GFLOP"] = flop * 1e-9;
  state.counters["FLOP"] =
      benchmark::Counter(flop * static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}

}  // namespace

BENCHMARK(arithmetic)->Unit(benchmark::kMillisecond);
BENCHMARK(memory)->Unit(benchmark::kMillisecond);
BENCHMARK(mma)->Unit(benchmark::kMillisecond);
BENCHMARK(wgmma)->Unit(benchmark::kMillisecond);
BENCHMARK(network)->Unit(benchmark::kSecond)->UseRealTime()->Iterations(1);
BENCHMARK_MAIN();
