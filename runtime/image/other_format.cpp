// Files that are no picture that maskrt reads, by the names that people know them by.
#include <algorithm>
#include <cctype>
#include <string>
#include <string_view>

#include "header.h"

namespace maskrt::image {
namespace {

using namespace std::string_view_literals;

struct Magic {
  std::string_view bytes, name;
};

constexpr Magic kKnown[] = {
    {"\xff\x0a"sv, "a JPEG XL picture"},
    {"\0\0\0\x0cJXL \r\n\x87\n"sv, "a JPEG XL picture"},
    {"\0\0\0\x0cjP  \r\n\x87\n"sv, "a JPEG 2000 picture"},
    {"\xff\x4f\xff\x51"sv, "a JPEG 2000 picture"},
    {"\xff\xd8"sv, "a JPEG start marker with no other marker behind it"},
    {"II\xbc"sv, "a JPEG XR picture"},
    {"IIRO"sv, "a camera's raw picture (ORF)"},
    {"IIRS"sv, "a camera's raw picture (ORF)"},
    {"IIU\0"sv, "a camera's raw picture (RW2)"},
    {"FUJIFILMCCD-RAW"sv, "a camera's raw picture (RAF)"},
    {"8BPS"sv, "a Photoshop document"},
    {"%PDF"sv, "a PDF document"},
    {"%!PS"sv, "a PostScript document"},
    {"\xc5\xd0\xd3\xc6"sv, "a PostScript document"},
    {"P7"sv, "a PAM picture"},
    {"Pf"sv, "a PFM picture of floating-point numbers"},
    {"PF"sv, "a PFM picture of floating-point numbers"},
    {"qoif"sv, "a QOI picture"},
    {"DDS "sv, "a DDS texture"},
    {"\x76\x2f\x31\x01"sv, "an OpenEXR picture"},
    {"#?RADIANCE"sv, "a Radiance HDR picture"},
    {"#?RGBE"sv, "a Radiance HDR picture"},
    {"SIMPLE  ="sv, "a FITS picture"},
    {"\0\0\1\0"sv, "a Windows icon"},
    {"\0\0\2\0"sv, "a Windows cursor"},
    {"icns"sv, "an Apple icon"},
    {"\x1a\x45\xdf\xa3"sv, "a Matroska or WebM video"},
    {"OggS"sv, "an Ogg file"},
    {"FLV\1"sv, "a Flash video"},
    {"\0\0\1\xba"sv, "an MPEG video"},
    {"\0\0\1\xb3"sv, "an MPEG video"},
    {"\0\5\x16\7"sv, "an AppleDouble file, which macOS writes beside a picture"},
    {"\0\5\x16\0"sv, "an AppleSingle file"},
    {"version https://git-lfs"sv, "a Git LFS pointer instead of the picture, which `git lfs pull` fetches"},
    {"\x93NUMPY"sv, "a NumPy array"},
    {"PK\3\4"sv, "a zip archive"},
    {"\x1f\x8b"sv, "a gzip archive"},
    {"7z\xbc\xaf\x27\x1c"sv, "a 7-Zip archive"},
    {"Rar!"sv, "a RAR archive"},
};

/// Text at the start of a file without blanks and the byte order mark, in lower case.
std::string beginning(Bytes file) {
  std::string text(reinterpret_cast<const char*>(file.data()), std::min<std::size_t>(file.size(), 1024));
  if (text.starts_with("\xef\xbb\xbf")) text.erase(0, 3);
  text.erase(0, text.find_first_not_of(" \t\r\n"));
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

/// Describes files that begin with an "ftyp" box by their brands.
std::string_view by_brand(Bytes file) {
  const std::size_t size = std::min<std::size_t>(std::min<std::size_t>(big32(file, 0), file.size()), 256);
  const std::string_view box(reinterpret_cast<const char*>(file.data()), size);
  const auto brand = [&](std::string_view name) {
    for (std::size_t i = 8; i + 4 <= box.size(); i += 4)
      if (i != 12 && box.substr(i, 4) == name) return true;  // 12: the version
    return false;
  };
  for (const std::string_view name : {"avif"sv, "avis"sv})
    if (brand(name)) return "an AVIF picture";
  for (const std::string_view name : {"heic"sv, "heix"sv, "heim"sv, "heis"sv, "hevc"sv, "hevx"sv, "mif1"sv, "msf1"sv})
    if (brand(name)) return "a HEIC picture";
  if (brand("crx ")) return "a camera's raw picture (CR3)";
  if (brand("qt  ")) return "a QuickTime video";
  return "an MP4 video";
}

}  // namespace

std::string other_format(Bytes file) {
  for (const Magic& magic : kKnown)
    if (starts_with(file, magic.bytes)) return std::string(magic.name);
  if (has(file, 0, 12)) {
    const Bytes kind = file.subspan(4);
    if (starts_with(kind, "ftyp")) return std::string(by_brand(file));
    for (const std::string_view box : {"moov"sv, "mdat"sv, "wide"sv, "pnot"sv})
      if (starts_with(kind, box)) return "a QuickTime video";
    if (starts_with(file, "RIFF") && starts_with(file.subspan(8), "AVI ")) return "an AVI video";
  }
  if (has(file, 128, 4) && starts_with(file.subspan(128), "DICM")) return "a DICOM file";
  const std::string text = beginning(file);
  if (text.starts_with("<svg") || (text.starts_with("<?xml") && text.find("<svg") != text.npos))
    return "an SVG picture";
  if (text.starts_with("<!doctype html") || text.starts_with("<html")) return "an HTML page";
  if (text.starts_with("<?xml")) return "an XML document";
  if (std::all_of(file.begin(), file.end(), [](std::byte b) { return b == std::byte{0}; }))
    return "nothing but zeros, as copying that was interrupted leaves";
  return "other first bytes";
}

}  // namespace maskrt::image
