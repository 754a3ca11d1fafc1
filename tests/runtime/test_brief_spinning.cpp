// How long OpenMP's threads spin once a device is loaded: briefly, unless the user says otherwise.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <optional>
#include <string>
#include <thread>

#include "runtime/support/brief_spinning.h"

namespace maskrt {
namespace {

std::optional<std::string> spin_count() {
  const char* value = std::getenv("GOMP_SPINCOUNT");
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

TEST_CASE("OpenMP is told to spin briefly for as long as a library loads, where nobody has decided") {
  ::unsetenv("OMP_WAIT_POLICY");
  ::unsetenv("GOMP_SPINCOUNT");
  {
    const BriefSpinning spinning;
    CHECK(spin_count() == "2000");
  }
  CHECK(spin_count() == std::nullopt);

  ::setenv("GOMP_SPINCOUNT", "7", 1);
  {
    const BriefSpinning spinning;
    CHECK(spin_count() == "7");
  }
  CHECK(spin_count() == "7");
  ::unsetenv("GOMP_SPINCOUNT");

  ::setenv("OMP_WAIT_POLICY", "active", 1);
  {
    const BriefSpinning spinning;
    CHECK(spin_count() == std::nullopt);
  }
  ::unsetenv("OMP_WAIT_POLICY");

  // Another thread may read the environment at any time.
  std::thread([] {
    const BriefSpinning spinning;
    CHECK(spin_count() == std::nullopt);
  }).join();
}

}  // namespace
}  // namespace maskrt
