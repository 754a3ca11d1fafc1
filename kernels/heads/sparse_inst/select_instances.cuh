// Selection of the instances in the order of queries, and placement of their mask bits: by one block for the whole
// batch.
#pragma once

#include "kernels/masks/place_masks.cuh"
#include "score_params.h"

namespace maskrt::kernels::cuda {

/// Reads a sum that other blocks have added to and resets it to 0. Bypasses L1, which may hold a stale value.
template <typename T>
__device__ T take(T* number) {
  const T found = __ldcg(number);
  *number = 0;
  return found;
}

/// Selects instances from the tallies of all blocks and resets these to zero.
template <int Threads>
__device__ void select_instances(const ScoreParams& p) {
  const MaskCall& call = *p.call;
  const ImageGeometry* images = reinterpret_cast<const ImageGeometry*>(p.call + 1);
  const int queries = p.class_logits.height, entries = p.batch * queries;
  InstanceCounts before{};
  for (int base = 0; base < entries; base += Threads) {
    const int entry = base + static_cast<int>(threadIdx.x);
    InstanceRecord record{};
    InstanceCounts mine{};
    if (entry < entries) {
      record.image = entry / queries;
      record.query = entry % queries;
      const QueryTallies& tallies = p.tallies;
      const int at = record.image * tallies.stride + record.query;
      const Reach reach{take(tallies.from_right + at), take(tallies.right + at), take(tallies.from_bottom + at),
                        take(tallies.bottom + at)};
      const unsigned long long fixed = take(reinterpret_cast<unsigned long long*>(tallies.sum) + at);
      const float sum = static_cast<float>(static_cast<double>(fixed) * 0x1p-32);
      const float score = take(tallies.score + at);
      record.class_id = take(tallies.class_id + at);
      record.score = score * (sum / (static_cast<float>(take(tallies.count + at)) + 1e-6f));
      record.left = record.top = 0x7fffffff;
      record.right = record.bottom = -1;
      if (score > p.score_threshold && !(record.score < call.minimum_score)) {
        if (call.masks != 0 && reach.right != 0)
          place_box(reach, p.map_width, p.map_height, images[record.image], record);
        mine = {1, tiles_of(record.columns, record.words), words_of(record)};
      }
    }
    InstanceCounts total;
    const InstanceCounts place = before + scan_exclusive<Threads>(mine, total);
    if (mine.instances != 0) {
      record.first_word_of = place.words;
      p.records[place.instances] = record;
      p.jobs.jobs[place.instances] = {place.words,  record.first_column, record.columns, record.first_word,
                                      record.words, place.tiles,         entry};
      p.jobs.first_tiles[place.instances] = place.tiles;
    }
    if (entry < entries && record.query == 0) p.first_of_image[record.image] = place.instances;
    before = before + total;
  }
  if (threadIdx.x != 0) return;
  p.first_of_image[p.batch] = before.instances;
  *p.header = {before.instances, before.tiles, before.words, 0, static_cast<std::uint32_t>(call.masks), {}};
}

}  // namespace maskrt::kernels::cuda
