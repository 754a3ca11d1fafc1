// An instance's activation maps as heat over its picture.
#pragma once

#include "canvas.h"
#include "maskrt/maskrt.hpp"

namespace maskrt::cli {

/// The maps of the instance that a query found, each over the whole `picture` they are of, side by side in the order of
/// their numbers. Throws Error for a query that there is not, and where the result would be too large.
Canvas activation_picture(const Canvas& picture, const ActivationMaps& maps, int query);

}  // namespace maskrt::cli
