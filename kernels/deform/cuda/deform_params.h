// Parameters of the deformable convolutions' kernels. Read by host and device code.
#pragma once

#include "kernels/conv/cuda/conv_params.h"

namespace maskrt::kernels {

/// A deformable convolution as an implicit GEMM, once for each group: rows and columns as in conv_params.h, whose
/// fields on residual and coordinate term are not used. The depth is divided into runs. A run has the taps of one tap
/// group (up to kDeformRunTaps neighbours) by the channels of one part, which have their offsets in common: of each
/// pixel and tap of a run one set of four corners and weights suffices. Parts are the outer loop, then tap groups.
///
/// Within a run the depth is (block of channels, tap, channel): channels are the outer loop where a part has several
/// blocks of 128 bytes, since the corners of neighbouring taps are mostly the same pixels, whose 128 bytes are then
/// still in the L1 cache. The end of a run is padded to a whole step. Weights lie in this order
/// (deform_weight_layout.h).
struct DeformParams {
  ConvParams conv;      // tap_channels: elements of a tap in a run, part_channels padded to 16 bytes
  const void* offsets;  // [batch, out_height, out_width, offset channels]; null: samples are means of 2 x 2 windows
  int offsets_f32;      // 1: f32, 0: f16
  int offset_pairs;     // 1: dy and dx of a tap can be loaded in one access
  int offset_batch_stride, offset_pixel_stride;
  int modulation;  // first channel of `offsets` with modulations; 0: not modulated

  int taps;                   // of the kernel
  int run_taps;               // taps of a run, but for the last tap group's
  int tap_groups;             // runs of a part
  int part_channels;          // input channels of a part
  int block;                  // channels of a tap that are neighbours along the depth
  int offset_group_channels;  // input channels that have offsets in common: a multiple of part_channels
  int run_steps;              // steps of a run
  int last_run_steps;         // steps of a part's last run
};

}  // namespace maskrt::kernels
