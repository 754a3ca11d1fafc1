// Images in, instances out: plans by shape, stages in order, results named.
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <list>
#include <optional>
#include <random>
#include <type_traits>
#include <utility>

#include "activations.h"
#include "executor.h"
#include "given_positions.h"
#include "input_image.h"
#include "input_size.h"
#include "maskrt/maskrt.hpp"
#include "model.h"
#include "runtime/mask/mask.h"
#include "runtime/support/clock.h"
#include "runtime/support/public_call.h"
#include "runtime/support/usable_processors.h"

namespace maskrt {
namespace {

constexpr int kMostThreads = 4096;

/// Of an image that a plan may be for: what computes it counts pixels in 32 bits.
constexpr std::int64_t kMostPixels = std::int64_t{1} << 30;

/// Does `work` in a process that the device works in; every exception that leaves it is an Error, and that of a device
/// that has failed for good says so.
template <typename Work>
decltype(auto) guarded(const Device& device, const Work& work) {
  return public_call("session", [&]() -> decltype(auto) {
    device.check_process();
    try {
      return work();
    } catch (const Error& error) {
      if (!device.lost()) throw;
      throw Error(std::string(error.what()) + "; " + device.name() +
                  " has failed for good: let go of every model and session on it before loading another");
    }
  });
}

/// The model behind a session's constructor.
std::shared_ptr<Model::Impl> model_of(const Model& model) {
  if (model.impl() == nullptr) throw Error("session: expected a model, found one that was moved from");
  return model.impl();
}

const SessionOptions& checked(const SessionOptions& options) {
  if (options.threads < 0 || options.threads > kMostThreads)
    throw Error("SessionOptions::threads: expected 0 to " + std::to_string(kMostThreads) + ", found " +
                std::to_string(options.threads));
  if (options.plans < 1) throw Error("SessionOptions::plans: expected at least 1, found 0");
  if (static_cast<bool>(options.allocator.allocate) != static_cast<bool>(options.allocator.release))
    throw Error("SessionOptions::allocator: expected both functions or none, found one of them");
  return options;
}

const RunOptions& checked(const RunOptions& options) {
  if (!(options.minimum_score >= 0))  // NaN fails too
    throw Error("RunOptions::minimum_score: expected 0 or a positive number, found " +
                std::to_string(options.minimum_score));
  if (options.task && *options.task > Task::panoptic)
    throw Error("RunOptions::task: expected instances, semantic or panoptic, found number " +
                std::to_string(static_cast<int>(*options.task)));
  if (options.mask_form > MaskForm::runs)
    throw Error("RunOptions::mask_form: expected bits or runs, found number " +
                std::to_string(static_cast<int>(options.mask_form)));
  return options;
}

/// Marks a session as busy while it lives. One thread at a time may hold it.
class Turn {
 public:
  explicit Turn(std::atomic<pid_t>& holder) : holder_(holder) {
    pid_t found = 0;
    if (holder_.compare_exchange_strong(found, ::getpid())) return;
    throw Error(
        found == ::getpid()
            ? "session: expected one call at a time, found another still running; take a session for each thread"
            : "session: expected no call to be running in another thread when the process was forked, found "
              "one; take a new session");
  }
  ~Turn() { holder_.store(0); }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  std::atomic<pid_t>& holder_;
};

}  // namespace

struct Session::Impl {
  struct Cached {
    std::int64_t batch, height, width;
    Plan plan;
  };

  Impl(std::shared_ptr<Model::Impl> m, const SessionOptions& options)
      : model(std::move(m)),
        threads(options.threads > 0 ? options.threads : usable_processors()),
        most_plans(options.plans),
        stream(guarded(*model->device,
                       [&] {
                         return model->device->open_stream({threads, options.stream, options.allocator});
                       })),
        arena(*stream) {}

  void check_size(std::int64_t batch, std::int64_t height, std::int64_t width) const {
    const int divisibility = std::max(1, model->description.preprocessing.size_divisibility);
    if (batch < 1 || height < 1 || width < 1 || height % divisibility != 0 || width % divisibility != 0)
      throw Error("plan: expected a batch of at least 1 and a padded height and width that are multiples of " +
                  std::to_string(divisibility) + ", found " + std::to_string(batch) + "x" + std::to_string(height) +
                  "x" + std::to_string(width));
    if (height > kMostPixels / width)
      throw Error("plan: expected an input of at most " + std::to_string(kMostPixels) + " pixels, found " +
                  std::to_string(height) + "x" + std::to_string(width));
  }

  /// The plan for a shape, most recently used first in the list. The arena is large enough for it.
  Plan& plan_for(std::int64_t batch, std::int64_t height, std::int64_t width) {
    check_size(batch, height, width);
    with_results = nullptr;
    auto found = std::find_if(plans.begin(), plans.end(), [&](const Cached& c) {
      return c.batch == batch && c.height == height && c.width == width;
    });
    if (found == plans.end()) {
      // Made while the others are there, whose weights it then need not prepare again.
      Cached made{batch, height, width, Plan(*model->network, batch, height, width, threads)};
      while (plans.size() >= most_plans) plans.pop_back();
      plans.push_front(std::move(made));
    } else {
      plans.splice(plans.begin(), plans, found);
    }
    arena.reserve(plans.front().plan.arena_bytes());
    return plans.front().plan;
  }

  /// Sizes every image and gives the plan for them.
  Plan& plan_for(std::vector<ImageToProcess>& images, const ResizeOptions& resize) {
    if (images.empty()) throw Error("run: expected at least one image, found none");
    const InputSettings settings = input_settings(model->description.preprocessing);
    const ImageSize size = fit(images, with_resize(settings, resize));
    return plan_for(static_cast<std::int64_t>(images.size()), size.height, size.width);
  }

  kernels::Normalisation normalisation() const { return normalisation_of(model->description.preprocessing); }

  Execution& execution(Plan& plan) { return plan.execution(arena, normalisation()); }

  static std::shared_ptr<const Mask::Data> mask_of(kernels::DetectedInstance& detected) {
    if (detected.runs.empty()) return std::make_shared<Mask::Data>(std::move(detected.mask), detected.area);
    rle::Runs runs{detected.mask.height, detected.mask.width, std::move(detected.runs)};
    return std::make_shared<Mask::Data>(std::move(runs), detected.area);
  }

  /// What a class is called in the dataset: sets `category_id` and `label`.
  template <typename Named>
  void name_class(Named& named) const {
    const auto& categories = model->description.categories;
    const auto index = static_cast<std::size_t>(named.class_id);
    if (index >= categories.size()) return;
    named.category_id = categories[index].id;
    named.label = categories[index].name;
  }

  /// From what a device detects to what callers get, by task.
  struct Namer {
    const Impl& session;
    bool masks;
    Result operator()(std::vector<kernels::DetectedInstance>& detected) const {
      std::vector<Instance> instances;
      instances.reserve(detected.size());
      for (kernels::DetectedInstance& one : detected) {
        Instance instance;
        instance.score = one.score;
        instance.class_id = one.class_id;
        instance.query = one.query;
        session.name_class(instance);
        if (masks) {
          instance.box = {static_cast<float>(one.x), static_cast<float>(one.y), static_cast<float>(one.width),
                          static_cast<float>(one.height), BoxOf::mask};
          instance.mask = Mask(mask_of(one));
        }
        instances.push_back(std::move(instance));
      }
      return instances;
    }
    Result operator()(SemanticMap& map) const { return std::move(map); }
    Result operator()(PanopticMap& map) const {
      for (PanopticSegment& segment : map.segments) session.name_class(segment);
      return std::move(map);
    }
  };

  /// The task that a call asks for; throws Error where the model's head does not do it.
  Task task_for(const std::optional<Task>& wanted) const {
    const graph::Head& head = model->description.head;
    const std::span<const Task> tasks = graph::tasks_of(head);
    if (!wanted && !tasks.empty()) return tasks.front();
    if (wanted && std::find(tasks.begin(), tasks.end(), *wanted) != tasks.end()) return *wanted;
    std::string found;
    for (const Task task : tasks) found += (found.empty() ? "" : " and ") + std::string(name_of(task));
    throw Error("run: expected a model that finds " + (wanted ? std::string(name_of(*wanted)) : "something") +
                ", found one with head " + std::string(graph::name_of(head)) + ", which finds " +
                (found.empty() ? "nothing: ask for its tensors" : found));
  }

  DetectionOptions detection_options(const RunOptions& options) const {
    return {task_for(options.task), options.minimum_score, options.masks, options.mask_form, options.run_capacity};
  }

  std::vector<Result> results(std::vector<ImageToProcess> images, const RunOptions& options) {
    const DetectionOptions wanted = detection_options(options);
    Plan& plan = plan_for(images, options.resize);
    Execution& bound = execution(plan);
    StageSeconds seconds;
    std::vector<Detected> detected = bound.detect(images, wanted, seconds);
    std::vector<Result> results;
    for (Detected& one : detected) results.push_back(std::visit(Namer{*this, options.masks}, one));
    timings = {seconds.preprocess, seconds.network, seconds.postprocess};
    remember(plan, images);
    return results;
  }

  /// The plan's values are those of these pictures, until it or another runs again.
  void remember(const Plan& plan, std::span<const ImageToProcess> images) {
    geometries.clear();
    for (const ImageToProcess& image : images) geometries.push_back(image.geometry);
    with_results = &plan;
  }

  Timings time_stages(std::vector<ImageToProcess> images, const ResizeOptions& resize) {
    const DetectionOptions wanted = detection_options(RunOptions());
    Plan& plan = plan_for(images, resize);
    const StageSeconds seconds = execution(plan).time_stages(images, wanted);
    remember(plan, images);
    return {seconds.preprocess, seconds.network, seconds.postprocess};
  }

  std::vector<std::vector<Instance>> run(std::vector<ImageToProcess> images, RunOptions options) {
    options.task = Task::instances;
    std::vector<std::vector<Instance>> instances;
    for (Result& result : results(std::move(images), options))
      instances.push_back(std::move(std::get<std::vector<Instance>>(result)));
    return instances;
  }

  DeviceResults enqueue(std::vector<ImageToProcess> images, RunOptions options) {
    options.task = Task::instances;
    const DetectionOptions wanted = detection_options(options);
    return execution(plan_for(images, options.resize)).enqueue(images, wanted);
  }

  HostTensor read(const Program::Binding& binding, const kernels::Tensor& tensor) {
    const graph::Extent& e = binding.extent;
    Shape shape = e.list ? Shape{e.batch, e.height, e.channels} : Shape{e.batch, e.channels, e.height, e.width};
    return {std::move(shape), stream->read(tensor, e.list)};
  }

  /// A value as the last run left it, for the call `what`.
  HostTensor left(const std::string& what, const std::string& name) {
    if (with_results == nullptr)
      throw Error(what + ": expected a run whose values are still there, found none since the plan last changed");
    return read(with_results->program().outputs.at(name), with_results->output(arena, name));
  }

  std::map<std::string, HostTensor> kept() {
    std::map<std::string, HostTensor> found;
    for (const std::string& name : model->kept) found[name] = left("kept", name);
    return found;
  }

  std::vector<ActivationMaps> activations() {
    if (!model->activations_kept)
      throw Error("activations: expected a model that was loaded with ModelOptions::activations, found one without");
    const graph::ActivationSource& source = *model->activations;
    const std::string& name = model->description.graph.values[static_cast<std::size_t>(source.value)].name;
    return activation_maps(left("activations", name), source, geometries);
  }

  /// `positions`: null where the network selects them.
  std::map<std::string, HostTensor> tensors(std::span<const Image> images, const ResizeOptions& resize,
                                            const QueryPositions* positions);
  double run_network(int batch, int height, int width, std::vector<LayerTiming>* layers);

  /// Does what a call of the session's does, where the device wants it done.
  template <typename Work>
  decltype(auto) call(const Work& work) {
    using Returned = decltype(work());
    return guarded(*model->device, [&]() -> Returned {
      const Turn turn(busy);
      if constexpr (std::is_void_v<Returned>) {
        stream->perform(work);
      } else if constexpr (std::is_reference_v<Returned>) {
        std::remove_reference_t<Returned>* result = nullptr;
        stream->perform([&] { result = &work(); });
        return *result;
      } else {
        std::optional<Returned> result;
        stream->perform([&] { result.emplace(work()); });
        return std::move(*result);
      }
    });
  }

  /// What a session holds; throws Error where it holds nothing any more.
  static Impl& of(const std::unique_ptr<Impl>& impl) {
    if (impl == nullptr) throw Error("session: expected one that holds a model, found one that was moved from");
    return *impl;
  }

  std::shared_ptr<Model::Impl> model;
  int threads;
  std::size_t most_plans;
  std::unique_ptr<DeviceStream> stream;
  Arena arena;
  std::list<Cached> plans;
  const Plan* with_results = nullptr;         ///< whose values the last run left in the arena; null: others are there
  std::vector<kernels::Geometry> geometries;  ///< of the last run's pictures
  Timings timings;
  std::atomic<pid_t> busy{0};  ///< the process that a call is running in; 0: none is
};

std::map<std::string, HostTensor> Session::Impl::tensors(std::span<const Image> images, const ResizeOptions& resize,
                                                         const QueryPositions* positions) {
  std::vector<ImageToProcess> batch = images_to_process(images);
  Plan& plan = plan_for(batch, resize);
  std::map<std::string, Plan::Change> changes;
  if (positions != nullptr) {
    const GivenPositions given = given_positions(*positions, plan.program(), model->network->graph());
    changes[given.value] = [this, given](const kernels::Tensor& value) { stream->write(value, given.positions); };
  }
  std::map<std::string, HostTensor> found;
  auto start = Clock::now();
  stream->preprocess(batch, normalisation(), plan.input(arena));
  timings.preprocess = seconds_since(start);
  // Before the run: the input's memory is free for other values after its last reader.
  found["input"] = read(plan.program().input, plan.input(arena));
  if (changes.empty()) {
    timings.network = execution(plan).run(nullptr);
  } else {
    start = Clock::now();
    plan.run_changing(arena, changes);
    timings.network = seconds_since(start);
  }
  for (const std::string& name : model->outputs)
    found[name] = read(plan.program().outputs.at(name), plan.output(arena, name));
  return found;
}

double Session::Impl::run_network(int batch, int height, int width, std::vector<LayerTiming>* layers) {
  Plan& plan = plan_for(batch, height, width);
  const graph::Extent& extent = plan.program().input.extent;
  std::vector<float> noise(static_cast<std::size_t>(extent.elements()));
  std::minstd_rand random(1);  // normalised pixels are about -2 to 2
  for (float& x : noise) x = static_cast<float>(random()) * (4.0f / 2147483648.0f) - 2.0f;
  stream->write(plan.input(arena), noise);

  Execution& bound_network = execution(plan);
  std::vector<double> seconds;
  const double total = bound_network.run(layers != nullptr ? &seconds : nullptr);
  if (layers != nullptr) {
    layers->clear();
    for (std::size_t i = 0; const Step& step : plan.program().steps) {
      const PeakRates peak = model->device->peak(step.arithmetic.value_or(model->precision), threads);
      const double bound = least_seconds(step, peak);
      layers->push_back(
          {step.name, step.module, step.operation, step.algorithm, seconds.at(i++), step.flops, step.bytes, bound});
    }
  }
  return total;
}

Session::Session(const Model& model, const SessionOptions& options)
    : impl_(public_call("session", [&] { return std::make_unique<Impl>(model_of(model), checked(options)); })) {}
Session::~Session() = default;
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;

std::vector<Instance> Session::run(const Image& image, const RunOptions& options) {
  return std::move(run(std::span(&image, 1), options).front());
}

std::vector<std::vector<Instance>> Session::run(std::span<const Image> images, const RunOptions& options) {
  Impl& impl = Impl::of(impl_);
  return impl.call([&] { return impl.run(images_to_process(images), checked(options)); });
}

std::vector<std::vector<Instance>> Session::run(std::span<const InputImage> images, const RunOptions& options) {
  Impl& impl = Impl::of(impl_);
  return impl.call([&] { return impl.run(images_to_process(images), checked(options)); });
}

std::vector<Result> Session::results(std::span<const InputImage> images, const RunOptions& options) {
  Impl& impl = Impl::of(impl_);
  return impl.call([&] { return impl.results(images_to_process(images), checked(options)); });
}

std::map<std::string, HostTensor> Session::kept() {
  Impl& impl = Impl::of(impl_);
  return impl.call([&] { return impl.kept(); });
}

std::vector<ActivationMaps> Session::activations() {
  Impl& impl = Impl::of(impl_);
  return impl.call([&] { return impl.activations(); });
}

DeviceResults Session::enqueue(std::span<const InputImage> images, const RunOptions& options) {
  Impl& impl = Impl::of(impl_);
  return impl.call([&] { return impl.enqueue(images_to_process(images), checked(options)); });
}

std::map<std::string, HostTensor> Session::tensors(std::span<const Image> images, const ResizeOptions& resize) {
  Impl& impl = Impl::of(impl_);
  return impl.call([&] { return impl.tensors(images, resize, nullptr); });
}

std::map<std::string, HostTensor> Session::tensors(std::span<const Image> images, const ResizeOptions& resize,
                                                   const QueryPositions& positions) {
  Impl& impl = Impl::of(impl_);
  return impl.call([&] { return impl.tensors(images, resize, &positions); });
}

void Session::prepare(int batch, int height, int width) {
  Impl& impl = Impl::of(impl_);
  impl.call([&] { impl.execution(impl.plan_for(batch, height, width)); });
}

double Session::run_network(int batch, int height, int width, std::vector<LayerTiming>* layers) {
  Impl& impl = Impl::of(impl_);
  return impl.call([&] { return impl.run_network(batch, height, width, layers); });
}

Timings Session::time_stages(std::span<const Image> images, const ResizeOptions& resize) {
  Impl& impl = Impl::of(impl_);
  return impl.call([&] { return impl.time_stages(images_to_process(images), resize); });
}

std::string Session::tune(int batch, int height, int width,
                          const std::function<void(std::size_t done, std::size_t all)>& progress) {
  Impl& impl = Impl::of(impl_);
  return impl.call([&] {
    impl.check_size(batch, height, width);
    return impl.model->network->tune(batch, height, width, *impl.stream, progress);
  });
}

MemoryUse Session::memory(int batch, int height, int width) {
  Impl& impl = Impl::of(impl_);
  return impl.call([&] {
    const Plan& plan = impl.plan_for(batch, height, width);
    return MemoryUse{impl.model->network->memory().prepared_weights, plan.arena_bytes(), plan.scratch_bytes()};
  });
}

Timings Session::timings() const {
  Impl& impl = Impl::of(impl_);
  return impl.call([&] { return impl.timings; });
}

}  // namespace maskrt
