// PNG files, written whole or not at all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

namespace maskrt::cli {

/// `channels` is 1 (grey) or 3 (RGB); rows are dense. Throws Error when there is no memory for it.
std::vector<std::byte> encode_png(std::span<const std::uint8_t> pixels, int width, int height, int channels);

/// Throws Error that names the path, and then leaves what was there before.
void write_png(const std::filesystem::path& path, std::span<const std::uint8_t> pixels, int width, int height,
               int channels);

/// A JPEG file in memory, RGB, as a camera would deliver it: for benchmarks.
std::vector<std::byte> encode_jpeg(std::span<const std::uint8_t> rgb, int width, int height, int quality);

}  // namespace maskrt::cli
