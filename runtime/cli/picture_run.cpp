#include "picture_run.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <numeric>
#include <string>
#include <utility>

#include "console.h"
#include "graph/atomic_file.h"
#include "graph/checksum.h"
#include "graph/safetensors.h"
#include "heap.h"
#include "interrupt.h"
#include "ordered_pipeline.h"
#include "runtime/coco/result_text.h"

namespace maskrt::cli {
namespace {

/// Memory budget for decoded pictures in flight, for each processor. It suffices for pictures of up to 33 megapixels.
constexpr std::size_t kBytesAProcessor = std::size_t{1} << 29;

/// The next picture's files would fare no better.
bool concerns_all(int reason) {
  return reason == ENOSPC || reason == EDQUOT || reason == EIO || reason == EPIPE || reason == EINTR;
}

SessionShares shares(std::size_t batches, const PictureRunSettings& settings, const DeviceOptions& device, bool on_gpu,
                     int processors) {
  if (on_gpu) return shares_on_gpu(settings.alone ? 1 : batches);
  // A tuning file's choices are for a session of that many threads.
  if (settings.alone || !device.tuning.empty()) return {1, processors};
  return shares_on_processors(batches, settings.batch, processors, !device.deterministic);
}

}  // namespace

coco::ImageLine line_of(const Picture& picture, const Image& image, const std::vector<Instance>& instances) {
  coco::ImageLine line{picture.file_name, picture.image_id, image.width(), image.height(), {}, {}};
  for (const Instance& instance : instances) {
    const Box& box = instance.box;
    line.instances.push_back({picture.file_name,
                              picture.image_id,
                              instance.category_id,
                              instance.label,
                              {{double(box.x), double(box.y), double(box.width), double(box.height)}},
                              instance.score,
                              instance.mask.rle()});
    if (!coco::is_finite(line.instances.back()))
      throw Error("expected instances of finite scores, found " + std::to_string(instance.score));
  }
  return line;
}

std::string describe_run(const std::string& path, const ModelInfo& model, std::optional<float> score,
                         const DecodeOptions& decode, const ResizeOptions& resize) {
  const auto metadata = graph::Safetensors::read(path).metadata;
  const auto checksum = metadata.find(std::string(graph::kChecksumKey));
  std::string text = "model " + (checksum == metadata.end() ? "without a checksum" : checksum->second);
  if (score) {
    char digits[32];
    text += ", score " + std::string(digits, std::to_chars(digits, digits + sizeof digits, *score).ptr);
  }
  if (!decode.exif_orientation) text += ", no EXIF";
  const std::string resized = resize_text(input_settings(model, resize));
  if (resized != resize_text(model.input)) text += ", resize: " + resized;
  return text;
}

void check_finds(const ModelInfo& model, Task task) {
  if (std::find(model.tasks.begin(), model.tasks.end(), task) != model.tasks.end()) return;
  const auto words = [](Task one) {
    switch (one) {
      case Task::instances:
        return "instances";
      case Task::semantic:
        return "classes of pixels (semantic)";
      case Task::panoptic:
        return "segments (panoptic)";
    }
    return "";
  };
  std::string found;
  for (const Task other : model.tasks) found += (found.empty() ? "" : " and ") + std::string(words(other));
  throw Error("expected a model that finds " + std::string(words(task)) + ", found one with head " + model.head +
              ", which finds " + (found.empty() ? "nothing: `maskrt dump` writes its values" : found));
}

PictureRun::PictureRun(const Model& model, const DeviceOptions& device, std::span<const Picture> pictures,
                       ResultSink& sink, PictureRunSettings settings)
    : model_(model),
      info_(model.info()),
      on_gpu_(info_.device != "cpu"),
      processors_(device.thread_count()),
      pictures_(pictures),
      sink_(sink),
      settings_([&] {
        if (!settings.options.task) settings.options.task = Task::instances;
        return std::move(settings);
      }()),
      batches_((pictures.size() + settings_.batch - 1) / settings_.batch),
      sessions_(model, shares(batches_, settings_, device, on_gpu_, processors_)),
      usual_open_(std::max(static_cast<std::size_t>(processors_), sessions_.shares().sessions * settings_.batch) +
                  settings_.batch),
      most_held_(2 * (usual_open_ / settings_.batch) + 8),
      members_(std::min(most_held_, batches_) * settings_.batch) {
  check_finds(info_, *settings_.options.task);
}

std::size_t PictureRun::size_of(std::size_t batch) const {
  return std::min(settings_.batch, pictures_.size() - first_of(batch));
}

bool PictureRun::is_done(std::size_t batch) const {
  for (std::size_t i = 0; i < size_of(batch); ++i)
    if (sink_.earlier(first_of(batch) + i) == nullptr) return false;
  return true;
}

std::span<PictureRun::Member> PictureRun::members(std::size_t batch) {
  return std::span(members_).subspan(batch % most_held_ * settings_.batch, size_of(batch));
}

std::size_t PictureRun::most_open() const {
  if (settings_.alone) return 1;
  const std::size_t room = static_cast<std::size_t>(processors_) * kBytesAProcessor / settings_.bytes_a_pixel;
  const std::size_t pictures = std::min(usual_open_, room / most_pixels_.load(std::memory_order_relaxed));
  return std::max<std::size_t>(1, pictures / settings_.batch);
}

void PictureRun::run() {
  const StageClock wall(TimeOf::wall);
  const double processors_before = process_seconds();
  keep_freed_pages();
  for (std::size_t i = 0; i < pictures_.size(); ++i)
    if (sink_.earlier(i) == nullptr) ++to_run_;
  progress(0, 0, to_run_);
  const SessionShares& shares = sessions_.shares();
  const PipelineStage decoding = {[this](std::size_t batch, std::size_t member) { load(batch, member); }, true},
                      detecting = {[this](std::size_t batch, std::size_t) { detect(batch); }, false,
                                   on_gpu_ ? 0 : shares.threads, shares.sessions},
                      finishing = {[this](std::size_t batch, std::size_t member) { finish(batch, member); }, true};
  const std::array stages = {decoding, detecting, finishing};
  PipelineSettings settings;
  settings.items = batches_;
  settings.parts = [this](std::size_t batch) { return size_of(batch); };
  settings.processors = processors_;
  settings.threads =
      std::min(static_cast<std::size_t>(processors_), pictures_.size()) + (on_gpu_ ? shares.sessions : 0);
  settings.most_open = [this] { return most_open(); };
  settings.most_held = most_held_;
  try {
    run_pipeline(
        settings, stages, [this](std::size_t batch) { deliver(batch); }, check_interrupt);
    sink_.finish();
  } catch (...) {
    sink_.keep();
    throw;
  }
  seconds_ = wall.seconds();
  processor_seconds_ = process_seconds() - processors_before;
}

std::string PictureRun::times() const {
  std::array<double, kStageCount> seconds = times_.seconds();
  const std::array<double, kStageCount> team = team_times_.seconds();
  if (const double sum = std::accumulate(team.begin(), team.end(), 0.0); sum > 0) {
    const double rest = processor_seconds_ - std::accumulate(seconds.begin(), seconds.end(), 0.0);
    for (std::size_t i = 0; i < kStageCount; ++i) seconds[i] += std::max(0.0, rest) * team[i] / sum;
  }
  return times_text(ran_, seconds_, seconds, processors_, on_gpu_ ? info_.device : "");
}

void PictureRun::load(std::size_t batch, std::size_t member) {
  if (is_done(batch)) return;
  const std::size_t picture = first_of(batch) + member;
  Member& to_load = members(batch)[member];
  const StageClock clock;
  try {
    Image image = Image::from_file(pictures_[picture].path.string(), settings_.decode);
    check(picture, image);
    const std::size_t pixels = static_cast<std::size_t>(image.width()) * static_cast<std::size_t>(image.height());
    std::size_t most = most_pixels_.load();
    while (pixels > most && !most_pixels_.compare_exchange_weak(most, pixels)) continue;
    to_load.image = std::move(image);
  } catch (const Error&) {
    to_load.unusable = std::current_exception();
  }
  times_.add(Stage::decoding, clock.seconds());
}

void PictureRun::detect(std::size_t batch) {
  std::vector<Member*> loaded;
  for (Member& member : members(batch))
    if (member.image) loaded.push_back(&member);
  if (loaded.empty()) return;
  try {
    detect(loaded);
  } catch (const Error&) {
    for (Member* member : loaded) {
      try {
        if (loaded.size() == 1) throw;
        detect(std::span(&member, 1));  // one picture's fault: the others still count
      } catch (const Error&) {
        member->unusable = std::current_exception();
      }
    }
  }
}

void PictureRun::detect(std::span<Member* const> members) {
  std::vector<InputImage> images;
  std::vector<Image> pictures;
  for (const Member* member : members) images.emplace_back(pictures.emplace_back(*member->image));
  const std::pair<int, int> size = input_size(info_, pictures, settings_.options.resize);
  sessions_.with_session(size, [&](Session& session) {
    const bool has_a_team = !on_gpu_ && sessions_.shares().threads > 1;
    StageTimes& times = has_a_team ? team_times_ : times_;
    const TimeOf what = has_a_team ? TimeOf::wall : TimeOf::thread;
    const StageClock planning(what);
    session.prepare(static_cast<int>(images.size()), size.first, size.second);
    times.add(Stage::planning, planning.seconds());

    const StageClock running(what);
    std::vector<Result> found = session.results(images, settings_.options);
    const double seconds = running.seconds();
    // A GPU measures stages by its own clock; here they are parts of the call's time.
    const Timings timings = session.timings();
    call_times_.add(timings, images.size(), size);
    const double sum = timings.preprocess + timings.network + timings.postprocess;
    const double share = on_gpu_ ? 1 : seconds / std::max(sum, 1e-9);
    times.add(Stage::preparation, share * timings.preprocess);
    times.add(Stage::network, share * timings.network);
    times.add(Stage::postprocessing, share * timings.postprocess);
    for (std::size_t i = 0; i < members.size(); ++i) members[i]->result = std::move(found[i]);
    if (!settings_.activations) return;
    const StageClock fetching(what);
    std::vector<ActivationMaps> maps = session.activations();
    for (std::size_t i = 0; i < members.size(); ++i) members[i]->activations = std::move(maps[i]);
    times.add(Stage::postprocessing, fetching.seconds());
  });
}

void PictureRun::finish(std::size_t batch, std::size_t member) {
  const std::size_t picture = first_of(batch) + member;
  Member& found = members(batch)[member];
  const std::optional<Image> image = std::exchange(found.image, std::nullopt);
  const Result result = std::exchange(found.result, {});
  const ActivationMaps activations = std::exchange(found.activations, {});
  if (!image || found.unusable || sink_.earlier(picture) != nullptr) return;
  try {
    const StageClock clock;
    const auto* const instances = std::get_if<std::vector<Instance>>(&result);
    found.line = sink_.as_written(
        line_of(pictures_[picture], *image, instances != nullptr ? *instances : std::vector<Instance>()));
    times_.add(Stage::postprocessing, clock.seconds());
  } catch (const Error&) {
    found.unusable = std::current_exception();
    return;
  }
  const StageClock clock;
  try {
    found.files = draw(picture, *image, result, activations);
  } catch (const Error&) {
    found.undrawn = std::current_exception();
  }
  times_.add(Stage::drawing, clock.seconds());
}

void PictureRun::deliver(std::size_t batch) {
  for (std::size_t i = 0; i < size_of(batch); ++i) {
    check_interrupt();
    const StageClock clock;
    const std::size_t number = first_of(batch) + i;
    const Picture& picture = pictures_[number];
    Member done = std::exchange(members(batch)[i], {});
    if (done.unusable) attempt(picture, [&] { std::rethrow_exception(done.unusable); });
    const coco::ImageLine* const earlier = sink_.earlier(number);
    if (done.line) {
      attempt(picture, [&] {
        if (done.undrawn) std::rethrow_exception(done.undrawn);
        for (const EncodedFile& file : done.files) write_file(file, *done.line);
      });
      ++ran_;
    }
    if (done.line || earlier != nullptr) {
      const coco::ImageLine line = earlier != nullptr ? sink_.as_written(*earlier) : std::move(*done.line);
      sink_.add(number, line);
      added(number, line, earlier != nullptr);
    }
    times_.add(Stage::writing, clock.seconds());
    if (earlier == nullptr) ++tried_;
    progress(number + 1, tried_, to_run_);
  }
}

/// Does `work`; an error of it is reported as the picture's, or thrown on with fail_fast. Gives whether it went well.
template <typename Work>
bool PictureRun::attempt(const Picture& picture, const Work& work) {
  try {
    work();
    return true;
  } catch (const Error& error) {
    check_interrupt();  // which may be why it failed
    const auto* unwritten = dynamic_cast<const graph::WriteError*>(&error);
    if (unwritten != nullptr && concerns_all(unwritten->reason())) throw;
    std::string sentence = error.what();
    if (sentence.find(picture.path.string()) == std::string::npos) sentence = picture.path.string() + ": " + sentence;
    if (settings_.fail_fast) throw Error(sentence);
    report(sentence);
    ++failures_;
    return false;
  }
}

}  // namespace maskrt::cli
