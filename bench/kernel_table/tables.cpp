#include "tables.h"

#include <algorithm>
#include <cmath>
#include <cstdarg>
#include <cstdio>

#include "testing/chips.h"

namespace maskrt::bench {
namespace {

std::string text(const char* format, ...) {
  char line[512];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  return line;
}

/// A bar would end the cell.
std::string cell(const std::string& name) {
  std::string escaped;
  for (const char c : name) escaped += c == '|' ? std::string("\\|") : std::string(1, c);
  return escaped;
}

const KernelResources* find(const ResourceTable& resources, const std::string& architecture,
                            const std::string& kernel) {
  const auto chip = resources.find(architecture);
  if (chip == resources.end()) return nullptr;
  const auto found = chip->second.find(kernel);
  return found == chip->second.end() ? nullptr : &found->second;
}

/// One kernel over all shapes that it met.
struct KernelSummary {
  std::string name;
  int threads = 0, dynamic_shared = 0, shapes = 0;
  double loop_passes = 0, passes = 0, sectors_used = 1, tensor_share = 0;
  bool shared = false, global = false;
  double most_work = -1;  ///< work of the largest shape so far, whose share of tensor-core instructions is reported
  std::string worst_passes, worst_sectors;

  void take(const Result& r) {
    ++shapes;
    threads = static_cast<int>(r.get("block_threads"));
    dynamic_shared = std::max(dynamic_shared, static_cast<int>(r.get("shared")));
    if (r.has("passes_per_access")) shared = true;
    passes = std::max(passes, r.get("passes_per_access"));
    if (r.get("loop_passes_per_access") > loop_passes) {
      loop_passes = r.get("loop_passes_per_access");
      worst_passes = r.name;
    }
    if (r.has("sectors_used") && r.get("moved_bytes") >= kLeastMoved && r.get("sectors_used") < sectors_used) {
      sectors_used = r.get("sectors_used");
      worst_sectors = r.name;
    }
    global = global || (r.has("sectors_used") && r.get("moved_bytes") >= kLeastMoved);
    if (r.get("loop_instructions") > most_work) {
      most_work = r.get("loop_instructions");
      tensor_share = r.get("loop_tensor_share");
    }
  }
};

/// In the order in which they ran first.
std::vector<KernelSummary> kernels_of(const ChipRun& run) {
  std::vector<KernelSummary> kernels;
  for (const Result& result : run.results) {
    if (result.kernel.empty() || !result.has("block_threads")) continue;
    auto found = std::find_if(kernels.begin(), kernels.end(),
                              [&](const KernelSummary& kernel) { return kernel.name == result.kernel; });
    if (found == kernels.end()) {
      kernels.push_back({});
      found = kernels.end() - 1;
      found->name = result.kernel;
    }
    found->take(result);
  }
  return kernels;
}

std::string figure(bool there, const char* format, double value) { return there ? text(format, value) : ""; }

/// One line of the table of layers: a stage with all of its launches.
struct LayerLine {
  std::string layer, kernels;
  int times = 1, launches = 0;
  bool in_pipeline = true;
  double tiles = 0, waves = 0, bound = 0, predicted = 0;
};

/// The slowdown of a launch that does not fill the chip, or not its last wave.
double filling(double tiles, double waves) {
  if (tiles < testing::h200.multiprocessors) return testing::h200.multiprocessors / tiles;
  return waves > 1 ? std::ceil(waves) / waves : 1;
}

void add_launch(LayerLine& line, const Result& r, const ChipRun& run, const ResourceTable& resources) {
  ++line.launches;
  line.kernels += (line.kernels.empty() ? "" : ", ") + r.kernel;
  const KernelResources* kernel = find(resources, run.architecture, r.kernel);
  const int resident = kernel == nullptr
                           ? 0
                           : resident_blocks(run.architecture, *kernel, static_cast<int>(r.get("block_threads")),
                                             static_cast<int>(r.get("shared")));
  const double waves = resident == 0 ? 0 : r.get("tiles") / (testing::h200.multiprocessors * resident);
  // Of several launches the one with the most tiles counts.
  if (r.get("tiles") < line.tiles) return;
  line.tiles = r.get("tiles");
  line.waves = waves;
}

std::vector<LayerLine> layers_of(const ChipRun& run, const std::string& config, const std::string& batch,
                                 const ResourceTable& resources) {
  std::vector<LayerLine> lines;
  for (const Result& r : run.results) {
    if (r.config != config || r.batch != batch || r.precision != "fp16" || !r.has("layers")) continue;
    if (lines.empty() || lines.back().layer != r.layer) {
      lines.push_back({});
      lines.back().layer = r.layer;
      lines.back().times = static_cast<int>(r.get("layers"));
    }
    LayerLine& line = lines.back();
    if (r.has("tiles")) add_launch(line, r, run, resources);
    if (!r.has("bound_us")) continue;
    line.in_pipeline = !r.has("beside_pipeline");
    line.bound = r.get("bound_us");
    line.predicted = r.get("predicted_us");
    if (line.predicted == 0) line.predicted = line.bound * filling(line.tiles, line.waves) + line.launches;
  }
  return lines;
}

void add_new(std::vector<std::string>& words, const std::string& word) {
  if (std::find(words.begin(), words.end(), word) == words.end()) words.push_back(word);
}

}  // namespace

std::string kernel_table(const ChipRun& run, const ResourceTable& resources) {
  std::string table =
      "| kernel | shapes | registers | shared, static + dynamic | threads | blocks an SM | occupancy | spills | "
      "passes, main loop | passes, all | sectors used | tensor cores, main loop "
      "|\n|---|---|---|---|---|---|---|---|---|---|"
      "---|---|\n";
  for (const KernelSummary& kernel : kernels_of(run)) {
    const KernelResources* r = find(resources, run.architecture, kernel.name);
    const int blocks = r == nullptr ? 0 : resident_blocks(run.architecture, *r, kernel.threads, kernel.dynamic_shared);
    table += "| " + kernel.name + text(" | %d | ", kernel.shapes);
    table += r == nullptr ? text("| %d | %d | | | |", kernel.dynamic_shared, kernel.threads)
                          : text("%d | %d + %d | %d | %d | %.0f%% | %d |", r->registers, r->static_shared,
                                 kernel.dynamic_shared, kernel.threads, blocks,
                                 100.0 * blocks * kernel.threads / resident_threads(run.architecture), r->spills);
    table += " " + figure(kernel.loop_passes > 0, "%.2f", kernel.loop_passes) + " | " +
             figure(kernel.shared, "%.2f", kernel.passes) + " | " +
             figure(kernel.global, "%.0f%%", 100 * kernel.sectors_used) + " | " +
             figure(kernel.tensor_share > 0, "%.0f%%", 100 * kernel.tensor_share) + " |\n";
  }
  return table;
}

std::string misses(const std::vector<ChipRun>& runs, const ResourceTable& resources) {
  std::string list;
  for (const ChipRun& run : runs) {
    for (const KernelSummary& kernel : kernels_of(run)) {
      const std::string where = "- " + run.title + ", `" + kernel.name + "`: ";
      if (kernel.loop_passes > kMostPassesPerAccess)
        list += where + text("%.2f passes an access in the main loop", kernel.loop_passes) + " (`" +
                kernel.worst_passes + "`)\n";
      if (kernel.global && kernel.sectors_used < kLeastSectorsUsed)
        list += where + text("%.0f%% of global sectors used", 100 * kernel.sectors_used) + " (`" +
                kernel.worst_sectors + "`)\n";
    }
  }
  for (const auto& [architecture, kernels] : resources)
    for (const auto& [name, kernel] : kernels)
      if (kernel.spills > kMostSpills)
        list += "- " + architecture + ", `" + name + "`: " + text("%d bytes spilled", kernel.spills) + "\n";
  return list;
}

std::vector<std::string> configs_of(const ChipRun& run) {
  std::vector<std::string> configs;
  for (const Result& r : run.results) add_new(configs, r.config);
  return configs;
}

std::vector<std::string> batches_of(const ChipRun& run, const std::string& config) {
  std::vector<std::string> batches;
  for (const Result& r : run.results)
    if (r.config == config && r.precision == "fp16") add_new(batches, r.batch);
  return batches;
}

std::string layer_table(const ChipRun& run, const std::string& config, const std::string& batch,
                        const ResourceTable& resources) {
  std::string table =
      "| layer | times | kernel | tiles | waves | predicted us | bound us | bound / predicted |\n"
      "|---|---|---|---|---|---|---|---|\n";
  double bound = 0, predicted = 0;
  int launches = 0;
  for (const LayerLine& line : layers_of(run, config, batch, resources)) {
    if (line.launches == 0) continue;  // bytes that are set
    const int times = line.in_pipeline ? line.times : 0;
    table += "| " + cell(line.layer) + text(" | %d | ", times) + line.kernels + text(" | %.0f | ", line.tiles) +
             figure(line.waves > 0, "%.2f", line.waves) +
             text(" | %.1f | %.1f | %.0f%% |\n", line.predicted, line.bound, 100 * line.bound / line.predicted);
    bound += times * line.bound;
    predicted += times * line.predicted;
    launches += times * line.launches;
  }
  return table + text("| all | %d launches | | | | %.0f | %.0f | %.0f%% |\n", launches, predicted, bound,
                      100 * bound / predicted);
}

}  // namespace maskrt::bench
