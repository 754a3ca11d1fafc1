// Every launcher with tensors of every combination of types: a kernel of its own, or an error and no launch. No GPU is
// looked at.
#include <catch2/catch.hpp>
#include <functional>
#include <set>

#include "kernels/attention/attention_cuda.h"
#include "kernels/conv/cuda/conv_cuda.h"
#include "kernels/conv/cuda/depthwise_cuda.h"
#include "kernels/cuda/kernel_family.h"
#include "kernels/deform/cuda/deform_conv_cuda.h"
#include "kernels/elementwise/elementwise_cuda.h"
#include "kernels/iam/iam_cuda.h"
#include "kernels/layout/layout_cuda.h"
#include "kernels/linear/linear_cuda.h"
#include "kernels/mask_head/mask_product_cuda.h"
#include "kernels/norm/layer_norm_cuda.h"
#include "kernels/pool/average_pool_cuda.h"
#include "kernels/pool/average_windows_cuda.h"
#include "kernels/pool/max_pool_cuda.h"
#include "kernels/ppm/ppm_cuda.h"
#include "kernels/preprocess/preprocess_cuda.h"
#include "kernels/resize/resize_cuda.h"
#include "kernels/stem/stem_pool_cuda.h"

using namespace maskrt;
using namespace maskrt::kernels;

namespace {

using enum DataType;
constexpr DataType kAllTypes[] = {f64, f32, f16, bf16, i64, i32, i16, i8, u8, boolean};

/// Keeps the entries of the kernels that it is asked to launch.
class EntryQueue final : public CudaQueue {
 public:
  explicit EntryQueue(const Chip& chip) : chip_(chip) {}
  const Chip& chip() const override { return chip_; }
  void launch(const KernelLaunch& launch) override { entries.emplace_back(launch.kernel.entry); }
  void set_bytes(void*, std::uint8_t, std::size_t) override {}
  int resident_blocks(const KernelLaunch&) override { return 1; }
  TensorMap encode(const TiledMap&) override { return {}; }
  TensorMap encode(const Im2colMap&) override { return {}; }

  std::vector<std::string> entries;

 private:
  Chip chip_;
};

Tensor tensor(DataType type, std::int64_t height, std::int64_t width, std::int64_t channels, std::int64_t block = 0) {
  return dense(reinterpret_cast<void*>(4096), type, 1, height, width, channels, block);
}
Tensor map(DataType type) { return tensor(type, 8, 8, 8); }
Tensor list(std::int64_t rows, std::int64_t channels) { return tensor(f32, rows, 1, channels); }
void* const kMemory = reinterpret_cast<void*>(8192);

using TypeList = std::vector<DataType>;

struct Launcher {
  std::string name;          ///< as its errors call it
  std::size_t tensors;       ///< whose types are tried
  std::set<TypeList> known;  ///< what there is a kernel for
  std::function<void(CudaQueue&, const TypeList&)> launch;
};

const std::set<TypeList> kSame1 = {{f32}, {f16}}, kSame2 = {{f32, f32}, {f16, f16}},
                         kSame3 = {{f32, f32, f32}, {f16, f16, f16}}, kOrWider = {{f32, f32}, {f16, f16}, {f16, f32}},
                         kAllFour = {{f32, f32}, {f32, f16}, {f16, f32}, {f16, f16}};

void aggregate(CudaQueue& queue, const TypeList& t, MapWeights weights) {
  aggregate_cuda(queue, map(t[0]), map(t[1]), weights, 1e-6, kMemory, list(8, 8));
}

const std::vector<Launcher> kLaunchers = {
    {"activate", 2, kSame2, [](auto& q, auto& t) { activate_cuda(q, Activation::relu, map(t[0]), map(t[1])); }},
    {"add", 3, kSame3, [](auto& q, auto& t) { add_cuda(q, map(t[0]), map(t[1]), map(t[2])); }},
    {"scale and shift", 2, kOrWider,
     [](auto& q, auto& t) { scale_shift_cuda(q, map(t[0]), nullptr, nullptr, map(t[1])); }},
    {"aggregate", 2, kSame2, [](auto& q, auto& t) { aggregate(q, t, MapWeights::plain); }},
    {"aggregate with sigmoid", 2, kSame2, [](auto& q, auto& t) { aggregate(q, t, MapWeights::sigmoid); }},
    {"aggregate with softmax", 2, kSame2, [](auto& q, auto& t) { aggregate(q, t, MapWeights::softmax); }},
    {"normalise maps", 2, kSame2,
     [](auto& q, auto& t) { normalise_maps_cuda(q, map(t[0]), 1e-6, kMemory, map(t[1])); }},
    {"softmax maps", 2, kSame2, [](auto& q, auto& t) { softmax_maps_cuda(q, map(t[0]), kMemory, map(t[1])); }},
    {"copy", 2, kAllFour, [](auto& q, auto& t) { copy_channels_cuda(q, map(t[0]), 0, map(t[1]), 0, 8); }},
    {"to planes",
     2,
     {{f32, f32}, {f16, f32}},
     [](auto& q, auto& t) { convert_cuda(q, map(t[0]), tensor(t[1], 8, 8, 8, 1)); }},
    {"from planes",
     2,
     {{f32, f32}, {f32, f16}},
     [](auto& q, auto& t) { convert_cuda(q, tensor(t[0], 8, 8, 8, 1), map(t[1])); }},
    {"coordinates", 1, kSame1, [](auto& q, auto& t) { coordinates_cuda(q, tensor(t[0], 8, 8, 2)); }},
    {"linear", 2, kAllFour,
     [](auto& q, auto& t) {
       const LinearHead head{kMemory, nullptr, Activation::none, tensor(t[1], 4, 1, 8)};
       linear_cuda(q, list(4, 32), nullptr, t[0], {&head, 1});
     }},
    {"mask product", 2, kOrWider,
     [](auto& q, auto& t) { mask_product_cuda(q, list(8, 8), map(t[0]), false, map(t[1])); }},
    {"layer norm", 2, kSame2,
     [](auto& q, auto& t) { layer_norm_cuda(q, map(t[0]), nullptr, nullptr, 1e-5, Activation::none, map(t[1])); }},
    {"attention", 2, kAllFour,
     [](auto& q, auto& t) { attention_cuda(q, map(t[0]), map(t[1]), map(t[1]), 1, map(t[0])); }},
    {"depthwise convolution", 2, kSame2,
     [](auto& q, auto& t) {
       depthwise_conv_cuda(q, {3, 3, 1, 1, 1, 8}, map(t[0]), kMemory, Activation::none, map(t[1]));
     }},
    {"average pool", 2, kSame2,
     [](auto& q, auto& t) { adaptive_average_pool_cuda(q, map(t[0]), tensor(t[1], 2, 2, 8)); }},
    {"average pool of windows", 2, kSame2,
     [](auto& q, auto& t) {
       average_pool_cuda(q, {2, 2}, map(t[0]), tensor(t[1], 4, 4, 8));
     }},
    {"max pool", 2, kSame2,
     [](auto& q, auto& t) {
       max_pool_cuda(q, {3, 2, 1}, map(t[0]), tensor(t[1], 4, 4, 8));
     }},
    {"pyramid pool", 2, kSame2,
     [](auto& q, auto& t) {
       PyramidBranch branch;
       branch.stage_weight = branch.bottleneck_weight = kMemory;
       branch.hidden = 8;
       branch.out = tensor(t[1], 2, 2, 8);
       pyramid_pool_cuda(q, map(t[0]), {&branch, 1});
     }},
    {"preprocess", 1, kSame1,
     [](auto& q, auto& t) { preprocess_cuda(q, nullptr, Normalisation{}, tensor(t[0], 8, 8, 3, 4)); }},
    {"upsample", 2, kSame2, [](auto& q, auto& t) { upsample_nearest_cuda(q, map(t[0]), 2, tensor(t[1], 16, 16, 8)); }},
    {"resize", 2, kOrWider,
     [](auto& q, auto& t) { resize_bilinear_factor_cuda(q, map(t[0]), 2, tensor(t[1], 16, 16, 8)); }},
    {"resize", 2, kOrWider,
     [](auto& q, auto& t) {
       const Tensor inputs[] = {map(t[0]), map(t[0])};
       resize_bilinear_sum_cuda(q, inputs, map(t[1]));
     }},
    {"stem",
     2,
     {{f16, f16}},
     [](auto& q, auto& t) {
       stem_pool_cuda(q, tensor(t[0], 8, 8, 3, 4), {kMemory, nullptr, nullptr}, Activation::relu,
                      tensor(t[1], 2, 2, 8));
     }},
};

/// All lists of `count` types.
std::vector<TypeList> all_lists(std::size_t count) {
  std::vector<TypeList> lists = {{}};
  for (std::size_t i = 0; i < count; ++i) {
    std::vector<TypeList> longer;
    for (const TypeList& list : lists)
      for (const DataType type : kAllTypes) {
        longer.push_back(list);
        longer.back().push_back(type);
      }
    lists = std::move(longer);
  }
  return lists;
}

std::string text_of(const TypeList& types) {
  std::string text;
  for (const DataType type : types) text += (text.empty() ? "" : ", ") + std::string(name_of(type));
  return types.size() == 1 ? text : "(" + text + ")";
}

constexpr Chip kChips[] = {
    {75, 40, 65536, 65536, 4u << 20}, {80, 108, 166912, 167936, 40u << 20}, {90, 132, 232448, 233472, 60u << 20}};

}  // namespace

TEST_CASE("a launcher launches kernels for the types of its tensors, or says which ones it has and launches none") {
  for (const Chip& chip : kChips) {
    for (const Launcher& launcher : kLaunchers) {
      std::set<std::vector<std::string>> launched;
      for (const TypeList& types : all_lists(launcher.tensors)) {
        INFO(launcher.name << " with " << text_of(types) << " on " << chip.compute_capability);
        EntryQueue queue(chip);
        if (launcher.known.count(types) != 0) {
          CHECK_NOTHROW(launcher.launch(queue, types));
          CHECK(!queue.entries.empty());
          // A linear layer's kernels store either type, and attention's on tensor cores take either.
          if (launcher.name != "linear" && launcher.name != "attention") CHECK(launched.insert(queue.entries).second);
        } else {
          CHECK_THROWS_WITH(launcher.launch(queue, types),
                            Catch::StartsWith(launcher.name + " (") && Catch::EndsWith("found " + text_of(types)));
          CHECK(queue.entries.empty());
        }
      }
    }
  }
}

TEST_CASE("a deformable convolution is planned for the types of its tensors, or not at all") {
  for (const Chip& chip : kChips) {
    for (const TypeList& types : all_lists(3)) {
      const DataType in = types[0], offsets = types[1], out = types[2];
      INFO(text_of(types) << " on " << chip.compute_capability);
      CudaDeformProblem problem;
      problem.geometry.conv = {3, 3, 1, 1};
      problem.in = dense(nullptr, in, 1, 8, 8, 16, 0);
      problem.offsets = dense(nullptr, offsets, 1, 8, 8, 18, 0);
      problem.out = dense(nullptr, out, 1, 8, 8, 16, 0);
      if (kOrWider.count({in, out}) != 0 && (offsets == f32 || offsets == f16)) {
        const CudaDeformPlan plan = plan_deform_conv(problem, chip);
        CHECK(plan.weights.type == in);
        CHECK((plan.params.conv.out_f32 != 0) == (out == f32));
        CHECK((plan.params.offsets_f32 != 0) == (offsets == f32));
      } else {
        CHECK_THROWS_WITH(plan_deform_conv(problem, chip),
                          Catch::StartsWith("deformable convolution on the GPU: expected "));
      }
    }
  }
}

TEST_CASE("a convolution is planned for the types of its tensors, or not at all") {
  for (const Chip& chip : kChips) {
    for (const TypeList& types : all_lists(3)) {
      const DataType in = types[0], out = types[1], residual = types[2];
      INFO(text_of(types) << " on " << chip.compute_capability);
      CudaConvProblem problem;
      problem.geometry = {3, 3, 1, 1};
      problem.in = dense(nullptr, in, 1, 8, 8, 16, 0);
      problem.out = dense(nullptr, out, 1, 8, 8, 16, 0);
      problem.residual = dense(nullptr, residual, 1, 8, 8, 16, 0);
      problem.residual_kind = ConvResidual::same;
      if (kOrWider.count({in, out}) != 0 && residual == out) {
        const CudaConvPlan plan = plan_conv(problem, chip);
        CHECK(plan.weights.type == in);
        CHECK((plan.params.out_f32 != 0) == (out == f32));
      } else {
        CHECK_THROWS_WITH(plan_conv(problem, chip), Catch::StartsWith("convolution on the GPU: expected "));
      }
    }
    CudaConvProblem narrow;
    narrow.in = narrow.out = dense(nullptr, bf16, 1, 8, 8, 16, 0);
    CHECK_THROWS_WITH(plan_conv(narrow, chip), Catch::EndsWith("expected an input in fp32 or fp16, found bf16"));
  }
}

TEST_CASE("kernels whose epilogues lack an activation refuse it") {
  EntryQueue queue(kChips[1]);
  for (const Activation activation : {Activation::leaky_relu, Activation::gelu}) {
    const char* const found = activation == Activation::gelu ? "GELU" : "leaky ReLU";
    const LinearHead head{kMemory, nullptr, activation, tensor(f32, 4, 1, 8)};
    CHECK_THROWS_WITH(linear_cuda(queue, list(4, 32), nullptr, f32, {&head, 1}),
                      std::string("linear: expected no activation, ReLU or the logistic function, found ") + found);
    CHECK_THROWS_WITH(
        stem_pool_cuda(queue, tensor(f16, 8, 8, 3, 4), {kMemory, nullptr, nullptr}, activation, tensor(f16, 2, 2, 8)),
        Catch::StartsWith("stem: ") && Catch::EndsWith(found));
    PyramidBranch branch;
    branch.hidden = 8;
    branch.activation = activation;
    branch.out = tensor(f16, 2, 2, 8);
    CHECK_THROWS_WITH(pyramid_pool_cuda(queue, map(f16), {&branch, 1}),
                      Catch::StartsWith("pyramid pool: ") && Catch::EndsWith(found));
  }
  CudaConvProblem problem;
  problem.in = problem.out = dense(nullptr, f16, 1, 8, 8, 16, 0);
  problem.activation = Activation::gelu;
  CHECK_THROWS_WITH(plan_conv(problem, kChips[1]), "convolution on the GPU: expected another activation, found GELU");
  CHECK(queue.entries.empty());
}

TEST_CASE("a family's error names it, its tensors and all that it knows") {
  constexpr cuda::KernelFamily family{
      "family", "first, second", {{{f32, f16}, {"file", "one"}}, {{f16, i32}, {"file", "other"}}}};
  CHECK(std::string(family.of({f16, i32}).entry) == "other");
  CHECK_THROWS_WITH(family.of({f16, f32}),
                    "family (first, second): expected (fp32, fp16) or (fp16, int32), found (fp16, fp32)");
  CHECK_THROWS_WITH(family.of({f16}), "family (first, second): expected (fp32, fp16) or (fp16, int32), found fp16");
}
