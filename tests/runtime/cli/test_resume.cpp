// `run --resume`: from wherever an earlier run's lines end, and from nothing else.
#include <catch2/catch.hpp>
#include <filesystem>

#include "four_pictures.h"
#include "runtime/coco/image_lines.h"
#include "support/demo_command.h"

using namespace maskrt;
using Catch::Contains;
using namespace maskrt::testing;
namespace fs = std::filesystem;

TEST_CASE("run: lines are gone on from wherever they end, in whatever batches") {
  const Pictures& pictures = Pictures::whole();
  const TemporaryFolder out;
  const auto resume = [&](const std::string& lines, const Words& more = {}) {
    write_text(out / "r.jsonl", lines);
    check_resumed(pictures.paths, out.path(), more);
  };
  resume(first_lines(pictures.lines(), 1));
  resume(first_lines(pictures.lines(), 3) + "{\"file_name\": \"003.j");
  resume(pictures.lines());

  // Pictures of one batch are padded to the largest of them: a resumed run pads them alike.
  const ProcessResult ran = ruled_command(
      "run", pictures.paths + Words{"--json", out / "b.json", "--jsonl", out / "b.jsonl", "--batch", "3"});
  REQUIRE(ran.status == 0);
  const std::string lines = read_text(out / "b.jsonl"), list = read_text(out / "b.json");
  for (const std::size_t done : {1, 2, 3}) {
    write_text(out / "b.jsonl", first_lines(lines, done));
    const ProcessResult resumed = ruled_command(
        "run",
        pictures.paths + Words{"--json", out / "b.json", "--jsonl", out / "b.jsonl", "--batch", "3", "--resume"});
    CHECK(resumed.status == 0);
    CHECK(read_text(out / "b.jsonl") == lines);
    CHECK(read_text(out / "b.json") == list);
  }
  // Nothing to go on from: a first run may say --resume, too.
  fs::remove(out / "r.jsonl");
  CHECK(ruled_command("run", pictures.paths + Words{"--jsonl", out / "r.jsonl", "--resume"}).status == 0);
  CHECK(read_text(out / "r.jsonl") == pictures.lines());
  for (const coco::ImageLine& line : coco::read_image_lines(out / "r.jsonl").lines) {
    CHECK(line.file_name.starts_with("00"));
    CHECK(line.width > 0);
    CHECK(line.height > 0);
  }
}

TEST_CASE("run: lines of something else are not gone on from, and no work is overwritten") {
  const Pictures& pictures = Pictures::whole();
  const TemporaryFolder out;
  const std::string lines = out / "r.jsonl";
  const auto refusal = [&](const std::string& text, const Words& more) {
    write_text(lines, text);
    const ProcessResult refused = ruled_command("run", pictures.paths + Words{"--jsonl", lines} + more);
    CHECK(refused.status == 1);
    CHECK(std::count(refused.err.begin(), refused.err.end(), '\n') == 1);
    CHECK(read_text(lines) == text);
    return refused.err;
  };
  CHECK_THAT(refusal(pictures.lines(), {}),
             Contains("expected an empty or new file for --jsonl") && Contains("--resume"));
  CHECK_THAT(refusal(pictures.lines(), {"--resume", "--score", "0.5"}),
             Contains("line 1: expected lines of this run") && Contains("score 0.5"));
  std::string other = pictures.lines();
  other.replace(other.find("001.jpg"), 7, "099.jpg");
  CHECK_THAT(refusal(other, {"--resume"}),
             Contains("line 2: expected one of the images that this run is of, found 099.jpg with image_id 1"));
  CHECK_THAT(refusal(pictures.lines() + first_lines(pictures.lines(), 1), {"--resume"}),
             Contains("line 5: expected each image once, found 000.jpg again"));
  CHECK_THAT(refusal("a diary\n", {"--resume"}), Contains("r.jsonl: line 1: expected JSON"));
  CHECK_THAT(refusal("[]\n", {"--resume"}), Contains("line 1: expected an image's results"));
  CHECK_THAT(refusal(pictures.list(), {"--resume"}), Contains("r.jsonl: line 1"));
  const ProcessResult usage = ruled_command("run", pictures.paths + Words{"--resume"});
  CHECK(usage.status == 2);
  CHECK_THAT(usage.err, Contains("--jsonl"));
  CHECK(ruled_command("run", pictures.paths + Words{"--jsonl", "-", "--resume"}).status == 1);
}
