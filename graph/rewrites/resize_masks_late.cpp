// SparseInstHead{mask_logits: ResizeBilinear{2}(x)} -> SparseInstHead{mask_logits: x, mask_factor: 2}.
//
// The probabilities of a query's mask are those of the resized logits either way. A head that upsamples tile by tile
// saves the memory traffic of a map four times as large. The network's output is not changed: it can still be
// requested, and detection skips its node.
#include "pattern.h"
#include "rewrites.h"

namespace maskrt::graph {
namespace {

/// The factor that heads resize masks by themselves.
constexpr double kFactor = 2;

void resize_late(Graph&, ValuesHead&) {}
void resize_late(Graph&, FastInstHead&) {}

void resize_late(Graph& graph, SparseInstHead& head) {
  const int maker = graph.producer(head.mask_logits);
  if (maker < 0) return;
  const Node& node = graph.nodes[static_cast<std::size_t>(maker)];
  const auto* const resize = std::get_if<ResizeBilinear>(&node.operation);
  if (resize == nullptr || resize->factor != kFactor || head.mask_factor != 1) return;
  head.mask_logits = node.inputs[0];
  if (!graph.is_output(head.mask_logits)) graph.outputs.push_back(head.mask_logits);
  head.mask_factor = static_cast<int>(kFactor);
}

}  // namespace

void resize_masks_late(Graph& graph, Head& head) {
  std::visit([&](auto& kind) { resize_late(graph, kind); }, head);
}

}  // namespace maskrt::graph
