// Open descriptors that outputs are written to.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

namespace maskrt::graph {

/// N for a path that names an open descriptor: /dev/fd/N, /proc/self/fd/N, /dev/stdout and /dev/stderr; otherwise -1.
int descriptor_of(const std::filesystem::path& path);

/// Writes all bytes, waiting where a pipe is full. Gives 0, or the reason why it stopped, as in errno; `written` grows
/// by what was written in either case.
int write_all(int file, std::span<const std::byte> bytes, std::uint64_t& written);

}  // namespace maskrt::graph
