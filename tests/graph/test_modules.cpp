// The modules of nodes, by their names.
#include <catch2/catch.hpp>

#include "graph/modules.h"

namespace maskrt::graph {

TEST_CASE("a node's module is the first part of its name that is more than a container") {
  const auto [node, module] = GENERATE(table<const char*, const char*>({
      {"backbone.res2.0.conv1", "backbone"},
      {"encoder.fusion", "encoder"},
      {"encoder.fpn_outputs.0 + encoder.fusion", "encoder"},
      {"decoder.inst_branch.cls_score | decoder.inst_branch.objectness", "decoder"},
      {"sem_seg_head.pixel_decoder.adapter_1.norm", "pixel_decoder"},
      {"sem_seg_head.predictor.query_proposal.conv_proposal_cls_logits.0", "predictor"},
      {"sem_seg_head.sem_seg_head.a.b", "a"},
      {"sem_seg_head.predictor", "other"},
      {"sem_seg_head", "other"},
      {"input", "other"},
      {"", "other"},
      {".conv", "other"},
      {"backbone.", "backbone"},
  }));
  CAPTURE(node);
  CHECK(module_of(node) == module);
}

}  // namespace maskrt::graph
