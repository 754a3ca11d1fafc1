#include "machine/control_flow.h"

#include <algorithm>

namespace vgpu {
namespace {

using Successors = std::vector<std::vector<std::uint32_t>>;

/// Tarjan's strongly connected components of the subgraph of `inside` blocks, without the edges into `header`.
class Components {
 public:
  Components(const Successors& successors, const std::vector<std::uint32_t>& inside, std::uint32_t header)
      : successors_(successors),
        header_(header),
        member_(successors.size(), 0),
        index_(successors.size(), 0),
        low_(successors.size(), 0),
        on_stack_(successors.size(), 0) {
    for (const std::uint32_t block : inside) member_[block] = 1;
    // Later blocks first: the components come out in reverse, and what is independent then keeps the source's order.
    for (auto it = inside.rbegin(); it != inside.rend(); ++it) {
      if (index_[*it] == 0) visit(*it);
    }
    std::reverse(components_.begin(), components_.end());
  }
  std::vector<std::vector<std::uint32_t>>& in_order() { return components_; }

 private:
  struct Visit {
    std::uint32_t block;
    std::size_t next;
  };

  void visit(std::uint32_t root) {
    std::vector<Visit> path;
    open(root, path);
    while (!path.empty()) {
      const std::uint32_t block = path.back().block;
      const auto& next = successors_[block];
      if (path.back().next < next.size()) {
        // Last successor first, for the same reason as above.
        const std::uint32_t to = next[next.size() - 1 - path.back().next++];
        if (member_[to] == 0 || to == header_) continue;
        if (index_[to] == 0) {
          open(to, path);
        } else if (on_stack_[to] != 0) {
          low_[block] = std::min(low_[block], index_[to]);
        }
        continue;
      }
      path.pop_back();
      if (!path.empty()) low_[path.back().block] = std::min(low_[path.back().block], low_[block]);
      if (low_[block] == index_[block]) close(block);
    }
  }

  void open(std::uint32_t block, std::vector<Visit>& path) {
    index_[block] = low_[block] = ++counter_;
    stack_.push_back(block);
    on_stack_[block] = 1;
    path.push_back({block, 0});
  }

  void close(std::uint32_t block) {
    std::vector<std::uint32_t> component;
    do {
      component.push_back(stack_.back());
      on_stack_[stack_.back()] = 0;
      stack_.pop_back();
    } while (component.back() != block);
    std::sort(component.begin(), component.end());
    components_.push_back(std::move(component));
  }

  const Successors& successors_;
  std::uint32_t header_;
  std::vector<std::uint8_t> member_;
  std::vector<std::uint32_t> index_, low_;
  std::vector<std::uint8_t> on_stack_;
  std::vector<std::uint32_t> stack_;
  std::uint32_t counter_ = 0;
  std::vector<std::vector<std::uint32_t>> components_;
};

constexpr std::uint32_t kNoHeader = ~std::uint32_t{0};

/// Lays out a set of blocks: its components in topological order, and each loop, opened at its header, likewise.
void lay_out(const Successors& successors, const std::vector<std::uint32_t>& inside, std::uint32_t header,
             std::vector<std::uint8_t>& entered, std::vector<std::uint32_t>& order) {
  Components components(successors, inside, header);
  for (auto& component : components.in_order()) {
    const bool loop = component.size() > 1;
    if (!loop) {
      order.push_back(component.front());
    } else {
      // The header is the block that is entered from what has been laid out already.
      const auto found =
          std::find_if(component.begin(), component.end(), [&](std::uint32_t b) { return entered[b] != 0; });
      const std::uint32_t top = found != component.end() ? *found : component.front();
      lay_out(successors, component, top, entered, order);
    }
    for (const std::uint32_t block : component) {
      for (const std::uint32_t to : successors[block]) entered[to] = 1;
    }
  }
}

}  // namespace

std::vector<std::uint32_t> layout_order(const Successors& successors) {
  std::vector<std::uint32_t> reachable;
  std::vector<std::uint8_t> seen(successors.size(), 0);
  std::vector<std::uint32_t> work{0};
  seen[0] = 1;
  while (!work.empty()) {
    const std::uint32_t block = work.back();
    work.pop_back();
    reachable.push_back(block);
    for (const std::uint32_t to : successors[block]) {
      if (seen[to] == 0) work.push_back(to);
      seen[to] = 1;
    }
  }
  std::sort(reachable.begin(), reachable.end());
  std::vector<std::uint32_t> order;
  std::vector<std::uint8_t> entered(successors.size(), 0);
  entered[0] = 1;
  lay_out(successors, reachable, kNoHeader, entered, order);
  return order;
}

}  // namespace vgpu
