// What a FastInst fixture's model must compute and find.
#pragma once

#include <span>

#include "fixture_checks.h"

namespace maskrt::testing {

/// The fixture's values by which what follows is decided: the positions of queries, and the masks of attention. In
/// another precision nearly tied positions come in another order, and logits near 0 lie on its other side.
std::vector<std::string> deciding_values(const Fixture& fixture);

/// Every value of the model that it keeps, with the fixture's query positions in place of those that it
/// selects itself, and in fp32 with the signs of the fixture's mask logits where these are nearer to 0 than the noise,
/// as far as the model keeps them. All images as one batch.
std::map<std::string, HostTensor> tensors_at_positions(const Model& model, const Fixture& fixture, int threads,
                                                       Compute precision);

/// Whether the deciding values that a run of all images in fp32 has left, by name, decide as the fixture's do.
bool decides_alike(const Fixture& fixture, const std::map<std::string, HostTensor>& kept);

/// compare_tensors() for such values.
void compare_tensors_at_positions(const Fixture& fixture, const std::map<std::string, HostTensor>& found,
                                  Compute precision, bool all);

/// The same instances of one image, in any order: those of equal classes are matched by their masks. Scores may be off
/// by what the noise in the logits and pixels on the other side of a mask's edge explain; masks may differ in 0.1% of
/// the picture's pixels. fp32 alone.
void compare_instances_by_mask(const Fixture& fixture, const std::vector<Instance>& got,
                               const std::vector<ExpectedInstance>& want);

/// Each pixel's class has the largest of the scores that semantic.I holds for it, within the noise.
void compare_classes(const Fixture& fixture, std::size_t image, const SemanticMap& got);

/// The segments of panoptic.I, in their order, and their pixels but for 0.1%.
void compare_segments(const Fixture& fixture, std::size_t image, const PanopticMap& got);

/// All that is found: in each picture by itself, and in all as one batch; of a model that keeps the deciding values.
/// Whether the run decided as the authors' code did; where it did not, what it found is another matter, which is not
/// compared. fp32 alone.
bool compare_found(const Fixture& fixture, Session& session);

}  // namespace maskrt::testing
