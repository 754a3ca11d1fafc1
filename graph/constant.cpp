#include "constant.h"

#include <utility>

namespace maskrt::graph {

std::vector<float> Constant::evaluate() const {
  auto values = evaluate_();
  if (static_cast<std::int64_t>(values.size()) != elements(shape_))
    throw Error("constant " + name_ + ": expected " + std::to_string(elements(shape_)) + " numbers for shape " +
                to_string(shape_) + ", found " + std::to_string(values.size()));
  return values;
}

ConstantPtr make_constant(std::string name, Shape shape, std::vector<float> values) {
  std::vector<std::string> sources = {name};
  return std::make_shared<Constant>(
      std::move(name), std::move(shape), [values = std::move(values)] { return values; }, std::move(sources));
}

}  // namespace maskrt::graph
