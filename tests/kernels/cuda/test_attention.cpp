// Attention on the GPU against the loop that defines it.
#include <algorithm>
#include <limits>
#include <optional>

#include "kernels/attention/attention.h"
#include "kernels/attention/attention_cuda.h"
#include "placed_map.h"
#include "tests/kernels/attention_cases.h"

using namespace maskrt;
using namespace maskrt::kernels;
using namespace maskrt::testing;

namespace {

using enum DataType;

/// Of queries and output, and of keys and values.
struct Types {
  DataType queries, keys;
};
/// Alignment and padding choose the kernel where it may be one of tensor cores; others have one for all.
const std::vector<std::pair<Types, std::vector<Place>>> kTypes = {
    {{f32, f32}, {Place::padded, Place::odd_slice}},
    {{f16, f16}, {Place::dense, Place::padded, Place::slice, Place::odd_slice}},
    {{f32, f16}, {Place::dense}},
    {{f16, f32}, {Place::slice}}};

/// The tensors of one case in one place.
struct Attention {
  const AttentionCase& c;
  Types types;
  PlacedMap queries, keys, values;
  std::optional<PlacedMap> masks;

  Attention(const AttentionCase& of, Types t, Place place)
      : c(of),
        types(t),
        queries(t.queries, of.queries, place),
        keys(t.keys, of.keys(), place),
        values(t.keys, of.values(), place) {
    queries.fill(1, -c.scale, c.scale).poison_around();
    keys.fill(2, -c.scale, c.scale).poison_around();
    values.fill(3).poison_around();
  }
  /// Masks of all queries but the last, if there are several: the first's leaves out all keys, the second's none, the
  /// third's all but the last; most of the others' logits are negative.
  Attention& add_masks(DataType type, Place place) {
    const std::int64_t count = std::max<std::int64_t>(c.queries.height * c.queries.width - 1, 1);
    masks.emplace(type, MapShape{c.queries.batch, c.key_height, c.key_width, count}, place);
    masks->fill(5, -1, 0.5f).poison_around();
    const Tensor map = masks->map();
    for_each_element(map, [&](auto b, auto y, auto x, auto query) {
      const bool last = y == map.height - 1 && x == map.width - 1;
      if (query < 3) set(map, b, y, x, query, query == 0 || (query == 2 && !last) ? -1.0f : 1.0f);
      if (query == 3 && x == 0) set(map, b, y, x, query, std::numeric_limits<float>::quiet_NaN());
    });
    return *this;
  }
  void reference(const Tensor& out) const {
    const Tensor of_masks = masks ? masks->map() : Tensor{};
    attention_ref(queries.map(), keys.map(), values.map(), c.heads, out, masks ? &of_masks : nullptr);
  }
  /// Returns whether tensor cores did it.
  bool launch(PlacedMap& out) const {
    const DeviceMap device_queries(queries), device_keys(keys), device_values(values), device_out(out);
    const std::optional<DeviceMap> device_masks =
        masks ? std::optional<DeviceMap>(std::in_place, *masks) : std::nullopt;
    const Tensor of_masks = masks ? **device_masks : Tensor{};
    const Tensor* const given = masks ? &of_masks : nullptr;
    CudaQueue& queue = Gpu::instance().queue();
    const DeviceBytes workspace(attention_workspace_bytes(*device_queries, *device_keys, *device_values, c.heads,
                                                          *device_out, given, queue.chip()));
    attention_cuda(queue, *device_queries, *device_keys, *device_values, c.heads, *device_out, given, workspace.data());
    device_out.download(out);
    workspace.require_intact();
    return attention_has_tensor_cores(*device_queries, *device_keys, *device_values, c.heads, *device_out);
  }
  void require_right(Place place) const {
    PlacedMap out(types.queries, c.out(), place), want(types.queries, c.out(), place);
    out.fill(4), want.fill(4);
    reference(want.map());
    const bool tensor_cores = launch(out);
    const double bound = attention_error(c, tensor_cores ? kUnitFp16 : kUnitFp32);
    out.require_near(want, [&](double value) { return bound + rounding(types.queries, value); });
  }
};

}  // namespace

TEST_CASE("attention on the GPU") {
  for (const auto& [types, places] : kTypes)
    for (const AttentionCase& c : attention_cases)
      for (const Place place : places) {
        INFO("queries in " << maskrt::name_of(types.queries) << ", keys in " << maskrt::name_of(types.keys) << ": " << c
                           << ", " << testing::name_of(place));
        Attention(c, types, place).require_right(place);
      }
}

TEST_CASE("attention on the GPU under masks") {
  for (const auto& [types, places] : kTypes)
    for (const AttentionCase& c : attention_cases)
      for (const Place place : {places.front(), places.back()})
        for (const DataType type : {f32, f16}) {
          INFO("queries in " << maskrt::name_of(types.queries) << ", keys in " << maskrt::name_of(types.keys)
                             << ", masks in " << maskrt::name_of(type) << ": " << c << ", " << testing::name_of(place));
          Attention(c, types, place).add_masks(type, place).require_right(place);
        }
}

TEST_CASE("attention on the GPU of few queries on many keys, which blocks share") {
  // As a decoder of queries has it, on a map that is cut: several splits, one query of two tiles without a mask.
  for (const AttentionCase& c :
       {AttentionCase{{1, 108, 1, 64}, 40, 41, 64, 2}, AttentionCase{{2, 129, 1, 128}, 33, 31, 128, 1}}) {
    INFO(c);
    Attention(c, {f16, f16}, Place::dense).require_right(Place::dense);
    Attention(c, {f16, f16}, Place::dense).add_masks(f16, Place::padded).require_right(Place::dense);
  }
}

// Heads of 8 channels, so that the virtual GPU and the reference have little to multiply: more tiles of queries than an
// H200 holds at a time, the second with one query, with keys that stay in shared memory and with keys that do not.
const std::vector<AttentionCase> many_tiles = {{{9, 129, 1, 240}, 33, 1, 240, 30, 2},
                                               {{9, 129, 1, 240}, 193, 1, 240, 30, 2}};

TEST_CASE("attention on the GPU whose blocks loop over tiles of queries") {
  for (const AttentionCase& c : many_tiles) {
    INFO(c);
    Attention(c, {f16, f16}, Place::dense).require_right(Place::dense);
  }
}

TEST_CASE("attention on the GPU has the same bits every time") {
  for (const Types types : {Types{f32, f32}, Types{f16, f16}})
    for (const AttentionCase& c : attention_cases) {
      INFO(maskrt::name_of(types.queries) << ": " << c);
      const Attention attention(c, types, Place::dense);
      PlacedMap once(types.queries, c.out(), Place::dense), again(types.queries, c.out(), Place::dense);
      once.fill(4), again.fill(5);
      attention.launch(once), attention.launch(again);
      again.require_near(once, [](double) { return 0.0; });
    }
}

TEST_CASE("attention on the GPU reads keys and values out of one map") {
  // As a backbone has them: halves of what one layer makes of a reduced map.
  const AttentionCase c{{2, 20, 27, 128}, 7, 7, 128, 2};
  PlacedMap queries(f16, c.queries, Place::dense), out(f16, c.out(), Place::dense), want(f16, c.out(), Place::dense);
  OwnedTensor both(f16, 2, 7, 7, 256, 0);
  queries.fill(1), both.fill(2);
  const auto half = [](Tensor t, std::int64_t begin) {
    t.data = t.as<std::uint16_t>() + begin;
    t.channels = t.block = 128;
    return t;
  };
  attention_ref(queries.map(), half(*both, 0), half(*both, 128), c.heads, want.map());
  const DeviceMap device_queries(queries), device_out(out);
  const DeviceTensor device_both(*both);
  CHECK(attention_has_tensor_cores(*device_queries, half(*device_both, 0), half(*device_both, 128), 2, *device_out));
  attention_cuda(Gpu::instance().queue(), *device_queries, half(*device_both, 0), half(*device_both, 128), c.heads,
                 *device_out);
  device_out.download(out);
  const double bound = attention_error(c, kUnitFp16);
  out.require_near(want, [&](double value) { return bound + rounding(f16, value); });
}

TEST_CASE("attention refuses what it cannot do") {
  CudaQueue& queue = Gpu::instance().queue();
  const PlacedMap queries(f16, {1, 4, 4, 16}, Place::dense), keys(f16, {1, 3, 3, 16}, Place::dense),
      fewer(f16, {1, 3, 2, 16}, Place::dense), out(f16, {1, 4, 4, 16}, Place::dense),
      wide(f32, {1, 4, 4, 16}, Place::dense);
  CHECK_THROWS_WITH(attention_cuda(queue, queries.map(), keys.map(), fewer.map(), 2, out.map()),
                    Catch::Contains("attention: expected queries [B, H, W, C], keys [B, h, w, C]") &&
                        Catch::Contains("found [1, 4, 4, 16], [1, 3, 3, 16], [1, 3, 2, 16] and [1, 4, 4, 16]"));
  CHECK_THROWS_WITH(attention_cuda(queue, queries.map(), keys.map(), keys.map(), 3, out.map()),
                    Catch::Contains("whose channels 3 heads divide"));
  CHECK_THROWS_WITH(attention_cuda(queue, queries.map(), keys.map(), keys.map(), 2, wide.map()),
                    "attention: queries and output: expected one type, found fp16 and fp32");
  const PlacedMap masks(f16, {1, 3, 3, 5}, Place::dense), many(f16, {1, 3, 3, 17}, Place::dense);
  const Tensor of_masks = masks.map(), of_many = many.map();
  CHECK_THROWS_WITH(attention_cuda(queue, queries.map(), keys.map(), keys.map(), 2, out.map(), &of_many),
                    "attention: expected masks of [1, 3, 3, 16] with a channel for each query at most, found [1, 3, 3, "
                    "17] for 16 queries");
  CHECK_THROWS_WITH(attention_cuda(queue, queries.map(), keys.map(), keys.map(), 2, out.map(), &of_masks),
                    Catch::Contains("attention: expected a workspace of") && Catch::Contains("found none"));
}
