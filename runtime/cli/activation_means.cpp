#include "activation_means.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <functional>
#include <map>
#include <span>
#include <string>

#include "drawing_files.h"
#include "graph/safetensors.h"
#include "heat.h"
#include "outputs.h"
#include "text_line.h"

namespace maskrt::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char *kSheetName = "queries.png", *kNumbersName = "activations.safetensors";
constexpr std::size_t kPositions = std::size_t{ActivationMeans::kSide} * ActivationMeans::kSide;

/// Sums are counted in these: fine enough for the small numbers of a softmax, and coarse enough for the sum of 2^25
/// pictures.
constexpr double kUnit = 0x1p-38;

constexpr int kGap = 4, kGapInSheet = 2, kGapOfQueries = 12;
constexpr int kPictureFactor = 4, kSheetFactor = 2;  // pixels for each position of a mean

std::string name_of_query(std::size_t query) {
  std::array<char, 32> name{};
  std::snprintf(name.data(), name.size(), "query_%03zu", query);
  return name.data();
}

/// Whether a file may be the picture of some query.
bool is_query_picture(const std::string& name) {
  const std::string start = "query_", end = ".png";
  if (name.size() < start.size() + 3 + end.size() || !name.starts_with(start) || !name.ends_with(end)) return false;
  return name.find_first_not_of("0123456789", start.size()) == name.size() - end.size();
}

/// A square map made larger by a whole factor, bilinearly.
std::vector<float> enlarged(std::span<const float> map, int side, int factor) {
  const int size = side * factor;
  std::vector<int> low(static_cast<std::size_t>(size));
  std::vector<float> part(low.size());
  for (std::size_t i = 0; i < low.size(); ++i) {
    const float at = std::clamp((static_cast<float>(i) + 0.5f) / static_cast<float>(factor) - 0.5f, 0.0f,
                                static_cast<float>(side - 1));
    low[i] = std::min(static_cast<int>(at), side - 2);
    part[i] = at - static_cast<float>(low[i]);
  }
  std::vector<float> out;
  out.reserve(low.size() * low.size());
  for (std::size_t y = 0; y < low.size(); ++y)
    for (std::size_t x = 0; x < low.size(); ++x) {
      const float* const at = &map[static_cast<std::size_t>(low[y] * side + low[x])];
      const float above = at[0] + (at[1] - at[0]) * part[x];
      const float below = at[side] + (at[side + 1] - at[side]) * part[x];
      out.push_back(above + (below - above) * part[y]);
    }
  return out;
}

/// A query's number in the upper left corner of its heat.
void draw_number(Canvas& canvas, const PixelBox& box, std::size_t query) {
  constexpr float font = 18;
  constexpr int padding = 4;
  const TextLine line = text_line(std::to_string(query), font);
  const int width = static_cast<int>(std::ceil(line.width)) + 2 * padding,
            height = static_cast<int>(std::ceil(line.height()));
  canvas.fill_rounded_box({box.x, box.y, width, height}, 0, {0, 0, 0}, 0.6f);
  draw_text(canvas, line, box.x + padding, box.y + static_cast<int>(std::lround(line.ascent)), {255, 255, 255});
}

}  // namespace

void ActivationMeans::add_outputs(graph::FileRoles& roles) const {
  roles.output(folder_ / kSheetName);
  roles.output(folder_ / kNumbersName);
  roles.outputs(folder_, is_query_picture);
}

void ActivationMeans::make_folder() const { cli::make_folder(folder_); }

void ActivationMeans::add(const ActivationMaps& maps) {
  std::vector<std::int64_t> added;
  added.reserve(static_cast<std::size_t>(maps.count()) * kPositions);
  for (int map = 0; map < maps.count(); ++map)
    for (const float number : maps.over_image(map, kSide, kSide)) {
      constexpr float rounding = 1e-3f;
      if (!(number >= -rounding && number <= 1 + rounding))  // NaN too
        throw Error("expected activation maps of numbers from 0 to 1, found " + std::to_string(number));
      added.push_back(std::llround(static_cast<double>(number) / kUnit));
    }
  const std::lock_guard lock(mutex_);
  if (images_ == 0) {
    sums_.resize(added.size());
    for (int query = 0; query < maps.queries(); ++query) maps_.push_back(maps.maps_of(query));
  }
  ++images_;
  std::transform(sums_.begin(), sums_.end(), added.begin(), sums_.begin(), std::plus<>());
}

std::vector<float> ActivationMeans::mean_of(std::size_t map) const {
  std::vector<float> mean;
  mean.reserve(kPositions);
  for (const std::int64_t sum : std::span(sums_).subspan(map * kPositions, kPositions))
    mean.push_back(static_cast<float>(static_cast<double>(sum) * kUnit / static_cast<double>(images_)));
  return mean;
}

void ActivationMeans::write() const {
  if (images_ == 0) return;
  for (std::size_t query = 0; query < maps_.size(); ++query) write_query(query);
  write_sheet();
  write_numbers();
}

void ActivationMeans::write_query(std::size_t query) const {
  constexpr int side = kSide * kPictureFactor;
  const Tiles tiles = tiles_in_a_row(side, side, maps_[query].size(), kGap);
  Canvas canvas = tiles.sheet();
  for (std::size_t i = 0; i < maps_[query].size(); ++i)
    draw_heat(canvas, tiles.box(i), enlarged(mean_of(static_cast<std::size_t>(maps_[query][i])), kSide, kPictureFactor),
              nullptr);
  graph::write_file(folder_ / (name_of_query(query) + ".png"), encode(canvas, PictureFormat::png));
}

void ActivationMeans::write_sheet() const {
  constexpr int side = kSide * kSheetFactor;
  std::size_t most = 1;
  for (const std::vector<int>& maps : maps_) most = std::max(most, maps.size());
  const Tiles of_query = tiles_in_a_row(side, side, most, kGapInSheet);
  const PixelBox last = of_query.box(most - 1);
  const Tiles queries = tiles_in_a_square(last.x + side, last.y + side, maps_.size(), kGapOfQueries);
  Canvas canvas = queries.sheet();
  for (std::size_t query = 0; query < maps_.size(); ++query) {
    const PixelBox place = queries.box(query);
    for (std::size_t i = 0; i < maps_[query].size(); ++i) {
      PixelBox box = of_query.box(i);
      box.x += place.x;
      box.y += place.y;
      draw_heat(canvas, box, enlarged(mean_of(static_cast<std::size_t>(maps_[query][i])), kSide, kSheetFactor),
                nullptr);
    }
    draw_number(canvas, place, query);
  }
  graph::write_file(folder_ / kSheetName, encode(canvas, PictureFormat::png));
}

void ActivationMeans::write_numbers() const {
  std::vector<std::vector<float>> numbers;
  for (const std::vector<int>& maps : maps_) {
    std::vector<float>& of_query = numbers.emplace_back();
    for (const int map : maps) {
      const std::vector<float> mean = mean_of(static_cast<std::size_t>(map));
      of_query.insert(of_query.end(), mean.begin(), mean.end());
    }
  }
  std::vector<graph::TensorToWrite> tensors;
  for (std::size_t query = 0; query < maps_.size(); ++query)
    tensors.push_back({name_of_query(query),
                       DataType::f32,
                       {static_cast<std::int64_t>(maps_[query].size()), kSide, kSide},
                       std::as_bytes(std::span(numbers[query]))});
  graph::write_safetensors(folder_ / kNumbersName, tensors, {{"images", std::to_string(images_)}});
}

}  // namespace maskrt::cli
