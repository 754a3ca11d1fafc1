#include "fixture.h"

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <set>

#include "files.h"
#include "places.h"
#include "weights_tools/builder/counter_generator.h"
#include "weights_tools/convert.h"
#include "weights_tools/families/build_model.h"

namespace maskrt::testing {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

/// The tensors that a wide fixture's weights.json describes.
class GeneratedWeights : public weights::WeightSource {
 public:
  explicit GeneratedWeights(json tensors) : tensors_(std::move(tensors)) {}

  std::optional<Shape> shape_of(const std::string& name, const Shape&) const override {
    if (!tensors_.contains(name)) return std::nullopt;
    return tensors_.at(name).at("shape").get<Shape>();
  }
  bool contains(const std::string& name) const override { return tensors_.contains(name); }
  std::vector<float> floats(const weights::TensorRequest& asked) const override {
    const json& tensor = tensors_.at(asked.name);
    return weights::generate(asked.name, elements(asked.shape), tensor.at("scale").get<float>(),
                             tensor.at("offset").get<float>());
  }
  weights::StoredTensor stored(const weights::TensorRequest&) const override {
    throw Error("a wide fixture is never written to a file");
  }

 private:
  json tensors_;
};

graph::ModelDescription generate_model(const json& description) {
  weights::Config config = weights::published_config(description.at("config").get<std::string>());
  weights::Overrides overrides;
  const json& pairs = description.at("overrides");
  for (std::size_t i = 0; i + 1 < pairs.size(); i += 2)
    overrides.emplace_back(pairs[i].get<std::string>(), pairs[i + 1].dump());
  weights::apply_overrides(config, overrides);
  return weights::build_model(weights::read_network(config),
                              std::make_shared<GeneratedWeights>(description.at("tensors")))
      .description;
}

graph::ModelDescription convert_model(const fs::path& folder, const fs::path& scratch) {
  weights::ConvertOptions options;
  for (const char* name : {"checkpoint.pth", "checkpoint.pkl"})
    if (fs::exists(folder / name)) options.checkpoint = folder / name;
  options.config = (folder / "config.yaml").string();
  if (fs::exists(folder / "labels.json")) options.labels = folder / "labels.json";
  options.output = scratch / (folder.filename().string() + ".maskrt");
  weights::convert(options);
  return graph::read_model(*options.output);
}

ExpectedImages read_instances(const json& images) {
  ExpectedImages result;
  for (const json& image : images) {
    auto& instances = result.emplace_back();
    for (const json& one : image.at("instances")) {
      const json& mask = one.at("segmentation");
      instances.push_back({one.at("score").get<float>(), one.at("class_id").get<int>(),
                           one.at("area").get<std::int64_t>(),
                           rle::from_string(mask.at("size")[0].get<int>(), mask.at("size")[1].get<int>(),
                                            mask.at("counts").get<std::string>())});
    }
  }
  return result;
}

std::vector<ExpectedSegment> read_segments(const json& segments) {
  std::vector<ExpectedSegment> result;
  for (const json& one : segments) result.push_back({one.at("category_id").get<int>(), one.at("isthing").get<bool>()});
  return result;
}

}  // namespace

std::vector<fs::path> fixture_folders() {
  std::vector<fs::path> parents = {test_data() / "fixtures"};
  if (const char* more = std::getenv("MASKRT_FIXTURES"); more != nullptr) parents.emplace_back(more);
  std::map<std::string, fs::path> folders;
  for (const fs::path& parent : parents)
    for (const auto& entry : fs::directory_iterator(parent))
      if (fs::exists(entry.path() / "expected.safetensors"))
        folders.emplace(entry.path().filename().string(), entry.path());
  std::vector<fs::path> result;
  for (const auto& [name, path] : folders) result.push_back(path);
  return result;
}

Fixture load_fixture(const fs::path& folder, const fs::path& scratch) {
  Fixture fixture;
  fixture.name = folder.filename().string();
  if (fs::exists(folder / "weights.json")) {
    const json description = json::parse(read_text(folder / "weights.json"));
    fixture.model = generate_model(description);
    for (const auto& [name, slice] : description.at("slices").items())  // "every 16th channel"
      fixture.every[name] = std::atoi(slice.get<std::string>().c_str() + 6);
  } else {
    fixture.model = convert_model(folder, scratch);
  }

  for (int i = 0; fs::exists(folder / ("image" + std::to_string(i) + ".png")); ++i)
    fixture.images.push_back(Image::from_file((folder / ("image" + std::to_string(i) + ".png")).string()));
  for (const auto& [name, view] : graph::Safetensors::read(folder / "expected.safetensors").tensors)
    fixture.tensors[name] = {view.shape, view.to_floats()};
  const json noise = fs::exists(folder / "noise.json") ? json::parse(read_text(folder / "noise.json")) : json::object();
  for (const auto& [name, n] : noise.items())
    fixture.noise[name] = {n.at("std").get<double>(), n.at("fp32").at("rms").get<double>(),
                           n.at("fp32").at("max").get<double>(), n.at("fp16_storage").at("rms").get<double>(),
                           n.at("fp16_storage").at("max").get<double>()};
  if (!fs::exists(folder / "expected.json")) return fixture;
  const json expected = json::parse(read_text(folder / "expected.json"));
  if (expected.contains("batched")) fixture.batched = read_instances(expected["batched"]);
  if (expected.contains("single")) fixture.single = read_instances(expected["single"]);
  for (const json& image : expected.value("batched", json::array()))
    if (image.contains("segments_info")) fixture.segments.push_back(read_segments(image["segments_info"]));
  return fixture;
}

}  // namespace maskrt::testing
