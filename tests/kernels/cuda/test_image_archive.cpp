// Archives of device code: what goes in comes out, and which image serves which chip.
#include <catch2/catch.hpp>
#include <cstring>
#include <string>

#include "kernels/cuda/device_code.h"
#include "kernels/cuda/image_archive.h"

namespace maskrt::kernels {
namespace {

std::vector<std::byte> bytes(const std::string& text) {
  const auto view = std::as_bytes(std::span(text));
  return {view.begin(), view.end()};
}

/// A text that no compressor makes much smaller, with one character changed.
std::string text_of(std::size_t length, std::size_t changed) {
  std::string text;
  std::uint32_t state = 1;
  for (std::size_t i = 0; i < length; ++i) {
    state = state * 1664525 + 1013904223;
    text += static_cast<char>(state >> 24);
  }
  text[changed] = static_cast<char>(text[changed] ^ 1);
  return text;
}

TEST_CASE("images come out as they went in, small ones beside an image that they resemble") {
  const std::string first = text_of(20000, 0) + "\n", second = text_of(20000, 777), third = text_of(20000, 1555);
  const PlainImage images[] = {{{ImageKind::ptx, 75, false}, -1, bytes(first)},
                               {{ImageKind::machine_code, 80, false}, 0, bytes(second)},
                               {{ImageKind::machine_code, 90, true}, 1, bytes(third)},
                               {{ImageKind::ptx, 80, false}, -1, {}}};
  const std::vector<std::byte> packed = pack_images(images);
  CHECK(packed.size() < 21000);
  const ImageArchive archive("some/file", packed);
  REQUIRE(archive.count() == 4);
  for (std::size_t i = 0; i < archive.count(); ++i) {
    CHECK(archive[i].kind == images[i].image.kind);
    CHECK(archive[i].compute_capability == images[i].image.compute_capability);
    CHECK(archive[i].this_chip_alone == images[i].image.this_chip_alone);
    CHECK(archive.expand(i) == images[i].bytes);
  }
}

TEST_CASE("a chip gets the newest image that it runs") {
  std::vector<PlainImage> images;
  for (const int level : {75, 80})
    images.push_back({{ImageKind::ptx, static_cast<std::uint32_t>(level), false}, -1, {}});
  images.push_back({{ImageKind::ptx, 90, true}, -1, {}});
  for (const int chip : {75, 80, 89, 120})
    images.push_back({{ImageKind::machine_code, static_cast<std::uint32_t>(chip), false}, -1, {}});
  images.push_back({{ImageKind::machine_code, 90, true}, -1, {}});
  const std::vector<std::byte> packed = pack_images(images);
  const ImageArchive archive("some/file", packed);
  const auto best = [&](ImageKind kind, int chip) {
    const int number = archive.best(kind, chip);
    return number < 0 ? 0 : static_cast<int>(archive[static_cast<std::size_t>(number)].compute_capability);
  };
  struct Case {
    int chip, ptx, machine_code;
  };
  for (const Case& c : {Case{70, 0, 0},
                        {75, 75, 75},
                        {80, 80, 80},
                        {86, 80, 80},
                        {89, 80, 89},
                        {90, 90, 90},
                        {100, 80, 0},
                        {120, 80, 120},
                        {121, 80, 120}}) {
    INFO(c.chip);
    CHECK(best(ImageKind::ptx, c.chip) == c.ptx);
    CHECK(best(ImageKind::machine_code, c.chip) == c.machine_code);
  }
}

TEST_CASE("a damaged archive is an error that names its file") {
  const std::string text = text_of(5000, 0);
  const PlainImage image{{ImageKind::ptx, 75, false}, -1, bytes(text)};
  const std::vector<std::byte> whole = pack_images(std::span(&image, 1));
  const auto starts = Catch::StartsWith("device code some/file: expected ");
  for (const std::size_t length : {std::size_t{0}, std::size_t{15}, std::size_t{40}, whole.size() - 1})
    CHECK_THROWS_WITH(ImageArchive("some/file", std::span(whole).first(length)), starts);
  for (const std::size_t at : {std::size_t{0}, std::size_t{11}, std::size_t{16}, std::size_t{28}, std::size_t{39},
                               std::size_t{47}, std::size_t{55}}) {
    INFO(at);
    std::vector<std::byte> damaged = whole;
    damaged[at] ^= std::byte{0x40};
    CHECK_THROWS_WITH(ImageArchive("some/file", damaged), starts);
  }
  std::vector<std::byte> damaged = whole;
  damaged[70] ^= std::byte{0x40};
  CHECK_THROWS_WITH(ImageArchive("some/file", damaged).expand(0), starts);
}

TEST_CASE("what the library carries is machine code that drivers of CUDA 12 load, and PTX that they read") {
  for (const DeviceCode& code : device_code()) {
    INFO(code.file);
    const ImageArchive archive(std::string(code.file), code.archive);
    bool has_ptx = false;
    for (std::size_t i = 0; i < archive.count(); ++i) {
      INFO(archive[i].compute_capability);
      const std::vector<std::byte> image = archive.expand(i);
      const std::string text(reinterpret_cast<const char*>(image.data()), image.size());
      if (archive[i].kind == ImageKind::ptx) {
        has_ptx = true;
        CHECK(text.back() == '\0');
        // ld.global.nc is for data that nobody writes while the kernel runs; launches overlap, so for constants alone.
        if (code.file != "stem/stem_pool") CHECK(text.find("ld.global.nc") == text.npos);
        CHECK(text.find(archive[i].this_chip_alone ? "\n.version 8.1\n" : "\n.version 8.0\n") != text.npos);
      } else {
        CHECK(text.substr(1, 3) == "ELF");
        // e_ident[EI_ABIVERSION], of the assembler that the build took. Blackwell has 8 from its first assembler on.
        CHECK(static_cast<int>(text[8]) == (archive[i].compute_capability >= 100 ? 8 : MASKRT_MACHINE_CODE_ABI));
      }
      CHECK(text.find(MASKRT_SOURCE) == text.npos);
    }
    CHECK(has_ptx);
  }
}

}  // namespace
}  // namespace maskrt::kernels
