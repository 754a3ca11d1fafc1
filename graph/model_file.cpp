#include "model_file.h"

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>
#include <set>
#include <tuple>

#include "atomic_file.h"
#include "checksum.h"
#include "file_kind.h"
#include "head_json.h"
#include "json_fields.h"
#include "safetensors_format.h"
#include "strict_json.h"

namespace maskrt::graph {
namespace {

using nlohmann::json;

/// Format 1 had an architecture and its postprocessing in place of a head.
constexpr std::string_view kFormatVersion = "2", kFirstFormat = "1";

json preprocessing_to_json(const Preprocessing& p) {
  json mean = json::array(), deviation = json::array();
  for (int c = 0; c < 3; ++c) {
    mean.push_back(short_decimal(p.mean[c]));
    deviation.push_back(short_decimal(p.std[c]));
  }
  return {{"channels", p.rgb ? "rgb" : "bgr"},
          {"mean", mean},
          {"std", deviation},
          {"min_size", p.min_size},
          {"max_size", p.max_size},
          {"size_divisibility", p.size_divisibility}};
}

json categories_to_json(const std::vector<Category>& categories) {
  json list = json::array();
  for (const auto& c : categories)
    list.push_back(
        {{"id", c.id}, {"name", c.name}, {"is_thing", c.is_thing}, {"color", {c.color[0], c.color[1], c.color[2]}}});
  return list;
}

Preprocessing preprocessing_from_json(const json& value) {
  JsonFields fields(value, "preprocessing");
  Preprocessing p;
  if (const json* const channels = fields.find("channels")) {
    if (*channels != "rgb" && *channels != "bgr")
      fields.fail("expected channels rgb or bgr, found " + channels->dump());
    p.rgb = *channels == "rgb";
  }
  const auto three = [&](const char* key, float(&numbers)[3], double low, double high) {
    const json* const list = fields.find(key);
    for (std::size_t c = 0; list != nullptr && c < 3; ++c)
      numbers[c] = fields.real(fields.three(*list, key)[c], key, low, high);
  };
  three("mean", p.mean, -kLargestMean, kLargestMean);
  three("std", p.std, kLeastDeviation, kLargestDeviation);
  constexpr int largest = 1 << 16;
  const auto integer = [&](const char* key, int& number, int high) {
    if (const json* const found = fields.find(key)) number = fields.integer(*found, key, 0, high);
  };
  integer("min_size", p.min_size, largest);
  integer("max_size", p.max_size, largest);
  integer("size_divisibility", p.size_divisibility, 4096);
  fields.expect_nothing_else();
  return p;
}

std::vector<Category> categories_from_json(const json& list) {
  if (!list.is_array()) throw Error("categories: expected a list");
  std::vector<Category> categories;
  for (const auto& entry : list) {
    JsonFields fields(entry, "category " + std::to_string(categories.size()));
    Category category;
    category.id = fields.integer(fields.get("id"), "id", 0, kLargestCategoryId);
    category.name = fields.text(fields.get("name"), "name");
    if (const json* const is_thing = fields.find("is_thing")) {
      if (!is_thing->is_boolean()) fields.fail("expected is_thing to be true or false");
      category.is_thing = is_thing->get<bool>();
    }
    if (const json* const color = fields.find("color"))
      for (std::size_t c = 0; c < 3; ++c)
        category.color[c] =
            static_cast<std::uint8_t>(fields.integer(fields.three(*color, "color")[c], "color", 0, 255));
    fields.expect_nothing_else();
    categories.push_back(std::move(category));
  }
  return categories;
}

/// Extents at some size. Channels do not depend on the size; any that the strides divide shows whether the weights fit
/// one another, and that has as many positions as are selected. Throws Error for what is wrong at the largest size.
std::vector<Extent> extents_of(const ModelDescription& model) {
  const bool selects = std::any_of(model.graph.nodes.begin(), model.graph.nodes.end(),
                                   [](const Node& node) { return std::holds_alternative<SelectTop>(node.operation); });
  const std::int64_t divisor = std::max(model.preprocessing.size_divisibility, 32), most = selects ? 4096 : 256;
  for (std::int64_t least = 256;; least *= 4) {
    const std::int64_t side = (least + divisor - 1) / divisor * divisor;
    try {
      return infer_extents(model.graph, 1, side, side);
    } catch (const Error&) {
      if (least >= most) throw;
    }
  }
}

/// What must hold between a model's parts, whether it is about to be written or was just read.
void check_model(const ModelDescription& model) {
  if (model.graph.outputs.empty()) throw Error("graph: expected at least one output, found none");
  const std::vector<Extent> extents = extents_of(model);
  check(model.head, model.graph, extents);
  for (const ValueId value : values_of(model.head))
    if (!model.graph.is_output(value))
      throw Error("head " + std::string(name_of(model.head)) +
                  ": expected the values that it reads to be outputs, found " +
                  model.graph.values[static_cast<std::size_t>(value)].name + " among none");
  if (const auto classes = categories_of(model.head, model.graph, extents);
      classes && *classes != static_cast<std::int64_t>(model.categories.size()))
    throw Error("categories: expected one for each of the " + std::to_string(*classes) + " classes of head " +
                std::string(name_of(model.head)) + ", found " + std::to_string(model.categories.size()));
  if (const std::int64_t channels = std::get<Input>(model.graph.nodes[0].operation).channels; channels != 3)
    throw Error("graph: expected an input of 3 channels, for pictures, found " + std::to_string(channels));
  std::set<int> ids;
  for (const auto& category : model.categories)
    if (!ids.insert(category.id).second)
      throw Error("categories: expected different ids, found " + std::to_string(category.id) + " twice");
}

/// The file's tensors as constants; one object a tensor, however many nodes read it.
class Constants {
 public:
  explicit Constants(std::shared_ptr<const Safetensors> storage) : storage_(std::move(storage)) {}

  /// A tensor, or "NAME[begin:end]", some of its rows; null where there is none such.
  ConstantPtr find(const std::string& name) {
    const auto tensor = storage_->tensors.find(name);
    if (tensor == storage_->tensors.end()) return find_rows(name);
    auto& constant = known_[name];
    if (!constant)
      constant = std::make_shared<Constant>(
          name, tensor->second.shape,
          [storage = storage_, name, view = &tensor->second] {
            try {
              return view->to_floats();
            } catch (const Error& error) {
              throw Error(storage->source->name() + ": tensor " + name + ": " + error.what() + "; load the model anew");
            }
          },
          std::vector{name});
    return constant;
  }

 private:
  ConstantPtr find_rows(const std::string& name) {
    const std::optional<RowsName> rows = rows_name(name);
    if (!rows || !storage_->tensors.contains(rows->whole)) return nullptr;
    const ConstantPtr whole = find(rows->whole);
    if (whole->shape().empty() || rows->end > whole->shape()[0]) return nullptr;
    auto& constant = known_[name];
    if (!constant) constant = rows_of(whole, rows->begin, rows->end - rows->begin);
    return constant;
  }

  std::shared_ptr<const Safetensors> storage_;
  std::map<std::string, ConstantPtr> known_;
};

using Metadata = std::map<std::string, std::string>;

/// What a model file's metadata says, checked.
ModelDescription describe(const Metadata& metadata, const std::function<ConstantPtr(const std::string&)>& find) {
  const auto text = [&](const char* key) -> const std::string& {
    const auto found = metadata.find(key);
    if (found == metadata.end()) throw Error(std::string("expected metadata ") + key + ", found none");
    return found->second;
  };
  ModelDescription model;
  model.name = text("maskrt.name");
  model.graph = graph_from_json(text("maskrt.graph"), find);
  model.preprocessing = preprocessing_from_json(parse_strict_json(text("maskrt.preprocessing"), "preprocessing", 2));
  if (text("maskrt.format") == kFirstFormat)
    model.head =
        head_of_architecture(text("maskrt.architecture"),
                             parse_strict_json(text("maskrt.postprocessing"), "postprocessing", 1), model.graph);
  else
    model.head = head_from_json(parse_strict_json(text("maskrt.head"), "head", 2), model.graph);
  model.categories = categories_from_json(parse_strict_json(text("maskrt.categories"), "categories", 3));
  check_model(model);
  return model;
}

/// Reads the whole file once, compares its checksum with the one that it states, and takes each tensor's fingerprint on
/// the way: whatever reads a tensor later gets those bytes or an error, never a mixture of two files.
void verify_checksum(Safetensors& storage) {
  const auto stored = storage.metadata.find(std::string(kChecksumKey));
  if (stored == storage.metadata.end()) throw Error("expected a " + std::string(kChecksumKey) + ", found none");
  const auto at = find_checksum(storage.header);
  if (!at) throw Error("expected a checksum of xxh3: and 16 digits, found " + stored->second);
  Xxh3 whole;
  update_without_digits(whole, std::as_bytes(std::span(storage.header)), *at);

  std::vector<TensorView*> in_order;
  for (auto& [name, view] : storage.tensors) in_order.push_back(&view);
  // An empty tensor may share its offset with one that is not.
  std::sort(in_order.begin(), in_order.end(), [](const TensorView* a, const TensorView* b) {
    return std::tie(a->offset, a->size) < std::tie(b->offset, b->size);
  });
  constexpr std::size_t piece = std::size_t{1} << 20;
  std::vector<std::byte> buffer(piece);
  for (TensorView* view : in_order) {
    Xxh3 own;
    for (std::size_t done = 0; done < view->size;) {
      const auto part = std::span(buffer).first(std::min(piece, view->size - done));
      storage.source->read(view->offset + done, part);
      whole.update(part);
      own.update(part);
      done += part.size();
    }
    view->fingerprint = own.digest();
  }
  const auto found = std::string(kChecksumPrefix) + digits_of(whole.digest());
  if (found != stored->second)
    throw Error("expected checksum " + stored->second + ", found " + found + ": the file is damaged or was edited");
}

}  // namespace

std::uint64_t write_model(const std::filesystem::path& path, const ModelDescription& model,
                          const std::vector<TensorToWrite>& tensors) {
  check_model(model);
  std::map<std::string, ConstantPtr> constants;
  std::map<std::string_view, const TensorToWrite*> by_name;
  for (const auto& tensor : tensors) by_name.emplace(tensor.name, &tensor);
  for (const auto& node : model.graph.nodes) {
    for (const auto& constant : constants_of(node.operation)) {
      constants.emplace(constant->name(), constant);
      const Constant& whole = constant->rows().whole ? *constant->rows().whole : *constant;
      const auto tensor = by_name.find(whole.name());
      if (tensor == by_name.end()) throw Error("expected a tensor for constant " + whole.name() + ", found none");
      if (tensor->second->shape != whole.shape())
        throw Error("tensor " + whole.name() + ": expected shape " + to_string(whole.shape()) + ", found " +
                    to_string(tensor->second->shape));
    }
  }

  Metadata metadata;
  try {
    metadata = {{"maskrt.format", std::string(kFormatVersion)},
                {"maskrt.name", model.name},
                {"maskrt.graph", graph_to_json(model.graph)},
                {"maskrt.preprocessing", preprocessing_to_json(model.preprocessing).dump()},
                {"maskrt.head", head_to_json(model.head, model.graph).dump()},
                {"maskrt.categories", categories_to_json(model.categories).dump()},
                {std::string(kChecksumKey), std::string(kChecksumPrefix) + std::string(kChecksumDigits, '0')}};
  } catch (const json::exception&) {
    throw Error("expected category names in UTF-8, found other bytes");
  }

  // Nobody may be left with a file that cannot be read again.
  describe(metadata, [&constants](const std::string& name) { return constants.at(name); });

  auto layout = lay_out(tensors, metadata);
  const auto digits = find_checksum(layout.header).value();
  std::vector<std::span<const std::byte>> parts = {std::as_bytes(std::span(layout.header))};
  parts.insert(parts.end(), layout.data.begin(), layout.data.end());
  layout.header.replace(digits, kChecksumDigits, checksum(parts, digits));

  AtomicFile file(path);
  for (const auto part : parts) file.write(part);
  file.commit();
  return file.size();
}

ModelDescription read_model(const std::filesystem::path& path) { return read_model(open_file(path)); }

namespace {

// What else a user may have named, before its bytes are taken for a header's length.
void refuse_other_files(const ByteSource& source) {
  std::vector<std::byte> start(std::min(source.size(), kRecognisedBytes));
  source.read(0, start);
  const auto kind = recognise(start);
  if (!kind) return;
  std::string hint;
  if (kind->use == FileKind::Use::checkpoint)
    hint = ": convert it with maskrt-convert";
  else if (kind->use == FileKind::Use::other_network)
    hint = ": maskrt-convert converts the PyTorch checkpoint that it was made of";
  else if (kind->use == FileKind::Use::picture)
    hint = ": the model is named before the pictures";
  throw Error(source.name() + ": expected a maskrt model, found " + std::string(kind->name) + hint);
}

}  // namespace

ModelDescription read_model(std::shared_ptr<const ByteSource> source) {
  refuse_other_files(*source);
  // A checkpoint may hold types that no model file does; what it is comes before what is wrong with it.
  const auto storage = std::make_shared<Safetensors>(Safetensors::read(std::move(source), OtherTypes::list));
  try {
    const auto& metadata = storage->metadata;
    const auto version = metadata.find("maskrt.format");
    if (version == metadata.end())
      throw Error("expected a maskrt model, found a safetensors file without one; convert it with maskrt-convert");
    if (version->second != kFormatVersion && version->second != kFirstFormat)
      throw Error("expected model format " + std::string(kFirstFormat) + " or " + std::string(kFormatVersion) +
                  ", found " + version->second + ", which a newer maskrt wrote");
    if (!storage->others.empty())
      throw Error("tensor " + storage->others.begin()->first + ": expected a dtype of a model file, found " +
                  storage->others.begin()->second.type);
    verify_checksum(*storage);
    Constants constants(storage);
    ModelDescription model = describe(metadata, [&](const std::string& name) { return constants.find(name); });
    model.storage = storage;
    return model;
  } catch (const Error& error) {
    throw Error(storage->source->name() + ": " + error.what());
  }
}

}  // namespace maskrt::graph
