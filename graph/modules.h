// Which part of a network a layer belongs to.
#pragma once

#include <string_view>

namespace maskrt::graph {

/// The module of a node, by its name: the first part of it, as checkpoints of detectron2 put what they hold into
/// modules
/// ("backbone.res2.0.conv1": backbone), but for parts that only hold modules themselves: FastInst's, and everybody's
/// whose network is a head on a backbone, are inside of "sem_seg_head" ("sem_seg_head.pixel_decoder.adapter_1":
/// pixel_decoder). A fused node, whose name begins with that of its first, is in that one's module. "other" for names
/// of one part. The result looks into `node`, or is a literal.
std::string_view module_of(std::string_view node);

}  // namespace maskrt::graph
