#include "maskrt/maskrt.hpp"

namespace maskrt {

const char* version() { return MASKRT_VERSION; }

}  // namespace maskrt
