// Files of query positions, for `maskrt dump --query-positions`.
#pragma once

#include <filesystem>

#include "maskrt/maskrt.hpp"

namespace maskrt::cli {

/// The tensor "query_positions" of a safetensors file, [images, queries] or [images, queries, 1]: int64 or int32, or
/// whole numbers in fp32, as `maskrt dump` writes all tensors. Throws Error that names the file, what was expected and
/// what was found: no such tensor, another type or shape, and numbers that are not whole. Whether the positions fit a
/// network, Session::tensors() checks.
QueryPositions read_query_positions(const std::filesystem::path& path);

}  // namespace maskrt::cli
