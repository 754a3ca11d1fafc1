// A network in memory, whose outputs no model file has vouched for: each plan is checked before anything is read.
#include <catch2/catch.hpp>

#include "support/small_network.h"
#include "runtime/model.h"

namespace maskrt::testing {
namespace {

using Catch::Matchers::Contains;

/// The network with its outputs changed.
template <typename Change>
std::string error_with(const Change& change) {
  Dice dice(5);
  graph::ModelDescription description;
  description.graph = small_sparse_inst(dice);
  description.categories.resize(3);
  change(description.graph);
  ModelOptions options;
  options.device = "cpu";
  options.rewrites_off = {"all"};
  SessionOptions session_options;
  session_options.threads = 1;
  Session session(make_model(std::move(description), options), session_options);
  const std::vector<std::uint8_t> pixels(std::size_t{3} * 64 * 64, 100);
  try {
    session.run(Image::from_pixels(pixels.data(), 64, 64, PixelFormat::rgb));
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

void call_it(graph::Graph& graph, const char* value, const char* name) {
  graph.values.at(static_cast<std::size_t>(graph.find(value))).name = name;
}

TEST_CASE("Outputs that post-processing cannot read are an error, not foreign memory") {
  CHECK(error_with([](graph::Graph&) {}) == "");
  CHECK_THAT(error_with([](graph::Graph& graph) { call_it(graph, "objectness_logits", "something"); }),
             Contains("found no objectness_logits"));
  // A list where a map should be, and one with more numbers than one a query.
  CHECK_THAT(error_with([](graph::Graph& graph) {
               call_it(graph, "mask_logits", "x");
               call_it(graph, "class_logits", "mask_logits");
               call_it(graph, "x", "class_logits");
             }),
             Contains("output class_logits: expected a list"));
  CHECK_THAT(error_with([](graph::Graph& graph) {
               call_it(graph, "objectness_logits", "x");
               call_it(graph, "class_logits", "objectness_logits");
               call_it(graph, "x", "class_logits");
             }),
             Contains("output objectness_logits: expected a list with one number"));
  // Masks of fewer queries: the first half of them.
  CHECK_THAT(error_with([](graph::Graph& graph) {
               const graph::ValueId all = graph.find("mask_logits");
               call_it(graph, "mask_logits", "all_masks");
               const graph::ValueId some = graph.add("first_masks", graph::Slice{0, 1}, {all}, "mask_logits");
               for (graph::ValueId& output : graph.outputs)
                 if (output == all) output = some;
             }),
             Contains("output mask_logits: expected a map with a channel for each of the "));
}

}  // namespace
}  // namespace maskrt::testing
