// YAML configs, from text to the network that they describe.
#include <string>

#include "target.h"
#include "weights_tools/config/config.h"
#include "weights_tools/config/sparse_inst_config.h"
#include "weights_tools/config/yaml.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  maskrt::fuzz::answered([&] {
    using namespace maskrt::weights;
    const std::string text(reinterpret_cast<const char*>(data), size);
    read_sparse_inst_config({"config", parse_yaml(text, "config.yaml")});
  });
  return 0;
}
