// pack_device_code ARCHIVE IMAGE...: the build's program that puts the images of one .cu file into an archive
// (image_archive.h). An image is KIND:ARCHITECTURE:FILE, KIND ptx or elf: "ptx:80:x.sm_80.ptx" "elf:86:x.sm_86.cubin".
// Machine code follows the PTX that it was made of.
#include <cstdio>
#include <exception>
#include <fstream>
#include <iterator>
#include <string>

#include "image_archive.h"
#include "maskrt/types.hpp"

namespace maskrt::kernels {
namespace {

std::vector<std::byte> contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Error(path + ": expected a file that can be read, found none");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

/// The images so far, and which of them is the next one's prefix: the PTX before it for PTX; the PTX that it was made
/// of for the first machine code of that PTX; for further ones the machine code before it of the same major version
/// (that for 8.9 differs from that for 8.6 in hardly a byte), or else the first.
class Images {
 public:
  void add(const std::string& argument) {
    const std::size_t first = argument.find(':'), second = argument.find(':', first + 1);
    if (second == std::string::npos) throw Error("expected KIND:ARCHITECTURE:FILE, found " + argument);
    const std::string kind = argument.substr(0, first), chip = argument.substr(first + 1, second - first - 1);
    if ((kind != "ptx" && kind != "elf") || chip.empty())
      throw Error("expected ptx or elf and an architecture, found " + argument);
    PlainImage plain;
    plain.image.compute_capability = static_cast<std::uint32_t>(std::stoul(chip));
    plain.image.this_chip_alone = chip.back() == 'a';
    plain.bytes = contents(argument.substr(second + 1));
    const int number = static_cast<int>(images_.size());
    if (kind == "ptx") {
      plain.prefix = ptx_;
      plain.bytes.push_back(std::byte{0});
      ptx_ = number;
      first_ = -1;
    } else {
      plain.image.kind = ImageKind::machine_code;
      plain.prefix = first_ < 0 ? ptx_ : is_of_same_major(plain.image) ? number - 1 : first_;
      if (first_ < 0) first_ = number;
    }
    images_.push_back(std::move(plain));
  }
  const std::vector<PlainImage>& get() const { return images_; }

 private:
  bool is_of_same_major(const DeviceImage& image) const {
    return images_.back().image.compute_capability / 10 == image.compute_capability / 10;
  }

  std::vector<PlainImage> images_;
  int ptx_ = -1, first_ = -1;  // the last PTX, and the first machine code since
};

int run(int count, char** arguments) {
  if (count < 3) throw Error("expected ARCHIVE IMAGE..., found fewer arguments");
  Images images;
  for (int i = 2; i < count; ++i) images.add(arguments[i]);
  const std::vector<std::byte> archive = pack_images(images.get());
  std::ofstream file(arguments[1], std::ios::binary);
  file.write(reinterpret_cast<const char*>(archive.data()), static_cast<std::streamsize>(archive.size()));
  if (!file.flush()) throw Error(std::string(arguments[1]) + ": expected a file that can be written");
  return 0;
}

}  // namespace
}  // namespace maskrt::kernels

int main(int count, char** arguments) {
  try {
    return maskrt::kernels::run(count, arguments);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "pack_device_code: %s\n", error.what());
    return 1;
  }
}
