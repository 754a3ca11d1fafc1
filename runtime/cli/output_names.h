// What files made from pictures are called.
#pragma once

#include <cstddef>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

namespace maskrt::cli {

/// A name for the files made from each picture, in the same order: the picture's own without its extension, with "_2",
/// "_3", ... where a picture before it has that name. No two differ in case alone: some file systems take such names
/// for one. Bytes that are not UTF-8, control characters and < > : " | ? * \ become "_", and a name of more than 200
/// bytes ends in a checksum of itself, so that all file systems take it. The names depend on the paths alone.
std::vector<std::string> output_stems(const std::vector<std::filesystem::path>& pictures);

/// "STEM_INDEX_LABEL.png", the index of three digits at least. Two masks of pictures with stems as above never share a
/// name, and none has more than 255 bytes.
std::string mask_name(const std::string& stem, std::size_t index, const std::string& label);

/// True for what mask_name() gives for one of `stems`, an index and a label.
bool is_mask_name(const std::string& name, const std::set<std::string>& stems);

/// "STEM_INDEX_LABEL_iam.jpg", or with another extension, for an instance's activation maps; likewise.
std::string activations_name(const std::string& stem, std::size_t index, const std::string& label,
                             const std::string& extension);

/// True for what activations_name() gives with that extension.
bool is_activations_name(const std::string& name, const std::set<std::string>& stems, const std::string& extension);

/// A label as a part of a file's name, 40 bytes at most: ASCII letters, digits, "-" and "." stay, every other run of
/// bytes becomes one "_": "hair drier" is "hair_drier". A digit at the start or after "_" gets a "-" before it: what
/// stands between two "_" in a mask's name and is a number is the index.
std::string sanitised(const std::string& label);

}  // namespace maskrt::cli
