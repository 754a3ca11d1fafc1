#include "weights.h"

#include <algorithm>
#include <limits>
#include <set>
#include <span>

#include "graph/nearest_name.h"
#include "graph/op.h"

namespace maskrt::weights {
namespace {

// "[5 (MODEL.SPARSE_INST.DECODER.NUM_CLASSES), 256]"; "any" is a width that the tensor decides.
std::string to_string(const std::vector<Dim>& dims) {
  std::string text = "[";
  for (const auto& dim : dims) {
    if (text.size() > 1) text += ", ";
    text += dim.free || dim.extent == kUnknown ? "any" : std::to_string(dim.extent);
    if (!dim.note.empty()) text += " (" + dim.note + ")";
  }
  return text + "]";
}

}  // namespace

Shape Weights::resolve(const std::string& name, const std::vector<Dim>& expected) {
  names_.push_back(name);
  Shape configured, resolved;
  for (const auto& dim : expected) {
    configured.push_back(dim.extent);
    resolved.push_back(dim.free ? kUnknown : dim.extent);
  }
  const auto found = source_->shape_of(name, configured);
  if (!found) {
    const auto instead = source_->instead_of(name);
    report("tensor " + name + ": expected shape " + to_string(expected) + ", found " +
           instead.value_or("no such tensor"));
    if (!instead) missing_.push_back(name);
    return resolved;
  }
  bool fits = found->size() == expected.size();
  for (std::size_t i = 0; fits && i < expected.size(); ++i) {
    const bool any = expected[i].free || expected[i].extent == kUnknown;
    fits = any ? (*found)[i] > 0 : (*found)[i] == expected[i].extent;
  }
  if (!fits)
    report("tensor " + name + ": expected shape " + to_string(expected) + ", found " + maskrt::to_string(*found));
  // Of a tensor that does not fit, an empty one for instance, widths beyond any graph's are not taken on: others are
  // multiples of them.
  const std::int64_t most = fits ? std::numeric_limits<std::int64_t>::max() : graph::limits::kChannels;
  if (found->size() == expected.size())
    for (std::size_t i = 0; i < expected.size(); ++i)
      if (resolved[i] == kUnknown && (*found)[i] > 0 && (*found)[i] <= most) resolved[i] = (*found)[i];
  return resolved;
}

graph::ConstantPtr Weights::tensor(const std::string& name, const std::vector<Dim>& expected, const Fill& fill) {
  tensors_.push_back({name, resolve(name, expected), fill});
  return std::make_shared<graph::Constant>(
      name, tensors_.back().shape, [source = source_, tensor = tensors_.back()] { return source->floats(tensor); },
      std::vector<std::string>{name});
}

void Weights::expect(const std::string& name, const std::vector<Dim>& expected) { resolve(name, expected); }

void Weights::expect_absent(const std::string& name, const std::string& why) {
  if (source_->contains(name)) report("tensor " + name + ": expected no such tensor, found one, which " + why);
}

std::int64_t Weights::extent_of(const std::string& name, std::size_t axis, std::int64_t fallback) const {
  if (!source_->contains(name)) return fallback;
  const auto shape = source_->shape_of(name, {});
  return shape && axis < shape->size() && (*shape)[axis] > 0 ? (*shape)[axis] : fallback;
}

std::string Weights::describe_unasked() const {
  std::set<std::string> asked;
  for (const auto& name : names_) asked.insert(source_->source_name(name));
  std::vector<std::string> unasked = source_->all_names();
  std::erase_if(unasked, [&asked](const std::string& name) { return asked.contains(name); });
  if (unasked.empty()) return {};

  constexpr std::size_t kShown = 4;
  std::string text = "\n  of its names, nothing reads ";
  for (std::size_t i = 0; i < std::min(kShown, unasked.size()); ++i) text += (i == 0 ? "" : ", ") + unasked[i];
  if (unasked.size() > kShown) text += " and " + std::to_string(unasked.size() - kShown) + " more";
  // A comparison takes a while: enough for a checkpoint, and no more for a file of a million names.
  constexpr std::size_t kCompared = 4096, kNearest = 3;
  const auto candidates = std::span<const std::string>(unasked).first(std::min(kCompared, unasked.size()));
  for (std::size_t i = 0; i < std::min(kNearest, missing_.size()); ++i) {
    const std::string near = nearest_name(missing_[i], candidates);
    if (!near.empty()) text += "\n  nearest to " + missing_[i] + ": " + near;
  }
  return text;
}

void Weights::check(std::size_t most) const {
  if (problems_.empty()) return;
  const std::string unasked = missing_.empty() ? "" : describe_unasked();
  if (problems_.size() == 1) throw Error(problems_.front() + unasked);
  std::string text = "the config and the weights disagree in " + std::to_string(problems_.size()) + " places";
  const std::size_t shown = problems_.size() <= most ? problems_.size() : most - 1;
  for (std::size_t i = 0; i < shown; ++i) text += "\n  " + problems_[i];
  if (shown < problems_.size())
    text += "\n  and " + std::to_string(problems_.size() - shown) + " more, which --verbose lists";
  throw Error(text + unasked);
}

}  // namespace maskrt::weights
