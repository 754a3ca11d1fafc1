// One colour for each class.
#pragma once

#include "canvas.h"

namespace maskrt::cli {

/// The category's own colour where its data set names one (not black); otherwise one made from the class's index: the
/// same in every picture, and far from those of the neighbouring classes.
Color class_color(const Category& category, int class_id);

/// Black or white, whichever can be read better on the colour.
Color text_color_on(Color background);

/// Contrast of two colours from 1 (none) to 21 (black on white), as the Web Content Accessibility Guidelines define it.
double contrast(Color a, Color b);

}  // namespace maskrt::cli
