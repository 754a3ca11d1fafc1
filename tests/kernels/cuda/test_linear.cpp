// Linear layers on the GPU against the loop that defines them.
#include "kernels/linear/linear.h"
#include "kernels/linear/linear_cuda.h"
#include "kernels/regroup/regroup.h"
#include "placed_map.h"
#include "tests/kernels/linear_cases.h"

using namespace maskrt;
using namespace maskrt::kernels;
using namespace maskrt::testing;

namespace {

/// Numbers that fp16 holds, so that rounding them changes nothing: multiples of 1/1024.
float number(std::mt19937& engine) { return static_cast<float>(static_cast<int>(engine() % 2049) - 1024) / 1024; }

/// A layer's weights as launchers want them, on the device.
class Weights {
 public:
  Weights(unsigned seed, DataType type, std::int64_t in, std::int64_t out, bool with_bias)
      : plain_(static_cast<std::size_t>(in * out)), bias_(static_cast<std::size_t>(out)) {
    std::mt19937 engine(seed);
    for (float& w : plain_) w = number(engine);
    for (float& w : bias_) w = number(engine);
    const std::int64_t stride = linear_weight_stride(in);
    OwnedTensor rows(type, 1, out, 1, stride, 0);
    for (std::int64_t o = 0; o < out; ++o)
      for (std::int64_t i = 0; i < in; ++i) set(*rows, 0, o, 0, i, plain_[static_cast<std::size_t>(o * in + i)]);
    device_ = std::make_unique<DeviceTensor>(*rows);
    if (with_bias) device_bias_ = std::make_unique<DeviceArray<float>>(bias_);
  }
  const float* plain() const { return plain_.data(); }
  const float* bias() const { return device_bias_ ? bias_.data() : nullptr; }
  LinearHead head(Activation activation, const Tensor& out) const {
    return {(**device_).data, device_bias_ ? device_bias_->data() : nullptr, activation, out};
  }

 private:
  std::vector<float> plain_, bias_;
  std::unique_ptr<DeviceTensor> device_;
  std::unique_ptr<DeviceArray<float>> device_bias_;
};

void fill_list(const OwnedTensor& list, unsigned seed) {
  std::mt19937 engine(seed);
  for_each_element(*list, [&](auto b, auto n, auto x, auto c) { set(*list, b, n, x, c, number(engine)); });
}

/// Products below 1 that add up like a random walk, one rounding each and one a sum (a truncation on tensor cores).
double bound(std::int64_t in_channels) {
  const double terms = static_cast<double>(in_channels) + 1;
  return kUnitFp32 * terms * (1 + 2 * std::sqrt(terms));
}

}  // namespace

TEST_CASE("linear layers on the GPU") {
  for (const auto& [batch, rows, in_channels, out_channels] : linear_cases)
    for (const DataType type : {DataType::f32, DataType::f16})
      for (const Activation activation : {Activation::none, Activation::relu, Activation::sigmoid})
        for (const bool padded_rows : {false, true}) {
          INFO(maskrt::name_of(type) << " " << batch << "x" << rows << ", " << in_channels << " to " << out_channels
                                     << ", activation " << static_cast<int>(activation));
          OwnedTensor in(DataType::f32, batch, rows, 1, in_channels, padded_rows ? in_eights(in_channels) : 0);
          PlacedMap out(DataType::f32, {batch, rows, 1, out_channels}, padded_rows ? Place::padded : Place::dense),
              want(DataType::f32, {batch, rows, 1, out_channels}, padded_rows ? Place::padded : Place::dense);
          fill_list(in, 1);
          out.fill(2), want.fill(2);
          const Weights weights(3, type, in_channels, out_channels, activation != Activation::none);
          linear_ref(*in, weights.plain(), weights.bias(), activation, want.map());
          const DeviceTensor device_in(*in);
          const DeviceMap device_out(out);
          const LinearHead heads[] = {weights.head(activation, *device_out)};
          linear_cuda(Gpu::instance().queue(), *device_in, nullptr, type, heads);
          device_out.download(out);
          // The sigmoid's slope is 1/4 at most; it costs a few units itself.
          out.require_near(want, [&](double) { return bound(in_channels) + 8 * kUnitFp32; });
        }
}

TEST_CASE("linear layers read regrouped lists on the GPU") {
  // Rows, channels, blocks, instances: the decoder's with four groups and with two, with odd widths, and one group.
  for (const auto& [rows, channels, blocks, instances] : std::vector<std::tuple<int, int, int, int>>{
           {40, 64, 4, 10}, {20, 64, 4, 10}, {12, 10, 4, 3}, {6, 12, 4, 3}, {7, 33, 1, 7}})
    for (const DataType type : {DataType::f32, DataType::f16}) {
      INFO(maskrt::name_of(type) << " " << rows << "x" << channels << " as " << blocks << " blocks of " << instances);
      const std::int64_t wide = std::int64_t{rows} * channels / instances;
      OwnedTensor in(DataType::f32, 2, rows, 1, channels, 0), regrouped(DataType::f32, 2, instances, 1, wide, 0);
      fill_list(in, 1);
      regroup_ref(*in, blocks, instances, *regrouped);
      PlacedMap out(DataType::f32, {2, instances, 1, 37}, Place::dense),
          want(DataType::f32, {2, instances, 1, 37}, Place::dense);
      const Weights weights(3, type, wide, 37, true);
      linear_ref(*regrouped, weights.plain(), weights.bias(), Activation::relu, want.map());
      const DeviceTensor device_in(*in);
      const DeviceMap device_out(out);
      const LinearHead heads[] = {weights.head(Activation::relu, *device_out)};
      const RegroupedList regroup{blocks, instances};
      linear_cuda(Gpu::instance().queue(), *device_in, &regroup, type, heads);
      device_out.download(out);
      out.require_near(want, [&](double) { return bound(wide); });
    }
}

TEST_CASE("several linear heads are one launch on the GPU") {
  // Classes, mask kernel with its offset, objectness: fp32 lists, and one that a kernel in fp16 reads.
  for (const DataType type : {DataType::f32, DataType::f16}) {
    OwnedTensor in(DataType::f32, 2, 19, 1, 64, 0);
    fill_list(in, 1);
    const DeviceTensor device_in(*in);
    const std::int64_t widths[] = {80, 65, 1};
    const DataType types[] = {DataType::f32, DataType::f16, DataType::f32};
    std::vector<std::unique_ptr<PlacedMap>> outs, wants;
    std::vector<std::unique_ptr<DeviceMap>> device_outs;
    std::vector<std::unique_ptr<Weights>> weights;
    std::vector<LinearHead> heads;
    for (std::size_t i = 0; i < 3; ++i) {
      const MapShape s{2, 19, 1, widths[i]};
      outs.push_back(std::make_unique<PlacedMap>(types[i], s, Place::padded));
      wants.push_back(std::make_unique<PlacedMap>(types[i], s, Place::padded));
      outs.back()->fill(2), wants.back()->fill(2);
      device_outs.push_back(std::make_unique<DeviceMap>(*outs.back()));
      weights.push_back(std::make_unique<Weights>(static_cast<unsigned>(i), type, 64, widths[i], true));
      heads.push_back(weights.back()->head(Activation::none, **device_outs.back()));
      linear_ref(*in, weights.back()->plain(), weights.back()->bias(), Activation::none, wants.back()->map());
    }
    linear_cuda(Gpu::instance().queue(), *device_in, nullptr, type, heads);
    for (std::size_t i = 0; i < 3; ++i) {
      INFO(maskrt::name_of(type) << ", head " << i);
      device_outs[i]->download(*outs[i]);
      outs[i]->require_near(*wants[i], [&](double value) { return bound(64) + rounding(types[i], value); });
    }
  }
}

TEST_CASE("linear layers refuse what they cannot do") {
  OwnedTensor in(DataType::f32, 1, 12, 1, 8, 0), out(DataType::f32, 1, 11, 1, 8, 0);
  const LinearHead heads[] = {{nullptr, nullptr, Activation::none, *out}};
  CudaQueue& queue = Gpu::instance().queue();
  CHECK_THROWS_WITH(linear_cuda(queue, *in, nullptr, DataType::f32, heads),
                    Catch::Contains("expected an output of 1 x 12 vectors, found 1 x 11 x 1"));
  CHECK_THROWS_WITH(linear_cuda(queue, *in, nullptr, DataType::f32, {}), Catch::Contains("1 to 4 heads, found 0"));
  const RegroupedList regroup{4, 5};
  CHECK_THROWS_WITH(linear_cuda(queue, *in, &regroup, DataType::f32, heads),
                    Catch::Contains("4 blocks of 5 instances, found 12 rows of 8"));
}
