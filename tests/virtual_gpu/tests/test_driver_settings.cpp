// What the environment sets: the chip, its size, failures on order, what is written to files. Each case runs in a
// process of its own, because the driver reads its settings once.
#include <dlfcn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>

#include "driver_harness.h"
#include "vgpu.h"

namespace vgpu_test {
namespace {

using Environment = std::map<std::string, std::string>;
/// 0, or the line where a body found something else than it expected.
using Body = std::function<int()>;

/// Leaves a body with the line where a condition doesn't hold.
#define NEED(condition)                \
  do {                                 \
    if (!(condition)) return __LINE__; \
  } while (false)
#define NEED_OK(call) NEED((call) == CUDA_SUCCESS)

/// Runs the body in a child that ends as programs do; returns what the body did, or 1000 + signal.
int in_process(const Environment& environment, const Body& body) {
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    for (const auto& [name, value] : environment) setenv(name.c_str(), value.c_str(), 1);
    if (std::freopen("/dev/null", "w", stderr) == nullptr) std::_Exit(254);
    const int line = body();
    // Exit statuses have 8 bits.
    std::ofstream("line_" + std::to_string(getpid())) << line;
    std::exit(line == 0 ? 0 : 1);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  const std::string file = "line_" + std::to_string(child);
  int line = 0;
  std::ifstream(file) >> line;
  std::filesystem::remove(file);
  return WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : line;
}

std::vector<nlohmann::json> json_lines(const std::string& file) {
  std::ifstream lines(file);
  std::vector<nlohmann::json> all;
  for (std::string line; std::getline(lines, line);) all.push_back(nlohmann::json::parse(line));
  std::filesystem::remove(file);
  return all;
}

int attribute(CUdevice_attribute name) {
  int value = -1;
  return cuDeviceGetAttribute(&value, name, 0) == CUDA_SUCCESS ? value : -2;
}

struct Program {
  CUcontext context = nullptr;
  CUmodule module = nullptr;
  CUfunction scale = nullptr;
  CUresult start(const std::string& image) {
    CUresult status = cuInit(0);
    if (status == CUDA_SUCCESS) status = cuCtxCreate(&context, nullptr, 0, 0);
    if (status == CUDA_SUCCESS) status = cuModuleLoadData(&module, image.c_str());
    if (status == CUDA_SUCCESS) status = cuModuleGetFunction(&scale, module, "scale");
    return status;
  }
};

}  // namespace

TEST_CASE("the chip is the one that VGPU_CC names") {
  const std::string image = file_text(std::string(VGPU_FAT_BINARIES) + "/zstandard.fatbin");
  struct Chip {
    const char* cc;
    int major, minor, optin, cluster, chosen;
  };
  for (const Chip& chip :
       {Chip{"7.5", 7, 5, 65536, 0, 750}, Chip{"8.0", 8, 0, 166912, 0, 800}, Chip{"8.6", 8, 6, 101376, 0, 800},
        Chip{"8.9", 8, 9, 101376, 0, 800}, Chip{"9.0", 9, 0, 232448, 1, 901}}) {
    INFO(chip.cc);
    CHECK(in_process({{"VGPU_CC", chip.cc}}, [&] {
            Program program;
            NEED_OK(program.start(image));
            NEED(attribute(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR) == chip.major);
            NEED(attribute(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR) == chip.minor);
            NEED(attribute(CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN) == chip.optin);
            NEED(attribute(CU_DEVICE_ATTRIBUTE_CLUSTER_LAUNCH) == chip.cluster);
            NEED(attribute(CU_DEVICE_ATTRIBUTE_WARP_SIZE) == 32);
            // Every attribute of the header has some value.
            for (int i = 1; i < CU_DEVICE_ATTRIBUTE_MAX; ++i) NEED(attribute(static_cast<CUdevice_attribute>(i)) != -2);
            CUfunction function = nullptr;
            CUdeviceptr result = 0;
            int found = 0;
            NEED_OK(cuModuleGetFunction(&function, program.module, "architecture"));
            NEED_OK(cuMemAlloc(&result, 4));
            NEED_OK(launch(function, 1, 1, nullptr, result));
            NEED_OK(cuMemcpyDtoH(&found, result, 4));
            NEED(found == chip.chosen);
            alignas(64) CUtensorMap map;
            const cuuint64_t sizes[] = {64}, strides[] = {0};
            const cuuint32_t box[] = {64}, steps[] = {1};
            NEED(cuTensorMapEncodeTiled(&map, CU_TENSOR_MAP_DATA_TYPE_UINT8, 1, reinterpret_cast<void*>(result), sizes,
                                        strides, box, steps, CU_TENSOR_MAP_INTERLEAVE_NONE, CU_TENSOR_MAP_SWIZZLE_NONE,
                                        CU_TENSOR_MAP_L2_PROMOTION_NONE, CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE) ==
                 (chip.major >= 9 ? CUDA_SUCCESS : CUDA_ERROR_NOT_SUPPORTED));
            return 0;
          }) == 0);
  }
}

TEST_CASE("an allocation finds the room of frees that are pending in streams") {
  CHECK(in_process({{"VGPU_MEMORY", "1M"}}, [] {
          Program program;
          NEED_OK(program.start(test_ptx("driver.ptx")));
          CUstream stream = nullptr;
          NEED_OK(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING));
          for (int i = 0; i < 8; ++i) {
            CUdeviceptr x = 0;
            NEED_OK(cuMemAllocAsync(&x, 400 << 10, stream));
            NEED_OK(cuMemsetD32Async(x, 1, 100, stream));
            NEED_OK(cuMemFreeAsync(x, stream));
          }
          NEED_OK(cuStreamSynchronize(stream));
          return 0;
        }) == 0);
}

TEST_CASE("size and version are set, and wrong settings are no device") {
  CHECK(in_process({{"VGPU_SMS", "3"}, {"VGPU_MEMORY", "1M"}, {"VGPU_DRIVER", "12.4"}}, [] {
          Program program;
          NEED(program.start(test_ptx("driver.ptx")) == CUDA_ERROR_UNSUPPORTED_PTX_VERSION);  // 9.0 is of CUDA 13
          NEED(attribute(CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT) == 3);
          int version = 0;
          NEED_OK(cuDriverGetVersion(&version));
          NEED(version == 12040);
          void* function = nullptr;
          NEED(cuGetProcAddress("cuInit", &function, 13000, 0, nullptr) == CUDA_ERROR_INVALID_VALUE);
          std::size_t total = 0, free = 0;
          NEED_OK(cuDeviceTotalMem(&total, 0));
          NEED(total == 1 << 20);
          CUdeviceptr x = 0, y = 0;
          NEED_OK(cuMemAlloc(&x, 1 << 20));
          NEED(cuMemAlloc(&y, 1) == CUDA_ERROR_OUT_OF_MEMORY);
          void* pinned = nullptr;
          NEED_OK(cuMemHostAlloc(&pinned, 1 << 20, 0));  // no memory of the device
          NEED_OK(cuMemGetInfo(&free, &total));
          NEED(free == 0);
          NEED_OK(cuMemFree(x));
          NEED_OK(cuMemAlloc(&y, 1 << 20));
          return 0;
        }) == 0);
  for (const Environment& wrong :
       {Environment{{"VGPU_CC", "5.2"}}, Environment{{"VGPU_SMS", "many"}}, Environment{{"VGPU_DEVICES", "9"}},
        Environment{{"VGPU_FAIL", "alloc"}}, Environment{{"VGPU_FAIL", "coffee:1"}},
        Environment{{"VGPU_DRIVER", "12040"}}, Environment{{"VGPU_DRIVER", "12.4 "}},
        Environment{{"VGPU_DRIVER", "99.0"}}, Environment{{"VGPU_FAIL", "alloc:0"}},
        Environment{{"VGPU_REPORT", "/nonexistent/file"}}}) {
    INFO(wrong.begin()->first << "=" << wrong.begin()->second);
    CHECK(in_process(wrong, [] {
            NEED(cuInit(0) == CUDA_ERROR_NO_DEVICE);
            return 0;
          }) == 0);
  }
}

TEST_CASE("clusters lie within parts of the chip") {
  CHECK(in_process({{"VGPU_SMS", "132"}}, [] {
          Program program;
          NEED_OK(program.start(test_ptx("driver.ptx")));
          CUlaunchAttribute cluster{};
          cluster.id = CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION;
          cluster.value.clusterDim = {7, 1, 1};
          const CUlaunchConfig config{7, 1, 1, 1024, 1, 1, 0, nullptr, &cluster, 1};
          int clusters = 0;
          NEED_OK(cuOccupancyMaxActiveClusters(&clusters, program.scale, &config));
          NEED(clusters == 2 * (36 / 7) + 6 * (32 / 7));  // two blocks a multiprocessor, of 18 or 16
          return 0;
        }) == 0);
}

namespace {

/// The kernels of driver.cu as a compiler of CUDA 12.0 would have written them.
std::string older_ptx() {
  std::string ptx = test_ptx("driver.ptx");
  const std::size_t at = ptx.find(".version ");
  return ptx.replace(at, std::strlen(".version 9.0"), ".version 8.0");
}

/// A fat binary that the build has made of driver.cu.
std::string fat_binary(const std::string& name) {
  return file_text(std::string(VGPU_FAT_BINARIES) + "/" + name + ".fatbin");
}

/// The least of a cubin that tells its format.
std::string cubin_of_abi(char abi) {
  std::string elf = std::string("\x7f") + "ELF\2\1\1\x33" + std::string(56, '\0');
  elf[8] = abi;
  return elf;
}

}  // namespace

TEST_CASE("an older driver has older functions and loads no newer images") {
  CHECK(in_process({{"VGPU_DRIVER", "12.2"}}, [] {
          Program program;
          NEED_OK(program.start(older_ptx()));
          void* function = nullptr;
          NEED_OK(cuGetProcAddress("cuEventElapsedTime", &function, 12020, 0, nullptr));
          NEED(function == dlsym(RTLD_DEFAULT, "cuEventElapsedTime"));
          CUmodule module = nullptr;
          // Machine code can't be run by any, but that of CUDA 13 is not even read.
          NEED(cuModuleLoadData(&module, cubin_of_abi(7).c_str()) == CUDA_ERROR_NO_BINARY_FOR_GPU);
          NEED(cuModuleLoadData(&module, cubin_of_abi(8).c_str()) == CUDA_ERROR_INVALID_IMAGE);
          NEED(cuModuleLoadData(&module, fat_binary("zstandard").c_str()) == CUDA_ERROR_INVALID_IMAGE);
          NEED(cuModuleLoadData(&module, fat_binary("machine_code").c_str()) == CUDA_ERROR_INVALID_IMAGE);
          return 0;
        }) == 0);
  CHECK(in_process({{"VGPU_DRIVER", "13.0"}}, [] {
          Program program;
          NEED_OK(program.start(test_ptx("driver.ptx")));
          void* function = nullptr;
          NEED_OK(cuGetProcAddress("cuEventElapsedTime", &function, 13000, 0, nullptr));
          NEED(function == dlsym(RTLD_DEFAULT, "cuEventElapsedTime_v2"));
          CUmodule module = nullptr;
          NEED(cuModuleLoadData(&module, cubin_of_abi(8).c_str()) == CUDA_ERROR_NO_BINARY_FOR_GPU);
          NEED(cuModuleLoadData(&module, fat_binary("machine_code").c_str()) == CUDA_ERROR_NO_BINARY_FOR_GPU);
          return 0;
        }) == 0);
}

TEST_CASE("graphs of drivers before 12.3 take no programmatic dependent launch") {
  for (const auto& [version, want] :
       {std::pair{"12.2", CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED}, std::pair{"12.3", CUDA_SUCCESS}}) {
    INFO(version);
    CHECK(in_process({{"VGPU_DRIVER", version}}, [expected = want] {
            Program program;
            NEED_OK(program.start(older_ptx()));
            CUfunction function = nullptr;
            NEED_OK(cuModuleGetFunction(&function, program.module, "architecture"));
            CUstream stream = nullptr;
            NEED_OK(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING));
            CUdeviceptr result = 0;
            NEED_OK(cuMemAlloc(&result, 4));
            void* parameters[] = {&result};
            CUlaunchAttribute attribute{};
            attribute.id = CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION;
            attribute.value.programmaticStreamSerializationAllowed = 1;
            CUlaunchConfig config{1, 1, 1, 1, 1, 1, 0, stream, &attribute, 1};
            NEED_OK(cuLaunchKernelEx(&config, function, parameters, nullptr));
            NEED_OK(cuStreamBeginCapture(stream, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL));
            NEED(cuLaunchKernelEx(&config, function, parameters, nullptr) == expected);
            CUgraph graph = nullptr;
            NEED_OK(cuStreamEndCapture(stream, &graph));
            NEED_OK(cuStreamSynchronize(stream));
            return 0;
          }) == 0);
  }
}

TEST_CASE("nothing works before cuInit") {
  CHECK(in_process({}, [] {
          int count = 0;
          CUdeviceptr x = 0;
          NEED(cuDeviceGetCount(&count) == CUDA_ERROR_NOT_INITIALIZED);
          NEED(cuMemAlloc(&x, 4) == CUDA_ERROR_NOT_INITIALIZED);
          NEED(cuInit(1) == CUDA_ERROR_INVALID_VALUE);
          NEED_OK(cuDriverGetVersion(&count));
          NEED_OK(cuInit(0));
          NEED_OK(cuInit(0));
          NEED_OK(cuDeviceGetCount(&count));
          NEED(count == 1);
          return 0;
        }) == 0);
}

TEST_CASE("the failure that is ordered happens at its place, and no other") {
  const std::string ptx = test_ptx("driver.ptx");
  struct Kind {
    const char* name;
    CUresult status;
    std::function<CUresult(Program&)> event;
  };
  const std::vector<Kind> kinds = {
      {"alloc", CUDA_ERROR_OUT_OF_MEMORY,
       [](Program&) {
         CUdeviceptr x = 0;
         return cuMemAlloc(&x, 16);
       }},
      {"alloc", CUDA_ERROR_OUT_OF_MEMORY,
       [](Program&) {
         CUdeviceptr x = 0;
         return cuMemAllocAsync(&x, 16, nullptr);
       }},
      {"host", CUDA_ERROR_OUT_OF_MEMORY,
       [](Program&) {
         void* x = nullptr;
         return cuMemHostAlloc(&x, 16, 0);
       }},
      {"launch", CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES,
       [](Program& p) { return launch(p.scale, 1, 1, nullptr, CUdeviceptr{0}, 0, 1.0f, 1.0f); }},
      {"module", CUDA_ERROR_OUT_OF_MEMORY,
       [](Program&) {
         CUmodule module = nullptr;
         return cuModuleLoadData(&module, ".version 7.0\n.target sm_75\n.address_size 64\n");
       }},
      {"create", CUDA_ERROR_OUT_OF_MEMORY,
       [](Program&) {
         CUevent event = nullptr;
         return cuEventCreate(&event, 0);
       }},
      {"graph", CUDA_ERROR_OUT_OF_MEMORY,
       [](Program&) {
         CUgraph graph = nullptr;
         CUgraphExec exec = nullptr;
         const CUresult status = cuGraphCreate(&graph, 0);
         return status == CUDA_SUCCESS ? cuGraphInstantiate(&exec, graph, 0) : status;
       }},
      {"copy", CUDA_ERROR_UNKNOWN,
       [](Program& p) {
         static CUdeviceptr x = 0;
         if (x == 0) {
           std::size_t bytes = 0;
           const CUresult status = cuModuleGetGlobal(&x, &bytes, p.module, "counter");
           if (status != CUDA_SUCCESS) return status;
         }
         return cuMemsetD32(x, 0, 1);
       }},
  };
  for (const Kind& kind : kinds) {
    // start() makes a context and loads a module before.
    const std::string name = kind.name;
    const int offset = name == "create" || name == "module" ? 1 : 0;
    for (int n = 1; n <= 5; ++n) {
      INFO(kind.name << ":" << n);
      for (const bool all_after : {false, true}) {
        const std::string plan = name + ":" + std::to_string(n + offset) + (all_after ? "+" : "");
        CHECK(in_process({{"VGPU_FAIL", plan}}, [&] {
                Program program;
                NEED_OK(program.start(ptx));
                for (int i = 1; i <= 6; ++i) {
                  const bool fails = all_after ? i >= n : i == n;
                  NEED(kind.event(program) == (fails ? kind.status : CUDA_SUCCESS));
                }
                NEED_OK(cuCtxSynchronize());
                return 0;
              }) == 0);
      }
    }
  }
}

TEST_CASE("a kernel that is ordered to fail is a sticky error") {
  const std::string ptx = test_ptx("driver.ptx");
  for (int n = 1; n <= 3; ++n) {
    CHECK(in_process({{"VGPU_FAIL", "fault:" + std::to_string(n)}}, [&] {
            Program program;
            NEED_OK(program.start(ptx));
            for (int i = 1; i < n; ++i) {
              NEED_OK(launch(program.scale, 1, 1, nullptr, CUdeviceptr{0}, 0, 1.0f, 1.0f));
              NEED_OK(cuCtxSynchronize());
            }
            NEED_OK(launch(program.scale, 1, 1, nullptr, CUdeviceptr{0}, 0, 1.0f, 1.0f));
            NEED(cuCtxSynchronize() == CUDA_ERROR_LAUNCH_FAILED);
            CUdeviceptr x = 0;
            NEED(cuMemAlloc(&x, 4) == CUDA_ERROR_LAUNCH_FAILED);
            return 0;
          }) == 0);
  }
}

TEST_CASE("a lost device stays lost, whatever call finds out") {
  const std::string ptx = test_ptx("driver.ptx");
  for (int n = 1; n <= 12; ++n) {
    INFO("lost:" << n);
    CHECK(in_process({{"VGPU_FAIL", "lost:" + std::to_string(n)}}, [&] {
            Program program;
            CUresult status = program.start(ptx);
            CUdeviceptr x = 0;
            CUstream stream = nullptr;
            float value = 1;
            int calls = 0;
            bool lost = status == CUDA_ERROR_DEVICE_UNAVAILABLE;
            const auto call = [&](CUresult found) {
              ++calls;
              if (found == CUDA_ERROR_DEVICE_UNAVAILABLE) lost = true;
              return found == CUDA_SUCCESS ? !lost : found == CUDA_ERROR_DEVICE_UNAVAILABLE;
            };
            if (!lost) {
              NEED_OK(status);
              NEED(call(cuMemAlloc(&x, 4)));
              if (!lost) NEED(call(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING)));
              for (int round = 0; round < 3 && !lost; ++round) {
                NEED(call(cuMemcpyHtoDAsync(x, &value, 4, stream)));
                if (!lost) NEED(call(launch(program.scale, 1, 1, stream, x, 1, 2.0f, 0.0f)));
                if (!lost) NEED(call(cuStreamSynchronize(stream)));
              }
            }
            NEED(lost);
            // Permanently, and in every context.
            NEED(cuMemAlloc(&x, 4) == CUDA_ERROR_DEVICE_UNAVAILABLE || program.context == nullptr);
            CUcontext other = nullptr;
            NEED(cuCtxCreate(&other, nullptr, 0, 0) == CUDA_ERROR_DEVICE_UNAVAILABLE);
            return 0;
          }) == 0);
  }
}

TEST_CASE("reports, counters and what was not freed are written to files") {
  const std::string ptx = test_ptx("driver.ptx");
  REQUIRE(in_process({{"VGPU_REPORT", "driver_report.json"}, {"VGPU_COUNTERS", "driver_counters.json"}}, [&] {
            Program program;
            NEED_OK(program.start(ptx));
            CUdeviceptr x = 0;
            CUfunction wrong = nullptr;
            NEED_OK(cuMemAlloc(&x, 1024));
            NEED_OK(cuMemsetD32(x, 0, 256));
            NEED_OK(launch(program.scale, 2, 128, nullptr, x, 256, 1.0f, 1.0f));
            NEED_OK(cuCtxSynchronize());
            NEED_OK(cuModuleGetFunction(&wrong, program.module, "out_of_bounds"));
            NEED_OK(launch(wrong, 1, 1, nullptr, x));
            NEED(cuCtxSynchronize() == CUDA_ERROR_ILLEGAL_ADDRESS);
            return 0;  // and leaves everything
          }) == 0);
  const auto report = json_lines("driver_report.json");
  REQUIRE(report.size() == 2);
  CHECK(report[0]["check"] == "access out of bounds");
  CHECK_THAT(report[0]["kernel"].get<std::string>(), Catch::StartsWith("out_of_bounds"));
  CHECK_THAT(report[0]["source"].get<std::string>(), Catch::Contains("driver.cu:"));
  const auto& left = report[1]["not_freed"];
  CHECK(left["device allocation"] == 1);
  CHECK(left["device allocation bytes"] == 1024);
  CHECK(left["context"] == 1);
  CHECK(left["module"] == 1);
  CHECK(left["stream"] == 0);
  const auto counters = json_lines("driver_counters.json");
  REQUIRE(counters.size() == 2);
  CHECK(counters[0]["kernel"] == "scale");
  CHECK(counters[0]["grid"] == nlohmann::json({2, 1, 1}));
  CHECK(counters[0]["blocks_run"] == 2);
  CHECK(counters[0]["counters"].contains("lines"));
}

TEST_CASE("sampled grids run few blocks, scale their counters and report nothing") {
  const std::string ptx = test_ptx("driver.ptx");
  REQUIRE(in_process({{"VGPU_SAMPLE_BLOCKS", "4"}, {"VGPU_COUNTERS", "driver_sampled.json"}}, [&] {
            Program program;
            NEED_OK(program.start(ptx));
            CUfunction add = nullptr;
            NEED_OK(cuModuleGetFunction(&add, program.module, "add"));
            CUdeviceptr x = 0, y = 0;
            NEED_OK(cuMemAlloc(&x, 4 * 128000));
            NEED_OK(cuMemAlloc(&y, 4 * 128000));
            NEED_OK(launch(program.scale, 1000, 128, nullptr, x, 128000, 2.0f, 1.0f));
            NEED_OK(launch(add, 1000, 128, nullptr, x, y, 128000));
            NEED_OK(cuCtxSynchronize());
            NEED(vgpuGetReportCount() == 0);
            return 0;
          }) == 0);
  const auto counters = json_lines("driver_sampled.json");
  REQUIRE(counters.size() == 2);
  CHECK(counters[0]["blocks_run"] == 4);
  // One fused multiplication and addition a thread, of all 128000.
  std::uint64_t lanes = 0;
  for (const auto& line : counters[0]["counters"]["lines"]) {
    if (line["text"].get<std::string>().starts_with("fma")) lanes += line["lane_instructions"].get<std::uint64_t>();
  }
  CHECK(lanes == 128000);
}

TEST_CASE("a program takes the counters of its launches and says how many blocks run") {
  const std::string ptx = test_ptx("driver.ptx");
  CHECK(in_process({{"VGPU_SAMPLE_BLOCKS", "4"}}, [&] {
          VgpuCounters counters;
          vgpuTakeCounters(&counters);
          NEED(counters.launches == 0);
          Program program;
          NEED_OK(program.start(ptx));
          vgpuTakeCounters(&counters);
          CUdeviceptr x = 0;
          NEED_OK(cuMemAlloc(&x, 4 * 128000));
          const auto run = [&] {
            NEED_OK(launch(program.scale, 1000, 128, nullptr, x, 128000, 2.0f, 1.0f));
            NEED_OK(cuCtxSynchronize());
            vgpuTakeCounters(&counters);
            NEED(counters.launches == 1);
            NEED(counters.blocks == 1000);
            // A load and a store of a float each by every warp.
            NEED(counters.all.global_requests == 2 * 4000);
            NEED(counters.all.global_sectors == 2 * 4000 * 4);
            NEED(counters.all.global_used == 2 * 512000);
            NEED(counters.all.shared_requests == 0);
            NEED(counters.all.tensor_instructions == 0);
            NEED(counters.main_loop.instructions <= counters.all.instructions);
            return 0;
          };
          NEED(run() == 0);
          NEED(counters.blocks_run == 4);
          vgpuSetSampleBlocks(0);
          NEED(run() == 0);
          NEED(counters.blocks_run == 1000);
          vgpuTakeCounters(&counters);
          NEED(counters.launches == 0);
          return 0;
        }) == 0);
}

TEST_CASE("VGPU_DEVICES devices have contexts and names of their own, and one memory") {
  CHECK(in_process({{"VGPU_DEVICES", "2"}}, [] {
          NEED_OK(cuInit(0));
          int count = 0;
          NEED_OK(cuDeviceGetCount(&count));
          NEED(count == 2);
          CUdevice found = -1;
          NEED(cuDeviceGet(&found, 2) == CUDA_ERROR_INVALID_DEVICE);
          CUcontext contexts[2];
          CUdeviceptr memory[2];
          for (CUdevice device = 0; device < 2; ++device) {
            char bus[16];
            NEED_OK(cuDeviceGetPCIBusId(bus, sizeof bus, device));
            NEED_OK(cuDeviceGetByPCIBusId(&found, bus));
            NEED(found == device);
            NEED_OK(cuDevicePrimaryCtxRetain(&contexts[device], device));
            NEED_OK(cuCtxSetCurrent(contexts[device]));
            NEED_OK(cuCtxGetDevice(&found));
            NEED(found == device);
            NEED_OK(cuMemAlloc(&memory[device], 1 << 20));
            NEED_OK(cuPointerGetAttribute(&found, CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL, memory[device]));
            NEED(found == device);
          }
          NEED(contexts[0] != contexts[1]);
          size_t free = 0, total = 0;
          NEED_OK(cuMemGetInfo(&free, &total));
          NEED(free == total - (2 << 20));
          for (CUdevice device = 0; device < 2; ++device) {
            NEED_OK(cuCtxSetCurrent(contexts[device]));
            NEED_OK(cuMemFree(memory[device]));
            NEED_OK(cuDevicePrimaryCtxRelease(device));
          }
          return 0;
        }) == 0);
}

TEST_CASE("races between streams are reported unless VGPU_CHECKS is 0") {
  const std::string ptx = test_ptx("driver.ptx");
  for (const bool checks : {true, false}) {
    for (const char* seed : {"0", "1", "2", "3", "4"}) {
      CHECK(in_process({{"VGPU_CHECKS", checks ? "1" : "0"}, {"VGPU_SEED", seed}}, [&] {
              Program program;
              NEED_OK(program.start(ptx));
              CUstream one = nullptr, two = nullptr;
              CUdeviceptr x = 0;
              NEED_OK(cuStreamCreate(&one, CU_STREAM_NON_BLOCKING));
              NEED_OK(cuStreamCreate(&two, CU_STREAM_NON_BLOCKING));
              NEED_OK(cuMemAlloc(&x, 1024));
              NEED_OK(cuMemsetD32Async(x, 0, 256, one));
              NEED_OK(cuStreamSynchronize(one));
              NEED_OK(launch(program.scale, 2, 128, one, x, 256, 1.0f, 1.0f));
              NEED_OK(launch(program.scale, 2, 128, two, x, 256, 2.0f, 0.0f));
              NEED(cuCtxSynchronize() == (checks ? CUDA_ERROR_LAUNCH_FAILED : CUDA_SUCCESS));
              return 0;
            }) == 0);
    }
  }
}

}  // namespace vgpu_test
