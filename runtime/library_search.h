// Where the libraries lie that libmaskrt opens on first use: devices and image formats.
#pragma once

#include <string>
#include <vector>

namespace maskrt {

/// Where to look for `file`, the likeliest place first: beside the binary that this code was linked into (libmaskrt.so,
/// a program or a test), in lib/ beside that binary's folder, and by the loader's own search. The environment's
/// `variable` names the one place outright where it is set and not empty.
std::vector<std::string> library_places(const std::string& file, const std::string& variable);

}  // namespace maskrt
