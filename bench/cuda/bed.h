// The network that the benchmarks are of, bound to memory, with every launch recorded: from pixels to mask bits.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "graph/memory_plan.h"
#include "kernels/heads/instance_head.h"
#include "recorder.h"
#include "runtime/cuda/session_stream.h"
#include "runtime/model.h"

namespace maskrt::bench {

/// One layer, or one stage before or after the network, as the device launches it.
struct Stage {
  std::string name;       ///< the layer's; "preprocess", "preprocess.resized", "postprocess"
  std::string operation;  ///< "conv", ...
  double flops = 0, bytes = 0;
  double predicted_seconds = 0;  ///< by the cost model that chose the kernel; 0: there is none
  std::vector<Operation> operations;
  bool sums_across_blocks = false;  ///< the last block reduces all blocks' partial results: sampling does not apply
  bool in_pipeline = true;          ///< detection runs it, on pictures of the input's size
};

/// A plan for one (batch, height, width), images of the input's size, and larger ones that are only resized. What the
/// memory holds at first is arbitrary until run_all() has run.
class Bed {
 public:
  /// `model`: on the CUDA device. `images` pixels of batch x height x width.
  Bed(const Model& model, std::int64_t batch, std::int64_t height, std::int64_t width);

  cuda::SessionStream& stream() const { return static_cast<cuda::SessionStream&>(*stream_); }
  const cuda::Context& context() const { return *stream().context(); }
  const std::vector<Stage>& stages() const { return stages_; }
  const std::vector<graph::Extent>& extents() const { return extents_; }
  /// Sets to zero what must be zero before a layer runs: counters, whose place others take once no layer needs them.
  void clear() const;
  /// Launches everything, from pixels to masks, once.
  void run_all() const;
  /// Gives post-processing what to do: maps of blobs for every query, each of which is kept.
  void write_logits() const;

 private:
  Addresses addresses() const { return {arena_.data(), memory_.offsets.data(), stream_.get()}; }
  kernels::Tensor bound(const Program::Binding& binding) const;
  template <typename Work>
  std::vector<Operation> record(const Work& work);
  void record_network();
  /// Records pre-processing of pictures of `width` x `height`.
  void record_preprocess(const std::string& name, int width, int height, const kernels::Normalisation& normalisation);
  void record_head();
  void record_head_of(const graph::ValuesHead& head);
  void record_head_of(const graph::SparseInstHead& head);
  void record_head_of(const graph::FastInstHead& head);
  void write_logits_of(const graph::ValuesHead& head) const;
  void write_logits_of(const graph::SparseInstHead& head) const;
  void write_logits_of(const graph::FastInstHead& head) const;
  void record_instances(const kernels::InstanceHead& head, double bytes);
  void write_random(graph::ValueId value) const;
  void write_masks(graph::ValueId value) const;

  std::unique_ptr<DeviceStream> stream_;
  std::vector<graph::Extent> extents_;
  Program program_;
  graph::MemoryPlan memory_;
  cuda::DeviceMemory arena_;
  std::vector<cuda::DeviceMemory> buffers_;  // buffers of pre- and post-processing
  std::vector<Stage> stages_;
};

}  // namespace maskrt::bench
