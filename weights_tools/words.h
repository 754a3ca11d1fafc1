// Lists and numbers in sentences.
#pragma once

#include <string>
#include <vector>

namespace maskrt::weights {

/// "a", "a or b", "a, b or c", with `conjunction` before the last.
std::string joined(const std::vector<std::string>& words, const std::string& conjunction);

/// A number as "%g" prints it: "0.45".
std::string short_number(double value);

}  // namespace maskrt::weights
