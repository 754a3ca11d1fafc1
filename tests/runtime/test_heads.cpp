// A session and the model's head: each plan's values are checked before anything is read of them, results come by task,
// and kept values lie beside them.
#include <catch2/catch.hpp>
#include <cstdlib>

#include "runtime/model.h"
#include "support/small_network.h"

namespace maskrt::testing {
namespace {

using Catch::Matchers::Contains;

/// "cpu", or where the program is to be run on a GPU, real or virtual, "cuda".
std::string device() { return std::getenv("MASKRT_CUDA_DRIVER") != nullptr ? "cuda" : "cpu"; }

graph::ModelDescription small_description() {
  Dice dice(5);
  graph::ModelDescription description;
  description.graph = small_sparse_inst(dice);
  graph::SparseInstHead head = sparse_inst_head(description.graph);
  head.score_threshold = -1;  // every query is an instance, also one whose score is 0
  description.head = head;
  for (int i = 0; i < 3; ++i) description.categories.push_back({10 + i, "class " + std::to_string(i), true, {}});
  return description;
}

Session session_of(graph::ModelDescription description, std::vector<std::string> keep = {},
                   std::set<std::string, std::less<>> off = {"all"}) {
  ModelOptions options;
  options.device = device();
  options.precision = Compute::fp32;
  options.rewrites_off = std::move(off);
  options.keep = std::move(keep);
  SessionOptions session_options;
  session_options.threads = 1;
  return Session(make_model(std::move(description), options), session_options);
}

Image picture() {
  static const std::vector<std::uint8_t> pixels = [] {
    std::vector<std::uint8_t> bytes(std::size_t{3} * 64 * 64);
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i * 37 % 251);
    return bytes;
  }();
  return Image::from_pixels(pixels.data(), 64, 64, PixelFormat::rgb);
}

/// What a run says with a description changed.
template <typename Change>
std::string error_with(const Change& change) {
  graph::ModelDescription description = small_description();
  change(description.graph, std::get<graph::SparseInstHead>(description.head));
  try {
    session_of(std::move(description)).run(picture());
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

TEST_CASE("Values that the head cannot read are an error, not foreign memory") {
  using Graph = graph::Graph;
  using Head = graph::SparseInstHead;
  CHECK(error_with([](Graph&, Head&) {}) == "");
  CHECK_THAT(error_with([](Graph&, Head& head) { head.objectness_logits = -1; }),
             Contains("head SparseInst: expected the network to have an output objectness_logits, found none"));
  // A list where a map should be, and one with more numbers than one a query.
  CHECK_THAT(error_with([](Graph&, Head& head) { std::swap(head.mask_logits, head.class_logits); }),
             Contains("output class_logits: expected a list"));
  CHECK_THAT(error_with([](Graph&, Head& head) { head.mask_logits = head.class_logits; }),
             Contains("output mask_logits: expected a map with a channel for each of the"));
  CHECK_THAT(error_with([](Graph&, Head& head) { std::swap(head.objectness_logits, head.class_logits); }),
             Contains("output objectness_logits: expected a list with one number"));
  // Masks of fewer queries: the first of them.
  CHECK_THAT(error_with([](Graph& graph, Head& head) {
               head.mask_logits = graph.add("first_masks", graph::Slice{0, 1}, {head.mask_logits});
               graph.outputs.push_back(head.mask_logits);
             }),
             Contains("output mask_logits: expected a map with a channel for each of the "));
}

TEST_CASE("A model says what it finds, and a run for anything else is an error") {
  graph::ModelDescription description = small_description();
  ModelOptions options;
  options.device = device();
  const Model model = make_model(description, options);
  CHECK(model.info().head == "SparseInst");
  CHECK(model.info().tasks == std::vector{Task::instances});
  Session session(model);
  RunOptions run;
  run.task = Task::semantic;
  const InputImage images[] = {picture()};
  CHECK_THROWS_WITH(session.results(images, run), Contains("expected a model that finds semantic, found one with head "
                                                           "SparseInst, which finds instances"));
  run.task = static_cast<Task>(7);
  CHECK_THROWS_WITH(session.results(images, run), Contains("RunOptions::task") && Contains("found number 7"));

  description.head = graph::ValuesHead();
  const Model values = make_model(description, options);
  CHECK(values.info().head == "values");
  CHECK(values.info().tasks.empty());
  Session other(values);
  CHECK_THROWS_WITH(other.run(picture()), Contains("with head values, which finds nothing: ask for its tensors"));
  CHECK_THROWS_WITH(other.results(images), Contains("which finds nothing"));
  const Image picture_alone[] = {picture()};
  CHECK(other.tensors(picture_alone).contains("mask_logits"));
}

TEST_CASE("Results by task are those of run, with classes named and boxes the masks'") {
  Session session = session_of(small_description());
  const std::vector<Instance> run = session.run(picture());
  REQUIRE(!run.empty());
  const InputImage images[] = {picture()};
  const std::vector<Result> results = session.results(images);
  REQUIRE(results.size() == 1);
  CHECK(task_of(results[0]) == Task::instances);
  const auto& found = std::get<std::vector<Instance>>(results[0]);
  REQUIRE(found.size() == run.size());
  for (std::size_t i = 0; i < run.size(); ++i) {
    CHECK(found[i].score == run[i].score);
    CHECK(found[i].query == static_cast<int>(i));  // every query is an instance
    CHECK(run[i].query == found[i].query);
    CHECK(found[i].category_id == 10 + found[i].class_id);
    CHECK(found[i].label == "class " + std::to_string(found[i].class_id));
    CHECK(found[i].box.of == BoxOf::mask);
    CHECK(found[i].mask.rle().counts == run[i].mask.rle().counts);
  }
}

TEST_CASE("Kept values are those of the last run, beside its results") {
  // With the device's own rewrites: on a GPU the doubled mask logits are not computed for instances alone.
  Session session = session_of(small_description(), {"encoder", "mask_logits"}, {});
  CHECK_THROWS_WITH(session.kept(), Contains("kept: expected a run whose values are still there"));
  session.run(picture());
  const std::map<std::string, HostTensor> kept = session.kept();
  const Image images[] = {picture()};
  const std::map<std::string, HostTensor> tensors = session.tensors(images);
  CHECK_THROWS_WITH(session.kept(), Contains("found none since the plan last changed"));
  REQUIRE(kept.size() == 2);
  for (const auto& [name, tensor] : kept) {
    INFO(name);
    CHECK(tensor.shape == tensors.at(name).shape);
    CHECK(tensor.values == tensors.at(name).values);
  }
  // What the head reads after a rewrite is no output that anyone asked for.
  std::set<std::string> names;
  for (const auto& [name, tensor] : tensors) names.insert(name);
  CHECK(names == std::set<std::string>{"class_logits", "encoder", "input", "mask_logits", "objectness_logits"});
}

}  // namespace
}  // namespace maskrt::testing
