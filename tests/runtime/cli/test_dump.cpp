// `maskrt dump` on the demo's model, and at fixed query positions on a FastInst.
#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <set>
#include <span>
#include <vector>

#include "graph/safetensors.h"
#include "support/demo_command.h"
#include "support/fast_inst_command.h"

using namespace maskrt;
using namespace maskrt::testing;
using Catch::Contains;
namespace fs = std::filesystem;

namespace {

ProcessResult maskrt_command(const std::string& command, const Words& arguments) {
  return run_process(demo_command(command, arguments));
}

ProcessResult dump_fast_inst(const Words& arguments) {
  return run_process(Words{MASKRT_COMMAND, "dump", fast_inst_model(), "--device", "cpu", "--deterministic"} +
                     arguments);
}

template <typename Number>
void write_tensor(const fs::path& path, const std::string& name, DataType type, const Shape& shape,
                  const std::vector<Number>& numbers) {
  graph::write_safetensors(path, {{name, type, shape, std::as_bytes(std::span(numbers))}}, {});
}

}  // namespace

TEST_CASE("dump: tensors of a batch under the network's names") {
  TemporaryFolder folder;
  check_success(maskrt_command("dump", {demo_picture(0), demo_picture(1), "-o", folder / "new/some.safetensors"}));
  const auto some = graph::Safetensors::read(folder / "new/some.safetensors");
  std::set<std::string> names;
  for (const auto& [name, tensor] : some.tensors) {
    names.insert(name);
    CHECK(tensor.type == DataType::f32);
    CHECK(tensor.shape.front() == 2);
  }
  CHECK(names == std::set<std::string>{"class_logits", "input", "mask_logits", "objectness_logits"});
  CHECK(some.tensors.at("input").shape[1] == 3);
  CHECK(some.tensors.at("class_logits").shape == Shape{2, 40, 5});
  CHECK(some.tensors.at("objectness_logits").shape == Shape{2, 40, 1});

  check_success(maskrt_command(
      "dump", {demo_picture(0), demo_picture(1), "-o", folder / "all.safetensors", "--all", "--no-rewrites"}));
  const auto all = graph::Safetensors::read(folder / "all.safetensors");
  for (const char* name : {"input", "encoder", "iam_logits", "class_logits", "mask_logits"})
    CHECK(all.tensors.count(name) == 1);

  const ProcessResult refused =
      maskrt_command("dump", {demo_picture(0), folder / "none.png", "-o", folder / "none.safetensors"});
  CHECK(refused.status == 1);
  CHECK_FALSE(fs::exists(folder / "none.safetensors"));
}

TEST_CASE("dump --deterministic: two processes write the same bytes") {
  const TemporaryFolder folder;
  for (const char* name : {"first", "second"})
    check_success(maskrt_command("dump", {demo_picture(0), "--deterministic", "--threads", "2", "-o", folder / name}));
  CHECK(read_text(folder / "first") == read_text(folder / "second"));
}

TEST_CASE("dump --query-positions: queries are taken where the file says") {
  const TemporaryFolder folder;
  const std::string own = folder / "own.safetensors", again = folder / "again.safetensors";
  const Words pictures = {demo_picture(0), demo_picture(1), "--all", "-o"};
  check_success(dump_fast_inst(pictures + Words{own}));
  check_success(dump_fast_inst(pictures + Words{again, "--query-positions", own}));
  CHECK(read_text(own) == read_text(again));

  const auto all = graph::Safetensors::read(own);
  const std::vector<float> selected = all.tensors.at("query_positions").to_floats();
  const Shape shape = all.tensors.at("query_positions").shape;
  REQUIRE(shape.size() == 3);
  const std::int64_t queries = shape[1];
  REQUIRE(shape == Shape{2, queries, 1});
  // In reverse, of each image: then query i is the one that was the last but i.
  std::vector<std::int64_t> reversed(selected.begin(), selected.end());
  for (auto at = reversed.begin(); at != reversed.end(); at += queries) std::reverse(at, at + queries);
  const std::vector<std::int32_t> narrow(reversed.begin(), reversed.end());
  write_tensor(folder / "i64", "query_positions", DataType::i64, {2, queries}, reversed);
  write_tensor(folder / "i32", "query_positions", DataType::i32, {2, queries, 1}, narrow);
  for (const char* const name : {"i64", "i32"}) {
    check_success(dump_fast_inst(pictures + Words{again, "--query-positions", folder / name}));
    const auto moved = graph::Safetensors::read(again);
    CHECK(moved.tensors.at("query_positions").to_floats() == std::vector<float>(reversed.begin(), reversed.end()));
    const std::vector<float> before = all.tensors.at("query_features").to_floats();
    const std::vector<float> after = moved.tensors.at("query_features").to_floats();
    REQUIRE(before.size() == after.size());
    const std::size_t channels = before.size() / selected.size(), rows = static_cast<std::size_t>(queries);
    for (std::size_t row = 0; row < selected.size(); ++row) {
      const std::size_t other = row / rows * rows + rows - 1 - row % rows;
      REQUIRE(std::equal(before.begin() + static_cast<std::ptrdiff_t>(row * channels),
                         before.begin() + static_cast<std::ptrdiff_t>((row + 1) * channels),
                         after.begin() + static_cast<std::ptrdiff_t>(other * channels)));
    }
    // What comes after the selection follows it; what comes before does not.
    CHECK(moved.tensors.at("proposal_logits").to_floats() == all.tensors.at("proposal_logits").to_floats());
    CHECK(moved.tensors.at("class_logits").to_floats() != all.tensors.at("class_logits").to_floats());
  }
}

TEST_CASE("dump --query-positions: positions that do not fit are refused") {
  const TemporaryFolder folder;
  const std::string file = folder / "given.safetensors";
  const auto refused = [&](const std::string& sentence) {
    const ProcessResult ran = dump_fast_inst({demo_picture(0), "-o", folder / "out", "--query-positions", file});
    CHECK(ran.status == 1);
    CHECK_THAT(ran.err, Contains(file) && Contains(sentence));
    CHECK_FALSE(fs::exists(folder / "out"));
  };
  const std::vector<std::int64_t> good(25);
  write_tensor(file, "positions", DataType::i64, {1, 25}, good);
  refused("expected a tensor query_positions, found positions");
  write_tensor(file, "query_positions", DataType::i16, {1, 25}, std::vector<std::int16_t>(25));
  refused("expected query_positions as int64, int32 or, as dump writes it, fp32, found int16");
  write_tensor(file, "query_positions", DataType::i64, {25}, good);
  refused("expected query_positions as [images, queries] or [images, queries, 1], found [25]");
  write_tensor(file, "query_positions", DataType::f32, {1, 25}, std::vector<float>(25, 1.5f));
  refused("expected whole numbers up to 2^24 in query_positions, found 1.5");
  write_tensor(file, "query_positions", DataType::i64, {1, 24}, std::vector<std::int64_t>(24));
  refused("query_positions: expected 1x25 (images of the batch, queries of the network), found 1x24");
  write_tensor(file, "query_positions", DataType::i64, {2, 25}, std::vector<std::int64_t>(50));
  refused("expected 1x25 (images of the batch, queries of the network), found 2x25");
  for (const std::int64_t position : {std::int64_t{-1}, std::int64_t{1} << 40}) {
    std::vector<std::int64_t> outside = good;
    outside[7] = position;
    write_tensor(file, "query_positions", DataType::i64, {1, 25}, outside);
    refused("which the network's map has, found " + std::to_string(position) + " at query 7 of image 0");
  }
  write_text(file, "nothing");
  refused("expected");

  write_tensor(file, "query_positions", DataType::i64, {1, 25}, good);
  const ProcessResult other =
      maskrt_command("dump", {demo_picture(0), "-o", folder / "out", "--query-positions", file});
  CHECK(other.status == 1);
  CHECK_THAT(other.err, Contains("expected a network that selects queries (head FastInst), found one with head "
                                 "SparseInst"));
  const ProcessResult over = dump_fast_inst({demo_picture(0), "-o", file, "--query-positions", file});
  CHECK(over.status == 1);
  CHECK_THAT(over.err, Contains("expected an output file that is none of the inputs"));
}
