// What the graph asks of attributes, whichever operation has them.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "op.h"

namespace maskrt::graph {

/// Collects the constants of an operation, in the order of its attributes.
struct ConstantCollector : AttributeVisitor {
  std::vector<ConstantPtr> found;
  void constant(const char*, const ConstantPtr& constant, bool, InFiles = InFiles::always) {
    if (constant) found.push_back(constant);
  }
  void parts(const char*, const auto& list, std::size_t, std::size_t, InFiles = InFiles::always) {
    for (const auto& part : list) part.visit_attributes(part, *this);
  }
};

/// Throws Error for an attribute that is out of its own bounds.
struct AttributeCheck {
  const NodeCheck& node;
  void integer(const char* name, std::int64_t value, std::int64_t low, std::int64_t high,
               InFiles = InFiles::always) const {
    if (value < low || value > high)
      node.fail(std::string("expected ") + name + " from " + std::to_string(low) + " to " + std::to_string(high) +
                ", found " + std::to_string(value));
  }
  void real(const char* name, double value, double low, double high, InFiles = InFiles::always) const {
    if (!(value >= low && value <= high))  // NaN fails too
      node.fail(std::string("expected ") + name + " from " + std::to_string(low) + " to " + std::to_string(high) +
                ", found " + std::to_string(value));
  }
  void boolean(const char*, bool, InFiles = InFiles::always) const {}
  void activation(const char* name, Activation value, InFiles = InFiles::always) const {
    if (std::find(kActivations.begin(), kActivations.end(), value) == kActivations.end())
      node.fail(std::string("expected a known ") + name);
  }
  void constant(const char* name, const ConstantPtr& value, bool optional, InFiles = InFiles::always) const {
    if (!value && !optional) node.fail(std::string("expected a ") + name + ", found none");
  }
  void parts(const char* name, const auto& list, std::size_t fewest, std::size_t most,
             InFiles = InFiles::always) const {
    if (list.size() < fewest || list.size() > most)
      node.fail("expected from " + std::to_string(fewest) + " to " + std::to_string(most) + " " + name + ", found " +
                std::to_string(list.size()));
    for (const auto& part : list) part.visit_attributes(part, *this);
  }
};

}  // namespace maskrt::graph
