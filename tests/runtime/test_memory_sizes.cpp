// What a session that sees many sizes takes: the promise is a fifth more than the prepared weights of one size, the
// arena, and 100 MB beside them. Where oneDNN wants a wide layer's weights in more than one order for these sizes,
// which the processor decides, those layers have a copy for each.
#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>
#include <random>
#include <vector>

#include "maskrt/maskrt.hpp"
#include "support/files.h"
#include "support/process.h"
#include "support/winograd_orders.h"

namespace maskrt::testing {
namespace {

/// Bytes of memory that the process has ("VmRSS:"), or has had at most ("VmHWM:").
std::size_t memory_of_process(const std::string& which) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(which)) return std::stoull(line.substr(which.size())) * 1024;
  return 0;
}
std::size_t resident() { return memory_of_process("VmRSS:"); }

TEST_CASE("R-50 over pictures of thirty sizes takes little more memory than over one") {
  constexpr std::size_t beside = 100'000'000;
  const TemporaryFolder folder;
  const std::string file = folder / "r50.maskrt";
  const ProcessResult converted =
      run_process({MASKRT_CONVERT_COMMAND, "--random-weights", "--config", "sparse_inst_r50_giam", "-o", file},
                  std::chrono::seconds(300));
  REQUIRE(converted.status == 0);

  ModelOptions options;
  options.device = "cpu";
  options.deterministic = GENERATE(true, false);  // by rule, and measured
  INFO((options.deterministic ? "by rule" : "measured"));
  const Model model = Model::load(file, options);
  SessionOptions session_options;
  session_options.threads = 2;
  Session session(model, session_options);
  session.run_network(1, 640, 864);
  const MemoryUse first = session.memory(1, 640, 864);
  // The longer side up to 853 and the shorter one up to 640, as the model resizes pictures, padded to multiples of 32.
  std::minstd_rand random(5);
  std::size_t arena = first.arena;
  std::vector<MapSize> maps;
  const auto add_maps = [&](int height, int width) {
    for (const int stride : {8, 16, 32}) maps.push_back({1, height / stride, width / stride});
  };
  add_maps(640, 864);
  const auto most_weights = [&] {
    const std::size_t orders = winograd_orders(256, maps, 2).size();
    return orders <= 1 ? first.prepared_weights + first.prepared_weights / 5 : orders * first.prepared_weights;
  };
  for (int i = 0; i < 30; ++i) {
    const double ratio = 0.3 + 3.0 * static_cast<double>(random()) / 2147483648.0;  // width by height
    const double scale = std::min(640 / std::min(1.0, ratio), 853 / std::max(1.0, ratio));
    const auto side = [](double length) { return (static_cast<int>(length) + 31) / 32 * 32; };
    const int height = side(scale), width = side(scale * ratio);
    INFO("size " << i << ": " << height << "x" << width);
    session.prepare(1, height, width);
    if (i % 10 == 9) session.run_network(1, height, width);
    const MemoryUse use = session.memory(1, height, width);
    arena = std::max(arena, use.arena);
    add_maps(height, width);
    CHECK(use.prepared_weights <= most_weights());
    CHECK(resident() <= most_weights() + arena + beside);
  }
  CHECK(memory_of_process("VmHWM:") <= most_weights() + arena + beside);
  // Four plans later nothing is left of the others'.
  maps.clear();
  add_maps(640, 864);
  for (const int width : {800, 768, 736, 704}) {
    session.prepare(1, 640, width);
    add_maps(640, width);
  }
  const std::size_t left = session.memory(1, 640, 704).prepared_weights;
  CHECK((winograd_orders(256, maps, 2).size() <= 1 ? left == first.prepared_weights : left <= most_weights()));
  CHECK(resident() >= first.prepared_weights);
}

}  // namespace
}  // namespace maskrt::testing
