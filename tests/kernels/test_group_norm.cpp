// Group norms of the CPU device against the loop that defines them.
#include <cstring>

#include "aligned_memory.h"
#include "group_norm_cases.h"
#include "kernels/norm/group_norm.h"
#include "map_cases.h"

using namespace maskrt;
using namespace maskrt::kernels;
using namespace maskrt::testing;

namespace {

struct Run {
  OwnedTensor in, out;
  std::vector<float> weight, bias;

  Run(const GroupNormCase& c, DataType type, std::int64_t block, std::int64_t out_block)
      : in(map_of_shape(type, c.in, block)),
        out(map_of_shape(type, c.in, out_block)),
        weight(numbers(2, c.in.channels)),
        bias(numbers(3, c.in.channels)) {
    in.fill(1, c.mean - 1, c.mean + 1);
    out.poison();
  }
  void compute(const GroupNormCase& c, int threads, const Tensor& to) const {
    auto scratch = lines_for(group_norm_scratch_bytes(*in, threads));
    // What nobody wrote is seen.
    std::memset(scratch.data(), 0xFF, scratch.size() * sizeof(Line));
    group_norm_cpu(*in, weight.data(), bias.data(), c.groups, c.epsilon, c.activation, to, kGroupNormSlope, threads,
                   scratch.data());
  }
};

void check(const GroupNormCase& c, DataType type, std::int64_t block, std::int64_t out_block, int threads) {
  INFO(c << ", " << maskrt::name_of(type) << ", block " << block << " to " << out_block << ", " << threads
         << " threads");
  const Run run(c, type, block, out_block);
  OwnedTensor want = map_of_shape(DataType::f32, c.in, 0);
  group_norm_ref(*run.in, run.weight.data(), run.bias.data(), c.groups, c.epsilon, c.activation, *want,
                 kGroupNormSlope);
  const GroupNormError error(c, *run.in);
  run.compute(c, threads, *run.out);
  require_close(run.out, *want, [&](auto b, auto y, auto x, auto channel) {
    return error(b, y, x, channel) +
           (type == DataType::bf16 ? kUnitBf16 * std::abs(get(*want, b, y, x, channel)) + 1e-6 : 0);
  });
  if (block != out_block) return;
  run.compute(c, threads, *run.in);  // in place
  require_close(run.in, *run.out, [](auto...) { return 0.0; });
}

}  // namespace

TEST_CASE("group norms in all layouts") {
  for (const GroupNormCase& c : group_norm_cases) {
    for (const DataType type : {DataType::f32, DataType::bf16})
      for (const std::int64_t block : channel_blocks) check(c, type, block, block, 2);
    check(c, DataType::f32, 16, 0, 1);
    check(c, DataType::f32, 0, 8, 1);
  }
}

TEST_CASE("group norms are the same bits on any number of threads, more than there are tiles among them") {
  for (const std::size_t i : {std::size_t{0}, std::size_t{9}, std::size_t{12}, std::size_t{17}}) {
    const GroupNormCase& c = group_norm_cases[i];
    const Run one(c, DataType::f32, 16, 16);
    one.compute(c, 1, *one.out);
    for (const int threads : {1, 2, 3, 8, 64}) {
      INFO(c << ", " << threads << " threads");
      check(c, DataType::f32, 16, 16, threads);
      const Run more(c, DataType::f32, 16, 16);
      more.compute(c, threads, *more.out);
      require_close(more.out, *one.out, [](auto...) { return 0.0; });
    }
  }
}

TEST_CASE("images of a batch, and groups, are normalised by themselves") {
  const GroupNormCase c{{2, 9, 31, 24}, 3};
  const Run both(c, DataType::f32, 16, 16);
  // Numbers that are none in one group of one image, and large ones in another.
  for_each_element(*both.in, [&](auto b, auto y, auto x, auto channel) {
    if (b == 1 && channel >= 8 && channel < 16) set(*both.in, b, y, x, channel, 1e6f * get(*both.in, b, y, x, channel));
  });
  set(*both.in, 0, 4, 4, 3, std::numeric_limits<float>::quiet_NaN());
  both.compute(c, 2, *both.out);
  for_each_element(*both.out, [&](auto b, auto y, auto x, auto channel) {
    const float value = get(*both.out, b, y, x, channel);
    const bool none = b == 0 && channel < 8;
    if (std::isnan(value) != none) FAIL("image " << b << ", channel " << channel << ": got " << value);
    if (!none && std::abs(value) > 20) FAIL("image " << b << ", channel " << channel << ": got " << value);
  });
}
