// What readers of files owe their callers: whatever a library throws on the way becomes maskrt::Error.
#pragma once

#include <exception>
#include <new>
#include <string>

#include "maskrt/types.hpp"

namespace maskrt {

/// read(), with exceptions other than Error turned into one that begins with `name`, the file's. bad_alloc is what a
/// limit on memory brings, and length_error what a vector of impossible size does.
template <typename Read>
decltype(auto) reading(const std::string& name, const Read& read) {
  try {
    return read();
  } catch (const Error&) {
    throw;
  } catch (const std::bad_alloc&) {
    throw Error(name + ": expected enough memory to read it, found too little");
  } catch (const std::exception& error) {
    throw Error(name + ": expected a file that can be read, found that it cannot: " + error.what());
  }
}

}  // namespace maskrt
