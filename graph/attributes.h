// The attributes of every operation, told once: what the model file stores, what check() bounds, what listings print.
#pragma once

#include <cstdint>
#include <type_traits>

#include "graph.h"

namespace maskrt::graph {

/// Bounds on what a model may ask for. They are far above any real network and low enough that no product of two
/// attributes or extents overflows, whatever a file says.
namespace limits {
constexpr std::int64_t window = 64;  ///< kernel, stride, dilation, pooling size, upsampling factor
constexpr std::int64_t padding = 1024;
constexpr std::int64_t channels = std::int64_t{1} << 20;  ///< also rows of a list and groups
constexpr std::int64_t side = std::int64_t{1} << 20;      ///< height and width of a map
constexpr std::int64_t batch = std::int64_t{1} << 16;
constexpr std::int64_t elements = std::int64_t{1} << 40;  ///< of one value
constexpr std::int64_t nodes = 4096;
constexpr std::size_t inputs = 64;  ///< of one node
}  // namespace limits

/// Calls the visitor once for each attribute, in the order in which listings and the model file name them:
///   integer(name, value, low, high)   real(name, value, low, high)   boolean(name, value)
///   activation(name, value)           constant(name, value, optional)
/// `operation` is one alternative of Operation, const or not.
template <typename Alternative, typename Visitor>
void visit_attributes(Alternative& operation, Visitor&& visit) {
  using Kind = std::remove_const_t<Alternative>;
  if constexpr (std::is_same_v<Kind, Input>) {
    visit.integer("channels", operation.channels, 1, limits::channels);
  } else if constexpr (std::is_same_v<Kind, Conv>) {
    visit.constant("weight", operation.weight, false);
    visit.constant("bias", operation.bias, true);
    visit.integer("stride", operation.stride, 1, limits::window);
    visit.integer("padding", operation.padding, 0, limits::padding);
    visit.integer("dilation", operation.dilation, 1, limits::window);
    visit.integer("groups", operation.groups, 1, limits::channels);
    visit.constant("coordinate_weight", operation.coordinate_weight, true);
    visit.boolean("residual", operation.residual);
    visit.activation("activation", operation.activation);
  } else if constexpr (std::is_same_v<Kind, BatchNorm>) {
    visit.constant("weight", operation.weight, false);
    visit.constant("bias", operation.bias, false);
    visit.constant("mean", operation.mean, false);
    visit.constant("variance", operation.variance, false);
    visit.real("epsilon", operation.epsilon, 0, 1);
  } else if constexpr (std::is_same_v<Kind, Activate>) {
    visit.activation("activation", operation.activation);
  } else if constexpr (std::is_same_v<Kind, MaxPool>) {
    visit.integer("kernel", operation.kernel, 1, limits::window);
    visit.integer("stride", operation.stride, 1, limits::window);
    visit.integer("padding", operation.padding, 0, limits::padding);
  } else if constexpr (std::is_same_v<Kind, AdaptiveAveragePool>) {
    visit.integer("size", operation.size, 1, limits::window);
  } else if constexpr (std::is_same_v<Kind, UpsampleNearest>) {
    visit.integer("factor", operation.factor, 1, limits::window);
  } else if constexpr (std::is_same_v<Kind, ResizeBilinear>) {
    visit.real("factor", operation.factor, 0, limits::window);
  } else if constexpr (std::is_same_v<Kind, Slice>) {
    visit.integer("begin", operation.begin, 0, limits::channels);
    visit.integer("count", operation.count, 1, limits::channels);
  } else if constexpr (std::is_same_v<Kind, NormaliseMaps>) {
    visit.real("epsilon", operation.epsilon, 0, 1);
  } else if constexpr (std::is_same_v<Kind, AggregateLogits>) {
    visit.boolean("softmax", operation.softmax);
    visit.real("epsilon", operation.epsilon, 0, 1);
  } else if constexpr (std::is_same_v<Kind, Regroup>) {
    visit.integer("blocks", operation.blocks, 1, limits::channels);
    visit.integer("instances", operation.instances, 1, limits::channels);
  } else if constexpr (std::is_same_v<Kind, Linear>) {
    visit.constant("weight", operation.weight, false);
    visit.constant("bias", operation.bias, true);
    visit.activation("activation", operation.activation);
  } else if constexpr (std::is_same_v<Kind, MaskProduct>) {
    visit.boolean("offset", operation.offset);
  } else {
    static_assert(std::is_empty_v<Kind>, "an operation with attributes that are not listed here");
  }
}

}  // namespace maskrt::graph
