// A downloaded result block as instances.
#include <cstring>
#include <string>

#include "postprocess_cuda.h"

namespace maskrt::kernels {
namespace {

/// The record's box of words in a mask of the image's size.
MaskBits mask_of(const cuda::InstanceRecord& record, const Geometry& image, std::span<const std::uint64_t> words) {
  MaskBits mask{image.original_width, image.original_height, (image.original_height + 63) / 64, {}};
  mask.words.resize(static_cast<std::size_t>(mask.width) * static_cast<std::size_t>(mask.words_per_column));
  const auto each = static_cast<std::size_t>(record.words);
  const std::uint64_t* from = words.data() + record.first_word_of;
  for (int x = 0; x < record.columns; ++x, from += each) {
    const std::size_t column = static_cast<std::size_t>(record.first_column + x);
    std::memcpy(mask.words.data() + column * static_cast<std::size_t>(mask.words_per_column) + record.first_word, from,
                each * sizeof(std::uint64_t));
  }
  return mask;
}

}  // namespace

PostprocessResult read_result(std::span<const std::byte> block) {
  PostprocessResult result{};
  const auto expect = [&](std::size_t bytes) {
    if (block.size() < bytes)
      throw Error("post-processing: expected a result block of at least " + std::to_string(bytes) + " bytes, found " +
                  std::to_string(block.size()));
  };
  expect(sizeof result.header);
  std::memcpy(&result.header, block.data(), sizeof result.header);
  expect(sizeof result.header + result.header.instances * sizeof(cuda::InstanceRecord));
  result.records = {reinterpret_cast<const cuda::InstanceRecord*>(block.data() + sizeof result.header),
                    result.header.instances};
  return result;
}

std::vector<std::vector<DetectedInstance>> instances_of(const PostprocessResult& result,
                                                        std::span<const Geometry> images,
                                                        std::span<const std::uint64_t> words) {
  if (words.size() < result.header.words)
    throw Error("post-processing: expected " + std::to_string(result.header.words) + " words of masks, found " +
                std::to_string(words.size()));
  std::vector<std::vector<DetectedInstance>> found(images.size());
  for (const cuda::InstanceRecord& record : result.records) {
    if (record.image < 0 || static_cast<std::size_t>(record.image) >= images.size())
      throw Error("post-processing: expected instances of " + std::to_string(images.size()) +
                  " images, found one of image " + std::to_string(record.image));
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
    if (result.header.masks != 0)
      instance.mask = mask_of(record, images[static_cast<std::size_t>(record.image)], words);
    found[static_cast<std::size_t>(record.image)].push_back(std::move(instance));
  }
  return found;
}

}  // namespace maskrt::kernels
