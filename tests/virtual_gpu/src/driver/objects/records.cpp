#include "driver/objects/records.h"

#include <cstdio>
#include <nlohmann/json.hpp>
#include <utility>

#include "driver/objects/allocations.h"
#include "driver/objects/context.h"
#include "driver/objects/driver.h"
#include "driver/objects/graphs.h"
#include "driver/objects/module.h"
#include "driver/objects/pool.h"
#include "driver/objects/streams.h"
#include "tools/counters_table.h"
#include "tools/launch_summary.h"

namespace vgpu::driver {
namespace {

void open(std::ofstream& file, const std::string& name, const char* variable) {
  if (name.empty()) return;
  file.open(name);
  if (!file) throw Error(std::string(variable) + ": expected a file that can be written, found '" + name + "'");
}

struct Field {
  const char* name;
  std::size_t VgpuLeaks::*count;
  std::size_t VgpuLeaks::*bytes;
};
constexpr Field kFields[] = {
    {"device allocation", &VgpuLeaks::device_allocations, &VgpuLeaks::device_bytes},
    {"host allocation", &VgpuLeaks::host_allocations, &VgpuLeaks::host_bytes},
    {"context", &VgpuLeaks::contexts, nullptr},
    {"module", &VgpuLeaks::modules, nullptr},
    {"library", &VgpuLeaks::libraries, nullptr},
    {"stream", &VgpuLeaks::streams, nullptr},
    {"event", &VgpuLeaks::events, nullptr},
    {"pool", &VgpuLeaks::pools, nullptr},
    {"graph", &VgpuLeaks::graphs, nullptr},
    {"executable graph", &VgpuLeaks::graph_execs, nullptr},
};

void add(VgpuCount& to, const CountSums& sums) {
  to.instructions += sums.total.issued;
  to.tensor_instructions += sums.tensor_instructions;
  to.tensor_ops += sums.tensor_ops;
  to.global_requests += sums.global.requests;
  to.global_sectors += sums.global.sectors;
  to.global_used += sums.global.used;
  to.shared_requests += sums.shared.requests;
  to.shared_passes += sums.shared.wavefronts;
  to.shared_least += sums.shared.least;
}

std::uint64_t volume(const Dim3& d) { return std::uint64_t{d[0]} * d[1] * d[2]; }

}  // namespace

Records::Records(const std::string& report_file, const std::string& counters_file) {
  open(report_file_, report_file, "VGPU_REPORT");
  open(counters_file_, counters_file, "VGPU_COUNTERS");
}

void Records::add(const Report& report) {
  const std::lock_guard lock(mutex_);
  ++reports_;
  std::fprintf(stderr, "%s\n", vgpu::to_string(report).c_str());
  if (!report_file_.is_open()) return;
  nlohmann::json json{{"check", name_of(report.check)}, {"message", report.message}, {"kernel", report.kernel},
                      {"block", report.block},          {"thread", report.thread},   {"ptx_line", report.ptx_line},
                      {"ptx", report.ptx_text},         {"source", report.source}};
  if (!report.where.empty()) json["where"] = report.where;
  if (!report.other_work.empty()) json["other_work"] = report.other_work;
  if (report.other_ptx_line != 0) {
    json["other"] = {
        {"ptx_line", report.other_ptx_line}, {"ptx", report.other_ptx_text}, {"source", report.other_source}};
  }
  report_file_ << json.dump() << std::endl;
}

void Records::add_error(const std::string& why) {
  const std::lock_guard lock(mutex_);
  std::fprintf(stderr, "vgpu: %s\n", why.c_str());
  if (report_file_.is_open()) report_file_ << nlohmann::json{{"error", why}}.dump() << std::endl;
}

void Records::add(const engine::KernelLaunch& launch, const LaunchResult& result) {
  const std::lock_guard lock(mutex_);
  if (!result.output.empty()) {
    std::fwrite(result.output.data(), 1, result.output.size(), stdout);
    std::fflush(stdout);
  }
  ++launches_;
  if (result.counts.empty()) return;
  const LaunchSummary summary = summarise(*launch.module, result.counts);
  ++counters_.launches;
  counters_.blocks += volume(launch.config.grid);
  counters_.blocks_run += result.blocks;
  counters_.local_bytes += summary.all.local.bytes;
  driver::add(counters_.all, summary.all);
  driver::add(counters_.main_loop, summary.main_loop);
  if (!counters_file_.is_open()) return;
  const nlohmann::json json{
      {"launch", launches_},
      {"kernel", launch.program->name},
      {"grid", launch.config.grid},
      {"block", launch.config.block},
      {"cluster", launch.config.cluster},
      {"dynamic_shared", launch.config.dynamic_shared},
      {"blocks_run", result.blocks},
      {"seconds", result.seconds},
      {"counters", nlohmann::json::parse(counters_json(*launch.module, result.counts))},
  };
  counters_file_ << json.dump() << std::endl;
}

VgpuCounters Records::take_counters() {
  const std::lock_guard lock(mutex_);
  return std::exchange(counters_, {});
}

void Records::finish(const VgpuLeaks& found) {
  const std::lock_guard lock(mutex_);
  const std::string text = to_string(found);
  if (!text.empty()) std::fprintf(stderr, "vgpu: not freed: %s\n", text.c_str());
  if (report_file_.is_open()) {
    nlohmann::json json = nlohmann::json::object();
    for (const Field& field : kFields) {
      json[field.name] = found.*field.count;
      if (field.bytes != nullptr) json[std::string(field.name) + " bytes"] = found.*field.bytes;
    }
    report_file_ << nlohmann::json{{"not_freed", json}}.dump() << std::endl;
  }
}

void Records::add_left_behind(const VgpuLeaks& found) {
  const std::lock_guard lock(mutex_);
  for (const Field& field : kFields) {
    left_behind_.*field.count += found.*field.count;
    if (field.bytes != nullptr) left_behind_.*field.bytes += found.*field.bytes;
  }
}

VgpuLeaks Records::left_behind() const {
  const std::lock_guard lock(mutex_);
  return left_behind_;
}

VgpuLeaks leaks(const Driver& driver) {
  VgpuLeaks all = driver.records->left_behind();
  driver.allocations->count(all);
  all.contexts += driver.contexts.size();
  all.modules += driver.modules.count_if([](const ModuleObject& module) { return module.library == nullptr; });
  all.libraries += driver.libraries.size();
  all.streams += driver.streams.size();
  all.events += driver.events.size();
  all.pools += driver.pools.count_if([](const PoolObject& pool) { return !pool.is_default; });
  all.graphs += driver.graphs->size();
  all.graph_execs += driver.graph_execs.size();
  return all;
}

std::string to_string(const VgpuLeaks& found) {
  std::string text;
  for (const Field& field : kFields) {
    const std::size_t n = found.*field.count;
    if (n == 0) continue;
    text += (text.empty() ? "" : ", ") + std::to_string(n) + " " + field.name + (n == 1 ? "" : "s");
    if (field.bytes != nullptr) text += " (" + std::to_string(found.*field.bytes) + " bytes)";
  }
  return text;
}

}  // namespace vgpu::driver
