// libmaskrt ships alone: what its dynamic section asks for, read from the file itself.
#include <elf.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstring>
#include <set>
#include <string>
#include <vector>

#include "support/files.h"

namespace maskrt {
namespace {

/// DT_NEEDED entries of a 64-bit little-endian ELF file.
std::vector<std::string> needed_libraries(const std::string& file) {
  const auto at = [&](std::size_t offset, auto& value) {
    REQUIRE(offset + sizeof value <= file.size());
    std::memcpy(&value, file.data() + offset, sizeof value);
  };
  Elf64_Ehdr header;
  at(0, header);
  REQUIRE(std::memcmp(header.e_ident, ELFMAG, SELFMAG) == 0);

  std::vector<std::string> needed;
  for (int i = 0; i < header.e_shnum; ++i) {
    Elf64_Shdr section, names;
    at(header.e_shoff + static_cast<std::size_t>(i) * header.e_shentsize, section);
    if (section.sh_type != SHT_DYNAMIC) continue;
    at(header.e_shoff + static_cast<std::size_t>(section.sh_link) * header.e_shentsize, names);
    for (std::size_t offset = 0; offset < section.sh_size; offset += sizeof(Elf64_Dyn)) {
      Elf64_Dyn entry;
      at(section.sh_offset + offset, entry);
      if (entry.d_tag == DT_NEEDED) needed.emplace_back(file.c_str() + names.sh_offset + entry.d_un.d_val);
    }
  }
  return needed;
}

TEST_CASE("libmaskrt needs nothing but libc and libstdc++", "[linkage]") {
  // libm and the loader come with libc, libgcc_s with libstdc++.
  const std::set<std::string> allowed = {
      "libc.so.6", "libm.so.6", "libstdc++.so.6", "libgcc_s.so.1", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"};
  const auto needed = needed_libraries(testing::read_text(MASKRT_LIBRARY));
  CHECK(!needed.empty());
  for (const std::string& library : needed) {
    INFO(library);
    CHECK(allowed.count(library) == 1);
  }
}

#ifdef MASKRT_IMAGES_LIBRARY
TEST_CASE("the image library brings its decoders itself", "[linkage]") {
  const auto needed = needed_libraries(testing::read_text(MASKRT_IMAGES_LIBRARY));
  for (const char* decoder : {"libjpeg", "libpng", "libtiff", "libwebp."}) {
    INFO(decoder);
    CHECK(std::any_of(needed.begin(), needed.end(),
                      [&](const std::string& library) { return library.find(decoder) == 0; }));
  }
}
#endif

TEST_CASE("the command starts where neither zlib nor libraries of pictures and fonts are installed", "[linkage]") {
  for (const std::string& library : needed_libraries(testing::read_text(MASKRT_COMMAND))) {
    INFO(library);
    for (const char* optional :
         {"jpeg", "png", "tiff", "webp", "harfbuzz", "fribidi", "freetype", "fontconfig", "glib", "libz."})
      CHECK(library.find(optional) == std::string::npos);
  }
}

TEST_CASE("the CPU device's library brings oneDNN itself", "[linkage]") {
  const auto needed = needed_libraries(testing::read_text(MASKRT_CPU_LIBRARY));
  CHECK(std::find_if(needed.begin(), needed.end(), [](const std::string& library) {
          return library.find("dnnl") != std::string::npos;
        }) != needed.end());
}

}  // namespace
}  // namespace maskrt
