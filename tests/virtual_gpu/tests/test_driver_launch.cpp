// Launches through the driver's interface: limits, parameters, attributes, occupancy, tensor maps.
#include <algorithm>

#include "driver_harness.h"

namespace vgpu_test {
namespace {

struct Shape {
  unsigned grid[3] = {1, 1, 1};
  unsigned block[3] = {1, 1, 1};
  unsigned shared = 0;
};

CUresult launch_shape(CUfunction function, const Shape& s, void** params) {
  return cuLaunchKernel(function, s.grid[0], s.grid[1], s.grid[2], s.block[0], s.block[1], s.block[2], s.shared,
                        nullptr, params, nullptr);
}

/// Two kernels that ask for clusters in PTX.
constexpr const char* kClusters = R"(
.version 7.8
.target sm_90
.address_size 64
.visible .entry pairs() .explicitcluster .reqnctapercluster 2, 1, 1 { ret; }
.visible .entry any() { ret; }
.visible .entry asked() .explicitcluster { ret; }
)";

CUresult launch_cluster(CUfunction function, unsigned blocks, unsigned cluster, bool cooperative = false) {
  CUlaunchAttribute attributes[2] = {};
  attributes[0].id = CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION;
  attributes[0].value.clusterDim = {cluster, 1, 1};
  attributes[1].id = CU_LAUNCH_ATTRIBUTE_COOPERATIVE;
  attributes[1].value.cooperative = cooperative ? 1 : 0;
  CUlaunchConfig config{};
  config.gridDimX = blocks;
  config.gridDimY = config.gridDimZ = config.blockDimX = config.blockDimY = config.blockDimZ = 1;
  config.attrs = attributes;
  config.numAttrs = 2;
  return cuLaunchKernelEx(&config, function, nullptr, nullptr);
}

}  // namespace

TEST_CASE("launches beyond the device's limits are refused and do nothing") {
  const Session session;
  const Kernels kernels;
  CUdeviceptr x = upload(std::vector<float>(1024, 1.0f));
  void* params[] = {&x};
  const CUfunction function = kernels["much_shared"];
  const auto status_of = [&](const Shape& shape) { return launch_shape(function, shape, params); };
  GIVES(CUDA_ERROR_INVALID_VALUE, status_of({{0, 1, 1}, {1, 1, 1}, 0}));
  GIVES(CUDA_ERROR_INVALID_VALUE, status_of({{1, 1, 1}, {0, 1, 1}, 0}));
  GIVES(CUDA_ERROR_INVALID_VALUE, status_of({{1, 65536, 1}, {1, 1, 1}, 0}));
  GIVES(CUDA_ERROR_INVALID_VALUE, status_of({{1, 1, 65536}, {1, 1, 1}, 0}));
  GIVES(CUDA_ERROR_INVALID_VALUE, status_of({{1, 1, 1}, {1025, 1, 1}, 0}));
  GIVES(CUDA_ERROR_INVALID_VALUE, status_of({{1, 1, 1}, {1, 1, 65}, 0}));
  GIVES(CUDA_ERROR_INVALID_VALUE, status_of({{1, 1, 1}, {33, 32, 1}, 0}));
  // 48 KB with the static 40, unless the program asks for more.
  GIVES(CUDA_ERROR_INVALID_VALUE, status_of({{1, 1, 1}, {32, 1, 1}, 8193}));
  OK(status_of({{1, 1, 1}, {32, 1, 1}, 8192}));
  OK(cuFuncSetAttribute(function, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, 100000));
  OK(status_of({{1, 1, 1}, {32, 1, 1}, 100000}));
  GIVES(CUDA_ERROR_INVALID_VALUE, status_of({{1, 1, 1}, {32, 1, 1}, 100001}));
  GIVES(CUDA_ERROR_INVALID_VALUE, launch(kernels["small_blocks"], 1, 129, nullptr, x));
  OK(launch(kernels["small_blocks"], 1, 128, nullptr, x));
  OK(cuCtxSynchronize());
  CHECK(download<float>(x, 128)[127] == 1);
}

TEST_CASE("parameters come one by one or in a buffer") {
  const Session session;
  const Kernels kernels;
  const CUfunction function = kernels["mixed"];
  struct Mixed {
    char a;
    double b;
    short c[3];
  };
  CUdeviceptr result = upload(std::vector<double>{0});
  char a = 1;
  Mixed m{2, 0.5, {0, 0, 4}};
  short c = 8;
  void* params[] = {&result, &a, &m, &c};
  OK(cuLaunchKernel(function, 1, 1, 1, 1, 1, 1, 0, nullptr, params, nullptr));
  CHECK(download<double>(result, 1)[0] == 15.5);

  struct {
    CUdeviceptr result;
    char a;
    Mixed m;
    short c;
  } buffer{result, 16, m, c};
  std::size_t bytes = sizeof buffer;
  void* extra[] = {CU_LAUNCH_PARAM_BUFFER_POINTER, &buffer, CU_LAUNCH_PARAM_BUFFER_SIZE, &bytes, CU_LAUNCH_PARAM_END};
  OK(cuLaunchKernel(function, 1, 1, 1, 1, 1, 1, 0, nullptr, nullptr, extra));
  CHECK(download<double>(result, 1)[0] == 30.5);
  GIVES(CUDA_ERROR_INVALID_VALUE, cuLaunchKernel(function, 1, 1, 1, 1, 1, 1, 0, nullptr, params, extra));
  GIVES(CUDA_ERROR_INVALID_VALUE, cuLaunchKernel(function, 1, 1, 1, 1, 1, 1, 0, nullptr, nullptr, nullptr));
  bytes = 20;
  GIVES(CUDA_ERROR_INVALID_VALUE, cuLaunchKernel(function, 1, 1, 1, 1, 1, 1, 0, nullptr, nullptr, extra));
  OK(cuMemFree(result));
}

TEST_CASE("clusters have the size that the kernel or the launch names") {
  const Session session;
  const Kernels kernels(kClusters);
  OK(launch_cluster(kernels["pairs"], 4, 2));
  OK(cuLaunchKernel(kernels["pairs"], 4, 1, 1, 1, 1, 1, 0, nullptr, nullptr, nullptr));
  GIVES(CUDA_ERROR_INVALID_CLUSTER_SIZE,
        cuLaunchKernel(kernels["pairs"], 3, 1, 1, 1, 1, 1, 0, nullptr, nullptr, nullptr));
  GIVES(CUDA_ERROR_INVALID_CLUSTER_SIZE, launch_cluster(kernels["pairs"], 4, 4));
  GIVES(CUDA_ERROR_INVALID_CLUSTER_SIZE,
        cuLaunchKernel(kernels["asked"], 2, 1, 1, 1, 1, 1, 0, nullptr, nullptr, nullptr));
  OK(launch_cluster(kernels["asked"], 2, 2));
  OK(launch_cluster(kernels["any"], 16, 8));
  GIVES(CUDA_ERROR_INVALID_CLUSTER_SIZE, launch_cluster(kernels["any"], 16, 16));
  OK(cuFuncSetAttribute(kernels["any"], CU_FUNC_ATTRIBUTE_NON_PORTABLE_CLUSTER_SIZE_ALLOWED, 1));
  OK(launch_cluster(kernels["any"], 16, 16));
  GIVES(CUDA_ERROR_INVALID_CLUSTER_SIZE, launch_cluster(kernels["any"], 32, 32));
  OK(cuFuncSetAttribute(kernels["asked"], CU_FUNC_ATTRIBUTE_REQUIRED_CLUSTER_WIDTH, 4));
  OK(cuLaunchKernel(kernels["asked"], 4, 1, 1, 1, 1, 1, 0, nullptr, nullptr, nullptr));
  GIVES(CUDA_ERROR_INVALID_CLUSTER_SIZE,
        cuLaunchKernel(kernels["asked"], 6, 1, 1, 1, 1, 1, 0, nullptr, nullptr, nullptr));
  OK(cuCtxSynchronize());
  int value = 0;
  OK(cuFuncGetAttribute(&value, CU_FUNC_ATTRIBUTE_REQUIRED_CLUSTER_WIDTH, kernels["pairs"]));
  CHECK(value == 2);
  OK(cuFuncGetAttribute(&value, CU_FUNC_ATTRIBUTE_CLUSTER_SIZE_MUST_BE_SET, kernels["asked"]));
  CHECK(value == 1);
}

TEST_CASE("cooperative grids fit the device, and their blocks meet") {
  const Session session;
  const Kernels kernels;
  int blocks = 0, sms = 0;
  OK(cuOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, kernels["meet"], 256, 0));
  OK(cuDeviceGetAttribute(&sms, CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT, 0));
  CHECK(blocks == 8);  // 2048 threads
  CUdeviceptr arrived = upload(std::vector<unsigned>{0});
  void* params[] = {&arrived};
  const auto resident = static_cast<unsigned>(blocks * sms);
  OK(cuLaunchCooperativeKernel(kernels["meet"], resident, 1, 1, 256, 1, 1, 0, nullptr, params));
  CHECK(download<unsigned>(arrived, 1)[0] == resident * 256);
  GIVES(CUDA_ERROR_COOPERATIVE_LAUNCH_TOO_LARGE,
        cuLaunchCooperativeKernel(kernels["meet"], resident + 1, 1, 1, 256, 1, 1, 0, nullptr, params));
  OK(cuMemFree(arrived));
}

TEST_CASE("occupancy follows threads, registers and shared memory") {
  const Session session;
  const Kernels kernels;
  const auto held = [](CUfunction function, int threads, std::size_t shared) {
    int blocks = -1;
    OK(cuOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, function, threads, shared));
    return blocks;
  };
  CHECK(held(kernels["scale"], 32, 0) == 32);
  CHECK(held(kernels["scale"], 1024, 0) == 2);
  // 40 registers: 1280 a warp, 12 warps in each of four parts.
  CHECK(held(kernels["few_registers"], 1024, 0) == 1);
  CHECK(held(kernels["few_registers"], 128, 0) == 12);
  // 233472 bytes in all; each block takes 40960 + 1024.
  CHECK(held(kernels["much_shared"], 32, 0) == 5);
  CHECK(held(kernels["much_shared"], 32, 233472) == 0);
  int grid = 0, block = 0;
  OK(cuOccupancyMaxPotentialBlockSize(&grid, &block, kernels["few_registers"], nullptr, 0, 0));
  CHECK(block * held(kernels["few_registers"], block, 0) == 12 * 4 * 32);
  CHECK(grid == 8 * held(kernels["few_registers"], block, 0));
  std::size_t bytes = 0;
  OK(cuOccupancyAvailableDynamicSMemPerBlock(&bytes, kernels["much_shared"], 2, 32));
  CHECK(held(kernels["much_shared"], 32, bytes) == 2);
  CHECK(held(kernels["much_shared"], 32, bytes + 128) == 1);
  GIVES(CUDA_ERROR_INVALID_VALUE, cuOccupancyAvailableDynamicSMemPerBlock(&bytes, kernels["much_shared"], 6, 32));
  CUlaunchAttribute attribute{};
  attribute.id = CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION;
  attribute.value.clusterDim = {4, 1, 1};
  CUlaunchConfig config{};
  config.gridDimX = 8;
  config.gridDimY = config.gridDimZ = config.blockDimY = config.blockDimZ = 1;
  config.blockDimX = 1024;
  config.attrs = &attribute;
  config.numAttrs = 1;
  int clusters = 0;
  OK(cuOccupancyMaxActiveClusters(&clusters, kernels["scale"], &config));
  CHECK(clusters == 4);  // 8 multiprocessors, two blocks each
  OK(cuOccupancyMaxPotentialClusterSize(&clusters, kernels["scale"], &config));
  CHECK(clusters == 8);
}

TEST_CASE("tensor maps are checked as the manual asks") {
  const Session session;
  CUdeviceptr x = 0;
  OK(cuMemAlloc(&x, 1 << 20));
  struct Arguments {
    CUtensorMapDataType type = CU_TENSOR_MAP_DATA_TYPE_FLOAT16;
    cuuint32_t rank = 2;
    std::uint64_t address = 0;
    cuuint64_t sizes[5] = {256, 128, 1, 1, 1};
    cuuint64_t strides[4] = {512, 65536, 65536, 65536};
    cuuint32_t box[5] = {64, 64, 1, 1, 1};
    cuuint32_t steps[5] = {1, 1, 1, 1, 1};
    CUtensorMapInterleave interleave = CU_TENSOR_MAP_INTERLEAVE_NONE;
    CUtensorMapSwizzle swizzle = CU_TENSOR_MAP_SWIZZLE_128B;
    CUtensorMapFloatOOBfill fill = CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE;
  };
  alignas(64) CUtensorMap map;
  const auto encode = [&](const Arguments& a) {
    return cuTensorMapEncodeTiled(&map, a.type, a.rank, reinterpret_cast<void*>(x + a.address), a.sizes, a.strides,
                                  a.box, a.steps, a.interleave, a.swizzle, CU_TENSOR_MAP_L2_PROMOTION_L2_128B, a.fill);
  };
  const auto with = [&](auto change) {
    Arguments a;
    change(a);
    return encode(a);
  };
  OK(encode({}));
  OK(with([](Arguments& a) { a.fill = CU_TENSOR_MAP_FLOAT_OOB_FILL_NAN_REQUEST_ZERO_FMA; }));
  OK(with([](Arguments& a) { a.rank = 5; }));
  OK(with([](Arguments& a) { a.steps[1] = 8; }));
  const auto refused = [&](auto change) { GIVES(CUDA_ERROR_INVALID_VALUE, with(change)); };
  refused([](Arguments& a) { a.rank = 0; });
  refused([](Arguments& a) { a.rank = 6; });
  refused([](Arguments& a) { a.address = 8; });
  refused([](Arguments& a) { a.sizes[1] = 0; });
  refused([](Arguments& a) { a.sizes[1] = (cuuint64_t{1} << 32) + 1; });
  refused([](Arguments& a) { a.strides[0] = 520; });
  refused([](Arguments& a) { a.strides[0] = cuuint64_t{1} << 40; });
  refused([](Arguments& a) { a.box[1] = 0; });
  refused([](Arguments& a) { a.box[1] = 257; });
  refused([](Arguments& a) { a.box[0] = 4; });    // 8 bytes
  refused([](Arguments& a) { a.box[0] = 128; });  // 256 bytes, more than the swizzle's 128
  refused([](Arguments& a) { a.steps[1] = 0; });
  refused([](Arguments& a) { a.steps[1] = 9; });
  refused([](Arguments& a) { a.type = static_cast<CUtensorMapDataType>(77); });
  refused([](Arguments& a) { a.swizzle = static_cast<CUtensorMapSwizzle>(77); });
  refused([](Arguments& a) {
    a.type = CU_TENSOR_MAP_DATA_TYPE_UINT16;
    a.fill = CU_TENSOR_MAP_FLOAT_OOB_FILL_NAN_REQUEST_ZERO_FMA;
  });
  GIVES(CUDA_ERROR_NOT_SUPPORTED, with([](Arguments& a) {
          a.rank = 3;
          a.interleave = CU_TENSOR_MAP_INTERLEAVE_16B;
        }));
  for (const auto& [swizzle, elements] : {std::pair{CU_TENSOR_MAP_SWIZZLE_32B, 16u},
                                          {CU_TENSOR_MAP_SWIZZLE_64B, 32u},
                                          {CU_TENSOR_MAP_SWIZZLE_128B, 64u}}) {
    OK(with([&, s = swizzle, n = elements](Arguments& a) { a.swizzle = s, a.box[0] = n; }));
    refused([&, s = swizzle, n = elements](Arguments& a) { a.swizzle = s, a.box[0] = n + 8; });
  }
  OK(cuTensorMapReplaceAddress(&map, reinterpret_cast<void*>(x + 4096)));
  GIVES(CUDA_ERROR_INVALID_VALUE, cuTensorMapReplaceAddress(&map, reinterpret_cast<void*>(x + 8)));

  const cuuint64_t sizes[] = {64, 32, 32, 2}, strides[] = {128, 4096, 131072};
  const cuuint32_t steps[] = {1, 1, 1, 1};
  const auto im2col = [&](int lower, int upper, cuuint32_t channels, cuuint32_t pixels, cuuint32_t rank) {
    const int low[] = {lower, lower, lower}, high[] = {upper, upper, upper};
    return cuTensorMapEncodeIm2col(&map, CU_TENSOR_MAP_DATA_TYPE_FLOAT16, rank, reinterpret_cast<void*>(x), sizes,
                                   strides, low, high, channels, pixels, steps, CU_TENSOR_MAP_INTERLEAVE_NONE,
                                   CU_TENSOR_MAP_SWIZZLE_128B, CU_TENSOR_MAP_L2_PROMOTION_NONE,
                                   CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
  };
  OK(im2col(-1, -1, 64, 128, 4));
  OK(im2col(-128, 127, 64, 1024, 4));
  GIVES(CUDA_ERROR_INVALID_VALUE, im2col(-129, 0, 64, 128, 4));
  GIVES(CUDA_ERROR_INVALID_VALUE, im2col(0, 128, 64, 128, 4));
  GIVES(CUDA_ERROR_INVALID_VALUE, im2col(0, 0, 257, 128, 4));
  GIVES(CUDA_ERROR_INVALID_VALUE, im2col(0, 0, 72, 128, 4));
  GIVES(CUDA_ERROR_INVALID_VALUE, im2col(0, 0, 64, 1025, 4));
  GIVES(CUDA_ERROR_INVALID_VALUE, im2col(0, 0, 64, 128, 2));
  OK(cuMemFree(x));
}

TEST_CASE("programmatic serialization and priorities are accepted") {
  const Session session;
  const Kernels kernels;
  CUdeviceptr x = upload(std::vector<float>(256, 1.0f));
  int n = 256;
  float factor = 2, summand = 0;
  void* params[] = {&x, &n, &factor, &summand};
  CUlaunchAttribute attributes[3] = {};
  attributes[0].id = CU_LAUNCH_ATTRIBUTE_PRIORITY;
  attributes[0].value.priority = -1;
  attributes[1].id = CU_LAUNCH_ATTRIBUTE_ACCESS_POLICY_WINDOW;
  attributes[2].id = CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION;
  CUlaunchConfig config{};
  config.gridDimX = 2;
  config.blockDimX = 128;
  config.gridDimY = config.gridDimZ = config.blockDimY = config.blockDimZ = 1;
  config.attrs = attributes;
  config.numAttrs = 3;
  OK(cuLaunchKernelEx(&config, kernels["scale"], params, nullptr));
  CHECK(download<float>(x, 256)[255] == 2);
  attributes[0].id = static_cast<CUlaunchAttributeID>(1000);
  GIVES(CUDA_ERROR_INVALID_VALUE, cuLaunchKernelEx(&config, kernels["scale"], params, nullptr));
  config.attrs = nullptr;
  GIVES(CUDA_ERROR_INVALID_VALUE, cuLaunchKernelEx(&config, kernels["scale"], params, nullptr));
  GIVES(CUDA_ERROR_INVALID_VALUE, cuLaunchKernelEx(nullptr, kernels["scale"], params, nullptr));
}

}  // namespace vgpu_test
