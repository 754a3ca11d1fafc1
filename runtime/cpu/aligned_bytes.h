// Memory that lies as vector instructions and the processor's page tables like it.
#pragma once

#include <cstddef>
#include <memory>

namespace maskrt::cpu {

/// Pages of zeros, taken from the system and given back to it whole, so that what is freed leaves the process. In large
/// pages where the system has them: a convolution walks through tens of megabytes of weights. Throws Error when there
/// is no memory.
std::byte* map_pages(std::size_t bytes);
void unmap_pages(std::byte* memory, std::size_t bytes) noexcept;

/// Pages, shared by whoever runs on them.
using AlignedBytes = std::shared_ptr<std::byte[]>;
AlignedBytes allocate_aligned(std::size_t bytes);

}  // namespace maskrt::cpu
