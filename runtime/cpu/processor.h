// The processor that this runs on, as far as oneDNN makes use of it.
#pragma once

#include <string>

namespace maskrt::cpu {

/// "AMD EPYC 9654": what the system calls it.
std::string processor_name();
/// "AVX-512 with bf16": what oneDNN may use of it.
std::string instructions();
/// Both and oneDNN's version: what the times of convolutions depend on. One line.
std::string processor_description();

}  // namespace maskrt::cpu
