// Convolutions on the GPU against the loop that defines them, with every kernel that can compute them.
#include "kernels/conv/cuda/conv_cuda.h"
#include "kernels/conv/cuda/conv_kernels.h"
#include "support/gpu.h"
#include "tests/kernels/owned_tensor.h"

using namespace maskrt;
using namespace maskrt::kernels;
using maskrt::testing::DeviceArray;
using maskrt::testing::DeviceBytes;
using maskrt::testing::DeviceTensor;
using maskrt::testing::Gpu;
using maskrt::testing::OwnedTensor;

namespace {

struct Case {
  std::int64_t batch, height, width, in, out;
  ConvGeometry geometry = {};
  ConvResidual residual = ConvResidual::none;
  bool bias = true, coordinates = false;
  Activation activation = Activation::none;
  bool scale = false;
  bool tf32 = false;
};

std::string to_string(const Case& c) {
  const ConvGeometry& g = c.geometry;
  return "in " + maskrt::to_string(Shape{c.batch, c.height, c.width, c.in}) + ", out " + std::to_string(c.out) +
         ", kernel " + std::to_string(g.kernel_height) + "x" + std::to_string(g.kernel_width) + ", stride " +
         std::to_string(g.stride) + ", padding " + std::to_string(g.padding) + ", dilation " +
         std::to_string(g.dilation) + ", groups " + std::to_string(g.groups) + ", residual " +
         std::to_string(static_cast<int>(c.residual)) + (c.coordinates ? ", coordinates" : "");
}

constexpr auto none = ConvResidual::none, same = ConvResidual::same, upsampled = ConvResidual::upsampled;
constexpr auto relu = Activation::relu, sigmoid = Activation::sigmoid, kLeaky = Activation::leaky_relu;
constexpr float kSlope = 0.1f;  // of leaky ReLU

// Pixels and channels of 1, primes, around tiles of 64, 128 and 16 x 16; depths around a step of 16, 32 and 64; every
// part of the epilogue; windows that leave the map; batches whose images end inside a tile.
const std::vector<Case> cases = {
    {1, 1, 1, 1, 1},
    {1, 1, 1, 8, 8, {3, 3, 1, 1}},
    {1, 3, 5, 7, 5, {3, 3, 1, 1}, same, true, false, relu},
    {2, 7, 9, 16, 63, {1, 1}, none, false},
    {3, 5, 5, 17, 65, {3, 3, 2, 1}, none, true, false, relu},
    {1, 9, 7, 64, 64, {3, 3, 1, 1}, same, true, false, relu},
    {1, 8, 8, 31, 127, {1, 1}, same, false, false, sigmoid},
    {1, 13, 5, 40, 129, {1, 1, 2}, none, true, false, relu},
    {2, 6, 22, 33, 24, {3, 3, 1, 2, 2}, none, true, false, relu},
    {1, 11, 12, 24, 40, {5, 3, 1, 1}},
    {1, 4, 6, 100, 72, {1, 1}, upsampled, true, false, relu},
    {2, 6, 4, 32, 20, {3, 3, 1, 1}, upsampled, true, true},
    {1, 7, 9, 24, 37, {3, 3, 1, 1}, none, true, true, relu},
    {2, 5, 8, 16, 16, {3, 3, 2, 1}, same, true, true, relu},
    {1, 1, 2, 8, 8, {3, 3, 1, 1}, none, true, true},
    {1, 13, 16, 3, 64, {7, 7, 2, 3}, none, true, false, relu},
    {1, 6, 7, 64, 400, {3, 3, 1, 1, 1, 4}, none, true, false, sigmoid},
    {1, 5, 6, 128, 128, {3, 3, 1, 1, 1, 32}, none, true, false, relu},
    {1, 9, 5, 40, 40, {3, 3, 1, 1, 1, 40}, none, true, false, relu},
    {1, 3, 3, 12, 9, {1, 1, 1, 0, 1, 3}},
    {1, 16, 17, 64, 256, {1, 1}, same, true, false, relu},
    {1, 1, 1, 520, 264, {1, 1}},
    {2, 3, 7, 264, 136, {3, 3, 1, 1}, same, true, false, relu},
    {2, 20, 27, 72, 257, {1, 1}, same, true, false, relu},
    {1, 4, 5, 48, 70, {3, 3, 1, 1}, same, true, true, relu, true},
    {1, 3, 4, 16, 52, {1, 1, 1, 0, 1, 2}, none, false, false, Activation::none, true},
    {1, 6, 7, 40, 72, {3, 3, 1, 1}, same, true, false, kLeaky},
    {2, 17, 18, 40, 34, {2, 3, 1, 1}, same, true, true, relu},
    {1, 9, 17, 72, 18, {3, 3, 1, 1}},
};

/// What is computed with, the numbers exact in f16, and what it must give in f32 with the sum of its terms' magnitudes.
struct Problem {
  Case c;
  DataType type;
  OwnedTensor in, residual, want, magnitude;
  std::vector<float> weight, scale, bias, coordinate_weight;  // `weight` is what the kernel is given, before the scale

  Problem(const Case& c_, DataType type_, std::int64_t in_block, std::int64_t height, std::int64_t width)
      : c(c_),
        type(type_),
        in(type, c.batch, c.height, c.width, c.in, in_block),
        residual(type, c.batch, c.residual == upsampled ? height / 2 : height,
                 c.residual == upsampled ? width / 2 : width, c.out, (c.out + 7) / 8 * 8),
        want(DataType::f32, c.batch, height, width, c.out, 0),
        magnitude(DataType::f32, c.batch, height, width, c.out, 0) {
    const ConvGeometry& g = c.geometry;
    const auto exact = [](unsigned seed, std::int64_t count) {
      std::vector<float> values = testing::numbers(seed, count);
      for (float& value : values) value = float_from_f16(f16_from_float(value));
      return values;
    };
    in.fill(1);
    residual.fill(2);
    const std::int64_t taps = g.kernel_height * g.kernel_width;
    weight = exact(3, c.out * c.in / g.groups * taps);
    if (c.bias) bias = exact(4, c.out);
    if (c.coordinates) coordinate_weight = exact(5, c.out * 2 * taps);
    define_all();
  }

  /// What `in` and `residual` must give.
  void define_all() {
    const std::int64_t taps = c.geometry.kernel_height * c.geometry.kernel_width;
    scale.clear();
    std::vector<float> scaled = weight;
    if (c.scale) {  // by powers of two, which round nothing
      for (std::int64_t o = 0; o < c.out; ++o)
        scale.push_back(std::ldexp(o % 3 == 0 ? -1.0f : 1.0f, static_cast<int>(o % 5) - 2));
      for (std::size_t i = 0; i < scaled.size(); ++i) scaled[i] *= scale[i / (scaled.size() / scale.size())];
    }
    define(scaled, bias, coordinate_weight, *in, *residual, c.activation, *want);

    const auto absolute = [](std::vector<float> values) {
      for (float& value : values) value = std::abs(value);
      return values;
    };
    const auto absolute_of = [](const Tensor& t) {
      auto copy = std::make_unique<OwnedTensor>(t.type, t.batch, t.height, t.width, t.channels, t.block);
      for_each_element(t,
                       [&](auto b, auto y, auto x, auto i) { set(**copy, b, y, x, i, std::abs(get(t, b, y, x, i))); });
      return copy;
    };
    // A coordinate is at most 1 in magnitude, its affine form's terms at most 3.
    std::vector<float> bounds = absolute(bias);
    if (c.coordinates) {
      bounds.resize(static_cast<std::size_t>(c.out));
      for (std::size_t i = 0; i < coordinate_weight.size(); ++i)
        bounds[i / static_cast<std::size_t>(2 * taps)] += 3 * std::abs(coordinate_weight[i]);
    }
    define(absolute(scaled), bounds, {}, **absolute_of(*in), **absolute_of(*residual), Activation::none, *magnitude);
  }

  void define(const std::vector<float>& w, const std::vector<float>& b, const std::vector<float>& coordinate,
              const Tensor& from, const Tensor& add, Activation activation, const Tensor& to) const {
    const Tensor* added = c.residual == none ? nullptr : &add;
    OwnedTensor large(DataType::f32, to.batch, to.height, to.width, to.channels, 0);
    if (c.residual == upsampled) {
      for_each_element(*large,
                       [&](auto n, auto y, auto x, auto i) { set(*large, n, y, x, i, get(add, n, y / 2, x / 2, i)); });
      added = &*large;
    }
    conv_ref(c.geometry, from, w.data(), b.empty() ? nullptr : b.data(),
             coordinate.empty() ? nullptr : coordinate.data(), added, activation, to, kSlope);
  }
};

/// Sums of `depth` products and a few terms more, each addition off by at most 2^-23 of what it adds up to (tensor
/// cores may cut off instead of rounding), and one rounding to the output's type. A sigmoid's slope is at most 1/4, and
/// it is itself good to 2^-20.
void require_right(const OwnedTensor& out, const Problem& problem) {
  const ConvGeometry& g = problem.c.geometry;
  const double terms = static_cast<double>(problem.c.in / g.groups * g.kernel_height * g.kernel_width) + 8;
  require_close(out, *problem.want, [&](auto b, auto y, auto x, auto o) {
    const double error = (terms * 0x1p-23 + (problem.c.tf32 ? 0x1p-11 : 0.0)) * get(*problem.magnitude, b, y, x, o);
    const double value = std::abs(static_cast<double>(get(*problem.want, b, y, x, o)));
    return (problem.c.activation == sigmoid ? error / 4 + 0x1p-20 : error) +
           testing::unit_of(out->type) * (value + error) + 0x1p-25 + 0x1p-24 * value;
  });
}

/// A problem with one choice, ready to launch: what it needs on the device beside its tensors.
class Prepared {
 public:
  Prepared(const Problem& problem, const CudaConvProblem& described, const ConvChoice& choice)
      : plan_(plan_conv(described, Gpu::instance().chip(), &choice)),
        weights_(packed(plan_, problem.weight)),
        scale_(problem.scale.empty() ? std::vector<float>(1) : problem.scale),
        bias_(problem.bias.empty() ? std::vector<float>(1) : problem.bias),
        coordinates_(table(problem)),
        workspace_(std::max<std::size_t>(plan_.workspace_bytes, 16)),
        counters_(std::vector<unsigned>(plan_.counter_bytes / sizeof(unsigned) + 1, 0)) {}

  /// Tensors on the device.
  void launch(const Tensor& in, const Tensor& residual, const Tensor& out) const {
    CudaConvOperands operands;
    operands.in = in.data;
    operands.weights = weights_.data();
    operands.scale = scale_.data();
    operands.bias = bias_.data();
    operands.residual = residual.data;
    operands.coordinate_table = coordinates_.data();
    operands.out = out.data;
    operands.workspace = workspace_.data();
    operands.counters = counters_.data();
    operands.next_weights = weights_.data();
    operands.next_weight_bytes = plan_.weights.bytes();
    launch_conv(plan_, operands, Gpu::instance().queue());
  }
  void require_intact() const {
    for (const unsigned counter : counters_.download()) REQUIRE(counter == 0);
    workspace_.require_intact();
  }

 private:
  static std::vector<std::byte> packed(const CudaConvPlan& plan, const std::vector<float>& weight) {
    std::vector<std::byte> bytes(plan.weights.bytes());
    pack_conv_weight(plan.weights, weight.data(), bytes.data());
    return bytes;
  }
  static std::vector<std::byte> table(const Problem& problem) {
    const Case& c = problem.c;
    if (!c.coordinates) return std::vector<std::byte>(16);
    return make_coordinate_table(c.geometry, problem.type, problem.coordinate_weight.data(), c.out, c.height, c.width)
        .bytes;
  }
  CudaConvPlan plan_;
  DeviceArray<std::byte> weights_;
  DeviceArray<float> scale_, bias_;
  DeviceArray<std::byte> coordinates_;
  DeviceBytes workspace_;
  DeviceArray<unsigned> counters_;
};

/// Tensors on the device.
void run(const Problem& problem, const CudaConvProblem& described, const ConvChoice& choice, const Tensor& in,
         const Tensor& residual, const Tensor& out) {
  const Prepared prepared(problem, described, choice);
  prepared.launch(in, residual, out);
  prepared.require_intact();
}

CudaConvProblem describe_problem(const Problem& problem, const Tensor& in, const Tensor& residual, const Tensor& out) {
  CudaConvProblem described;
  described.geometry = problem.c.geometry;
  described.in = in;
  described.out = out;
  described.residual = residual;
  described.residual_kind = problem.c.residual;
  described.scale = problem.c.scale;
  described.bias = problem.c.bias;
  described.coordinates = problem.c.coordinates;
  described.activation = problem.c.activation;
  described.slope = kSlope;
  described.tf32 = problem.c.tf32;
  return described;
}

/// Of each kernel the choices that add the parts of a sum in different ways: one part, two or four, and the best of the
/// others that add them in clusters and through memory. Those of several parts in every other case, by turns.
std::vector<ConvChoice> choices_to_test(const CudaConvProblem& described) {
  std::vector<ConvChoice> some;
  const auto way = [&](const ConvChoice& choice) {
    if (choice.splits < 3 || choice.splits == 4) return choice.splits;
    return plan_conv(described, Gpu::instance().chip(), &choice).cluster_splits > 1 ? 3 : 5;
  };
  for (const ConvChoice& choice : conv_choices(described, Gpu::instance().chip())) {
    const bool known = std::any_of(some.begin(), some.end(), [&](const ConvChoice& taken) {
      return taken.kernel == choice.kernel && way(taken) == way(choice);
    });
    const bool has_its_turn = (choice.kernel + described.in.width) % 2 == 0;
    if (!known && (choice.splits == 1 || has_its_turn)) some.push_back(choice);
  }
  return some;
}

/// Fills the whole of the output, padding included, so that what a kernel forgets is seen.
void poison(const OwnedTensor& out) {
  const Tensor whole = padded(*out);
  for_each_element(
      whole, [&](auto b, auto y, auto x, auto c) { set(whole, b, y, x, c, std::numeric_limits<float>::quiet_NaN()); });
}

void check(const Case& c, DataType type, DataType out_type, std::int64_t in_block) {
  const std::int64_t height = conv_output_size(c.height, c.geometry.kernel_height, c.geometry),
                     width = conv_output_size(c.width, c.geometry.kernel_width, c.geometry);
  const Problem problem(c, type, in_block, height, width);
  OwnedTensor out(out_type, c.batch, height, width, c.out, (c.out + 7) / 8 * 8);
  OwnedTensor residual(out_type, problem.residual->batch, problem.residual->height, problem.residual->width, c.out,
                       (c.out + 7) / 8 * 8);
  for_each_element(*residual, [&](auto b, auto y, auto x, auto i) {
    set(*residual, b, y, x, i, get(*problem.residual, b, y, x, i));
  });
  const DeviceTensor device_in(*problem.in), device_residual(*residual);
  const CudaConvProblem described = describe_problem(problem, *device_in, *device_residual, *out);
  CudaConvProblem at_device = described;
  for (const ConvChoice& choice : choices_to_test(described)) {
    INFO(conv_kernels()[static_cast<std::size_t>(choice.kernel)].name.entry << " in " << choice.splits << " parts");
    poison(out);
    const DeviceTensor device_out(*out);
    at_device.out = *device_out;
    run(problem, at_device, choice, *device_in, *device_residual, *device_out);
    device_out.download(*out);
    require_right(out, problem);
  }
}

}  // namespace

TEST_CASE("convolutions on the GPU in fp32") {
  for (const Case& c : cases) {
    INFO(to_string(c));
    check(c, DataType::f32, DataType::f32, (c.in + 7) / 8 * 8);
  }
}

TEST_CASE("convolutions on the GPU by way of tf32") {
  for (Case c : cases) {
    c.tf32 = true;
    INFO(to_string(c));
    check(c, DataType::f32, DataType::f32, (c.in + 7) / 8 * 8);
  }
}

TEST_CASE("convolutions on the GPU in fp16") {
  for (const Case& c : cases) {
    INFO(to_string(c));
    check(c, DataType::f16, DataType::f16, (c.in + 7) / 8 * 8);
  }
}

TEST_CASE("convolutions from fp16 to fp32") {
  for (const Case& c : {cases[5], cases[11], cases[16], cases[22], cases[28]}) {
    INFO(to_string(c));
    check(c, DataType::f16, DataType::f32, (c.in + 7) / 8 * 8);
  }
}

TEST_CASE("convolutions of pixels that are not aligned") {
  for (const DataType type : {DataType::f32, DataType::f16}) {
    for (const Case& c : {cases[2], cases[4], cases[15], cases[22]}) {
      INFO(name_of(type) << " " << to_string(c));
      check(c, type, type, (c.in + 2) / 3 * 3);
    }
  }
}

TEST_CASE("a stem reads pixels of four channels") {
  for (const std::int64_t width : {16, 38, 17}) {
    for (const ConvGeometry& g : {ConvGeometry{7, 7, 2, 3}, ConvGeometry{3, 3, 2, 1}, ConvGeometry{4, 4, 4, 0}}) {
      const Case c = {2, 12, width, 3, 64, g, none, true, false, relu};
      INFO(to_string(c));
      check(c, DataType::f16, DataType::f16, 4);
      check(c, DataType::f32, DataType::f32, 4);
    }
  }
}

// Several tiles of 16 x 16 pixels, the last of them ragged; windows that begin at either pixel of a pair and at either
// pair of a sector; kernels of one to three lines; channels around a tile's 32; every part of the epilogue.
TEST_CASE("an image is read in pairs of pixels, a patch for each tile") {
  for (const Case& c : {Case{2, 37, 70, 3, 32, {3, 3, 2, 1}, none, true, false, relu},
                        {1, 64, 66, 3, 40, {3, 3, 2, 1}, same, true, true, kLeaky, true},
                        {2, 35, 36, 4, 17, {3, 3, 2, 0}, none, false},
                        {1, 32, 96, 3, 64, {2, 4, 2, 0}, none, true, false, relu},
                        {2, 7, 34, 1, 33, {1, 3, 2, 2}, upsampled, true, false, sigmoid},
                        {3, 1, 2, 3, 8, {3, 3, 2, 1}}}) {
    INFO(to_string(c));
    check(c, DataType::f16, DataType::f16, 4);
    check(c, DataType::f16, DataType::f32, 4);
  }
}

TEST_CASE("a chain of convolutions, each onto what it read") {
  const Case c = {1, 9, 11, 64, 64, {3, 3, 1, 1}, same, true, false, relu};
  Problem problem(c, DataType::f16, 64, 9, 11);
  const OwnedTensor out(DataType::f16, 1, 9, 11, 64, 0);
  const CudaConvProblem described = describe_problem(problem, *problem.in, *problem.in, *out);
  for (const ConvChoice& choice : choices_to_test(described)) {
    INFO(conv_kernels()[static_cast<std::size_t>(choice.kernel)].name.entry << " in " << choice.splits << " parts");
    // Nothing waits between the launches: a kernel that starts before its turn would read what is not there yet.
    poison(out);
    const DeviceTensor first(*problem.in), second(*out), third(*out);
    const Prepared prepared(problem, describe_problem(problem, *first, *first, *second), choice);
    prepared.launch(*first, *first, *second);
    prepared.launch(*second, *second, *third);
    prepared.require_intact();
    second.download(*out);
    Problem next = Problem(c, DataType::f16, 64, 9, 11);
    for_each_element(*out, [&](auto b, auto y, auto x, auto i) {
      set(*next.in, b, y, x, i, get(*out, b, y, x, i));
      set(*next.residual, b, y, x, i, get(*out, b, y, x, i));
    });
    next.define_all();
    third.download(*out);
    require_right(out, next);
  }
}

TEST_CASE("convolutions between slices of wider maps, onto their residual") {
  for (const DataType type : {DataType::f32, DataType::f16}) {
    for (const std::int64_t offset : {8, 4, 3}) {
      INFO(name_of(type) << ", channels from " << offset << " on");
      const Case c = {2, 5, 6, 20, 12, {3, 3, 1, 1}, same, true, false, relu};
      const Problem problem(c, type, 24, 5, 6);
      OwnedTensor in(type, 2, 5, 6, 48, 0), out(type, 2, 5, 6, 40, 0), before(type, 2, 5, 6, 40, 0);
      in.fill(7);
      before.fill(8);
      const auto slice = [&](const Tensor& whole, std::int64_t channels) {
        Tensor part = whole;
        part.data = whole.as<std::byte>() + offset * static_cast<std::int64_t>(size_of(type));
        part.channels = part.block = channels;
        return part;
      };
      const Tensor in_slice = slice(*in, c.in), before_slice = slice(*before, c.out);
      for_each_element(
          in_slice, [&](auto b, auto y, auto x, auto i) { set(in_slice, b, y, x, i, get(*problem.in, b, y, x, i)); });
      for_each_element(before_slice, [&](auto b, auto y, auto x, auto i) {
        set(before_slice, b, y, x, i, get(*problem.residual, b, y, x, i));
      });
      const DeviceTensor device_in(*in);
      const Tensor from = slice(*device_in, c.in);
      const auto described = [&](const Tensor& to) { return describe_problem(problem, from, to, to); };
      for (const ConvChoice& choice : choices_to_test(described(slice(*device_in, c.out)))) {
        INFO(conv_kernels()[static_cast<std::size_t>(choice.kernel)].name.entry << " in " << choice.splits << " parts");
        const DeviceTensor device_out(*before);
        const Tensor to = slice(*device_out, c.out);
        run(problem, described(to), choice, from, to, to);
        device_out.download(*out);
        OwnedTensor result(type, 2, 5, 6, c.out, 0);
        for_each_element(*out, [&](auto b, auto y, auto x, auto i) {
          const float value = get(*out, b, y, x, i);
          if (i >= offset && i < offset + c.out) {
            set(*result, b, y, x, i - offset, value);
          } else if (value != get(*before, b, y, x, i)) {
            FAIL("(" << b << ", " << y << ", " << x << ", " << i << ") beside the slice: got " << value << ", want "
                     << get(*before, b, y, x, i));
          }
        });
        require_right(result, problem);
      }
    }
  }
}

TEST_CASE("groups of a convolution's output may lie apart") {
  // Channels of a group below, at and beyond those of tiles and of sectors; images that end inside a tile.
  const std::vector<Case> apart = {{2, 5, 7, 16, 2 * 33, {1, 1, 1, 0, 1, 2}, none, true, false, relu},
                                   {1, 9, 8, 64, 4 * 100, {3, 3, 1, 1, 1, 4}},
                                   {1, 3, 5, 16, 2 * 64, {3, 3, 1, 1, 1, 2}, none, false, false, sigmoid, true},
                                   {1, 4, 3, 24, 3 * 131, {1, 1, 1, 0, 1, 3}, none, true, false, kLeaky}};
  for (const DataType type : {DataType::f32, DataType::f16}) {
    for (const Case& c : apart) {
      const std::int64_t groups = c.geometry.groups, group = c.out / groups;
      for (const std::int64_t boundary : {16, 4, 1}) {
        const std::int64_t most = (group + 15) / 16 * 16, stride = boundary == 1
                                                                       ? std::min(group + 3, most)
                                                                       : (group + boundary - 1) / boundary * boundary;
        INFO(name_of(type) << " " << to_string(c) << ", groups " << stride << " channels apart");
        const Problem problem(c, type, c.in, c.height, c.width);
        OwnedTensor out(type, c.batch, c.height, c.width, c.out, groups * stride);
        const DeviceTensor device_in(*problem.in);
        CudaConvProblem described = describe_problem(problem, *device_in, Tensor{}, *out);
        described.out_group_stride = stride;
        for (const ConvChoice& choice : choices_to_test(described)) {
          INFO(conv_kernels()[static_cast<std::size_t>(choice.kernel)].name.entry << " in " << choice.splits
                                                                                  << " parts");
          poison(out);
          const DeviceTensor device_out(*out);
          described.out = *device_out;
          run(problem, described, choice, *device_in, Tensor{}, *device_out);
          device_out.download(*out);
          const Tensor stored = padded(*out);
          OwnedTensor result(type, c.batch, c.height, c.width, c.out, 0);
          for_each_element(stored, [&](auto b, auto y, auto x, auto i) {
            const float value = get(stored, b, y, x, i);
            if (i % stride < group) {
              set(*result, b, y, x, i / stride * group + i % stride, value);
            } else if (value != 0) {
              FAIL("between groups (" << b << ", " << y << ", " << x << ", " << i << "): got " << value << ", want 0");
            }
          });
          out.require_intact();
          require_right(result, problem);
        }
      }
    }
  }
}

TEST_CASE("convolutions on the GPU refuse what they cannot do") {
  const Chip chip = Gpu::instance().chip();
  CudaConvProblem problem;
  problem.geometry = {3, 3, 1, 1};
  problem.in = dense(nullptr, DataType::f16, 1, 8, 8, 16, 0);
  problem.out = dense(nullptr, DataType::f16, 1, 8, 8, 32, 0);
  const CudaConvPlan plan = plan_conv(problem, chip);
  CHECK_THROWS_WITH(launch_conv(plan, {}, Gpu::instance().queue()), Catch::Contains("expected an input, found none"));
  CudaConvProblem other = problem;
  other.out.height = 7;
  CHECK_THROWS_WITH(plan_conv(other, chip),
                    Catch::Contains("expected an output of [1, 8, 8, 32], found fp16 [1, 7, 8, 32]"));
  other = problem;
  other.geometry.groups = 3;
  CHECK_THROWS_WITH(plan_conv(other, chip), Catch::Contains("expected groups that divide the channels, found 3"));
  other = problem;
  other.geometry = {17, 1, 1, 8};
  CHECK_THROWS_WITH(plan_conv(other, chip), Catch::Contains("expected a kernel of at most 15 x 15, found 17 x 1"));
  other = problem;
  other.geometry.groups = 2;
  other.out = dense(nullptr, DataType::f16, 1, 8, 8, 2 * 40, 2 * 48);
  other.out_group_stride = 48;
  CHECK(groups_may_lie_apart(other));
  CHECK(plan_conv(other, chip).params.group_stored == 48);
  other.out_group_stride = 64;
  CHECK_THROWS_WITH(plan_conv(other, chip),
                    Catch::Contains("expected groups 40 to 48 channels apart, found 64 in blocks of 96"));
  other.out_group_stride = 48;
  other.coordinates = true;
  CHECK_THROWS_WITH(plan_conv(other, chip), Catch::Contains("expected groups apart where each is computed alone"));
  other = problem;
  other.residual_kind = upsampled;
  other.residual = dense(nullptr, DataType::f16, 1, 8, 8, 32, 0);
  CHECK_THROWS_WITH(plan_conv(other, chip), Catch::Contains("expected a residual of [1, 4, 4, 32]"));
  const ConvChoice unknown = {99, 1}, too_many = {plan.choice.kernel, 1000};
  CHECK_THROWS_WITH(plan_conv(problem, chip, &unknown), Catch::Contains("found kernel 99"));
  CHECK_THROWS_WITH(plan_conv(problem, chip, &too_many), Catch::Contains("splits of the depth, found 1000"));
}
