// What a Mask holds behind the public interface.
#pragma once

#include <cstdint>

#include "kernels/postprocess/postprocess.h"
#include "maskrt/maskrt.hpp"

namespace maskrt {

struct Mask::Data {
  kernels::MaskBits bits;
  std::int64_t area = 0;
};

}  // namespace maskrt
