// std::visit over an Operation with one lambda per kind.
#pragma once

namespace maskrt::graph {

template <typename... Callables>
struct Overloaded : Callables... {
  using Callables::operator()...;
};
template <typename... Callables>
Overloaded(Callables...) -> Overloaded<Callables...>;

}  // namespace maskrt::graph
