// Convolutions with a layer norm behind them on the GPU, against a loop in double.
#include <cmath>
#include <memory>
#include <optional>

#include "kernels/conv/cuda/conv_cuda.h"
#include "kernels/conv/cuda/conv_kernels.h"
#include "placed_map.h"

using namespace maskrt;
using namespace maskrt::kernels;
using namespace maskrt::testing;

namespace {

constexpr std::int64_t kChannels = 256;

struct Case {
  std::int64_t batch, height, width, in;
  bool residual;
  int kernel = 1;
};

CudaConvProblem problem_of(const Case& c, const Tensor& in, const Tensor& out, const Tensor& residual) {
  CudaConvProblem problem;
  problem.geometry = {c.kernel, c.kernel, 1, c.kernel / 2};
  problem.in = in;
  problem.out = out;
  problem.bias = true;
  problem.norm = true;
  problem.norm_epsilon = 1e-5f;
  if (c.residual) problem.residual = residual, problem.residual_kind = ConvResidual::same;
  return problem;
}

/// Multiples of 1/256 below 1, which fp16 holds.
void fill_exactly(const Tensor& t, unsigned seed) {
  std::mt19937 engine(seed);
  for_each_element(t, [&](auto b, auto y, auto x, auto c) {
    set(t, b, y, x, c, static_cast<float>(static_cast<int>(engine() % 511) - 255) / 256);
  });
}

void check(const Case& c) {
  INFO(c.batch << "x" << c.height << "x" << c.width << ", " << c.in << " channels, kernel " << c.kernel
               << (c.residual ? ", residual" : ""));
  const std::int64_t taps = std::int64_t{c.kernel} * c.kernel;
  OwnedTensor in(DataType::f16, c.batch, c.height, c.width, c.in, 0),
      residual(DataType::f16, c.batch, c.height, c.width, kChannels, 0),
      out(DataType::f16, c.batch, c.height, c.width, kChannels, 0), weight(DataType::f32, 1, kChannels, taps, c.in, 0),
      vectors(DataType::f32, 1, 3, 1, kChannels, 0);
  fill_exactly(*in, 1), fill_exactly(*residual, 2), fill_exactly(*weight, 3), fill_exactly(*vectors, 4);
  std::vector<float> plain(static_cast<std::size_t>(kChannels * c.in * taps)), of[3];
  for (std::int64_t o = 0; o < kChannels; ++o)
    for (std::int64_t i = 0; i < c.in; ++i)
      for (std::int64_t t = 0; t < taps; ++t)
        plain[static_cast<std::size_t>((o * c.in + i) * taps + t)] = get(*weight, 0, o, t, i);
  for (std::int64_t v = 0; v < 3; ++v)
    for (std::int64_t o = 0; o < kChannels; ++o) of[v].push_back(get(*vectors, 0, v, 0, o));

  const DeviceTensor device_in(*in), device_residual(*residual);
  const DeviceArray<float> bias(of[0]), norm_weight(of[1]), norm_bias(of[2]);
  CudaConvProblem problem = problem_of(c, *device_in, *out, *device_residual);
  problem.out.data = nullptr;
  CudaQueue& queue = Gpu::instance().queue();
  const std::vector<ConvChoice> choices = conv_choices(problem, queue.chip());
  REQUIRE(choices.empty() == (queue.chip().path() != KernelPath::sm90a));
  for (const ConvChoice& choice : choices) {
    INFO(conv_kernels()[static_cast<std::size_t>(choice.kernel)].name.entry << " in " << choice.splits << " parts");
    out.poison();
    const DeviceTensor device_out(*out);
    problem.out = *device_out;
    const CudaConvPlan plan = plan_conv(problem, queue.chip(), &choice);
    std::vector<std::byte> packed(plan.weights.bytes());
    pack_conv_weight(plan.weights, plain.data(), packed.data());
    const DeviceArray<std::byte> weights(packed);
    const DeviceBytes workspace(plan.workspace_bytes + 16);
    const DeviceArray<unsigned> counters(std::vector<unsigned>(plan.counter_bytes / 4 + 4, 0));
    CudaConvOperands operands;
    operands.in = (*device_in).data;
    operands.weights = weights.data();
    operands.bias = bias.data();
    operands.residual = c.residual ? (*device_residual).data : nullptr;
    operands.norm_weight = norm_weight.data();
    operands.norm_bias = norm_bias.data();
    operands.out = (*device_out).data;
    operands.workspace = workspace.data();
    operands.counters = counters.data();
    launch_conv(plan, operands, queue);
    device_out.download(*out);

    for (std::int64_t b = 0; b < c.batch; ++b)
      for (std::int64_t y = 0; y < c.height; ++y)
        for (std::int64_t x = 0; x < c.width; ++x) {
          std::vector<double> sums;
          double mean = 0, squares = 0;
          for (std::int64_t o = 0; o < kChannels; ++o) {
            double sum = of[0][static_cast<std::size_t>(o)] + (c.residual ? get(*residual, b, y, x, o) : 0.0f);
            for (std::int64_t t = 0; t < taps; ++t) {
              const std::int64_t v = y + t / c.kernel - c.kernel / 2, u = x + t % c.kernel - c.kernel / 2;
              if (v < 0 || v >= c.height || u < 0 || u >= c.width) continue;
              for (std::int64_t i = 0; i < c.in; ++i)
                sum += static_cast<double>(get(*weight, 0, o, t, i)) * get(*in, b, v, u, i);
            }
            sums.push_back(sum);
            mean += sum / kChannels;
          }
          for (const double sum : sums) squares += (sum - mean) * (sum - mean) / kChannels;
          const double scale = 1 / std::sqrt(squares + 1e-5);
          for (std::int64_t o = 0; o < kChannels; ++o) {
            const auto at = static_cast<std::size_t>(o);
            const double want = (sums[at] - mean) * scale * of[1][at] + of[2][at], got = get(*out, b, y, x, o);
            // Sums of products below 1 on tensor cores, as a share of their spread, and one rounding to fp16.
            const double terms = static_cast<double>(c.in * taps);
            const double bound = 2 * kUnitFp16 * std::abs(want) + 0x1p-24 + scale * kUnitFp32 * terms * 4 + 1e-5;
            if (!(std::abs(got - want) <= bound))
              FAIL("pixel " << y << ", " << x << " of image " << b << ", channel " << o << ": got " << got << ", want "
                            << want << ", bound " << bound);
          }
        }
  }
}

}  // namespace

TEST_CASE("a norm behind a convolution is part of it on Hopper") {
  // Tiles of 72 and 136 pixels in pairs: one that is not full, several, ragged ones; a depth of one step and of many;
  // depths that are split.
  for (const Case& c : {Case{1, 1, 1, 256, false},
                        {2, 7, 9, 64, true},
                        {1, 20, 27, 1024, true},
                        {3, 13, 17, 96, true},
                        {1, 6, 5, 64, true, 3},
                        {1, 1, 145, 32, false}})
    check(c);
}

TEST_CASE("norms behind convolutions that no kernel has are refused") {
  const Chip& chip = Gpu::instance().chip();
  const auto map = [](DataType type, std::int64_t channels) { return dense(nullptr, type, 1, 8, 8, channels, 0); };
  const auto may = [&](DataType type, std::int64_t out, auto&& change) {
    CudaConvProblem problem = problem_of({1, 8, 8, 64, false}, map(type, 64), map(type, out), {});
    problem.norm = false;
    change(problem);
    return may_norm(problem, chip);
  };
  const auto nothing = [](CudaConvProblem&) {};
  CHECK(may(DataType::f16, 256, nothing) == (chip.path() == KernelPath::sm90a));
  CHECK_FALSE(may(DataType::f32, 256, nothing));
  CHECK_FALSE(may(DataType::f16, 128, nothing));
  CHECK_FALSE(may(DataType::f16, 512, nothing));
  CHECK_FALSE(may(DataType::f16, 256, [](CudaConvProblem& p) { p.activation = Activation::relu; }));
  CHECK_FALSE(may(DataType::f16, 256, [](CudaConvProblem& p) { p.geometry.groups = 2; }));
  CHECK_FALSE(may(DataType::f16, 256, [](CudaConvProblem& p) { p.out.pixel_stride += 4; }));
  CudaConvProblem wrong = problem_of({1, 8, 8, 64, false}, map(DataType::f16, 64), map(DataType::f16, 128), {});
  CHECK_THROWS_WITH(plan_conv(wrong, chip), Catch::Contains("expected a problem that may_norm() takes, found a norm"));
}
