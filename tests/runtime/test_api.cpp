// The public interface as programs use and misuse it: models in files that change, models in memory, options out of
// range, objects that were moved from, sessions that two threads share. A crash would end this program.
#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <limits>
#include <set>
#include <thread>

#include "maskrt/maskrt.hpp"
#include "support/demo_model.h"

namespace maskrt::testing {
namespace {

using Catch::Matchers::Contains;

ModelOptions on_cpu() {
  ModelOptions options;
  options.device = "cpu";
  return options;
}

SessionOptions with_threads(int threads) {
  SessionOptions options;
  options.threads = threads;
  return options;
}

std::vector<std::byte> bytes_of(const std::string& text) {
  std::vector<std::byte> bytes(text.size());
  std::memcpy(bytes.data(), text.data(), text.size());
  return bytes;
}

/// A picture of that size with something in it.
Image picture(int width, int height) {
  static std::vector<std::uint8_t> pixels;
  pixels.resize(std::size_t{3} * 2048 * 2048);
  for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<std::uint8_t>(i * 7 % 251);
  return Image::from_pixels(pixels.data(), width, height, PixelFormat::rgb);
}

const Image& street() {
  static const Image image = Image::from_file(demo + "/showcase/3.jpg");
  return image;
}

double sum_of_scores(const std::vector<Instance>& instances) {
  double sum = 0;
  for (const Instance& instance : instances) sum += static_cast<double>(instance.score);
  return sum;
}

/// The sum of scores on a picture, or -1 where the session throws an Error that names the model's file.
double sum_or_error(Session& session, const Image& image) {
  try {
    return sum_of_scores(session.run(image));
  } catch (const Error& error) {
    CHECK_THAT(error.what(), Contains("live.maskrt") && Contains("load the model anew"));
    return -1;
  }
}

TEST_CASE("A model file that is cut or overwritten in place gives the old model's results or an error") {
  const TemporaryFolder folder;
  const std::filesystem::path live = folder / "live.maskrt";
  const std::string original = read_text(demo_model());
  write_text(live, original);
  const Image first = street(), other = picture(333, 640);
  const double of_first = sum_of_scores(Session(Model::load(demo_model(), on_cpu())).run(first));
  const double of_other = sum_of_scores(Session(Model::load(demo_model(), on_cpu())).run(other));
  REQUIRE(of_first > 1);

  std::string another = original;
  for (std::size_t i = another.size() / 2; i < another.size(); i += 64) another[i] = static_cast<char>(another[i] ^ 1);
  const auto check = [&](const std::string& contents) {
    write_text(live, original);
    const Model model = Model::load(live.string(), on_cpu());
    Session used(model), fresh(model);
    CHECK(sum_or_error(used, first) == Approx(of_first));
    write_text(live, contents);  // into the same file
    CHECK(sum_or_error(used, first) == Approx(of_first));
    const double found = sum_or_error(used, other);
    CHECK((found == -1 || found == Approx(of_other)));
    const double beside = sum_or_error(fresh, first);
    CHECK((beside == -1 || beside == Approx(of_first)));
    // Where nothing was prepared before, weights must be read from the file.
    write_text(live, original);
    Session unprepared(Model::load(live.string(), on_cpu()));
    write_text(live, contents);
    CHECK(sum_or_error(unprepared, first) == -1);
    write_text(live, original);
    CHECK(sum_or_error(unprepared, first) == Approx(of_first));
  };
  check("");
  check(original.substr(0, original.size() / 2));
  check(another);
  check(original.substr(0, 4096) + std::string(2 * original.size(), 'x'));
}

TEST_CASE("A model file that is renamed over or removed does not matter to who has loaded it") {
  const TemporaryFolder folder;
  const std::filesystem::path live = folder / "live.maskrt";
  write_text(live, read_text(demo_model()));
  Session renamed(Model::load(live.string(), on_cpu()));
  write_text(folder / "new", "something else");
  std::filesystem::rename(folder / "new", live);
  CHECK(sum_of_scores(renamed.run(street())) > 1);
  write_text(live, read_text(demo_model()));
  Session removed(Model::load(live.string(), on_cpu()));
  std::filesystem::remove(live);
  CHECK(sum_of_scores(removed.run(street())) > 1);
}

TEST_CASE("A model in memory is the model in the file") {
  const double from_file = sum_of_scores(Session(Model::load(demo_model(), on_cpu())).run(street()));
  std::vector<std::byte> bytes = bytes_of(read_text(demo_model()));
  Session copied(Model::load(bytes, on_cpu()));
  Session shared([&] {
    const std::shared_ptr<std::byte[]> owned(new std::byte[bytes.size()]);
    std::copy(bytes.begin(), bytes.end(), owned.get());
    return Model::load(owned, bytes.size(), on_cpu());
  }());
  std::fill(bytes.begin(), bytes.end(), std::byte{0});  // the copy does not mind
  CHECK(sum_of_scores(copied.run(street())) == Approx(from_file));
  CHECK(sum_of_scores(shared.run(street())) == Approx(from_file));

  CHECK_THROWS_WITH(Model::load(bytes, on_cpu(), "weights"), Contains("weights: "));
  CHECK_THROWS_WITH(Model::load(std::span<const std::byte>(), on_cpu()), Contains("model in memory: expected"));
  CHECK_THROWS_WITH(Model::load(std::shared_ptr<const std::byte[]>(), 100, on_cpu()), Contains("found a null pointer"));
}

TEST_CASE("A model whose outputs do not fit each other is refused when it is loaded") {
  const std::string folder = MASKRT_TEST_DATA "/models/";
  CHECK_THROWS_WITH(Model::load(folder + "model_masks_fewer_segv.maskrt", on_cpu()),
                    Contains("output mask_logits: expected a map with a channel for each of the 2048 queries"));
  CHECK_THROWS_WITH(Model::load(folder + "model_masks_fewer_than_queries.maskrt", on_cpu()),
                    Contains("output mask_logits: expected a map with a channel for each of the 64 queries"));
  CHECK_THROWS_WITH(Model::load(folder + "model_without_outputs.maskrt", on_cpu()),
                    Contains("head SparseInst: expected the network to have an output class_logits, found none"));
}

TEST_CASE("Options out of range are errors that name them") {
  const Model model = Model::load(demo_model(), on_cpu());
  CHECK_THROWS_WITH(Session(model, with_threads(-1)), Contains("SessionOptions::threads") && Contains("found -1"));
  CHECK_THROWS_WITH(Session(model, with_threads(4097)), Contains("SessionOptions::threads"));
  SessionOptions session_options;
  session_options.plans = 0;
  CHECK_THROWS_WITH(Session(model, session_options), Contains("SessionOptions::plans"));
  session_options = {};
  session_options.allocator.release = [](void*, std::size_t, void*) {};
  CHECK_THROWS_WITH(Session(model, session_options), Contains("SessionOptions::allocator"));

  Session session(model, with_threads(1));
  RunOptions run_options;
  for (const float score : {-0.5f, -std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
    run_options.minimum_score = score;
    CHECK_THROWS_WITH(session.run(street(), run_options), Contains("RunOptions::minimum_score"));
  }
  run_options = {};
  run_options.mask_form = static_cast<MaskForm>(7);
  CHECK_THROWS_WITH(session.run(street(), run_options), Contains("RunOptions::mask_form") && Contains("7"));
  CHECK_THROWS_WITH(session.run(std::span<const Image>()), Contains("expected at least one image"));
  CHECK_THROWS_WITH(session.prepare(0, 64, 64), Contains("found 0x64x64"));
  CHECK_THROWS_WITH(session.prepare(1, -64, 64), Contains("found 1x-64x64"));
  CHECK_THROWS_WITH(session.memory(1, 64, 65), Contains("found 1x64x65"));

  ModelOptions model_options = on_cpu();
  model_options.precision = static_cast<Compute>(99);
  CHECK_THROWS_WITH(Model::load(demo_model(), model_options), Contains("ModelOptions::precision") && Contains("99"));
  model_options = on_cpu();
  model_options.device = "abacus";
  CHECK_THROWS_WITH(Model::load(demo_model(), model_options), Contains("found abacus"));
  const std::uint8_t pixels[3] = {};
  CHECK_THROWS_WITH(Image::from_pixels(pixels, 1, 1, static_cast<PixelFormat>(9)), Contains("found number 9"));
  CHECK(session.run(street()).size() > 1);  // none of it did any harm
}

TEST_CASE("Stages and layers are timed, and layers name their modules") {
  Session session(Model::load(demo_model(), on_cpu()), with_threads(1));
  const Image image = street();
  const Timings stages = session.time_stages({&image, 1});
  for (const double seconds : {stages.preprocess, stages.network, stages.postprocess}) CHECK(seconds > 0);
  CHECK_THROWS_WITH(session.time_stages({}), Contains("expected at least one image"));

  std::vector<LayerTiming> layers;
  session.run_network(1, 64, 64, &layers);
  std::set<std::string> modules;
  for (const LayerTiming& layer : layers) modules.insert(layer.module);
  CHECK(modules == std::set<std::string>{"backbone", "decoder", "encoder"});
}

TEST_CASE("What was moved from says so") {
  Model model = Model::load(demo_model(), on_cpu());
  Session session(model, with_threads(1));
  Session taken = std::move(session);
  CHECK_THROWS_WITH(session.run(street()), Contains("moved from"));
  CHECK_THROWS_WITH(session.prepare(1, 64, 64), Contains("moved from"));
  CHECK_THROWS_WITH(session.timings(), Contains("moved from"));
  CHECK_THROWS_WITH(session.time_stages({}), Contains("moved from"));
  CHECK(taken.run(street()).size() > 1);
  session = std::move(taken);
  CHECK(session.run(street()).size() > 1);

  const Model elsewhere = std::move(model);
  CHECK_THROWS_WITH(model.info(), Contains("moved from"));
  CHECK_THROWS_WITH(Session(model), Contains("moved from"));
  CHECK(elsewhere.info().device == "cpu");

  Image image = street();
  const Image kept = std::move(image);
  CHECK_THROWS_WITH(image.width(), Contains("moved from"));
  CHECK_THROWS_WITH(image.row(0), Contains("moved from"));
  CHECK_THROWS_WITH(session.run(image), Contains("moved from"));

  Mask mask = session.run(kept).front().mask;
  const Mask moved = std::move(mask);
  CHECK(mask.width() == 0);
  CHECK(mask.bits().empty());
  CHECK(mask.rle().width == 0);
  CHECK(mask.polygon().empty());
  CHECK_FALSE(mask.at(0, 0));
  CHECK(moved.width() == kept.width());
}

TEST_CASE("An instance tells which query found it, whichever others did") {
  Session session(Model::load(demo_model(), on_cpu()), with_threads(1));
  const std::vector<Instance> all = session.run(street());
  RunOptions likely;
  likely.minimum_score = 0.4f;
  const std::vector<Instance> few = session.run(street(), likely);
  REQUIRE(!few.empty());
  REQUIRE(few.size() < all.size());
  const Image images[] = {street()};
  const HostTensor classes = session.tensors(images).at("class_logits");  // [1, queries, classes]
  for (const std::vector<Instance>& instances : {all, few})
    for (std::size_t i = 0; i < instances.size(); ++i) {
      const Instance& instance = instances[i];
      REQUIRE(instance.query >= 0);
      REQUIRE(instance.query < classes.shape[1]);
      if (i > 0) CHECK(instance.query > instances[i - 1].query);
      const auto row = classes.values.begin() + instance.query * classes.shape[2];
      CHECK(std::max_element(row, row + classes.shape[2]) - row == instance.class_id);
    }
  for (const Instance& instance : few) {
    const auto same =
        std::find_if(all.begin(), all.end(), [&](const Instance& other) { return other.query == instance.query; });
    REQUIRE(same != all.end());
    CHECK(same->score == instance.score);
  }
}

TEST_CASE("Two threads in one session: one of them gets an error, and nothing else happens") {
  Session session(Model::load(demo_model(), on_cpu()), with_threads(1));
  const std::size_t expected = session.run(street()).size();
  std::atomic<int> refused{0}, wrong{0};
  const auto use = [&] {
    for (int i = 0; i < 2000 && refused.load() == 0; ++i) {
      try {
        if (session.run(street()).size() != expected) ++wrong;
      } catch (const Error& error) {
        if (std::strstr(error.what(), "expected one call at a time") == nullptr) ++wrong;
        ++refused;
      }
    }
  };
  std::thread a(use), b(use), c(use);
  a.join();
  b.join();
  c.join();
  CHECK(refused.load() > 0);
  CHECK(wrong.load() == 0);
  CHECK(session.run(street()).size() == expected);
}

}  // namespace
}  // namespace maskrt::testing
