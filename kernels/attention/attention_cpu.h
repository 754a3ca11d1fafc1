// Attention on the CPU.
#pragma once

#include <cstddef>

#include "attention.h"

namespace maskrt::kernels {

/// Attention that is ready for one shape and number of threads. A thread takes up to three vectors of queries of one
/// head at a time, against all keys in blocks, with the softmax's maximum and sum carried along (as FlashAttention
/// does): scores stay in the cache, however many keys there are. Keys and values are read in place where they are fp32
/// and a head's channels are whole blocks of the layout, or all channels lie side by side; otherwise copies are made.
/// Under masks a score that is left out becomes minus infinity before its block's softmax; which queries would leave
/// out all keys, and so leave out none, is found in one pass before, which ends as soon as each has a key. Immutable:
/// several threads may run it at a time, each with scratch memory of its own.
class Attention {
 public:
  /// The tensors' `data` is ignored. `mask_channels`: of the masks that run() gets; 0: none.
  Attention(const Tensor& queries, const Tensor& keys, const Tensor& values, int heads, const Tensor& out, int threads,
            std::int64_t mask_channels = 0);

  std::size_t scratch_bytes() const { return scratch_bytes_; }

  /// As attention_ref, for tensors like the constructor's. `scratch` is aligned to 64 bytes. `masks` is null where
  /// there are none.
  void run(const Tensor& queries, const Tensor& keys, const Tensor& values, const Tensor& out, void* scratch,
           const Tensor* masks = nullptr) const;

 private:
  int heads_, threads_;
  int lanes_;                   ///< of a vector of queries
  std::int64_t width_, depth_;  ///< channels of a head in queries and keys, and in values
  std::int64_t tiles_;          ///< of an image's queries
  bool copies_keys_, copies_values_;
  std::int64_t mask_channels_;
  std::size_t copy_bytes_[2] = {0, 0};
  std::size_t least_bytes_ = 0, thread_bytes_ = 0, scratch_bytes_ = 0;
};

}  // namespace maskrt::kernels
