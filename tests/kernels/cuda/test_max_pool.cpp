// Max pooling on the GPU against the loop that defines it: exact.
#include "kernels/pool/max_pool_cuda.h"
#include "support/gpu.h"
#include "tests/kernels/owned_tensor.h"
#include "tests/kernels/pool_cases.h"

using namespace maskrt;
using namespace maskrt::kernels;
using maskrt::testing::DeviceTensor;
using maskrt::testing::Gpu;
using maskrt::testing::MapShape;
using maskrt::testing::max_pool_cases;
using maskrt::testing::MaxPoolCase;
using maskrt::testing::OwnedTensor;

namespace {

void compare(const OwnedTensor& in, const OwnedTensor& out, const OwnedTensor& want, const PoolGeometry& geometry) {
  max_pool_ref(geometry, *in, *want);
  const DeviceTensor device_in(*in), device_out(*out);
  max_pool_cuda(Gpu::instance().queue(), geometry, *device_in, *device_out);
  device_out.download(*out);
  require_close(out, *want, [](auto...) { return 0.0; });
}

}  // namespace

TEST_CASE("max pools on the GPU") {
  for (const DataType type : {DataType::f32, DataType::f16}) {
    for (const MaxPoolCase& c : max_pool_cases) {
      INFO(name_of(type) << " " << c);
      const MapShape s = c.out();
      OwnedTensor in(type, c.in.batch, c.in.height, c.in.width, c.in.channels, 0);
      OwnedTensor out(type, s.batch, s.height, s.width, s.channels, 0);
      OwnedTensor want(type, s.batch, s.height, s.width, s.channels, 0);
      in.fill(1);
      out.poison();
      compare(in, out, want, c.geometry);
    }
  }
}

TEST_CASE("max pools between slices of wider maps") {
  for (const std::int64_t offset : {3, 8}) {
    INFO("channels from " << offset << " on");
    OwnedTensor in(DataType::f16, 2, 7, 9, 40, 0), out(DataType::f16, 2, 4, 5, 40, 0);
    in.fill(1);
    out.fill(2);
    const auto slice = [&](const Tensor& whole) {
      Tensor part = whole;
      part.data = whole.as<std::uint16_t>() + offset;
      part.channels = part.block = 16;
      return part;
    };
    OwnedTensor want(DataType::f16, 2, 4, 5, 40, 0);
    for_each_element(*out, [&](auto b, auto y, auto x, auto c) { set(*want, b, y, x, c, get(*out, b, y, x, c)); });
    max_pool_ref({}, slice(*in), slice(*want));
    const DeviceTensor device_in(*in), device_out(*out);
    max_pool_cuda(Gpu::instance().queue(), {}, slice(*device_in), slice(*device_out));
    device_out.download(*out);
    require_close(out, *want, [](auto...) { return 0.0; });
  }
}

TEST_CASE("max pools one behind the other, where each may start early") {
  constexpr int depth = 5;
  std::vector<std::unique_ptr<OwnedTensor>> hosts;
  std::vector<std::unique_ptr<DeviceTensor>> devices;
  for (int i = 0; i <= depth; ++i) {
    hosts.push_back(std::make_unique<OwnedTensor>(DataType::f16, 2, 24 - 2 * i, 30 - 2 * i, 24, 0));
    i == 0 ? hosts[0]->fill(1) : hosts.back()->poison();
    devices.push_back(std::make_unique<DeviceTensor>(**hosts.back()));
  }
  const PoolGeometry geometry{3, 1, 0};
  for (std::size_t i = 0; i < depth; ++i) {
    max_pool_ref(geometry, **hosts[i], **hosts[i + 1]);
    max_pool_cuda(Gpu::instance().queue(), geometry, **devices[i], **devices[i + 1]);
  }
  OwnedTensor out(DataType::f16, 2, 24 - 2 * depth, 30 - 2 * depth, 24, 0);
  devices[depth]->download(*out);
  require_close(out, **hosts[depth], [](auto...) { return 0.0; });
}

TEST_CASE("max pools refuse what they cannot do") {
  OwnedTensor in(DataType::f16, 1, 8, 8, 8, 0), out(DataType::f16, 1, 4, 4, 8, 0), wide(DataType::f16, 1, 4, 5, 8, 0),
      blocked(DataType::f16, 1, 8, 8, 24, 8), blocked_out(DataType::f16, 1, 4, 4, 24, 8),
      single(DataType::f32, 1, 4, 4, 8, 0);
  CudaQueue& queue = Gpu::instance().queue();
  CHECK_THROWS_WITH(max_pool_cuda(queue, {}, *in, *wide),
                    Catch::Contains("expected an output of [1, 4, 4, 8], found [1, 4, 5, 8]"));
  CHECK_THROWS_WITH(
      max_pool_cuda(queue, {}, *in, *single),
      Catch::Contains("max pool (input, output): expected (fp32, fp32) or (fp16, fp16), found (fp16, fp32)"));
  CHECK_THROWS_WITH(max_pool_cuda(queue, {}, *blocked, *blocked_out),
                    Catch::Contains("expected channels side by side"));
}
