// JSON texts: the reader of COCO files takes those that nlohmann's parser takes, with the same values, and beside them
// those with numbers that only Python reads.
#include "support/json_agreement.h"
#include "target.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace maskrt;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (text.find('\0') != text.npos) return 0;  // ends the text for nlohmann
  testing::JsonTree tree;
  const auto fault = testing::fault_of(text, tree);
  const std::string plain = testing::JsonScanner::without_odd_numbers(text, testing::kDeepest);
  fuzz::require(plain.size() == text.size(), "places stay where they are");
  if (fault == testing::JsonFault::Kind::depth) return 0;
  const auto want = nlohmann::json::parse(plain, nullptr, false);
  fuzz::require(fault.has_value() == want.is_discarded(), "both take it for JSON, or none does");
  if (!fault && plain == text) fuzz::require(testing::same(testing::JsonValue(tree), want), "the values are the same");
  return 0;
}
