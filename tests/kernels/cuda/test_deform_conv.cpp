// Deformable convolutions on the GPU, and 1x1 convolutions of means, against the loops that define them, with every
// kernel that can compute them.
#include <cstring>
#include <iterator>
#include <map>

#include "kernels/deform/cuda/deform_conv_cuda.h"
#include "kernels/deform/cuda/deform_kernels.h"
#include "kernels/pool/pool.h"
#include "placed_map.h"
#include "tests/kernels/deform_conv_cases.h"

using namespace maskrt;
using namespace maskrt::kernels;
using namespace maskrt::testing;

namespace {

using enum kernels::Activation;

/// What only tiles and runs care for: pixels around tiles of 64 and 96 rows, channels around those of 64, 128 and 256
/// columns; depths of several blocks of 128 bytes, and runs that share a step or a block; more taps than a run has.
const std::vector<DeformConvCase> kTileCases = {
    {{1, 7, 14, 64}, 260, {{3, 3, 1, 1, 1, 1}, 1, false}, Offsets::near, true, relu},
    {{1, 5, 19, 192}, 65, {{3, 3, 1, 1, 1, 1}, 1, true}, Offsets::near},
    {{2, 4, 12, 72}, 136, {{3, 3, 1, 1, 1, 1}, 3, true}, Offsets::wild, true, leaky_relu},
    {{1, 8, 8, 128}, 520, {{1, 1, 1, 0, 1, 1}, 2, true}, Offsets::near, false},
    {{1, 9, 7, 16}, 24, {{5, 5, 1, 2, 1, 1}, 2, true}, Offsets::whole, true, sigmoid},
    {{1, 6, 5, 24}, 9, {{19, 1, 1, 9, 1, 1}, 1, false}, Offsets::near},
    {{3, 3, 11, 96}, 96, {{3, 3, 1, 1, 1, 3}, 2, true}, Offsets::near, true, relu},
};

/// A 1x1 convolution of the means over 2x2 windows.
DeformConvCase pooled(const MapShape& in, std::int64_t out_channels, kernels::Activation activation = none) {
  DeformConvCase c{in, out_channels, {{1, 1, 2, 0, 1, 1}}, Offsets::none};
  c.activation = activation;
  c.bias = activation != none;
  return c;
}

/// 1, odd sides, whose last windows are cut, around tiles; channels that no chunk holds; several tiles of channels;
/// the shortcuts of R-50, cut.
const std::vector<DeformConvCase> kPooledCases = {
    pooled({1, 1, 1, 1}, 1),          pooled({1, 2, 2, 16}, 16, relu),
    pooled({1, 1, 9, 8}, 8),          pooled({2, 5, 7, 8}, 11, leaky_relu),
    pooled({3, 7, 12, 17}, 33, relu), pooled({2, 16, 15, 24}, 72, sigmoid),
    pooled({1, 19, 28, 64}, 260),     pooled({1, 26, 14, 256}, 512, relu),
};

struct Types {
  DataType in, offsets, out;
  bool tf32 = false;
};

std::vector<float> exact_numbers(unsigned seed, std::int64_t count) {
  std::vector<float> values = numbers(seed, count);
  for (float& value : values) value = float_from_f16(f16_from_float(value));
  return values;
}

/// Maps, weights and what they must give.
struct Problem {
  DeformConvCase c;
  Types types;
  Place out_place;
  bool pooled;
  PlacedMap in, offsets, want;
  std::vector<float> weight, scale, bias;
  std::vector<double> errors;

  Problem(const DeformConvCase& c_, const Types& types_, Place in_place, Place out_place_, bool scaled = false,
          bool pooled_ = false)
      : c(c_),
        types(types_),
        out_place(out_place_),
        pooled(pooled_),
        in(types.in, c.in, in_place),
        offsets(types.offsets, c.offset_shape(), in_place),
        want(types.out, c.out(), out_place) {
    in.fill_input(1);
    offsets.fill_input(2);
    fill_offsets(c, offsets.map(), 3);
    weight = exact_numbers(4, c.out_channels * c.fan_in());
    if (c.bias) bias = exact_numbers(5, c.out_channels);
    if (scaled)  // by powers of two, which round nothing
      for (std::int64_t o = 0; o < c.out_channels; ++o)
        scale.push_back(std::ldexp(o % 3 == 0 ? -1.0f : 1.0f, static_cast<int>(o % 5) - 2));
    define();
  }

  /// What `in` and `offsets` must give.
  void define() {
    std::vector<float> products = weight;
    for (std::size_t i = 0; i < products.size() && !scale.empty(); ++i)
      products[i] *= scale[i / (products.size() / scale.size())];
    want.fill(6);
    // Samples are rounded to the operands' type, in tf32 the weights too. Tensor cores may cut off instead of rounding.
    const double operand = types.tf32 ? 2 * kUnitFp16 : unit_of(types.in);
    errors = deform_conv_errors(c, products, bias, operand + static_cast<double>(c.fan_in()) * 0x1p-23);
    if (pooled) {
      const MapShape out = c.out();
      PlacedMap means(DataType::f32, {out.batch, out.height, out.width, c.in.channels}, Place::dense);
      average_pool_ref({2, 2}, in.map(), means.map());
      conv_ref({}, means.map(), products.data(), bias.empty() ? nullptr : bias.data(), nullptr, nullptr, c.activation,
               want.map(), kDeformSlope);
      return;
    }
    deform_conv_ref(c.geometry, in.map(), offsets.map(), products.data(), bias.empty() ? nullptr : bias.data(),
                    c.activation, want.map(), kDeformSlope);
  }

  CudaDeformProblem describe(const Tensor& in_, const Tensor& offsets_, const Tensor& out) const {
    CudaDeformProblem described;
    described.geometry = c.geometry;
    described.in = in_;
    described.offsets = offsets_;
    described.out = out;
    described.scale = !scale.empty();
    described.bias = !bias.empty();
    described.pooled = pooled;
    described.tf32 = types.tf32;
    described.activation = c.activation;
    described.slope = kDeformSlope;
    return described;
  }

  void require_right(const PlacedMap& got) const {
    const Tensor wanted = want.map();
    got.require_near_at(want, [&](auto b, auto y, auto x, auto o) {
      const double error = errors[static_cast<std::size_t>(o)];
      const double value = std::abs(static_cast<double>(get(wanted, b, y, x, o)));
      return error + unit_of(types.out) * (value + error) + rounding(types.out, value) + 0x1p-20;
    });
  }
};

/// A problem with one choice, ready to launch: what it needs on the device beside its maps.
class Prepared {
 public:
  Prepared(const Problem& problem, const CudaDeformProblem& described, const ConvChoice* choice)
      : plan_(plan_deform_conv(described, Gpu::instance().chip(), choice)),
        weights_(packed(plan_, problem.weight)),
        scale_(problem.scale.empty() ? std::vector<float>(1) : problem.scale),
        bias_(problem.bias.empty() ? std::vector<float>(1) : problem.bias),
        workspace_(std::max<std::size_t>(plan_.workspace_bytes, 16)),
        counters_(std::vector<unsigned>(plan_.counter_bytes / sizeof(unsigned) + 1, 0)) {}

  const CudaDeformPlan& plan() const { return plan_; }
  /// Maps on the device.
  void launch(const Tensor& in, const Tensor& offsets, const Tensor& out) const {
    CudaDeformOperands operands;
    operands.in = in.data;
    operands.offsets = plan_.problem.pooled ? nullptr : offsets.data;
    operands.weights = weights_.data();
    operands.scale = scale_.data();
    operands.bias = bias_.data();
    operands.out = out.data;
    operands.workspace = workspace_.data();
    operands.counters = counters_.data();
    operands.next_weights = weights_.data();
    operands.next_weight_bytes = plan_.weights.bytes();
    launch_deform_conv(plan_, operands, Gpu::instance().queue());
  }
  void require_intact() const {
    for (const unsigned counter : counters_.download()) REQUIRE(counter == 0);
    workspace_.require_intact();
  }

 private:
  static std::vector<std::byte> packed(const CudaDeformPlan& plan, const std::vector<float>& weight) {
    std::vector<std::byte> bytes(plan.weights.bytes());
    pack_deform_weight(plan.weights, weight.data(), bytes.data());
    return bytes;
  }
  CudaDeformPlan plan_;
  DeviceArray<std::byte> weights_;
  DeviceArray<float> scale_, bias_;
  DeviceBytes workspace_;
  DeviceArray<unsigned> counters_;
};

/// How much of the many ways to compute a case is tried, where there are many cases.
enum class Tried : std::uint8_t {
  all_ways,         ///< each kernel adds the parts of a sum in each of its ways: one part, in clusters, through memory
  a_way_of_each,    ///< each kernel in one of its ways, another one for each case
  a_single_kernel,  ///< another one for each case
};

/// What to try of a problem's choices; `turn` is the number of the case. In tf32 the kernels of fp32 are left out.
std::vector<ConvChoice> choices_to_test(const CudaDeformProblem& described, Tried tried = Tried::all_ways,
                                        std::size_t turn = 0) {
  const Chip& chip = Gpu::instance().chip();
  const auto way = [&](const ConvChoice& choice) {
    if (choice.splits == 1) return 0;
    return plan_deform_conv(described, chip, &choice).params.conv.in_cluster != 0 ? 1 : 2;
  };
  std::map<int, std::map<int, ConvChoice>> ways;  // by kernel and way
  for (const ConvChoice& choice : deform_choices(described, chip))
    if (deform_kernels()[static_cast<std::size_t>(choice.kernel)].tf32 == described.tf32)
      ways[choice.kernel].emplace(way(choice), choice);
  const auto turned = [&](const auto& of) {
    return std::next(of.begin(), static_cast<std::ptrdiff_t>(turn % of.size()));
  };
  std::vector<ConvChoice> some;
  for (const auto& [kernel, of_kernel] : ways) {
    if (tried == Tried::all_ways) {
      for (const auto& [number, choice] : of_kernel) some.push_back(choice);
    } else {
      some.push_back(turned(of_kernel)->second);
    }
  }
  if (tried == Tried::a_single_kernel && !some.empty()) some = {*turned(some)};
  return some;
}

std::string name_of_choice(const ConvChoice& choice) {
  return std::string(deform_kernels()[static_cast<std::size_t>(choice.kernel)].name.entry) + " in " +
         std::to_string(choice.splits) + " parts";
}

/// The output's surroundings as the wanted map has them, and NaN in the output, so that what a kernel forgets is seen.
void poison(PlacedMap& out) {
  out.fill(6);
  const Tensor result = out.map();
  for_each_element(result, [&](auto b, auto y, auto x, auto o) {
    set(result, b, y, x, o, std::numeric_limits<float>::quiet_NaN());
  });
}

void check(const Problem& problem, Tried tried = Tried::all_ways, std::size_t turn = 0) {
  const DeviceMap in(problem.in), offsets(problem.offsets);
  PlacedMap out(problem.types.out, problem.c.out(), problem.out_place);
  for (const ConvChoice& choice : choices_to_test(problem.describe(*in, *offsets, out.map()), tried, turn)) {
    INFO(name_of_choice(choice));
    poison(out);
    const DeviceMap device_out(out);
    const Prepared prepared(problem, problem.describe(*in, *offsets, *device_out), &choice);
    prepared.launch(*in, *offsets, *device_out);
    device_out.download(out);
    prepared.require_intact();
    problem.require_right(out);
  }
}

}  // namespace

namespace {

/// All cases: those of tiles with each kernel in all of its ways, the others in one.
void check_all(const Types& types, bool scaled = false) {
  const auto check_one = [&](const DeformConvCase& c, Tried tried, std::size_t turn) {
    INFO(c);
    check(Problem(c, types, Place::padded, Place::padded, scaled), tried, turn);
  };
  for (std::size_t i = 0; i < deform_conv_cases.size(); ++i) check_one(deform_conv_cases[i], Tried::a_way_of_each, i);
  for (const DeformConvCase& c : kTileCases) check_one(c, Tried::all_ways, 0);
}

}  // namespace

TEST_CASE("deformable convolutions on the GPU in fp32") { check_all({DataType::f32, DataType::f32, DataType::f32}); }

TEST_CASE("deformable convolutions on the GPU by way of tf32") {
  check_all({DataType::f32, DataType::f32, DataType::f32, true});
}

TEST_CASE("deformable convolutions on the GPU in fp16") {
  check_all({DataType::f16, DataType::f32, DataType::f16}, true);
}

TEST_CASE("convolutions of means on the GPU, in each precision") {
  for (const DeformConvCase& c : kPooledCases) {
    INFO(c);
    check(Problem(c, {DataType::f32, DataType::f32, DataType::f32}, Place::padded, Place::padded, false, true));
    check(Problem(c, {DataType::f32, DataType::f32, DataType::f32, true}, Place::padded, Place::padded, false, true));
    check(Problem(c, {DataType::f16, DataType::f32, DataType::f16}, Place::padded, Place::padded, true, true));
  }
}

TEST_CASE("deformable convolutions of offsets in fp16, to maps in fp32") {
  for (const std::size_t i : {4u, 6u, 9u, 18u}) {
    const DeformConvCase& c = deform_conv_cases[i];
    INFO(c);
    check(Problem(c, {DataType::f16, DataType::f16, DataType::f32}, Place::padded, Place::padded));
    check(Problem(c, {DataType::f32, DataType::f16, DataType::f32}, Place::padded, Place::padded));
  }
}

TEST_CASE("deformable convolutions of maps in every place") {
  std::size_t turn = 0;
  for (const DataType type : {DataType::f32, DataType::f16}) {
    for (const std::size_t i : {5u, 10u, 16u}) {
      const DeformConvCase& c = deform_conv_cases[i];
      for (const Place in_place : kAllPlaces) {
        for (const Place out_place : kAllPlaces) {
          INFO(maskrt::name_of(type) << " " << c << " from " << testing::name_of(in_place) << " to "
                                     << testing::name_of(out_place));
          check(Problem(c, {type, type, type}, in_place, out_place), Tried::a_single_kernel, turn++);
        }
      }
    }
  }
}

TEST_CASE("samples beyond the map are 0 whatever it holds, and those between its numbers and NaN are NaN") {
  const DeformConvCase c = {{2, 5, 7, 16}, 8, {{3, 3, 1, 1, 1, 1}, 1, true}, Offsets::none};
  for (const DataType type : {DataType::f32, DataType::f16}) {
    Problem problem(c, {type, DataType::f32, type}, Place::padded, Place::padded);
    // The first image holds no numbers, and is sampled beyond its borders alone; the second one's first pixel is NaN.
    const Tensor in = problem.in.map(), offsets = problem.offsets.map();
    for_each_element(in, [&](auto b, auto y, auto x, auto i) {
      const bool odd = b == 0 || (y == 0 && x == 0 && i == 3);
      if (odd) set(in, b, y, x, i, i % 2 == 0 ? std::numeric_limits<float>::infinity() : std::nanf(""));
    });
    for_each_element(offsets, [&](auto b, auto y, auto x, auto i) {
      if (b == 0 && i < 18) set(offsets, b, y, x, i, i % 4 < 2 ? -100.0f : 7.0f + static_cast<float>(i));
      if (b == 1 && i < 18) set(offsets, b, y, x, i, 0.5f);
    });
    problem.define();
    const Tensor want = problem.want.map();
    const DeviceMap device_in(problem.in), device_offsets(problem.offsets);
    PlacedMap out(type, c.out(), Place::padded);
    for (const ConvChoice& choice : choices_to_test(problem.describe(*device_in, *device_offsets, out.map()))) {
      INFO(maskrt::name_of(type) << " " << name_of_choice(choice));
      poison(out);
      const DeviceMap device_out(out);
      const Prepared prepared(problem, problem.describe(*device_in, *device_offsets, *device_out), &choice);
      prepared.launch(*device_in, *device_offsets, *device_out);
      device_out.download(out);
      const Tensor got = out.map();
      int nans = 0;
      for_each_element(want, [&](auto b, auto y, auto x, auto o) {
        const float wanted = get(want, b, y, x, o), value = get(got, b, y, x, o);
        if (std::isnan(wanted) != std::isnan(value) || (b == 0 && std::isnan(wanted)))
          FAIL("(" << b << ", " << y << ", " << x << ", " << o << "): got " << value << ", want " << wanted);
        nans += std::isnan(wanted) ? 1 : 0;
      });
      CHECK(nans > 0);
    }
  }
}

TEST_CASE("deformable convolutions give the same bits every time") {
  const DeformConvCase c = {{1, 9, 11, 128}, 72, {{3, 3, 1, 1, 1, 1}, 1, true}, Offsets::near};
  const Problem problem(c, {DataType::f16, DataType::f32, DataType::f16}, Place::padded, Place::padded);
  const DeviceMap in(problem.in), offsets(problem.offsets);
  PlacedMap first(DataType::f16, c.out(), Place::padded), second(DataType::f16, c.out(), Place::padded);
  for (const ConvChoice& choice : choices_to_test(problem.describe(*in, *offsets, first.map()))) {
    INFO(name_of_choice(choice));
    for (PlacedMap* out : {&first, &second}) {
      poison(*out);
      const DeviceMap device_out(*out);
      const Prepared prepared(problem, problem.describe(*in, *offsets, *device_out), &choice);
      prepared.launch(*in, *offsets, *device_out);
      device_out.download(*out);
    }
    CHECK(std::memcmp(first.whole()->data, second.whole()->data, first.whole()->bytes()) == 0);
  }
}

TEST_CASE("deformable convolutions on the GPU refuse what they cannot do") {
  const Chip chip = Gpu::instance().chip();
  CudaDeformProblem problem;
  problem.geometry = {{3, 3, 1, 1}, 2, true};
  problem.in = dense(nullptr, DataType::f16, 1, 8, 8, 16, 0);
  problem.offsets = dense(nullptr, DataType::f32, 1, 8, 8, 54, 56);
  problem.out = dense(nullptr, DataType::f16, 1, 8, 8, 32, 0);
  const CudaDeformPlan plan = plan_deform_conv(problem, chip);
  CHECK_THROWS_WITH(launch_deform_conv(plan, {}, Gpu::instance().queue()),
                    Catch::Contains("deformable convolution on the GPU: expected an input, found none"));
  const auto refuses = [&](const std::string& why, auto&& change) {
    CudaDeformProblem other = problem;
    change(other);
    CHECK_THROWS_WITH(plan_deform_conv(other, chip), Catch::Contains(why));
  };
  refuses("expected an output of [1, 8, 8, 32], found fp16 [1, 7, 8, 32]", [](auto& p) { p.out.height = 7; });
  refuses("expected offsets of [1, 8, 8, 54], found fp32 [1, 8, 8, 36]", [](auto& p) { p.offsets.channels = 36; });
  refuses("expected offsets in fp32 or fp16, found bf16", [](auto& p) { p.offsets.type = DataType::bf16; });
  refuses("expected an input in fp32 or fp16, found bf16", [](auto& p) { p.in.type = DataType::bf16; });
  refuses("expected an output in fp32 or fp16, found bf16", [](auto& p) { p.out.type = DataType::bf16; });
  refuses("expected groups of offsets that divide the channels, found 3",
          [](auto& p) { p.geometry.offset_groups = 3; });
  refuses("groups, which divide the channels, found 5", [](auto& p) { p.geometry.conv.groups = 5; });
  refuses("expected kernels, strides and dilations from 1 to 32767, found 0",
          [](auto& p) { p.geometry.conv.stride = 0; });
  refuses("expected at most 7 channels of padding in the output, found 8",
          [](auto& p) { p.out = dense(nullptr, DataType::f16, 1, 8, 8, 32, 40); });
  refuses("expected one group of a 1 x 1 kernel of stride 2 on pooled pixels, found 3 x 3 of stride 1",
          [](auto& p) { p.pooled = true; });
  const ConvChoice unknown = {99, 1}, too_many = {plan.choice.kernel, 1000};
  CHECK_THROWS_WITH(plan_deform_conv(problem, chip, &unknown), Catch::Contains("found kernel 99"));
  CHECK_THROWS_WITH(plan_deform_conv(problem, chip, &too_many), Catch::Contains("splits of the depth, found 1000"));
}
