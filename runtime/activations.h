// Instance activation maps, from the numbers that a run leaves to those that callers get.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "graph/activation_source.h"
#include "kernels/masks/instance.h"
#include "maskrt/maskrt.hpp"

namespace maskrt {

/// Those of one picture of a batch.
struct ActivationMaps::Data {
  std::shared_ptr<const HostTensor> batch;  ///< of the source's value, [B, M, h, w]
  std::int64_t image = 0;                   ///< of the batch
  graph::ActivationSource source;
  kernels::Geometry geometry;

  std::int64_t maps() const { return batch->shape[1]; }
  std::int64_t height() const { return batch->shape[2]; }
  std::int64_t width() const { return batch->shape[3]; }
  std::span<const float> numbers_of(std::int64_t map) const;
};

/// Of each picture, in order; `geometries` are as many as the batch has pictures.
std::vector<ActivationMaps> activation_maps(HostTensor batch, const graph::ActivationSource& source,
                                            std::span<const kernels::Geometry> geometries);

}  // namespace maskrt
