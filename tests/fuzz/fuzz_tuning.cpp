// The text of a tuning file for GPUs.
#include <string_view>

#include "kernels/conv/conv_tuning.h"
#include "target.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using maskrt::kernels::ConvTuning;
  maskrt::fuzz::answered([&] {
    const auto tuning = ConvTuning::parse({reinterpret_cast<const char*>(data), size}, "tuning");
    const std::string text = tuning.text();
    maskrt::fuzz::require(ConvTuning::parse(text, "tuning").text() == text, "what is written reads back");
  });
  return 0;
}
