// Every model family: what it says of itself, that its configs are read and its random weights run, and the errors for
// configs and overrides of none.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <filesystem>
#include <set>
#include <string>

#include "networks.h"
#include "support/interpreter.h"
#include "weights_tools/builder/counter_generator.h"
#include "weights_tools/config/python_literal.h"
#include "weights_tools/config/yaml.h"
#include "weights_tools/words.h"

namespace maskrt::weights {
namespace {

using Catch::Matchers::Contains;

Config parse(const std::string& yaml, const Overrides& overrides = {}) {
  Config config{"test", parse_yaml(yaml, "test.yaml")};
  apply_overrides(config, overrides);
  return config;
}

std::string refusal(const Config& config) {
  try {
    read_network(config);
  } catch (const Error& error) {
    return error.what();
  }
  return "read";
}

void check_description(const NetworkConfig& config, const BuiltModel& built) {
  const Network& network = *config.network;
  CHECK(!network.summary().empty());
  CHECK(!network.details(built.description.graph).empty());
  CHECK(network.details(built.description.graph).find('?') == std::string::npos);
  CHECK(network.classes().count > 0);
  CHECK(network.default_labels().size() == static_cast<std::size_t>(network.classes().count));
  CHECK(config.unread_keys.empty());  // a fact that inference does not read has no place among them
  CHECK(tensor_names(config) == std::set<std::string>(built.names.begin(), built.names.end()));
  for (const auto& tensor : built.tensors) {
    INFO(tensor.name);
    const UniformRange range = range_of(tensor.fill, tensor.shape);
    CHECK((range.scale > 0 || range.offset != 0));
  }
  const auto& model = built.description;
  graph::check(model.graph);
  CHECK(model.name == config.name);
  CHECK(!graph::tasks_of(model.head).empty());
  graph::check(model.head, model.graph, graph::infer_extents(model.graph, 1, 256, 256));
  CHECK(!model.graph.outputs.empty());
}

// The side of the smallest picture, of at least 64 pixels, that has room for the queries that a network selects.
std::int64_t smallest_side(const graph::Graph& graph) {
  for (std::int64_t side = 64;; side += 32) {
    try {
      graph::infer_extents(graph, 1, side, side);
      return side;
    } catch (const Error&) {
      if (side > 512) throw;
    }
  }
}

void check_runs(const graph::Graph& graph) {
  const std::int64_t side = smallest_side(graph);
  const graph::Extent extent{1, side, side, 3, false};
  const auto values = testing::interpret(graph, testing::from_nchw(extent, generate("image", extent.elements(), 2, 0)));
  for (std::size_t i = 0; i < values.size(); ++i) {
    INFO(graph.values[i].name);
    CHECK(std::all_of(values[i].data.begin(), values[i].data.end(), [](double v) { return std::isfinite(v); }));
  }
  for (const graph::ValueId output : graph.outputs) {
    INFO(graph.values[static_cast<std::size_t>(output)].name);
    const auto& data = values[static_cast<std::size_t>(output)].data;
    REQUIRE(!data.empty());
    const auto [least, most] = std::minmax_element(data.begin(), data.end());
    CHECK(*least < *most);
    CHECK(std::abs(*least) < 1000);
    CHECK(std::abs(*most) < 1000);
  }
}

TEST_CASE("every folder of weights_tools/families is a family of the list") {
  std::size_t folders = 0;
  for (const auto& entry : std::filesystem::directory_iterator(MASKRT_TEST_DATA "/../../weights_tools/families"))
    folders += entry.is_directory();
  CHECK(folders == all_families().size());
}

TEST_CASE("every family reads, describes and builds its published configs, and one of them runs on random weights") {
  REQUIRE(!all_families().empty());
  std::set<std::string_view> names, published_names_seen;
  for (const Family& family : all_families()) {
    INFO(family.name);
    CHECK(names.insert(family.name).second);
    CHECK(!family.random_seed.empty());
    bool ran = false;
    for (const PublishedConfig& published : family.published) {
      INFO(published.name);
      CHECK(published_names_seen.insert(published.name).second);
      const Config config = published_config(published.name);
      ConfigReader reader(config.root);
      CHECK(&find_family(reader) == &family);
      for (const Family& other : all_families())
        if (&other != &family) CHECK_FALSE(other.recognises(reader));
      const auto network = read_network(config);
      const auto built = build_random_model(network);
      CHECK(network.family == &family);
      check_description(network, built);
      if (!ran) check_runs(built.description.graph);
      ran = true;
    }
    CHECK(ran);
  }
}

TEST_CASE("no key is listed twice, neither among those that a network reads nor among those that it does not") {
  std::vector<std::string> unread = training_keys();
  for (const Family& family : all_families())
    for (const auto& sections : {family.training_keys, family.idle_keys})
      for (auto& key : dotted_keys(sections)) unread.push_back(std::move(key));
  const std::set<std::string> distinct(unread.begin(), unread.end());
  CHECK(distinct.size() == unread.size());
  for (const Family& family : all_families())
    for (const PublishedConfig& published : family.published) {
      const Config config = published_config(published.name);
      ConfigReader reader(config.root);
      family.read(reader);
      for (const auto& key : reader.asked()) {
        INFO(key);
        CHECK(!distinct.contains(key));
      }
    }
}

TEST_CASE("a config of no family is refused with the names of those that there are") {
  std::vector<std::string> names;
  for (const Family& family : all_families()) names.emplace_back(family.name);
  const std::string expected = "MODEL.META_ARCHITECTURE: expected " + joined(names, "or");
  CHECK_THAT(expected, Contains("SparseInst"));
  CHECK_THAT(expected, Contains("FastInst"));
  CHECK(refusal(parse("MODEL: {META_ARCHITECTURE: MyNetwork}")) == expected + ", found 'MyNetwork'");
  CHECK(refusal(parse("VERSION: 2")) == expected + ", found 'GeneralizedRCNN'");
}

TEST_CASE("published configs are known by name") {
  const auto names = published_names();
  std::size_t count = 0;
  for (const Family& family : all_families()) count += family.published.size();
  CHECK(names.size() == count);
  CHECK(std::is_sorted(names.begin(), names.end()));
  for (const auto& name : names) CHECK(published_config(name).name == name);
  CHECK(find_config("sparse_inst_r50_giam").name == "sparse_inst_r50_giam");
  CHECK(find_config("sparse_inst_r50_giam.yaml").name == "sparse_inst_r50_giam");
  CHECK_THROWS_WITH(find_config("sparse_inst_r51"),
                    Contains("sparse_inst_r50_giam") && Contains("found 'sparse_inst_r51'"));
  CHECK_THROWS_WITH(find_config("./no/such.yaml"), Contains("no/such.yaml, found nothing"));
}

const std::string kConfig =
    "MODEL: {META_ARCHITECTURE: SparseInst, SPARSE_INST: {ENCODER: {NAME: InstanceContextEncoder}}, PIXEL_SDT: 1}\n"
    "MINE: {DEPTH_HEAD: {WIDTH: 3}}\n"
    "SOLVER: {BASE_LR: 1}\n";

TEST_CASE(
    "an override that neither inference nor training reads is an error with the nearest key that one of them does") {
  const auto refused = [](const std::string& key, const std::string& nearest, const std::string& value = "1") {
    CAPTURE(key);
    const std::string named = value.front() == '{' ? key + ".NMAE" : key;
    CHECK(refusal(parse(kConfig, {{key, value}})) ==
          named +
              " (the command line): expected a key that this network or its training reads, found one that neither "
              "does" +
              (nearest.empty() ? "" : "; the nearest is " + nearest));
  };
  refused("MODEL.PIXEL_SDT", "MODEL.PIXEL_STD");
  refused("MODEL.RESNET.DEPTH", "MODEL.RESNETS.DEPTH");
  refused("MODEL.SPARSE_INST.DECODER.NUM_CLASS", "MODEL.SPARSE_INST.DECODER.NUM_CLASSES");
  refused("model.pixel_std", "MODEL.PIXEL_STD");
  refused("CLS_THRESHOLD", "MODEL.SPARSE_INST.CLS_THRESHOLD");
  refused("SPARSE_INST.CLS_THRESHOLD", "MODEL.SPARSE_INST.CLS_THRESHOLD");
  refused("SOLVER.BASE_LRR", "SOLVER.BASE_LR");
  refused("QUITE.ANOTHER.THING", "");
  // Known to other networks, to the file alone, and to nothing at all in spite of its name.
  refused("MODEL.FASTINST.TEST.INSTANCE_ON", "");
  refused("TEST.DETECTIONS_PER_IMAGE", "");
  refused("MINE.DEPTH_HEAD.WIDTH", "");
  refused("MODEL.SPARSE_INST.ENCODER.NORM", "MODEL.SPARSE_INST.ENCODER.NAME");
  // One key in a mapping, and a mapping of which no key is known.
  refused("MODEL.SPARSE_INST.LOSS", "MODEL.SPARSE_INST.LOSS.NAME", "{'NMAE': 'x'}");
  CHECK_THAT(refusal(parse(kConfig, {{"MODEL.CSPNET", "{}"}})),
             Contains("MODEL.CSPNET (the command line): expected a key"));
}

TEST_CASE("an override that only training reads passes, and the report tells of it") {
  const auto config = read_network(parse(kConfig, {{"SOLVER.CLIP_GRADIENTS.ENABLED", "True"},
                                                   {"VERSION", "2"},
                                                   {"DATASETS.TEST", "('x',)"},
                                                   {"MODEL.WEIGHTS", "model_final.pth"},
                                                   {"MODEL.FASTINST.CLASS_WEIGHT", "2.0"},
                                                   {"MODEL.RESNETS.DEPTH", "101"},
                                                   {"MODEL.RESNETS.OUT_FEATURES", "['res3', 'res4', 'res5']"},
                                                   {"MODEL.SPARSE_INST.LOSS", "{'NAME': 'x'}"},
                                                   {"TEST.AUG", "{}"}}));
  CHECK_THAT(config.network->summary(), Contains("ResNet-101"));
  CHECK(config.unread_overrides == std::vector<std::string>{"SOLVER.CLIP_GRADIENTS.ENABLED", "VERSION", "DATASETS.TEST",
                                                            "MODEL.WEIGHTS", "MODEL.FASTINST.CLASS_WEIGHT",
                                                            "MODEL.SPARSE_INST.LOSS.NAME"});
  // What a file says is a project's own business: lines of the report.
  CHECK(config.unread_keys == std::vector<std::string>{"MODEL.PIXEL_SDT", "MINE.DEPTH_HEAD.WIDTH", "SOLVER.BASE_LR"});
  CHECK(config.likely_mistakes == std::vector<std::string>{"MODEL.PIXEL_SDT (MODEL.PIXEL_STD?)"});
}

TEST_CASE("keys that nothing reads are no mistakes in a file") {
  const auto config =
      read_network(parse("MODEL: {META_ARCHITECTURE: SparseInst, SPARSE_INST: {MAX_DETECTIONS: 5, ENCODER: {NAME: "
                         "InstanceContextEncoder, NORM: ''}}}"));
  CHECK(config.unread_keys ==
        std::vector<std::string>{"MODEL.SPARSE_INST.MAX_DETECTIONS", "MODEL.SPARSE_INST.ENCODER.NORM"});
  CHECK(config.likely_mistakes.empty());
}

}  // namespace
}  // namespace maskrt::weights
