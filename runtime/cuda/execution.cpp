#include "execution.h"

namespace maskrt::cuda {

CudaExecution::CudaExecution(SessionStream& stream, const Program& program, const Addresses& addresses,
                             const kernels::Normalisation& normalisation)
    : stream_(stream), program_(program), addresses_(addresses), network_(stream.context(), stream.record([this] {
        for (const Step& step : program_.steps) step.run(addresses_);
      })) {
  if (std::unique_ptr<HeadRunner> head = make_head_runner(stream, program, addresses))
    detection_.emplace(stream, program, addresses, normalisation, std::move(head));
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
  if (!detection_) throw Error("cuda: expected a network with a head, found one that finds nothing");
  return *detection_;
}

std::vector<Detected> CudaExecution::detect(std::span<const ImageToProcess> images, const DetectionOptions& options,
                                            StageSeconds& seconds) {
  return detection().run(images, options, seconds);
}

StageSeconds CudaExecution::time_stages(std::span<const ImageToProcess> images, const DetectionOptions& options) {
  return detection().time_stages(images, options);
}

DeviceResults CudaExecution::enqueue(std::span<const ImageToProcess> images, const DetectionOptions& options) {
  return detection().enqueue(images, options);
}

}  // namespace maskrt::cuda
