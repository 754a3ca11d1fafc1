#include "picture_folder.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <string_view>
#include <system_error>

#include "maskrt/types.hpp"

namespace maskrt::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kReadable[] = {".jpg", ".jpeg", ".jpe", ".jfif", ".png",  ".bmp", ".dib", ".ppm",
                                          ".pgm", ".pbm",  ".pnm", ".webp", ".tiff", ".tif", ".gif"};

/// Pictures and videos that maskrt does not read: they are reported, so that their absence from the results is
/// explained.
struct Unread {
  std::string_view extension, name;
};

constexpr Unread kUnread[] = {
    {".heic", "HEIC picture"},
    {".heif", "HEIC picture"},
    {".avif", "AVIF picture"},
    {".jxl", "JPEG XL picture"},
    {".jp2", "JPEG 2000 picture"},
    {".j2k", "JPEG 2000 picture"},
    {".psd", "Photoshop document"},
    {".svg", "SVG picture"},
    {".pdf", "PDF document"},
    {".ico", "icon"},
    {".tga", "TGA picture"},
    {".exr", "OpenEXR picture"},
    {".pam", "PAM picture"},
    {".pfm", "PFM picture"},
    {".dcm", "DICOM file"},
    {".cr2", "raw picture"},
    {".cr3", "raw picture"},
    {".nef", "raw picture"},
    {".dng", "raw picture"},
    {".arw", "raw picture"},
    {".orf", "raw picture"},
    {".rw2", "raw picture"},
    {".raf", "raw picture"},
    {".pef", "raw picture"},
    {".mp4", "video"},
    {".m4v", "video"},
    {".mov", "video"},
    {".avi", "video"},
    {".mkv", "video"},
    {".webm", "video"},
    {".mpg", "video"},
    {".mpeg", "video"},
    {".wmv", "video"},
};

std::string extension_of(const fs::path& path) {
  std::string extension = path.extension().string();
  for (char& c : extension) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return extension;
}

std::string counted(std::size_t count, std::string_view name) {
  return std::to_string(count) + " " + std::string(name) + (count == 1 ? "" : "s");
}

/// The first two names, and how many more there are.
std::string some_of(const std::vector<std::string>& names) {
  constexpr std::size_t shown = 2;
  std::string text = names.front();
  for (std::size_t i = 1; i < std::min(shown, names.size()); ++i) text += ", " + names[i];
  if (names.size() > shown) text += " and " + std::to_string(names.size() - shown) + " more";
  return text;
}

/// What is said of a folder's files that are no pictures (`others`, sorted) and of those that are not read.
std::string describe(const fs::path& folder, const std::map<std::string_view, std::size_t>& formats,
                     const std::vector<std::string>& others) {
  std::size_t total = others.size();
  std::string parts;
  for (const auto& [name, count] : formats) {
    parts += (parts.empty() ? "" : ", ") + counted(count, name);
    total += count;
  }
  if (total == 0) return "";
  const std::string head = "passed over " + counted(total, "file") + " of " + folder.string();
  if (parts.empty()) return head + (total == 1 ? " that is no picture: " : " that are no pictures: ") + some_of(others);
  if (!others.empty())
    parts += ", and " + std::to_string(others.size()) +
             (others.size() == 1 ? " that is no picture (" : " that are no pictures (") + some_of(others) + ")";
  return head + ": " + parts;
}

}  // namespace

PictureFolder list_pictures(const fs::path& folder) {
  PictureFolder found;
  std::map<std::string_view, std::size_t> formats;
  std::vector<std::string> others;
  std::error_code error;
  fs::directory_iterator entry(folder, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    std::error_code ignored;  // a dangling link is no file
    if (!entry->is_regular_file(ignored)) continue;
    const std::string name = entry->path().filename().string(), extension = extension_of(entry->path());
    const auto* format = std::find_if(std::begin(kUnread), std::end(kUnread),
                                      [&](const Unread& one) { return one.extension == extension; });
    const bool hidden = name.starts_with('.');
    if (!hidden && std::find(std::begin(kReadable), std::end(kReadable), extension) != std::end(kReadable))
      found.pictures.push_back(entry->path());
    else if (!hidden && format != std::end(kUnread))
      ++formats[format->name];
    else
      others.push_back(name);
  }
  if (error) throw Error("cannot list the folder " + folder.string() + ": " + error.message());
  std::sort(found.pictures.begin(), found.pictures.end());
  std::sort(others.begin(), others.end());
  found.passed_over = describe(folder, formats, others);
  return found;
}

std::string picture_extensions() {
  std::string all;
  for (const std::string_view extension : kReadable) all += (all.empty() ? "" : " ") + std::string(extension);
  return all;
}

}  // namespace maskrt::cli
