#include "constant.h"

#include <charconv>
#include <system_error>
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

ConstantPtr rows_of(const ConstantPtr& whole, std::int64_t begin, std::int64_t count) {
  Shape shape = whole->shape();
  if (shape.empty() || begin < 0 || count < 1 || begin > shape[0] - count)
    throw Error("constant " + whole->name() + ": expected rows " + std::to_string(begin) + " to " +
                std::to_string(begin + count) + " in it, found shape " + to_string(shape));
  shape[0] = count;
  const std::int64_t row = elements(shape) / count;
  const Constant rows(
      whole->name() + "[" + std::to_string(begin) + ":" + std::to_string(begin + count) + "]", shape,
      [whole, first = begin * row, last = (begin + count) * row] {
        const std::vector<float> all = whole->evaluate();
        return std::vector<float>(all.begin() + first, all.begin() + last);
      },
      whole->sources(), whole->depth() + 1);
  return rows.known_as(Constant::Rows{whole, begin});
}

std::optional<RowsName> rows_name(std::string_view name) {
  const std::size_t open = name.rfind('[');
  if (open == std::string_view::npos || !name.ends_with(']')) return std::nullopt;
  const char* const end = name.data() + name.size() - 1;
  RowsName rows{std::string(name.substr(0, open)), 0, 0};
  const auto first = std::from_chars(name.data() + open + 1, end, rows.begin);
  if (first.ec != std::errc() || first.ptr == end || *first.ptr != ':') return std::nullopt;
  const auto last = std::from_chars(first.ptr + 1, end, rows.end);
  if (last.ec != std::errc() || last.ptr != end || rows.begin < 0 || rows.end <= rows.begin) return std::nullopt;
  return rows;
}

}  // namespace maskrt::graph
