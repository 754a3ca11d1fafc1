// A kernel's fault: the process lives, every call says what happened, and the GPU works again for those who let go
// first.
#include <dlfcn.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <optional>

#include "runtime/cuda/memory.h"
#include "small_model.h"
#include "vgpu.h"

namespace maskrt {
namespace {

using namespace testing;

// The driver is looked at only while a context of the test's own is there: that of Gpu would never go.

std::size_t free_memory() {
  const auto context = cuda::Context::of_device(0);
  const cuda::CurrentContext current(*context);
  std::size_t free = 0, total = 0;
  context->driver().cuMemGetInfo(&free, &total);
  return free;
}

/// Contexts that somebody holds, where the driver can tell.
std::size_t contexts() {
  const char* driver = std::getenv("MASKRT_CUDA_DRIVER");
  void* const library = driver != nullptr ? dlopen(driver, RTLD_NOW | RTLD_LOCAL) : nullptr;
  const auto ask =
      library != nullptr ? reinterpret_cast<decltype(&vgpuGetLeaks)>(dlsym(library, "vgpuGetLeaks")) : nullptr;
  VgpuLeaks leaks{};
  if (ask != nullptr) ask(&leaks);
  return leaks.contexts;
}

/// Rows so far apart that all but the first lie in nobody's memory.
std::vector<InputImage> out_of_bounds(const cuda::DeviceMemory& memory) {
  return {DeviceImage{memory.data(), 96, 64, PixelFormat::rgb, std::ptrdiff_t{1} << 42}};
}

constexpr auto kFailed = "cuda:0 has failed for good: let go of every model and session on it before loading another";

/// The model again, after a fault; nothing where the driver does not let this process have another context, which the
/// virtual GPU does.
std::optional<Model> loaded_again() {
  try {
    return small_model();
  } catch (const Error& error) {
    CHECK(std::getenv("VGPU_CC") == nullptr);
    CHECK_THAT(error.what(), Catch::Contains("from what this process did before"));
    return std::nullopt;
  }
}

TEST_CASE("after a kernel's fault every call says so; once all is gone the GPU can be opened again") {
  const auto& images = small_fixture().images;
  const auto want = Session(small_model()).run(images);
  const bool alone = std::getenv("VGPU_CC") != nullptr;  // with the GPU
  const std::size_t free = alone ? free_memory() : 0;
  for (int time = 0; time < 2; ++time) {
    {
      const Model model = small_model();
      Session session(model), other(model);
      require_same(other.run(images), want);
      const cuda::DeviceMemory memory(cuda::Context::of_device(0), 96 * 3);
      if (time == 0) {
        CHECK_THROWS_WITH(session.run(out_of_bounds(memory)), Catch::Contains(kFailed));
      } else {
        session.enqueue(out_of_bounds(memory));  // nobody knows yet
      }
      CHECK_THROWS_WITH(session.run(images), Catch::Contains(kFailed));
      CHECK_THROWS_WITH(other.run(images), Catch::Contains(kFailed));
      CHECK_THROWS_WITH(other.prepare(1, 64, 64), Catch::Contains(kFailed));
      CHECK_THROWS_WITH(Session(model), Catch::Contains(kFailed));
      CHECK_THROWS_WITH(small_model(), Catch::Contains("that models or sessions still hold"));
    }
    CHECK(contexts() == 0);
    if (alone) CHECK(free_memory() == free);
    const std::optional<Model> model = loaded_again();
    if (!model) return;
    require_same(Session(*model).run(images), want);
  }
}

TEST_CASE("a failed context that others hold is left to them") {
  auto others = cuda::Context::of_device(0);
  {
    Session session(small_model());
    const cuda::DeviceMemory memory(others, 96 * 3);
    CHECK_THROWS_WITH(session.run(out_of_bounds(memory)), Catch::Contains(kFailed));
  }
  CHECK_THROWS_WITH(small_model(), Catch::Contains("expected a primary context that works, found CUDA_ERROR"));
  others.reset();
  if (const std::optional<Model> model = loaded_again()) CHECK(!Session(*model).run(small_fixture().images).empty());
}

}  // namespace
}  // namespace maskrt
