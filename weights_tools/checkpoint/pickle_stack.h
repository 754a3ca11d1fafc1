// The unpickler's memory: a stack with marks, and the memo.
#pragma once

#include <optional>
#include <vector>

#include "pickle_value.h"

namespace maskrt::weights::pickle {

/// Every call checks what it is asked for and throws Error; what it allocates comes off the heap's budget.
class Stack {
 public:
  explicit Stack(Heap& heap) : heap_(heap) {}

  void push(Value value);
  /// The topmost value above the last mark.
  Value& top();
  Value pop();
  /// The topmost values, the lowest first.
  std::vector<Value> pop_many(std::size_t count);

  void push_mark();
  /// What lies above the last mark; the mark goes too.
  std::vector<Value> pop_mark();
  /// Opcode POP: takes a mark where one is on top.
  void pop_value_or_mark();

  /// Remembers the topmost value. `most` bounds the index, and so the memo's size.
  void memoize(std::size_t index, std::size_t most);
  const Value& recall(std::size_t index) const;
  std::size_t memo_size() const { return memo_.size(); }

 private:
  // How many values lie above the last mark.
  std::size_t depth() const { return values_.size() - (marks_.empty() ? 0 : marks_.back()); }

  Heap& heap_;
  std::vector<Value> values_;
  std::vector<std::size_t> marks_;
  std::vector<std::optional<Value>> memo_;
};

}  // namespace maskrt::weights::pickle
