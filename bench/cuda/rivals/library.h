// A shared library that is opened on first use.
#pragma once

#include <dlfcn.h>

#include <initializer_list>
#include <string>

#include "maskrt/types.hpp"

namespace maskrt::bench {

/// Open to the end of the process: such libraries do not like to be closed.
class Library {
 public:
  /// The first of the names that the loader finds. Throws Error that names `what` and all of them.
  Library(const std::string& what, std::initializer_list<const char*> names) : what_(what) {
    std::string all;
    for (const char* name : names) {
      handle_ = dlopen(name, RTLD_NOW | RTLD_LOCAL);
      if (handle_ != nullptr) return;
      all += (all.empty() ? "" : " or ") + std::string(name);
    }
    throw Error(what_ + ": expected " + all + ", found none");
  }

  /// Throws Error where it has no such entry point.
  template <typename Function>
  void find(Function& function, const char* name) const {
    function = reinterpret_cast<Function>(dlsym(handle_, name));
    if (function == nullptr) throw Error(what_ + ": expected the entry point " + name + ", found none");
  }

 private:
  std::string what_;
  void* handle_ = nullptr;
};

}  // namespace maskrt::bench
