// Conversion of Tensor to oneDNN's memory descriptors, and shared helpers. For the CPU device and its kernels.
#pragma once

#include <dnnl.hpp>
#include <string>

#include "kernels/tensor.h"

namespace maskrt::kernels::onednn {

/// The CPU engine, one for the process.
const dnnl::engine& engine();

/// A stream to run a primitive on, on the OpenMP threads of the caller. It holds nothing and costs next to nothing; one
/// that each thread kept would have to be registered for the thread's end, for which glibc has no error but to abort.
inline dnnl::stream stream() { return dnnl::stream(engine()); }

dnnl::memory::data_type type_of(DataType type);

/// Dimensions [B, C, H, W] and the tensor's strides. Blocks of 8 and 16 are oneDNN's blocked layouts (channels padded
/// to whole blocks), block 1 is planar, anything else NHWC. The strides of a batch of 1 are dense, whatever the
/// tensor's.
dnnl::memory::desc layout_of(const Tensor& tensor);

/// True where images lie as densely as layout_of needs for oneDNN's fast kernels: everywhere but in views of a batch.
bool dense_batch(const Tensor& tensor);

/// A memory object over memory that it does not own.
inline dnnl::memory wrap(const dnnl::memory::desc& layout, const void* data) {
  return dnnl::memory(layout, engine(), const_cast<void*>(data));
}

/// to <- from, converted between types and layouts; the padding of blocked layouts becomes 0. One call, made once and
/// run from any thread. Throws Error where oneDNN has no such conversion.
class Reorder {
 public:
  Reorder(const dnnl::memory::desc& from, const dnnl::memory::desc& to);
  void run(const void* from, void* to) const;

 private:
  dnnl::memory::desc from_, to_;
  dnnl::reorder reorder_;
};

/// Throws the Error for what oneDNN has thrown while `what` was made: "linear". Where the system refuses memory for
/// generated code, without which most primitives cannot be made, it says so; oneDNN does not.
[[noreturn]] void throw_refusal(const std::string& what, const dnnl::error& error);

/// Runs f and turns dnnl::error into Error with `what` in front.
template <typename F>
auto translated(const char* what, F&& f) {
  try {
    return f();
  } catch (const dnnl::error& error) {
    throw_refusal(what, error);
  }
}

}  // namespace maskrt::kernels::onednn
