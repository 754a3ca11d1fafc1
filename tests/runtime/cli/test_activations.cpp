// `maskrt run --activations` and `maskrt eval --activations`: what is written, against maps of a session in this
// process.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <span>

#include "graph/model_file.h"
#include "graph/safetensors.h"
#include "maskrt/maskrt.hpp"
#include "runtime/cli/heat.h"
#include "runtime/cli/png.h"
#include "runtime/coco/image_lines.h"
#include "runtime/coco/results.h"
#include "support/demo_command.h"

using namespace maskrt;
using Catch::Contains;
using namespace maskrt::testing;
namespace fs = std::filesystem;
using nlohmann::json;

namespace {

constexpr int kGap = 4;

ProcessResult run_command(const std::string& command, const std::string& model, const Words& arguments) {
  // Algorithms chosen by rule: processes have the same results to the last bit, and start at once.
  ::setenv("MASKRT_CPU_TUNE", "0", 1);
  return run_process(Words{MASKRT_COMMAND, command, model, "--device", "cpu", "--quiet"} + arguments);
}

Words demo_pictures(int count) {
  Words paths;
  for (int i = 0; i < count; ++i) paths.push_back(demo_picture(i));
  return paths;
}

/// A network that is run for its numbers alone.
std::string model_without_queries(const TemporaryFolder& folder) {
  graph::ModelDescription model;
  model.name = "numbers";
  const std::vector<float> weight = {0.5f, 0.25f, 0.125f};
  graph::Conv conv;
  conv.weight = graph::make_constant("weight", {1, 3, 1, 1}, weight);
  const graph::ValueId input = model.graph.add("input", graph::Input{3}, {});
  model.graph.outputs = {model.graph.add("conv", conv, {input})};
  const std::string path = folder / "numbers.maskrt";
  graph::write_model(path, model, {{"weight", DataType::f32, {1, 3, 1, 1}, std::as_bytes(std::span(weight))}});
  return path;
}

/// A small network of another decoder, converted from a fixture.
std::string fixture_model(const std::string& name, const TemporaryFolder& folder) {
  const std::string fixture = std::string(MASKRT_TEST_DATA) + "/fixtures/" + name;
  std::string checkpoint = fixture + "/checkpoint.pth";
  if (!fs::exists(checkpoint)) checkpoint = fixture + "/checkpoint.pkl";
  const std::string model = folder / (name + ".maskrt");
  const ProcessResult made = run_process({place("MASKRT_CONVERT_COMMAND", MASKRT_CONVERT_COMMAND), checkpoint,
                                          "--config", fixture + "/config.yaml", "-o", model});
  INFO(made.err);
  REQUIRE(made.status == 0);
  return model;
}

std::string fixture_picture(const std::string& name) {
  return std::string(MASKRT_TEST_DATA) + "/fixtures/" + name + "/image0.png";
}

/// What a session of this process finds in a picture alone, with its maps.
struct Found {
  std::vector<Instance> instances;
  ActivationMaps maps;
};

Session session_of(const std::string& model) {
  ModelOptions options;
  options.device = "cpu";
  options.deterministic = true;
  options.activations = true;
  return Session(Model::load(model, options));
}

Found find(Session& session, const Image& image) {
  Found found;
  found.instances = session.run(image);
  found.maps = session.activations().front();
  return found;
}

/// The largest difference of a channel between a tile of a written picture and the heat of a map over the image.
int distance(const Image& written, int tile, const std::vector<float>& heat, const Image& image) {
  const float most = *std::max_element(heat.begin(), heat.end());
  const int left = tile * (image.width() + kGap);
  int distance = 0;
  for (int y = 0; y < image.height(); ++y)
    for (int x = 0; x < image.width(); ++x) {
      const cli::Color color = cli::heat_color(heat[static_cast<std::size_t>(y * image.width() + x)] / most);
      const std::uint8_t *below = image.row(y) + 3 * x, *found = written.row(y) + 3 * (left + x);
      const int expected[3] = {color.r + below[0], color.g + below[1], color.b + below[2]};
      for (int c = 0; c < 3; ++c) distance = std::max(distance, std::abs(expected[c] / 2 - found[c]));
    }
  return distance;
}

/// How many times as large a query's map is on a mask as beside it, on average; of the group that is best.
double on_mask(const ActivationMaps& maps, int query, const Mask& mask) {
  double best = 0;
  for (const int map : maps.maps_of(query)) {
    const std::vector<float> heat = maps.over_image(map, mask.width(), mask.height());
    double inside = 0, outside = 0;
    for (int y = 0; y < mask.height(); ++y)
      for (int x = 0; x < mask.width(); ++x)
        (mask.at(x, y) ? inside : outside) += static_cast<double>(heat[static_cast<std::size_t>(y * mask.width() + x)]);
    const auto area = static_cast<double>(mask.area()), rest = static_cast<double>(mask.width()) * mask.height() - area;
    best = std::max(best, inside / area / (outside / rest));
  }
  return best;
}

/// A JPEG file with an EXIF orientation.
std::string oriented(const std::string& jpeg, char orientation) {
  using namespace std::string_literals;
  const std::string exif =
      "Exif\0\0MM\0*\0\0\0\10\0\1\1\x12\0\3\0\0\0\1\0"s + orientation + std::string("\0\0\0\0\0\0", 6);
  const std::string segment = "\xff\xe1\0"s + static_cast<char>(exif.size() + 2) + exif;
  return jpeg.substr(0, 2) + segment + jpeg.substr(2);
}

}  // namespace

TEST_CASE("run --activations: an instance's picture has the heat of each of its groups over the image") {
  const TemporaryFolder folder;
  check_success(run_command(
      "run", demo_model(),
      {demo_picture(0), "--activations", folder / "maps", "--overlay-format", "png", "--json", folder / "r.json"}));
  const Image image = Image::from_file(demo_picture(0));
  Session session = session_of(demo_model());
  const Found found = find(session, image);
  std::set<std::string> expected;
  const auto results = coco::read_results(folder / "r.json");
  REQUIRE(results.size() == found.instances.size());
  for (std::size_t i = 0; i < found.instances.size(); ++i) {
    const Instance& instance = found.instances[i];
    CHECK(results[i].activations_file.empty() == (instance.score < 0.4f));
    if (instance.score < 0.4f) continue;
    char name[64];
    std::snprintf(name, sizeof name, "000_%03zu_%s_iam.png", i, instance.label.c_str());
    expected.insert(name);
    REQUIRE(results[i].activations_file == (folder / "maps" / name).string());
    const Image written = Image::from_file(results[i].activations_file);
    REQUIRE(written.width() == 4 * image.width() + 3 * kGap);
    REQUIRE(written.height() == image.height());
    const std::vector<int> maps = found.maps.maps_of(instance.query);
    REQUIRE(maps.size() == 4);
    for (int group = 0; group < 4; ++group) {
      CHECK(maps[static_cast<std::size_t>(group)] == group * 40 + instance.query);  // the demo has 40 queries
      const auto heat = found.maps.over_image(maps[static_cast<std::size_t>(group)], image.width(), image.height());
      CHECK(distance(written, group, heat, image) <= 4);  // where a number is next to another colour's
    }
  }
  REQUIRE(expected.size() > 1);
  CHECK(files_in(folder / "maps") == expected);
}

TEST_CASE("run --activations: heat lies on the instance, and other queries' heat does not") {
  Session session = session_of(demo_model());
  int instances = 0;
  double own = 0, others = 0;
  for (int i = 0; i < 4; ++i) {
    const Image image = Image::from_file(demo_picture(i));
    const Found found = find(session, image);
    for (const Instance& instance : found.instances) {
      if (instance.score < 0.6f) continue;
      ++instances;
      const double on_it = on_mask(found.maps, instance.query, instance.mask);
      INFO("picture " << i << ", query " << instance.query);
      CHECK(on_it > 3);
      own += std::log(on_it);
      double sum = 0;
      for (int query = 0; query < found.maps.queries(); ++query)
        if (query != instance.query) sum += std::log(on_mask(found.maps, query, instance.mask));
      others += sum / (found.maps.queries() - 1);
    }
  }
  REQUIRE(instances >= 8);
  CHECK(own / instances > others / instances + std::log(20));
}

TEST_CASE("run --activations: decoders without groups and with a softmax") {
  const TemporaryFolder folder;
  const std::pair<std::string, std::size_t> cases[] = {
      {"sparse_inst_r50_base", 1}, {"sparse_inst_r50_giam_soft", 2}, {"sparse_inst_r50_giam_g2", 4}};
  for (const auto& [name, count] : cases) {
    INFO(name);
    const std::string model = fixture_model(name, folder), picture = fixture_picture(name);
    check_success(run_command("run", model,
                              {picture, "--score", "0", "--activations", folder / name, "--overlay-format", "png",
                               "--jsonl", folder / (name + ".jsonl")}));
    const Image image = Image::from_file(picture);
    Session session = session_of(model);
    const Found found = find(session, image);
    REQUIRE(!found.instances.empty());
    const auto line = coco::read_image_lines(folder / (name + ".jsonl")).lines.at(0);
    REQUIRE(line.instances.size() == found.instances.size());
    CHECK(files_in(folder / name).size() == found.instances.size());
    for (std::size_t i = 0; i < found.instances.size(); ++i) {
      const std::vector<int> maps = found.maps.maps_of(found.instances[i].query);
      REQUIRE(maps.size() == count);
      const Image written = Image::from_file(line.instances[i].activations_file);
      REQUIRE(written.width() == static_cast<int>(count) * (image.width() + kGap) - kGap);
      REQUIRE(written.height() == image.height());
      const auto heat = found.maps.over_image(maps.back(), image.width(), image.height());
      CHECK(distance(written, static_cast<int>(count) - 1, heat, image) <= 4);
    }
  }
}

TEST_CASE("run --activations: pictures of a batch have maps of their own size and name") {
  const TemporaryFolder folder;
  fs::create_directory(folder / "b");
  const std::string again = folder / "b/000.jpg";
  fs::copy(demo_picture(3), again);
  Words arguments = demo_pictures(3) + Words{again, demo + "/showcase/3.jpg"};
  const std::size_t pictures = arguments.size();
  const std::string batch = GENERATE("1", "2", "5");
  arguments = arguments + Words{"--batch", batch, "--activations", folder / "maps", "--jsonl", folder / "r.jsonl"};
  check_success(run_command("run", demo_model(), arguments));
  const auto lines = coco::read_image_lines(folder / "r.jsonl").lines;
  REQUIRE(lines.size() == pictures);
  std::set<std::string> named;
  for (const coco::ImageLine& line : lines)
    for (const auto& instance : line.instances) {
      if (instance.activations_file.empty()) continue;
      CHECK(named.insert(fs::path(instance.activations_file).filename()).second);
      const Image written = Image::from_file(instance.activations_file);
      CHECK(written.width() == 4 * line.width + 3 * kGap);
      CHECK(written.height() == line.height);
    }
  CHECK(named.size() >= pictures);
  CHECK(files_in(folder / "maps") == named);
  CHECK(std::any_of(named.begin(), named.end(), [](const std::string& name) { return name.starts_with("000_2_"); }));

  // A resumed run has the same lines.
  const std::string text = read_text(folder / "r.jsonl");
  write_text(folder / "r.jsonl", text.substr(0, text.find('\n') + 1));
  check_success(run_command("run", demo_model(), arguments + Words{"--resume"}));
  CHECK(read_text(folder / "r.jsonl") == text);
}

TEST_CASE("run --activations: pictures are turned as EXIF says") {
  const TemporaryFolder folder;
  const std::string turned = folder / "turned.jpg", upright = folder / "upright.png";
  write_text(turned, oriented(read_text(demo_picture(1)), 6));
  const Image image = Image::from_file(turned);
  REQUIRE(image.width() == Image::from_file(demo_picture(1)).height());
  REQUIRE(image.width() != image.height());
  std::vector<std::uint8_t> pixels;
  for (int y = 0; y < image.height(); ++y) pixels.insert(pixels.end(), image.row(y), image.row(y) + 3 * image.width());
  cli::write_png(upright, pixels, image.width(), image.height(), 3);
  check_success(run_command("run", demo_model(), {turned, "--score", "0.1", "--activations", folder / "a"}));
  check_success(run_command("run", demo_model(), {upright, "--score", "0.1", "--activations", folder / "b"}));
  const std::set<std::string> names = files_in(folder / "a");
  REQUIRE(!names.empty());
  CHECK(files_in(folder / "b").size() == names.size());
  for (const std::string& name : names) {
    const Image written = Image::from_file((folder / "a" / name).string());
    CHECK(written.width() == 4 * image.width() + 3 * kGap);
    CHECK(written.height() == image.height());
    CHECK(read_text(folder / "a" / name) == read_text(folder / "b" / ("upright" + name.substr(6))));
  }
}

TEST_CASE("run --activations: results are those without it, and name nothing that was not asked for") {
  const TemporaryFolder folder;
  check_success(run_command("run", demo_model(), demo_pictures(2) + Words{"--json", folder / "plain.json"}));
  check_success(run_command(
      "run", demo_model(), demo_pictures(2) + Words{"--json", folder / "maps.json", "--activations", folder / "maps"}));
  CHECK_THAT(read_text(folder / "plain.json"), !Contains("activations_file"));
  json with = json::parse(read_text(folder / "maps.json"));
  std::size_t named = 0;
  for (json& result : with) named += result.erase("activations_file");
  CHECK(named == files_in(folder / "maps").size());
  CHECK(with == json::parse(read_text(folder / "plain.json")));

  // Where nothing is likely enough, nothing is drawn.
  check_success(run_command("run", demo_model(), {demo_picture(0), "--score", "1", "--activations", folder / "none"}));
  CHECK(files_in(folder / "none").empty());
}

TEST_CASE("A network without activation maps is refused in a sentence, and nothing is made") {
  const TemporaryFolder folder;
  const std::string model = model_without_queries(folder), maps = folder / "maps";
  for (const ProcessResult& refused :
       {run_command("run", model, {demo_picture(0), "--activations", maps}),
        run_command("eval", model,
                    {"--images", demo + "/images", "--annotations", demo + "/annotations.json", "--activations", maps,
                     "--ignore-labels"})}) {
    CHECK(refused.status == 1);
    CHECK(refused.err ==
          "maskrt: expected a network with instance activation maps, found one with head values that has none\n");
  }
  CHECK_FALSE(fs::exists(maps));
}

TEST_CASE("eval --activations: the means are those of the images' maps") {
  const TemporaryFolder folder;
  const std::string batch = GENERATE("1", "3");
  check_success(run_command("eval", demo_model(),
                            {"--images", demo + "/images", "--annotations", demo + "/annotations.json", "--limit", "4",
                             "--batch", batch, "--activations", folder / "means", "--json", folder / "ap.json"}));
  std::set<std::string> expected = {"activations.safetensors", "queries.png"};
  for (int i = 0; i < 40; ++i) expected.insert("query_0" + std::to_string(i / 10) + std::to_string(i % 10) + ".png");
  CHECK(files_in(folder / "means") == expected);
  CHECK(json::parse(read_text(folder / "ap.json")).size() == 12);

  Session session = session_of(demo_model());
  const json annotations = json::parse(read_text(demo + "/annotations.json"));
  std::vector<Image> images;
  for (int i = 0; i < 4; ++i)
    images.push_back(
        Image::from_file(demo + "/images/" + annotations.at("images")[i].at("file_name").get<std::string>()));
  std::vector<ActivationMaps> maps;
  const std::size_t step = batch == "1" ? 1 : 3;
  for (std::size_t i = 0; i < images.size(); i += step) {
    session.run(std::span(images).subspan(i, std::min(step, images.size() - i)));
    for (ActivationMaps& of_image : session.activations()) maps.push_back(std::move(of_image));
  }
  const auto file = graph::Safetensors::read(folder / "means/activations.safetensors");
  CHECK(file.metadata.at("images") == "4");
  REQUIRE(file.tensors.size() == 40);
  for (const int query : {0, 17, 39}) {
    const auto& tensor = file.tensors.at(query == 0 ? "query_000" : "query_0" + std::to_string(query));
    REQUIRE(tensor.shape == Shape{4, 64, 64});
    const std::vector<float> found = tensor.to_floats();
    const std::vector<int> of_query = maps[0].maps_of(query);
    for (std::size_t group = 0; group < 4; ++group) {
      std::vector<double> mean(64 * 64);
      for (const ActivationMaps& of_image : maps) {
        const std::vector<float> map = of_image.over_image(of_query[group], 64, 64);
        for (std::size_t i = 0; i < map.size(); ++i) mean[i] += static_cast<double>(map[i]) / 4;
      }
      double most = 0;
      for (std::size_t i = 0; i < mean.size(); ++i)
        most = std::max(most, std::abs(mean[i] - static_cast<double>(found[group * 64 * 64 + i])));
      CHECK(most < 1e-5);
    }
  }
  const Image sheet = Image::from_file((folder / "means/queries.png").string()),
              one = Image::from_file((folder / "means/query_017.png").string());
  CHECK(one.width() == 4 * 256 + 3 * kGap);
  CHECK(one.height() == 256);
  CHECK(sheet.width() > 2 * 4 * 128);
  CHECK(sheet.height() > 8 * 128);
}

TEST_CASE("eval --activations: images that cannot be used are not part of the means") {
  const TemporaryFolder folder;
  json set = json::parse(read_text(demo + "/annotations.json"));
  json images = json::array();
  for (const json& image : set["images"]) {
    if (images.size() == 2) break;
    fs::copy(demo + "/images/" + image["file_name"].get<std::string>(), folder / image["file_name"].get<std::string>());
    images.push_back(image);
  }
  write_text(folder / images[1]["file_name"].get<std::string>(), "no picture");
  set["images"] = images;
  write_text(folder / "set.json", set.dump());
  const Words arguments = {"--images",      folder.path(),    "--annotations", folder / "set.json",
                           "--activations", folder / "means", "--json",        folder / "ap.json"};
  CHECK(run_command("eval", demo_model(), arguments).status == 1);
  CHECK(graph::Safetensors::read(folder / "means/activations.safetensors").metadata.at("images") == "1");

  fs::remove_all(folder / "means");
  write_text(folder / images[0]["file_name"].get<std::string>(), "no picture");
  CHECK(run_command("eval", demo_model(), arguments).status == 1);
  CHECK(files_in(folder / "means").empty());
}

TEST_CASE("eval --activations goes with nothing that has no maps of all images") {
  const Words base = {"--images", "d", "--annotations", "a", "--activations", "m"};
  const ProcessResult resumed = run_command("eval", "model", base + Words{"--jsonl", "l", "--resume"});
  CHECK(resumed.status == 2);
  CHECK_THAT(resumed.err, Contains("it goes without --resume"));
  const ProcessResult scored =
      run_process({MASKRT_COMMAND, "eval", "--results-only", "r", "--annotations", "a", "--activations", "m"});
  CHECK(scored.status == 2);
  CHECK_THAT(scored.err, Contains("--results-only runs no model"));
}
