// The C interface: one set of fonts for the process, behind a lock.
#include <cstdlib>
#include <cstring>
#include <exception>
#include <mutex>
#include <span>
#include <vector>

#include "faces.h"
#include "line.h"
#include "runs.h"
#include "text_library.h"

namespace maskrt::text {
namespace {

std::mutex mutex;
Faces* faces = nullptr;  // for the life of the process, which may end while a thread draws

void cover(const std::uint32_t* text, std::size_t size, std::uint8_t* drawable) {
  const std::lock_guard lock(mutex);
  for (std::size_t i = 0; i < size; ++i) {
    try {
      drawable[i] = is_invisible(text[i]) || faces->face_for(text[i]) != nullptr ? 1 : 0;
    } catch (const std::exception&) {
      drawable[i] = 0;
    }
  }
}

int draw(const std::uint32_t* text, std::size_t size, float em, MaskrtTextLine* out) {
  const std::lock_guard lock(mutex);
  *out = {};
  try {
    const std::vector<char32_t> codes(text, text + size);
    const Line line = draw_line(codes, em, *faces);
    if (!line.ink.coverage.empty()) {
      out->coverage = static_cast<std::uint8_t*>(std::malloc(line.ink.coverage.size()));
      if (out->coverage == nullptr) return 0;
      std::memcpy(out->coverage, line.ink.coverage.data(), line.ink.coverage.size());
    }
    out->width = line.width;
    out->left = line.ink.left;
    out->top = line.ink.top;
    out->columns = static_cast<std::uint32_t>(line.ink.columns);
    out->rows = static_cast<std::uint32_t>(line.ink.rows);
    return 1;
  } catch (const std::exception&) {
    return 0;
  }
}

void release(MaskrtTextLine* line) {
  std::free(line->coverage);
  line->coverage = nullptr;
}

constexpr MaskrtTextLibrary kFunctions = {MASKRT_TEXT_LIBRARY_VERSION, cover, draw, release};

}  // namespace
}  // namespace maskrt::text

extern "C" __attribute__((visibility("default"))) const MaskrtTextLibrary* maskrt_text_library(std::uint32_t version,
                                                                                               const std::uint8_t* font,
                                                                                               std::size_t size) {
  using namespace maskrt::text;
  if (version != MASKRT_TEXT_LIBRARY_VERSION) return nullptr;
  const std::lock_guard lock(mutex);
  try {
    if (faces == nullptr) faces = new Faces(std::span(font, size));
    return &kFunctions;
  } catch (const std::exception&) {
    return nullptr;
  }
}
