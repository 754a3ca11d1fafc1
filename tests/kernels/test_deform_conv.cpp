// Deformable convolutions of the CPU device against the loop that defines them.
#include <omp.h>

#include "aligned_memory.h"
#include "deform_conv_cases.h"
#include "kernels/deform/deform_conv_cpu.h"
#include "map_cases.h"

using namespace maskrt;
using namespace maskrt::kernels;
using namespace maskrt::testing;

namespace {

/// Runs a case on `threads` threads and holds it against `want`.
void check(const DeformConvCase& c, std::int64_t block, std::int64_t offset_block, int threads, const Tensor& want) {
  OwnedTensor in = map_of_shape(DataType::f32, c.in, block), out = map_of_shape(DataType::f32, c.out(), block),
              offsets = map_of_shape(DataType::f32, c.offset_shape(), offset_block);
  in.fill(1);
  fill_offsets(c, *offsets, 2);
  out.poison();
  const std::vector<float> weight = numbers(3, c.out_channels * c.fan_in()), bias = numbers(4, c.out_channels);
  const DeformConv conv({c.geometry, *in, *out, c.activation, kDeformSlope}, threads);
  auto weights = lines_for(static_cast<std::size_t>(conv.weight_count()) * sizeof(float)),
       biases = lines_for(static_cast<std::size_t>(padded(*out).channels) * sizeof(float)),
       scratch = lines_for(conv.scratch_bytes());
  conv.prepare(weight.data(), reinterpret_cast<float*>(weights.data()));
  std::copy(bias.begin(), bias.end(), reinterpret_cast<float*>(biases.data()));
  conv.run(*in, *offsets, reinterpret_cast<const float*>(weights.data()),
           c.bias ? reinterpret_cast<const float*>(biases.data()) : nullptr, *out, scratch.data());
  const std::vector<double> errors =
      deform_conv_errors(c, weight, c.bias ? bias : std::vector<float>(), /*sample_unit=*/0);
  require_close(out, want, [&](auto b, auto y, auto x, auto o) {
    return errors[static_cast<std::size_t>(o)] + kUnitFp32 * std::abs(get(want, b, y, x, o));
  });
}

/// What the case's inputs come to.
struct Reference {
  OwnedTensor out;
  explicit Reference(const DeformConvCase& c) : out(map_of_shape(DataType::f32, c.out(), 0)) {
    OwnedTensor in = map_of_shape(DataType::f32, c.in, 0), offsets = map_of_shape(DataType::f32, c.offset_shape(), 0);
    in.fill(1);
    fill_offsets(c, *offsets, 2);
    const std::vector<float> weight = numbers(3, c.out_channels * c.fan_in()), bias = numbers(4, c.out_channels);
    deform_conv_ref(c.geometry, *in, *offsets, weight.data(), c.bias ? bias.data() : nullptr, c.activation, *out,
                    kDeformSlope);
  }
};

}  // namespace

TEST_CASE("deformable convolutions in all layouts") {
  for (const DeformConvCase& c : deform_conv_cases) {
    const Reference want(c);
    for (const std::int64_t block : channel_blocks) {
      INFO(c << ", block " << block);
      check(c, block, block, 2, *want.out);
    }
    INFO(c << ", offsets in another layout");
    check(c, 16, 0, 1, *want.out);
  }
}

TEST_CASE("deformable convolutions on any number of threads, more than there are tiles among them") {
  for (const std::size_t i : {std::size_t{0}, std::size_t{6}, std::size_t{9}, deform_conv_cases.size() - 2}) {
    const DeformConvCase& c = deform_conv_cases[i];
    const Reference want(c);
    for (const int threads : {1, 2, 3, 8, 64})
      for (const std::int64_t block : {16, 8}) {
        INFO(c << ", block " << block << ", " << threads << " threads");
        check(c, block, block, threads, *want.out);
      }
  }
}

TEST_CASE("without offsets a deformable convolution is a convolution") {
  for (const DeformConvCase& c : deform_conv_cases) {
    if (c.offsets != Offsets::none || c.geometry.modulated) continue;
    INFO(c);
    OwnedTensor in = map_of_shape(DataType::f32, c.in, 0), want = map_of_shape(DataType::f32, c.out(), 0);
    in.fill(1);
    const std::vector<float> weight = numbers(3, c.out_channels * c.fan_in()), bias = numbers(4, c.out_channels);
    conv_ref(c.geometry.conv, *in, weight.data(), c.bias ? bias.data() : nullptr, nullptr, nullptr, c.activation, *want,
             kDeformSlope);
    check(c, 16, 16, 2, *want);
  }
}

TEST_CASE("a sigmoid leaves padding channels zeros") {
  DeformConvCase c{{1, 4, 5, 8}, 11, {{3, 3, 1, 1, 1, 1}, 1, true}};
  c.activation = Activation::sigmoid;
  check(c, 16, 16, 1, *Reference(c).out);
}

TEST_CASE("whatever a map holds, points outside of it are 0") {
  DeformConvCase c{{1, 3, 3, 16}, 16, {{1, 1, 1, 0, 1, 1}}, Offsets::none, false};
  OwnedTensor in = map_of_shape(DataType::f32, c.in, 16), out = map_of_shape(DataType::f32, c.out(), 16),
              offsets = map_of_shape(DataType::f32, c.offset_shape(), 16);
  in.poison();
  for_each_element(*offsets, [&](auto b, auto y, auto x, auto channel) { set(*offsets, b, y, x, channel, 7); });
  const std::vector<float> weight = numbers(3, c.out_channels * c.fan_in());
  const DeformConv conv({c.geometry, *in, *out}, 1);
  auto weights = lines_for(static_cast<std::size_t>(conv.weight_count()) * sizeof(float)),
       scratch = lines_for(conv.scratch_bytes());
  conv.prepare(weight.data(), reinterpret_cast<float*>(weights.data()));
  out.poison();
  conv.run(*in, *offsets, reinterpret_cast<const float*>(weights.data()), nullptr, *out, scratch.data());
  const OwnedTensor zeros = map_of_shape(DataType::f32, c.out(), 0);
  require_close(out, *zeros, [](auto...) { return 0.0; });
}
