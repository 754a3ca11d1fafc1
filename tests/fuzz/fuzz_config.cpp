// YAML configs, from text to the network that they describe.
#include <string>

#include "target.h"
#include "weights_tools/config/yaml.h"
#include "weights_tools/families/families.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  maskrt::fuzz::answered([&] {
    using namespace maskrt::weights;
    const std::string text(reinterpret_cast<const char*>(data), size);
    const Config config{"config", parse_yaml(text, "config.yaml")};
    for (const Family& family : all_families())  // whatever the architecture's name
      maskrt::fuzz::answered([&] {
        ConfigReader reader(config.root);
        family.read(reader);
      });
    read_network(config);
  });
  return 0;
}
