#include "layout_cuda.h"

#include <string>

#include "kernels/cuda/channel_grid.h"
#include "kernels/cuda/kernel_family.h"
#include "kernels/cuda/map_of.h"
#include "layout_params.h"

namespace maskrt::kernels {
namespace {

using enum DataType;
constexpr const char* kFile = "layout/layout";
constexpr cuda::KernelFamily kCopy{"copy",
                                   "input, output",
                                   {{{f32, f32}, {kFile, "copy_f32_f32"}},
                                    {{f32, f16}, {kFile, "copy_f32_f16"}},
                                    {{f16, f32}, {kFile, "copy_f16_f32"}},
                                    {{f16, f16}, {kFile, "copy_f16_f16"}}}};
constexpr cuda::KernelFamily kToPlanes{
    "to planes", "map, planes", {{{f32, f32}, {kFile, "to_planar_f32"}}, {{f16, f32}, {kFile, "to_planar_f16"}}}};
constexpr cuda::KernelFamily kFromPlanes{
    "from planes", "planes, map", {{{f32, f32}, {kFile, "from_planar_f32"}}, {{f32, f16}, {kFile, "from_planar_f16"}}}};
constexpr cuda::KernelFamily kCoordinates{
    "coordinates", "output", {{{f32}, {kFile, "coordinates_f32"}}, {{f16}, {kFile, "coordinates_f16"}}}};

bool planar(const Tensor& t) { return t.block == 1 && t.channels > 1 && t.pixel_stride == 1; }

/// The slice of channels begin .. begin + count - 1 of t; it includes t's padding where it ends with t's last channel.
Tensor channels_of(Tensor t, std::int64_t begin, std::int64_t count, const char* what) {
  if (begin < 0 || count < 1 || begin + count > t.channels)
    throw Error(std::string(what) + ": expected some of " + std::to_string(t.channels) + " channels, found " +
                std::to_string(begin) + " to " + std::to_string(begin + count - 1));
  t.data = static_cast<std::byte*>(t.data) + begin * static_cast<std::int64_t>(size_of(t.type));
  t.block = begin + count == t.channels ? t.block - begin : count;
  t.channels = count;
  return t;
}

void copy(CudaQueue& queue, const Tensor& in, const Tensor& out) {
  cuda::require_same_shape(in, "copy: input", out, "output");
  const cuda::CopyParams params{cuda::map_of(in, "copy: input"), cuda::map_of(out, "copy: output")};
  const DataType widest = size_of(in.type) > size_of(out.type) ? in.type : out.type;
  const cuda::ChannelGrid g = cuda::channel_grid(widest, out.block, out.height * out.width, out.batch);
  KernelLaunch what;
  what.kernel = kCopy.of({in.type, out.type});
  what.grid = g.grid;
  what.block = g.block;
  what.overlaps_previous = true;
  what.parameters = bytes_of(params);
  queue.launch(what);
}

void transpose(CudaQueue& queue, const KernelName& kernel, const Tensor& map, const Tensor& planes,
               std::int64_t channels) {
  cuda::require_same_shape(map, "map", planes, "planes");
  const cuda::PlanarParams params{cuda::map_of(map, "map beside planes"), planes.as<float>(), planes.batch_stride,
                                  planes.block_stride};
  const auto tiles = [](std::int64_t n) { return static_cast<std::uint32_t>((n + 31) / 32); };
  KernelLaunch what;
  what.kernel = kernel;
  what.grid = {tiles(map.height * map.width), tiles(channels), static_cast<std::uint32_t>(map.batch)};
  what.block = {32, 8, 1};
  what.overlaps_previous = true;
  what.parameters = bytes_of(params);
  queue.launch(what);
}

}  // namespace

void copy_channels_cuda(CudaQueue& queue, const Tensor& in, std::int64_t in_begin, const Tensor& out,
                        std::int64_t out_begin, std::int64_t count) {
  copy(queue, channels_of(in, in_begin, count, "copy: input"), channels_of(out, out_begin, count, "copy: output"));
}

void convert_cuda(CudaQueue& queue, const Tensor& in, const Tensor& out) {
  if (planar(out)) {
    transpose(queue, kToPlanes.of({in.type, out.type}), in, out, in.channels);
  } else if (planar(in)) {
    transpose(queue, kFromPlanes.of({in.type, out.type}), out, in, out.block);
  } else {
    copy(queue, in, out);
  }
}

void coordinates_cuda(CudaQueue& queue, const Tensor& out) {
  if (out.channels != 2) throw Error("coordinates: expected two channels, found " + std::to_string(out.channels));
  const cuda::CoordinatesParams params{cuda::map_of(out, "coordinates")};
  const cuda::ChannelGrid g = cuda::channel_grid(out.type, out.block, out.height * out.width, out.batch);
  KernelLaunch what;
  what.kernel = kCoordinates.of({out.type});
  what.grid = g.grid;
  what.block = g.block;
  what.overlaps_previous = true;
  what.parameters = bytes_of(params);
  queue.launch(what);
}

}  // namespace maskrt::kernels
