#include "execution.h"

#include "runtime/instance_bindings.h"

namespace maskrt::cuda {
namespace {

/// Networks without any of these outputs run for their tensors alone.
bool finds_instances(const Program& program) {
  return program.outputs.count("class_logits") != 0 && program.outputs.count("objectness_logits") != 0 &&
         program.outputs.count("mask_logits") != 0;
}

}  // namespace

CudaExecution::CudaExecution(SessionStream& stream, const Program& program, const Addresses& addresses,
                             const kernels::Normalisation& normalisation)
    : stream_(stream), program_(program), addresses_(addresses), network_(stream.context(), stream.record([this] {
        for (const Step& step : program_.steps) step.run(addresses_);
      })) {
  if (finds_instances(program)) detection_.emplace(stream, program, addresses, normalisation);
}

double CudaExecution::run(std::vector<double>* seconds) {
  std::vector<Event> events;
  events.reserve(program_.steps.size() + 1);
  const auto mark = [&] { events.emplace_back(stream_.context(), Event::Timing::yes).record(stream_.stream().get()); };
  mark();
  if (seconds == nullptr) {
    network_.launch(stream_.stream().get());
    mark();
  } else {
    for (const Step& step : program_.steps) {
      step.run(addresses_);
      mark();
    }
  }
  stream_.synchronize();
  if (seconds != nullptr) {
    seconds->clear();
    for (std::size_t i = 1; i < events.size(); ++i) seconds->push_back(events[i].seconds_since(events[i - 1]));
  }
  return events.back().seconds_since(events.front());
}

Detection& CudaExecution::detection() {
  if (!detection_) instance_bindings(program_);  // says which output is missing
  return *detection_;
}

Detections CudaExecution::detect(std::span<const ImageToProcess> images, const DetectionOptions& options,
                                 StageSeconds& seconds) {
  return detection().run(images, options, seconds);
}

DeviceResults CudaExecution::enqueue(std::span<const ImageToProcess> images, const DetectionOptions& options) {
  return detection().enqueue(images, options);
}

}  // namespace maskrt::cuda
