// The stem with its pooling on the GPU against the two operations that it joins.
#include "kernels/conv/conv.h"
#include "kernels/pool/pool.h"
#include "kernels/stem/stem_pool_cuda.h"
#include "placed_map.h"

using namespace maskrt;
using namespace maskrt::kernels;
using namespace maskrt::testing;

namespace {

constexpr ConvGeometry kStem{7, 7, 2, 3, 1, 1};

/// What is computed, of f16 numbers.
struct Case {
  std::int64_t batch, height, width, in, out;
  Activation activation;
  bool scale, bias;
};

/// 1, primes, the tile's 8 pooled pixels and one more or less, channels around 8 and the block's 64, the stems of
/// ResNets (in part of their size).
const std::vector<Case> cases = {
    {1, 1, 1, 1, 1, Activation::none, false, false},   {1, 2, 3, 3, 8, Activation::relu, false, true},
    {2, 5, 7, 3, 7, Activation::relu, true, true},     {1, 29, 31, 4, 13, Activation::none, true, false},
    {1, 32, 33, 3, 64, Activation::relu, true, true},  {3, 31, 36, 3, 65, Activation::relu, false, true},
    {1, 28, 27, 2, 100, Activation::relu, true, true}, {1, 96, 100, 3, 64, Activation::relu, true, true},
    {2, 65, 37, 3, 24, Activation::relu, false, true}, {1, 19, 22, 3, 24, Activation::sigmoid, true, true},
};

std::int64_t in_halves(std::int64_t n) { return (n + 1) / 2; }

void magnitudes(const Tensor& of, const Tensor& to) {
  for_each_element(of, [&](auto b, auto y, auto x, auto c) { set(to, b, y, x, c, std::abs(get(of, b, y, x, c))); });
}

/// One case's tensors on the host; scale and bias as maps of one pixel.
struct Numbers {
  explicit Numbers(const Case& c)
      : in(DataType::f16, c.batch, c.height, c.width, c.in, 4),
        weight(DataType::f16, c.out, 7, 7, c.in, 0),
        scale(DataType::f32, 1, 1, 1, c.out, 0),
        bias(DataType::f32, 1, 1, 1, c.out, 0) {
    in.fill(1, -2, 2);
    weight.fill(2);
    scale.fill(3, -1.5f, 1.5f);
    bias.fill(4);
    if (!c.scale) for_each_element(*scale, [&](auto b, auto y, auto x, auto o) { set(*scale, b, y, x, o, 1); });
    if (!c.bias) for_each_element(*bias, [&](auto b, auto y, auto x, auto o) { set(*bias, b, y, x, o, 0); });
  }
  /// [O, I, 7, 7]
  std::vector<float> plain_weight() const {
    std::vector<float> plain;
    for (std::int64_t o = 0; o < weight->batch; ++o)
      for (std::int64_t i = 0; i < weight->channels; ++i)
        for (std::int64_t y = 0; y < 7; ++y)
          for (std::int64_t x = 0; x < 7; ++x) plain.push_back(get(*weight, o, y, x, i));
    return plain;
  }
  OwnedTensor in, weight, scale, bias;
};

/// The convolution's part in f32, pooled.
void stem_ref(const Tensor& in, const std::vector<float>& weight, const Tensor& scale, const Tensor& bias,
              Activation activation, const Tensor& out) {
  OwnedTensor between(DataType::f32, in.batch, in_halves(in.height), in_halves(in.width), out.channels, 0);
  conv_ref(kStem, in, weight.data(), nullptr, nullptr, nullptr, Activation::none, *between);
  for_each_element(*between, [&](auto b, auto y, auto x, auto c) {
    const float sum = get(*between, b, y, x, c) * get(scale, 0, 0, 0, c) + get(bias, 0, 0, 0, c);
    set(*between, b, y, x, c, activate(activation, sum));
  });
  max_pool_ref({}, *between, out);
}

void check(const Case& c, Place place) {
  const Numbers numbers(c);
  const Shape shape{c.out, c.in, 7, 7};
  const std::vector<float> weight = numbers.plain_weight();
  const MapShape pooled{c.batch, in_halves(in_halves(c.height)), in_halves(in_halves(c.width)), c.out};
  PlacedMap out(DataType::f16, pooled, place), want(DataType::f16, pooled, place);
  out.fill(5), want.fill(5);
  stem_ref(*numbers.in, weight, *numbers.scale, *numbers.bias, c.activation, want.map());
  // Of all windows that are pooled the largest sum of magnitudes bounds the error of each, and so of the largest.
  OwnedTensor in_sizes(DataType::f32, c.batch, c.height, c.width, c.in, 0), scales(DataType::f32, 1, 1, 1, c.out, 0),
      biases(DataType::f32, 1, 1, 1, c.out, 0), sums(DataType::f32, c.batch, pooled.height, pooled.width, c.out, 0);
  magnitudes(*numbers.in, *in_sizes), magnitudes(*numbers.scale, *scales), magnitudes(*numbers.bias, *biases);
  std::vector<float> weight_sizes = weight;
  for (float& w : weight_sizes) w = std::abs(w);
  stem_ref(*in_sizes, weight_sizes, *scales, *biases, Activation::none, *sums);

  const DeviceTensor in(*numbers.in), scale(*numbers.scale), bias(*numbers.bias);
  const DeviceArray<std::byte> packed(pack_stem_weight(shape, weight));
  const DeviceMap device_out(out);
  stem_pool_cuda(Gpu::instance().queue(), *in,
                 {packed.data(), c.scale ? (*scale).as<float>() : nullptr, c.bias ? (*bias).as<float>() : nullptr},
                 c.activation, *device_out);
  device_out.download(out);
  // Tensor cores may cut off what they add: up to two units for each product, and one each for scale and bias.
  // A sigmoid is below 1 and has an exponential, a sum and a quotient of its own.
  const double steps = 2.0 * static_cast<double>(49 * c.in) + 2;
  const double last = c.activation == Activation::sigmoid ? 4 * kUnitFp32 : 0;
  const Tensor wanted = want.map();
  out.require_near_at(want, [&](auto b, auto y, auto x, auto o) {
    return steps * kUnitFp32 * get(*sums, b, y, x, o) + last + rounding(DataType::f16, get(wanted, b, y, x, o));
  });
}

}  // namespace

TEST_CASE("stems with their pooling on the GPU") {
  for (const Case& c : cases)
    for (const Place place : kAllPlaces) {
      if (c.height * c.width > 5000 && place != Place::padded) continue;  // once is enough
      INFO(c.batch << "x" << c.height << "x" << c.width << "x" << c.in << " to " << c.out << " channels, scale "
                   << c.scale << ", bias " << c.bias << ", " << testing::name_of(place));
      check(c, place);
    }
}

TEST_CASE("stems refuse what they cannot do") {
  CudaQueue& queue = Gpu::instance().queue();
  const OwnedTensor in(DataType::f16, 1, 8, 8, 3, 4), wide(DataType::f16, 1, 8, 8, 3, 8),
      single(DataType::f32, 1, 2, 2, 8, 0), out(DataType::f16, 1, 2, 2, 8, 0), large(DataType::f16, 1, 3, 2, 8, 0);
  CHECK_THROWS_WITH(stem_pool_cuda(queue, *in, {}, Activation::relu, *large),
                    Catch::Contains("expected an output of [1, 2, 2], found [1, 3, 2]"));
  CHECK_THROWS_WITH(stem_pool_cuda(queue, *in, {}, Activation::relu, *single),
                    Catch::Contains("expected (fp16, fp16), found (fp16, fp32)"));
  CHECK_THROWS_WITH(stem_pool_cuda(queue, *wide, {}, Activation::relu, *out),
                    Catch::Contains("expected pixels of 4 channels, 8 bytes each, found 3 channels every 8"));
  CHECK_THROWS_WITH(pack_stem_weight({8, 5, 7, 7}, {}), Catch::Contains("expected weights [O, up to 4, 7, 7]"));
  CHECK_FALSE(fits_stem({64, 3, 3, 3}));
  CHECK(fits_stem({64, 3, 7, 7}));
}
