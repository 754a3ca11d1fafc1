// Numbers that depend on a tensor's name and an index alone: the same on every machine, in any order.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace maskrt::weights {

/// Element i is u(i) * scale + offset, with u uniform in [-1, 1): splitmix64 at counter i + 1, seeded by the name's
/// 64-bit FNV-1a hash, the upper 24 bits taken. Rounded as IEEE single precision rounds the product and then the sum.
std::vector<float> generate(std::string_view name, std::int64_t count, float scale, float offset);

}  // namespace maskrt::weights
