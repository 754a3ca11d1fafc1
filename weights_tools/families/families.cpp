#include "families.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>

#include "list.h"
#include "weights_tools/config/override_keys.h"
#include "weights_tools/config/python_literal.h"
#include "weights_tools/words.h"

namespace maskrt::weights {

namespace families {
#define MASKRT_DECLARE(name) Family name();
MASKRT_FAMILIES(MASKRT_DECLARE)
#undef MASKRT_DECLARE
}  // namespace families

namespace {

namespace fs = std::filesystem;

std::vector<const PublishedConfig*> all_published() {
  std::vector<const PublishedConfig*> all;
  for (const Family& family : all_families())
    for (const PublishedConfig& one : family.published) all.push_back(&one);
  std::sort(all.begin(), all.end(), [](const auto* a, const auto* b) { return a->name < b->name; });
  return all;
}

void append(std::vector<std::string>& keys, const std::vector<std::string>& more) {
  keys.insert(keys.end(), more.begin(), more.end());
}

// What training of any family reads: a command line may carry the settings of another.
std::vector<std::string> all_training_keys() {
  std::vector<std::string> keys = training_keys();
  for (const Family& family : all_families()) append(keys, dotted_keys(family.training_keys));
  return keys;
}

}  // namespace

const std::vector<Family>& all_families() {
#define MASKRT_CALL(name) families::name(),
  static const std::vector<Family> all = {MASKRT_FAMILIES(MASKRT_CALL)};
#undef MASKRT_CALL
  return all;
}

const Family& find_family(ConfigReader& config) {
  std::vector<std::string> names;
  for (const Family& family : all_families()) {
    if (family.recognises(config)) return family;
    names.emplace_back(family.name);
  }
  throw Error("MODEL.META_ARCHITECTURE: expected " + joined(names, "or") + ", found '" + meta_architecture(config) +
              "'");
}

std::vector<std::string> published_names() {
  std::vector<std::string> names;
  for (const PublishedConfig* published : all_published()) names.emplace_back(published->name);
  return names;
}

Config published_config(std::string_view name) {
  const auto all = all_published();
  const auto found = std::find_if(all.begin(), all.end(), [&](const auto* one) { return one->name == name; });
  if (found == all.end()) {
    std::string names;
    for (const auto* one : all) names += (names.empty() ? "" : ", ") + std::string(one->name);
    throw Error("expected --config to be a YAML file or one of " + names + "; found '" + std::string(name) + "'");
  }
  Config config;
  config.name = name;
  config.root.kind = ConfigValue::Kind::map;
  const Origin origin{std::make_shared<const std::string>("the published config " + config.name), 0};
  config.root.origin = origin;
  for (const Setting& setting : (*found)->settings)
    set_dotted(config.root, setting.key, literal_or_string(setting.value, origin));
  return config;
}

Config find_config(const std::string& name_or_file) {
  std::string name = name_or_file;
  if (name.ends_with(".yaml")) name.resize(name.size() - 5);
  const auto names = published_names();
  std::error_code error;
  const bool known = std::find(names.begin(), names.end(), name) != names.end();
  if (known && (name == name_or_file || !fs::exists(name_or_file, error))) return published_config(name);
  // A word that is neither a path nor a file was meant as a name.
  if (!fs::exists(name_or_file, error) && name == name_or_file && name.find('/') == std::string::npos)
    return published_config(name);
  return read_config(name_or_file);
}

NetworkConfig read_network(const Config& config) {
  ConfigReader reader(config.root);
  NetworkConfig out;
  out.name = config.name;
  out.family = &find_family(reader);
  out.network = out.family->read(reader);

  const std::vector<std::string> unread = reader.unread(), training = all_training_keys();
  out.unread_overrides = overrides_for_training(config, reader.asked(), training, unread);
  for (const std::string& key : unread)
    if (std::find(out.unread_overrides.begin(), out.unread_overrides.end(), key) == out.unread_overrides.end())
      out.unread_keys.push_back(key);
  std::vector<std::string> known = reader.asked();
  append(known, inference_keys());
  append(known, training);
  for (const Family& family : all_families()) append(known, dotted_keys(family.idle_keys));
  out.likely_mistakes = likely_mistakes(out.unread_keys, known);
  return out;
}

}  // namespace maskrt::weights
