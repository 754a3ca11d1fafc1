#include "pattern.h"

#include <algorithm>
#include <set>
#include <utility>

namespace maskrt::graph {

int only_reader(const Graph& graph, ValueId value) {
  if (graph.is_output(value)) return -1;
  const auto readers = graph.consumers(value);
  if (readers.size() != 1) return -1;
  const auto& inputs = graph.nodes[static_cast<std::size_t>(readers[0])].inputs;
  return std::count(inputs.begin(), inputs.end(), value) == 1 ? readers[0] : -1;
}

bool is_pointwise(const Conv& conv) {
  const auto& shape = conv.weight->shape();
  return shape[2] == 1 && shape[3] == 1 && conv.stride == 1 && conv.padding == 0 && conv.groups == 1 &&
         !conv.coordinate_weight;
}

bool is_depthwise(const Conv& conv) {
  return conv.groups > 1 && conv.weight->shape()[1] == 1 && conv.weight->shape()[0] == conv.groups;
}

BatchNorm bias_alone(const ConstantPtr& bias) {
  const auto all = [&](float value) {
    const auto count = static_cast<std::size_t>(bias->shape()[0]);
    return derive(number_text(value), bias->shape(), {},
                  [=](const std::vector<Numbers>&) { return Numbers(count, value); });
  };
  return {all(1), bias, all(0), all(1), 0};
}

ValueId insert_node(Graph& graph, std::size_t index, const std::string& name, Operation operation,
                    std::vector<ValueId> inputs) {
  auto unused = name;
  while (graph.find(unused) >= 0) unused += '\'';
  const auto value = graph.add(name, std::move(operation), std::move(inputs), unused);
  std::rotate(graph.nodes.begin() + static_cast<std::ptrdiff_t>(index), graph.nodes.end() - 1, graph.nodes.end());
  return value;
}

void erase_node(Graph& graph, int index) { graph.nodes.erase(graph.nodes.begin() + index); }

std::vector<Extent> typical_extents(const Graph& graph) {
  try {
    return infer_extents(graph, 1, 640, 640);
  } catch (const Error&) {
    return {};
  }
}

ConstantPtr derive(std::string name, Shape shape, std::vector<ConstantPtr> from,
                   std::function<Numbers(const std::vector<Numbers>&)> compute) {
  constexpr int most_levels = 64;
  std::set<std::string> sources;
  int depth = 0;
  for (const auto& constant : from) {
    if (!constant) continue;
    sources.insert(constant->sources().begin(), constant->sources().end());
    depth = std::max(depth, constant->depth() + 1);
  }
  if (depth > most_levels)
    throw Error("expected a network whose layers combine in at most " + std::to_string(most_levels) +
                " steps, found more from " + *sources.begin() + " on");
  return std::make_shared<Constant>(
      std::move(name), std::move(shape),
      [from = std::move(from), compute = std::move(compute)] {
        std::vector<Numbers> numbers;
        for (const auto& constant : from) numbers.push_back(constant ? constant->evaluate() : Numbers());
        return compute(numbers);
      },
      std::vector<std::string>(sources.begin(), sources.end()), depth);
}

ConstantPtr slice_inputs(const ConstantPtr& weight, std::int64_t begin, std::int64_t count) {
  auto shape = weight->shape();
  const auto row = static_cast<std::size_t>(elements(shape) / shape[0]);
  const auto one = row / static_cast<std::size_t>(shape[1]);
  const auto first = one * static_cast<std::size_t>(begin), length = one * static_cast<std::size_t>(count);
  shape[1] = count;
  return derive(weight->name() + "[:, " + std::to_string(begin) + ":" + std::to_string(begin + count) + "]", shape,
                {weight}, [=](const std::vector<Numbers>& from) {
                  Numbers part;
                  part.reserve(from[0].size() / row * length);
                  for (auto at = from[0].begin(); at != from[0].end(); at += static_cast<std::ptrdiff_t>(row)) {
                    const auto start = at + static_cast<std::ptrdiff_t>(first);
                    part.insert(part.end(), start, start + static_cast<std::ptrdiff_t>(length));
                  }
                  return part;
                });
}

Numbers matrix_product(const Numbers& left, const Numbers& right, std::size_t rows, std::size_t inner,
                       std::size_t columns, const Numbers& add) {
  // Four rows at a time: each number on the right is then loaded and widened once for four multiply-adds, which makes
  // composing the 3x3 convolutions of a whole network a matter of tens of milliseconds.
  constexpr std::size_t block = 4;
  Numbers product(rows * columns);
  std::vector<double> sums(block * columns);
  for (std::size_t first = 0; first < rows; first += block) {
    const auto count = std::min(block, rows - first);
    std::fill(sums.begin(), sums.end(), 0.0);
    if (!add.empty())
      std::copy_n(add.begin() + static_cast<std::ptrdiff_t>(first * columns), count * columns, sums.begin());
    double* const s0 = sums.data();
    double* const s1 = s0 + columns;
    double* const s2 = s1 + columns;
    double* const s3 = s2 + columns;
    for (std::size_t i = 0; i < inner; ++i) {
      double factors[block] = {};  // zero for rows beyond the last
      for (std::size_t r = 0; r < count; ++r) factors[r] = static_cast<double>(left[(first + r) * inner + i]);
      const float* const row = right.data() + i * columns;
      for (std::size_t c = 0; c < columns; ++c) {
        const double value = static_cast<double>(row[c]);
        s0[c] += factors[0] * value;
        s1[c] += factors[1] * value;
        s2[c] += factors[2] * value;
        s3[c] += factors[3] * value;
      }
    }
    std::transform(sums.begin(), sums.begin() + static_cast<std::ptrdiff_t>(count * columns),
                   product.begin() + static_cast<std::ptrdiff_t>(first * columns),
                   [](double sum) { return static_cast<float>(sum); });
  }
  return product;
}

}  // namespace maskrt::graph
