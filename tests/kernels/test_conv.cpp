// The convolutions of the CPU device against the loop that defines them.
#include <omp.h>

#include <cstdlib>

#include "aligned_memory.h"
#include "kernels/conv/cpu/conv_cpu.h"
#include "kernels/conv/cpu/coordinate_term.h"
#include "kernels/conv/cpu/winograd_weights.h"
#include "owned_tensor.h"

using namespace maskrt;
using namespace maskrt::kernels;
using maskrt::testing::numbers;
using maskrt::testing::OwnedTensor;

namespace {

struct Case {
  std::int64_t batch, height, width, in, out;
  ConvGeometry geometry;
  bool bias = true, accumulate = false;
  Activation activation = Activation::none;
};

std::string text(const Case& c) {
  const ConvGeometry& g = c.geometry;
  return std::to_string(c.batch) + "x" + std::to_string(c.height) + "x" + std::to_string(c.width) + " " +
         std::to_string(c.in) + "->" + std::to_string(c.out) + " " + std::to_string(g.kernel_height) + "x" +
         std::to_string(g.kernel_width) + " s" + std::to_string(g.stride) + " p" + std::to_string(g.padding) + " d" +
         std::to_string(g.dilation) + " g" + std::to_string(g.groups);
}

// Sizes 1, primes, around the tile of 4 x 4 and the block of 16, and real layers.
const std::vector<Case> cases = {
    {1, 1, 1, 16, 16, {1, 1, 1, 0, 1, 1}},
    {1, 1, 1, 16, 16, {3, 3, 1, 1, 1, 1}},
    {2, 7, 5, 17, 33, {3, 3, 1, 1, 1, 1}},
    {1, 15, 16, 31, 15, {3, 3, 1, 1, 1, 1}, true, true},
    {3, 17, 13, 64, 100, {3, 3, 1, 1, 1, 1}, true, false, Activation::relu},
    {1, 20, 27, 128, 64, {3, 3, 1, 1, 1, 1}, true, true, Activation::relu},
    {1, 14, 30, 64, 64, {3, 3, 1, 1, 1, 1}, false, false, Activation::relu},
    {1, 9, 11, 48, 32, {3, 3, 1, 2, 2, 1}},
    {2, 13, 19, 3, 64, {7, 7, 2, 3, 1, 1}, true, false, Activation::relu},
    {1, 23, 24, 33, 17, {3, 3, 2, 1, 1, 1}},
    {2, 9, 11, 128, 256, {1, 1, 2, 0, 1, 1}, true, true, Activation::relu},
    {2, 13, 10, 256, 80, {1, 1, 1, 0, 1, 1}, true, true},
    {1, 6, 6, 1, 1, {3, 3, 1, 1, 1, 1}},
    {1, 5, 300, 16, 16, {5, 3, 1, 2, 1, 1}},
    {2, 14, 17, 128, 128, {3, 3, 1, 1, 1, 32}, true, false, Activation::relu},
    {1, 13, 14, 128, 128, {3, 3, 2, 1, 1, 4}},
    {1, 12, 10, 24, 36, {3, 3, 1, 1, 1, 12}},
    {1, 12, 10, 32, 32, {3, 3, 1, 1, 1, 32}},
    {1, 17, 13, 64, 64, {3, 3, 1, 1, 1, 1}, true, false, Activation::leaky_relu},
    {2, 9, 11, 33, 48, {1, 1, 1, 0, 1, 1}, true, true, Activation::leaky_relu},
    {2, 14, 15, 48, 48, {3, 3, 1, 1, 1, 48}, true, false, Activation::gelu},
    {1, 7, 33, 21, 21, {3, 3, 1, 1, 1, 21}, true, true, Activation::gelu},
    {1, 1, 1, 16, 16, {3, 3, 1, 1, 1, 16}, false, false, Activation::gelu},
    {1, 13, 14, 64, 64, {3, 3, 2, 1, 1, 64}, true, false, Activation::leaky_relu},
};

constexpr float kSlope = 0.1f;  // of leaky ReLU

/// Sums of n products in any order are within about sqrt(n) units of the sum of the products' magnitudes; Winograd's
/// F(4x4, 3x3) multiplies that by what its transforms can enlarge: with points 0, 1, -1, 2, -2 the sums of magnitudes
/// of its input, weight and output transforms (10, 1 and 18 a side at most) lose up to 10 bits, of which random data
/// shows less than 4.
void check(const Case& c, ConvAlgorithm algorithm, DataType in_type, DataType out_type, std::int64_t block) {
  INFO("convolution " << text(c) << ", algorithm " << static_cast<int>(algorithm) << ", " << name_of(in_type) << " to "
                      << name_of(out_type));
  const ConvGeometry& g = c.geometry;
  const std::int64_t height = conv_output_size(c.height, g.kernel_height, g),
                     width = conv_output_size(c.width, g.kernel_width, g);
  OwnedTensor in(in_type, c.batch, c.height, c.width, c.in, c.in <= 4 ? 1 : block);
  in.fill(1);
  OwnedTensor out(out_type, c.batch, height, width, c.out, block),
      want(DataType::f32, c.batch, height, width, c.out, 0), magnitude(DataType::f32, c.batch, height, width, c.out, 0);
  if (c.accumulate) out.fill(2);
  const std::int64_t fan_in = c.in / g.groups * g.kernel_height * g.kernel_width;
  std::vector<float> weight = numbers(3, c.out * fan_in), bias = numbers(4, c.out);

  conv_ref(g, *in, weight.data(), c.bias ? bias.data() : nullptr, nullptr, c.accumulate ? &*out : nullptr, c.activation,
           *want, kSlope);
  OwnedTensor positive(DataType::f32, c.batch, c.height, c.width, c.in, 0);
  for_each_element(*positive,
                   [&](auto b, auto y, auto x, auto i) { set(*positive, b, y, x, i, std::abs(get(*in, b, y, x, i))); });
  std::vector<float> positive_weight = weight;
  for (float& w : positive_weight) w = std::abs(w);
  conv_ref(g, *positive, positive_weight.data(), nullptr, nullptr, nullptr, Activation::none, *magnitude);

  ConvProblem problem{g, *in, *out, c.bias, c.accumulate, c.activation, kSlope};
  const auto conv = Convolution::make(problem, algorithm);
  if (conv == nullptr) return;
  std::vector<std::byte> memory(conv->weight_bytes() + conv->scratch_bytes() + conv->in_span() + conv->out_span() +
                                512);
  std::size_t used = 0;
  const auto take = [&](std::size_t bytes) {
    void* at = memory.data() + used;
    std::size_t space = memory.size() - used;
    REQUIRE(std::align(64, bytes, at, space) != nullptr);
    used = static_cast<std::size_t>(static_cast<std::byte*>(at) - memory.data()) + bytes;
    return at;
  };
  void* weights = take(conv->weight_bytes());
  conv->prepare(weight.data(), c.out, c.in / g.groups, weights);
  bias.resize(static_cast<std::size_t>(conv->out_layout().dims()[1]));
  void* scratch = take(conv->scratch_bytes());
  if (algorithm == ConvAlgorithm::free) {
    const auto plain_in = onednn::layout_of(problem.whole_blocks(*in)),
               plain_out = onednn::layout_of(problem.whole_blocks(*out));
    void* from = take(conv->in_span());
    void* to = take(conv->out_span());
    onednn::Reorder(plain_in, conv->in_layout()).run(in->data, from);
    onednn::Reorder(plain_out, conv->out_layout()).run(out->data, to);
    conv->run(from, weights, c.bias ? bias.data() : nullptr, to, scratch);
    onednn::Reorder(conv->out_layout(), plain_out).run(to, out->data);
  } else {
    conv->run(in->data, weights, c.bias ? bias.data() : nullptr, out->data, scratch);
  }
  const bool left = algorithm == ConvAlgorithm::winograd && c.activation != Activation::relu;
  CHECK(conv->activation_left() == (left ? c.activation : Activation::none));
  if (left)
    for_each_element(*out, [&](auto b, auto y, auto x, auto o) {
      set(*out, b, y, x, o, activate(c.activation, get(*out, b, y, x, o), kSlope));
    });
  const double enlarged = algorithm == ConvAlgorithm::winograd ? 16 : 1;
  // GELU: its slope, and oneDNN's erf, which is good to 1.5e-7 and some roundings.
  const bool gelu = c.activation == Activation::gelu;
  require_close(out, *want, [&](auto b, auto y, auto x, auto o) {
    const double sum = get(*magnitude, b, y, x, o) + 2;
    return testing::kUnitFp32 * (4 + std::sqrt(static_cast<double>(fan_in))) * enlarged * sum * (gelu ? 1.13 : 1) +
           (gelu ? (1.5e-7 + 4 * testing::kUnitFp32) * sum : 0) +
           (out_type == DataType::bf16 ? testing::kUnitBf16 * std::abs(get(*want, b, y, x, o)) + 1e-6 : 0.0);
  });
}

}  // namespace

TEST_CASE("direct convolutions in the tensors' own layouts") {
  for (const Case& c : cases)
    for (const std::int64_t block : {16, 8}) check(c, ConvAlgorithm::direct, DataType::f32, DataType::f32, block);
}

TEST_CASE("direct convolutions with channels innermost") {
  for (const Case& c : cases) check(c, ConvAlgorithm::direct, DataType::f32, DataType::f32, 0);
}

TEST_CASE("Winograd convolutions") {
  for (const Case& c : cases) check(c, ConvAlgorithm::winograd, DataType::f32, DataType::f32, 16);
}

TEST_CASE("convolutions in the layouts that oneDNN likes best") {
  for (const Case& c : cases)
    for (const std::int64_t block : {16, 8, 1}) check(c, ConvAlgorithm::free, DataType::f32, DataType::f32, block);
}

TEST_CASE("bf16 convolutions that write either type") {
  for (const Case& c : cases)
    for (const DataType out : {DataType::f32, DataType::bf16}) check(c, ConvAlgorithm::direct, DataType::bf16, out, 16);
}

TEST_CASE("kernels of all heights with padding of all widths, which may leave rows and columns without a tap, add up") {
  // Every parameter takes turns at a pace of its own, so that few cases see all pairs.
  int turn = 0;
  const auto level = static_cast<unsigned>(dnnl::get_effective_cpu_isa()),
             with_bf16 = static_cast<unsigned>(dnnl::cpu_isa::avx512_core_bf16);
  const bool bf16 = (level & with_bf16) == with_bf16;
  const auto take = [&](std::initializer_list<int> choices, int pace) {
    return *(choices.begin() + turn / pace % static_cast<int>(choices.size()));
  };
  for (int kernel_height = 1; kernel_height <= 7; ++kernel_height) {
    for (const int height : {1, 2, 3}) {
      for (const int padding : {0, 1, 2, 4, 7}) {
        ++turn;
        ConvGeometry g{kernel_height, take({5, 1, 2, 3, 4, 7, 6}, 2), take({1, 1, 2}, 3), padding, take({1, 2}, 5), 1};
        const std::int64_t width = take({7, 3, 13, 1}, 1);
        const auto room = [&](std::int64_t size, int kernel) {
          return size + 2 * padding > std::int64_t{g.dilation} * (kernel - 1);
        };
        if (!room(height, g.kernel_height) || !room(width, g.kernel_width)) continue;
        const int channels = take({16, 32, 17}, 1);
        if (turn % 7 == 0 && channels != 17) g.groups = channels / 16 * 2;
        for (const bool bias : {true, false}) {
          for (const Activation activation : {Activation::none, Activation::relu}) {
            const Case c{turn % 5 == 0 ? 2 : 1, height, width, channels, channels, g, bias, true, activation};
            check(c, ConvAlgorithm::free, DataType::f32, DataType::f32, 16);
            check(c, ConvAlgorithm::direct, DataType::f32, DataType::f32, take({16, 0, 8}, 1));
            if (turn % 3 == 0) check(c, ConvAlgorithm::free, DataType::f32, DataType::f32, 0);
            if (bf16 && turn % 3 == 1) check(c, ConvAlgorithm::direct, DataType::bf16, DataType::bf16, 16);
            if (bf16 && turn % 3 == 2) check(c, ConvAlgorithm::free, DataType::bf16, DataType::f32, 16);
          }
        }
      }
    }
  }
}

TEST_CASE("weights transformed for Winograd are what oneDNN makes of them") {
  for (const auto& [in_channels, out_channels, height, width] : std::vector<std::tuple<int, int, int, int>>{
           {128, 64, 20, 27}, {256, 128, 40, 54}, {256, 128, 80, 108}, {64, 64, 160, 216}}) {
    INFO(in_channels << " to " << out_channels << " channels, " << height << "x" << width);
    ConvProblem problem;
    problem.geometry = {3, 3, 1, 1, 1, 1};
    problem.in = dense(nullptr, DataType::f32, 1, height, width, in_channels, 16);
    problem.out = dense(nullptr, DataType::f32, 1, height, width, out_channels, 16);
    const auto conv = Convolution::make(problem, ConvAlgorithm::winograd);
    if (conv == nullptr) return;  // a processor without it
    const std::vector<float> weight = numbers(3, in_channels * out_channels * 9);
    std::vector<float> own(conv->weight_bytes() / sizeof(float)), theirs = own;
    if (!winograd_weights(weight.data(), out_channels, in_channels, conv->weight_layout(), own.data())) continue;
    const dnnl::memory::desc plain({out_channels, in_channels, 3, 3}, dnnl::memory::data_type::f32,
                                   dnnl::memory::format_tag::oihw);
    onednn::Reorder(plain, conv->weight_layout()).run(weight.data(), theirs.data());
    for (std::size_t i = 0; i < own.size(); ++i)
      if (!(std::abs(own[i] - theirs[i]) <= 8 * testing::kUnitFp32))  // six roundings of sums up to 1.3
        FAIL("number " << i << ": got " << own[i] << ", want " << theirs[i]);
  }
}

TEST_CASE("a convolution between views of a batch leaves the channels beside them alone") {
  const std::int64_t block = 16;
  OwnedTensor all_in(DataType::f32, 3, 9, 10, 64, block), all_out(DataType::f32, 3, 9, 10, 96, block);
  all_in.fill(1);
  all_out.fill(2);
  OwnedTensor before(DataType::f32, 3, 9, 10, 96, block);
  before.fill(2);
  // Channels 32..63 in, 16..63 out.
  Tensor in = *all_in, out = *all_out;
  in.data = in.as<float>() + 2 * in.block_stride;
  in.channels = 32;
  out.data = out.as<float>() + out.block_stride;
  out.channels = 48;
  const ConvGeometry g{3, 3, 1, 1, 1, 1};
  const std::vector<float> weight = numbers(3, 48 * 32 * 9);
  OwnedTensor want(DataType::f32, 3, 9, 10, 48, 0);
  conv_ref(g, in, weight.data(), nullptr, nullptr, nullptr, Activation::none, *want);
  const auto conv = Convolution::make({g, in, out, false, false, Activation::none}, ConvAlgorithm::direct);
  if (conv == nullptr) return;
  auto weights = testing::lines_for(conv->weight_bytes()), scratch = testing::lines_for(conv->scratch_bytes());
  conv->prepare(weight.data(), 48, 32, weights.data());
  conv->run(in.data, weights.data(), nullptr, out.data, scratch.data());
  require_close(all_out, *before, [&](auto b, auto y, auto x, auto c) {
    if (c < 16 || c >= 64) return 0.0;
    const double error = std::abs(get(*all_out, b, y, x, c) - get(*want, b, y, x, c - 16));
    CHECK(error <= 32 * 9 * testing::kUnitFp32 * 20);
    return 1e9;
  });
}

TEST_CASE("the coordinate term is what two more channels would add") {
  for (const std::int64_t block : {16, 8}) {
    for (const auto& [height, width, kernel, stride, padding, dilation] :
         std::vector<std::tuple<int, int, int, int, int, int>>{{1, 1, 3, 1, 1, 1},
                                                               {2, 5, 3, 1, 1, 1},
                                                               {17, 13, 3, 1, 1, 1},
                                                               {9, 8, 3, 2, 1, 1},
                                                               {7, 11, 3, 1, 2, 2},
                                                               {6, 5, 1, 1, 0, 1},
                                                               {3, 4, 5, 1, 2, 1}}) {
      const std::int64_t channels = 21;
      const ConvGeometry g{kernel, kernel, stride, padding, dilation, 1};
      INFO("map " << height << "x" << width << ", kernel " << kernel << ", stride " << stride << ", padding " << padding
                  << ", dilation " << dilation);
      const std::vector<float> coordinates = numbers(5, channels * 2 * kernel * kernel);
      const std::vector<float> nothing(static_cast<std::size_t>(channels * kernel * kernel), 0.0f);
      OwnedTensor in(DataType::f32, 2, height, width, 1, 0);
      const std::int64_t rows = conv_output_size(height, kernel, g), columns = conv_output_size(width, kernel, g);
      OwnedTensor want(DataType::f32, 2, rows, columns, channels, 0),
          out(DataType::f32, 2, rows, columns, channels, block), sum(DataType::f32, 2, rows, columns, channels, block),
          half(DataType::bf16, 2, rows, columns, channels, block);
      conv_ref(g, *in, nothing.data(), nullptr, coordinates.data(), nullptr, Activation::none, *want);
      const CoordinateTerm term(g, coordinates.data(), channels, height, width, block);
      // 2 k k products of numbers up to 1.
      const double bound = testing::kUnitFp32 * 2 * kernel * kernel;
      out.poison();
      term.write(*out);
      require_close(out, *want, [&](auto...) { return bound; });
      half.poison();
      term.write(*half);
      require_close(half, *want, [&](auto b, auto y, auto x, auto c) {
        return bound + testing::kUnitBf16 * std::abs(get(*want, b, y, x, c));
      });
      sum.fill(6);
      conv_ref(g, *in, nothing.data(), nullptr, coordinates.data(), &*sum, Activation::none, *want);
      term.add(*sum);
      require_close(sum, *want, [&](auto...) { return bound + testing::kUnitFp32 * 4; });
    }
  }
}
