// The text of a tuning file, as a GPU's and as a processor's reader take it: each keeps the other's lines.
#include <string_view>

#include "kernels/conv/cuda/conv_tuning.h"
#include "runtime/cpu/conv_times.h"
#include "target.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using maskrt::cpu::ConvTimes;
  using maskrt::fuzz::answered;
  using maskrt::fuzz::require;
  using maskrt::kernels::ConvTuning;
  const std::string_view file(reinterpret_cast<const char*>(data), size);
  answered([&] {
    const std::string text = ConvTuning::parse(file, "tuning").text();
    require(ConvTuning::parse(text, "tuning").text() == text, "what is written reads back");
  });
  answered([&] {
    const std::string text = ConvTimes::parse(file, "tuning", "AMD EPYC, AVX-512, oneDNN 2.6.3").text();
    require(ConvTimes::parse(text, "tuning", "AMD EPYC, AVX-512, oneDNN 2.6.3").text() == text,
            "what is written reads back");
  });
  return 0;
}
