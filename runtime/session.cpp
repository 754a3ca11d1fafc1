// Images in, instances out: plans by shape, stages in order, results named.
#include <algorithm>
#include <chrono>
#include <list>
#include <random>
#include <thread>
#include <utility>

#include "executor.h"
#include "input_size.h"
#include "mask/mask.h"
#include "maskrt/maskrt.hpp"
#include "model.h"

namespace maskrt {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

kernels::Pixels pixels_of(const Image& image) {
  kernels::Pixels pixels;
  pixels.data = image.row(0);
  pixels.width = image.width();
  pixels.height = image.height();
  pixels.row_stride = image.height() > 1 ? image.row(1) - image.row(0) : 0;
  switch (image.format()) {
    case PixelFormat::rgb: pixels.order = kernels::PixelOrder::rgb; break;
    case PixelFormat::bgr: pixels.order = kernels::PixelOrder::bgr; break;
    case PixelFormat::grey: pixels.order = kernels::PixelOrder::grey; break;
  }
  return pixels;
}

}  // namespace

struct Session::Impl {
  struct Cached {
    std::int64_t batch, height, width;
    Plan plan;
  };

  Impl(std::shared_ptr<Model::Impl> m, const SessionOptions& options)
      : model(std::move(m)),
        threads(options.threads > 0 ? options.threads
                                    : std::max(1, static_cast<int>(std::thread::hardware_concurrency()))),
        most_plans(std::max<std::size_t>(1, options.plans)),
        stream(model->device->open_stream({threads})),
        arena(*stream) {}

  void check_size(std::int64_t batch, std::int64_t height, std::int64_t width) const {
    const int divisibility = std::max(1, model->description.preprocessing.size_divisibility);
    if (batch < 1 || height < 1 || width < 1 || height % divisibility != 0 || width % divisibility != 0)
      throw Error("plan: expected a batch of at least 1 and a padded height and width that are multiples of " +
                  std::to_string(divisibility) + ", found " + std::to_string(batch) + "x" + std::to_string(height) +
                  "x" + std::to_string(width));
  }

  /// The plan for a shape, most recently used first in the list. The arena is large enough for it.
  Plan& plan_for(std::int64_t batch, std::int64_t height, std::int64_t width) {
    check_size(batch, height, width);
    auto found = std::find_if(plans.begin(), plans.end(), [&](const Cached& c) {
      return c.batch == batch && c.height == height && c.width == width;
    });
    if (found == plans.end()) {
      while (plans.size() >= most_plans) plans.pop_back();
      plans.push_front({batch, height, width, Plan(*model->network, batch, height, width, threads)});
    } else {
      plans.splice(plans.begin(), plans, found);
    }
    arena.reserve(plans.front().plan.arena_bytes());
    return plans.front().plan;
  }

  /// Sizes every image and gives the plan for them.
  Plan& plan_for(std::span<const Image> images, std::vector<ImageToProcess>& batch) {
    const graph::Preprocessing& settings = model->description.preprocessing;
    if (images.empty()) throw Error("run: expected at least one image, found none");
    int height = 0, width = 0;
    batch.clear();
    for (const Image& image : images) {
      ImageToProcess one;
      one.pixels = pixels_of(image);
      const ImageSize size = resized_size({image.width(), image.height()}, settings.min_size, settings.max_size);
      one.geometry.original_width = image.width();
      one.geometry.original_height = image.height();
      one.geometry.resized_width = size.width;
      one.geometry.resized_height = size.height;
      height = std::max(height, size.height);
      width = std::max(width, size.width);
      batch.push_back(one);
    }
    height = padded_size(height, settings.size_divisibility);
    width = padded_size(width, settings.size_divisibility);
    for (ImageToProcess& one : batch) {
      one.geometry.padded_width = width;
      one.geometry.padded_height = height;
    }
    return plan_for(static_cast<std::int64_t>(batch.size()), height, width);
  }

  kernels::Normalisation normalisation() const {
    const graph::Preprocessing& settings = model->description.preprocessing;
    kernels::Normalisation normalisation;
    normalisation.rgb = settings.rgb;
    std::copy_n(settings.mean, 3, normalisation.mean);
    std::copy_n(settings.std, 3, normalisation.std);
    return normalisation;
  }

  Execution& execution(Plan& plan) { return plan.execution(arena, normalisation()); }

  Instance name(kernels::DetectedInstance& detected, bool masks) const {
    const auto& categories = model->description.categories;
    Instance instance;
    instance.score = detected.score;
    instance.class_id = detected.class_id;
    if (const auto index = static_cast<std::size_t>(detected.class_id); index < categories.size()) {
      instance.category_id = categories[index].id;
      instance.label = categories[index].name;
    }
    if (masks) {
      instance.box = {detected.x, detected.y, detected.width, detected.height};
      instance.mask = Mask(std::make_shared<Mask::Data>(Mask::Data{std::move(detected.mask), detected.area}));
    }
    return instance;
  }

  std::shared_ptr<Model::Impl> model;
  int threads;
  std::size_t most_plans;
  std::unique_ptr<DeviceStream> stream;
  Arena arena;
  std::list<Cached> plans;
  Timings timings;
};

Session::Session(const Model& model, const SessionOptions& options)
    : impl_(std::make_unique<Impl>(model.impl(), options)) {}
Session::~Session() = default;
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;

std::vector<Instance> Session::run(const Image& image, const RunOptions& options) {
  return std::move(run(std::span(&image, 1), options).front());
}

std::vector<std::vector<Instance>> Session::run(std::span<const Image> images, const RunOptions& options) {
  std::vector<ImageToProcess> batch;
  Plan& plan = impl_->plan_for(images, batch);

  const graph::Postprocessing& post = impl_->model->description.postprocessing;
  kernels::PostprocessSettings settings;
  settings.score_threshold = post.score_threshold;
  settings.mask_threshold = post.mask_threshold;
  settings.minimum_score = options.minimum_score;
  settings.masks = options.masks;
  StageSeconds seconds;
  Detections detected = impl_->execution(plan).detect(batch, settings, seconds);

  std::vector<std::vector<Instance>> results(detected.size());
  for (std::size_t i = 0; i < detected.size(); ++i)
    for (kernels::DetectedInstance& one : detected[i]) results[i].push_back(impl_->name(one, options.masks));
  impl_->timings = {seconds.preprocess, seconds.network, seconds.postprocess};
  return results;
}

std::map<std::string, HostTensor> Session::tensors(std::span<const Image> images) {
  std::vector<ImageToProcess> batch;
  Plan& plan = impl_->plan_for(images, batch);
  DeviceStream& stream = *impl_->stream;

  std::map<std::string, HostTensor> tensors;
  const auto read = [&](const std::string& name, const Program::Binding& binding, const kernels::Tensor& tensor) {
    const graph::Extent& e = binding.extent;
    Shape shape = e.list ? Shape{e.batch, e.height, e.channels} : Shape{e.batch, e.channels, e.height, e.width};
    tensors[name] = {std::move(shape), stream.read(tensor, e.list)};
  };
  auto start = Clock::now();
  stream.preprocess(batch, impl_->normalisation(), plan.input(impl_->arena));
  impl_->timings.preprocess = seconds_since(start);
  // Before the run: the input's memory is free for other values after its last reader.
  read("input", plan.program().input, plan.input(impl_->arena));
  impl_->timings.network = impl_->execution(plan).run(nullptr);
  for (const auto& [name, binding] : plan.program().outputs) read(name, binding, plan.output(impl_->arena, name));
  return tensors;
}

void Session::prepare(int batch, int height, int width) {
  impl_->execution(impl_->plan_for(batch, height, width));
}

double Session::run_network(int batch, int height, int width, std::vector<LayerTiming>* layers) {
  Plan& plan = impl_->plan_for(batch, height, width);
  const graph::Extent& extent = plan.program().input.extent;
  std::vector<float> noise(static_cast<std::size_t>(extent.elements()));
  std::minstd_rand random(1);  // normalised pixels are about -2 to 2
  for (float& x : noise) x = static_cast<float>(random()) * (4.0f / 2147483648.0f) - 2.0f;
  impl_->stream->write(plan.input(impl_->arena), noise);

  Execution& execution = impl_->execution(plan);
  std::vector<double> seconds;
  const double total = execution.run(layers != nullptr ? &seconds : nullptr);
  if (layers != nullptr) {
    layers->clear();
    const PeakRates peak = impl_->model->device->peak(impl_->model->precision);
    const bool told = peak.flops > 0 && peak.bytes > 0;
    for (std::size_t i = 0; const Step& step : plan.program().steps) {
      const double bound = told ? std::max(step.flops / peak.flops, step.bytes / peak.bytes) : 0;
      layers->push_back({step.name, step.operation, step.algorithm, seconds.at(i++), step.flops, step.bytes, bound});
    }
  }
  return total;
}

std::string Session::tune(int batch, int height, int width,
                          const std::function<void(std::size_t done, std::size_t all)>& progress) {
  impl_->check_size(batch, height, width);
  return impl_->model->network->tune(batch, height, width, *impl_->stream, progress);
}

MemoryUse Session::memory(int batch, int height, int width) {
  const Plan& plan = impl_->plan_for(batch, height, width);
  return {impl_->model->network->memory().prepared_weights, plan.arena_bytes(), plan.scratch_bytes()};
}

Timings Session::timings() const { return impl_->timings; }

}  // namespace maskrt
