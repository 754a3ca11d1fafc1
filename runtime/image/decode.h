// Encoded pictures to pixels, by whichever decoder there is for them.
#pragma once

#include <cstdint>
#include <memory>

#include "header.h"
#include "image_library.h"

namespace maskrt::image {

/// Dense RGB rows of a file that read_header has accepted: by libmaskrt_images.so where it is there, otherwise by what
/// libmaskrt itself has. Throws Error: a reason without the file's name.
std::shared_ptr<const std::uint8_t> decode(Bytes file, const Header& header);

/// The same by that library, or without where it is null; a picture that needs one must have it.
std::shared_ptr<const std::uint8_t> decode(Bytes file, const Header& header, const MaskrtImageLibrary* library);

}  // namespace maskrt::image
