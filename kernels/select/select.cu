// Queries out of a map: the best class of each position, local maxima among them, a radix select of the best scores,
// and the rows of a map at given positions.
#include "kernels/cuda/octet.cuh"
#include "kernels/ptx/griddepcontrol.cuh"
#include "select_key.h"
#include "select_params.h"

namespace maskrt::kernels::cuda {
namespace {

constexpr int kSelectThreads = 1024;
constexpr int kDigitBits = 8, kDigits = 1 << kDigitBits;

/// Half a warp takes one position: grid [ceil(positions / half warps of a block), 1, batch]. Two neighbours are whole
/// sectors, where one need not be. A lane takes 16 bytes of logits, and every 16th such vector; sums of lanes are added
/// in a fixed order.
template <typename T>
__device__ void best_class(const BestClassParams& p) {
  constexpr int kLanes = kBestClassLanes, each = kChannelsOfThread<T>;
  ptx::let_next_grid_start();
  ptx::wait_for_previous_grid();
  const int lane = static_cast<int>(threadIdx.x) % kLanes, b = static_cast<int>(blockIdx.z);
  const int position = static_cast<int>((blockIdx.x * blockDim.x + threadIdx.x) / kLanes);
  const int classes = p.logits.channels - 1, positions = p.logits.height * p.logits.width;
  // Lanes of the last position's neighbour, which does not exist, take part in the shuffles.
  const T* const logits = pixel_of<const T>(p.logits, b, min(position, positions - 1));
  const auto for_logits = [&](auto&& f) {
    for (int first = lane * each; first <= classes; first += kLanes * each) {
      const Channels<each> x = load_channels<each>(p.logits, logits, first);
#pragma unroll
      for (int i = 0; i < each; ++i)
        if (first + i <= classes) f(first + i, x.v[i]);
    }
  };
  float best = -INFINITY, none = -INFINITY;
  int label = lane * each;
  for_logits([&](int c, float logit) {
    if (c == classes)
      none = logit;
    else if (c == lane * each || logit > best)
      best = logit, label = c;
  });
#pragma unroll
  for (int step = kLanes / 2; step >= 1; step /= 2) {
    const float other = __shfl_xor_sync(0xffffffffu, best, step);
    const int other_label = __shfl_xor_sync(0xffffffffu, label, step);
    if (other > best || (other == best && other_label < label)) best = other, label = other_label;
    none = fmaxf(none, __shfl_xor_sync(0xffffffffu, none, step));
  }
  const float most = fmaxf(best, none);
  float sum = 0;
  for_logits([&](int, float logit) { sum += expf(logit - most); });
#pragma unroll
  for (int step = kLanes / 2; step >= 1; step /= 2) sum += __shfl_xor_sync(0xffffffffu, sum, step);
  if (lane == 0 && position < positions)
    p.best[static_cast<std::int64_t>(b) * positions + position] = {expf(best - most) / sum, label};
}

/// A thread takes one position: grid [ceil(positions / threads of a block), 1, batch].
__device__ void proposal_score(const ProposalScoresParams& p) {
  ptx::let_next_grid_start();
  ptx::wait_for_previous_grid();
  const int position = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x), b = static_cast<int>(blockIdx.z);
  if (position >= p.height * p.width) return;
  const BestClass* const best = p.best + static_cast<std::int64_t>(b) * p.height * p.width;
  const BestClass own = best[position];
  const int y = position / p.width, x = position % p.width;
  bool maximum = own.probability >= p.epsilon;
  // All lanes look the same way at a time: their neighbours are neighbours.
#pragma unroll
  for (int down = -1; down <= 1; ++down) {
#pragma unroll
    for (int right = -1; right <= 1; ++right) {
      const int v = y + down, u = x + right;
      if (v < 0 || v >= p.height || u < 0 || u >= p.width) continue;
      const BestClass other = best[v * p.width + u];
      if (other.label == own.label && !(own.probability >= other.probability)) maximum = false;
    }
  }
  *pixel_of<float>(p.scores, b, position) = own.probability + (maximum ? 1.0f : 0.0f);
}

/// Where a digit's count is: lanes that look at digits eight apart meet different banks.
__device__ constexpr int place_of(int digit) { return digit + digit / 8; }

/// A digit of the keys, and how many keys have a larger one.
struct Digit {
  int digit;
  unsigned above;
};

/// The digit with which the `wanted`-th largest key continues. A whole warp calls it; lane 0 holds the largest eight
/// digits, and each lane gets the result.
__device__ Digit find_digit(const unsigned* counts, unsigned wanted) {
  constexpr int each = kDigits / 32;
  const int lane = static_cast<int>(threadIdx.x) % 32, top = kDigits - 1 - lane * each;
  unsigned own = 0;
#pragma unroll
  for (int i = 0; i < each; ++i) own += counts[place_of(top - i)];
  unsigned through = own;  // keys of this lane's digits and of larger ones
#pragma unroll
  for (int step = 1; step < 32; step *= 2) {
    const unsigned other = __shfl_up_sync(0xffffffffu, through, step);
    if (lane >= step) through += other;
  }
  Digit found{0, through - own};
  const bool here = found.above < wanted && wanted <= through;
  for (int i = 0; here && i < each; ++i) {
    found.digit = top - i;
    if (wanted <= found.above + counts[place_of(top - i)]) break;
    found.above += counts[place_of(top - i)];
  }
  const int source = __ffs(static_cast<int>(__ballot_sync(0xffffffffu, here))) - 1;
  return {__shfl_sync(0xffffffffu, found.digit, source), __shfl_sync(0xffffffffu, found.above, source)};
}

/// A block takes one image: grid [batch].
template <typename T>
__device__ void select_top(const SelectTopParams& p) {
  ptx::let_next_grid_start();
  ptx::wait_for_previous_grid();
  // A lane counts in a bank of its own, so that no two of a warp collide.
  __shared__ union {
    unsigned by_lane[kDigits][32];
    std::uint64_t selected[kMostSelected];
  } space;
  __shared__ unsigned counts[place_of(kDigits)];
  __shared__ Digit next;
  __shared__ int selected_count;
  const int thread = static_cast<int>(threadIdx.x), b = static_cast<int>(blockIdx.x);
  const int positions = p.in.height * p.in.width, count = p.count;
  const auto score_at = [&](int position) { return widen(*pixel_of<T>(p.in, b, position)); };
  const auto for_keys = [&](auto&& f) {
    for (int i = thread; i < positions; i += kSelectThreads) f(select_key(__float_as_uint(score_at(i)), i));
  };

  // The leading digits of the count-th largest key: `prefix`, all that is above its lowest `shift` bits. Among the keys
  // with that prefix it is the wanted-th largest.
  std::uint64_t prefix = 0;
  int shift = kSelectKeyBits;
  unsigned wanted = static_cast<unsigned>(count);
  if (thread == 0) selected_count = 0;
  while (shift > 0) {
    for (int i = thread; i < kDigits * 32; i += kSelectThreads) space.by_lane[i / 32][i % 32] = 0;
    __syncthreads();
    shift -= kDigitBits;
    for_keys([&](std::uint64_t key) {
      if (key >> (shift + kDigitBits) == prefix) atomicAdd(&space.by_lane[(key >> shift) % kDigits][thread % 32], 1u);
    });
    __syncthreads();
    for (int digit = thread / 32; digit < kDigits; digit += kSelectThreads / 32) {
      unsigned count_of = space.by_lane[digit][thread % 32];
#pragma unroll
      for (int step = 16; step >= 1; step /= 2) count_of += __shfl_xor_sync(0xffffffffu, count_of, step);
      if (thread % 32 == 0) counts[place_of(digit)] = count_of;
    }
    __syncthreads();
    if (thread < 32) {
      const Digit found = find_digit(counts, wanted);
      if (thread == 0) next = found;
    }
    __syncthreads();
    prefix = prefix << kDigitBits | static_cast<unsigned>(next.digit);
    wanted -= next.above;
    const bool all = counts[place_of(next.digit)] == wanted;
    __syncthreads();
    if (all) break;
  }

  // As many keys as are wanted begin with that prefix or a larger one. They come in any order; their ranks tell it.
  for_keys([&](std::uint64_t key) {
    if (key >> shift >= prefix) space.selected[atomicAdd(&selected_count, 1)] = key;
  });
  __syncthreads();
  for (int i = thread; i < count; i += kSelectThreads) {
    const std::uint64_t own = space.selected[i];
    int rank = 0;
    for (int j = 0; j < count; ++j) rank += space.selected[j] > own ? 1 : 0;
    const int position = position_of(own);
    p.positions.data[b * p.positions.batch_stride + static_cast<std::int64_t>(rank) * p.positions.stride] = position;
    *pixel_of<float>(p.scores, b, rank) = score_at(position);
  }
}

/// Grid of channel_grid.h: channels, rows, images.
template <typename T>
__device__ void gather_positions(const GatherPositionsParams& p) {
  ptx::let_next_grid_start();
  ptx::wait_for_previous_grid();
  constexpr int each = kChannelsOfThread<T, float>;
  const int c = static_cast<int>(blockIdx.y * blockDim.x + threadIdx.x) * each, b = static_cast<int>(blockIdx.z);
  const int row = static_cast<int>(blockIdx.x * blockDim.y + threadIdx.y);
  if (c >= p.out.block || row >= p.out.height) return;
  const int position =
      p.positions.data[b * p.positions.batch_stride + static_cast<std::int64_t>(row) * p.positions.stride];
  Channels<each> values{};
  if (position >= 0 && position < p.in.height * p.in.width)
    values = load_channels<each>(p.in, pixel_of<T>(p.in, b, position), c);
  store_channels(p.out, pixel_of<float>(p.out, b, row), c, values);
}

}  // namespace

extern "C" {
__global__ void __launch_bounds__(256) best_class_f32(const __grid_constant__ BestClassParams p) {
  best_class<float>(p);
}
__global__ void __launch_bounds__(256) best_class_f16(const __grid_constant__ BestClassParams p) {
  best_class<__half>(p);
}
__global__ void __launch_bounds__(256) proposal_scores(const __grid_constant__ ProposalScoresParams p) {
  proposal_score(p);
}
__global__ void __launch_bounds__(kSelectThreads) select_top_f32(const __grid_constant__ SelectTopParams p) {
  select_top<float>(p);
}
__global__ void __launch_bounds__(kSelectThreads) select_top_f16(const __grid_constant__ SelectTopParams p) {
  select_top<__half>(p);
}
__global__ void __launch_bounds__(256) gather_positions_f32(const __grid_constant__ GatherPositionsParams p) {
  gather_positions<float>(p);
}
__global__ void __launch_bounds__(256) gather_positions_f16(const __grid_constant__ GatherPositionsParams p) {
  gather_positions<__half>(p);
}
}

}  // namespace maskrt::kernels::cuda
