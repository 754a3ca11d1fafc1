// Resize by bands of rows, the unit of work of a thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "pillow_taps.h"

namespace maskrt::kernels {

/// 8-bit pixels of 1 to 4 interleaved channels, rows of any stride.
struct SourceRows {
  const std::uint8_t* data = nullptr;
  int width = 0, height = 0, channels = 0;
  std::ptrdiff_t row_stride = 0;
  const std::uint8_t* row(int y) const { return data + y * row_stride; }
};

/// Resizes band by band. Shared by threads, each of which has a Scratch of its own; nothing is allocated after that.
class BandResizer {
 public:
  static constexpr int kBandRows = 32;  // amortises the overlap of the vertical windows of neighbouring bands

  BandResizer(const SourceRows& source, int width, int height);

  struct Scratch {
    std::vector<std::uint8_t> columns, resized_columns;  // 16 rows, transposed: before and after the horizontal pass
    std::vector<std::uint8_t> rows;                      // after the horizontal pass
    std::vector<std::uint8_t> row;                       // one finished row
    int first_row = 0;
  };
  Scratch make_scratch() const;

  int bands() const { return (height_ + kBandRows - 1) / kBandRows; }
  int end_of(int band) const;
  /// The horizontal pass for the rows that a band reads.
  void begin(int band, Scratch& scratch) const;
  /// Row y of the band begun last: dense pixels, valid until the next call.
  const std::uint8_t* row(int y, Scratch& scratch) const;

 private:
  bool horizontal() const { return width_ != source_.width; }
  bool vertical() const { return height_ != source_.height; }
  int first_source_row(int y) const { return vertical() ? down_.first[y] : y; }
  int end_source_row(int y) const { return vertical() ? down_.first[y] + down_.count[y] : y + 1; }

  SourceRows source_;
  int width_, height_;
  PillowTaps across_, down_;
};

}  // namespace maskrt::kernels
