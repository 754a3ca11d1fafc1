// How much memory the C++ code of a test program takes.
#pragma once

#include <cstddef>

namespace maskrt::testing {

/// Counts what operator new has given and not got back. One at a time.
class AllocationMeter {
 public:
  AllocationMeter();
  /// The most bytes held at once since the meter was made, beyond those held then.
  std::size_t peak() const;

 private:
  std::size_t start_;
};

}  // namespace maskrt::testing
