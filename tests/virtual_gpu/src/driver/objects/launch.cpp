#include "driver/objects/launch.h"

#include <algorithm>
#include <cstring>

#include "driver/objects/chip.h"
#include "driver/objects/occupancy.h"

namespace vgpu::driver {
namespace {

constexpr std::uint32_t kPortableCluster = 8;

std::uint64_t volume(const Dim3& d) { return std::uint64_t{d[0]} * d[1] * d[2]; }

std::size_t param_bytes(const Program& program) {
  std::size_t bytes = 0;
  for (const ParamSlot& slot : program.parameters) bytes = std::max<std::size_t>(bytes, slot.offset + slot.bytes);
  return bytes;
}

void check_cluster(const Driver& driver, const KernelLaunchRequest& request) {
  const Program& program = *request.function->program;
  const auto expect = [](bool holds, const char* sentence) {
    require(holds, CUDA_ERROR_INVALID_CLUSTER_SIZE, sentence);
  };
  const Dim3& cluster = request.config.cluster;
  if (const auto it = program.directives.find("reqnctapercluster"); it != program.directives.end()) {
    Dim3 wanted{1, 1, 1};
    std::copy_n(it->second.begin(), std::min<std::size_t>(it->second.size(), 3), wanted.begin());
    expect(cluster == wanted, "expected the cluster size that .reqnctapercluster names");
  } else {
    expect(!program.directives.contains("explicitcluster") || volume(cluster) > 1,
           "expected a cluster size for a kernel that asks for one (.explicitcluster)");
  }
  const std::uint64_t blocks = volume(cluster);
  expect(blocks >= 1 && blocks <= driver.device->limits().cluster_blocks,
         "expected a cluster of the size that this chip can run");
  expect(blocks <= kPortableCluster || request.function->settings->non_portable_cluster != 0,
         "expected at most 8 blocks a cluster where CU_FUNC_ATTRIBUTE_NON_PORTABLE_CLUSTER_SIZE_ALLOWED is not set");
  for (std::size_t i = 0; i < 3; ++i) {
    expect(request.config.grid[i] % cluster[i] == 0, "expected a grid made of whole clusters");
  }
}

}  // namespace

KernelLaunchRequest::KernelLaunchRequest(const KernelLaunchRequest& other)
    : handle(other.handle),
      function(other.function),
      config(other.config),
      cooperative(other.cooperative),
      programmatic(other.programmatic),
      priority(other.priority),
      params(other.params) {
  set_pointers();
}

void KernelLaunchRequest::set_pointers() {
  pointers.clear();
  for (const ParamSlot& slot : function->program->parameters) pointers.push_back(params.data() + slot.offset);
}

void KernelLaunchRequest::take_params(void* const* kernel_params, void* const* extra) {
  const Program& program = *function->program;
  params.assign(param_bytes(program), 0);
  require_value(kernel_params == nullptr || extra == nullptr, "expected kernelParams or extra, found both");
  if (extra != nullptr) {
    const std::uint8_t* buffer = nullptr;
    std::size_t bytes = 0;
    for (; *extra != CU_LAUNCH_PARAM_END; extra += 2) {
      if (*extra == CU_LAUNCH_PARAM_BUFFER_POINTER) {
        buffer = static_cast<const std::uint8_t*>(extra[1]);
      } else {
        require_value(*extra == CU_LAUNCH_PARAM_BUFFER_SIZE && extra[1] != nullptr,
                      "expected CU_LAUNCH_PARAM_BUFFER_POINTER, CU_LAUNCH_PARAM_BUFFER_SIZE or the end in extra");
        bytes = *static_cast<const std::size_t*>(extra[1]);
      }
    }
    require_value(bytes >= params.size() && (buffer != nullptr || params.empty()),
                  "expected a buffer that holds all of the kernel's parameters");
    if (!params.empty()) std::memcpy(params.data(), buffer, params.size());
  } else {
    require_value(kernel_params != nullptr || program.parameters.empty(),
                  "expected the kernel's parameters, found a null pointer");
    for (std::size_t i = 0; i < program.parameters.size(); ++i) {
      require_value(kernel_params[i] != nullptr, "expected a pointer to every parameter, found a null pointer");
      std::memcpy(params.data() + program.parameters[i].offset, kernel_params[i], program.parameters[i].bytes);
    }
  }
  set_pointers();
}

void KernelLaunchRequest::apply_required_cluster() {
  if (config.cluster != Dim3{1, 1, 1}) return;
  if (const auto it = function->program->directives.find("reqnctapercluster");
      it != function->program->directives.end()) {
    std::copy_n(it->second.begin(), std::min<std::size_t>(it->second.size(), 3), config.cluster.begin());
    return;
  }
  const FunctionSettings& set = *function->settings;
  config.cluster = {std::max<std::uint32_t>(1, static_cast<std::uint32_t>(set.cluster_width)),
                    std::max<std::uint32_t>(1, static_cast<std::uint32_t>(set.cluster_height)),
                    std::max<std::uint32_t>(1, static_cast<std::uint32_t>(set.cluster_depth))};
}

void KernelLaunchRequest::apply(const CUlaunchAttribute& attribute) { set_attribute(attribute.id, attribute.value); }

void KernelLaunchRequest::set_attribute(CUlaunchAttributeID id, const CUlaunchAttributeValue& value) {
  switch (id) {
    case CU_LAUNCH_ATTRIBUTE_COOPERATIVE:
      cooperative = value.cooperative != 0;
      return;
    case CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION:
      require(value.clusterDim.x > 0 && value.clusterDim.y > 0 && value.clusterDim.z > 0,
              CUDA_ERROR_INVALID_CLUSTER_SIZE, "expected a cluster of at least one block in each dimension");
      config.cluster = {value.clusterDim.x, value.clusterDim.y, value.clusterDim.z};
      return;
    case CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION:
      programmatic = value.programmaticStreamSerializationAllowed != 0;
      return;
    case CU_LAUNCH_ATTRIBUTE_PRIORITY:
      priority = value.priority;
      return;
    case CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_EVENT:
    case CU_LAUNCH_ATTRIBUTE_LAUNCH_COMPLETION_EVENT:
    case CU_LAUNCH_ATTRIBUTE_DEVICE_UPDATABLE_KERNEL_NODE:
      throw Status(CUDA_ERROR_NOT_SUPPORTED,
                   "expected no launch events and device-updatable nodes, which the virtual GPU doesn't have");
    default:
      // Hints, which change nothing here.
      require_value(id >= CU_LAUNCH_ATTRIBUTE_IGNORE && id <= CU_LAUNCH_ATTRIBUTE_NVLINK_UTIL_CENTRIC_SCHEDULING,
                    "expected a CUlaunchAttributeID");
  }
}

void KernelLaunchRequest::get_attribute(CUlaunchAttributeID id, CUlaunchAttributeValue& value) const {
  std::memset(&value, 0, sizeof value);
  switch (id) {
    case CU_LAUNCH_ATTRIBUTE_COOPERATIVE:
      value.cooperative = cooperative ? 1 : 0;
      return;
    case CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION:
      value.clusterDim.x = config.cluster[0];
      value.clusterDim.y = config.cluster[1];
      value.clusterDim.z = config.cluster[2];
      return;
    case CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION:
      value.programmaticStreamSerializationAllowed = programmatic ? 1 : 0;
      return;
    case CU_LAUNCH_ATTRIBUTE_PRIORITY:
      value.priority = priority;
      return;
    default:
      require_value(id > CU_LAUNCH_ATTRIBUTE_IGNORE && id <= CU_LAUNCH_ATTRIBUTE_NVLINK_UTIL_CENTRIC_SCHEDULING,
                    "expected a CUlaunchAttributeID");
  }
}

void check_launch(const Driver& driver, const KernelLaunchRequest& request) {
  const FunctionObject& function = *request.function;
  const LaunchConfig& config = request.config;
  const auto limit = [&](CUdevice_attribute attribute) {
    return static_cast<std::uint32_t>(chip_attribute(driver.settings(), attribute));
  };
  const Dim3 most_grid{limit(CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_X), limit(CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Y),
                       limit(CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Z)};
  const Dim3 most_block{limit(CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_X), limit(CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_Y),
                        limit(CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_Z)};
  for (std::size_t i = 0; i < 3; ++i) {
    require_value(config.grid[i] >= 1 && config.grid[i] <= most_grid[i], "expected a grid within the device's limits");
    require_value(config.block[i] >= 1 && config.block[i] <= most_block[i],
                  "expected a block within the device's limits");
  }
  const std::uint64_t threads = volume(config.block);
  require_value(threads <= limit(CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK),
                "expected a block of at most 1024 threads");
  const auto& directives = function.program->directives;
  if (const auto it = directives.find("reqntid"); it != directives.end()) {
    for (std::size_t i = 0; i < 3; ++i) {
      require_value(config.block[i] == (i < it->second.size() ? it->second[i] : 1),
                    "expected the block that the kernel's .reqntid names");
    }
  }
  if (const auto it = directives.find("maxntid"); it != directives.end()) {
    std::uint64_t most = 1;
    for (const std::uint32_t n : it->second) most *= n;
    require_value(threads <= most, "expected at most the threads that the kernel's .maxntid names");
  }
  require(threads <= max_threads(function), CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES,
          "expected a block whose registers fit a multiprocessor");
  require_value(config.dynamic_shared <= max_dynamic_shared(function),
                "expected dynamic shared memory within CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES");
  check_cluster(driver, request);
  if (request.cooperative) {
    const std::uint64_t resident =
        std::uint64_t{driver.settings().sms} *
        active_blocks(driver, function, static_cast<std::uint32_t>(threads), config.dynamic_shared);
    require(volume(config.grid) <= resident, CUDA_ERROR_COOPERATIVE_LAUNCH_TOO_LARGE,
            "expected a grid that the multiprocessors hold at one time");
  }
}

engine::Work kernel_work(Driver& driver, std::shared_ptr<const KernelLaunchRequest> request) {
  engine::KernelLaunch launch;
  launch.module = request->function->module->module;
  launch.program = request->function->program;
  launch.config = request->config;
  launch.config.cooperative = request->cooperative;
  launch.params = request->params;
  launch.programmatic = request->programmatic;
  engine::Work work =
      engine::kernel_work(std::move(launch), [&driver](const engine::KernelLaunch& ran, const LaunchResult& result) {
        driver.records->add(ran, result);
        if (driver.fault_due()) {
          throw engine::Status(engine::Code::launch_failed, "VGPU_FAIL asked for this kernel to fail");
        }
      });
  work.payload = std::move(request);
  return work;
}

}  // namespace vgpu::driver
