#include "session_stream.h"

#include "execution.h"
#include "kernels/element.h"

namespace maskrt::cuda {
namespace {

/// f(n, b, y, x, c) for the tensor's elements in NCHW order (lists: [B, N, C]).
template <typename F>
void in_host_order(const kernels::Tensor& t, bool list, F&& f) {
  std::size_t n = 0;
  for (std::int64_t b = 0; b < t.batch; ++b) {
    if (list) {
      for (std::int64_t y = 0; y < t.height; ++y)
        for (std::int64_t c = 0; c < t.channels; ++c) f(n++, b, y, 0, c);
      continue;
    }
    for (std::int64_t c = 0; c < t.channels; ++c)
      for (std::int64_t y = 0; y < t.height; ++y)
        for (std::int64_t x = 0; x < t.width; ++x) f(n++, b, y, x, c);
  }
}

std::size_t elements_of(const kernels::Tensor& t) {
  return static_cast<std::size_t>(t.batch * t.height * t.width * t.channels);
}

/// From a tensor's first element to its last: of a slice, other channels' too.
std::size_t span_of(const kernels::Tensor& t) {
  const std::int64_t pixels = t.height * t.width;
  return static_cast<std::size_t>((t.batch - 1) * t.batch_stride + (pixels - 1) * t.pixel_stride + t.channels) *
         size_of(t.type);
}

}  // namespace

SessionStream::SessionStream(KernelLibrary& library)
    : library_(library), stream_(library.context()), queue_(library, stream_.get()), loader_(library, queue_) {}

void SessionStream::load(const std::function<void()>& work) {
  struct Loading {
    explicit Loading(bool& flag) : on(flag) { on = true; }
    ~Loading() { on = false; }
    bool& on;
  } const loading(loading_);
  work();
}

std::byte* SessionStream::allocate(std::size_t bytes) {
  DeviceMemory memory(context(), bytes);
  std::byte* data = memory.data();
  memory_.emplace(data, std::move(memory));
  return data;
}

void SessionStream::release(std::byte* memory, std::size_t) noexcept { memory_.erase(memory); }

std::unique_ptr<Execution> SessionStream::bind(const Program& program, const Addresses& addresses) {
  return std::make_unique<CudaExecution>(*this, program, addresses);
}

void SessionStream::run(std::span<const Step> steps, const Addresses& addresses) {
  for (const Step& step : steps) step.run(addresses);
  stream_.synchronize();
}

std::vector<float> SessionStream::read(const kernels::Tensor& tensor, bool list) {
  std::vector<std::byte> bytes(span_of(tensor));
  {
    const CurrentContext current(*context());
    context()->driver().cuMemcpyDtoHAsync(bytes.data(), address_of(tensor.data), bytes.size(), stream_.get());
    stream_.synchronize();
  }
  kernels::Tensor host = tensor;
  host.data = bytes.data();
  std::vector<float> numbers(elements_of(tensor));
  in_host_order(host, list,
                [&](std::size_t n, auto b, auto y, auto x, auto c) { numbers[n] = kernels::get(host, b, y, x, c); });
  return numbers;
}

void SessionStream::write(const kernels::Tensor& tensor, std::span<const float> nchw) {
  if (nchw.size() != elements_of(tensor))
    throw Error("cuda: expected " + std::to_string(elements_of(tensor)) + " numbers to write, found " +
                std::to_string(nchw.size()));
  std::vector<std::byte> bytes(tensor.bytes());  // zeros, the padding channels with them
  kernels::Tensor host = tensor;
  host.data = bytes.data();
  in_host_order(host, false,
                [&](std::size_t n, auto b, auto y, auto x, auto c) { kernels::set(host, b, y, x, c, nchw[n]); });
  const CurrentContext current(*context());
  context()->driver().cuMemcpyHtoDAsync(address_of(tensor.data), bytes.data(), bytes.size(), stream_.get());
  stream_.synchronize();
}

}  // namespace maskrt::cuda
