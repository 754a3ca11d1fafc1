// Weights as the graph holds them: named, shaped, and evaluated only when somebody needs the numbers.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "maskrt/types.hpp"

namespace maskrt::graph {

/// A tensor that is known before the network runs: one of the model file's, or a rewrite's combination of others.
///
/// Nothing is computed until evaluate(), and nothing is kept after it: a rewritten network costs no memory beside its
/// file, and a device prepares its weights one node at a time. Immutable; evaluate() may be called from several
/// threads. Values are row-major fp32, whatever the file stores.
class Constant {
 public:
  using Evaluate = std::function<std::vector<float>()>;
  /// `evaluate` gives exactly elements(shape) numbers. `sources` names the file's tensors that it reads; `depth` says
  /// how many other constants evaluate() goes through on its longest way to them.
  Constant(std::string name, Shape shape, Evaluate evaluate, std::vector<std::string> sources = {}, int depth = 0)
      : name_(std::move(name)),
        shape_(std::move(shape)),
        evaluate_(std::move(evaluate)),
        sources_(std::move(sources)),
        depth_(depth) {}

  const std::string& name() const { return name_; }
  const Shape& shape() const { return shape_; }
  /// Throws Error if the evaluator gives another number of elements than the shape has.
  std::vector<float> evaluate() const;
  /// The model file's tensors behind this constant; a plain one names itself.
  const std::vector<std::string>& sources() const { return sources_; }
  int depth() const { return depth_; }

  /// What a constant is the product of, where its rows (along the first dimension) are another constant's times a
  /// factor each: a device whose kernels scale sums may keep the plain rows, which lose nothing in a narrow type.
  struct ScaledRows {
    std::shared_ptr<const Constant> rows, factors;
  };
  const ScaledRows& scaled_rows() const { return scaled_rows_; }  ///< both null where it is no such product
  /// Which rows of another constant this one is, where it is some of them: model files then hold the whole alone.
  struct Rows {
    std::shared_ptr<const Constant> whole;  ///< null where it is no such part
    std::int64_t begin = 0;
  };
  const Rows& rows() const { return rows_; }
  /// The same numbers, known to be such a product.
  std::shared_ptr<const Constant> known_as(ScaledRows product) const {
    auto known = std::make_shared<Constant>(*this);
    known->scaled_rows_ = std::move(product);
    return known;
  }
  /// The same numbers, known to be such rows.
  std::shared_ptr<const Constant> known_as(Rows rows) const {
    auto known = std::make_shared<Constant>(*this);
    known->rows_ = std::move(rows);
    return known;
  }

 private:
  std::string name_;
  Shape shape_;
  Evaluate evaluate_;
  std::vector<std::string> sources_;
  int depth_;
  ScaledRows scaled_rows_;
  Rows rows_;
};

using ConstantPtr = std::shared_ptr<const Constant>;

/// A constant of given numbers.
ConstantPtr make_constant(std::string name, Shape shape, std::vector<float> values);

/// Rows begin .. begin + count - 1 of a constant, along its first dimension, which has them: of in_proj_weight, the
/// weights of queries, of keys, or of values. It is called "NAME[begin:end]", as in model files.
ConstantPtr rows_of(const ConstantPtr& whole, std::int64_t begin, std::int64_t count);

/// What "NAME[begin:end]" says, or nothing where a name does not end so.
struct RowsName {
  std::string whole;
  std::int64_t begin = 0, end = 0;
};
std::optional<RowsName> rows_name(std::string_view name);

}  // namespace maskrt::graph
