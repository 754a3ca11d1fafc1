#include "fixture_checks.h"

#include <algorithm>
#include <bit>
#include <catch2/catch.hpp>
#include <cmath>

#include "runtime/input_size.h"

namespace maskrt::testing {
namespace {

double bound_of(const Noise& noise, Compute precision) {
  if (precision == Compute::bf16) return 12 * noise.fp16_rms;
  // tf32 has as many bits as fp16 has, and rounds factors alone.
  if (precision == Compute::fp16 || precision == Compute::tf32) return 2 * noise.fp16_rms;
  return std::max(4 * noise.fp32_rms, 1e-5 * noise.deviation);
}

/// Largest difference of a final score that noise in the logits explains: sqrt(sigmoid * sigmoid) moves by at most half
/// of either logit, the mean of sigmoids by a quarter of the mask logits. Four times, as for the tensors.
double score_bound(const Fixture& fixture, Compute precision) {
  const auto worst = [&](const char* name) {
    const Noise& noise = fixture.noise.at(name);
    return precision == Compute::fp32 ? noise.fp32_max : noise.fp16_max;
  };
  const double classes = worst("class_logits"), objectness = worst("objectness_logits"), masks = worst("mask_logits");
  return std::max(1e-6, 4 * (0.5 * classes + 0.5 * objectness + 0.25 * masks));
}

/// Every k-th channel of an NCHW tensor; of a list every k-th vector.
std::vector<float> take_every(const HostTensor& tensor, int k) {
  if (k == 1) return tensor.values;
  const std::int64_t batch = tensor.shape[0], channels = tensor.shape[1];
  const std::int64_t plane = elements(tensor.shape) / (batch * channels);
  std::vector<float> taken;
  for (std::int64_t b = 0; b < batch; ++b)
    for (std::int64_t c = 0; c < channels; c += k)
      for (std::int64_t i = 0; i < plane; ++i)
        taken.push_back(tensor.values[static_cast<std::size_t>((b * channels + c) * plane + i)]);
  return taken;
}

const graph::SparseInstHead& head_of(const Fixture& fixture) {
  return std::get<graph::SparseInstHead>(fixture.model.head);
}

/// How far one pixel of the stride-4 map that crosses the mask threshold moves the score: the mean of n probabilities
/// above T changes by at most (1 - T) / n, and the score before rescoring is at most score / T. Logits nearer to the
/// threshold than the noise do cross.
double crossing_bound(const Fixture& fixture, const ExpectedInstance& instance) {
  const graph::Preprocessing& pre = fixture.model.preprocessing;
  const ImageSize resized = resized_size({instance.mask.width, instance.mask.height}, pre.min_size, pre.max_size);
  const double map_pixels_per_pixel =
      resized.width * resized.height / 16.0 / (double{1} * instance.mask.width * instance.mask.height);
  const double n = std::max(1.0, static_cast<double>(instance.area) * map_pixels_per_pixel);
  const double threshold = head_of(fixture).mask_threshold;
  return (1 - threshold) / n * instance.score / threshold;
}

struct Overlap {
  std::int64_t either = 0, both = 0;
};

Overlap overlap_of(const Mask& got, const rle::Runs& want) {
  const auto words = rle::to_bits(want);
  Overlap overlap;
  REQUIRE(got.height() == want.height);
  REQUIRE(got.width() == want.width);
  REQUIRE(got.bits().size() == words.size());
  for (std::size_t i = 0; i < words.size(); ++i) {
    overlap.either += std::popcount(words[i] | got.bits()[i]);
    overlap.both += std::popcount(words[i] & got.bits()[i]);
  }
  return overlap;
}

std::vector<std::filesystem::path> folders_named(const std::string& part) {
  std::vector<std::filesystem::path> named;
  for (const auto& folder : fixture_folders())
    if (folder.filename().string().find(part) != std::string::npos) named.push_back(folder);
  return named;
}

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

/// For each instance that the expected logits of one image keep, in order: the share of its map's positions that lie
/// nearer to the mask threshold than fp16 may be off. Empty where the fixture has not all the tensors.
std::vector<double> borderline_shares(const Fixture& fixture, std::size_t image) {
  if (fixture.every.count("mask_logits") != 0) return {};
  const HostTensor& classes = fixture.tensors.at("class_logits");
  const HostTensor& objectness = fixture.tensors.at("objectness_logits");
  const HostTensor& masks = fixture.tensors.at("mask_logits");
  const auto queries = static_cast<std::size_t>(classes.shape[1]), kinds = static_cast<std::size_t>(classes.shape[2]);
  const auto plane = static_cast<std::size_t>(masks.shape[2] * masks.shape[3]);
  const double t = head_of(fixture).mask_threshold, threshold = std::log(t / (1 - t));
  const double near = bound_of(fixture.noise.at("mask_logits"), Compute::fp16);
  std::vector<double> shares;
  for (std::size_t q = image * queries; q < (image + 1) * queries; ++q) {
    const float* logits = classes.values.data() + q * kinds;
    const double score = std::sqrt(sigmoid(*std::max_element(logits, logits + kinds)) * sigmoid(objectness.values[q]));
    if (score <= head_of(fixture).score_threshold) continue;
    const float* map = masks.values.data() + q * plane;
    const auto count = std::count_if(map, map + plane, [&](float x) { return std::fabs(x - threshold) <= near; });
    shares.push_back(static_cast<double>(count) / static_cast<double>(plane));
  }
  return shares;
}

}  // namespace

std::vector<std::filesystem::path> sparse_inst_fixtures() { return folders_named("sparse_inst"); }
std::vector<std::filesystem::path> fast_inst_fixtures() { return folders_named("fastinst"); }

std::filesystem::path smallest_fixture() {
  for (const auto& folder : sparse_inst_fixtures())
    if (folder.filename() == "sparse_inst_r18_base") return folder;
  throw Error("expected the fixture sparse_inst_r18_base, found none");
}

void compare_tensors(const Fixture& fixture, const std::map<std::string, HostTensor>& found, Compute precision,
                     bool all) {
  for (const auto& [name, expected] : fixture.tensors) {
    const auto got = found.find(name);
    if (got == found.end()) {
      INFO(name << " is neither kept nor an output");
      CHECK(!all);
      continue;
    }
    const auto every = fixture.every.find(name);
    const auto values = take_every(got->second, every == fixture.every.end() ? 1 : every->second);
    REQUIRE(values.size() == expected.values.size());
    double sum = 0, worst = 0;
    std::size_t at = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
      const double difference = std::fabs(double{values[i]} - double{expected.values[i]});
      sum += difference * difference;
      if (!(difference <= worst)) {
        worst = difference;
        at = i;
      }
    }
    const double rms = std::sqrt(sum / static_cast<double>(values.size()));
    // The input is the resize's own bytes, normalised: one rounding away from exact (a half of 2^-8 of it in bf16).
    Noise noise{1, 0.25e-6, 1e-6, 2e-4, 4e-3};
    if (const auto known = fixture.noise.find(name); known != fixture.noise.end()) noise = known->second;
    const double bound = bound_of(noise, precision);
    INFO(fixture.name << " " << name << ": rms " << rms << ", bound " << bound << "; worst at " << at << ": got "
                      << values[at] << ", want " << expected.values[at]);
    CHECK(rms <= bound);
  }
}

void compare_instances(const Fixture& fixture, std::size_t image, const std::vector<Instance>& got,
                       const std::vector<ExpectedInstance>& want, Compute precision) {
  const double bound = score_bound(fixture, precision);
  std::vector<double> borderline_share;
  if (precision != Compute::fp32) borderline_share = borderline_shares(fixture, image);
  borderline_share.resize(want.size());
  const double borderline = head_of(fixture).score_threshold + bound;
  std::size_t g = 0, w = 0;
  while (g < got.size() || w < want.size()) {
    // Random weights make many instances of one class and nearly one score: their masks tell them apart.
    const bool alike = g < got.size() && w < want.size() && got[g].class_id == want[w].class_id &&
                       std::fabs(got[g].score - want[w].score) <= bound + crossing_bound(fixture, want[w]);
    const std::int64_t area = w < want.size() ? std::int64_t{want[w].mask.height} * want[w].mask.width : 0;
    const Overlap overlap = alike ? overlap_of(got[g].mask, want[w].mask) : Overlap{};
    const auto apart = static_cast<double>(overlap.either - overlap.both);
    const double apart_bound = precision == Compute::fp32
                                   ? 0.001 * static_cast<double>(area)
                                   : std::max(0.03 * static_cast<double>(overlap.either),
                                              (alike ? borderline_share[w] : 0.0) * static_cast<double>(area));
    const bool same = alike && apart <= apart_bound;
    if (!same) {
      INFO(fixture.name << ": got instance " << g << " of " << got.size() << " ("
                        << (g < got.size() ? got[g].score : -1) << "), want " << w << " of " << want.size() << " ("
                        << (w < want.size() ? want[w].score : -1) << "), bound " << bound << "; " << apart
                        << " pixels of their masks apart, bound " << apart_bound);
      if (g < got.size() && got[g].score <= borderline) {
        ++g;
      } else {
        REQUIRE((w < want.size() && want[w].score <= borderline));
        ++w;
      }
      continue;
    }
    ++g;
    ++w;
  }
}

}  // namespace maskrt::testing
