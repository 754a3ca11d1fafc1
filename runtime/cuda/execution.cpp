#include "execution.h"

namespace maskrt::cuda {

CudaExecution::CudaExecution(SessionStream& stream, const Program& program, const Addresses& addresses)
    : stream_(stream), program_(program), addresses_(addresses) {
  const auto steps = [this] {
    for (const Step& step : program_.steps) step.run(addresses_);
  };
  stream.load(steps);
  const Graph graph = Graph::capture(stream.context(), stream.stream().get(), steps);
  network_kernels_ = graph.kernels();
  network_.emplace(stream.context(), graph);
}

void CudaExecution::run(std::vector<double>* seconds) {
  if (seconds == nullptr) {
    network_->launch(stream_.stream().get());
    stream_.stream().synchronize();
    return;
  }
  std::vector<Event> events;
  events.reserve(program_.steps.size() + 1);
  const auto mark = [&] {
    events.emplace_back(stream_.context(), Event::Timing::yes).record(stream_.stream().get());
  };
  mark();
  for (const Step& step : program_.steps) {
    step.run(addresses_);
    mark();
  }
  stream_.stream().synchronize();
  seconds->clear();
  for (std::size_t i = 1; i < events.size(); ++i) seconds->push_back(events[i].seconds_since(events[i - 1]));
}

kernels::Tensor CudaExecution::bind(const Program::Binding& binding) const {
  kernels::Tensor tensor = binding.tensor;
  tensor.data = addresses_[binding.buffer] + binding.byte_offset;
  return tensor;
}

}  // namespace maskrt::cuda
