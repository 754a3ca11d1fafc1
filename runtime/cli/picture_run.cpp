#include "picture_run.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <string>
#include <utility>

#include "../coco/result_text.h"
#include "console.h"
#include "graph/atomic_file.h"
#include "graph/checksum.h"
#include "graph/safetensors.h"
#include "interrupt.h"

namespace maskrt::cli {
namespace {

/// The next picture's files would fare no better.
bool concerns_all(int reason) {
  return reason == ENOSPC || reason == EDQUOT || reason == EIO || reason == EPIPE || reason == EINTR;
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

std::string describe_run(const std::string& model, std::optional<float> score, const DecodeOptions& decode) {
  const auto metadata = graph::Safetensors::read(model).metadata;
  const auto checksum = metadata.find(std::string(graph::checksum_key));
  std::string text = "model " + (checksum == metadata.end() ? "without a checksum" : checksum->second);
  if (score) {
    char digits[32];
    text += ", score " + std::string(digits, std::to_chars(digits, digits + sizeof digits, *score).ptr);
  }
  if (!decode.exif_orientation) text += ", no EXIF";
  return text;
}

PictureRun::PictureRun(Session& session, std::span<const Picture> pictures, ResultSink& sink,
                       PictureRunSettings settings)
    : session_(session), pictures_(pictures), sink_(sink), settings_(std::move(settings)) {}

void PictureRun::run() {
  try {
    std::vector<Member> batch;
    for (std::size_t i = 0; i < pictures_.size(); ++i) {
      check_interrupt();
      if (sink_.earlier(i) != nullptr)
        batch.push_back({i, std::nullopt});
      else
        attempt(pictures_[i], [&] { batch.push_back({i, load(i)}); });
      if (batch.size() == settings_.batch) run_batch(std::exchange(batch, {}));
      progress(i + 1);
    }
    run_batch(std::move(batch));
    sink_.finish();
  } catch (...) {
    sink_.keep();
    throw;
  }
}

Image PictureRun::load(std::size_t picture) {
  Image image = Image::from_file(pictures_[picture].path.string(), settings_.decode);
  check(picture, image);
  return image;
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

void PictureRun::run_batch(std::vector<Member> batch) {
  const bool all_done = std::all_of(batch.begin(), batch.end(),
                                    [&](const Member& member) { return sink_.earlier(member.picture) != nullptr; });
  if (all_done) {
    for (const Member& member : batch) add(member.picture, *sink_.earlier(member.picture), std::nullopt);
    return;
  }
  for (Member& member : batch) {
    if (!member.image) attempt(pictures_[member.picture], [&] { member.image = load(member.picture); });
  }
  run_images(batch);
}

void PictureRun::run_images(const std::vector<Member>& batch) {
  std::vector<Image> images;
  for (const Member& member : batch) {
    if (member.image) images.push_back(*member.image);
  }
  std::vector<std::vector<Instance>> instances;
  try {
    instances = session_.run(images, settings_.options);
  } catch (const Error&) {
    if (batch.size() > 1) {  // one picture's fault: the others still count
      for (const Member& member : batch) run_batch({member});
      return;
    }
    attempt(pictures_[batch.front().picture], [] { throw; });
    return;
  }
  const Timings timings = session_.timings();
  const double seconds = timings.preprocess + timings.network + timings.postprocess;
  seconds_ += seconds;
  network_seconds_ += timings.network;
  std::size_t next = 0;
  for (const Member& member : batch) {
    const std::vector<Instance> found = member.image ? std::move(instances[next++]) : std::vector<Instance>();
    if (const coco::ImageLine* line = sink_.earlier(member.picture)) {
      add(member.picture, *line, std::nullopt);
      continue;
    }
    const Picture& picture = pictures_[member.picture];
    coco::ImageLine line;
    if (!attempt(picture, [&] { line = line_of(picture, *member.image, found); })) continue;
    attempt(picture, [&] { draw(member.picture, *member.image, found); });
    ++ran_;
    add(member.picture, std::move(line), seconds / static_cast<double>(images.size()));
  }
}

void PictureRun::add(std::size_t picture, coco::ImageLine line, std::optional<double> seconds) {
  line = sink_.as_written(std::move(line));
  sink_.add(picture, line);
  added(picture, line, seconds);
}

}  // namespace maskrt::cli
