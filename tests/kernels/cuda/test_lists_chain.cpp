// The decoder's tail on the GPU, kernel behind kernel, where each may start before the one ahead has ended: each value
// is as its reference makes it of the device's own inputs, twice the same bits.
#include "kernels/iam/iam.h"
#include "kernels/iam/iam_cuda.h"
#include "kernels/linear/linear.h"
#include "kernels/linear/linear_cuda.h"
#include "kernels/mask_head/mask_product.h"
#include "kernels/mask_head/mask_product_cuda.h"
#include "kernels/regroup/regroup.h"
#include "placed_map.h"

using namespace maskrt;
using namespace maskrt::kernels;
using namespace maskrt::testing;

namespace {

constexpr std::int64_t kBatch = 2, kHeight = 12, kWidth = 15, kChannels = 64, kGroups = 4, kInstances = 10;
constexpr std::int64_t kWide = kGroups * kChannels;

/// What the tail makes, and what it reads on the way.
struct Tail {
  OwnedTensor aggregated{DataType::f32, kBatch, kGroups* kInstances, 1, kChannels, 0};
  OwnedTensor hidden{DataType::f32, kBatch, kInstances, 1, kWide, 0};
  OwnedTensor classes{DataType::f32, kBatch, kInstances, 1, 7, 0};
  OwnedTensor kernels{DataType::f32, kBatch, kInstances, 1, kChannels + 1, 72};
  OwnedTensor masks;
  explicit Tail(DataType type) : masks(type, kBatch, kHeight, kWidth, kInstances, 16) {}
};

std::vector<float> same_bits(const OwnedTensor& t) {
  return {t->as<float>(), t->as<float>() + t->bytes() / sizeof(float)};
}

}  // namespace

TEST_CASE("aggregation, linear layers and mask products one behind the other on the GPU") {
  CudaQueue& queue = Gpu::instance().queue();
  for (const DataType type : {DataType::f32, DataType::f16}) {
    INFO(maskrt::name_of(type));
    OwnedTensor logits(type, kBatch, kHeight, kWidth, kGroups * kInstances, 0),
        features(type, kBatch, kHeight, kWidth, kChannels, 0);
    logits.fill(1, -6, 2), features.fill(2);
    OwnedTensor fc(type, 1, kWide, 1, kWide, 0), cls(type, 1, 7, 1, kWide, 0),
        kernel(type, 1, kChannels + 1, 1, kWide, 0);
    fc.fill(3, -0.1f, 0.1f), cls.fill(4), kernel.fill(5, -0.1f, 0.1f);
    const DeviceTensor device_logits(*logits), device_features(*features), device_fc(*fc), device_cls(*cls),
        device_kernel(*kernel);

    std::vector<std::vector<float>> runs;
    Tail got(type);
    for (int run = 0; run < 2; ++run) {
      const DeviceTensor aggregated(*got.aggregated), hidden(*got.hidden), classes(*got.classes), kernels(*got.kernels),
          masks(*got.masks);
      const DeviceBytes workspace(
          aggregate_workspace_bytes(queue.chip(), *device_logits, *device_features, MapWeights::sigmoid));
      aggregate_cuda(queue, *device_logits, *device_features, MapWeights::sigmoid, 1e-6, workspace.data(), *aggregated);
      const RegroupedList regroup{kGroups, kInstances};
      const LinearHead first[] = {{(*device_fc).data, nullptr, Activation::relu, *hidden}};
      linear_cuda(queue, *aggregated, &regroup, type, first);
      const LinearHead heads[] = {{(*device_cls).data, nullptr, Activation::none, *classes},
                                  {(*device_kernel).data, nullptr, Activation::none, *kernels}};
      linear_cuda(queue, *hidden, nullptr, type, heads);
      mask_product_cuda(queue, *kernels, *device_features, true, *masks);
      aggregated.download(*got.aggregated), hidden.download(*got.hidden), classes.download(*got.classes);
      kernels.download(*got.kernels), masks.download(*got.masks);
      for (const OwnedTensor* t : {&got.aggregated, &got.hidden, &got.classes, &got.kernels, &got.masks})
        runs.push_back(same_bits(*t));
    }
    for (std::size_t i = 0; i < runs.size() / 2; ++i)
      CHECK(std::memcmp(runs[i].data(), runs[i + runs.size() / 2].data(), runs[i].size() * sizeof(float)) == 0);

    Tail want(type);
    OwnedTensor regrouped(DataType::f32, kBatch, kInstances, 1, kWide, 0);
    const auto rows_of = [](const OwnedTensor& weight) {
      std::vector<float> rows;
      for_each_element(*weight, [&](auto b, auto y, auto x, auto c) { rows.push_back(get(*weight, b, y, x, c)); });
      return rows;
    };
    const Tensor parts[] = {*logits};
    aggregate_ref(parts, *features, MapWeights::sigmoid, 1e-6, *want.aggregated);
    regroup_ref(*got.aggregated, kGroups, kInstances, *regrouped);
    linear_ref(*regrouped, rows_of(fc).data(), nullptr, Activation::relu, *want.hidden);
    linear_ref(*got.hidden, rows_of(cls).data(), nullptr, Activation::none, *want.classes);
    linear_ref(*got.hidden, rows_of(kernel).data(), nullptr, Activation::none, *want.kernels);
    mask_product_ref(*got.kernels, *features, true, *want.masks);
    // Each step has features or weights below 1 and rounds its other operand, as large as `most`, once in fp16; the
    // sums of n terms round in fp32.
    const double unit = unit_of(type);
    const auto near = [&](double n, double most) {
      return [=](auto...) { return n * most * (2 * unit + kUnitFp32 * (4 + std::sqrt(n))); };
    };
    require_close(got.aggregated, *want.aggregated, [&](auto...) { return 2 * unit + 512 * kUnitFp32; });
    require_close(got.hidden, *want.hidden, near(kWide, 0.1));
    require_close(got.classes, *want.classes, near(kWide, 1));
    require_close(got.kernels, *want.kernels, near(kWide, 0.1));
    require_close(got.masks, *want.masks, near(kChannels + 1, 1));
  }
}
