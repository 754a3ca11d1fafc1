#include "file_kind.h"

#include <algorithm>

#include "utf8.h"

namespace maskrt::graph {
namespace {

using Use = FileKind::Use;
using namespace std::string_view_literals;

struct Signature {
  std::size_t offset;
  std::string_view bytes;
  FileKind kind;
};

// The first that fits counts.
constexpr Signature kSignatures[] = {
    {0, "\x80\x02\x8a\nl\xfc\x9c\x46\xf9 j\xa8P\x19"sv, {"a PyTorch checkpoint", Use::checkpoint}},
    {0, "\x80\x02"sv, {"a pickle", Use::checkpoint}},
    {0, "\x80\x03"sv, {"a pickle", Use::checkpoint}},
    {0, "\x80\x04"sv, {"a pickle", Use::checkpoint}},
    {0, "\x80\x05"sv, {"a pickle", Use::checkpoint}},
    {0, "(dp"sv, {"a pickle", Use::checkpoint}},
    {0, "}q"sv, {"a pickle", Use::checkpoint}},
    {0, "ccollections\n"sv, {"a pickle", Use::checkpoint}},
    {0, "ftrt"sv, {"a TensorRT engine", Use::other_network}},
    {0, "ptrt"sv, {"a TensorRT engine", Use::other_network}},
    {4, "TFL3"sv, {"a TensorFlow Lite model", Use::other_network}},
    {0, "\x89HDF\r\n\x1a\n"sv, {"an HDF5 file", Use::other_network}},
    {0, "7767517\n"sv, {"an ncnn network", Use::other_network}},
    {0, "\x93NUMPY"sv, {"a numpy array", Use::nothing}},
    {0, "\xff\xd8\xff"sv, {"a JPEG picture", Use::picture}},
    {0, "\x89PNG\r\n\x1a\n"sv, {"a PNG picture", Use::picture}},
    {0, "GIF8"sv, {"a GIF picture", Use::picture}},
    {8, "WEBP"sv, {"a WebP picture", Use::picture}},
    {0, "II*\0"sv, {"a TIFF picture", Use::picture}},
    {0, "MM\0*"sv, {"a TIFF picture", Use::picture}},
    {0, "BM"sv, {"a BMP picture", Use::picture}},
    {0, "P5\n"sv, {"a PGM picture", Use::picture}},
    {0, "P6\n"sv, {"a PPM picture", Use::picture}},
    {4, "ftyp"sv, {"a film or a HEIF picture", Use::picture}},
    {0, "%PDF-"sv, {"a PDF document", Use::nothing}},
    {0, "\x7f\x45LF"sv, {"a program", Use::nothing}},
    {0, "\x1f\x8b"sv, {"a gzip file", Use::nothing}},
    {0, "7z\xbc\xaf"sv, {"a 7-Zip archive", Use::nothing}},
    {0,
     "version https://git-lfs"sv,
     {"a pointer of Git LFS instead of the file ('git lfs pull' fetches it)", Use::text}},
};

// The name of a zip archive's first entry.
std::string_view first_entry(std::string_view zip) {
  constexpr std::size_t kHeader = 30, kNameLength = 26;
  if (zip.size() < kHeader) return {};
  const auto byte = [zip](std::size_t i) { return static_cast<std::size_t>(static_cast<unsigned char>(zip[i])); };
  return zip.substr(kHeader, byte(kNameLength) + 256 * byte(kNameLength + 1));
}

FileKind zip_kind(std::string_view zip) {
  const std::string_view name = first_entry(zip);
  if (name.ends_with("data.pkl") || name.ends_with("/version") || name.ends_with("/byteorder"))
    return {"a PyTorch checkpoint", Use::checkpoint};
  if (name.ends_with(".npy")) return {"an archive of numpy arrays", Use::nothing};
  return {"a zip archive", Use::nothing};
}

// A protocol buffer that begins with a small version number and the producer's name, or a domain.
bool is_onnx(std::string_view start) {
  return start.size() > 4 && start[0] == '\x08' && start[1] > 0 && start[1] < 32 &&
         (start[2] == '\x12' || start[2] == '\x1a' || start[2] == '\x3a' || start[2] == '\x42');
}

// UTF-8 without control characters; the last character may be cut.
bool is_text(std::string_view start) {
  for (std::size_t cut = 0; cut < 4 && cut < start.size(); ++cut) {
    const auto whole = start.substr(0, start.size() - cut);
    if (!is_utf8(whole)) continue;
    return std::none_of(whole.begin(), whole.end(), [](unsigned char c) {
      return c == 0x7f || (c < 0x20 && c != '\n' && c != '\r' && c != '\t' && c != '\f');
    });
  }
  return false;
}

FileKind text_kind(std::string_view text) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  const auto first = text.find_first_not_of(" \t\r\n");
  text.remove_prefix(std::min(first, text.size()));
  if (text.starts_with("<?xml") || text.starts_with("<net"))
    return text.find("<net ") != text.npos ? FileKind{"an OpenVINO network", Use::other_network}
                                           : FileKind{"an XML file", Use::text};
  if (text.starts_with("<!DOCTYPE") || text.starts_with("<!doctype") || text.starts_with("<html"))
    return {"a page of a web site instead of the file", Use::text};
  if (text.starts_with("{") || text.starts_with("[")) return {"a JSON file", Use::text};
  return {"a text", Use::text};
}

}  // namespace

bool is_safetensors(std::span<const std::byte> start) {
  constexpr std::size_t kLengthBytes = 8, kLengthBytesUsed = 5;
  return start.size() > kLengthBytes && start[kLengthBytes] == std::byte{'{'} &&
         std::all_of(start.begin() + kLengthBytesUsed, start.begin() + kLengthBytes,
                     [](std::byte b) { return b == std::byte{0}; });
}

std::optional<FileKind> recognise(std::span<const std::byte> bytes) {
  const std::string_view start(reinterpret_cast<const char*>(bytes.data()), std::min(bytes.size(), kRecognisedBytes));
  if (is_safetensors(bytes)) return std::nullopt;
  if (start.empty()) return FileKind{"an empty file", Use::nothing};
  for (const auto& signature : kSignatures)
    if (start.size() >= signature.offset && start.substr(signature.offset).starts_with(signature.bytes))
      return signature.kind;
  if (start.starts_with("PK\3\4") || start.starts_with("PK\5\6")) return zip_kind(start);
  if (is_text(start)) return text_kind(start);
  if (is_onnx(start)) return FileKind{"an ONNX model", Use::other_network};
  return std::nullopt;
}

}  // namespace maskrt::graph
