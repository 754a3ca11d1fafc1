// Mask logits on the CPU against the loop that defines them.
#include "aligned_memory.h"
#include "kernels/mask_head/mask_product.h"
#include "mask_product_cases.h"
#include "owned_tensor.h"

using namespace maskrt;
using namespace maskrt::kernels;
using maskrt::testing::kUnitFp32;
using maskrt::testing::lines_for;
using maskrt::testing::mask_product_cases;
using maskrt::testing::OwnedTensor;

TEST_CASE("mask products, with and without an offset") {
  for (const auto& [batch, height, width, channels, instances] : mask_product_cases) {
    for (const bool offset : {false, true}) {
      for (const auto& [block, out_block] : std::vector<std::pair<int, int>>{{16, 16}, {8, 8}, {1, 1}, {16, 1}}) {
        INFO(batch << "x" << height << "x" << width << ", " << channels << " channels, " << instances
                   << " instances, offset " << offset << ", blocks " << block << ", " << out_block);
        OwnedTensor features(DataType::f32, batch, height, width, channels, block),
            kernels(DataType::f32, batch, instances, 1, channels + (offset ? 1 : 0), 0),
            out(DataType::f32, batch, height, width, instances, out_block),
            want(DataType::f32, batch, height, width, instances, 0);
        features.fill(1);
        kernels.fill(2);
        out.poison();
        mask_product_ref(*kernels, *features, offset, *want);
        const MaskProduct product(*features, offset, *out);
        auto scratch = lines_for(product.scratch_bytes());
        product.run(*kernels, *features, *out, scratch.data());
        const double bound = kUnitFp32 * (8 + std::sqrt(channels)) * (channels * 0.3 + 1);
        require_close(out, *want, [&](auto...) { return bound; });
      }
    }
  }
}
