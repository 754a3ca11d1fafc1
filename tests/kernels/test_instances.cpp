// The CPU's instance activation maps, linear layers and mask products against the loops that define them.
#include "kernels/iam/iam.h"
#include "kernels/linear/linear_cpu.h"
#include "kernels/mask_head/mask_product.h"
#include "kernels/regroup/regroup.h"
#include "owned_tensor.h"

using namespace maskrt;
using namespace maskrt::kernels;
using maskrt::testing::numbers;
using maskrt::testing::OwnedTensor;
using maskrt::testing::unit_fp32;

namespace {

struct alignas(64) Line {
  std::byte bytes[64];
};
std::vector<Line> lines_for(std::size_t bytes) { return std::vector<Line>(bytes / sizeof(Line) + 1); }

}  // namespace

TEST_CASE("aggregation, in one part and in several") {
  // Positions around the stretch of 256 that is worked on at a time, and the real layer's width.
  for (const auto& [batch, height, width] : std::vector<std::tuple<int, int, int>>{
           {1, 1, 1}, {2, 5, 3}, {1, 15, 17}, {1, 16, 16}, {2, 257, 1}, {1, 20, 27}}) {
    for (const auto& [channels, maps] :
         std::vector<std::pair<int, int>>{{1, 1}, {16, 16}, {17, 33}, {80, 25}, {256, 20}}) {
      for (const int parts : {1, 4}) {
        for (const MapWeights weights : {MapWeights::plain, MapWeights::sigmoid, MapWeights::softmax}) {
          for (const std::int64_t block : {16, 8, 1}) {
            INFO(batch << "x" << height << "x" << width << ", " << parts << " x " << maps << " maps, " << channels
                       << " channels, weights " << static_cast<int>(weights) << ", block " << block);
            OwnedTensor features(DataType::f32, batch, height, width, channels, block);
            features.fill(1);
            std::vector<std::unique_ptr<OwnedTensor>> owned;
            std::vector<Tensor> bound;
            for (int p = 0; p < parts; ++p) {
              owned.push_back(std::make_unique<OwnedTensor>(DataType::f32, batch, height, width, maps, block));
              owned.back()->fill(static_cast<unsigned>(2 + p), -6, 6);
              bound.push_back(**owned.back());
            }
            OwnedTensor out(DataType::f32, batch, std::int64_t{parts} * maps, 1, channels, 0),
                want(DataType::f32, batch, std::int64_t{parts} * maps, 1, channels, 0);
            out.poison();
            aggregate_ref(bound, *features, weights, 1e-6, *want);
            aggregate_cpu(bound, *features, weights, 1e-6, *out);
            // Weights that add up to 1 (plain: n of up to 6), features up to 1; each weight is within 8 units.
            const double n = height * width;
            const double bound_of_sum =
                weights == MapWeights::plain ? 6 * n * (2 + std::sqrt(n)) : 16 + 2 * std::sqrt(n);
            require_close(out, *want, [&](auto...) { return unit_fp32 * bound_of_sum; });
          }
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
        CHECK(std::abs(sum - 1) <= 35 * unit_fp32);
      }
    }
    out.require_intact();
  }
}

TEST_CASE("linear layers") {
  for (const auto& [batch, rows, in_channels, out_channels] : std::vector<std::tuple<int, int, int, int>>{
           {1, 1, 1, 1}, {2, 3, 5, 7}, {1, 100, 256, 80}, {2, 17, 33, 31}, {1, 100, 1024, 129}}) {
    for (const Activation activation : {Activation::none, Activation::relu, Activation::sigmoid}) {
      for (const bool with_bias : {false, true}) {
        INFO(batch << "x" << rows << ", " << in_channels << " to " << out_channels << ", activation "
                   << static_cast<int>(activation) << ", bias " << with_bias);
        OwnedTensor in(DataType::f32, batch, rows, 1, in_channels, 0),
            out(DataType::f32, batch, rows, 1, out_channels, 0), want(DataType::f32, batch, rows, 1, out_channels, 0);
        in.fill(1);
        out.poison();
        const std::vector<float> weight = numbers(2, std::int64_t{in_channels} * out_channels),
                                 bias = numbers(3, out_channels);
        linear_ref(*in, weight.data(), with_bias ? bias.data() : nullptr, activation, *want);
        const Linear linear(std::int64_t{batch} * rows, in_channels, out_channels, with_bias, activation);
        auto weights = lines_for(linear.weight_layout().get_size()), scratch = lines_for(linear.scratch_bytes());
        linear.prepare(weight.data(), weights.data());
        linear.run(in->data, weights.data(), with_bias ? bias.data() : nullptr, out->data, scratch.data());
        const double bound = unit_fp32 * (8 + std::sqrt(in_channels)) * (in_channels * 0.3 + 1);
        require_close(out, *want, [&](auto...) { return bound; });
      }
    }
  }
}

TEST_CASE("mask products, with and without an offset") {
  for (const auto& [batch, height, width, channels, instances] : std::vector<std::tuple<int, int, int, int, int>>{
           {1, 1, 1, 1, 1}, {2, 5, 7, 16, 3}, {1, 20, 27, 256, 100}, {3, 6, 4, 33, 17}}) {
    for (const bool offset : {false, true}) {
      for (const auto& [block, out_block] : std::vector<std::pair<int, int>>{{16, 16}, {8, 8}, {1, 1}, {16, 1}}) {
        INFO(batch << "x" << height << "x" << width << ", " << channels << " channels, " << instances
                   << " instances, offset " << offset << ", blocks " << block << ", " << out_block);
        OwnedTensor features(DataType::f32, batch, height, width, channels, block),
            kernels(DataType::f32, batch, instances, 1, channels + (offset ? 1 : 0), 0),
            out(DataType::f32, batch, height, width, instances, out_block),
            want(DataType::f32, batch, height, width, instances, 0);
        features.fill(1);
        kernels.fill(2);
        out.poison();
        mask_product_ref(*kernels, *features, offset, *want);
        const MaskProduct product(*features, offset, *out);
        auto scratch = lines_for(product.scratch_bytes());
        product.run(*kernels, *features, *out, scratch.data());
        const double bound = unit_fp32 * (8 + std::sqrt(channels)) * (channels * 0.3 + 1);
        require_close(out, *want, [&](auto...) { return bound; });
      }
    }
  }
}

TEST_CASE("regrouped rows") {
  for (const auto& [batch, blocks, instances, groups, channels] : std::vector<std::tuple<int, int, int, int, int>>{
           {1, 1, 1, 1, 1}, {2, 4, 5, 4, 6}, {1, 4, 5, 2, 8}, {3, 2, 7, 2, 3}}) {
    INFO(blocks << " blocks, " << instances << " instances, " << groups << " groups, " << channels << " channels");
    OwnedTensor in(DataType::f32, batch, std::int64_t{groups} * instances, 1, channels, 0),
        out(DataType::f32, batch, instances, 1, std::int64_t{groups} * channels, 0),
        want(DataType::f32, batch, instances, 1, std::int64_t{groups} * channels, 0);
    in.fill(1);
    out.poison();
    regroup_ref(*in, blocks, instances, *want);
    regroup_cpu(*in, blocks, instances, *out);
    require_close(out, *want, [](auto...) { return 0.0; });
  }
}
