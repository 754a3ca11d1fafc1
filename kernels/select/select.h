// Queries out of a map: a score for each position, the positions of the best, and what a map holds there.
//
// Position p of a map is the pixel (p / width, p % width); of a list, row p. Positions are int32, at most 2^24 of them.
#pragma once

#include "kernels/tensor.h"

namespace maskrt::kernels {

/// Positions that select_top may be asked for, of each image.
inline constexpr std::int64_t kMostSelected = 2048;
/// Positions of a map that may be selected from.
inline constexpr std::int64_t kMostPositions = std::int64_t{1} << 24;

/// The class that a position looks most like, and how much.
struct alignas(8) BestClass {
  float probability;
  std::int32_t label;
};

/// logits [B, h, w, K + 1], K >= 1: of K classes and, last, of none. scores: a list [B, h * w, 1, 1] in fp32.
/// With p the softmax over a position's K + 1 logits and c its class of the largest logit among K (the lowest of
/// equals), score = p[c] + (1 where p[c] >= epsilon and p[c] >= the p[c] of each of the eight neighbours whose class is
/// c too; else 0). Example: three pixels in a row of class c with 0.5, 0.5 and 0.2 score 1.5, 1.5 and 0.2.
/// Logits that are no numbers give their position a score that is none, and may keep neighbours from being maxima.
void proposal_scores_ref(const Tensor& logits, float epsilon, const Tensor& scores);

/// in: a map or list of one channel, of `count` positions at least. positions [B, count, 1, 1] in int32, and
/// scores [B, count, 1, 1] in fp32: where the `count` largest of an image lie and what they are, descending; of equal
/// numbers the lower position comes first, -0 equals 0, and what is no number comes after all numbers.
/// Example: 3, 7, NaN, 7 and count 3 give the positions 1, 3, 0.
void select_top_ref(const Tensor& in, const Tensor& positions, const Tensor& scores);

/// in: a map or list of C channels. positions: [B, N, 1, 1] in int32. out: a list [B, N, 1, C] in fp32:
/// out[b, n, c] = in[b, positions[b, n], c], and 0 where that position is outside of the map.
void gather_positions_ref(const Tensor& in, const Tensor& positions, const Tensor& out);

// The same, in fp32, for maps in any blocking; positions over OpenMP threads where there is work for them.

/// `best` has room for a BestClass a position.
void proposal_scores_cpu(const Tensor& logits, float epsilon, BestClass* best, const Tensor& scores);
/// `keys` has room for a number a position of one image.
void select_top_cpu(const Tensor& in, std::uint64_t* keys, const Tensor& positions, const Tensor& scores);
void gather_positions_cpu(const Tensor& in, const Tensor& positions, const Tensor& out);

}  // namespace maskrt::kernels
