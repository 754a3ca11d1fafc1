// What is compared when detections are matched to annotated instances.
#pragma once

#include <cstdint>

namespace maskrt::coco {

enum class IouType : std::uint8_t { segm, bbox };

}  // namespace maskrt::coco
