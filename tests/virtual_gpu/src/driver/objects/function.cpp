// Attributes of functions. CUDA driver API, 6.24 "Execution Control".
#include "driver/objects/chip.h"
#include "driver/objects/image.h"
#include "driver/objects/module.h"

namespace vgpu::driver {
namespace {

int required_cluster(const FunctionObject& function, std::size_t dimension) {
  const FunctionSettings& settings = *function.settings;
  const int set[] = {settings.cluster_width, settings.cluster_height, settings.cluster_depth};
  const auto it = function.program->directives.find("reqnctapercluster");
  if (it == function.program->directives.end()) return set[dimension];
  return dimension < it->second.size() ? static_cast<int>(it->second[dimension]) : 1;
}

std::uint64_t constant_bytes(const Module& module) {
  std::uint64_t bytes = 0;
  for (const auto& variable : module.source().variables) {
    if (variable.space == ptx::Space::constant) bytes += variable.bytes();
  }
  return bytes;
}

}  // namespace

int function_attribute(const Driver& driver, const FunctionObject& function, CUfunction_attribute attribute) {
  const Program& program = *function.program;
  const FunctionSettings& settings = *function.settings;
  const ptx::Module& source = function.module->module->source();
  switch (attribute) {
    case CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK:
      return static_cast<int>(max_threads(function));
    case CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES:
      return static_cast<int>(program.static_shared);
    case CU_FUNC_ATTRIBUTE_CONST_SIZE_BYTES:
      return static_cast<int>(constant_bytes(*function.module->module));
    case CU_FUNC_ATTRIBUTE_LOCAL_SIZE_BYTES:
      return static_cast<int>(program.stack_bytes);
    case CU_FUNC_ATTRIBUTE_NUM_REGS:
      return static_cast<int>(function.registers);
    case CU_FUNC_ATTRIBUTE_PTX_VERSION:
      return parse_target(source.target).compute_capability;
    case CU_FUNC_ATTRIBUTE_BINARY_VERSION:
      return driver.settings().compute_capability;
    case CU_FUNC_ATTRIBUTE_CACHE_MODE_CA:
      return 0;
    case CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES:
      return static_cast<int>(max_dynamic_shared(function));
    case CU_FUNC_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT:
      return settings.carveout;
    case CU_FUNC_ATTRIBUTE_CLUSTER_SIZE_MUST_BE_SET:
      return program.directives.contains("explicitcluster") ? 1 : 0;
    case CU_FUNC_ATTRIBUTE_REQUIRED_CLUSTER_WIDTH:
      return required_cluster(function, 0);
    case CU_FUNC_ATTRIBUTE_REQUIRED_CLUSTER_HEIGHT:
      return required_cluster(function, 1);
    case CU_FUNC_ATTRIBUTE_REQUIRED_CLUSTER_DEPTH:
      return required_cluster(function, 2);
    case CU_FUNC_ATTRIBUTE_NON_PORTABLE_CLUSTER_SIZE_ALLOWED:
      return settings.non_portable_cluster;
    case CU_FUNC_ATTRIBUTE_CLUSTER_SCHEDULING_POLICY_PREFERENCE:
      return settings.cluster_policy;
    default:
      throw Status(CUDA_ERROR_INVALID_VALUE, "expected an attribute of functions");
  }
}

void set_function_attribute(const Driver& driver, FunctionSettings& settings, std::uint32_t static_shared,
                            CUfunction_attribute attribute, int value) {
  const Limits& limits = driver.device->limits();
  const auto not_negative = [&] { require_value(value >= 0, "expected a value that is not negative"); };
  switch (attribute) {
    case CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES:
      require_value(value >= 0 && static_shared + static_cast<std::uint32_t>(value) <= limits.shared_per_block_optin,
                    "expected dynamic shared memory that, with the static, a block of this chip can have");
      settings.max_dynamic_shared = value;
      return;
    case CU_FUNC_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT:
      require_value(value >= -1 && value <= 100, "expected -1 or a share of 0 to 100 per cent");
      settings.carveout = value;
      return;
    case CU_FUNC_ATTRIBUTE_NON_PORTABLE_CLUSTER_SIZE_ALLOWED:
      require_value(value == 0 || value == 1, "expected 0 or 1");
      settings.non_portable_cluster = value;
      return;
    case CU_FUNC_ATTRIBUTE_CLUSTER_SCHEDULING_POLICY_PREFERENCE:
      not_negative();
      settings.cluster_policy = value;
      return;
    case CU_FUNC_ATTRIBUTE_REQUIRED_CLUSTER_WIDTH:
      not_negative();
      settings.cluster_width = value;
      return;
    case CU_FUNC_ATTRIBUTE_REQUIRED_CLUSTER_HEIGHT:
      not_negative();
      settings.cluster_height = value;
      return;
    case CU_FUNC_ATTRIBUTE_REQUIRED_CLUSTER_DEPTH:
      not_negative();
      settings.cluster_depth = value;
      return;
    default:
      throw Status(CUDA_ERROR_INVALID_VALUE, "expected an attribute of functions that can be set");
  }
}

}  // namespace vgpu::driver
