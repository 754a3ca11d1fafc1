// What the streams of one CUDA context share: the default streams and the sticky error.
#pragma once

#include <cstdint>
#include <memory>

#include "driver/engine/status.h"

namespace vgpu::engine {

class Event;
class Scheduler;
class Stream;
struct ContextState;

class Context : public std::enable_shared_from_this<Context> {
 public:
  /// By Engine::create_context.
  explicit Context(std::shared_ptr<ContextState> state);
  ~Context();

  /// The stream 0 (CU_STREAM_LEGACY): ordered before and after every blocking stream.
  Stream& legacy();
  /// CU_STREAM_PER_THREAD of the calling thread; a blocking stream.
  std::shared_ptr<Stream> per_thread();
  std::shared_ptr<Stream> create_stream(bool non_blocking, int priority = 0);
  std::shared_ptr<Event> create_event(bool timing = true);

  /// Waits for all work of the context (cuCtxSynchronize). Status(capture_unsupported) while one of its streams is
  /// captured; that invalidates the captures, as the driver does.
  void synchronize();

  /// The sticky error of a fault or of device loss; success while all is well.
  Code error() const;
  /// Throws it.
  void check() const;
  /// Makes `code` sticky unless another one is.
  void fail(Code code);

  /// cuCtxDestroy: drops pending work; later calls throw Status(context_is_destroyed).
  void destroy();

  ContextState& state() { return *state_; }

 private:
  std::shared_ptr<ContextState> state_;
  std::unique_ptr<Stream> legacy_;
};

}  // namespace vgpu::engine
