// Linear layers of the CPU device against the loop that defines them.
#include "aligned_memory.h"
#include "kernels/linear/linear_cpu.h"
#include "linear_cases.h"
#include "owned_tensor.h"

using namespace maskrt;
using namespace maskrt::kernels;
using maskrt::testing::kUnitFp32;
using maskrt::testing::linear_cases;
using maskrt::testing::lines_for;
using maskrt::testing::numbers;
using maskrt::testing::OwnedTensor;

TEST_CASE("linear layers") {
  for (const auto& [batch, rows, in_channels, out_channels] : linear_cases) {
    for (const Activation activation : {Activation::none, Activation::relu, Activation::sigmoid}) {
      for (const bool with_bias : {false, true}) {
        INFO(batch << "x" << rows << ", " << in_channels << " to " << out_channels << ", activation "
                   << static_cast<int>(activation) << ", bias " << with_bias);
        OwnedTensor in(DataType::f32, batch, rows, 1, in_channels, 0),
            out(DataType::f32, batch, rows, 1, out_channels, 0), want(DataType::f32, batch, rows, 1, out_channels, 0);
        in.fill(1);
        out.poison();
        const std::vector<float> weight = numbers(2, std::int64_t{in_channels} * out_channels),
                                 bias = numbers(3, out_channels);
        linear_ref(*in, weight.data(), with_bias ? bias.data() : nullptr, activation, *want);
        const Linear linear(std::int64_t{batch} * rows, in_channels, out_channels, with_bias, activation);
        auto weights = lines_for(linear.weight_layout().get_size()), scratch = lines_for(linear.scratch_bytes());
        linear.prepare(weight.data(), weights.data());
        linear.run(in->data, weights.data(), with_bias ? bias.data() : nullptr, out->data, scratch.data());
        const double bound = kUnitFp32 * (8 + std::sqrt(in_channels)) * (in_channels * 0.3 + 1);
        require_close(out, *want, [&](auto...) { return bound; });
      }
    }
  }
}
