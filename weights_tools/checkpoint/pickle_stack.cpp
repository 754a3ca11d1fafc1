#include "pickle_stack.h"

#include <string>

namespace maskrt::weights::pickle {
namespace {

constexpr std::size_t kMaxStack = std::size_t{1} << 20;
constexpr std::size_t kMaxMarks = std::size_t{1} << 16;

}  // namespace

void Stack::push(Value value) {
  if (values_.size() == kMaxStack) {
    throw Error("expected at most " + std::to_string(kMaxStack) + " values on the stack, found more");
  }
  values_.push_back(value);
}

Value& Stack::top() {
  if (depth() == 0) throw Error("expected a value on the stack, found none");
  return values_.back();
}

Value Stack::pop() {
  const Value value = top();
  values_.pop_back();
  return value;
}

std::vector<Value> Stack::pop_many(std::size_t count) {
  if (depth() < count) {
    throw Error("expected " + std::to_string(count) + " values on the stack, found " + std::to_string(depth()));
  }
  heap_.charge(count * sizeof(Value));
  const auto first = values_.end() - static_cast<std::ptrdiff_t>(count);
  std::vector<Value> popped(first, values_.end());
  values_.erase(first, values_.end());
  return popped;
}

void Stack::push_mark() {
  if (marks_.size() == kMaxMarks) {
    throw Error("expected at most " + std::to_string(kMaxMarks) + " marks on the stack, found more");
  }
  marks_.push_back(values_.size());
}

std::vector<Value> Stack::pop_mark() {
  if (marks_.empty()) throw Error("expected a mark on the stack, found none");
  auto popped = pop_many(depth());
  marks_.pop_back();
  return popped;
}

void Stack::pop_value_or_mark() {
  if (!marks_.empty() && depth() == 0) {
    marks_.pop_back();
  } else {
    pop();
  }
}

void Stack::memoize(std::size_t index, std::size_t most) {
  const Value& value = top();
  if (index > most) {
    throw Error("expected an index of the memo of at most " + std::to_string(most) + ", found " +
                std::to_string(index));
  }
  if (index >= memo_.size()) {
    heap_.charge(2 * (index + 1 - memo_.size()) * sizeof(memo_[0]));  // twice: vectors grow in steps
    memo_.resize(index + 1);
  }
  memo_[index] = value;
}

const Value& Stack::recall(std::size_t index) const {
  if (index >= memo_.size() || !memo_[index]) {
    throw Error("expected a value in the memo at " + std::to_string(index) + ", found none");
  }
  return *memo_[index];
}

}  // namespace maskrt::weights::pickle
