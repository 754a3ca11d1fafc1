// One colour for each class, and what can be told of colours.
#pragma once

#include "canvas.h"

namespace maskrt::cli {

/// The category's own colour where its data set names one (not black); otherwise one made from the class's index: the
/// same in every picture, and far from those of the neighbouring classes.
Color class_color(const Category& category, int class_id);

/// From lightness, chroma and hue (radians) of Oklab (Ottosson, "A perceptual color space for image processing", 2020):
/// equal steps of hue look equally far apart there, which they do not in HSV. What sRGB cannot show is cut off.
Color from_oklch(double lightness, double chroma, double hue);

/// Black or white, whichever can be read better on the colour.
Color text_color_on(Color background);

/// Contrast of two colours from 1 (none) to 21 (black on white), as the Web Content Accessibility Guidelines define it.
double contrast(Color a, Color b);

}  // namespace maskrt::cli
