// What the virtual GPU's tests share: one kernel from PTX text, buffers, a launch.
#pragma once

#include <catch2/catch.hpp>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "machine/device.h"
#include "machine/tensor_map.h"

namespace vgpu {

inline Settings test_settings(int compute_capability = 90, std::uint64_t seed = 0) {
  Settings settings;
  settings.compute_capability = compute_capability;
  settings.seed = seed;
  settings.memory = std::uint64_t{64} << 20;
  return settings;
}

/// The text of a file of tests/data/ptx_cuda: kernels compiled by nvcc from the .cu beside them.
inline std::string test_ptx(const std::string& name) {
  std::ifstream file(std::string(MASKRT_TEST_DATA) + "/ptx_cuda/" + name);
  REQUIRE(file);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// A module on a device of its own.
class Bench {
 public:
  explicit Bench(const std::string& ptx, const Settings& settings = test_settings())
      : device(settings), module(device.load(ptx)) {}

  template <class T>
  std::uint64_t upload(const std::vector<T>& values) {
    const std::uint64_t address = device.memory().allocate(values.size() * sizeof(T));
    device.memory().write(address, values.data(), values.size() * sizeof(T));
    return address;
  }
  /// Uninitialised memory.
  std::uint64_t allocate(std::uint64_t bytes) { return device.memory().allocate(bytes); }
  template <class T>
  std::vector<T> download(std::uint64_t address, std::size_t count) {
    std::vector<T> values(count);
    REQUIRE(device.memory().defined(address, count * sizeof(T)));
    device.memory().read(address, values.data(), count * sizeof(T));
    return values;
  }

  /// Parameters in order; each must have the size that the kernel declares.
  template <class... P>
  LaunchResult run(const std::string& entry, const LaunchConfig& config, const P&... values) {
    const Program* kernel = module->entry(entry);
    REQUIRE(kernel != nullptr);
    std::vector<std::uint8_t> params;
    std::size_t i = 0;
    [[maybe_unused]] const auto append = [&](const void* value, std::size_t bytes) {
      REQUIRE(i < kernel->parameters.size());
      const ParamSlot& slot = kernel->parameters[i++];
      REQUIRE(slot.bytes == bytes);
      params.resize(slot.offset + bytes);
      std::memcpy(params.data() + slot.offset, value, bytes);
    };
    (append(&values, sizeof values), ...);
    return device.launch(*module, *kernel, config, params);
  }
  /// As run, and no check may fire.
  template <class... P>
  LaunchResult run_clean(const std::string& entry, const LaunchConfig& config, const P&... values) {
    LaunchResult result = run(entry, config, values...);
    if (result.report) FAIL(to_string(*result.report));
    return result;
  }

  Device device;
  std::unique_ptr<Module> module;
};

inline LaunchConfig grid(std::uint32_t blocks, std::uint32_t threads, std::uint32_t shared = 0) {
  LaunchConfig config;
  config.grid = {blocks, 1, 1};
  config.block = {threads, 1, 1};
  config.dynamic_shared = shared;
  return config;
}

/// Deterministic numbers, the same on every machine.
class Numbers {
 public:
  explicit Numbers(std::uint64_t seed) : state_(seed * 2654435761u + 1) {}
  std::uint64_t bits() {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return state_ * 0x2545f4914f6cdd1du;
  }
  /// In [-1, 1).
  float unit() { return static_cast<float>(static_cast<std::int64_t>(bits() >> 40) - (1 << 23)) * 0x1p-23f; }
  int integer(int low, int high) { return low + static_cast<int>(bits() >> 33) % (high - low + 1); }

 private:
  std::uint64_t state_;
};

}  // namespace vgpu
