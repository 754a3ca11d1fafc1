// Damaged files: every truncation, flipped bits and swapped pieces end in Error or a valid evaluation, and take little
// memory. The sanitizer build runs this too.
#include <catch2/catch.hpp>
#include <random>
#include <string>

#include "runtime/coco/evaluate.h"
#include "support/allocation_meter.h"
#include "support/files.h"

namespace maskrt::coco {
namespace {

using testing::read_text;
using testing::TemporaryFolder;
using testing::write_text;

const std::string data = MASKRT_TEST_DATA "/coco/";

/// Reads both files and scores them both ways. True where that worked.
bool survives(const std::filesystem::path& annotations, const std::filesystem::path& results) {
  // The files have at most 60 KB. Structures take a few bytes for each of JSON, whatever sizes and runs it states.
  constexpr std::size_t most = 1 << 20;
  const testing::AllocationMeter meter;
  bool valid = true;
  try {
    const Annotations set = read_annotations(annotations);
    const auto found = read_results(results);
    for (const IouType type : {IouType::segm, IouType::bbox}) {
      EvaluationOptions options;
      options.iou_type = type;
      options.threads = 1;
      const Evaluation evaluation = evaluate(set, found, options);
      for (std::size_t i = 0; i < evaluation.metrics.size(); ++i) {
        INFO(kMetricNames[i] << ": got " << evaluation.metrics[i] << ", want -1 or from 0 to 1");
        CHECK((evaluation.metrics[i] == -1 || (evaluation.metrics[i] >= 0 && evaluation.metrics[i] <= 1)));
      }
    }
  } catch (const Error& error) {
    CHECK(std::string(error.what()).size() > 10);
    valid = false;
  }
  INFO("memory held: got " << meter.peak() << ", bound " << most);
  CHECK(meter.peak() <= most);
  return valid;
}

}  // namespace

TEST_CASE("truncated annotations and results are errors") {
  const TemporaryFolder folder;
  const std::string annotations = data + "outlines_annotations.json", results = data + "outlines_results.json";
  REQUIRE(survives(annotations, results));
  const std::string annotation_text = read_text(annotations), result_text = read_text(results);
  for (std::size_t size = 0; size + 2 < annotation_text.size(); size += 7) {
    CAPTURE(size);
    CHECK_FALSE(survives(write_text(folder / "a.json", annotation_text.substr(0, size)), results));
  }
  for (std::size_t size = 0; size + 2 < result_text.size(); size += 13) {
    CAPTURE(size);
    CHECK_FALSE(survives(annotations, write_text(folder / "r.json", result_text.substr(0, size))));
  }
}

TEST_CASE("flipped bits and swapped pieces end in an error or a valid score") {
  const auto name = GENERATE(as<std::string>(), "mixed", "outlines", "boxes");
  CAPTURE(name);
  const TemporaryFolder folder;
  const std::string annotation_text = read_text(data + name + "_annotations.json");
  const std::string result_text = read_text(data + name + "_results.json");
  std::mt19937 random(7);
  for (int round = 0; round < 300; ++round) {
    CAPTURE(round);
    std::string texts[2] = {annotation_text, result_text};
    std::string& text = texts[random() % 2];
    for (unsigned damages = 1 + random() % 3; damages > 0; --damages) {
      const std::size_t at = random() % text.size();
      switch (random() % 4) {
        case 0:
          text[at] = static_cast<char>(text[at] ^ (1 << random() % 8));
          break;
        case 1:
          text[at] = "0123456789-.eE[]{},:\"\\nt"[random() % 24];
          break;  // likely to be JSON still
        case 2:
          text.erase(at, 1 + random() % 9);
          break;
        default:
          text.insert(at, text.substr(random() % text.size(), random() % 30));
          break;
      }
    }
    survives(write_text(folder / "a.json", texts[0]), write_text(folder / "r.json", texts[1]));
  }
}

TEST_CASE("sizes and runs that would need much memory are refused or cost nothing") {
  const TemporaryFolder folder;
  const auto with = [&](const std::string& image, const std::string& truth, const std::string& found) {
    write_text(folder / "a.json", R"({"images": [{"id": 1, )" + image + R"(}], "categories": [{"id": 1}],
      "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "area": 1, "bbox": [0, 0, 1, 1], "segmentation": )" +
                                      truth + "}]}");
    write_text(folder / "r.json",
               R"([{"image_id": 1, "category_id": 1, "score": 0.5, "segmentation": )" + found + "}]");
    return survives(folder / "a.json", folder / "r.json");
  };
  const std::string small = R"("width": 2, "height": 2)", one = R"({"size": [2, 2], "counts": "04"})";
  CHECK(with(small, one, one));
  const std::string huge = R"("width": 2147483647, "height": 2147483647)";
  CHECK_FALSE(with(huge, R"({"size": [2147483647, 2147483647], "counts": "04"})", one));
  CHECK_FALSE(with(huge, "[[0, 0, 1, 0, 1, 1]]", one));
  // The largest mask that 32 bits count; one run.
  CHECK(with(R"("width": 65535, "height": 65537)", R"({"size": [65537, 65535], "counts": [4294967295]})",
             R"({"size": [65537, 65535], "counts": [0, 4294967295]})"));
  CHECK_FALSE(with(small, R"({"size": [2, 2], "counts": [4294967295, 5]})", one));
  CHECK_FALSE(with(small, R"({"size": [2, 2], "counts": "oooooooooooooooooooooo0"})", one));
  CHECK_FALSE(with(small, R"({"size": [2, 2], "counts": "05"})", one));
  CHECK_FALSE(with(small, R"({"size": [2, 2], "counts": ""})", one));
  CHECK_FALSE(with(small, one, R"({"size": [2, 2], "counts": "0"})"));
  CHECK_FALSE(with(small, one, R"({"size": [2, 1], "counts": "02"})"));
  CHECK_FALSE(with(small, one, R"({"size": [-2, -2], "counts": "04"})"));
  CHECK_FALSE(with(small, "[[0, 0, 1e300, 0, 1e300, 1e300]]", one));
  CHECK_FALSE(with(small, "[[0, 0, 1e9, 0, 1e9, 1e9]]", one));
}

}  // namespace maskrt::coco
