// The C interface of libmaskrt_text.so, which draws lines of text in any script with HarfBuzz, FriBidi, FreeType and
// the fonts that fontconfig finds. The command opens it where it is installed, and is not linked to it. Structs of
// numbers and pointers alone cross the border: no exceptions, no C++ types, and no memory that one side takes and the
// other frees, but for what `release` is there for.
#pragma once

#include <cstddef>
#include <cstdint>

extern "C" {

/// Raised with every change of what follows.
enum : std::uint32_t { MASKRT_TEXT_LIBRARY_VERSION = 1 };

/// A line of text as shares of pixels that ink covers.
struct MaskrtTextLine {
  float width;                  ///< pixels that the pen moves by
  std::int32_t left, top;       ///< origin of the bitmap: columns right of the pen's start, rows below the baseline
  std::uint32_t columns, rows;  ///< size of the bitmap
  std::uint8_t* coverage;       ///< columns * rows, row-major, 255 for a whole pixel; the library's memory
};

/// All functions may be called from several threads at once.
struct MaskrtTextLibrary {
  std::uint32_t version;
  /// Sets drawable[i] to 1 where a font has what text[i], a code point, needs, and to 0 elsewhere.
  void (*cover)(const std::uint32_t* text, std::size_t size, std::uint8_t* drawable);
  /// Draws `text`, code points in the order of reading, with fonts of `em` pixels. Returns 1, or 0 where it cannot.
  int (*draw)(const std::uint32_t* text, std::size_t size, float em, MaskrtTextLine* line);
  /// Frees what `draw` returned.
  void (*release)(MaskrtTextLine* line);
};

/// What the library exports as "maskrt_text_library": its functions, or null for a version that it does not have and
/// for a font that is none. `font` is a font file, which must outlive the library's use: what it has is drawn with it.
typedef const MaskrtTextLibrary* (*MaskrtTextLibraryOpen)(std::uint32_t version, const std::uint8_t* font,
                                                          std::size_t size);
}
