#include "config.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <system_error>

#include "graph/byte_source.h"
#include "graph/file_kind.h"
#include "graph/reading.h"
#include "maskrt/types.hpp"
#include "python_literal.h"
#include "yaml.h"

namespace maskrt::weights {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLongestChain = 16, kMostFiles = 64;
constexpr std::uintmax_t kLargestFile = std::uintmax_t{1} << 20;

// A checkpoint or a picture in the config's place.
void refuse_other_files(const fs::path& path) {
  const auto source = graph::open_file(path);
  std::vector<std::byte> start(std::min(source->size(), graph::kRecognisedBytes));
  source->read(0, start);
  const auto kind = graph::recognise(start);
  if (!kind || kind->use == graph::FileKind::Use::text || start.empty()) return;
  throw Error(
      "expected a config, which is YAML, at " + path.string() + ", found " + std::string(kind->name) +
      (kind->use == graph::FileKind::Use::checkpoint ? ": --config is the YAML file that it was trained with" : ""));
}

std::string read_text(const fs::path& path) {
  std::error_code error;
  const auto status = fs::status(path, error);
  if (error || !fs::is_regular_file(status))
    throw Error("expected a config file at " + path.string() + ", found " +
                (fs::exists(status) ? "something that is no file" : "nothing"));
  refuse_other_files(path);
  if (const auto size = fs::file_size(path, error); error || size > kLargestFile)
    throw Error("expected a config file of at most " + std::to_string(kLargestFile) + " bytes at " + path.string() +
                ", found " + std::to_string(size));
  std::ifstream file(path, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (!file) throw Error("expected to read the config file " + path.string() + ", found that it cannot be read");
  return text;
}

// Mappings merge key by key; anything else replaces. A mapping and a scalar under one key contradict each other.
void merge(const ConfigValue& from, ConfigValue& into, const std::string& prefix) {
  for (std::size_t i = 0; i < from.keys.size(); ++i) {
    const auto& value = from.items[i];
    auto* const existing = into.find(from.keys[i]);
    const bool is_map = value.kind == ConfigValue::Kind::map;
    if (existing == nullptr || (!is_map && existing->kind != ConfigValue::Kind::map)) {
      into.set(from.keys[i], value);
    } else if (is_map && existing->kind == ConfigValue::Kind::map) {
      merge(value, *existing, prefix + from.keys[i] + ".");
    } else {
      throw Error(prefix + from.keys[i] + " (" + to_string(value.origin) + "): expected " + describe(*existing) +
                  " as in " + to_string(existing->origin) + ", found " + describe(value));
    }
  }
}

fs::path base_path(const ConfigValue& value, const fs::path& file) {
  const std::string where = "_BASE_ (" + to_string(value.origin) + ")";
  if (value.kind != ConfigValue::Kind::string || value.text.empty())
    throw Error(where + ": expected the path of a config file, found " + describe(value));
  if (value.text.find("://") != std::string::npos)
    throw Error(where + ": expected the path of a local file, found the address '" + value.text + "'");
  if (value.text.starts_with("~/"))
    if (const char* const home = std::getenv("HOME")) return fs::path(home) / value.text.substr(2);
  return file.parent_path() / value.text;  // an absolute path replaces what stands before it
}

class FileReader {
 public:
  ConfigValue read(const fs::path& path) {
    std::error_code error;
    const auto canonical = fs::weakly_canonical(path, error);
    if (std::find(chain_.begin(), chain_.end(), canonical) != chain_.end())
      throw Error("expected a chain of _BASE_ that ends, found that " + path.string() + " is its own base");
    if (chain_.size() == kLongestChain || read_.size() == kMostFiles)
      throw Error("expected at most " + std::to_string(kLongestChain) + " configs in a chain of _BASE_ and " +
                  std::to_string(kMostFiles) + " in all, found more at " + path.string());
    chain_.push_back(canonical);
    read_.push_back(path);

    ConfigValue own = parse_yaml(read_text(path), path.string());
    ConfigValue merged;
    merged.kind = ConfigValue::Kind::map;
    merged.origin = own.origin;
    if (const auto* const base = own.find("_BASE_")) {
      const auto bases = base->kind == ConfigValue::Kind::list ? base->items : std::vector<ConfigValue>{*base};
      for (const auto& one : bases) merge(read(base_path(one, path)), merged, "");
      own.erase("_BASE_");
    }
    merge(own, merged, "");
    chain_.pop_back();
    return merged;
  }

  const std::vector<fs::path>& files() const { return read_; }

 private:
  std::vector<fs::path> chain_;  // the files being read, outermost first
  std::vector<fs::path> read_;
};

}  // namespace

Config read_config(const fs::path& path) {
  return reading(path.string(), [&]() -> Config {
    FileReader reader;
    ConfigValue root = reader.read(path);
    return {path.stem().string(), std::move(root), reader.files(), {}};
  });
}

void set_dotted(ConfigValue& root, std::string_view key, ConfigValue value) {
  constexpr std::ptrdiff_t deepest = 32;
  if (std::count(key.begin(), key.end(), '.') >= deepest)
    throw Error("expected a config key of at most " + std::to_string(deepest) + " names, found '" +
                std::string(key.substr(0, 60)) + "...'");
  ConfigValue* at = &root;
  const std::string full(key);
  for (auto dot = key.find('.'); dot != std::string_view::npos; dot = key.find('.')) {
    const auto part = key.substr(0, dot);
    key.remove_prefix(dot + 1);
    if (at->find(part) == nullptr) {
      ConfigValue made;
      made.kind = ConfigValue::Kind::map;
      made.origin = value.origin;
      at->set(part, std::move(made));
    }
    at = at->find(part);
    if (at->kind != ConfigValue::Kind::map)
      throw Error(full + " (" + to_string(value.origin) + "): expected a mapping at " + std::string(part) + ", found " +
                  describe(*at));
  }
  if (key.empty()) throw Error("expected a config key such as INPUT.MIN_SIZE_TEST, found '" + full + "'");
  at->set(key, std::move(value));
}

void apply_overrides(Config& config, const Overrides& overrides) {
  const Origin origin{std::make_shared<const std::string>("the command line"), 0};
  for (const auto& [key, text] : overrides) {
    set_dotted(config.root, key, literal_or_string(text, origin));
    config.overridden.push_back(key);
  }
}

}  // namespace maskrt::weights
