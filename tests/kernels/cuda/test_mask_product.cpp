// Mask logits on the GPU against the loop that defines them.
#include "kernels/mask_head/mask_product.h"
#include "kernels/mask_head/mask_product_cuda.h"
#include "placed_map.h"
#include "tests/kernels/mask_product_cases.h"

using namespace maskrt;
using namespace maskrt::kernels;
using namespace maskrt::testing;

namespace {

/// fp16 holds these, so that rounding the kernels changes nothing.
void fill_kernels(const Tensor& kernels) {
  for_each_element(kernels, [&, engine = std::mt19937(3)](auto b, auto n, auto x, auto k) mutable {
    set(kernels, b, n, x, k, static_cast<float>(static_cast<int>(engine() % 2049) - 1024) / 1024);
  });
}

/// One rounding a product and one a sum, of terms below 1 that add up like a random walk; tensor cores may drop what
/// lies below a unit instead of rounding it.
double product_bound(std::int64_t channels, DataType to, double value) {
  const double terms = static_cast<double>(channels) + 1;
  return 2 * kUnitFp32 * terms * (1 + 2 * std::sqrt(terms)) / 2 + rounding(to, value);
}

const std::vector<std::pair<DataType, DataType>> types = {
    {DataType::f32, DataType::f32}, {DataType::f16, DataType::f16}, {DataType::f16, DataType::f32}};

}  // namespace

TEST_CASE("mask products on the GPU") {
  for (const auto& [type, to] : types)
    for (const MaskProductCase& c : mask_product_cases)
      for (const bool offset : {false, true})
        for (const Place place : kAllPlaces) {
          // The real layer takes its time on the virtual GPU: once is enough.
          if (place != Place::padded && c.height * c.width * c.channels > 100000) continue;
          INFO(maskrt::name_of(type) << " to " << maskrt::name_of(to) << ", " << c.batch << "x" << c.height << "x"
                                     << c.width << ", " << c.channels << " channels, " << c.instances
                                     << " instances, offset " << offset << ", " << testing::name_of(place));
          PlacedMap features(type, {c.batch, c.height, c.width, c.channels}, place);
          PlacedMap out(to, {c.batch, c.height, c.width, c.instances}, place),
              want(to, {c.batch, c.height, c.width, c.instances}, place);
          OwnedTensor kernels(DataType::f32, c.batch, c.instances, 1, c.channels + (offset ? 1 : 0),
                              place == Place::padded ? in_eights(c.channels + 1) : 0);
          features.fill_input(1), out.fill(2), want.fill(2);
          fill_kernels(*kernels);
          mask_product_ref(*kernels, features.map(), offset, want.map());
          const DeviceMap device_features(features), device_out(out);
          const DeviceTensor device_kernels(*kernels);
          mask_product_cuda(Gpu::instance().queue(), *device_kernels, *device_features, offset, *device_out);
          device_out.download(out);
          out.require_near(want, [&, t = to](double value) { return product_bound(c.channels, t, value); });
        }
}

TEST_CASE("mask products on the GPU write zeros behind the instances, up to where the next pixel begins") {
  struct Padded {
    std::int64_t instances, block;
  };
  constexpr std::int64_t batch = 2, height = 5, width = 13, channels = 16;
  for (const auto& [type, to] : types)
    for (const Padded& p : std::vector<Padded>{
             {1, 16}, {96, 112}, {97, 112}, {100, 112}, {104, 112}, {100, 144}, {105, 112}, {209, 224}}) {
      INFO(maskrt::name_of(type) << " to " << maskrt::name_of(to) << ", " << p.instances << " instances in "
                                 << p.block);
      OwnedTensor features(type, batch, height, width, channels, 0),
          out(to, batch, height, width, p.instances, p.block), want(to, batch, height, width, p.instances, 0),
          kernels(DataType::f32, batch, p.instances, 1, channels + 1, 24);
      features.fill(1), fill_kernels(*kernels);
      const Tensor all = padded(*out);
      for_each_element(all, [&](auto b, auto y, auto x, auto c) { set(all, b, y, x, c, 7.0f); });
      mask_product_ref(*kernels, *features, true, *want);
      const DeviceTensor device_features(*features), device_kernels(*kernels), device_out(*out);
      mask_product_cuda(Gpu::instance().queue(), *device_kernels, *device_features, true, *device_out);
      device_out.download(*out);
      require_close(out, *want, [&, t = to](auto b, auto y, auto x, auto c) {
        return product_bound(channels, t, get(*want, b, y, x, c));
      });
    }
}

TEST_CASE("mask products refuse what they cannot do") {
  PlacedMap features(DataType::f16, {1, 4, 4, 8}, Place::dense), out(DataType::f16, {1, 4, 4, 3}, Place::dense);
  OwnedTensor kernels(DataType::f32, 1, 3, 1, 8, 0);
  CHECK_THROWS_WITH(mask_product_cuda(Gpu::instance().queue(), *kernels, features.map(), true, out.map()),
                    Catch::Contains("expected kernels [B, N, 1, 9]"));
}
