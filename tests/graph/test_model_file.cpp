// The model file: everything written is read again, and whatever else a file holds is an error with a reason.
#include <catch2/catch.hpp>
#include <cstring>
#include <filesystem>
#include <random>
#include <set>

#include "compare.h"
#include "graph/checksum.h"
#include "graph/model_file.h"
#include "graph/print.h"
#include "support/files.h"
#include "support/small_network.h"

using namespace maskrt;
using namespace maskrt::graph;
using namespace maskrt::testing;

namespace {

/// A model built in memory, with the bytes of its constants.
struct Built {
  ModelDescription model;
  std::map<std::string, std::vector<float>> numbers;
  std::vector<TensorToWrite> tensors;

  explicit Built(Graph graph) {
    model.name = "small";
    model.graph = std::move(graph);
    model.head = sparse_inst_head(model.graph);
    model.preprocessing = {false, {123.675f, 116.28f, 103.53f}, {58.395f, 57.12f, 57.375f}, 512, 1333, 32};
    model.categories = {{1, "person", true, {220, 20, 60}}, {3, "S\u00e4ge \"x\"", false, {}}, {90, "", true, {}}};
    for (const auto& node : model.graph.nodes) {
      for (const auto& constant : constants_of(node.operation)) {
        auto& values = numbers[constant->name()];
        values = constant->evaluate();
        tensors.push_back({constant->name(), DataType::f32, constant->shape(), std::as_bytes(std::span(values))});
      }
    }
  }
};

Built small_model() {
  Dice dice(3);
  return Built(small_sparse_inst(dice));
}

std::string error_of(const std::filesystem::path& path) {
  try {
    read_model(path);
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

/// Writes the model's file with one metadata value replaced and a checksum that is right again.
std::string error_with(const TemporaryFolder& folder, const Built& built, const std::string& key,
                       const std::string& value, const std::vector<TensorToWrite>* tensors = nullptr) {
  const auto path = folder / "model";
  write_model(path, built.model, built.tensors);
  auto metadata = Safetensors::read(path).metadata;
  if (value.empty())
    metadata.erase(key);
  else
    metadata[key] = value;
  if (metadata.count("maskrt.checksum") != 0) metadata["maskrt.checksum"] = "xxh3:0000000000000000";
  write_safetensors(path, tensors != nullptr ? *tensors : built.tensors, metadata);
  auto file = read_text(path);
  if (const auto at = find_checksum(file)) {
    const std::span<const std::byte> parts[] = {std::as_bytes(std::span(file))};
    file.replace(*at, kChecksumDigits, checksum(parts, *at));
  }
  write_text(path, file);
  return error_of(path);
}

}  // namespace

TEST_CASE("a model is read as it was written") {
  const TemporaryFolder folder;
  const auto built = small_model();
  const auto path = folder / "model.safetensors";
  write_model(path, built.model, built.tensors);
  const auto read = read_model(path);

  CHECK(read.name == "small");
  CHECK(name_of(read.head) == "SparseInst");
  CHECK(graph_to_json(read.graph) == graph_to_json(built.model.graph));
  CHECK(read.preprocessing.rgb == built.model.preprocessing.rgb);
  for (std::size_t c = 0; c < 3; ++c) {
    CHECK(read.preprocessing.mean[c] == built.model.preprocessing.mean[c]);
    CHECK(read.preprocessing.std[c] == built.model.preprocessing.std[c]);
  }
  CHECK(read.preprocessing.min_size == 512);
  CHECK(read.preprocessing.max_size == 1333);
  CHECK(read.preprocessing.size_divisibility == 32);
  const auto& head = std::get<SparseInstHead>(read.head);
  CHECK(head.score_threshold == 0.005f);
  CHECK(head.mask_threshold == 0.45f);
  CHECK(values_of(read.head) == values_of(built.model.head));
  REQUIRE(read.categories.size() == 3);
  CHECK(read.categories[0].color[2] == 60);
  CHECK(read.categories[1].name == "S\u00e4ge \"x\"");
  CHECK_FALSE(read.categories[1].is_thing);
  CHECK(read.categories[2].id == 90);

  Dice dice(4);
  const auto values = interpret(built.model.graph, dice.map({1, 32, 32, 3}));
  require_same_outputs(built.model.graph, values, read.graph, 0);
  require_same_outputs(built.model.graph, values, read.graph, 0);  // from pages that are read anew

  const auto& metadata = read.storage->metadata;
  CHECK(metadata.at("maskrt.format") == "2");
  CHECK(metadata.at("maskrt.head") ==
        R"({"name":"SparseInst","settings":{"mask_threshold":0.45,"score_threshold":0.005},)"
        R"("values":{"class_logits":"class_logits","mask_logits":"mask_logits",)"
        R"("objectness_logits":"objectness_logits"},"version":1})");
  write_model(folder / "again", built.model, built.tensors);
  CHECK(read_text(folder / "again") == read_text(path));  // the same file each time
}

TEST_CASE("any changed byte is found") {
  const TemporaryFolder folder;
  const auto built = small_model();
  const auto path = folder / "model";
  write_model(path, built.model, built.tensors);
  const auto whole = read_text(path);
  std::mt19937 random(5);
  for (int round = 0; round < 400; ++round) {
    auto damaged = whole;
    // Half of the rounds in the first kilobytes, where the header is.
    const auto at = random() % (round % 2 == 0 ? whole.size() : 4096);
    damaged[at] ^= static_cast<char>(1 << random() % 8);
    INFO("byte " << at);
    REQUIRE(error_of(write_text(path, damaged)) != "");
  }
  const auto digits = find_checksum(whole);
  REQUIRE(digits);
  for (std::size_t i = 0; i < kChecksumDigits; ++i) {
    auto damaged = whole;
    damaged[*digits + i] = damaged[*digits + i] == '0' ? '1' : '0';
    CHECK_THAT(error_of(write_text(path, damaged)), Catch::Contains("the file is damaged or was edited"));
  }
  for (const std::size_t length : {std::size_t{0}, std::size_t{100}, whole.size() / 2, whole.size() - 1})
    CHECK(error_of(write_text(path, whole.substr(0, length))) != "");
}

TEST_CASE("files that are no model say what they are") {
  const TemporaryFolder folder;
  const auto path = folder / "file";
  CHECK_THAT(error_of(write_text(path, "PK\3\4 a zip archive, say")),
             Catch::Contains("expected a maskrt model, found a zip archive"));
  write_safetensors(path, {}, {{"format", "pt"}});
  CHECK_THAT(error_of(path), Catch::Contains("convert it with maskrt-convert"));
  const auto built = small_model();
  CHECK_THAT(error_with(folder, built, "maskrt.format", "3"), Catch::Contains("found 3, which a newer maskrt wrote"));
  CHECK_THAT(error_with(folder, built, "maskrt.checksum", ""), Catch::Contains("expected a maskrt.checksum"));
  for (const auto* key : {"maskrt.name", "maskrt.head", "maskrt.graph", "maskrt.preprocessing", "maskrt.categories"})
    CHECK_THAT(error_with(folder, built, key, ""), Catch::Contains(key));
  CHECK(error_with(folder, built, "maskrt.name", "another") == "");
}

TEST_CASE("metadata out of range") {
  const TemporaryFolder folder;
  const auto built = small_model();
  const auto preprocessing = [&](const std::string& from, const std::string& to) {
    std::string text = R"({"channels":"rgb","max_size":853,"mean":[1,2,3],"min_size":640,"size_divisibility":32,)"
                       R"("std":[1,1,1]})";
    return error_with(folder, built, "maskrt.preprocessing", text.replace(text.find(from), from.size(), to));
  };
  CHECK(preprocessing("rgb", "bgr") == "");
  CHECK_THAT(preprocessing("rgb", "yuv"), Catch::Contains("channels rgb or bgr"));
  CHECK_THAT(preprocessing("853", "1e30"), Catch::Contains("max_size from 0"));
  CHECK_THAT(preprocessing("853", "8.5"), Catch::Contains("max_size from 0"));
  CHECK_THAT(preprocessing("640", "-1"), Catch::Contains("min_size from 0"));
  CHECK_THAT(preprocessing("[1,2,3]", "[1,2]"), Catch::Contains("mean to be 3 numbers"));
  CHECK_THAT(preprocessing("[1,1,1]", "[1,0,1]"), Catch::Contains("std from"));
  CHECK_THAT(preprocessing("32,", "32,\"new\":1,"),
             Catch::Contains("found new, which a newer maskrt may have written"));
  CHECK_THAT(preprocessing("32,", "32,\"min_size\":1,"), Catch::Contains("found \"min_size\" twice"));
  CHECK_THAT(error_with(folder, built, "maskrt.categories", "[]"),
             Catch::Contains("3 classes of head SparseInst, found 0"));
  CHECK_THAT(error_with(folder, built, "maskrt.categories", "[[[[]]]]"), Catch::Contains("nested"));
  const std::string category = R"({"id":1,"name":"a","is_thing":true,"color":[0,0,0]})";
  CHECK_THAT(error_with(folder, built, "maskrt.categories", "[" + category + "," + category + "," + category + "]"),
             Catch::Contains("found 1 twice"));
}

TEST_CASE("graphs that are wrong say which node and why") {
  const TemporaryFolder folder;
  const auto built = small_model();
  const auto plain = graph_to_json(built.model.graph);
  const auto changed = [&](const std::string& from, const std::string& to) {
    auto text = plain;
    const auto at = text.find(from);
    REQUIRE(at != std::string::npos);
    return error_with(folder, built, "maskrt.graph", text.replace(at, from.size(), to));
  };
  CHECK_THAT(changed("\"backbone.stem.conv1.weight\"", "\"missing\""),
             Catch::Contains("node backbone.stem.conv1") && Catch::Contains("found missing"));
  CHECK_THAT(changed("\"backbone.stem.conv1.weight\"", "null"), Catch::Contains("expected weight to name a tensor"));
  CHECK_THAT(changed("\"backbone.stem.conv1.weight\"", "\"backbone.res2.0.conv1.weight\""),
             Catch::Contains("channels"));
  CHECK_THAT(changed("\"stride\":2", "\"stride\":0"), Catch::Contains("stride from 1 to 64, found 0"));
  CHECK_THAT(changed("\"stride\":2", "\"stride\":99999999999999999999"), Catch::Contains("stride from 1 to 64"));
  CHECK_THAT(changed("\"stride\":2", "\"stride\":18446744073709551615"), Catch::Contains("stride from 1 to 64"));
  CHECK_THAT(changed("\"stride\":2", "\"stride\":2.5"), Catch::Contains("found 2.5"));
  CHECK_THAT(changed("\"dilation\":1", "\"dilation\":1000000"), Catch::Contains("dilation"));
  CHECK_THAT(changed("\"groups\":1", "\"groups\":5"), Catch::Contains("groups"));
  CHECK_THAT(changed("\"padding\":3", "\"padding\":3,\"extra\":1"), Catch::Contains("found \"extra\""));
  CHECK_THAT(changed("\"padding\":3,", ""), Catch::Contains("expected \"padding\", found none"));
  CHECK_THAT(changed("\"relu\"", "\"swish\""), Catch::Contains("found swish"));
  CHECK_THAT(changed("\"op\":\"max_pool\"", "\"op\":\"min_pool\""), Catch::Contains("found min_pool"));
  CHECK_THAT(changed("\"op\":\"max_pool\",\"version\":1", "\"op\":\"max_pool\",\"version\":2"),
             Catch::Contains("max_pool of version 1, found 2, which a newer maskrt wrote"));
  CHECK_THAT(changed("{\"version\":1", "{\"version\":2"), Catch::Contains("expected version 1, found 2"));
  CHECK_THAT(changed("\"inputs\":[\"input\"]", "\"inputs\":[\"mask_logits\"]"), Catch::Contains("made before"));
  CHECK_THAT(changed("\"inputs\":[\"input\"]", "\"inputs\":[\"input\",\"input\"]"),
             Catch::Contains("expected 1 inputs, found 2"));
  CHECK_THAT(changed("\"output\":\"backbone.stem.conv1\"", "\"output\":\"input\""), Catch::Contains("another input"));
  CHECK_THAT(changed("\"outputs\":[\"class_logits\"", "\"outputs\":[\"nothing\""), Catch::Contains("nothing"));
  CHECK_THAT(changed("\"epsilon\":0.0", "\"epsilon\":-1"), Catch::Contains("epsilon"));
  CHECK_THAT(changed("\"factor\":2.0", "\"factor\":1e300"), Catch::Contains("factor"));
  CHECK_THAT(changed("\"factor\":2.0", "\"factor\":1e-300"), Catch::Contains("factor"));
  CHECK_THAT(error_with(folder, built, "maskrt.graph", R"({"version":1,"nodes":[],"outputs":[]})"),
             Catch::Contains("first node"));
  CHECK_THAT(error_with(folder, built, "maskrt.graph", "[1"), Catch::Contains("mistake at byte"));
  CHECK_THAT(error_with(folder, built, "maskrt.graph", "[[[[[[[[[[]]]]]]]]]]"), Catch::Contains("nested"));

  auto flat = built.tensors;
  for (auto& tensor : flat)
    if (tensor.name == "backbone.stem.conv1.weight") tensor.shape = {elements(tensor.shape)};
  CHECK_THAT(error_with(folder, built, "maskrt.name", "x", &flat),
             Catch::Contains("weight backbone.stem.conv1.weight") && Catch::Contains("[882]"));
}

TEST_CASE("what does not fit is not written") {
  const TemporaryFolder folder;
  auto built = small_model();
  const auto write = [&] { write_model(folder / "model", built.model, built.tensors); };
  SECTION("a constant without its tensor") {
    built.tensors.pop_back();
    CHECK_THROWS_WITH(write(), Catch::Contains("expected a tensor for constant"));
  }
  SECTION("a tensor of another shape") {
    built.tensors.back().shape.push_back(1);
    CHECK_THROWS_WITH(write(), Catch::Contains("expected shape"));
  }
  SECTION("too few categories") {
    built.model.categories.pop_back();
    CHECK_THROWS_WITH(write(), Catch::Contains("3 classes of head SparseInst, found 2"));
  }
  SECTION("a name that is not UTF-8") {
    built.model.categories[0].name = "\xff";
    CHECK_THROWS_WITH(write(), Catch::Contains("UTF-8"));
  }
  CHECK(std::filesystem::is_empty(folder.path()));
}

TEST_CASE("what the reader would refuse is not written") {
  const TemporaryFolder folder;
  const auto path = write_text(folder / "model", "the old one");
  const auto refused = [&](const auto& change, const std::string& part) {
    auto built = small_model();
    change(built.model);
    CHECK_THROWS_WITH(write_model(path, built.model, built.tensors), Catch::Contains(part));
    CHECK(read_text(path) == "the old one");
  };
  refused([](auto& model) { model.categories[2].id = kLargestCategoryId + 1; }, "expected id from 0 to 1073741824");
  refused([](auto& model) { model.categories[0].id = -1; }, "found -1");
  refused([](auto& model) { model.preprocessing.std[1] = 1e-7f; }, "expected std");
  refused([](auto& model) { model.preprocessing.mean[1] = 2e6f; }, "expected mean");
  refused([](auto& model) { model.preprocessing.min_size = 1 << 17; }, "expected min_size");
  refused([](auto& model) { std::get<SparseInstHead>(model.head).mask_threshold = 1.5f; }, "expected mask_threshold");
  refused([](auto& model) { model.name = std::string(100'000'001, 'x'); }, "of at most 100000000 bytes");
}

TEST_CASE("a model that selects many positions is checked at a size that has them") {
  const TemporaryFolder folder;
  const auto error = [&](std::int64_t count, const char* value) {
    Graph graph;
    const ValueId x = graph.add("x", Input{3}, {});
    const ValueId scores = graph.add("scores", Slice{0, 1}, {graph.add("pool", MaxPool{16, 16, 0}, {x})});
    const auto top = graph.add_several("top", SelectTop{count}, {scores}, {"positions", "numbers"});
    graph.outputs = {graph.add("rows", GatherPositions{}, {graph.find(value), top[0]})};
    Built built(graph);
    built.model.head = ValuesHead();
    try {
      write_model(folder / "model", built.model, built.tensors);
      return error_of(folder / "model");
    } catch (const Error& e) {
      return std::string(e.what());
    }
  };
  for (const std::int64_t count : {1, 256, 257, 2048}) CHECK(error(count, "x") == "");
  CHECK_THAT(error(2048, "positions"), Catch::Contains("node rows") && Catch::Contains("expected numbers"));
}

TEST_CASE("rows of a tensor are constants of their own, and the file holds the whole") {
  CHECK_FALSE(rows_name("plain"));
  for (const char* none : {"x[", "x]", "x[]", "x[1]", "x[1:]", "x[:2]", "x[2:1]", "x[1:1]", "x[-1:2]", "x[1:2] "})
    CHECK_FALSE(rows_name(none));
  const auto named = rows_name("a[0].weight[2:5]");
  REQUIRE(named);
  CHECK(named->whole == "a[0].weight");
  CHECK(named->begin == 2);
  CHECK(named->end == 5);

  Dice dice(3);
  const ConstantPtr whole = dice.constant("whole", {6, 3});
  const ConstantPtr part = rows_of(whole, 2, 3);
  CHECK(part->name() == "whole[2:5]");
  CHECK(part->shape() == Shape{3, 3});
  const std::vector<float> all = whole->evaluate();
  CHECK(part->evaluate() == std::vector<float>(all.begin() + 6, all.begin() + 15));
  CHECK_THROWS_WITH(rows_of(whole, 4, 3), Catch::Contains("expected rows 4 to 7 in it, found shape [6, 3]"));

  const TemporaryFolder folder;
  auto built = small_model();
  Graph& graph = built.model.graph;
  const ValueId x = graph.nodes[0].output();
  for (const std::int64_t begin : {0, 3}) {
    Linear linear;
    linear.weight = rows_of(whole, begin, 3);
    linear.of_map = true;
    graph.outputs.push_back(graph.add("part " + std::to_string(begin), linear, {x}));
  }
  built.tensors.push_back({"whole", DataType::f32, whole->shape(), std::as_bytes(std::span(all))});
  write_model(folder / "model", built.model, built.tensors);
  const ModelDescription read = read_model(folder / "model");
  CHECK(read.storage->tensors.contains("whole"));
  CHECK_FALSE(read.storage->tensors.contains("whole[0:3]"));
  Dice other(4);
  const auto values = interpret(graph, other.map({1, 32, 32, 3}));
  require_same_outputs(graph, values, read.graph, 0);
  const auto text = [&](const std::string& rows) {
    std::string json = graph_to_json(graph);
    const std::string name = "whole[3:6]";
    return json.replace(json.find(name), name.size(), rows);
  };
  for (const char* rows : {"whole[3:7]", "whole[6:7]", "half[0:3]"}) {
    INFO(rows);
    CHECK_THAT(error_with(folder, built, "maskrt.graph", text(rows)),
               Catch::Contains("expected weight to name a tensor of the file, found " + std::string(rows)));
  }
}

TEST_CASE("every operation goes through JSON with all its attributes") {
  Dice dice(6);
  const Graph g = every_operation(dice);
  std::map<std::string, ConstantPtr> constants;
  for (const auto& node : g.nodes)
    for (const auto& constant : constants_of(node.operation)) constants[constant->name()] = constant;
  const auto text = graph_to_json(g);
  const auto read = graph_from_json(text, [&](const std::string& name) { return constants.at(name); });
  CHECK(graph_to_json(read) == text);
  CHECK(to_text(read) == to_text(g));
  CHECK(read.outputs == g.outputs);
  const auto find = [&](const char* value) {
    return read.nodes[static_cast<std::size_t>(read.producer(read.find(value)))];
  };
  const auto again = std::get<Conv>(find("conv").operation);
  CHECK(std::tie(again.stride, again.padding, again.dilation, again.groups) == std::tuple(2, 5, 3, 2));
  const auto& before = std::get<Conv>(g.nodes[static_cast<std::size_t>(g.producer(g.find("conv")))].operation);
  CHECK(again.weight == before.weight);
  CHECK(std::get<Conv>(find("fused").operation).coordinate_weight != nullptr);
  CHECK(std::get<Conv>(find("fused").operation).bias == nullptr);
  CHECK(std::get<BatchNorm>(find("norm").operation).epsilon == 0.1);
  CHECK(std::get<MaxPool>(find("pool").operation).padding == 2);
  CHECK(std::get<ResizeBilinear>(find("double").operation).factor == 1.7);
  CHECK(std::get<AggregateLogits>(find("logits").operation).softmax);
  CHECK(std::get<AggregateLogits>(find("logits").operation).bias->name() == "logits.bias");
  CHECK(std::get<Regroup>(find("regroup").operation).instances == 8);
  CHECK(find("a name of its own").name == "masks");
  CHECK(std::get<ProposalScores>(find("proposals").operation).epsilon == 1e-5);
  CHECK(std::get<SelectTop>(find("top scores").operation).count == 7);
  CHECK(std::get<Parameter>(find("queries").operation).value->name() == "queries");
}

TEST_CASE("nodes of several outputs are written with a list of them") {
  Graph g;
  const auto x = g.add("x", Input{1}, {});
  g.outputs = {g.add_several("top", SelectTop{5}, {x}, {"positions", "best"})[1]};
  const auto text = graph_to_json(g);
  const std::string node = R"({"name":"top","op":"select_top","version":1,"inputs":["x"],)"
                           R"("outputs":["positions","best"],"count":5})";
  CHECK_THAT(text, Catch::Contains(node));
  const auto read = [](const std::string& json) {
    try {
      return to_text(graph_from_json(json, [](const std::string&) { return nullptr; }));
    } catch (const Error& error) {
      return std::string(error.what());
    }
  };
  CHECK(read(text) == to_text(g));
  const auto with = [&](const std::string& part, const std::string& other) {
    auto changed = text;
    return changed.replace(changed.find(part), part.size(), other);
  };
  const std::string outputs = R"("outputs":["positions","best"])";
  CHECK(read(with(outputs, R"("outputs":["positions"])")) == "graph: node top: expected 2 outputs, found 1");
  CHECK(read(with(outputs, R"("outputs":["best","best"])")) ==
        "graph: node top: expected an output of its own, found another best");
  CHECK(read(with(outputs, R"("outputs":["",""])")) == "graph: node top: expected an output with a name");
  CHECK(read(with(outputs, R"("outputs":[1,"best"])")) ==
        "graph: node top: expected the names of its outputs, found 1");
  CHECK(read(with(outputs, R"("output":"best")")) == "graph: node top: expected \"outputs\", found none");
}

TEST_CASE("random JSON mutations never crash the reader") {
  const auto built = small_model();
  const auto plain = graph_to_json(built.model.graph);
  const auto constant = [&](const std::string& name) -> ConstantPtr {
    const auto found = built.numbers.find(name);
    return found == built.numbers.end() ? nullptr : make_constant(name, {1}, found->second);
  };
  std::mt19937 random(7);
  int errors = 0;
  for (int round = 0; round < 500; ++round) {
    auto text = plain;
    const auto at = random() % text.size();
    switch (random() % 3) {
      case 0:
        text[at] = static_cast<char>(random());
        break;
      case 1:
        text.erase(at, random() % 20);
        break;
      default:
        text.insert(at, text.substr(random() % text.size(), random() % 20));
        break;
    }
    try {
      graph_from_json(text, constant);
    } catch (const Error&) {
      ++errors;
    }
  }
  CHECK(errors == 500);  // constants of shape [1] fit no convolution, whatever else the mutation did
}
