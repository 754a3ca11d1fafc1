#include "kernel_family.h"

#include <algorithm>
#include <string>

namespace maskrt::kernels::cuda {
namespace {

/// "fp32"; "(fp16, fp32)" of several.
std::string text_of(const Types& types) {
  std::string text;
  for (const DataType type : types.all()) text += (text.empty() ? "" : ", ") + std::string(name_of(type));
  return types.all().size() == 1 ? text : "(" + text + ")";
}

}  // namespace

KernelName KernelFamily::of(const Types& types) const {
  std::string known;
  for (const TypedKernel& candidate : kernels.all()) {
    if (std::ranges::equal(candidate.types.all(), types.all())) return candidate.kernel;
    known += (known.empty() ? "" : " or ") + text_of(candidate.types);
  }
  throw Error(std::string(name) + " (" + std::string(tensors) + "): expected " + known + ", found " + text_of(types));
}

}  // namespace maskrt::kernels::cuda
