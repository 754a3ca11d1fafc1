// Layer norms of the CPU device against the loop that defines them.
#include "aligned_memory.h"
#include "kernels/norm/layer_norm.h"
#include "layer_norm_cases.h"
#include "map_cases.h"

using namespace maskrt;
using namespace maskrt::kernels;
using namespace maskrt::testing;

namespace {

void check(const LayerNormCase& c, DataType type, std::int64_t block, int threads) {
  INFO(c << ", " << maskrt::name_of(type) << ", block " << block << ", " << threads << " threads");
  OwnedTensor in = map_of_shape(type, c.in, block), out = map_of_shape(type, c.in, block),
              want = map_of_shape(DataType::f32, c.in, 0);
  in.fill(1, c.mean - 1, c.mean + 1);
  out.poison();
  const std::vector<float> weight = numbers(2, c.in.channels), bias = numbers(3, c.in.channels);
  layer_norm_ref(*in, weight.data(), bias.data(), c.epsilon, c.activation, *want, kLayerNormSlope);
  auto scratch = lines_for(layer_norm_scratch_bytes(*in, threads));
  const auto run = [&](const Tensor& to) {
    layer_norm_cpu(*in, weight.data(), bias.data(), c.epsilon, c.activation, to, kLayerNormSlope, threads,
                   scratch.data());
  };
  run(*out);
  require_close(out, *want, [&](auto b, auto y, auto x, auto channel) {
    return layer_norm_error(c, *in, b, y, x, channel) +
           (type == DataType::bf16 ? kUnitBf16 * std::abs(get(*want, b, y, x, channel)) + 1e-6 : 0);
  });
  run(*in);  // in place
  require_close(in, *out, [](auto...) { return 0.0; });
}

}  // namespace

TEST_CASE("layer norms in all layouts") {
  for (const LayerNormCase& c : layer_norm_cases)
    for (const DataType type : {DataType::f32, DataType::bf16})
      for (const std::int64_t block : channel_blocks) check(c, type, block, 2);
}

TEST_CASE("layer norms on any number of threads, more than there are tiles among them") {
  for (const std::size_t i : {std::size_t{0}, std::size_t{6}, std::size_t{11}, layer_norm_cases.size() - 1})
    for (const int threads : {1, 2, 3, 8, 64}) check(layer_norm_cases[i], DataType::f32, 16, threads);
}
