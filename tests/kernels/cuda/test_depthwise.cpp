// Depthwise convolutions on the GPU against the loop that defines them.
#include "kernels/conv/cuda/depthwise_cuda.h"
#include "placed_map.h"

using namespace maskrt;
using namespace maskrt::kernels;
using namespace maskrt::testing;

namespace {

constexpr DataType kTypes[] = {DataType::f32, DataType::f16};
constexpr float kSlope = 0.1f;

struct Case {
  MapShape in;
  int kernel_height, kernel_width, stride = 1, padding = 1, dilation = 1;
  bool factors = true, biases = true;
  Activation activation = Activation::none;

  ConvGeometry geometry() const {
    return {kernel_height, kernel_width, stride, padding, dilation, static_cast<int>(in.channels)};
  }
  MapShape out() const {
    return {in.batch, conv_output_size(in.height, kernel_height, geometry()),
            conv_output_size(in.width, kernel_width, geometry()), in.channels};
  }
};

std::ostream& operator<<(std::ostream& stream, const Case& c) {
  return stream << c.in << ", kernel " << c.kernel_height << "x" << c.kernel_width << ", stride " << c.stride
                << ", padding " << c.padding << ", dilation " << c.dilation << ", factors " << c.factors << ", biases "
                << c.biases << ", activation " << static_cast<int>(c.activation);
}

// Pixels and channels of 1, primes, around vectors, warps of vectors and strips of 2 to 16 rows; each activation;
// windows that leave the map, and some that never enter it; other kernels; a transformer's layers, cut.
constexpr auto gelu = Activation::gelu, relu = Activation::relu;
const std::vector<Case> cases = {
    {{1, 1, 1, 1}, 3, 3},
    {{1, 1, 1, 8}, 3, 3, 1, 1, 1, false, false},
    {{2, 3, 5, 7}, 3, 3, 1, 1, 1, true, true, gelu},
    {{1, 2, 9, 16}, 3, 3, 1, 1, 1, false, true, relu},
    {{3, 4, 3, 9}, 3, 3, 1, 1, 1, true, false, Activation::sigmoid},
    {{1, 17, 5, 31}, 3, 3, 1, 1, 1, true, true, Activation::leaky_relu},
    {{2, 7, 11, 33}, 3, 3, 1, 1, 1, true, true, gelu},
    {{1, 3, 2, 255}, 3, 3, 1, 1, 1, true, true, gelu},
    {{1, 5, 3, 257}, 3, 3, 1, 1, 1, false, true},
    {{1, 40, 54, 64}, 3, 3, 1, 1, 1, false, true, gelu},
    {{1, 20, 27, 320}, 3, 3, 1, 1, 1, false, true, gelu},
    {{1, 4, 6, 24}, 3, 3, 1, 0},
    {{1, 4, 5, 24}, 3, 3, 1, 2, 1, true, true, relu},
    {{1, 9, 8, 24}, 3, 3, 2, 1, 1, true, true, relu},
    {{2, 11, 13, 40}, 3, 3, 1, 2, 2, true, true, gelu},
    {{1, 8, 9, 17}, 5, 5, 1, 2, 1, true, true, gelu},
    {{1, 7, 12, 16}, 7, 7, 1, 3, 1, false, true},
    {{1, 9, 7, 12}, 1, 5, 2, 2, 1, true, true, Activation::sigmoid},
    {{2, 6, 5, 10}, 1, 1, 1, 0, 1, true, true, Activation::leaky_relu},
    {{1, 3, 4, 8}, 15, 3, 1, 8, 1, true, true},
};

std::vector<float> some(bool there, unsigned seed, std::int64_t count) {
  return there ? numbers(seed, count) : std::vector<float>();
}

struct Depthwise {
  const Case& c;
  std::int64_t taps = c.kernel_height * c.kernel_width;
  std::vector<float> weight = numbers(4, c.in.channels*taps), factors = some(c.factors, 5, c.in.channels),
                     biases = some(c.biases, 6, c.in.channels);

  void reference(const Tensor& in, const Tensor& out) const {
    std::vector<float> scaled = weight;
    for (std::int64_t i = 0; c.factors && i < c.in.channels * taps; ++i)
      scaled[static_cast<std::size_t>(i)] *= factors[static_cast<std::size_t>(i / taps)];
    conv_ref(c.geometry(), in, scaled.data(), c.biases ? biases.data() : nullptr, nullptr, nullptr, c.activation, out,
             kSlope);
  }
  void launch(const Tensor& in, const Tensor& out) const {
    const std::vector<std::byte> packed =
        pack_depthwise_weight(in.type, {c.in.channels, 1, c.kernel_height, c.kernel_width}, weight, factors, biases);
    const DeviceArray<std::byte> device(packed);
    depthwise_conv_cuda(Gpu::instance().queue(), c.geometry(), in, device.data(), c.activation, out, kSlope);
    Gpu::instance().synchronize();
  }
  /// One rounding a factor, a product and a sum of terms within [-1, 1]; activations have slopes of 1.13 at most and
  /// round a few times themselves.
  double bound(DataType type, double value) const {
    const auto terms = static_cast<double>(taps + 1);
    return 1.13 * 2 * kUnitFp32 * terms * (1 + std::sqrt(terms)) + 8 * kUnitFp32 * (1 + std::abs(value)) +
           rounding(type, value);
  }
};

}  // namespace

TEST_CASE("depthwise convolutions on the GPU") {
  for (const DataType type : kTypes)
    for (const Case& c : cases)
      for (const Place place : kAllPlaces) {
        INFO(maskrt::name_of(type) << " " << c << ", " << testing::name_of(place));
        const Depthwise conv{c};
        PlacedMap in(type, c.in, place), out(type, c.out(), place), want(type, c.out(), place);
        in.fill(1).poison_around(), out.fill(3), want.fill(3);
        conv.reference(in.map(), want.map());
        const DeviceMap device_in(in), device_out(out);
        conv.launch(*device_in, *device_out);
        device_out.download(out);
        out.require_near(want, [&](double value) { return conv.bound(type, value); });
      }
}

TEST_CASE("depthwise convolutions on the GPU whose threads compute strips of 16 rows") {
  const Case c{{2, 67, 190, 256}, 3, 3, 1, 1, 1, true, true, gelu};
  const Depthwise conv{c};
  PlacedMap in(DataType::f16, c.in, Place::dense), out(DataType::f16, c.out(), Place::dense),
      want(DataType::f16, c.out(), Place::dense);
  in.fill(1), out.fill(3);
  conv.reference(in.map(), want.map());
  const DeviceMap device_in(in), device_out(out);
  conv.launch(*device_in, *device_out);
  device_out.download(out);
  out.require_near(want, [&](double value) { return conv.bound(DataType::f16, value); });
}

TEST_CASE("depthwise convolutions refuse what they cannot do") {
  CudaQueue& queue = Gpu::instance().queue();
  const PlacedMap in(DataType::f16, {1, 4, 4, 16}, Place::dense), less(DataType::f16, {1, 3, 4, 16}, Place::dense),
      other(DataType::f32, {1, 4, 4, 16}, Place::dense);
  const auto launch = [&](const ConvGeometry& geometry, const Tensor& out) {
    depthwise_conv_cuda(queue, geometry, in.map(), nullptr, Activation::none, out);
  };
  CHECK_THROWS_WITH(launch({3, 3, 1, 1, 1, 16}, less.map()),
                    "depthwise convolution: expected an output of [1, 4, 4, 16], found [1, 3, 4, 16]");
  CHECK_THROWS_WITH(launch({3, 3, 1, 1, 1, 8}, in.map()),
                    "depthwise convolution: expected a group for each of 16 channels, found 8");
  CHECK_THROWS_WITH(launch({3, 3, 1, 1, 1, 16}, other.map()),
                    "depthwise convolution (input, output): expected (fp32, fp32) or (fp16, fp16), found (fp16, fp32)");
  CHECK_THROWS_WITH(pack_depthwise_weight(DataType::bf16, {1, 1, 3, 3}, std::vector<float>(9), {}, {}),
                    "depthwise convolution: expected weights in fp32 or fp16, found bf16");
}
