// Means of activation maps: the numbers, whatever the order, and the files.
#include <catch2/catch.hpp>
#include <filesystem>
#include <limits>
#include <memory>
#include <set>
#include <thread>

#include "graph/safetensors.h"
#include "runtime/activations.h"
#include "runtime/cli/activation_means.h"
#include "runtime/cli/heat.h"
#include "support/files.h"

using namespace maskrt;
using namespace maskrt::cli;
using namespace maskrt::testing;
namespace fs = std::filesystem;

namespace {

constexpr int kSide = ActivationMeans::kSide;

/// Maps of 2 x 2 positions, of which each is as the numbers say, over a picture of any size.
ActivationMaps maps_of(std::vector<float> numbers, std::int64_t count, const graph::ActivationSource& source = {}) {
  auto batch = std::make_shared<HostTensor>(HostTensor{{1, count, 2, 2}, std::move(numbers)});
  const kernels::Geometry geometry{30, 20, 16, 16, 16, 16};
  return ActivationMaps(std::make_shared<const ActivationMaps::Data>(ActivationMaps::Data{batch, 0, source, geometry}));
}

/// Two maps, the first of one number and the second with another in its lower half.
ActivationMaps two(float first, float upper, float lower) {
  return maps_of({first, first, first, first, upper, upper, lower, lower}, 2);
}

std::set<std::string> files_in(const fs::path& folder) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.insert(entry.path().filename().string());
  return names;
}

}  // namespace

TEST_CASE("A mean is of all pictures, each resized to one size") {
  const TemporaryFolder folder;
  ActivationMeans means(folder.path());
  means.add(two(0.25f, 0, 1));
  means.add(two(0.5f, 0, 0));
  means.write();
  CHECK(files_in(folder.path()) ==
        std::set<std::string>{"activations.safetensors", "queries.png", "query_000.png", "query_001.png"});

  const graph::Safetensors file = graph::Safetensors::read(folder / "activations.safetensors");
  CHECK(file.metadata.at("images") == "2");
  REQUIRE(file.tensors.size() == 2);
  CHECK(file.tensors.at("query_000").shape == Shape{1, kSide, kSide});
  for (const float number : file.tensors.at("query_000").to_floats()) CHECK(number == Approx(0.375));
  const std::vector<float> second = file.tensors.at("query_001").to_floats();
  CHECK(second.front() == 0);
  CHECK(second.back() == Approx(0.5));
  // Between the middles of upper and lower positions the numbers rise evenly.
  const auto row = [&](int y) { return second[static_cast<std::size_t>(y * kSide)]; };
  CHECK(row(kSide / 4 - 3) == 0);
  CHECK(row(kSide / 2 - 1) + row(kSide / 2) == Approx(0.5));
  CHECK(row(3 * kSide / 4 + 2) == Approx(0.5));

  const Image picture = Image::from_file((folder / "query_001.png").string());
  CHECK(picture.width() == 4 * kSide);
  CHECK(picture.height() == 4 * kSide);
  const Color hot = heat_color(1), cold = heat_color(0);
  const std::uint8_t* const last = picture.row(picture.height() - 1) + 3 * (picture.width() - 1);
  CHECK(Color{last[0], last[1], last[2]} == hot);
  CHECK(Color{picture.row(0)[0], picture.row(0)[1], picture.row(0)[2]} == cold);
}

TEST_CASE("Means do not depend on the order of pictures, nor on the thread that adds them") {
  const auto written = [](const std::vector<int>& order, bool threads) {
    const TemporaryFolder folder;
    ActivationMeans means(folder.path());
    const auto add = [&](int i) {
      means.add(two(static_cast<float>(i) / 7, 1.0f / static_cast<float>(3 + i), static_cast<float>(i) * 1e-9f));
    };
    std::vector<std::thread> running;
    for (const int i : order) {
      if (threads)
        running.emplace_back(add, i);
      else
        add(i);
    }
    for (std::thread& thread : running) thread.join();
    means.write();
    return read_text(folder / "activations.safetensors") + read_text(folder / "queries.png");
  };
  const std::string once = written({0, 1, 2, 3, 4, 5}, false);
  CHECK(written({5, 3, 0, 4, 1, 2}, false) == once);
  CHECK(written({0, 1, 2, 3, 4, 5}, true) == once);
  CHECK(written({0, 1, 2, 3, 4}, false) != once);
}

TEST_CASE("Small numbers of a softmax are not lost") {
  const TemporaryFolder folder;
  ActivationMeans means(folder.path());
  for (int i = 0; i < 3; ++i) means.add(two(1e-6f * static_cast<float>(i + 1), 0, 0));
  means.write();
  const auto file = graph::Safetensors::read(folder / "activations.safetensors");
  CHECK(file.tensors.at("query_000").to_floats().front() == Approx(2e-6).epsilon(1e-5));
}

TEST_CASE("A picture whose numbers are none is an error, and is not counted") {
  const TemporaryFolder folder;
  ActivationMeans means(folder.path());
  for (const float wrong : {2.0f, -1.0f, std::numeric_limits<float>::quiet_NaN()}) {
    CHECK_THROWS_WITH(means.add(two(0.5f, 0.5f, wrong)),
                      Catch::Contains("expected activation maps of numbers from 0 to 1, found"));
  }
  means.write();
  CHECK(files_in(folder.path()).empty());  // of no picture there is no mean
  means.add(two(0.5f, 0.5f, 0.5f));
  CHECK_THROWS_AS(means.add(two(1, 1, 7)), Error);
  means.write();
  const auto file = graph::Safetensors::read(folder / "activations.safetensors");
  CHECK(file.metadata.at("images") == "1");
  CHECK(file.tensors.at("query_000").to_floats().front() == Approx(0.5));
}

TEST_CASE("Queries of several maps have them side by side, also where not all have as many") {
  const TemporaryFolder folder;
  ActivationMeans means(folder.path());
  graph::ActivationSource source;  // 4 queries with 12 maps in 4 blocks: each part is 3/4 of a map's features
  source.queries = 4;
  source.blocks = 4;
  std::vector<float> numbers;
  for (int map = 0; map < 12; ++map) numbers.insert(numbers.end(), 4, static_cast<float>(map) / 16);
  const ActivationMaps maps = maps_of(std::move(numbers), 12, source);
  means.add(maps);
  means.write();
  const auto file = graph::Safetensors::read(folder / "activations.safetensors");
  for (int query = 0; query < 4; ++query) {
    INFO("query " << query);
    const std::string name = "query_00" + std::to_string(query);
    const std::vector<int> of_query = maps.maps_of(query);
    const auto& tensor = file.tensors.at(name);
    CHECK(tensor.shape == Shape{static_cast<std::int64_t>(of_query.size()), kSide, kSide});
    const std::vector<float> found = tensor.to_floats();
    for (std::size_t i = 0; i < of_query.size(); ++i)
      CHECK(found[i * kSide * kSide] == Approx(static_cast<double>(of_query[i]) / 16));
    const Image picture = Image::from_file((folder / (name + ".png")).string());
    CHECK(picture.width() == static_cast<int>(of_query.size()) * (4 * kSide + 4) - 4);
  }
}
