// The forms of a run-length mask: numbers, COCO's string, packed columns, bytes.
#include "rle.h"

#include <bit>
#include <limits>

#include "runs.h"

namespace maskrt::rle {
namespace {

/// COCO's string, count by count.
class StringWriter {
 public:
  void operator()(std::uint32_t count) {
    // Like runs have like lengths from column to column, so differences to the run two before are short.
    std::int64_t value = count;
    if (written_ > 2) value -= before_last_;
    before_last_ = last_;
    last_ = count;
    ++written_;
    for (bool more = true; more;) {
      auto group = static_cast<char>(value & 0x1f);
      value >>= 5;
      more = (group & 0x10) != 0 ? value != -1 : value != 0;
      if (more) group = static_cast<char>(group | 0x20);
      text_.push_back(static_cast<char>(group + '0'));
    }
  }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
  std::size_t written_ = 0;
  std::int64_t last_ = 0, before_last_ = 0;
};

/// Checks counts that come from outside: they fill the mask.
class CheckedSum {
 public:
  CheckedSum(int height, int width) : height_(height), width_(width), total_(checked_pixels(height, width)) {}

  void add(std::int64_t count) {
    if (count < 0 || count > total_ - sum_) fail(count);
    sum_ += count;
    ++given_;
  }

  void finish() const {
    if (sum_ != total_) {
      throw Error("run-length mask: expected counts that sum to " + size_text() + ", found " + std::to_string(sum_));
    }
  }

  /// Whether the count that comes next is one of ones.
  bool inside() const { return given_ % 2 != 0; }

 private:
  [[noreturn]] void fail(std::int64_t count) const {
    throw Error("run-length mask: expected counts that sum to " + size_text() + ", but count " +
                std::to_string(given_) + " is " + std::to_string(count) + " where " + std::to_string(total_ - sum_) +
                " pixels are left");
  }
  std::string size_text() const {
    return std::to_string(height_) + " x " + std::to_string(width_) + " = " + std::to_string(total_) + " pixels";
  }

  int height_, width_;
  std::int64_t total_, sum_ = 0;
  std::size_t given_ = 0;
};

/// Collects counts that come from outside, joins runs of length 0 and checks the sum.
class CheckedCounts {
 public:
  /// `most`: counts that will be given, at most.
  CheckedCounts(int height, int width, std::size_t most) : sum_(height, width), runs_{height, width, {}} {
    runs_.counts.reserve(most);
  }

  void push(std::int64_t count) {
    const bool inside = sum_.inside();
    sum_.add(count);
    auto& counts = runs_.counts;
    if (counts.empty()) {
      if (inside) counts.push_back(0);
      counts.push_back(static_cast<std::uint32_t>(count));
    } else if (inside == (counts.size() % 2 == 0)) {
      counts.back() += static_cast<std::uint32_t>(count);
    } else if (count != 0) {
      counts.push_back(static_cast<std::uint32_t>(count));
    }
  }

  Runs take() {
    sum_.finish();
    return std::move(runs_);
  }

 private:
  CheckedSum sum_;
  Runs runs_;
};

/// Calls push(count) for the counts of a compressed string.
template <typename Push>
void for_each_count(std::string_view text, Push&& push) {
  constexpr int longest_number = 7;  // groups; 35 bits hold any difference of two 32-bit counts
  std::int64_t last = 0, before_last = 0;
  std::size_t position = 0;
  for (std::size_t index = 0; position < text.size(); ++index) {
    std::int64_t value = 0;
    int groups = 0;
    for (bool more = true; more; ++position, ++groups) {
      if (position == text.size()) {
        throw Error("run-length string: expected the rest of a number after character " + std::to_string(position) +
                    ", found the end");
      }
      const int group = static_cast<unsigned char>(text[position]) - '0';
      if (group < 0 || group > 63) {
        throw Error("run-length string: expected characters '0' to 'o', found code " +
                    std::to_string(static_cast<unsigned char>(text[position])) + " at " + std::to_string(position));
      }
      if (groups == longest_number) {
        throw Error("run-length string: expected numbers of at most 7 characters, found a longer one at " +
                    std::to_string(position));
      }
      value |= static_cast<std::int64_t>(group & 0x1f) << (5 * groups);
      more = (group & 0x20) != 0;
      if (!more && (group & 0x10) != 0) value -= std::int64_t{1} << (5 * (groups + 1));
    }
    if (index > 2) value += before_last;
    push(value);
    before_last = last;
    last = value;
  }
}

/// Calls emit(count) for the runs of packed columns.
template <typename Emit>
void for_each_run(int height, int width, std::span<const std::uint64_t> words, int words_per_column, Emit&& emit) {
  const std::int64_t total = checked_pixels(height, width);
  const int used = (height + 63) / 64;
  if (words_per_column < used || words.size() < static_cast<std::size_t>(width) * words_per_column) {
    throw Error("packed mask: expected " + std::to_string(width) + " columns of " + std::to_string(used) +
                " words, found " + std::to_string(words.size()) + " words, " + std::to_string(words_per_column) +
                " a column");
  }
  std::int64_t run_start = 0;
  std::uint64_t carry = 0;
  const int full = height / 64;
  for (int x = 0; x < width; ++x) {
    const std::uint64_t* const column = words.data() + static_cast<std::size_t>(x) * words_per_column;
    for (int k = 0; k < used; ++k) {
      // Most words are like the pixel before them: outside of the object, or well inside.
      for (const std::uint64_t same = carry != 0 ? ~std::uint64_t{0} : 0; k < full && column[k] == same;) ++k;
      if (k == used) break;
      const std::uint64_t word = column[k];
      const int valid = std::min(64, height - 64 * k);
      // A bit is set where a pixel differs from the one before it, which may be the last of the column before.
      std::uint64_t changes = word ^ (word << 1 | carry);
      if (valid < 64) changes &= (std::uint64_t{1} << valid) - 1;
      carry = word >> (valid - 1) & 1;
      const std::int64_t base = static_cast<std::int64_t>(x) * height + 64 * k;
      for (; changes != 0; changes &= changes - 1) {
        const std::int64_t position = base + std::countr_zero(changes);
        emit(static_cast<std::uint32_t>(position - run_start));
        run_start = position;
      }
    }
  }
  emit(static_cast<std::uint32_t>(total - run_start));
}

}  // namespace

std::int64_t checked_pixels(int height, int width) {
  constexpr int longest_side = 1 << 20;
  const std::int64_t pixels = static_cast<std::int64_t>(height) * width;
  if (height < 0 || width < 0 || height > longest_side || width > longest_side ||
      pixels > std::numeric_limits<std::uint32_t>::max()) {
    throw Error("run-length mask: expected sides of 0 to 2^20 and fewer than 2^32 pixels, found " +
                std::to_string(height) + " x " + std::to_string(width));
  }
  return pixels;
}

Runs from_counts(int height, int width, std::span<const std::uint32_t> counts) {
  CheckedCounts checked(height, width, counts.size());
  for (const std::uint32_t count : counts) checked.push(count);
  return checked.take();
}

Runs from_string(int height, int width, std::string_view text) {
  CheckedCounts checked(height, width, text.size());
  for_each_count(text, [&](std::int64_t count) { checked.push(count); });
  return checked.take();
}

std::int64_t area(int height, int width, std::string_view text) {
  CheckedSum sum(height, width);
  std::int64_t pixels = 0;
  for_each_count(text, [&](std::int64_t count) {
    if (sum.inside()) pixels += count;
    sum.add(count);
  });
  sum.finish();
  return pixels;
}

std::string to_string(const Runs& runs) {
  StringWriter writer;
  for (const std::uint32_t count : runs.counts) writer(count);
  return writer.take();
}

Runs from_bits(int height, int width, std::span<const std::uint64_t> words, int words_per_column) {
  Runs runs{height, width, {}};
  for_each_run(height, width, words, words_per_column, [&](std::uint32_t count) { runs.counts.push_back(count); });
  return runs;
}

std::string string_from_bits(int height, int width, std::span<const std::uint64_t> words, int words_per_column) {
  StringWriter writer;
  for_each_run(height, width, words, words_per_column, writer);
  return writer.take();
}

std::vector<std::uint64_t> to_bits(const Runs& runs) {
  checked_pixels(runs.height, runs.width);
  const std::size_t words_per_column = (static_cast<std::size_t>(runs.height) + 63) / 64;
  std::vector<std::uint64_t> words(words_per_column * runs.width);
  for_each_piece(runs, [&](int x, int begin, int end) {
    std::uint64_t* column = words.data() + x * words_per_column;
    for (int y = begin; y < end;) {
      const int stop = std::min(end, (y / 64 + 1) * 64);
      column[y / 64] |= (~std::uint64_t{0} >> (64 - (stop - y))) << (y % 64);
      y = stop;
    }
  });
  return words;
}

std::vector<std::uint8_t> to_bitmap(const Runs& runs) {
  std::vector<std::uint8_t> bitmap(static_cast<std::size_t>(checked_pixels(runs.height, runs.width)));
  for_each_piece(runs, [&](int x, int begin, int end) {
    for (int y = begin; y < end; ++y) bitmap[static_cast<std::size_t>(y) * runs.width + x] = 1;
  });
  return bitmap;
}

Runs from_bitmap(int height, int width, std::span<const std::uint8_t> bitmap) {
  const std::int64_t total = checked_pixels(height, width);
  if (bitmap.size() != static_cast<std::size_t>(total)) {
    throw Error("bitmap: expected " + std::to_string(height) + " x " + std::to_string(width) + " bytes, found " +
                std::to_string(bitmap.size()));
  }
  Runs runs{height, width, {}};
  std::uint32_t length = 0;
  bool inside = false;
  for (int x = 0; x < width; ++x) {
    for (int y = 0; y < height; ++y) {
      if ((bitmap[static_cast<std::size_t>(y) * width + x] != 0) != inside) {
        runs.counts.push_back(length);
        length = 0;
        inside = !inside;
      }
      ++length;
    }
  }
  runs.counts.push_back(length);
  return runs;
}

}  // namespace maskrt::rle
