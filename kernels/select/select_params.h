// Parameters of the kernels of select.cu.
#pragma once

#include "kernels/cuda/map.h"
#include "select.h"

namespace maskrt::kernels::cuda {

/// A list of int32, one a row.
struct Positions {
  std::int32_t* data;
  std::int64_t batch_stride;
  std::int32_t stride;
};

constexpr int kBestClassLanes = 16;  ///< that share a position

struct BestClassParams {
  Map logits;
  BestClass* best;  ///< [batch, height * width]
};

struct ProposalScoresParams {
  const BestClass* best;  ///< [batch, height * width]
  Map scores;
  std::int32_t height, width;
  float epsilon;
};

struct SelectTopParams {
  Map in;
  Positions positions;
  Map scores;
  std::int32_t count;
};

struct GatherPositionsParams {
  Map in;
  Positions positions;
  Map out;
};

}  // namespace maskrt::kernels::cuda
