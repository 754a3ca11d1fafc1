// The resize that a call asks for in place of its model's: sizes of the network's input, results, and what is refused.
#include <catch2/catch.hpp>
#include <limits>
#include <thread>
#include <utility>
#include <vector>

#include "maskrt/maskrt.hpp"
#include "support/demo_model.h"

namespace maskrt::testing {
namespace {

using Catch::Matchers::Contains;

/// Algorithms by rule, so that equal work gives equal bits.
const Model& demo_on_cpu() {
  static const Model model = [] {
    ModelOptions options;
    options.device = "cpu";
    options.deterministic = true;
    return Model::load(demo_model(), options);
  }();
  return model;
}

SessionOptions one_thread(std::size_t plans = 4) {
  SessionOptions options;
  options.threads = 1;
  options.plans = plans;
  return options;
}

RunOptions resized(std::optional<int> min_size, std::optional<int> max_size = std::nullopt) {
  RunOptions options;
  options.resize = {min_size, max_size};
  return options;
}

/// A grey picture of any size.
Image picture(int width, int height) {
  static const std::vector<std::uint8_t> pixels(std::size_t{1} << 20, 90);
  return Image::from_pixels(pixels.data(), width, height, PixelFormat::grey);
}

const Image& street() {
  static const Image image = Image::from_file(demo + "/showcase/3.jpg");  // 200x150
  return image;
}

std::pair<int, int> input_of(const Image& image, const ResizeOptions& resize) {
  return input_size(demo_on_cpu().info(), std::span(&image, 1), resize);
}

void check_same(const std::vector<Instance>& found, const std::vector<Instance>& want) {
  REQUIRE(found.size() == want.size());
  for (std::size_t i = 0; i < want.size(); ++i) {
    CHECK(found[i].score == want[i].score);
    CHECK(found[i].class_id == want[i].class_id);
    CHECK(found[i].mask.rle().counts == want[i].mask.rle().counts);
  }
}

TEST_CASE("The network's input is of the size that a call asks for, or else of the model's") {
  const ModelInfo info = demo_on_cpu().info();  // shortest edge 256, longest at most 342, padded to 32
  CHECK(input_settings(info, {}).min_size == 256);
  CHECK(input_settings(info, {.min_size = 192, .max_size = std::nullopt}).max_size == 342);
  CHECK(input_settings(info, {.min_size = std::nullopt, .max_size = 0}).min_size == 256);
  const Image wide = picture(800, 600), long_one = picture(1000, 200);
  CHECK(input_of(wide, {}) == std::pair(256, 352));
  CHECK(input_of(wide, {192, std::nullopt}) == std::pair(192, 256));
  CHECK(input_of(wide, {480, std::nullopt}) == std::pair(288, 352));  // 342x257: the model's bound
  CHECK(input_of(wide, {480, 0}) == std::pair(480, 640));
  CHECK(input_of(wide, {0, 100}) == std::pair(608, 800));  // no resize, and so no bound
  CHECK(input_of(long_one, {}) == std::pair(96, 352));
  CHECK(input_of(long_one, {std::nullopt, 0}) == std::pair(256, 1280));
  CHECK(input_of(long_one, {1000, 500}) == std::pair(128, 512));  // the bound decides
  CHECK(input_of(picture(1, 5000), {1000, 500}) == std::pair(512, 32));
}

TEST_CASE("A call with a size gives what a model converted with that size gives") {
  const TemporaryFolder folder;
  const std::string converted = folder / "192.maskrt";
  const ProcessResult made =
      run_process({MASKRT_CONVERT_COMMAND, demo + "/checkpoint.pth", "--config", demo + "/config.yaml", "-o", converted,
                   "INPUT.MIN_SIZE_TEST", "192", "INPUT.MAX_SIZE_TEST", "230"});
  INFO(made.err);
  REQUIRE(made.status == 0);
  ModelOptions options;
  options.device = "cpu";
  options.deterministic = true;
  const Model other = Model::load(converted, options);
  Session want(other, one_thread()), session(demo_on_cpu(), one_thread());
  const std::vector<Instance> instances = want.run(street());
  CHECK(instances.size() > 1);
  check_same(session.run(street(), resized(192, 230)), instances);

  const std::vector<Image> batch = {street(), picture(300, 500)};
  const auto wanted = want.run(std::span(batch)), found = session.run(std::span(batch), resized(192, 230));
  for (std::size_t i = 0; i < batch.size(); ++i) check_same(found.at(i), wanted.at(i));
  const std::vector<InputImage> inputs(batch.begin(), batch.end());
  check_same(std::get<std::vector<Instance>>(session.results(inputs, resized(192, 230)).front()), wanted.front());

  const auto tensors = want.tensors(batch);
  for (const auto& [name, tensor] : session.tensors(batch, {192, 230})) {
    INFO(name);
    CHECK(tensor.shape == tensors.at(name).shape);
    CHECK(tensor.values == tensors.at(name).values);
  }
}

TEST_CASE("A session takes another size with every call, and other sessions other sizes at the same time") {
  const std::vector<RunOptions> sizes = {resized(std::nullopt), resized(128), resized(0), resized(480, 0),
                                         resized(1, 0)};
  std::vector<std::vector<Instance>> want;
  for (const RunOptions& options : sizes) want.push_back(Session(demo_on_cpu(), one_thread()).run(street(), options));
  CHECK(want[0].front().score != want[1].front().score);
  const auto check_all = [&](Session& session) {
    for (const std::size_t i : {0u, 1u, 2u, 3u, 4u, 1u, 0u, 3u, 3u, 2u}) {
      INFO("size " << i);
      check_same(session.run(street(), sizes[i]), want[i]);
    }
  };
  Session roomy(demo_on_cpu(), one_thread()), narrow(demo_on_cpu(), one_thread(1));
  check_all(roomy);
  check_all(narrow);

  // Pictures that come to one padded input share a plan.
  roomy.prepare(1, 128, 192);
  check_same(roomy.run(street(), resized(127)), Session(demo_on_cpu(), one_thread()).run(street(), resized(127)));

  std::vector<std::thread> threads;
  std::vector<std::vector<Instance>> found(sizes.size());
  for (std::size_t i = 0; i < sizes.size(); ++i)
    threads.emplace_back([&, i] {
      Session session(demo_on_cpu(), one_thread());
      for (int again = 0; again < 3; ++again) found[i] = session.run(street(), sizes[i]);
    });
  for (std::thread& thread : threads) thread.join();
  for (std::size_t i = 0; i < sizes.size(); ++i) check_same(found[i], want[i]);
}

TEST_CASE("Sizes out of range are errors that name them, and the session goes on") {
  Session session(demo_on_cpu(), one_thread());
  const auto refused = [&](std::optional<int> min_size, std::optional<int> max_size, const std::string& sentence) {
    CHECK_THROWS_WITH(session.run(street(), resized(min_size, max_size)), Contains(sentence));
    CHECK_THROWS_WITH(session.tensors(std::span(&street(), 1), {min_size, max_size}), Contains(sentence));
    CHECK_THROWS_WITH(input_of(street(), {min_size, max_size}), Contains(sentence));
  };
  refused(-1, std::nullopt, "ResizeOptions::min_size: expected 0 to 65536, found -1");
  refused(65537, std::nullopt, "ResizeOptions::min_size: expected 0 to 65536, found 65537");
  refused(std::nullopt, -5, "ResizeOptions::max_size: expected 0 to 65536, found -5");
  refused(640, std::numeric_limits<int>::max(), "ResizeOptions::max_size: expected 0 to 65536, found 2147483647");
  refused(65536, 0,
          "resize: expected a longest side of at most 65536 pixels, found 87381 for an image of 200x150 whose shortest "
          "edge becomes 65536 without a bound on the longest");
  const Image square = picture(1000, 1000);
  CHECK_THROWS_WITH(session.run(square, resized(65536, 65536)),
                    Contains("plan: expected an input of at most 1073741824 pixels, found 65536x65536"));
  CHECK_THROWS_WITH(session.prepare(1, 65536, 65536), Contains("at most 1073741824 pixels, found 65536x65536"));
  CHECK_THROWS_WITH(session.memory(1, 32, std::numeric_limits<int>::max() / 32 * 32), Contains("at most 1073741824"));
  CHECK(session.run(street()).size() > 1);
}

}  // namespace
}  // namespace maskrt::testing
