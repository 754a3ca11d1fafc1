// Folders that outputs go to.
#include <catch2/catch.hpp>
#include <filesystem>

#include "maskrt/maskrt.hpp"
#include "runtime/cli/outputs.h"
#include "support/files.h"

using maskrt::Error;
using namespace maskrt::cli;
using maskrt::testing::TemporaryFolder;
using maskrt::testing::write_text;
namespace fs = std::filesystem;

TEST_CASE("A folder is made with those above it; a file in its place is an error") {
  TemporaryFolder folder;
  make_folder(folder / "a/b/c");
  CHECK(fs::is_directory(folder / "a/b/c"));
  CHECK_NOTHROW(make_folder(folder / "a/b/c"));
  write_text(folder / "file", "");
  CHECK_THROWS_AS(make_folder(folder / "file"), Error);
  CHECK_THROWS_WITH(make_folder(folder / "file/below"), Catch::Contains("file/below"));
}
