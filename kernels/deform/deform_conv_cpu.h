// Deformable convolution on the CPU.
#pragma once

#include <vector>

#include "deform_conv.h"

namespace maskrt::kernels {

/// A deformable convolution that is ready for one shape and number of threads. It samples a tile of pixels, some
/// channels at a time, into memory that stays in the cache, and multiplies that with weights that were put in order
/// before. Fast where input and output lie in equal blocks of 8 or 16 channels; other layouts take the reference.
/// fp32. Immutable: several threads may run it at a time, each with scratch memory of its own.
class DeformConv {
 public:
  struct Shape {
    DeformGeometry geometry;
    Tensor in, out;  ///< `data` is ignored
    Activation activation = Activation::none;
    float slope = 0;  ///< negative slope of leaky ReLU
  };
  DeformConv(const Shape& shape, int threads);

  /// Numbers of the prepared weights. They depend on channels, blocks and geometry alone, not on the map's size.
  std::int64_t weight_count() const { return weight_count_; }
  /// prepared <- weight [O, I / groups, kh, kw].
  void prepare(const float* weight, float* prepared) const;
  std::size_t scratch_bytes() const;

  /// As deform_conv_ref. `weights`: written by prepare(). `bias`: one number for each channel of `out`, padding
  /// channels included, or null. Weights, bias and scratch are aligned to 64 bytes. Padding channels of out become
  /// zeros where the reference is not taken.
  void run(const Tensor& in, const Tensor& offsets, const float* weights, const float* bias, const Tensor& out,
           void* scratch) const;

 private:
  /// Blocks of outputs that read the same blocks of inputs: all of them, or those of a group.
  struct Part {
    std::int64_t first_out, outs, first_in, ins;  ///< blocks
    std::int64_t weights;                         ///< where its weights begin
    std::int64_t panels() const;
    /// The panels are of nearly equal width. The first block of panel i, from first_out on; i may be panels().
    std::int64_t panel_begin(std::int64_t i) const { return outs * i / panels(); }
  };
  /// What one thread computes at a time, beside a tile of pixels.
  struct Slice {
    std::size_t part;
    std::int64_t first_panel, last_panel;
  };
  bool fast() const;
  void find_parts();
  void plan_tiles(int threads);
  std::int64_t offset_groups_of(const Part& part) const;
  /// What run() was given, and a tile of pixels of image b.
  struct Tile {
    const Tensor &in, &offsets, &out;
    const float *weights, *bias;
    std::int64_t b = 0, first = 0, pixels = 0;
  };
  void compute(const Tile& tile, const Slice& slice, std::byte* scratch) const;
  /// Adds the products of `blocks` blocks of samples from block j of the part on.
  void multiply_panels(const Tile& tile, const Slice& slice, const float* samples, std::int64_t j,
                       std::int64_t blocks) const;
  /// Of panel i of a part, from its input block j on.
  const float* panel_weights(const Tile& tile, const Part& part, std::int64_t i, std::int64_t j) const;
  std::size_t rows_bytes() const;

  Shape shape_;
  int threads_;
  std::int64_t weight_count_ = 0;
  std::vector<Part> parts_;
  std::vector<Slice> slices_;
  std::int64_t tile_pixels_ = 1, tiles_ = 1;
  std::int64_t sampled_blocks_ = 1, depth_blocks_ = 1;  ///< blocks of inputs sampled, and multiplied, at a time
  std::int64_t row_ = 1;                                ///< numbers from one sampled pixel to the next
  std::int64_t most_points_ = 1;
};

}  // namespace maskrt::kernels
