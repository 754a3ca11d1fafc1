// Every tensor of real checkpoints, as PyTorch and numpy read them.
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>
#include <map>
#include <sstream>

#include "weights_tools/checkpoint/checkpoint.h"

namespace maskrt {
namespace {

struct ExpectedTensor {
  std::string type, shape;
  std::string dense_hash, floats_hash;  ///< xxh3 of the row-major bytes, as stored and in fp32
  double sum = 0;                       ///< of the fp32 values, in order, in fp64
};

struct ExpectedFile {
  std::map<std::string, ExpectedTensor> tensors;
  std::vector<std::string> ignored;
};

std::map<std::string, ExpectedFile> read_expected() {
  std::ifstream table(MASKRT_TEST_DATA "/checkpoints/expected.tsv");
  REQUIRE(table.good());
  std::map<std::string, ExpectedFile> files;
  ExpectedFile* file = nullptr;
  for (std::string line; std::getline(table, line);) {
    std::vector<std::string> cells;
    std::istringstream text(line);
    for (std::string cell; std::getline(text, cell, '\t');) cells.push_back(cell);
    if (cells.at(0) == "file") {
      file = &files[cells.at(1)];
    } else if (cells.at(0) == "ignored") {
      file->ignored.push_back(cells.at(1));
    } else {
      file->tensors[cells.at(1)] = {cells.at(2), cells.at(3), cells.at(4), cells.at(5), std::stod(cells.at(6))};
    }
  }
  return files;
}

template <typename T>
std::string hash_of(const std::vector<T>& values) {
  std::ostringstream text;
  text.width(16);
  text.fill('0');
  text << std::hex << XXH3_64bits(values.data(), values.size() * sizeof(T));
  return text.str();
}

}  // namespace

TEST_CASE("every tensor of every kind of checkpoint is what PyTorch and numpy read") {
  const auto expected = read_expected();
  REQUIRE(expected.size() >= 27);
  for (const auto& [name, want] : expected) {
    CAPTURE(name);
    auto got = weights::read_checkpoint(std::string(MASKRT_TEST_DATA "/") + name);
    std::vector<std::string> got_names, want_names;
    for (const auto& [tensor_name, tensor] : got.tensors) got_names.push_back(tensor_name);
    for (const auto& [tensor_name, tensor] : want.tensors) want_names.push_back(tensor_name);
    CHECK(got_names == want_names);
    std::sort(got.ignored.begin(), got.ignored.end());
    CHECK(got.ignored == want.ignored);
    for (const auto& [tensor_name, tensor] : want.tensors) {
      CAPTURE(tensor_name);
      const auto& found = got.tensors.at(tensor_name);
      CHECK(name_of(found.type) == tensor.type);
      CHECK(to_string(found.shape) == tensor.shape);
      const auto floats = found.to_floats();
      double sum = 0;
      for (const float value : floats) sum += static_cast<double>(value);
      CHECK(sum == tensor.sum);
      CHECK(hash_of(found.dense()) == tensor.dense_hash);
      CHECK(hash_of(floats) == tensor.floats_hash);
    }
  }
}

TEST_CASE("containers are recognised by what is in them") {
  const auto container = [](const std::string& name) {
    return name_of(weights::read_checkpoint(MASKRT_TEST_DATA "/checkpoints/" + name).container);
  };
  CHECK(container("zip_views.pth") == "PyTorch zip archive");
  CHECK(container("legacy.pth") == "PyTorch legacy file");
  CHECK(container("legacy_protocol4.pth") == "PyTorch legacy file");
  CHECK(container("numpy_protocol0.pkl") == "pickle");
  CHECK(container("numpy_protocol4.pkl") == "pickle");
  CHECK(container("small.safetensors") == "safetensors file");
}

TEST_CASE("tensors on one storage share one block") {
  const auto views = weights::read_checkpoint(MASKRT_TEST_DATA "/checkpoints/zip_views.pth").tensors;
  for (const auto& [name, tensor] : views) {
    CAPTURE(name);
    CHECK(tensor.storage == views.at("whole").storage);
  }
  CHECK(views.at("expanded").strides == std::vector<std::int64_t>{0, 1});
  CHECK(views.at("transposed").strides == std::vector<std::int64_t>{1, 4});

  const auto model = weights::read_checkpoint(MASKRT_TEST_DATA "/fixtures/sparse_inst_x50_giam/checkpoint.pth").tensors;
  std::map<const void*, std::size_t> blocks;
  for (const auto& [name, tensor] : model) ++blocks[tensor.storage.get()];
  CHECK(blocks.size() == 2);  // 309 tensors
}

}  // namespace maskrt
