// Keys of configs by who reads them: those that nobody reads are likely mistyped.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace maskrt::weights {

/// A mapping of a config, and keys in it with blanks between them.
struct KeySection {
  std::string_view name, keys;
};

/// Dotted keys: {"MODEL.RESNETS", "DEPTH NORM"} is MODEL.RESNETS.DEPTH and MODEL.RESNETS.NORM.
std::vector<std::string> dotted_keys(std::span<const KeySection> sections);

/// Keys of detectron2, and of projects on it that are not families of ours, that say nothing about a trained network:
/// what training, evaluation and the programs around them read. As an override they change nothing, and pass.
const std::vector<std::string>& training_keys();

/// Keys of the same that inference of some model reads. Which of them a network reads is its family's to say.
const std::vector<std::string>& inference_keys();

/// Whether `key` is among `keys`, or names a mapping that holds one of them.
bool is_key_or_section(std::string_view key, const std::vector<std::string>& keys);

/// The key that somebody may have meant, who wrote it mistyped, in small letters or without the sections before it; ""
/// where none is near.
std::string nearest_key(const std::string& key, const std::vector<std::string>& candidates);

/// Of a config's keys, those that are not known and but a letter or two away from one that is: "MODEL.PIXEL_SDT
/// (MODEL.PIXEL_STD?)". A project may have keys of its own, so this is for a report and not for an error.
std::vector<std::string> likely_mistakes(const std::vector<std::string>& keys, const std::vector<std::string>& known);

}  // namespace maskrt::weights
