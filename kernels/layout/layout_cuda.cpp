#include "layout_cuda.h"

#include <string>

#include "kernels/cuda/channel_grid.h"
#include "kernels/cuda/map_of.h"
#include "layout_params.h"

namespace maskrt::kernels {
namespace {

bool planar(const Tensor& t) { return t.block == 1 && t.channels > 1 && t.pixel_stride == 1; }

/// Channels begin .. begin + count - 1 of t, and its padding where they are the last.
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
  const bool from_f32 = in.type == DataType::f32, to_f32 = out.type == DataType::f32;
  const DataType widest = from_f32 ? in.type : out.type;
  const cuda::ChannelGrid g = cuda::channel_grid(widest, out.block, out.height * out.width, out.batch);
  KernelLaunch what;
  what.kernel = {"layout/layout",
                 from_f32 ? (to_f32 ? "copy_f32_f32" : "copy_f32_f16") : (to_f32 ? "copy_f16_f32" : "copy_f16_f16")};
  what.grid = g.grid;
  what.block = g.block;
  what.overlaps_previous = true;
  what.parameters = bytes_of(params);
  queue.launch(what);
}

void transpose(CudaQueue& queue, const char* entry, const Tensor& map, const Tensor& planes, std::int64_t channels) {
  if (planes.type != DataType::f32) throw Error("planes: expected fp32, found " + std::string(name_of(planes.type)));
  cuda::require_same_shape(map, "map", planes, "planes");
  const cuda::PlanarParams params{cuda::map_of(map, "map beside planes"), planes.as<float>(), planes.batch_stride,
                                  planes.block_stride};
  const auto tiles = [](std::int64_t n) { return static_cast<std::uint32_t>((n + 31) / 32); };
  KernelLaunch what;
  what.kernel = {"layout/layout", entry};
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
    transpose(queue, in.type == DataType::f32 ? "to_planar_f32" : "to_planar_f16", in, out, in.channels);
  } else if (planar(in)) {
    transpose(queue, out.type == DataType::f32 ? "from_planar_f32" : "from_planar_f16", out, in, out.block);
  } else {
    copy(queue, in, out);
  }
}

void coordinates_cuda(CudaQueue& queue, const Tensor& out) {
  if (out.channels != 2) throw Error("coordinates: expected two channels, found " + std::to_string(out.channels));
  const cuda::CoordinatesParams params{cuda::map_of(out, "coordinates")};
  const cuda::ChannelGrid g = cuda::channel_grid(out.type, out.block, out.height * out.width, out.batch);
  KernelLaunch what;
  what.kernel = {"layout/layout", out.type == DataType::f32 ? "coordinates_f32" : "coordinates_f16"};
  what.grid = g.grid;
  what.block = g.block;
  what.overlaps_previous = true;
  what.parameters = bytes_of(params);
  queue.launch(what);
}

}  // namespace maskrt::kernels
