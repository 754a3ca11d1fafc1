// The classes of a data set of semantic segmentation, and what the numbers in its label maps stand for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "maps.h"

namespace maskrt::label_maps {

/// Which of a data set's two numberings a label map is in.
enum class Numbering : std::uint8_t {
  ids,      ///< the data set's own ids, of which some are not scored
  indices,  ///< positions of classes from 0, as networks have them (Cityscapes: train ids)
};

/// What a number stands for that is no class.
inline constexpr std::int32_t kIgnored = -1, kUnknown = -2;

/// For each number in a label map: the class's index, kIgnored or kUnknown.
class LabelNumbers {
 public:
  LabelNumbers() : meaning_(std::numeric_limits<std::uint16_t>::max() + std::size_t{1}, kUnknown) {}
  void set(std::uint16_t number, std::int32_t meaning) { meaning_[number] = meaning; }
  std::int32_t operator[](std::uint16_t number) const { return meaning_[number]; }

 private:
  std::vector<std::int32_t> meaning_;
};

struct LabelClass {
  std::string name;
  ClassColor color{};  ///< black: none of its own
};

/// How files of a data set are named.
enum class MapNames : std::uint8_t {
  same,        ///< truth and result are called alike
  cityscapes,  ///< CITY_SEQUENCE_FRAME_*, and of the truths those that end in _labelIds.png or _labelTrainIds.png
};

struct LabelClasses {
  std::string name;  ///< of the data set or the file, for messages
  std::vector<LabelClass> classes;
  LabelNumbers ids, indices;
  MapNames names = MapNames::same;

  const LabelNumbers& numbers(Numbering numbering) const { return numbering == Numbering::ids ? ids : indices; }
  std::vector<ClassColor> colors() const;
  /// Takes `number` for what is not scored, in both numberings, even where a class has it.
  void ignore(std::uint16_t number);
};

/// Cityscapes' 19 classes that are scored. Ids are those of *_labelIds.png, indices those of *_labelTrainIds.png.
LabelClasses cityscapes_classes();

/// ADE20K's 150 classes of scene parsing. Ids are those of its annotations, 1 to 150 and 0 for what is not scored;
/// indices are 0 to 149 and 255.
LabelClasses ade20k_classes();

/// "cityscapes", "ade20k", or a file: a name a line, which are ids from 0, or JSON with COCO's categories, as a list or
/// as the member "categories", which have ids, names and maybe colours ("color": [R, G, B]). `ignored`: the number of
/// what is not scored; nothing: 255, or 65535 where there are 256 classes or more. Throws Error that names the file.
LabelClasses read_classes(const std::string& name_or_file, std::optional<std::uint16_t> ignored = std::nullopt);

}  // namespace maskrt::label_maps
