#include "driver/objects/driver.h"

#include <cstdio>
#include <cstdlib>
#include <new>
#include <string>

#include "driver/objects/allocations.h"
#include "driver/objects/context.h"
#include "driver/objects/graphs.h"
#include "driver/objects/module.h"
#include "driver/objects/pool.h"
#include "driver/objects/streams.h"
#include "machine/settings.h"

namespace vgpu::driver {
namespace {

std::mutex g_mutex;
std::atomic<Driver*> g_driver{nullptr};
std::atomic<bool> g_shut_down{false};

std::string text_of(const char* variable) {
  const char* text = std::getenv(variable);
  return text == nullptr ? "" : text;
}

/// Pinned memory lies in the arena beside device memory, and what is freed rests there until all has been used.
constexpr std::uint64_t kArenaFactor = 3;

int devices_from_environment() {
  const std::string text = text_of("VGPU_DEVICES");
  if (text.empty()) return 1;
  if (text.size() != 1 || text[0] < '1' || text[0] > '8')
    throw Error("VGPU_DEVICES: expected a number from 1 to 8, found '" + text + "'");
  return text[0] - '0';
}

/// 12020 of "12.2".
int version_from_environment() {
  const std::string text = text_of("VGPU_DRIVER");
  if (text.empty()) return CUDA_VERSION;
  int major = 0, minor = 0, read = 0;
  const int version = std::sscanf(text.c_str(), "%d.%d%n", &major, &minor, &read) == 2 ? major * 1000 + minor * 10 : 0;
  if (static_cast<std::size_t>(read) != text.size() || minor > 9 || version < 11000 || version > CUDA_VERSION)
    throw Error("VGPU_DRIVER: expected a version of CUDA from 11.0 to " + std::to_string(CUDA_VERSION / 1000) + "." +
                std::to_string(CUDA_VERSION % 1000 / 10) + ", found '" + text + "'");
  return version;
}

Settings arena_settings(Settings settings) {
  settings.memory *= kArenaFactor;
  settings.counters = !text_of("VGPU_COUNTERS").empty();
  return settings;
}

}  // namespace

Driver::Driver() : failures_(text_of("VGPU_FAIL")) {
  const Settings settings = settings_from_environment();
  version();
  memory_size = settings.memory;
  devices = devices_from_environment();
  device = std::make_unique<Device>(arena_settings(settings));
  records = std::make_unique<Records>(text_of("VGPU_REPORT"), text_of("VGPU_COUNTERS"));
  allocations = std::make_unique<Allocations>(*this);
  engine::Options options;
  options.seed = settings.seed;
  options.race_checks = settings.race_checks;
  if (const std::string idle = text_of("VGPU_IDLE_MS"); !idle.empty()) {
    options.idle_ms = static_cast<std::uint32_t>(std::strtoul(idle.c_str(), nullptr, 10));
  }
  options.on_report = [records = records.get()](const Report& report) { records->add(report); };
  options.on_error = [records = records.get()](const std::string& why) { records->add_error(why); };
  engine = std::make_unique<engine::Engine>(*device, options);
  graphs = std::make_unique<GraphTable>();
}

Driver::~Driver() = default;

Driver& Driver::get() {
  require(!g_shut_down, CUDA_ERROR_DEINITIALIZED, "expected a call before the end of the process");
  Driver* driver = g_driver;
  require(driver != nullptr, CUDA_ERROR_NOT_INITIALIZED, "expected cuInit to have been called");
  return *driver;
}

void Driver::init() {
  const std::lock_guard lock(g_mutex);
  require(!g_shut_down, CUDA_ERROR_DEINITIALIZED, "expected a call before the end of the process");
  if (g_driver != nullptr) return;
  try {
    g_driver = new Driver;
  } catch (const Error& error) {
    std::fprintf(stderr, "vgpu: cuInit: %s\n", error.what());
    throw Status(CUDA_ERROR_NO_DEVICE, error.what());
  }
}

void Driver::shut_down() {
  const std::lock_guard lock(g_mutex);
  if (g_shut_down.exchange(true)) return;
  Driver* driver = g_driver;
  if (driver == nullptr) return;
  driver->engine.reset();
  driver->records->finish(leaks(*driver));
}

int Driver::version() {
  static const int version = version_from_environment();
  return version;
}

void Driver::reach() {
  bool lost = false;
  {
    const std::lock_guard lock(failures_mutex_);
    lost = failures_.due(FailureKind::lost);
  }
  if (lost) engine->lose_device(engine::Code::device_unavailable, "VGPU_FAIL asked for the device to be lost");
  engine->check();
}

void Driver::inject(FailureKind kind, CUresult code) {
  reach();
  const std::lock_guard lock(failures_mutex_);
  require(!failures_.due(kind), code, "VGPU_FAIL asked for this failure");
}

bool Driver::fault_due() {
  const std::lock_guard lock(failures_mutex_);
  return failures_.due(FailureKind::fault);
}

int& PerThreadDefaultStream::depth() {
  thread_local int value = 0;
  return value;
}

CUresult enter(const char* name, Needs needs, const std::function<CUresult()>& body) {
  static const bool log = text_of("VGPU_LOG") == "1";
  const auto failed = [name](CUresult code, const char* why) {
    if (log) std::fprintf(stderr, "vgpu: %s: %s: %s\n", name, status_name(code), why);
    return code;
  };
  try {
    if (needs == Needs::driver) {
      Driver::get();
      require(!engine::Engine::in_host_function(), CUDA_ERROR_NOT_PERMITTED,
              "expected no call from within a host function");
    }
    return body();
  } catch (const Status& status) {
    return failed(status.code(), status.what());
  } catch (const engine::Status& status) {
    return failed(static_cast<CUresult>(status.code()), status.what());
  } catch (const Error& error) {
    return failed(CUDA_ERROR_INVALID_VALUE, error.what());
  } catch (const std::bad_alloc&) {
    return failed(CUDA_ERROR_OUT_OF_MEMORY, "the host's memory is spent");
  }
}

/// Runs after the program's own destructors, so that what these free is no leak.
[[gnu::destructor]] static void at_exit() { Driver::shut_down(); }

}  // namespace vgpu::driver
