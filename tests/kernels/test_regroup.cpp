// Regrouped lists on the CPU against the loop that defines them: exact.
#include "kernels/regroup/regroup.h"
#include "owned_tensor.h"

using namespace maskrt;
using namespace maskrt::kernels;
using maskrt::testing::OwnedTensor;

TEST_CASE("regrouped rows") {
  for (const auto& [batch, blocks, instances, groups, channels] : std::vector<std::tuple<int, int, int, int, int>>{
           {1, 1, 1, 1, 1}, {2, 4, 5, 4, 6}, {1, 4, 5, 2, 8}, {3, 2, 7, 2, 3}}) {
    INFO(blocks << " blocks, " << instances << " instances, " << groups << " groups, " << channels << " channels");
    OwnedTensor in(DataType::f32, batch, std::int64_t{groups} * instances, 1, channels, 0),
        out(DataType::f32, batch, instances, 1, std::int64_t{groups} * channels, 0),
        want(DataType::f32, batch, instances, 1, std::int64_t{groups} * channels, 0);
    in.fill(1);
    out.poison();
    regroup_ref(*in, blocks, instances, *want);
    regroup_cpu(*in, blocks, instances, *out);
    require_close(out, *want, [](auto...) { return 0.0; });
  }
}
