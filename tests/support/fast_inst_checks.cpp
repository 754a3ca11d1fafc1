#include "fast_inst_checks.h"

#include <algorithm>
#include <bit>
#include <catch2/catch.hpp>
#include <cmath>

#include "runtime/executor.h"
#include "runtime/input_image.h"
#include "runtime/model.h"

namespace maskrt::testing {
namespace {

/// The largest error of a logit in fp32, four times the authors' own, as for the tensors.
double logit_noise(const Fixture& fixture, const char* name) { return 4 * fixture.noise.at(name).fp32_max; }

std::int64_t pixels_apart(const Mask& got, const rle::Runs& want) {
  const auto words = rle::to_bits(want);
  REQUIRE(got.height() == want.height);
  REQUIRE(got.width() == want.width);
  REQUIRE(got.bits().size() == words.size());
  std::int64_t apart = 0;
  for (std::size_t i = 0; i < words.size(); ++i) apart += std::popcount(words[i] ^ got.bits()[i]);
  return apart;
}

/// Whether an instance is the one that is wanted: a probability moves by half of the noise of its logit at most, the
/// mean of a mask's by a quarter, and by a half for each pixel that is in one mask alone.
bool matches(const Fixture& fixture, const Instance& got, const ExpectedInstance& want) {
  if (got.class_id != want.class_id) return false;
  const std::int64_t apart = pixels_apart(got.mask, want.mask);
  if (apart * 1000 > std::int64_t{want.mask.width} * want.mask.height) return false;
  const auto inside = static_cast<double>(std::max<std::int64_t>(1, std::min(got.mask.area(), want.area)));
  const double bound =
      std::max(1e-6, 0.5 * logit_noise(fixture, "class_logits") + 0.25 * logit_noise(fixture, "mask_logits") +
                         0.5 * static_cast<double>(apart) / inside);
  return std::fabs(double{got.score} - double{want.score}) <= bound;
}

/// Whether a logit of a mask of attention may be on the other side of 0.
bool is_undecided(const Fixture& fixture, const std::string& name, float logit) {
  return std::fabs(double{logit}) <= logit_noise(fixture, name.c_str());
}

}  // namespace

std::vector<std::string> deciding_values(const Fixture& fixture) {
  std::vector<std::string> names = {"query_positions"};
  for (const auto& [name, tensor] : fixture.tensors)
    if (name.starts_with("mask_logits_")) names.push_back(name);
  return names;
}

bool decides_alike(const Fixture& fixture, const std::map<std::string, HostTensor>& kept) {
  for (const std::string& name : deciding_values(fixture)) {
    const std::vector<float>&want = fixture.tensors.at(name).values, &got = kept.at(name).values;
    REQUIRE(got.size() == want.size());
    for (std::size_t i = 0; i < want.size(); ++i) {
      const bool same = name == "query_positions" ? got[i] == want[i] : (got[i] < 0) == (want[i] < 0);
      if (!same) return false;
    }
  }
  return true;
}

std::map<std::string, HostTensor> tensors_at_positions(const Model& model, const Fixture& fixture, int threads,
                                                       Compute precision) {
  const Model::Impl& impl = *model.impl();
  std::vector<ImageToProcess> images = images_to_process(fixture.images);
  const ImageSize size = fit(images, input_settings(impl.description.preprocessing));
  const auto stream = impl.device->open_stream({threads});
  const Plan plan(*impl.network, static_cast<std::int64_t>(images.size()), size.height, size.width, threads);
  const Program& program = plan.program();
  Arena arena(*stream);
  arena.reserve(plan.arena_bytes());
  const auto read = [&](const Program::Binding& binding, const kernels::Tensor& tensor) {
    const graph::Extent& e = binding.extent;
    return HostTensor{e.list ? Shape{e.batch, e.height, e.channels} : Shape{e.batch, e.channels, e.height, e.width},
                      stream->read(tensor, e.list)};
  };

  const auto give_positions = [&](const HostTensor& given, const kernels::Tensor& tensor) {
    REQUIRE(static_cast<std::size_t>(tensor.batch * tensor.height) == given.values.size());
    REQUIRE(tensor.type == DataType::i32);
    stream->write(tensor, given.values);
  };
  const auto give_signs = [&](const std::string& name, const kernels::Tensor& tensor) {
    std::vector<float> logits = stream->read(tensor, false);
    const std::vector<float>& given = fixture.tensors.at(name).values;
    REQUIRE(logits.size() == given.size());
    bool changed = false;
    for (std::size_t i = 0; i < given.size(); ++i) {
      if ((logits[i] < 0) == (given[i] < 0) || !is_undecided(fixture, name, given[i])) continue;
      logits[i] = given[i];
      changed = true;
    }
    if (changed) stream->write(tensor, logits);
  };
  std::map<std::string, Plan::Change> changes;
  for (const std::string& name : deciding_values(fixture)) {
    if (!program.outputs.contains(name) || (precision != Compute::fp32 && name != "query_positions")) continue;
    changes[name] = [&, name](const kernels::Tensor& tensor) {
      if (name == "query_positions") {
        give_positions(fixture.tensors.at(name), tensor);
      } else {
        give_signs(name, tensor);
      }
    };
  }

  std::map<std::string, HostTensor> found;
  stream->preprocess(images, normalisation_of(impl.description.preprocessing), plan.input(arena));
  found["input"] = read(program.input, plan.input(arena));
  plan.run_changing(arena, changes);
  for (const std::string& name : impl.outputs) found[name] = read(program.outputs.at(name), plan.output(arena, name));
  return found;
}

void compare_tensors_at_positions(const Fixture& fixture, const std::map<std::string, HostTensor>& found,
                                  Compute precision, bool all) {
  Fixture values = fixture;
  // What is found in the tensors is compared elsewhere.
  std::erase_if(values.tensors, [](const auto& tensor) {
    return tensor.first.starts_with("panoptic.") || tensor.first.starts_with("semantic.") ||
           tensor.first == "query_positions";
  });
  if (const auto features = values.tensors.find("query_features"); features != values.tensors.end()) {
    // [B, C, Q] there, a list here.
    const HostTensor from = features->second;
    const std::int64_t batch = from.shape[0], channels = from.shape[1], queries = from.shape[2];
    HostTensor& to = features->second;
    to.shape = {batch, queries, channels};
    for (std::int64_t b = 0; b < batch; ++b)
      for (std::int64_t c = 0; c < channels; ++c)
        for (std::int64_t q = 0; q < queries; ++q)
          to.values[static_cast<std::size_t>((b * queries + q) * channels + c)] =
              from.values[static_cast<std::size_t>((b * channels + c) * queries + q)];
  }
  compare_tensors(values, found, precision, all);
}

void compare_instances_by_mask(const Fixture& fixture, const std::vector<Instance>& got,
                               const std::vector<ExpectedInstance>& want) {
  INFO(fixture.name);
  REQUIRE(got.size() == want.size());
  CHECK(std::is_sorted(got.begin(), got.end(), [](const auto& a, const auto& b) { return a.score > b.score; }));
  std::vector<bool> taken(got.size());
  for (std::size_t w = 0; w < want.size(); ++w) {
    std::size_t g = 0;
    while (g < got.size() && (taken[g] || !matches(fixture, got[g], want[w]))) ++g;
    INFO("instance " << w << " of " << want.size() << ", class " << want[w].class_id << ", score " << want[w].score
                     << ", area " << want[w].area << ", is not found");
    REQUIRE(g < got.size());
    taken[g] = true;
    const Instance& found = got[g];
    const Box& box = found.box;
    CHECK(box.of == BoxOf::mask);
    CHECK((box.width > 0) == (found.mask.area() > 0));
  }
}

void compare_classes(const Fixture& fixture, std::size_t image, const SemanticMap& got) {
  const HostTensor& scores = fixture.tensors.at("semantic." + std::to_string(image));
  INFO(fixture.name << ", image " << image);
  REQUIRE(scores.shape == Shape{scores.shape[0], got.height, got.width});
  const auto plane = static_cast<std::size_t>(got.height) * static_cast<std::size_t>(got.width);
  REQUIRE(got.class_ids.size() == plane);
  // A score sums a query's share, of 1 at most, times its probability: what noise moves is at most this, twice as two
  // scores are compared, and fp16 has rounded both.
  const auto queries = static_cast<double>(fixture.tensors.at("class_logits").shape[1]);
  const double noise =
      2 * queries * (0.5 * logit_noise(fixture, "class_logits") + 0.25 * logit_noise(fixture, "mask_logits"));
  for (std::size_t i = 0; i < plane; ++i) {
    double most = 0;
    for (std::size_t c = 0; c < static_cast<std::size_t>(scores.shape[0]); ++c)
      most = std::max(most, double{scores.values[c * plane + i]});
    const auto class_id = static_cast<std::size_t>(got.class_ids[i]);
    REQUIRE(class_id < static_cast<std::size_t>(scores.shape[0]));
    if (double{scores.values[class_id * plane + i]} < most * (1 - 0x1p-10) - noise)
      FAIL("pixel " << i << ": class " << class_id << " has " << scores.values[class_id * plane + i] << ", the best "
                    << most);
  }
}

void compare_segments(const Fixture& fixture, std::size_t image, const PanopticMap& got) {
  const HostTensor& ids = fixture.tensors.at("panoptic." + std::to_string(image));
  INFO(fixture.name << ", image " << image);
  REQUIRE(ids.shape == Shape{got.height, got.width});
  REQUIRE(ids.values.size() == got.ids.size());
  std::size_t apart = 0;
  for (std::size_t i = 0; i < got.ids.size(); ++i) apart += static_cast<float>(got.ids[i]) != ids.values[i];
  CHECK(apart * 1000 <= got.ids.size());
  const std::vector<ExpectedSegment>& want = fixture.segments.at(image);
  REQUIRE(got.segments.size() == want.size());
  for (std::size_t s = 0; s < want.size(); ++s) {
    INFO("segment " << s + 1);
    CHECK(got.segments[s].id == static_cast<std::int32_t>(s) + 1);
    CHECK(got.segments[s].class_id == want[s].class_id);
    CHECK(got.segments[s].is_thing == want[s].is_thing);
    CHECK((got.segments[s].score > 0) == want[s].is_thing);
    CHECK(got.segments[s].area == std::count(got.ids.begin(), got.ids.end(), got.segments[s].id));
  }
}

bool compare_found(const Fixture& fixture, Session& session) {
  if (fixture.batched.empty()) return true;
  const auto batched = session.run(fixture.images);
  REQUIRE(batched.size() == fixture.batched.size());
  if (!decides_alike(fixture, session.kept())) return false;
  for (std::size_t i = 0; i < batched.size(); ++i) compare_instances_by_mask(fixture, batched[i], fixture.batched[i]);
  for (std::size_t i = 0; i < fixture.single.size(); ++i)
    compare_instances_by_mask(fixture, session.run(fixture.images[i]), fixture.single[i]);
  const auto result = [&](std::size_t image, Task task) {
    RunOptions options;
    options.task = task;
    const std::vector<InputImage> images = {fixture.images[image]};
    return session.results(images, options).at(0);
  };
  for (std::size_t i = 0; i < fixture.images.size(); ++i) {
    if (fixture.tensors.contains("semantic." + std::to_string(i)))
      compare_classes(fixture, i, std::get<SemanticMap>(result(i, Task::semantic)));
    if (fixture.tensors.contains("panoptic." + std::to_string(i)))
      compare_segments(fixture, i, std::get<PanopticMap>(result(i, Task::panoptic)));
  }
  return true;
}

}  // namespace maskrt::testing
