// Instance activation maps on the CPU against the loops that define them.
#include <memory>

#include "iam_cases.h"
#include "kernels/iam/iam.h"
#include "owned_tensor.h"

using namespace maskrt;
using namespace maskrt::kernels;
using maskrt::testing::aggregation_cases;
using maskrt::testing::AggregationCase;
using maskrt::testing::kUnitFp32;
using maskrt::testing::OwnedTensor;

TEST_CASE("aggregation, in one part and in several") {
  for (const AggregationCase& c : aggregation_cases) {
    for (const int parts : {1, 4}) {
      if (parts > 1 && c.maps > 100) continue;  // the plain loops would take most of the time
      for (const MapWeights weights : {MapWeights::plain, MapWeights::sigmoid, MapWeights::softmax}) {
        for (const std::int64_t block : {16, 8, 1}) {
          INFO(c.batch << "x" << c.height << "x" << c.width << ", " << parts << " x " << c.maps << " maps, "
                       << c.channels << " channels, weights " << static_cast<int>(weights) << ", block " << block);
          OwnedTensor features(DataType::f32, c.batch, c.height, c.width, c.channels, block);
          features.fill(1);
          std::vector<std::unique_ptr<OwnedTensor>> owned;
          std::vector<Tensor> bound;
          for (int p = 0; p < parts; ++p) {
            owned.push_back(std::make_unique<OwnedTensor>(DataType::f32, c.batch, c.height, c.width, c.maps, block));
            owned.back()->fill(static_cast<unsigned>(2 + p), -6, 6);
            bound.push_back(**owned.back());
          }
          OwnedTensor out(DataType::f32, c.batch, parts * c.maps, 1, c.channels, 0),
              want(DataType::f32, c.batch, parts * c.maps, 1, c.channels, 0);
          out.poison();
          aggregate_ref(bound, *features, weights, 1e-6, *want);
          aggregate_cpu(bound, *features, weights, 1e-6, *out);
          // Weights that add up to 1 (plain: n of up to 6), features up to 1; each weight is within 8 units.
          const double n = static_cast<double>(c.height * c.width);
          const double bound_of_sum = weights == MapWeights::plain ? 6 * n * (2 + std::sqrt(n)) : 16 + 2 * std::sqrt(n);
          require_close(out, *want, [&](auto...) { return kUnitFp32 * bound_of_sum; });
        }
      }
    }
  }
}

TEST_CASE("normalised maps add up to one, softmax too") {
  OwnedTensor maps(DataType::f32, 2, 5, 7, 19, 16), out(DataType::f32, 2, 5, 7, 19, 16);
  maps.fill(1, 0, 1);
  for (const bool softmax : {false, true}) {
    out.poison();
    softmax ? softmax_maps_ref(*maps, *out) : normalise_maps_ref(*maps, 1e-6, *out);
    for (std::int64_t b = 0; b < 2; ++b) {
      for (std::int64_t m = 0; m < 19; ++m) {
        double sum = 0;
        for (std::int64_t p = 0; p < 35; ++p) sum += get(*out, b, p / 7, p % 7, m);
        CHECK(std::abs(sum - 1) <= 35 * kUnitFp32);
      }
    }
    out.require_intact();
  }
}
