#include "list_writer.h"

#include <algorithm>
#include <span>
#include <utility>

namespace maskrt::coco {

ListWriter::ListWriter(const std::filesystem::path& path, std::string opening, std::string closing)
    : file_(path), path_(path.string()), opening_(std::move(opening)), closing_(std::move(closing)) {}

void ListWriter::add(std::string_view record) {
  buffer_ += count_++ == 0 ? opening_ + '\n' : ",\n";
  buffer_ += record;
  constexpr std::size_t enough = 1 << 20;
  if (buffer_.size() >= enough) flush();
}

void ListWriter::end_image() {
  images_end_.push_back(written_ + buffer_.size());
  if (file_.is_stream()) flush();
}

void ListWriter::finish() {
  buffer_ += (count_ == 0 ? opening_ : "\n") + closing_ + '\n';
  flush();
  file_.commit();
}

std::size_t ListWriter::keep() {
  if (images_end_.empty() && !file_.is_stream()) return 0;
  if (failed_ != 0 && file_.is_stream()) throw graph::WriteError(path_, failed_);
  if (failed_ == 0) {
    try {
      finish();
      return images_end_.size();
    } catch (const graph::WriteError&) {
      if (file_.is_stream()) throw;
    }
  }
  // The list ends after the last image that lies in the file as a whole, or before it where its end has no room either.
  const auto cut_off = std::upper_bound(images_end_.begin(), images_end_.end(), file_.size());
  auto images = static_cast<std::size_t>(cut_off - images_end_.begin());
  for (std::size_t fewer = 1; images > 0; fewer *= 2) {
    const std::uint64_t end = images_end_[images - 1];
    try {
      file_.cut(end);
      write((end == 0 ? opening_ : "\n") + closing_ + '\n');
      file_.commit();
      return images;
    } catch (const graph::WriteError&) {
      images -= std::min(fewer, images);
    }
  }
  return 0;
}

void ListWriter::write(std::string_view text) {
  try {
    file_.write(std::as_bytes(std::span(text)));
  } catch (const graph::WriteError& error) {
    failed_ = error.reason();
    throw;
  }
}

void ListWriter::flush() {
  write(buffer_);
  written_ += buffer_.size();
  buffer_.clear();
}

}  // namespace maskrt::coco
