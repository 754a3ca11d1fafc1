// Attention on the CPU.
#pragma once

#include <cstddef>

#include "attention.h"

namespace maskrt::kernels {

/// Attention that is ready for one shape and number of threads. A thread takes up to three vectors of queries of one
/// head at a time, against all keys in blocks, with the softmax's maximum and sum carried along (as FlashAttention
/// does): scores stay in the cache, however many keys there are. Keys and values are read in place where they are fp32
/// and a head's channels are whole blocks of the layout, or all channels lie side by side; otherwise copies are made.
/// Immutable: several threads may run it at a time, each with scratch memory of its own.
class Attention {
 public:
  /// The tensors' `data` is ignored.
  Attention(const Tensor& queries, const Tensor& keys, const Tensor& values, int heads, const Tensor& out, int threads);

  std::size_t scratch_bytes() const { return scratch_bytes_; }

  /// As attention_ref, for tensors like the constructor's. `scratch` is aligned to 64 bytes.
  void run(const Tensor& queries, const Tensor& keys, const Tensor& values, const Tensor& out, void* scratch) const;

 private:
  int heads_, threads_;
  int lanes_;                   ///< of a vector of queries
  std::int64_t width_, depth_;  ///< channels of a head in queries and keys, and in values
  std::int64_t tiles_;          ///< of an image's queries
  bool copies_keys_, copies_values_;
  std::size_t copy_bytes_[2] = {0, 0};
  std::size_t thread_bytes_ = 0, scratch_bytes_ = 0;
};

}  // namespace maskrt::kernels
