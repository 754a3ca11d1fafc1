#include "driver/engine/works.h"

#include <cstring>
#include <utility>

#include "driver/engine/status.h"

namespace vgpu::engine {
namespace {

std::string place_name(const Side& side) { return side.device ? "device" : "host"; }

std::uint64_t load_word(std::uint64_t address, std::uint32_t bytes) {
  if (bytes == 4) return __atomic_load_n(reinterpret_cast<const std::uint32_t*>(address), __ATOMIC_ACQUIRE);
  return __atomic_load_n(reinterpret_cast<const std::uint64_t*>(address), __ATOMIC_ACQUIRE);
}

void expect_word(std::uint64_t address, std::uint32_t bytes) {
  if ((bytes != 4 && bytes != 8) || address % bytes != 0) {
    throw Status(Code::invalid_value, "expected an aligned word of 4 or 8 bytes, found " + std::to_string(bytes) +
                                          " bytes at " + std::to_string(address));
  }
}

}  // namespace

Work kernel_work(KernelLaunch launch, std::function<void(const KernelLaunch&, const LaunchResult&)> on_result) {
  Work work;
  work.kind = WorkKind::kernel;
  work.name = "kernel " + launch.program->name;
  work.programmatic = launch.programmatic;
  work.module = launch.module;
  work.program = launch.program;
  work.run = [launch = std::move(launch), on_result = std::move(on_result)](const Execution& execution) {
    const LaunchResult result =
        execution.device.launch(*launch.module, *launch.program, launch.config, launch.params, execution.order);
    if (on_result) on_result(launch, result);
    if (result.report) throw Fault{*result.report};
  };
  return work;
}

Work copy_work(Side destination, Side source, std::uint64_t row_bytes, std::uint64_t rows, bool host_visible) {
  Work work;
  work.kind = WorkKind::copy;
  work.name = "copy of " + std::to_string(row_bytes * rows) + " bytes from " + place_name(source) + " to " +
              place_name(destination);
  work.host_visible = host_visible || !destination.device;
  if (source.device) work.reads = {{source.address, row_bytes, rows, source.pitch}};
  if (destination.device) work.writes = {{destination.address, row_bytes, rows, destination.pitch}};
  work.run = [=](const Execution& execution) {
    Memory& memory = execution.device.memory();
    for (std::uint64_t row = 0; row < rows; ++row) {
      const std::uint64_t to = destination.address + row * destination.pitch;
      const std::uint64_t from = source.address + row * source.pitch;
      if (destination.device && source.device) {
        memory.copy(to, from, row_bytes);
      } else if (destination.device) {
        memory.write(to, reinterpret_cast<const void*>(from), row_bytes);
      } else {
        std::memmove(reinterpret_cast<void*>(to), reinterpret_cast<const void*>(from), row_bytes);
      }
    }
  };
  return work;
}

Work copy_work(std::uint64_t destination, std::vector<std::uint8_t> bytes) {
  Work work;
  work.kind = WorkKind::copy;
  work.name = "copy of " + std::to_string(bytes.size()) + " bytes from host to device";
  work.writes = {{destination, bytes.size()}};
  auto kept = std::make_shared<const std::vector<std::uint8_t>>(std::move(bytes));
  work.run = [destination, kept](const Execution& execution) {
    execution.device.memory().write(destination, kept->data(), kept->size());
  };
  return work;
}

Work set_work(std::uint64_t destination, std::uint32_t value, std::uint32_t element_bytes, std::uint64_t columns,
              std::uint64_t rows, std::uint64_t pitch) {
  if (element_bytes != 1 && element_bytes != 2 && element_bytes != 4) {
    throw Status(Code::invalid_value,
                 "expected elements of 1, 2 or 4 bytes to set, found " + std::to_string(element_bytes));
  }
  const std::uint64_t row_bytes = columns * element_bytes;
  Work work;
  work.kind = WorkKind::set;
  work.name = "set of " + std::to_string(row_bytes * rows) + " bytes";
  work.writes = {{destination, row_bytes, rows, pitch}};
  work.run = [=](const Execution& execution) {
    for (std::uint64_t row = 0; row < rows; ++row) {
      const std::uint64_t to = destination + row * pitch;
      for (std::uint64_t i = 0; i < columns; ++i) {
        std::memcpy(reinterpret_cast<void*>(to + i * element_bytes), &value, element_bytes);
      }
      execution.device.memory().mark(to, row_bytes, ByteState::defined);
    }
  };
  return work;
}

Work host_work(std::function<void()> function) {
  Work work;
  work.kind = WorkKind::host;
  work.name = "host function";
  work.run = [function = std::move(function)](const Execution&) { function(); };
  return work;
}

Work allocate_work(std::uint64_t address, std::uint64_t bytes) {
  Work work;
  work.kind = WorkKind::allocate;
  work.name = "allocation of " + std::to_string(bytes) + " bytes";
  work.writes = {{address, bytes}};
  work.run = [](const Execution&) {};
  return work;
}

Work release_work(std::uint64_t address, std::uint64_t bytes, std::function<void()> release) {
  Work work;
  work.kind = WorkKind::release;
  work.name = "free of " + std::to_string(bytes) + " bytes";
  work.writes = {{address, bytes}};
  work.run = [release = std::move(release)](const Execution&) { release(); };
  return work;
}

Work write_value_work(std::uint64_t address, std::uint64_t value, std::uint32_t bytes) {
  expect_word(address, bytes);
  Work work;
  work.kind = WorkKind::values;
  work.name = "write of a word";
  work.strong = true;
  work.host_visible = true;
  work.writes = {{address, bytes}};
  work.run = [=](const Execution& execution) { execution.device.memory().write(address, &value, bytes); };
  return work;
}

Work wait_value_work(std::uint64_t address, std::uint64_t value, std::uint32_t bytes, Wait how) {
  expect_word(address, bytes);
  Work work;
  work.kind = WorkKind::values;
  work.name = "wait for a word";
  work.strong = true;
  work.reads = {{address, bytes}};
  work.run = [](const Execution&) {};
  work.may_run = [=] {
    const std::uint64_t now = load_word(address, bytes);
    const std::uint64_t mask = bytes == 4 ? 0xffffffffu : ~std::uint64_t{0};
    // Cyclic comparison: the difference, as a signed number of the word's size, is not negative.
    if (how == Wait::geq) return ((now - value) >> (bytes * 8 - 1) & 1) == 0;
    if (how == Wait::eq) return now == (value & mask);
    if (how == Wait::bits_and) return (now & value & mask) != 0;
    return (~(now | value) & mask) != 0;
  };
  return work;
}

}  // namespace vgpu::engine
