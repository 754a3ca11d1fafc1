// What every operation tells about itself, in one place each (ops/): its name, inputs, attributes, outputs, cost and
// text.
#pragma once

#include <array>
#include <concepts>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "constant.h"
#include "maskrt/types.hpp"

namespace maskrt::graph {

struct Graph;
struct Node;

/// What the elements of a value are.
enum class Element : std::uint8_t {
  number,   ///< stored in what the device computes in: fp32, bf16, fp16
  integer,  ///< exact on every device, stored as int32: positions
};

/// The extents of a value once batch, height and width are known, and what its elements are. NHWC is the logical order.
/// A list of N vectors per image (instance features, logits) is a map of height N and width 1 with `list` set.
struct Extent {
  std::int64_t batch = 0, height = 0, width = 0, channels = 0;
  bool list = false;
  Element element = Element::number;
  bool operator==(const Extent&) const = default;
  std::int64_t elements() const { return batch * height * width * channels; }
};

/// "[2, 80, 108, 256]"; a list: "[2, 100, 256]"; of integers: "[2, 100, 1] int32".
std::string to_text(const Extent& extent);

/// What an epilogue or an Activate node applies to each element.
enum class Activation : std::uint8_t {
  none,
  relu,
  sigmoid,
  leaky_relu,  ///< x where positive, kLeakySlope * x elsewhere
  gelu,        ///< x * Phi(x), Phi being the standard normal distribution; not the approximation by tanh
};
/// All of them.
inline constexpr std::array kActivations = {Activation::none, Activation::relu, Activation::sigmoid,
                                            Activation::leaky_relu, Activation::gelu};
inline constexpr float kLeakySlope = 0.01f;  ///< of leaky ReLU, PyTorch's default
/// "none", "relu", "sigmoid", "leaky_relu", "gelu"
std::string_view name_of(Activation activation);

/// Bounds on what a model may ask for. They are far above any real network and low enough that no product of two
/// attributes or extents overflows, whatever a file says.
namespace limits {
constexpr std::int64_t kWindow = 64;  ///< kernel, stride, dilation, pooling size, upsampling factor
constexpr std::int64_t kPadding = 1024;
constexpr std::int64_t kChannels = std::int64_t{1} << 20;  ///< also rows of a list and groups
constexpr std::int64_t kSide = std::int64_t{1} << 20;      ///< height and width of a map
constexpr std::int64_t kBatch = std::int64_t{1} << 16;
constexpr std::int64_t kElements = std::int64_t{1} << 40;  ///< of one value
/// Positions that an integer may name: callers see integers as floats, which hold all up to here.
constexpr std::int64_t kPositions = std::int64_t{1} << 24;
constexpr std::int64_t kSelected = 2048;  ///< positions that one node selects of an image
constexpr std::int64_t kNodes = 4096;
constexpr std::size_t kInputs = 64;   ///< of one node
constexpr std::size_t kOutputs = 64;  ///< of one node
}  // namespace limits

/// How many inputs an operation takes.
struct Arity {
  std::size_t fewest = 1, most = 1;
};

/// What an operation reads of an input.
enum class Reads : std::uint8_t {
  all,       ///< every number
  part,      ///< as many numbers as its outputs have
  integers,  ///< every element of a value of integers, which all others refuse
  size,      ///< height and width alone: the value need not be kept for it
};

/// Throws Errors that name a node and its operation.
class NodeCheck {
 public:
  explicit NodeCheck(const Node& node) : node_(node) {}

  [[noreturn]] void fail(const std::string& what) const;
  /// `what` is the constant's part in the operation: "bias". A constant that is not there passes.
  void expect_shape(const ConstantPtr& constant, const char* what, const Shape& shape) const;
  /// Each extent of a weight from 1 to its bound; `high` also says how many extents there are.
  void expect_bounds(const ConstantPtr& weight, const Shape& high) const;

 protected:
  const Node& node_;
};

/// The extents of a node's inputs, for who works out its outputs' or its cost.
class InputExtents : public NodeCheck {
 public:
  InputExtents(const Graph& graph, const Node& node, const std::vector<Extent>& extents)
      : NodeCheck(node), graph_(graph), extents_(extents) {}

  std::size_t size() const;
  const Extent& operator[](std::size_t i) const;
  double elements(std::size_t i) const { return static_cast<double>((*this)[i].elements()); }

  // What throws Error where the input is another one.
  const Extent& map(std::size_t i) const;
  const Extent& list(std::size_t i) const;
  void expect_channels(std::size_t i, std::int64_t channels) const;
  /// No more positions than an integer may name.
  void expect_positions(std::size_t i) const;
  /// Batch, height and width, and whether they are lists.
  void expect_same_place(std::size_t i, std::size_t j) const;
  /// How many windows fit into one side, `n`, of inputs[0].
  std::int64_t windows(std::int64_t n, std::int64_t kernel, std::int64_t stride, std::int64_t padding,
                       std::int64_t dilation = 1) const;

  /// Images of the network's input: for operations without inputs.
  std::int64_t batch() const;

  /// "backbone.res4 [1, 40, 54, 1024]"
  std::string described(std::size_t i) const;

 private:
  const Graph& graph_;
  const std::vector<Extent>& extents_;
};

/// Which model files have an attribute. An operation that gains an attribute after files with it were written says
/// `unless_default`: those files stay readable, and a node that does not use the attribute is written as they have it.
enum class InFiles : std::uint8_t {
  always,
  unless_default,  ///< only files in which it differs from a default-constructed operation's
};

/// Called by visit_attributes() for each attribute of an operation, in the order in which listings and the model file
/// have them. This one does nothing with any.
struct AttributeVisitor {
  void integer(const char* /*name*/, std::int64_t /*value*/, std::int64_t /*low*/, std::int64_t /*high*/,
               InFiles = InFiles::always) {}
  void real(const char* /*name*/, double /*value*/, double /*low*/, double /*high*/, InFiles = InFiles::always) {}
  void boolean(const char* /*name*/, bool /*value*/, InFiles = InFiles::always) {}
  void activation(const char* /*name*/, Activation /*value*/, InFiles = InFiles::always) {}
  void constant(const char* /*name*/, const ConstantPtr& /*value*/, bool /*optional*/, InFiles = InFiles::always) {}
  /// A list of structs with a visit_attributes() each, from `fewest` to `most` of them: the heads of a fused layer.
  template <typename Part>
  void parts(const char* /*name*/, const std::vector<Part>& /*value*/, std::size_t /*fewest*/, std::size_t /*most*/,
             InFiles = InFiles::always) {}
};

/// How an operation that makes one value tells what it is and what it costs.
template <typename T>
concept MakesOne = requires(const T& op, const InputExtents& inputs, const Extent& output) {
  /// The output's extent; throws Error through `inputs` where these are none that it takes.
  { op.extent(inputs) } -> std::same_as<Extent>;
  /// 2 per multiply-add.
  { op.flops(inputs, output) } -> std::same_as<double>;
};

/// The same of an operation that makes several values.
template <typename T>
concept MakesSeveral = requires(const T& op, const InputExtents& inputs, std::span<const Extent> outputs) {
  /// How many: from 1 to limits::outputs, known from the attributes alone.
  { op.outputs() } -> std::same_as<std::size_t>;
  /// As many extents; throws Error through `inputs` where these are none that it takes.
  { op.extents(inputs) } -> std::same_as<std::vector<Extent>>;
  { op.flops(inputs, outputs) } -> std::same_as<double>;
};

/// What an operation has to have; nothing has a default, so that whoever adds one decides on all of it.
template <typename T>
concept Op = std::default_initializable<T> && std::copyable<T> &&
    (MakesOne<T> != MakesSeveral<T>)&&requires(const T& op, T& changing, AttributeVisitor visitor,
                                               const NodeCheck& node, std::size_t input) {
  /// What listings and the model file call it: "max_pool".
  { T::name } -> std::convertible_to<std::string_view>;
  /// Whether devices store its outputs in the type in which they store its inputs, whichever that is; where not, they
  /// read and write fp32. (A convolution's types are what a device chooses for it.)
  { T::keeps_type } -> std::convertible_to<bool>;
  /// Whether it is a `const T` or a `T`: the visitor may set attributes of the latter.
  T::visit_attributes(op, visitor);
  T::visit_attributes(changing, visitor);
  { op.arity() } -> std::same_as<Arity>;
  /// Throws Error through `node` where constants and attributes do not agree. Each attribute is within its
  /// own bounds, and constants that are not optional are there.
  op.check(node);
  /// What it reads of one of so many inputs: `op.reads(i, count)`.
  { op.reads(input, input) } -> std::same_as<Reads>;
  /// What listings print after the name: " 3x3/2 256 -> 512, pad 1".
  { op.text() } -> std::same_as<std::string>;
};

// ---- For texts. -----------------------------------------------------------------------------------------------------

std::string number_text(double value);  ///< as "%g"
/// " 3x3"
std::string square_text(int side);
/// ", relu"; "" for none.
std::string after_comma(Activation activation);

}  // namespace maskrt::graph
