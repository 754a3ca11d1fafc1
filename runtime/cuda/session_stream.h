// A session's work on a GPU.
#pragma once

#include <functional>
#include <map>

#include "event.h"
#include "growing_memory.h"
#include "kernel_library.h"
#include "kernel_loader.h"
#include "runtime/device.h"
#include "stream.h"
#include "stream_queue.h"

namespace maskrt::cuda {

class SessionStream final : public DeviceStream {
 public:
  explicit SessionStream(KernelLibrary& library);

  std::byte* allocate(std::size_t bytes) override;
  void release(std::byte* memory, std::size_t bytes) noexcept override;
  std::unique_ptr<Execution> bind(const Program& program, const Addresses& addresses,
                                  const kernels::Normalisation& normalisation) override;
  void run(std::span<const Step> steps, const Addresses& addresses) override;
  void preprocess(std::span<const ImageToProcess> images, const kernels::Normalisation& normalisation,
                  const kernels::Tensor& input) override;
  std::vector<float> read(const kernels::Tensor& tensor, bool list) override;
  void write(const kernels::Tensor& tensor, std::span<const float> nchw) override;

  const std::shared_ptr<const Context>& context() const { return library_.context(); }
  const Stream& stream() const { return stream_; }
  kernels::CudaQueue& queue() { return diverted_ != nullptr ? *diverted_ : queue_; }

  /// Sends what `work` launches on queue() to another one.
  void divert(kernels::CudaQueue& to, const std::function<void()>& work);
  /// Loads every kernel that `work` launches on queue(), and launches none.
  void load(const std::function<void()>& work) { divert(loader_, work); }

  // Copies in the stream's order. The host's side must stay as it is until they are done.
  void upload(void* device, const void* host, std::size_t bytes) const;
  void download(void* host, const void* device, std::size_t bytes) const;
  void synchronize() const { stream_.synchronize(); }

  /// Sends the pixels of every image to the device, as tight rows; gives where they lie there, until the next call.
  /// `before`, where given, is recorded before the first one leaves.
  std::vector<kernels::Pixels> upload_pixels(std::span<const ImageToProcess> images, const Event* before = nullptr);

  /// What the session's executions, which take turns, need beside their arena.
  GrowingMemory<DeviceMemory>& mask_words() { return mask_words_; }
  GrowingMemory<PinnedMemory>& host_mask_words() { return host_mask_words_; }

 private:
  KernelLibrary& library_;
  Stream stream_;
  StreamQueue queue_;
  KernelLoader loader_;
  kernels::CudaQueue* diverted_ = nullptr;
  std::map<std::byte*, DeviceMemory> memory_;
  GrowingMemory<DeviceMemory> pixels_, mask_words_;
  GrowingMemory<PinnedMemory> host_pixels_, host_mask_words_;
};

/// The queue of the stream that a step runs on.
inline kernels::CudaQueue& queue_of(const Addresses& addresses) {
  return static_cast<SessionStream*>(addresses.stream)->queue();
}

}  // namespace maskrt::cuda
