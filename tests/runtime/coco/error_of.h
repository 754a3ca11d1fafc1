// What an action says that fails.
#pragma once

#include <functional>
#include <string>

#include "maskrt/types.hpp"

namespace maskrt::coco {

inline std::string error_of(const std::function<void()>& act) {
  try {
    act();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace maskrt::coco
