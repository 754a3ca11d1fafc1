// Instance activation maps on the CPU against those of the authors' code.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>

#include "activation_planes.h"
#include "runtime/model.h"
#include "support/files.h"
#include "support/fixture_checks.h"

namespace maskrt::testing {

TEST_CASE("Activation maps are those of the authors' code", "[fixtures]") {
  const auto folder = GENERATE(from_range(sparse_inst_fixtures()));
  const TemporaryFolder scratch;
  const Fixture fixture = load_fixture(folder, scratch.path());
  INFO(fixture.name);
  if (!fixture.tensors.contains("iam_logits")) return;  // wide ones hold slices of other values
  const HostTensor& logits = fixture.tensors.at("iam_logits");
  const Noise& noise = fixture.noise.at("iam_logits");
  const double rms_bound = std::max(4 * noise.fp32_rms, 1e-5 * noise.deviation);
  const auto& nodes = fixture.model.graph.nodes;
  const bool soft = std::any_of(nodes.begin(), nodes.end(), [](const graph::Node& node) {
    return std::holds_alternative<graph::SoftmaxMaps>(node.operation);
  });

  ModelOptions options;
  options.device = "cpu";
  options.precision = Compute::fp32;
  options.activations = true;
  const Model model = make_model(fixture.model, options);
  CHECK(model.info().has_activations);
  Session session(model);
  session.run(fixture.images);
  const std::vector<ActivationMaps> images = session.activations();
  REQUIRE(images.size() == fixture.images.size());
  for (std::size_t b = 0; b < images.size(); ++b) {
    const ActivationMaps& maps = images[b];
    REQUIRE(maps.height() == logits.shape[2]);
    REQUIRE(maps.width() == logits.shape[3]);
    REQUIRE(maps.count() == logits.shape[1]);
    CHECK(maps.queries() == fixture.tensors.at("class_logits").shape[1]);
    double squares = 0, most_relative = 0;
    std::size_t numbers = 0;
    for (int m = 0; m < maps.count(); ++m) {
      const std::vector<float> found = maps.map(m);
      const std::vector<double> expected = activated(plane_of(logits, b, static_cast<std::size_t>(m)), soft);
      for (std::size_t i = 0; i < found.size(); ++i) {
        squares += std::pow(double{found[i]} - expected[i], 2);
        most_relative = std::max(most_relative, std::abs(double{found[i]} / expected[i] - 1));
      }
      numbers += found.size();
    }
    const double rms = std::sqrt(squares / static_cast<double>(numbers));
    // A sigmoid moves by a quarter of its logit at most. Of a softmax, numerator and sum by a factor of e^error each.
    if (!soft) CHECK(rms <= 0.25 * rms_bound + 1e-7);
    if (soft) CHECK(most_relative <= std::exp(2 * std::max(4 * noise.fp32_max, 1e-5)) - 1 + 1e-5);
  }
}

}  // namespace maskrt::testing
