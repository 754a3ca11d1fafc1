// What the cost model of the convolutions chooses: no GPU is looked at.
#include <algorithm>
#include <catch2/catch.hpp>

#include "kernels/conv/cuda/conv_cost.h"
#include "kernels/conv/cuda/conv_cuda.h"
#include "kernels/conv/cuda/conv_tuning.h"
#include "testing/chips.h"

using namespace maskrt;
using namespace maskrt::kernels;
using testing::a100;
using testing::h200;
using testing::t4;

namespace {

CudaConvProblem layer(std::int64_t batch, std::int64_t height, std::int64_t width, std::int64_t in, std::int64_t out,
                      const ConvGeometry& geometry, DataType type = DataType::f16) {
  CudaConvProblem problem;
  problem.geometry = geometry;
  problem.in = dense(nullptr, type, batch, height, width, in, 0);
  problem.out = dense(nullptr, type, batch, conv_output_size(height, geometry.kernel_height, geometry),
                      conv_output_size(width, geometry.kernel_width, geometry), out, 0);
  return problem;
}

const CudaConvProblem res2 = layer(1, 160, 216, 64, 64, {3, 3, 1, 1}), res5 = layer(1, 20, 27, 512, 512, {3, 3, 1, 1}),
                      deep = layer(1, 20, 27, 2048, 512, {1, 1}),
                      branches = layer(1, 80, 108, 512, 512, {3, 3, 1, 1, 1, 2});

double operations(const CudaConvProblem& p) {
  return 2.0 * static_cast<double>(p.out.batch * p.out.height * p.out.width * p.out.channels * p.in.channels /
                                   p.geometry.groups * p.geometry.kernel_height * p.geometry.kernel_width);
}

const ConvKernel& kernel_of(const CudaConvPlan& plan) {
  return conv_kernels()[static_cast<std::size_t>(plan.choice.kernel)];
}

}  // namespace

TEST_CASE("no prediction beats the chip's arithmetic or its memory") {
  for (const Chip& chip : {h200, a100, t4}) {
    const ConvRates rates = conv_rates(chip);
    const double flops = std::max({rates.tensor_flops, rates.wgmma_flops}) * rates.hertz * chip.multiprocessors;
    for (const CudaConvProblem& problem :
         {res2, res5, branches, layer(16, 80, 108, 256, 256, {3, 3, 1, 1}), layer(1, 304, 432, 32, 32, {3, 3, 1, 1}),
          layer(1, 38, 54, 256, 18, {3, 3, 1, 1})}) {
      const double bytes = static_cast<double>(2 * problem.in.batch_stride * problem.in.batch +
                                               2 * problem.out.batch_stride * problem.out.batch);
      for (const ConvChoice& choice : conv_choices(problem, chip)) {
        const CudaConvPlan plan = plan_conv(problem, chip, &choice);
        INFO(plan.kernel.entry << " in " << choice.splits << " parts on " << chip.compute_capability);
        CHECK(plan.predicted_seconds >= operations(problem) / flops);
        CHECK(plan.predicted_seconds >= bytes / (rates.memory_bytes * rates.hertz * chip.multiprocessors));
      }
    }
  }
}

TEST_CASE("the plan takes the choice with the least predicted time, and a forced one where there is one") {
  for (const Chip& chip : {h200, a100, t4}) {
    for (const CudaConvProblem& problem : {res2, res5, branches}) {
      const std::vector<ConvChoice> choices = conv_choices(problem, chip);
      const CudaConvPlan best = plan_conv(problem, chip);
      CHECK(best.choice == choices.front());
      for (const ConvChoice& choice : choices) {
        const CudaConvPlan plan = plan_conv(problem, chip, &choice);
        CHECK(plan.choice == choice);
        CHECK(plan.predicted_seconds >= best.predicted_seconds);
      }
    }
  }
}

TEST_CASE("a tuning file overrules the model, for its chip and as far as it can") {
  const std::vector<ConvChoice> choices = conv_choices(res5, h200);
  ConvTuning tuning;
  tuning.set(res5, h200, choices[1]);
  const ConvTuning read = ConvTuning::parse("# measured\n\n" + tuning.text() + "\r\n", "t");
  CHECK(read.size() == 1);
  CHECK(read.text() == tuning.text());
  CHECK(read.find(res5, h200) == choices[1]);
  const ConvChoice none = {};
  CHECK(read.find(res5, a100) == none);
  CHECK(read.find(res2, h200) == none);
  CudaConvProblem unaligned = res5;  // no tensor core reads these pixels
  unaligned.in.pixel_stride = unaligned.in.block = 515;
  unaligned.in.batch_stride = 515 * 20 * 27;
  CHECK(read.find(unaligned, h200) == none);
  std::string unknown = tuning.text();
  unknown.replace(unknown.find("conv_"), 5, "none_");
  CHECK(ConvTuning::parse(unknown, "t").find(res5, h200) == none);

  CHECK_THROWS_WITH(ConvTuning::parse("# one\nconv: a / b\n", "tuned.txt"),
                    Catch::Contains("tuning file tuned.txt, line 2: expected \"problem: kernel / splits\", found"));
  CHECK_THROWS_WITH(ConvTuning::parse("conv a 1", "tuned.txt"), Catch::Contains("line 1"));
}

TEST_CASE("few tiles of a long sum are split, many are not") {
  for (const Chip& chip : {h200, a100}) {
    INFO("compute capability " << chip.compute_capability);
    const CudaConvPlan few = plan_conv(deep, chip), many = plan_conv(branches, chip);
    CHECK(few.choice.splits > 1);
    CHECK(many.choice.splits == 1);
    CHECK(many.workspace_bytes == 0);
    CHECK(many.counter_bytes == 0);
  }
}

TEST_CASE("parts of a sum are exchanged within clusters where the chip has them and holds all, else by way of memory") {
  const CudaConvPlan ampere = plan_conv(deep, a100), hopper = plan_conv(res5, h200);
  CHECK(ampere.params.splits == ampere.choice.splits);
  CHECK(ampere.workspace_bytes > 0);
  CHECK(ampere.counter_bytes > 0);
  CHECK(hopper.cluster_splits == hopper.choice.splits);
  CHECK(hopper.params.splits == 1);
  CHECK(hopper.workspace_bytes == 0);
  CHECK(hopper.cluster.x == static_cast<std::uint32_t>(2 * hopper.cluster_splits));
  CHECK(hopper.grid.count() == static_cast<std::uint64_t>(hopper.work_items) * hopper.cluster.x);

  Chip small = h200;
  small.multiprocessors = 8;
  const CudaConvPlan forced = plan_conv(res5, small, &hopper.choice);
  CHECK(forced.cluster_splits == 1);
  CHECK(forced.params.splits == hopper.choice.splits);
  CHECK(forced.workspace_bytes > 0);
}

TEST_CASE("clusters that are resident together are counted by the driver, where it has told, or from the chip's size") {
  CHECK(clusters_fit(31, 4, h200));
  CHECK_FALSE(clusters_fit(32, 4, h200));
  Chip told = h200;
  told.resident_clusters[4] = 26;
  CHECK(clusters_fit(26, 4, told));
  CHECK_FALSE(clusters_fit(27, 4, told));
  CHECK(clusters_fit(66, 2, told));  // not told
}

TEST_CASE("on Hopper, 8640 pixels by two branches of 256 channels make one wave") {
  const CudaConvPlan plan = plan_conv(branches, h200);
  CHECK(kernel_of(plan).uses_tma());
  // As many blocks as tiles, in clusters, and nearly as many as multiprocessors.
  CHECK(plan.grid.count() == static_cast<std::uint64_t>(plan.work_items) * plan.cluster.x);
  CHECK(plan.grid.count() > static_cast<std::uint64_t>(h200.multiprocessors) * 9 / 10);
}

TEST_CASE("a map of few channels is read once for all taps, as a patch for each tile") {
  const auto reads_patch = [](const ConvChoice& choice) {
    return conv_kernels()[static_cast<std::size_t>(choice.kernel)].reads_patch();
  };
  for (const Chip& chip : {h200, a100}) {
    INFO("compute capability " << chip.compute_capability);
    const CudaConvPlan stem = plan_conv(layer(2, 304, 432, 32, 32, {3, 3, 1, 1}), chip);
    REQUIRE(kernel_of(stem).reads_patch());
    CHECK(stem.grid.x == 2U * 432 / 16 * (304 / static_cast<unsigned>(kernel_of(stem).patch_height)));
    CHECK(stem.params.steps == 1);

    // Pixels that do not fill tiles: 5 x 4 of 8 x 16.
    const CudaConvProblem offsets = layer(1, 38, 54, 256, 18, {3, 3, 1, 1});
    CHECK(kernel_of(plan_conv(offsets, chip)).reads_patch());
    const std::vector<ConvChoice> choices = conv_choices(offsets, chip);
    const auto lines_of_8 = std::find_if(choices.begin(), choices.end(), [&](const ConvChoice& choice) {
      return kernel_of(plan_conv(offsets, chip, &choice)).patch_height == 8 && choice.splits == 4;
    });
    REQUIRE(lines_of_8 != choices.end());
    const CudaConvPlan split = plan_conv(offsets, chip, &*lines_of_8);
    CHECK(split.grid.x == 5 * 4);
    CHECK(split.params.steps == 8);
    CHECK(split.cluster_splits == (chip.path() == KernelPath::sm90a ? 4 : 1));
    CHECK(split.workspace_bytes == (split.cluster_splits > 1 ? 0 : split.grid.count() * 8 * 16 * 32 * sizeof(float)));

    // A dilation spreads the taps, a stride the windows; a single tap reads nothing twice.
    const auto offers_patches = [&](const ConvGeometry& g) {
      const std::vector<ConvChoice> offered = conv_choices(layer(1, 38, 54, 64, 32, g), chip);
      return std::any_of(offered.begin(), offered.end(), reads_patch);
    };
    for (const ConvGeometry& g : {ConvGeometry{3, 3, 2, 1}, {3, 3, 1, 2, 2}, {5, 3, 1, 1}, {1, 1}})
      CHECK_FALSE(offers_patches(g));
    for (const ConvGeometry& g : {ConvGeometry{3, 3, 1, 1}, {1, 3, 1, 0}, {2, 1, 1, 3}, {3, 3, 1, 1, 1, 2}})
      CHECK(offers_patches(g));
  }
  const std::vector<ConvChoice> of_turing = conv_choices(layer(1, 304, 432, 32, 32, {3, 3, 1, 1}), t4);
  CHECK(std::none_of(of_turing.begin(), of_turing.end(), reads_patch));
}

TEST_CASE("an image in pairs of pixels is read once for all taps") {
  const auto offers_pairs = [](const ConvGeometry& g, const Chip& chip) {
    CudaConvProblem image = layer(1, 608, 864, 3, 32, g);
    image.in = dense(nullptr, DataType::f16, 1, 608, 864, 3, 4);
    const std::vector<ConvChoice> offered = conv_choices(image, chip);
    return std::any_of(offered.begin(), offered.end(), [](const ConvChoice& choice) {
      return conv_kernels()[static_cast<std::size_t>(choice.kernel)].reads_pairs;
    });
  };
  for (const Chip& chip : {h200, a100}) {
    CudaConvProblem stem = layer(1, 608, 864, 3, 32, {3, 3, 2, 1});
    CHECK_FALSE(kernel_of(plan_conv(stem, chip)).reads_patch());  // of eight channels a pixel
    stem.in = dense(nullptr, DataType::f16, 1, 608, 864, 3, 4);
    const CudaConvPlan plan = plan_conv(stem, chip);
    REQUIRE(kernel_of(plan).reads_pairs);
    CHECK(plan.grid.count() == 19 * 27);
    CHECK(plan.params.steps == 1);
    for (const ConvGeometry& g : {ConvGeometry{7, 7, 2, 3}, {3, 5, 2, 1}, {5, 3, 2, 1}, {4, 4, 4, 0}, {1, 1, 2, 0}})
      CHECK_FALSE(offers_pairs(g, chip));
    for (const ConvGeometry& g : {ConvGeometry{3, 3, 2, 0}, {2, 3, 2, 1}, {1, 4, 2, 0}}) CHECK(offers_pairs(g, chip));
  }
  CHECK_FALSE(offers_pairs({3, 3, 2, 1}, t4));
}

TEST_CASE("a chip is offered what it runs") {
  for (const ConvChoice& choice : conv_choices(res2, t4)) {
    const ConvKernel& kernel = conv_kernels()[static_cast<std::size_t>(choice.kernel)];
    CHECK(kernel.oldest == KernelPath::sm75);
    CHECK(kernel.shared_bytes <= t4.shared_per_block);
  }
  for (const ConvChoice& choice : conv_choices(res2, a100))
    CHECK(conv_kernels()[static_cast<std::size_t>(choice.kernel)].oldest != KernelPath::sm90a);
  for (const Chip& chip : {h200, a100, t4})
    CHECK(kernel_of(plan_conv(layer(1, 16, 16, 32, 32, {3, 3, 1, 1}, DataType::f32), chip)).type == DataType::f32);
}

TEST_CASE("more blocks on a multiprocessor than registers or shared memory allow are not counted") {
  for (const ConvKernel& kernel : conv_kernels()) {
    INFO(kernel.name.entry);
    CHECK(resident_blocks(kernel, a100) <= kernel.resident);
    CHECK(static_cast<std::uint32_t>(resident_blocks(kernel, a100)) * kernel.shared_bytes <=
          a100.shared_per_multiprocessor);
    if (kernel.shared_bytes > t4.shared_per_block) CHECK(resident_blocks(kernel, t4) == 0);
  }
}

TEST_CASE("division by multiplication is exact up to 2^31") {
  for (const std::int64_t d : {1, 2, 3, 5, 7, 64, 216, 641, 8640, 34560, 65537, 1 << 30, 2147483647}) {
    const cuda::Divisor divisor = cuda::divide_by(d);
    const auto check = [&](std::int64_t n) {
      if (n < 0 || n > 2147483647) return;
      const int quotient = divisor.quotient(static_cast<int>(n));
      INFO(n << " / " << d);
      REQUIRE(quotient == n / d);
      REQUIRE(divisor.remainder(static_cast<int>(n), quotient) == n % d);
    };
    for (std::int64_t multiple = 0; multiple <= 2147483647; multiple += d * (1 + 2147483647 / d / 500))
      for (const std::int64_t beside : {-1, 0, 1}) check(multiple + beside);
    check(2147483647 / d * d);
    check(2147483647 / d * d - 1);
    check(2147483647);
  }
}

TEST_CASE("weights are packed by taps, groups side by side, pixels in pairs") {
  ConvGeometry g = {1, 1};
  g.groups = 4;  // of 4 channels to 8: all four as one of 16 to 32
  const ConvWeightLayout grouped = conv_weight_layout(g, dense(nullptr, DataType::f16, 1, 4, 4, 16, 0), 32);
  CHECK(grouped.merged == 4);
  CHECK(grouped.tap_channels == 16);
  std::vector<float> weight(32 * 4);
  for (std::size_t i = 0; i < weight.size(); ++i) weight[i] = static_cast<float>(i + 1);
  std::vector<std::uint16_t> packed(grouped.bytes() / 2);
  pack_conv_weight(grouped, weight.data(), packed.data());
  for (std::int64_t o = 0; o < 32; ++o) {
    for (std::int64_t k = 0; k < grouped.depth; ++k) {
      const std::int64_t channel = k - o / 8 * 4;
      const float want = channel >= 0 && channel < 4 ? weight[static_cast<std::size_t>(o * 4 + channel)] : 0.0f;
      REQUIRE(float_from_f16(packed[static_cast<std::size_t>(o * grouped.depth + k)]) == want);
    }
  }

  const Tensor image = dense(nullptr, DataType::f16, 1, 8, 8, 3, 4);
  const ConvWeightLayout stem = conv_weight_layout({7, 7, 2, 3}, image, 1);
  CHECK(stem.pixel_pairs);
  CHECK(stem.device_kernel_width() == 4);
  std::vector<float> taps(3 * 49);
  for (std::size_t i = 0; i < taps.size(); ++i) taps[i] = static_cast<float>(i + 1);
  packed.assign(stem.bytes() / 2, 0);
  pack_conv_weight(stem, taps.data(), packed.data());
  for (int y = 0; y < 7; ++y)
    for (int x = 0; x < 8; ++x)  // one column of zeros, then the seven taps
      for (int c = 0; c < 4; ++c)
        REQUIRE(float_from_f16(packed[static_cast<std::size_t>((y * 8 + x) * 4 + c)]) ==
                (x > 0 && c < 3 ? taps[static_cast<std::size_t>(c * 49 + y * 7 + x - 1)] : 0.0f));
}
