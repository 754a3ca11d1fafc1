#include "op.h"

#include <cstdio>

#include "graph.h"

namespace maskrt::graph {

std::string_view name_of(Activation activation) {
  switch (activation) {
    case Activation::none:
      return "none";
    case Activation::relu:
      return "relu";
    case Activation::sigmoid:
      return "sigmoid";
    case Activation::leaky_relu:
      return "leaky_relu";
    case Activation::gelu:
      return "gelu";
  }
  return "unknown";
}

std::string to_text(const Extent& extent) {
  const Shape shape = extent.list ? Shape{extent.batch, extent.height, extent.channels}
                                  : Shape{extent.batch, extent.height, extent.width, extent.channels};
  return to_string(shape) + (extent.element == Element::integer ? " int32" : "");
}

void NodeCheck::fail(const std::string& what) const {
  throw Error("node " + node_.name + " (" + std::string(name_of(node_.operation)) + "): " + what);
}

void NodeCheck::expect_shape(const ConstantPtr& constant, const char* what, const Shape& shape) const {
  if (constant && constant->shape() != shape)
    fail(std::string("expected ") + what + " " + constant->name() + " of shape " + to_string(shape) + ", found " +
         to_string(constant->shape()));
}

void NodeCheck::expect_bounds(const ConstantPtr& weight, const Shape& high) const {
  bool good = weight->shape().size() == high.size();
  for (std::size_t i = 0; good && i < high.size(); ++i) good = weight->shape()[i] >= 1 && weight->shape()[i] <= high[i];
  if (!good)
    fail("expected weight " + weight->name() + " of " + std::to_string(high.size()) + " extents from 1 up to " +
         to_string(high) + ", found shape " + to_string(weight->shape()));
}

std::size_t InputExtents::size() const { return node_.inputs.size(); }

const Extent& InputExtents::operator[](std::size_t i) const {
  return extents_[static_cast<std::size_t>(node_.inputs.at(i))];
}

std::int64_t InputExtents::batch() const { return extents_[static_cast<std::size_t>(graph_.nodes[0].output())].batch; }

std::string InputExtents::described(std::size_t i) const {
  return graph_.values[static_cast<std::size_t>(node_.inputs[i])].name + " " + to_text((*this)[i]);
}

const Extent& InputExtents::map(std::size_t i) const {
  if ((*this)[i].list) fail("expected a map, found the list " + described(i));
  return (*this)[i];
}

const Extent& InputExtents::list(std::size_t i) const {
  if (!(*this)[i].list) fail("expected a list of vectors, found the map " + described(i));
  return (*this)[i];
}

void InputExtents::expect_channels(std::size_t i, std::int64_t channels) const {
  if ((*this)[i].channels != channels)
    fail("expected " + std::to_string(channels) + " channels, found " + described(i));
}

void InputExtents::expect_positions(std::size_t i) const {
  if ((*this)[i].height * (*this)[i].width > limits::kPositions)
    fail("expected at most " + std::to_string(limits::kPositions) + " positions, found " + described(i));
}

void InputExtents::expect_same_place(std::size_t i, std::size_t j) const {
  const Extent &a = (*this)[i], &b = (*this)[j];
  if (a.batch != b.batch || a.height != b.height || a.width != b.width || a.list != b.list)
    fail("expected maps of one batch, height and width, found " + described(i) + " and " + described(j));
}

std::int64_t InputExtents::windows(std::int64_t n, std::int64_t kernel, std::int64_t stride, std::int64_t padding,
                                   std::int64_t dilation) const {
  const std::int64_t room = n + 2 * padding - dilation * (kernel - 1) - 1;
  if (room < 0)
    fail("expected an input at least as large as its window of " + std::to_string(dilation * (kernel - 1) + 1) +
         " with padding " + std::to_string(padding) + ", found " + described(0));
  return room / stride + 1;
}

std::string number_text(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%g", value);
  return text;
}

std::string square_text(int side) { return " " + std::to_string(side) + "x" + std::to_string(side); }

std::string after_comma(Activation activation) {
  return activation == Activation::none ? "" : ", " + std::string(name_of(activation));
}

}  // namespace maskrt::graph
