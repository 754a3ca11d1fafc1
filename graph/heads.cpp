#include "heads.h"

#include <string>

namespace maskrt::graph {

std::string_view name_of(const Head& head) {
  return std::visit([](const auto& kind) -> std::string_view { return kind.name; }, head);
}

std::span<const Task> tasks_of(const Head& head) {
  return std::visit([](const auto& kind) { return kind.tasks(); }, head);
}

std::vector<ValueId> values_of(const Head& head) {
  struct Collector : HeadVisitor {
    std::vector<ValueId> found;
    void value(const char*, ValueId value) { found.push_back(value); }
  } collector;
  std::visit([&](const auto& kind) { kind.visit_values(kind, collector); }, head);
  return std::move(collector.found);
}

ValueId queries_of(const Head& head) {
  return std::visit([](const auto& kind) { return kind.queries(); }, head);
}

void set_things(Head& head, std::span<const Category> categories) {
  std::visit(
      [&](auto& kind) {
        if constexpr (requires { kind.things; }) {
          kind.things.clear();
          for (const Category& category : categories) kind.things.push_back(category.is_thing);
        }
      },
      head);
}

void check(const Head& head, const Graph& graph, const std::vector<Extent>& extents) {
  std::visit([&](const auto& kind) { kind.check({kind.name, graph, extents}); }, head);
}

std::optional<std::int64_t> categories_of(const Head& head, const Graph& graph, const std::vector<Extent>& extents) {
  return std::visit([&](const auto& kind) { return kind.categories({kind.name, graph, extents}); }, head);
}

void HeadValues::find(const char* role, ValueId value) const {
  if (value >= 0 && static_cast<std::size_t>(value) < extents_.size() && of(value).batch != 0) return;
  throw Error("head " + std::string(head_) + ": expected the network to have an output " + role + ", found none");
}

void HeadValues::refuse(const char* role, ValueId value, const std::string& expected) const {
  const std::string& name = graph_.values[static_cast<std::size_t>(value)].name;
  throw Error("head " + std::string(head_) + ", output " + role + ": expected " + expected + ", found the " +
              (of(value).list ? "list " : "map ") + (name == role ? "" : name + " ") + to_text(of(value)));
}

const Extent& HeadValues::list(const char* role, ValueId value, const std::string& expected) const {
  find(role, value);
  if (!of(value).list) refuse(role, value, expected);
  return of(value);
}

const Extent& HeadValues::map(const char* role, ValueId value, const std::string& expected) const {
  find(role, value);
  if (of(value).list) refuse(role, value, expected);
  return of(value);
}

void HeadValues::expect(bool fits, const char* role, ValueId value, const std::string& expected) const {
  if (!fits) refuse(role, value, expected);
}

}  // namespace maskrt::graph
