#include "result_sink.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <system_error>
#include <utility>

#include "console.h"
#include "graph/atomic_file.h"
#include "graph/descriptors.h"
#include "maskrt/maskrt.hpp"
#include "options.h"
#include "outputs.h"
#include "runtime/mask/rle.h"

namespace maskrt::cli {
namespace {

namespace fs = std::filesystem;

using PictureName = std::pair<std::string, coco::Id>;

/// "r.json", or "r.json and r.jsonl"
std::string joined(const std::vector<std::string>& names) {
  return names.size() < 2 ? names.front() : names.front() + " and " + names.back();
}

}  // namespace

void add_line_options(CLI::App& command, ResultFiles& files) {
  add_output_option(command, "--jsonl", files.lines,
                    "Append a line of JSON for each image that is done: an object\n"
                    "with the image's COCO results in its list \"instances\"");
  command.add_flag("--boxes", files.boxes,
                   "Results get a \"bbox\": x, y, width, height of the mask. pycocotools\n"
                   "takes areas from boxes where there are any, for masks too, so\n"
                   "its numbers for small, medium and large instances then differ");
  command.add_flag("--resume", files.resume, "Go on from the lines of an earlier run that --jsonl's FILE has");
}

ResultSink::ResultSink(const ResultFiles& files, std::span<const Picture> pictures, std::string run)
    : files_(files), pictures_(pictures), run_(std::move(run)), added_(pictures.size()) {
  std::error_code ignored;
  const bool stream = graph::descriptor_of(files_.lines) >= 0;
  if (files_.resume) {
    if (stream) throw Error("expected a file to resume from, found " + display_name(files_.lines));
    if (fs::exists(files_.lines, ignored)) read_earlier();
  } else if (!stream && fs::is_regular_file(files_.lines, ignored) && fs::file_size(files_.lines, ignored) > 0) {
    throw Error("expected an empty or new file for --jsonl, found " + files_.lines +
                " with an earlier run's lines: go on from them with --resume, or remove it");
  }
  if (!files_.list.empty()) {
    make_folder_of(files_.list);
    list_.emplace(files_.list);
  }
  if (!files_.lines.empty()) {
    make_folder_of(files_.lines);
    lines_.emplace(files_.lines, earlier_bytes_);
  }
}

void ResultSink::read_earlier() {
  std::error_code ignored;
  if (!fs::is_regular_file(files_.lines, ignored))
    throw Error("expected a regular file to resume from, found " + files_.lines);
  std::map<PictureName, std::size_t> known;
  for (std::size_t i = 0; i < pictures_.size(); ++i)
    known.emplace(PictureName(coco::as_written(pictures_[i].file_name), pictures_[i].image_id), i);
  coco::ImageLines read = coco::read_image_lines(files_.lines);
  for (std::size_t i = 0; i < read.lines.size(); ++i) {
    coco::ImageLine& line = read.lines[i];
    const std::string where = files_.lines + ": line " + std::to_string(i + 1);
    const auto picture = known.find({line.file_name, line.image_id});
    if (picture == known.end())
      throw Error(where + ": expected one of the images that this run is of, found " + line.file_name +
                  " with image_id " + line.image_id.described() + "; resume with the inputs of the run before");
    if (line.run != run_)
      throw Error(where + ": expected lines of this run (" + run_ + "), found one of another (" + line.run + ")");
    if (!earlier_.emplace(picture->second, std::move(line)).second)
      throw Error(where + ": expected each image once, found " + pictures_[picture->second].file_name + " again");
  }
  earlier_bytes_ = read.bytes;
  lines_done_ = earlier_.size();
}

const coco::ImageLine* ResultSink::earlier(std::size_t picture) const {
  const auto found = earlier_.find(picture);
  return found == earlier_.end() ? nullptr : &found->second;
}

coco::ImageLine ResultSink::as_written(coco::ImageLine line) const {
  for (coco::CocoResult& result : line.instances) {
    if (!files_.boxes)
      result.bbox.reset();
    else if (const auto& mask = result.segmentation; mask && !result.bbox)
      result.bbox = rle::bounding_box(rle::from_string(mask->height, mask->width, mask->counts));
  }
  return line;
}

void ResultSink::add(std::size_t picture, coco::ImageLine line) {
  // Lines first: a run resumes from them.
  if (lines_ && earlier(picture) == nullptr) {
    line.run = run_;
    lines_->append(coco::to_text(line));
    ++lines_done_;
  }
  added_[picture] = true;
  ++done_;
  if (list_) {
    for (coco::CocoResult& result : line.instances) {
      result.overlay = line.overlay;
      list_->add(result);
    }
    list_->end_image();
  }
}

void ResultSink::finish() {
  if (lines_) lines_->flush();
  if (!list_) return;
  if (done_ > 0)
    list_->finish();
  else
    list_->keep();
}

/// Results of a previous run are kept, too, for pictures that this run has not reached.
std::size_t ResultSink::keep_list() {
  try {
    for (const auto& [picture, line] : earlier_) {
      if (!added_[picture]) add(picture, as_written(line));
    }
  } catch (const graph::WriteError&) {  // keep() finds out how much has room
  }
  return list_->keep();
}

void ResultSink::keep() noexcept {
  try {
    tell_what_is_kept();
  } catch (const std::exception& error) {
    report(error.what());
  }
}

void ResultSink::tell_what_is_kept() {
  const std::size_t done = lines_ ? lines_done_ : done_;
  std::vector<std::string> complete, others;
  const auto tell = [&](const std::string& path, std::size_t count) {
    const std::string name = display_name(path);
    if (count == done && count > 0)
      complete.push_back(name);
    else if (count > 0)
      others.push_back(name + " has those of " + std::to_string(count));
    else
      others.push_back("nothing was written to " + name);
  };
  if (list_) {
    try {
      tell(files_.list, keep_list());
    } catch (const graph::WriteError&) {
      others.push_back(display_name(files_.list) + " could not be completed");
    }
  }
  if (lines_) tell(files_.lines, lines_done_);
  std::string sentence = "stopped after " + std::to_string(done) + " of " + std::to_string(pictures_.size()) +
                         (pictures_.size() == 1 ? " image" : " images");
  if (!complete.empty()) sentence += "; their results are in " + joined(complete);
  for (const std::string& other : others) sentence += "; " + other;
  report(sentence);
}

}  // namespace maskrt::cli
