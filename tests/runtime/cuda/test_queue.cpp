// Launching by name, and tensor maps.
#include <catch2/catch.hpp>
#include <set>
#include <string>
#include <thread>

#include "kernels/pool/max_pool_params.h"
#include "support/gpu.h"

namespace maskrt::cuda {
namespace {

using testing::DeviceArray;
using testing::Gpu;

kernels::KernelLaunch launch_of(const char* file, const char* entry, std::span<const std::byte> parameters) {
  return {.kernel = {file, entry}, .grid = {}, .block = {32}, .parameters = parameters};
}

std::vector<std::byte> bytes(const std::string& text) {
  const auto view = std::as_bytes(std::span(text.c_str(), text.size() + 1));
  return {view.begin(), view.end()};
}

TEST_CASE("every kernel file loads on this device, each under one name") {
  Gpu& gpu = Gpu::instance();
  const CurrentContext current(*gpu.context());
  const Driver& driver = gpu.context()->driver();
  std::set<std::string_view> names;
  for (const kernels::DeviceCode& code : kernels::device_code()) {
    INFO(code.file);
    CHECK(names.insert(code.file).second);
    const kernels::ImageArchive images(std::string(code.file), code.archive);
    for (const auto kind : {kernels::ImageKind::machine_code, kernels::ImageKind::ptx}) {
      const int best = images.best(kind, gpu.chip().compute_capability);
      if (best < 0) continue;  // files for other chips alone
      CUmodule module = nullptr;
      const std::vector<std::byte> image = images.expand(static_cast<std::size_t>(best));
      const CUresult status = driver.cuModuleLoadData.status(&module, image.data());
      // The virtual GPU runs no machine code.
      if (kind == kernels::ImageKind::machine_code && status == CUDA_ERROR_NO_BINARY_FOR_GPU) continue;
      CHECK(status == CUDA_SUCCESS);
      if (status == CUDA_SUCCESS) driver.cuModuleUnload(module);
    }
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
  const auto load = [](std::span<const std::byte> archive) {
    const kernels::DeviceCode code[] = {{"odd/file", archive}};
    KernelLibrary(Gpu::instance().context(), code).get({"odd/file", "kernel"}, 0);
  };
  const std::string text = "no device code at all";
  CHECK_THROWS_WITH(load(std::as_bytes(std::span(text))),
                    "device code odd/file: expected an archive that begins with maskrtDC, found damage");
  const std::string unfit = "expected some that runs on " + Gpu::instance().context()->name() + ", compute capability ";
  for (const int chip : {75, 500}) {  // PTX that is none, PTX for chips to come
    const kernels::PlainImage image{
        {kernels::ImageKind::ptx, static_cast<std::uint32_t>(chip), false}, -1, bytes(text)};
    CHECK_THROWS_WITH(load(kernels::pack_images(std::span(&image, 1))),
                      Catch::StartsWith("device code odd/file: " + unfit));
  }
}

TEST_CASE("PTX serves where the driver takes no machine code") {
  const Gpu& gpu = Gpu::instance();
  const int capability = gpu.chip().compute_capability;
  const std::string ptx = ".version 7.0\n.target sm_75\n.address_size 64\n.visible .entry nothing() { ret; }\n";
  const auto chip = static_cast<std::uint32_t>(capability);
  std::string elf = "\x7f";
  elf += "ELF and no more than that, which no driver takes for a cubin";
  const kernels::PlainImage images[] = {{{kernels::ImageKind::ptx, 75, false}, -1, bytes(ptx)},
                                        {{kernels::ImageKind::machine_code, chip, false}, -1, bytes(elf)}};
  const std::vector<std::byte> archive = kernels::pack_images(images);
  const kernels::DeviceCode code[] = {{"odd/first", archive}, {"odd/second", archive}};
  KernelLibrary library(gpu.context(), code);
  CHECK(library.get({"odd/first", "nothing"}, 0) != nullptr);
  CHECK(library.get({"odd/second", "nothing"}, 0) != nullptr);
}

TEST_CASE("kernels of Hopper ask for one split of its memory") {
  Gpu& gpu = Gpu::instance();
  KernelLibrary library(gpu.context());
  const CUfunction function = library.get({"pool/max_pool", "max_pool_f32"}, 0);
  const CurrentContext current(*gpu.context());
  int carveout = 0;
  gpu.context()->driver().cuFuncGetAttribute(&carveout, CU_FUNC_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT, function);
  CHECK(carveout == (gpu.chip().compute_capability == 90 ? 100 : -1));
}

TEST_CASE("a capture of another part of the process is neither spoiled nor in the way") {
  const Gpu& gpu = Gpu::instance();
  const auto& context = gpu.context();
  const Driver& driver = context->driver();
  const Stream stream(context);
  CUgraph graph = nullptr;
  {
    const CurrentContext current(*context);
    driver.cuStreamBeginCapture(stream.get(), CU_STREAM_CAPTURE_MODE_GLOBAL);
  }
  std::thread([&] {
    const DeviceMemory memory(context, 4096);
    const PinnedMemory pinned(context, 4096);
    KernelLibrary library(context);
    CHECK(library.get({"pool/max_pool", "max_pool_f32"}, 0) != nullptr);
  }).join();
  const CurrentContext current(*context);
  CHECK(driver.cuStreamEndCapture.status(stream.get(), &graph) == CUDA_SUCCESS);
  driver.cuGraphDestroy.status(graph);
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
