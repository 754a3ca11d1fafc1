// KEY VALUE pairs of the command line, whose values are Python literals: a line each, the key up to the first blank.
#include <string_view>

#include "target.h"
#include "weights_tools/families/families.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  maskrt::fuzz::answered([&] {
    using namespace maskrt::weights;
    std::string_view text(reinterpret_cast<const char*>(data), size);
    Overrides overrides;
    while (!text.empty()) {
      const std::string_view line = text.substr(0, text.find('\n'));
      text.remove_prefix(std::min(text.size(), line.size() + 1));
      const std::size_t blank = std::min(line.find(' '), line.size());
      overrides.emplace_back(line.substr(0, blank), line.substr(std::min(blank + 1, line.size())));
    }
    static const Config published = published_config("sparse_inst_r50_giam");
    Config config = published;
    apply_overrides(config, overrides);
    read_network(config);
  });
  return 0;
}
