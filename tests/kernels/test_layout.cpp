// Changes of layout and type on the CPU against the loops that define them: exact.
#include "kernels/cpu/onednn.h"
#include "kernels/layout/layout.h"
#include "layout_cases.h"
#include "map_cases.h"

using namespace maskrt;
using namespace maskrt::kernels;
using maskrt::testing::channel_blocks;
using maskrt::testing::for_each_layout;
using maskrt::testing::layout_cases;
using maskrt::testing::map_of_shape;
using maskrt::testing::MapShape;
using maskrt::testing::onednn_has_bf16;
using maskrt::testing::OwnedTensor;

TEST_CASE("channels move between layouts and types and leave the others alone") {
  for_each_layout(layout_cases, [](const MapShape& size, std::int64_t block) {
    for (const std::int64_t other_block : channel_blocks) {
      for (const auto& [from, to] : std::vector<std::pair<DataType, DataType>>{
               {DataType::f32, DataType::f32}, {DataType::f32, DataType::bf16}, {DataType::bf16, DataType::f32}}) {
        MapShape wide = size;
        wide.channels += 20;
        const std::int64_t begin = size.channels / 3, count = size.channels - begin, out_begin = 9;
        OwnedTensor in = map_of_shape(from, size, block), out = map_of_shape(to, wide, other_block),
                    want = map_of_shape(to, wide, other_block);
        in.fill(1);
        out.fill(2);
        want.fill(2);
        copy_channels_ref(*in, begin, *want, out_begin, count);
        copy_channels_cpu(*in, begin, *out, out_begin, count);
        require_close(out, *want, [](auto...) { return 0.0; });
      }
    }
  });
}

TEST_CASE("rows move between lists and leave the others alone") {
  for (const MapShape& size : std::vector<MapShape>{{1, 1, 1, 1}, {2, 5, 1, 7}, {3, 108, 1, 256}}) {
    MapShape longer = size;
    longer.height += 11;
    for (const std::int64_t count : {std::int64_t{1}, size.height}) {
      OwnedTensor in = map_of_shape(DataType::f32, size, 0), out = map_of_shape(DataType::f32, longer, 0),
                  want = map_of_shape(DataType::f32, longer, 0);
      in.fill(1);
      out.fill(2);
      want.fill(2);
      copy_rows_ref(*in, size.height - count, *want, 7, count);
      copy_rows_cpu(*in, size.height - count, *out, 7, count);
      require_close(out, *want, [](auto...) { return 0.0; });
    }
  }
}

TEST_CASE("reorders agree with element by element copies") {
  for_each_layout(layout_cases, [](const MapShape& size, std::int64_t block) {
    for (const std::int64_t other_block : channel_blocks) {
      for (const auto& [from, to] : std::vector<std::pair<DataType, DataType>>{
               {DataType::f32, DataType::f32}, {DataType::f32, DataType::bf16}, {DataType::bf16, DataType::f32}}) {
        if (from != to && !onednn_has_bf16()) continue;
        OwnedTensor in = map_of_shape(from, size, block), out = map_of_shape(to, size, other_block),
                    want = map_of_shape(to, size, other_block);
        in.fill(1);
        copy_channels_ref(*in, 0, *want, 0, size.channels);
        onednn::Reorder(onednn::layout_of(*in), onednn::layout_of(*out)).run(in->data, out->data);
        require_close(out, *want, [](auto...) { return 0.0; });
      }
    }
  });
}

TEST_CASE("padding is cleared, and nothing else") {
  for_each_layout(layout_cases, [](const MapShape& size, std::int64_t block) {
    OwnedTensor out = map_of_shape(DataType::f32, size, block), want = map_of_shape(DataType::f32, size, block);
    out.fill(1);
    want.fill(1);
    const Tensor whole = padded(*out);
    for_each_element(whole, [&](auto b, auto y, auto x, auto c) {
      if (c >= size.channels) set(whole, b, y, x, c, 5.0f);
    });
    clear_padding(*out);
    require_close(out, *want, [](auto...) { return 0.0; });
  });
}
