// Attention of the CPU device against the loop that defines it.
#include <cstring>

#include "aligned_memory.h"
#include "attention_cases.h"
#include "kernels/attention/attention_cpu.h"
#include "map_cases.h"

using namespace maskrt;
using namespace maskrt::kernels;
using namespace maskrt::testing;

namespace {

struct Inputs {
  OwnedTensor queries, keys, values;
  Inputs(const AttentionCase& c, DataType type, std::int64_t block, std::int64_t list_block)
      : queries(map_of_shape(type, c.queries, block)),
        keys(map_of_shape(type, c.keys(), list_block)),
        values(map_of_shape(type, c.values(), list_block)) {
    queries.fill(1, -c.scale, c.scale);
    keys.fill(2, -c.scale, c.scale);
    values.fill(3);
  }
};

/// What the case's inputs, rounded to `type`, come to.
struct Reference {
  OwnedTensor out;
  Reference(const AttentionCase& c, DataType type) : out(map_of_shape(DataType::f32, c.out(), 0)) {
    const Inputs in(c, type, 0, 0);
    attention_ref(*in.queries, *in.keys, *in.values, c.heads, *out);
  }
};

void check(const AttentionCase& c, DataType type, std::int64_t block, std::int64_t list_block, int threads,
           const Tensor& want) {
  const Inputs in(c, type, block, list_block);
  OwnedTensor out = map_of_shape(type, c.out(), block);
  out.poison();
  const Attention attention(*in.queries, *in.keys, *in.values, c.heads, *out, threads);
  auto scratch = lines_for(attention.scratch_bytes());
  attention.run(*in.queries, *in.keys, *in.values, *out, scratch.data());
  require_close(out, want, [&](auto b, auto y, auto x, auto channel) {
    return attention_error(c, kUnitFp32) +
           (type == DataType::bf16 ? kUnitBf16 * std::abs(get(want, b, y, x, channel)) : 0);
  });
}

}  // namespace

TEST_CASE("attention in all layouts") {
  for (const AttentionCase& c : attention_cases) {
    for (const DataType type : {DataType::f32, DataType::bf16}) {
      const Reference want(c, type);
      for (const std::int64_t block : channel_blocks) {
        INFO(c << ", " << maskrt::name_of(type) << ", block " << block);
        check(c, type, block, block, 2, *want.out);
      }
    }
    const Reference want(c, DataType::f32);
    INFO(c << ", a map's queries and a list's keys");
    check(c, DataType::f32, 16, 0, 1, *want.out);
    check(c, DataType::f32, 0, 8, 1, *want.out);
  }
}

TEST_CASE("attention on any number of threads, more than there are tiles among them") {
  for (const std::size_t i : {std::size_t{0}, std::size_t{10}, std::size_t{14}, std::size_t{17}}) {
    const AttentionCase& c = attention_cases[i];
    const Reference want(c, DataType::f32);
    for (const int threads : {1, 2, 3, 8, 64}) {
      INFO(c << ", " << threads << " threads");
      check(c, DataType::f32, 16, 16, threads, *want.out);
    }
  }
}

namespace {

/// Mask logits in [-1, 1). A query in three would leave out all keys, one in four leaves out none; a logit in fifty is
/// no number.
void fill_masks(const AttentionCase& c, OwnedTensor& masks) {
  masks.fill(4);
  for_each_element(*masks, [&](auto b, auto y, auto x, auto q) {
    const float logit = get(*masks, b, y, x, q);
    if (q % 3 == 1) set(*masks, b, y, x, q, -std::abs(logit) - 0.5f);
    if (q % 4 == 2) set(*masks, b, y, x, q, std::abs(logit));
    if ((y * c.key_width + x + q) % 50 == 49) set(*masks, b, y, x, q, std::numeric_limits<float>::quiet_NaN());
  });
}

void check_masked(const AttentionCase& c, std::int64_t channels, DataType type, std::int64_t block, int threads) {
  INFO(c << ", " << channels << " masks, " << maskrt::name_of(type) << ", block " << block << ", " << threads
         << " threads");
  const Inputs plain(c, type, 0, 0), in(c, type, block, block);
  const MapShape of_masks{c.queries.batch, c.key_height, c.key_width, channels};
  OwnedTensor plain_masks = map_of_shape(type, of_masks, 0), masks = map_of_shape(type, of_masks, block);
  fill_masks(c, plain_masks);
  fill_masks(c, masks);
  OwnedTensor want = map_of_shape(DataType::f32, c.out(), 0), out = map_of_shape(type, c.out(), block);
  attention_ref(*plain.queries, *plain.keys, *plain.values, c.heads, *want, &*plain_masks);
  out.poison();
  const Attention attention(*in.queries, *in.keys, *in.values, c.heads, *out, threads, channels);
  auto scratch = lines_for(attention.scratch_bytes());
  std::memset(scratch.data(), 0xFF, scratch.size() * sizeof(Line));
  attention.run(*in.queries, *in.keys, *in.values, *out, scratch.data(), &*masks);
  require_close(out, *want, [&](auto b, auto y, auto x, auto channel) {
    return attention_error(c, kUnitFp32) +
           (type == DataType::bf16 ? kUnitBf16 * std::abs(get(*want, b, y, x, channel)) : 0);
  });
}

}  // namespace

TEST_CASE("attention under masks in all layouts, for all queries and for some of them") {
  for (const AttentionCase& c : attention_cases) {
    const std::int64_t queries = c.queries.height * c.queries.width;
    for (const std::int64_t channels : {queries, (queries + 1) / 2, std::max<std::int64_t>(1, queries - 8)})
      for (const std::int64_t block : channel_blocks) check_masked(c, channels, DataType::f32, block, 2);
    check_masked(c, queries, DataType::bf16, 16, 1);
  }
}

TEST_CASE("attention under masks on any number of threads") {
  for (const std::size_t i : {std::size_t{0}, std::size_t{10}, std::size_t{14}, std::size_t{17}})
    for (const int threads : {1, 3, 8, 64}) check_masked(attention_cases[i], 1, DataType::f32, 16, threads);
}

TEST_CASE("a query sees the keys of its mask alone, and all of them where its mask has none") {
  // Values that say which key they are of: 1, 2, 4, 8. Equal keys share alike.
  OwnedTensor queries = map_of_shape(DataType::f32, {1, 4, 1, 2}, 0),
              keys = map_of_shape(DataType::f32, {1, 2, 2, 2}, 0),
              values = map_of_shape(DataType::f32, {1, 2, 2, 1}, 0),
              masks = map_of_shape(DataType::f32, {1, 2, 2, 3}, 1), out = map_of_shape(DataType::f32, {1, 4, 1, 1}, 0);
  constexpr float none = std::numeric_limits<float>::quiet_NaN();
  constexpr float logits[3][4] = {{-1, 0, -1, -2}, {-1, -1, -1, -1}, {5, -5, none, -0.0f}};
  for (int k = 0; k < 4; ++k) {
    set(*values, 0, k / 2, k % 2, 0, static_cast<float>(1 << k));
    for (int q = 0; q < 3; ++q) set(*masks, 0, k / 2, k % 2, q, logits[q][k]);
  }
  const Attention attention(*queries, *keys, *values, 1, *out, 1, 3);
  auto scratch = lines_for(attention.scratch_bytes());
  attention.run(*queries, *keys, *values, *out, scratch.data(), &*masks);
  CHECK(get(*out, 0, 0, 0, 0) == 2.0f);
  CHECK(get(*out, 0, 1, 0, 0) == Approx(15.0 / 4));
  CHECK(get(*out, 0, 2, 0, 0) == Approx(13.0 / 3));
  CHECK(get(*out, 0, 3, 0, 0) == Approx(15.0 / 4));  // without a mask
  out.poison();
  attention_ref(*queries, *keys, *values, 1, *out, &*masks);
  CHECK(get(*out, 0, 0, 0, 0) == 2.0f);
  CHECK(get(*out, 0, 1, 0, 0) == Approx(15.0 / 4));
  CHECK(get(*out, 0, 2, 0, 0) == Approx(13.0 / 3));
  CHECK(get(*out, 0, 3, 0, 0) == Approx(15.0 / 4));
}

TEST_CASE("attention to one key is that key's value, however unlike it is") {
  const AttentionCase c{{1, 5, 7, 32}, 1, 1, 32, 1, 1000};
  const Reference want(c, DataType::f32);
  check(c, DataType::f32, 16, 16, 1, *want.out);
  const Inputs in(c, DataType::f32, 0, 0);
  require_close(want.out, *want.out, [&](auto b, auto y, auto x, auto channel) {
    return get(*want.out, b, y, x, channel) == get(*in.values, b, 0, 0, channel) ? 0.0 : -1.0;
  });
}
