// What a fixture's model must compute, whatever device ran it.
#pragma once

#include "fixture.h"

namespace maskrt::testing {

/// The fixtures' folders, by family.
std::vector<std::filesystem::path> sparse_inst_fixtures();
std::vector<std::filesystem::path> fast_inst_fixtures();
/// The one that takes least time.
std::filesystem::path smallest_fixture();

/// Checks (Catch2) tensors that ran in a precision (not automatic): rms distances within 4 times what the authors' code
/// loses in fp32, or 1e-5 of the deviation; in fp16 and tf32 within 2 times, in bf16 within 12 times what fp16 storage
/// loses.
/// `all`: every tensor of the fixture must be among those found.
void compare_tensors(const Fixture& fixture, const std::map<std::string, HostTensor>& found, Compute precision,
                     bool all);

/// SparseInst's: the same instances of the fixture's `image`, in the same order. One whose score before rescoring is as
/// near to the threshold as the noise may be on one side only; its final score is then near or below it. Masks may
/// differ in 0.1% of the pixels in fp32; in fp16 their intersection over union is 0.97 or better, or they differ in no
/// more than the share of pixels whose expected logit is nearer to the threshold than the noise that tensors may have:
/// networks with random weights have many.
void compare_instances(const Fixture& fixture, std::size_t image, const std::vector<Instance>& got,
                       const std::vector<ExpectedInstance>& want, Compute precision);

}  // namespace maskrt::testing
