#include "session_stream.h"

#include <cstring>

#include "execution.h"
#include "kernels/preprocess/preprocess_cuda.h"
#include "runtime/host_order.h"

namespace maskrt::cuda {
namespace {

/// From a tensor's first element to its last: of a slice, other channels' too.
std::size_t span_of(const kernels::Tensor& t) {
  const std::int64_t pixels = t.height * t.width;
  return static_cast<std::size_t>((t.batch - 1) * t.batch_stride + (pixels - 1) * t.pixel_stride + t.channels) *
         size_of(t.type);
}

}  // namespace

SessionStream::SessionStream(KernelLibrary& library, const StreamOptions& options)
    : library_(library),
      allocator_(options.allocator),
      stream_(options.stream != nullptr ? Stream(library.context(), static_cast<CUstream>(options.stream))
                                        : Stream(library.context())),
      recording_(library.context()),
      queue_(library, stream_.get()),
      loader_(library, queue_),
      pixels_sent_(library.context()),
      pixels_(*this),
      mask_words_(*this),
      mask_runs_(*this),
      picture_numbers_(*this),
      host_pixels_(library.context()),
      host_masks_(library.context()) {}

void SessionStream::divert(kernels::CudaQueue& to, const std::function<void()>& work) {
  struct Diverting {
    Diverting(kernels::CudaQueue*& place, kernels::CudaQueue& queue) : there(place) { there = &queue; }
    ~Diverting() { there = nullptr; }
    kernels::CudaQueue*& there;
  } const diverting(diverted_, to);
  work();
}

Graph SessionStream::record(const std::function<void()>& work) {
  load(work);
  StreamQueue recorder(library_, recording_.get());
  return Graph::capture(context(), recording_.get(), [&] { divert(recorder, work); });
}

std::byte* SessionStream::allocate(std::size_t bytes) {
  if (allocator_.allocate) {
    void* const given = allocator_.allocate(bytes, stream_.get());
    if (given != nullptr && address_of(given) % 256 == 0) return static_cast<std::byte*>(given);
    if (given != nullptr) allocator_.release(given, bytes, stream_.get());
    throw Error("session: expected " + std::to_string(bytes) +
                " bytes of device memory, aligned to 256, from its allocator, found " +
                (given != nullptr ? "some that are not aligned" : "none"));
  }
  DeviceMemory memory(context(), bytes);
  std::byte* data = memory.data();
  memory_.emplace(data, std::move(memory));
  return data;
}

void SessionStream::release(std::byte* memory, std::size_t bytes) noexcept {
  {
    const CurrentContext current(*context());
    context()->driver().cuStreamSynchronize.status(stream_.get());
  }
  if (allocator_.allocate) {
    allocator_.release(memory, bytes, stream_.get());
  } else {
    memory_.erase(memory);
  }
}

std::unique_ptr<Execution> SessionStream::bind(const Program& program, const Addresses& addresses,
                                               const kernels::Normalisation& normalisation) {
  return std::make_unique<CudaExecution>(*this, program, addresses, normalisation);
}

void SessionStream::run(std::span<const Step> steps, const Addresses& addresses) {
  for (const Step& step : steps) step.run(addresses);
  synchronize();
}

void SessionStream::upload(void* device, const void* host, std::size_t bytes) const {
  const CurrentContext current(*context());
  context()->driver().cuMemcpyHtoDAsync(address_of(device), host, bytes, stream_.get());
}

void SessionStream::download(void* host, const void* device, std::size_t bytes) const {
  const CurrentContext current(*context());
  context()->driver().cuMemcpyDtoHAsync(host, address_of(device), bytes, stream_.get());
}

void SessionStream::check_readable(const void* pixels) const {
  const CurrentContext current(*context());
  const Driver& driver = context()->driver();
  const std::string expected =
      "CUDA device " + std::to_string(context()->ordinal()) + ": expected pixels in its memory";
  CUmemorytype type{};
  const CUresult status =
      driver.cuPointerGetAttribute.status(&type, CU_POINTER_ATTRIBUTE_MEMORY_TYPE, address_of(pixels));
  if (status == CUDA_ERROR_INVALID_VALUE)
    throw Error(expected + ", found an address that the CUDA driver does not know");
  driver.check(status, "cuPointerGetAttribute");
  int ordinal = 0;
  driver.cuPointerGetAttribute(&ordinal, CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL, address_of(pixels));
  if (type == CU_MEMORYTYPE_DEVICE && ordinal != context()->ordinal())
    throw Error(expected + ", found some in the memory of device " + std::to_string(ordinal));
}

std::vector<kernels::Pixels> SessionStream::upload_pixels(std::span<const ImageToProcess> images, const Event* before) {
  const auto row_bytes = [](const kernels::Pixels& p) {
    return static_cast<std::size_t>(p.width) * static_cast<std::size_t>(kernels::bytes_of_pixel(p.order));
  };
  std::size_t total = 0;
  for (const ImageToProcess& image : images) {
    if (image.on_device) {
      check_readable(image.pixels.data);
    } else {
      total += row_bytes(image.pixels) * static_cast<std::size_t>(image.pixels.height);
    }
  }
  if (total != 0 && pixels_sent_at_ == waits_) pixels_sent_.synchronize();
  std::byte* const host = host_pixels_.reserve(total);
  std::byte* const device = pixels_.reserve(total);

  std::vector<kernels::Pixels> there;
  std::size_t offset = 0;
  for (const ImageToProcess& image : images) {
    there.push_back(image.pixels);
    if (image.on_device) continue;
    kernels::Pixels& moved = there.back();
    const std::size_t row = row_bytes(moved);
    moved.data = reinterpret_cast<const std::uint8_t*>(device) + offset;
    moved.row_stride = static_cast<std::ptrdiff_t>(row);
    for (int y = 0; y < moved.height; ++y, offset += row)
      std::memcpy(host + offset, image.pixels.data + y * image.pixels.row_stride, row);
  }
  if (before != nullptr) before->record(stream_.get());
  if (total != 0) {
    upload(device, host, total);
    pixels_sent_.record(stream_.get());
    pixels_sent_at_ = waits_;
  }
  return there;
}

void SessionStream::preprocess(std::span<const ImageToProcess> images, const kernels::Normalisation& normalisation,
                               const kernels::Tensor& input) {
  const std::vector<kernels::Pixels> pixels = upload_pixels(images);
  std::vector<kernels::cuda::ImageToResize> described;
  for (std::size_t i = 0; i < images.size(); ++i)
    described.push_back(kernels::image_to_resize(pixels[i], images[i].geometry.resized_width,
                                                 images[i].geometry.resized_height, normalisation, input));
  const std::size_t bytes = described.size() * sizeof described[0];
  const StreamMemory block(*this, bytes);
  upload(block.data(), described.data(), bytes);
  kernels::preprocess_cuda(queue(), reinterpret_cast<const kernels::cuda::ImageToResize*>(block.data()), normalisation,
                           input);
  synchronize();
}

std::vector<float> SessionStream::read(const kernels::Tensor& tensor, bool list) {
  std::vector<std::byte> bytes(span_of(tensor));
  download(bytes.data(), tensor.data, bytes.size());
  synchronize();
  kernels::Tensor host = tensor;
  host.data = bytes.data();
  return to_host_order(host, list);
}

void SessionStream::write(const kernels::Tensor& tensor, std::span<const float> nchw) {
  std::vector<std::byte> bytes(tensor.bytes());  // zeros, the padding channels with them
  kernels::Tensor host = tensor;
  host.data = bytes.data();
  from_host_order(nchw, host, "cuda");
  upload(tensor.data, bytes.data(), bytes.size());
  synchronize();
}

}  // namespace maskrt::cuda
