// Post-processing on a GPU: from a plan's output values to what the head finds.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "event.h"
#include "session_stream.h"

namespace maskrt::cuda {

/// One call's pictures, and what is wanted of them.
struct HeadCall {
  std::vector<kernels::Geometry> images;
  DetectionOptions options;
};

/// One plan's post-processing, with all the memory that it needs. Its launches read a block of the call's own, so that
/// they can be recorded once. Belongs to the stream's thread.
class HeadRunner {
 public:
  virtual ~HeadRunner() = default;

  /// Bytes of the block that describes one call.
  virtual std::size_t call_bytes() const = 0;
  /// Fills such a block in host memory.
  virtual void describe(const HeadCall& call, std::span<std::byte> block) = 0;
  /// Makes its memory fit for the launches: once before the first of them, and after any that failed.
  virtual void clear() = 0;
  /// Puts its launches on the stream's queue; nothing else, so that they can be recorded. `block` is a described call
  /// on the device.
  virtual void launch(const std::byte* block, Task task, MaskForm form) = 0;

  /// The task whose launches are recorded before the first call.
  virtual Task usual_task() const { return Task::instances; }

  /// Waits for a call's launches and brings what they found to the host. Where they lacked room, makes room and has
  /// `launch_again` describe and launch the call once more. `fetched` is recorded after the last copy.
  virtual std::vector<Detected> read(const HeadCall& call, const std::function<void()>& launch_again,
                                     const Event& fetched) = 0;
  /// Makes room for whatever a call that nobody waits for may find, and says where it will lie; before the call is
  /// described. Throws Error for a head whose results do not stay on the device.
  virtual DeviceResults prepare_device_results(const HeadCall& call) = 0;
};

/// For the program's head; null for one that finds nothing. Throws Error where a value is not what the head reads.
std::unique_ptr<HeadRunner> make_head_runner(SessionStream& stream, const Program& program, const Addresses& addresses);

}  // namespace maskrt::cuda
