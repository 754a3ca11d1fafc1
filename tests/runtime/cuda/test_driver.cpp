// Opening the driver, and what it hands out: contexts, memory, events.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <limits>
#include <numeric>
#include <string>

#include "runtime/cuda/event.h"
#include "support/gpu.h"
#include "support/places.h"

namespace maskrt::cuda {
namespace {

using testing::DeviceArray;
using testing::Gpu;

TEST_CASE("a driver library that is not there is one sentence") {
  CHECK_THROWS_WITH(Driver("/nowhere/libcuda.so.1"),
                    Catch::StartsWith("CUDA driver: expected NVIDIA's driver library /nowhere/libcuda.so.1, could not "
                                      "open it: "));
}

TEST_CASE("a library that is no driver is named") {
  CHECK_THROWS_WITH(Driver("libm.so.6"),
                    "CUDA driver: expected a driver library with the entry point "
                    "cuDriverGetVersion, found none in libm.so.6");
}

TEST_CASE("drivers that cannot serve are one sentence each") {
  const std::string library = testing::place("MASKRT_UNFIT_DRIVER", MASKRT_UNFIT_DRIVER), built = dotted(CUDA_VERSION),
                    newer = dotted(CUDA_VERSION + 20);
  const auto refused = [&](const char* fault, const std::string& want) {
    setenv("UNFIT_DRIVER", fault, 1);
    CHECK_THROWS_WITH(Driver(library), want);
  };
  refused("old", "CUDA driver: expected one for CUDA 12.0 or newer, found " + library + ", which is for CUDA 11.8");
  refused("incomplete", "CUDA driver: expected the entry point cuGraphLaunch of version " + built + ", found none in " +
                            library + ", which is for CUDA " + newer);
  refused("12.2 incomplete", "CUDA driver: expected the entry point cuGraphLaunch of version 12.2, found none in " +
                                 library + ", which is for CUDA 12.2");
  refused("no device", "CUDA driver: expected a GPU, " + library + " (CUDA " + newer + ") found none");
}

TEST_CASE("a driver before 12.1 is too old for compute capability 9.0") {
  setenv("UNFIT_DRIVER", "12.0 with a 9.0", 1);
  const std::string library = testing::place("MASKRT_UNFIT_DRIVER", MASKRT_UNFIT_DRIVER);
  const Driver driver(library);
  CHECK_THROWS_WITH(
      Context::of_device(0, driver),
      "CUDA device 0: expected a driver for CUDA 12.1 or newer for compute capability 9.0 (Unfit), found " + library +
          ", which is for CUDA 12.0");
}

TEST_CASE("the driver is one for the process, and new enough") {
  const Driver& driver = Driver::instance();
  CHECK(&driver == &Driver::instance());
  CHECK(driver.version() >= kOldestDriver);
}

TEST_CASE("a refused call names itself, the error and its meaning") {
  const Driver& driver = Driver::instance();
  CUdevice device = 0;
  try {
    driver.cuDeviceGet(&device, 4711);
    FAIL("expected an error, found none");
  } catch (const DriverError& error) {
    CHECK(error.status() == CUDA_ERROR_INVALID_DEVICE);
    CHECK_THAT(error.what(), Catch::StartsWith("cuDeviceGet: the CUDA driver answered CUDA_ERROR_INVALID_DEVICE ("));
  }
  CHECK(driver.cuDeviceGet.status(&device, 4711) == CUDA_ERROR_INVALID_DEVICE);
  CHECK(driver.describe(static_cast<CUresult>(123456)) == "error 123456");
}

TEST_CASE("a device that is not there is told from those that are") {
  int devices = 0;
  Driver::instance().cuDeviceGetCount(&devices);
  for (const int ordinal : {-1, devices})
    CHECK_THROWS_WITH(Context::of_device(ordinal), "CUDA device: expected a number from 0 to " +
                                                       std::to_string(devices - 1) + ", found " +
                                                       std::to_string(ordinal));
}

TEST_CASE("a context knows its chip") {
  const auto context = Context::of_device(0);
  const kernels::Chip& chip = context->chip();
  CHECK(context->get() == Gpu::instance().context()->get());  // a device has one primary context
  CHECK_FALSE(context->name().empty());
  CHECK(context->total_memory() > 0);
  CHECK(chip.compute_capability >= 75);
  CHECK(chip.multiprocessors > 0);
  CHECK(chip.shared_per_block >= 48 * 1024);
  CHECK(chip.shared_per_multiprocessor >= chip.shared_per_block);
  CHECK((chip.path() == kernels::KernelPath::sm90a) == (chip.compute_capability == 90));
  for (std::size_t blocks = 2; blocks < chip.resident_clusters.size(); ++blocks) {
    INFO(blocks);
    CHECK((chip.resident_clusters[blocks] > 0) == (chip.compute_capability == 90));
    CHECK(chip.resident_clusters[blocks] * static_cast<int>(blocks) <= chip.multiprocessors);
  }
}

TEST_CASE("a context is current only while asked for") {
  const auto context = Context::of_device(0);
  // Freed from a thread state without a current context, as a destructor may find it.
  DeviceMemory memory(context, 4096);
  CHECK(reinterpret_cast<std::uintptr_t>(memory.data()) % 256 == 0);
  CUcontext popped = nullptr;
  CHECK(context->driver().cuCtxPopCurrent.status(&popped) != CUDA_SUCCESS);
}

TEST_CASE("more memory than there is: a sentence with what was asked for and what is free") {
  const auto context = Context::of_device(0);
  const std::size_t much = context->total_memory() * 2;
  try {
    DeviceMemory memory(context, much);
    FAIL("expected an error, found memory");
  } catch (const DriverError& error) {
    CHECK(error.status() == CUDA_ERROR_OUT_OF_MEMORY);
    CHECK_THAT(error.what(), Catch::StartsWith("CUDA device 0: expected " + std::to_string(much) +
                                               " bytes of device memory, found "));
  }
  CHECK(DeviceMemory(context, 1 << 20).data() != nullptr);  // the device serves on
}

TEST_CASE("no bytes are no memory") {
  const auto context = Context::of_device(0);
  CHECK(DeviceMemory(context, 0).data() == nullptr);
  CHECK(PinnedMemory(context, 0).data() == nullptr);
}

TEST_CASE("moved memory has one owner") {
  const auto context = Context::of_device(0);
  DeviceMemory first(context, 256), second(context, 512);
  const std::byte* address = first.data();
  DeviceMemory moved = std::move(first);
  CHECK(moved.data() == address);
  CHECK(first.data() == nullptr);  // NOLINT: what is left behind is defined
  second = std::move(moved);
  CHECK(second.data() == address);
  CHECK(second.bytes() == 256);
}

TEST_CASE("numbers travel to the device and back") {
  std::vector<std::int32_t> numbers(1000);
  std::iota(numbers.begin(), numbers.end(), -500);
  CHECK(DeviceArray<std::int32_t>(numbers).download() == numbers);
}

TEST_CASE("events order streams and tell the time between") {
  const Gpu& gpu = Gpu::instance();
  const auto& context = gpu.context();
  const Driver& driver = context->driver();
  const Stream second(context);
  const PinnedMemory from(context, 1 << 16), to(context, 1 << 16);
  const DeviceMemory memory(context, 1 << 16);
  std::fill_n(from.data(), from.bytes(), std::byte{42});
  const Event start(context, Event::Timing::yes), copied(context, Event::Timing::yes);
  {
    const CurrentContext current(*context);
    start.record(gpu.stream().get());
    driver.cuMemcpyHtoDAsync(address_of(memory.data()), from.data(), from.bytes(), gpu.stream().get());
    copied.record(gpu.stream().get());
    second.wait(copied);
    driver.cuMemcpyDtoHAsync(to.data(), address_of(memory.data()), to.bytes(), second.get());
  }
  second.synchronize();
  CHECK(std::equal(from.data(), from.data() + from.bytes(), to.data()));
  copied.synchronize();
  CHECK(copied.seconds_since(start) >= 0);
}

}  // namespace
}  // namespace maskrt::cuda
