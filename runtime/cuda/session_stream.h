// A session's work on a GPU.
#pragma once

#include <functional>
#include <map>

#include "event.h"
#include "graph.h"
#include "growing_memory.h"
#include "kernel_library.h"
#include "kernel_loader.h"
#include "runtime/device.h"
#include "stream.h"
#include "stream_memory.h"
#include "stream_queue.h"

namespace maskrt::cuda {

class SessionStream final : public DeviceStream {
 public:
  /// Throws Error where the caller's stream is none of the device's primary context.
  SessionStream(KernelLibrary& library, const StreamOptions& options);

  std::byte* allocate(std::size_t bytes) override;
  /// Waits until no work uses it.
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
  /// Records what `work` launches on queue(), its kernels loaded before; nothing runs, and the stream takes no part.
  Graph record(const std::function<void()>& work);

  // Copies in the stream's order. The host's side must stay as it is until they are done.
  void upload(void* device, const void* host, std::size_t bytes) const;
  void download(void* host, const void* device, std::size_t bytes) const;
  void synchronize() {
    stream_.synchronize();
    ++waits_;
  }
  /// How often somebody has waited: what was sent before the last time has arrived.
  std::uint64_t waits() const { return waits_; }

  /// Sends the pixels that lie in host memory to the device, as tight rows; gives where all lie there, until the next
  /// call. `before`, where given, is recorded before the first one leaves. Throws Error for an image that claims to be
  /// on the device and lies where its kernels cannot read.
  std::vector<kernels::Pixels> upload_pixels(std::span<const ImageToProcess> images, const Event* before = nullptr);

  /// What the session's executions, which take turns, need beside their arena.
  using GrowingDeviceMemory = GrowingMemory<StreamMemory, SessionStream&>;
  using GrowingPinnedMemory = GrowingMemory<PinnedMemory, std::shared_ptr<const Context>>;
  GrowingDeviceMemory& mask_words() { return mask_words_; }
  GrowingDeviceMemory& mask_runs() { return mask_runs_; }
  /// Classes or segments of pixels.
  GrowingDeviceMemory& picture_numbers() { return picture_numbers_; }
  GrowingPinnedMemory& host_masks() { return host_masks_; }

 private:
  void check_readable(const void* pixels) const;

  KernelLibrary& library_;
  DeviceAllocator allocator_;
  Stream stream_;
  Stream recording_;  // of ours, as a caller's may be one that records nothing
  StreamQueue queue_;
  KernelLoader loader_;
  kernels::CudaQueue* diverted_ = nullptr;
  std::map<std::byte*, DeviceMemory> memory_;
  std::uint64_t waits_ = 1;
  Event pixels_sent_;
  std::uint64_t pixels_sent_at_ = 0;  // waits_, when the last left host_pixels_
  GrowingDeviceMemory pixels_, mask_words_, mask_runs_, picture_numbers_;
  GrowingPinnedMemory host_pixels_, host_masks_;
};

/// The queue of the stream that a step runs on.
inline kernels::CudaQueue& queue_of(const Addresses& addresses) {
  return static_cast<SessionStream*>(addresses.stream)->queue();
}

}  // namespace maskrt::cuda
