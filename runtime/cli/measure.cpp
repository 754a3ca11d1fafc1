#include "measure.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <random>

#include "canvas.h"
#include "interrupt.h"
#include "png.h"
#include "runtime/support/clock.h"
#include "statistics.h"

namespace maskrt::cli {
namespace {

/// Calls `run` to warm up, then until there are enough runs. `run` gives what it measured; gives all of it.
template <typename Run>
auto repeat(const MeasureSettings& settings, const Run& run) {
  constexpr int fewest = 7, most = 200;
  constexpr std::chrono::seconds enough(3);
  for (int i = 0; i < settings.warmup; ++i) {
    check_interrupt();
    run();
  }
  std::vector<decltype(run())> measured;
  const auto start = Clock::now();
  for (int i = 0; settings.runs > 0 ? i < settings.runs : i < fewest || (i < most && Clock::now() - start < enough);
       ++i) {
    check_interrupt();
    measured.push_back(run());
  }
  return measured;
}

/// A picture with the smooth, sharp and noisy parts of a photograph, always the same.
Canvas synthetic_picture(Size size) {
  Canvas picture(size.width, size.height, {96, 112, 128});
  for (int y = 0; y < size.height; ++y) {
    const auto sky = static_cast<std::uint8_t>(255 * y / size.height);
    for (int x = 0; x < size.width; ++x)
      picture.blend(x, y, {sky, 160, static_cast<std::uint8_t>(255 * x / size.width)}, 0.6f);
  }
  std::minstd_rand random(1);
  const auto below = [&random](int n) { return static_cast<int>(random() % static_cast<unsigned>(std::max(1, n))); };
  for (int i = 0; i < 40; ++i) {
    const int side = 8 + below(std::max(size.height, size.width) / 4);
    const auto level = [&] { return static_cast<std::uint8_t>(below(256)); };
    const Color color = {level(), level(), level()};
    picture.fill_rounded_box({below(size.width), below(size.height), side, side}, 0.5f * static_cast<float>(side),
                             color, 1);
  }
  for (int y = 0; y < size.height; ++y)
    for (int x = 0; x < size.width; ++x)
      picture.blend(x, y, {255, 255, 255}, 0.06f * static_cast<float>(below(256)) / 255.0f);
  return picture;
}

/// One stage of many runs, by its place in each.
template <std::size_t n>
std::vector<double> stage_of(const std::vector<std::array<double, n>>& runs, std::size_t place) {
  std::vector<double> seconds;
  for (const auto& run : runs) seconds.push_back(run[place]);
  return seconds;
}

/// The first three stages of many runs.
template <std::size_t n>
void add_stages(Measured& measured, const std::array<const char*, 3>& names,
                const std::vector<std::array<double, n>>& runs) {
  for (std::size_t place = 0; place < names.size(); ++place)
    measured.stages.push_back({names[place], stage_of(runs, place)});
}

std::vector<LayerTiming> measure_layers(Session& session, Size size, const MeasureSettings& settings) {
  const auto measured = repeat(settings, [&] {
    std::vector<LayerTiming> layers;
    session.run_network(settings.batch, size.height, size.width, &layers);
    return layers;
  });
  std::vector<LayerTiming> layers = measured.front();
  for (std::size_t i = 0; i < layers.size(); ++i) {
    std::vector<double> seconds;
    for (const std::vector<LayerTiming>& run : measured) seconds.push_back(run[i].seconds);
    layers[i].seconds = quantile(seconds, 0.5);
  }
  return layers;
}

}  // namespace

double Measured::median(const char* stage) const {
  return quantile(std::find_if(stages.begin(), stages.end(), [&](const Stage& s) { return s.name == stage; })->seconds,
                  0.5);
}

Measured measure(const Model& model, const MeasureSettings& settings, const std::function<void()>& before_layers) {
  const ModelInfo info = model.info();
  const InputSettings input = input_settings(info, settings.resize);
  const int divisibility = input.size_divisibility;
  Measured measured;
  measured.warmup = settings.warmup;
  if (settings.size) measured.network = padded(*settings.size, divisibility);
  if (settings.image) measured.picture = *settings.image;
  if (!settings.size && !settings.image) measured.network = padded(usual_size(input), divisibility);
  if (!settings.image) measured.picture = measured.network;

  const Canvas picture = synthetic_picture(measured.picture);
  const auto jpeg = encode_jpeg(picture.rgb(), picture.width(), picture.height(), 90);
  measured.stages.push_back({"decode", repeat(settings, [&] {
                               const auto decoding = Clock::now();
                               Image::from_bytes(jpeg);
                               return seconds_since(decoding);
                             })});

  const std::vector<Image> images(static_cast<std::size_t>(settings.batch), Image::from_bytes(jpeg));
  const auto [height, width] = input_size(info, images, settings.resize);
  measured.picture_network = {height, width};
  if (settings.image && !settings.size) measured.network = measured.picture_network;

  Session session(model, settings.session);
  RunOptions options;
  options.resize = settings.resize;
  const auto start = Clock::now();
  session.prepare(settings.batch, measured.network.height, measured.network.width);
  measured.plan_seconds = seconds_since(start);
  const auto calls = repeat(settings, [&] {
    const auto calling = Clock::now();
    measured.instances = session.run(images, options).front().size();
    const double whole = seconds_since(calling);
    const Timings timings = session.timings();
    return std::array{timings.preprocess, timings.network, timings.postprocess, whole};
  });
  if (info.device.starts_with("cuda")) {
    const auto apart = repeat(settings, [&] {
      const Timings timings = session.time_stages(images, settings.resize);
      return std::array{timings.preprocess, timings.network, timings.postprocess};
    });
    add_stages(measured, {"host to device", "compute", "device to host"}, calls);
    add_stages(measured, {"preprocess", "network", "postprocess"}, apart);
  } else {
    add_stages(measured, {"preprocess", "network", "postprocess"}, calls);
  }
  measured.stages.push_back({"whole call", stage_of(calls, 3)});
  measured.stages.push_back({"network alone", repeat(settings, [&] {
                               return session.run_network(settings.batch, measured.network.height,
                                                          measured.network.width);
                             })});
  measured.memory = session.memory(settings.batch, measured.network.height, measured.network.width);
  if (settings.further_plan) {
    const Size other = measured.network.height != measured.network.width
                           ? Size{measured.network.width, measured.network.height}
                           : padded({measured.network.height + 1, measured.network.width}, divisibility);
    const auto making = Clock::now();
    session.prepare(settings.batch, other.height, other.width);
    measured.further_plan_seconds = seconds_since(making);
  }
  before_layers();
  measured.layers = measure_layers(session, measured.network, settings);
  return measured;
}

}  // namespace maskrt::cli
