// Attention of the CPU device against the loop that defines it.
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

TEST_CASE("attention to one key is that key's value, however unlike it is") {
  const AttentionCase c{{1, 5, 7, 32}, 1, 1, 32, 1, 1000};
  const Reference want(c, DataType::f32);
  check(c, DataType::f32, 16, 16, 1, *want.out);
  const Inputs in(c, DataType::f32, 0, 0);
  require_close(want.out, *want.out, [&](auto b, auto y, auto x, auto channel) {
    return get(*want.out, b, y, x, channel) == get(*in.values, b, 0, 0, channel) ? 0.0 : -1.0;
  });
}
