// Launching by name, and tensor maps.
#include <catch2/catch.hpp>
#include <set>
#include <string>

#include "kernels/pool/max_pool_params.h"
#include "support/gpu.h"

namespace maskrt::cuda {
namespace {

using testing::DeviceArray;
using testing::Gpu;

kernels::KernelLaunch launch_of(const char* file, const char* entry, std::span<const std::byte> parameters) {
  return {.kernel = {file, entry}, .grid = {}, .block = {32}, .parameters = parameters};
}

TEST_CASE("every kernel file loads on this device, each under one name") {
  Gpu& gpu = Gpu::instance();
  const CurrentContext current(*gpu.context());
  const Driver& driver = gpu.context()->driver();
  std::set<std::string_view> names;
  for (const kernels::FatBinary& binary : kernels::fat_binaries()) {
    INFO(binary.file);
    CHECK(names.insert(binary.file).second);
    CUmodule module = nullptr;
    const CUresult status = driver.cuModuleLoadData.status(&module, binary.image.data());
    // Files for one chip alone are the only ones that others may refuse.
    if (status != CUDA_ERROR_NO_BINARY_FOR_GPU) CHECK(status == CUDA_SUCCESS);
    if (status == CUDA_SUCCESS) driver.cuModuleUnload(module);
  }
  CHECK(names.count("pool/max_pool") == 1);
}

TEST_CASE("kernels that are not there are named") {
  Gpu& gpu = Gpu::instance();
  const kernels::cuda::MaxPoolParams parameters{};
  CHECK_THROWS_WITH(gpu.queue().launch(launch_of("pool/none", "max_pool_f32", kernels::bytes_of(parameters))),
                    "device code pool/none: expected it in this binary, found none");
  CHECK_THROWS_WITH(gpu.queue().launch(launch_of("pool/max_pool", "none", kernels::bytes_of(parameters))),
                    Catch::StartsWith("kernel pool/max_pool: none: expected it in the file's device code for "));
}

TEST_CASE("launches that no chip can do are spelled out") {
  Gpu& gpu = Gpu::instance();
  const kernels::cuda::MaxPoolParams parameters{};
  kernels::KernelLaunch launch = launch_of("pool/max_pool", "max_pool_f32", kernels::bytes_of(parameters));
  launch.shared_bytes = 1 << 20;
  CHECK_THROWS_WITH(gpu.queue().launch(launch),
                    Catch::StartsWith("kernel pool/max_pool: max_pool_f32: expected at most " +
                                      std::to_string(gpu.chip().shared_per_block) + " bytes of shared memory a block"));
  launch.shared_bytes = 0;
  launch.block = {4096};
  CHECK_THROWS_WITH(gpu.queue().launch(launch),
                    Catch::StartsWith("kernel pool/max_pool: max_pool_f32 (grid 1x1x1, block 4096x1x1, 0 bytes of "
                                      "shared memory): the CUDA driver answered CUDA_ERROR_INVALID_VALUE"));
}

TEST_CASE("device code that this device cannot run is named") {
  const std::string text = "no device code at all, and a zero byte at its end";
  const kernels::FatBinary damaged[] = {{"odd/file", std::as_bytes(std::span(text.c_str(), text.size() + 1))}};
  KernelLibrary library(Gpu::instance().context(), damaged);
  CHECK_THROWS_WITH(library.get({"odd/file", "kernel"}, 0),
                    Catch::StartsWith("device code odd/file: expected some that runs on " +
                                      Gpu::instance().context()->name() + ", compute capability "));
}

TEST_CASE("how many blocks stay on the chip") {
  Gpu& gpu = Gpu::instance();
  kernels::KernelLaunch launch = launch_of("pool/max_pool", "max_pool_f32", {});
  launch.block = {256};
  const int all = gpu.queue().resident_blocks(launch);
  CHECK(all >= gpu.chip().multiprocessors);
  CHECK(all <= 8 * gpu.chip().multiprocessors);  // 2048 threads each at most
  launch.shared_bytes = gpu.chip().shared_per_block;
  CHECK(gpu.queue().resident_blocks(launch) == gpu.chip().multiprocessors);
}

kernels::MappedTensor map_of(const DeviceArray<float>& numbers) {
  kernels::MappedTensor tensor;
  tensor.type = DataType::f32;
  tensor.address = numbers.data();
  tensor.rank = 4;
  tensor.extents[0] = 16, tensor.extents[1] = 8, tensor.extents[2] = 4, tensor.extents[3] = 2;
  tensor.strides[0] = 64, tensor.strides[1] = 512, tensor.strides[2] = 2048;
  tensor.swizzle = kernels::Swizzle::bytes64;
  return tensor;
}

TEST_CASE("tensor maps where the chip has them") {
  Gpu& gpu = Gpu::instance();
  const DeviceArray<float> numbers(std::vector<float>(1024));
  kernels::TiledMap tiled{.tensor = map_of(numbers), .box = {16, 8, 1, 1}};
  kernels::Im2colMap im2col{
      .tensor = map_of(numbers), .lower = {-1, -1}, .upper = {-1, -1}, .channels = 16, .pixels = 32};
  if (gpu.chip().compute_capability < 90) {
    const std::string want = "tensor map: expected compute capability 9.0 or newer, found " + gpu.context()->name();
    CHECK_THROWS_WITH(gpu.queue().encode(tiled), want);
    CHECK_THROWS_WITH(gpu.queue().encode(im2col), want);
    return;
  }
  const kernels::TensorMap zeros{};
  for (const kernels::TensorMap& map : {gpu.queue().encode(tiled), gpu.queue().encode(im2col)})
    CHECK(std::memcmp(&map, &zeros, sizeof map) != 0);

  tiled.tensor.strides[0] = 60;  // no multiple of 16
  CHECK_THROWS_WITH(
      gpu.queue().encode(tiled),
      Catch::StartsWith("tensor map of fp32 [16, 8, 4, 2] with strides of [60, 512, 2048] bytes and steps "
                        "of [1, 1, 1, 1] in boxes of [16, 8, 1, 1]: the CUDA driver answered "
                        "CUDA_ERROR_INVALID_VALUE"));
  im2col.tensor.rank = 2;
  CHECK_THROWS_WITH(gpu.queue().encode(im2col), "tensor map: expected a rank from 3 to 5, found 2");
}

}  // namespace
}  // namespace maskrt::cuda
