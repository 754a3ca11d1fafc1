#include "instance_block.h"

#include <cstring>
#include <string>

#include "maskrt/types.hpp"

namespace maskrt::kernels {
namespace {

MaskBits size_of_mask(const Geometry& image) {
  return {image.original_width, image.original_height, (image.original_height + 63) / 64, {}};
}

/// The record's box of words in a mask of the image's size.
void fill_bits(const cuda::InstanceRecord& record, std::span<const std::uint64_t> words, MaskBits& mask) {
  mask.words.resize(static_cast<std::size_t>(mask.width) * static_cast<std::size_t>(mask.words_per_column));
  const auto each = static_cast<std::size_t>(record.words);
  const std::uint64_t* from = words.data() + record.first_word_of;
  for (int x = 0; x < record.columns; ++x, from += each) {
    const std::size_t column = static_cast<std::size_t>(record.first_column + x);
    std::memcpy(mask.words.data() + column * static_cast<std::size_t>(mask.words_per_column) + record.first_word, from,
                each * sizeof(std::uint64_t));
  }
}

/// Every record as an instance, whose mask, of the right size, `fill` completes.
template <typename Fill>
std::vector<std::vector<DetectedInstance>> by_image(const FoundInstances& block, std::span<const Geometry> images,
                                                    const Fill& fill) {
  std::vector<std::vector<DetectedInstance>> found(images.size());
  for (const cuda::InstanceRecord& record : block.records) {
    if (record.image < 0 || static_cast<std::size_t>(record.image) >= images.size())
      throw Error("instances: expected instances of " + std::to_string(images.size()) + " images, found one of image " +
                  std::to_string(record.image));
    DetectedInstance instance;
    instance.query = record.query;
    instance.class_id = record.class_id;
    instance.score = record.score;
    instance.area = static_cast<std::int64_t>(record.area);
    if (record.area != 0) {
      instance.x = record.left;
      instance.y = record.top;
      instance.width = record.right - record.left + 1;
      instance.height = record.bottom - record.top + 1;
    }
    if (block.header.masks != 0) {
      instance.mask = size_of_mask(images[static_cast<std::size_t>(record.image)]);
      fill(record, instance);
    }
    found[static_cast<std::size_t>(record.image)].push_back(std::move(instance));
  }
  return found;
}

void check_room(std::uint64_t expected, const char* what, std::size_t found) {
  if (found < expected)
    throw Error("instances: expected " + std::to_string(expected) + what + ", found " + std::to_string(found));
}

}  // namespace

std::size_t InstanceBlock::first_of_image_offset() const {
  return sizeof(cuda::InstanceHeader) + static_cast<std::size_t>(batch * queries) * sizeof(cuda::InstanceRecord);
}

std::size_t InstanceBlock::bytes() const {
  return first_of_image_offset() + static_cast<std::size_t>(batch + 1) * sizeof(std::uint32_t);
}

FoundInstances InstanceBlock::read(std::span<const std::byte> block) {
  FoundInstances result{};
  const auto expect = [&](std::size_t bytes) {
    if (block.size() < bytes)
      throw Error("instances: expected a result block of at least " + std::to_string(bytes) + " bytes, found " +
                  std::to_string(block.size()));
  };
  expect(sizeof result.header);
  std::memcpy(&result.header, block.data(), sizeof result.header);
  expect(sizeof result.header + result.header.instances * sizeof(cuda::InstanceRecord));
  result.records = {reinterpret_cast<const cuda::InstanceRecord*>(block.data() + sizeof result.header),
                    result.header.instances};
  return result;
}

std::vector<std::vector<DetectedInstance>> instances_of(const FoundInstances& block, std::span<const Geometry> images,
                                                        std::span<const std::uint64_t> words) {
  check_room(block.header.words, " words of masks", words.size());
  return by_image(block, images, [&](const cuda::InstanceRecord& record, DetectedInstance& instance) {
    fill_bits(record, words, instance.mask);
  });
}

std::vector<std::vector<DetectedInstance>> instances_of(const FoundInstances& block, std::span<const Geometry> images,
                                                        std::span<const std::uint32_t> runs) {
  check_room(block.header.runs, " run lengths of masks", runs.size());
  return by_image(block, images, [&](const cuda::InstanceRecord& record, DetectedInstance& instance) {
    const std::span<const std::uint32_t> own = runs.subspan(record.first_run, record.runs);
    instance.runs.assign(own.begin(), own.end());
  });
}

}  // namespace maskrt::kernels
