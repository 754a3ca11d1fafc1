// `maskrt dump` on the demo's model.
#include <catch2/catch.hpp>
#include <filesystem>
#include <set>

#include "graph/safetensors.h"
#include "support/demo_command.h"

using namespace maskrt;
using namespace maskrt::testing;
namespace fs = std::filesystem;

namespace {

ProcessResult maskrt_command(const std::string& command, const Words& arguments) {
  return run_process(demo_command(command, arguments));
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
