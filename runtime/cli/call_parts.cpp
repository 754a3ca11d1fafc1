#include "call_parts.h"

#include <algorithm>

namespace maskrt::cli {
namespace {

constexpr const char* kPreprocess = "preprocess";

/// The modules, with the sums of their layers' times.
std::vector<CallPart> sum_modules(const std::vector<LayerTiming>& layers) {
  std::vector<CallPart> modules;
  for (const LayerTiming& layer : layers) {
    auto module = std::find_if(modules.begin(), modules.end(), [&](const auto& m) { return m.name == layer.module; });
    if (module == modules.end()) module = modules.insert(modules.end(), CallPart{layer.module});
    module->seconds += layer.seconds;
    ++module->layers;
  }
  return modules;
}

}  // namespace

std::vector<CallPart> parts_of_call(const Measured& measured) {
  std::vector<CallPart> modules = sum_modules(measured.layers);
  const double network = measured.median("network"), one_by_one = seconds_of(modules);
  std::vector<CallPart> parts = {{kPreprocess, measured.median(kPreprocess)}};
  for (CallPart& module : modules) {
    module.seconds *= one_by_one > 0 ? network / one_by_one : 0;
    parts.push_back(std::move(module));
  }
  parts.push_back({"postprocess", measured.median("postprocess")});
  return parts;
}

double seconds_of(const std::vector<CallPart>& parts) {
  double seconds = 0;
  for (const CallPart& part : parts) seconds += part.seconds;
  return seconds;
}

double frames_per_second(const std::vector<CallPart>& parts, int batch) {
  double seconds = 0;
  for (const CallPart& part : parts)
    if (part.name != kPreprocess) seconds += part.seconds;
  return seconds > 0 ? batch / seconds : 0;
}

}  // namespace maskrt::cli
