// Composition of two bilinear resizes with a crop between them to one linear map along one axis.
#include "composed_taps.h"

#include <algorithm>

#include "kernels/resize/resize.h"

namespace maskrt::kernels {

ComposedTaps compose_taps(int map, int padded, int resized, int original, std::size_t room) {
  const float first_step = static_cast<float>(map) / static_cast<float>(padded);
  const float second_step = static_cast<float>(resized) / static_cast<float>(original);
  ComposedTaps taps;
  for (int k = 0; k < ComposedTaps::kMost; ++k) {
    taps.index[k].resize(room);
    taps.weight[k].resize(room);
  }
  for (int i = 0; i < original; ++i) {
    int used = 0;
    const auto add = [&](std::int64_t position, float weight) {
      int k = 0;
      while (k < used && taps.index[k][i] != position) ++k;
      if (k == used) {
        if (weight == 0) return;
        taps.index[used++][i] = static_cast<std::int32_t>(position);
      }
      taps.weight[k][i] += weight;
    };
    const BilinearTap second = bilinear_tap(i, resized, second_step);
    const auto add_step = [&](std::int64_t position, float weight) {
      const BilinearTap first = bilinear_tap(position, map, first_step);
      add(first.low, weight * (1 - first.weight));
      add(first.high, weight * first.weight);
    };
    add_step(second.low, 1 - second.weight);
    add_step(second.high, second.weight);
    for (int k = used; k < ComposedTaps::kMost; ++k) taps.index[k][i] = taps.index[used - 1][i];
    taps.used = std::max(taps.used, used);
  }
  return taps;
}

}  // namespace maskrt::kernels
