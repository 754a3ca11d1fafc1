// What every public call does with exceptions that are not maskrt's own.
#pragma once

#include <exception>
#include <new>
#include <string>

#include "maskrt/types.hpp"

namespace maskrt {

/// Thrown where memory has run out. Made when the library is loaded, because a sentence takes memory too: throwing a
/// copy allocates nothing but the exception itself, for which C++ runtimes keep a reserve.
inline const Error out_of_memory(
    "expected memory for this call, found that there is not enough; smaller pictures, "
    "smaller batches or fewer threads take less");

/// Inside a catch block: throws the exception on if it is an Error, and otherwise one that says `where` in front of
/// what was found: std::bad_alloc, and whatever libraries below throw.
[[noreturn]] inline void throw_as_error(const char* where) {
  try {
    throw;
  } catch (const Error&) {
    throw;
  } catch (const std::bad_alloc&) {
    throw out_of_memory;
  } catch (const std::exception& error) {
    try {
      throw Error(std::string(where) + ": expected to succeed, found: " + error.what());
    } catch (const std::bad_alloc&) {
      throw out_of_memory;
    }
  } catch (...) {
    throw Error(std::string(where) + ": expected to succeed, found an exception of an unknown type");
  }
}

/// Does what a public function does; every exception that leaves it is an Error.
template <typename Work>
decltype(auto) public_call(const char* where, const Work& work) {
  try {
    return work();
  } catch (...) {
    throw_as_error(where);
  }
}

}  // namespace maskrt
