// What the tests of the execution engine share: a device with an engine, a context, and kernels of a few lines.
#pragma once

#include <map>
#include <mutex>

#include "driver/engine/context.h"
#include "driver/engine/engine.h"
#include "driver/engine/event.h"
#include "driver/engine/graph_exec.h"
#include "driver/engine/stream.h"
#include "driver/engine/works.h"
#include "harness.h"

namespace vgpu::engine {

/// Kernels over words, one thread each: store: y = value; copy: y = x; bump: x = 3 x + 1; count: x += 1, atomically;
/// raise: x[0] = 1, released; poll: waits for x[0] to be raised;
/// late_copy: copy that waits for the grids it depends on first; early_copy: that waits only afterwards;
/// releasing_bump: bump that lets dependents start at once; early_release, late_release: let dependents start before,
/// after they wait themselves; fault: reads address 4096.
inline std::string engine_ptx() {
  const auto kernel = [](const std::string& name, const std::string& body) {
    return ".visible .entry " + name +
           "(.param .u64 x, .param .u64 y, .param .u32 value)\n{\n.reg .b32 %r<8>; .reg .b64 %rd<8>; .reg .pred "
           "%p<2>;\n"
           "mov.u32 %r1, %ctaid.x;\nmov.u32 %r2, %ntid.x;\nmov.u32 %r3, %tid.x;\nmad.lo.u32 %r4, %r1, %r2, %r3;\n"
           "ld.param.u64 %rd1, [x];\nmad.wide.u32 %rd2, %r4, 4, %rd1;\n"
           "ld.param.u64 %rd3, [y];\nmad.wide.u32 %rd4, %r4, 4, %rd3;\nld.param.u32 %r5, [value];\n" +
           body + "ret;\n}\n";
  };
  return ".version 8.7\n.target sm_90a\n.address_size 64\n" + kernel("store", "st.global.u32 [%rd4], %r5;\n") +
         kernel("copy", "ld.global.u32 %r6, [%rd2];\nst.global.u32 [%rd4], %r6;\n") +
         kernel("bump", "ld.global.u32 %r6, [%rd2];\nmad.lo.u32 %r6, %r6, 3, %r5;\nst.global.u32 [%rd2], %r6;\n") +
         kernel("raise", "st.release.gpu.global.u32 [%rd1], 1;\n") +
         kernel("poll",
                "setp.ne.u32 %p1, %r3, 0;\n@%p1 ret;\nagain:\nld.acquire.gpu.global.u32 %r6, [%rd1];\nsetp.eq.u32 %p1, "
                "%r6, 0;\n@%p1 bra again;\n") +
         kernel("count", "atom.global.add.u32 %r6, [%rd1], 1;\n") +
         kernel("late_copy", "griddepcontrol.wait;\nld.global.u32 %r6, [%rd2];\nst.global.u32 [%rd4], %r6;\n") +
         kernel("early_copy", "ld.global.u32 %r6, [%rd2];\ngriddepcontrol.wait;\nst.global.u32 [%rd4], %r6;\n") +
         kernel("releasing_bump",
                "griddepcontrol.launch_dependents;\nld.global.u32 %r6, [%rd2];\nmad.lo.u32 %r6, %r6, 3, %r5;\n"
                "st.global.u32 [%rd2], %r6;\n") +
         kernel("early_release", "griddepcontrol.launch_dependents;\ngriddepcontrol.wait;\n") +
         kernel("late_release", "griddepcontrol.wait;\ngriddepcontrol.launch_dependents;\n") +
         kernel("fault", "mov.u64 %rd5, 4096;\nld.global.u32 %r6, [%rd5];\nst.global.u32 [%rd4], %r6;\n");
}

class EngineBench {
 public:
  explicit EngineBench(std::uint64_t seed = 0, std::uint32_t idle_ms = 0,
                       std::uint64_t memory = std::uint64_t{64} << 20)
      : device(settings(seed, memory)), engine(device, options(seed, idle_ms)), context(engine.create_context()) {
    module = device.load(engine_ptx());
  }

  std::uint64_t allocate(std::uint64_t words) { return device.memory().allocate(words * 4); }
  std::uint64_t words(std::uint64_t count, std::uint32_t value) {
    const std::uint64_t address = allocate(count);
    const std::vector<std::uint32_t> values(count, value);
    device.memory().write(address, values.data(), count * 4);
    return address;
  }
  std::uint32_t word(std::uint64_t address) {
    std::uint32_t value = 0;
    device.memory().read(address, &value, 4);
    return value;
  }

  Work kernel(const std::string& entry, std::uint64_t x, std::uint64_t y = 0, std::uint32_t value = 1,
              bool programmatic = false, std::uint32_t blocks = 2) {
    KernelLaunch launch;
    launch.module = module;
    launch.program = module->entry(entry);
    REQUIRE(launch.program != nullptr);
    launch.config = grid(blocks, 32);
    launch.params.resize(20);
    std::memcpy(launch.params.data(), &x, 8);
    std::memcpy(launch.params.data() + 8, &y, 8);
    std::memcpy(launch.params.data() + 16, &value, 4);
    launch.programmatic = programmatic;
    return kernel_work(std::move(launch));
  }
  /// Work that notes its name when it runs.
  Work note(const std::string& name) {
    Work work = host_work([this, name] {
      const std::lock_guard lock(mutex);
      ran.push_back(name);
    });
    work.name = name;
    return work;
  }
  std::vector<std::string> notes() {
    const std::lock_guard lock(mutex);
    return ran;
  }
  std::shared_ptr<Stream> stream(bool non_blocking = true) { return context->create_stream(non_blocking); }

  Device device;
  std::mutex mutex;
  std::vector<Report> reports;
  std::vector<std::string> errors;
  std::vector<std::string> ran;
  Engine engine;
  std::shared_ptr<Context> context;
  std::shared_ptr<const Module> module;

 private:
  static Settings settings(std::uint64_t seed, std::uint64_t memory) {
    Settings settings = test_settings(90, seed);
    settings.memory = memory;
    return settings;
  }
  Options options(std::uint64_t seed, std::uint32_t idle_ms) {
    Options options;
    options.seed = seed;
    options.idle_ms = idle_ms;
    options.on_report = [this](const Report& report) {
      const std::lock_guard lock(mutex);
      reports.push_back(report);
    };
    options.on_error = [this](const std::string& message) {
      const std::lock_guard lock(mutex);
      errors.push_back(message);
    };
    return options;
  }
};

/// The code of the Status that `call` throws; success where it throws none.
template <class F>
Code code_from(F&& call) {
  try {
    call();
  } catch (const Status& status) {
    return status.code();
  }
  return Code::success;
}

}  // namespace vgpu::engine
