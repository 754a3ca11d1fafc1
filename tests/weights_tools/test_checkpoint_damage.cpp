// Small checkpoints of every kind, cut off everywhere and with every byte changed: an error or a result, and no more
// memory than the file justifies.
#include <algorithm>
#include <catch2/catch.hpp>

#include "support/allocation_meter.h"
#include "support/files.h"
#include "weights_tools/checkpoint/checkpoint.h"

namespace maskrt {
namespace {

// Undamaged, these files of at most 6 kB take up to 100 kB. Expanded tensors may take 4 times the file and 1 MB.
constexpr std::size_t kMostMemory = std::size_t{2} << 20;

struct Outcome {
  bool read = false;
  std::size_t memory = 0;
};

Outcome read_all(const std::filesystem::path& path) {
  const testing::AllocationMeter meter;
  Outcome outcome;
  try {
    const auto checkpoint = weights::read_checkpoint(path);
    outcome.memory = meter.peak();
    for (const auto& [name, tensor] : checkpoint.tensors) {
      tensor.dense();
      tensor.to_floats();
    }
    outcome.read = true;
  } catch (const Error& error) {
    outcome.memory = meter.peak();
    if (std::string_view(error.what()).find(path.filename().string()) == std::string_view::npos) throw;
  }
  return outcome;
}

const auto kFiles = {"zip_metadata.pth",      "zip_views.pth",         "zip_protocol4.pth",   "legacy.pth",
                     "legacy_protocol4.pth",  "numpy_protocol0.pkl",   "numpy_protocol2.pkl", "numpy_protocol5.pkl",
                     "python2_protocol0.pkl", "python2_protocol2.pkl", "small.safetensors",   "float8.safetensors",
                     "torch_protocol2.pkl",   "torch_protocol4.pkl"};
// Much of these may change unnoticed: names of classes that are not built, numbers without checksums.
const auto kTolerantFiles = {"legacy_objects.pth", "zip_no_checksums.pth"};

}  // namespace

TEST_CASE("a checkpoint that is cut off anywhere is an error") {
  const testing::TemporaryFolder folder;
  for (const std::string name : kFiles) {
    CAPTURE(name);
    const auto whole = testing::read_text(MASKRT_TEST_DATA "/checkpoints/" + name);
    const auto path = testing::write_text(folder / name, whole);
    REQUIRE(read_all(path).read);
    for (std::size_t size = whole.size(); size-- > 0;) {
      std::filesystem::resize_file(path, size);
      const auto outcome = read_all(path);
      if (outcome.read || outcome.memory > kMostMemory) {
        CAPTURE(size, outcome.memory);
        CHECK_FALSE(outcome.read);
        CHECK(outcome.memory <= kMostMemory);
      }
    }
  }
}

TEST_CASE("a checkpoint with any byte changed is an error or a checkpoint") {
  const testing::TemporaryFolder folder;
  auto files = std::vector<std::string>(kFiles.begin(), kFiles.end());
  files.insert(files.end(), kTolerantFiles.begin(), kTolerantFiles.end());
  for (const std::string& name : files) {
    const auto whole = testing::read_text(MASKRT_TEST_DATA "/checkpoints/" + name);
    const auto path = testing::write_text(folder / name, whole);
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    const auto put = [&](std::size_t position, char byte) {
      file.seekp(static_cast<std::streamoff>(position));
      file.put(byte).flush();
    };
    std::size_t refused = 0;
    for (std::size_t position = 0; position < whole.size(); ++position) {
      // One bit, another one at each position, then all of them.
      for (const unsigned flip : {1u << (position * 5 % 8), 0xffu}) {
        put(position, static_cast<char>(static_cast<unsigned char>(whole[position]) ^ flip));
        const auto outcome = read_all(path);
        refused += outcome.read ? 0 : 1;
        if (outcome.memory > kMostMemory) {
          CAPTURE(name, position, flip);
          CHECK(outcome.memory <= kMostMemory);
        }
      }
      put(position, whole[position]);
    }
    CAPTURE(name);
    const bool tolerant = std::find(kTolerantFiles.begin(), kTolerantFiles.end(), name) != kTolerantFiles.end();
    CHECK(refused > whole.size() / (tolerant ? 40 : 4));
    CHECK(read_all(path).read);
  }
}

}  // namespace maskrt
