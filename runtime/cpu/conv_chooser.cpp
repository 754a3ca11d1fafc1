#include "conv_chooser.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <limits>

#include "aligned_bytes.h"

namespace maskrt::cpu {
namespace {

using kernels::ConvAlgorithm;
using kernels::Convolution;
using kernels::ConvProblem;

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

void append(std::string& key, std::int64_t number) { key += std::to_string(number) + ' '; }

void append(std::string& key, const kernels::Tensor& t) {
  append(key, static_cast<std::int64_t>(t.type));
  for (const std::int64_t n :
       {t.batch, t.height, t.width, t.channels, t.block, t.batch_stride, t.block_stride, t.pixel_stride})
    append(key, n);
}

std::string key_of(const ConvProblem& p, int threads) {
  std::string key;
  append(key, p.in);
  append(key, p.out);
  const kernels::ConvGeometry& g = p.geometry;
  for (const int n : {g.kernel_height, g.kernel_width, g.stride, g.padding, g.dilation, g.groups, int{p.bias},
                      int{p.accumulate}, static_cast<int>(p.activation), threads})
    append(key, n);
  return key;
}

/// Written through, so that reads come from memory of its own and not from the system's one page of zeros.
AlignedBytes zeros(std::size_t bytes) {
  AlignedBytes memory = allocate_aligned(bytes);
  std::memset(memory.get(), 0, bytes);
  return memory;
}

/// Where nothing is measured: multiply-adds a second, of the layer as defined, on one core of a common processor.
/// Winograd spends a quarter of the multiplications and something on its transforms; that pays from 64 channels.
double assumed_rate(ConvAlgorithm algorithm, const ConvProblem& p) {
  if (algorithm == ConvAlgorithm::winograd) return std::min(p.in.channels, p.out.channels) >= 64 ? 400e9 : 150e9;
  return p.in.type == DataType::bf16 ? 400e9 : 200e9;
}

}  // namespace

double conv_flops(const ConvProblem& p) {
  return 2.0 * static_cast<double>(p.out.batch * p.out.height * p.out.width * p.out.channels) *
         static_cast<double>(p.in.channels / p.geometry.groups) * p.geometry.kernel_height * p.geometry.kernel_width;
}

std::string ConvChoice::name(DataType type) const {
  const std::string precision(name_of(type));
  if (algorithm == ConvAlgorithm::winograd) return "winograd " + precision;
  const bool brgemm = conv->implementation().find("brg") != std::string::npos;
  const bool jit = conv->implementation().find("jit") != std::string::npos;
  return std::string(brgemm ? "brgemm " : jit ? "direct " : "plain ") + precision;
}

ConvChooser::ConvChooser(bool compares_types) : compares_types_(compares_types) {
  const char* tune = std::getenv("MASKRT_CPU_TUNE");
  measures_ = tune == nullptr || std::strcmp(tune, "0") != 0;
}

double ConvChooser::measure(const Convolution& conv) {
  const double start = now();
  const AlignedBytes in = zeros(conv.in_span()), out = zeros(conv.out_span()), weights = zeros(conv.weight_bytes()),
                     scratch = zeros(conv.scratch_bytes()),
                     bias = zeros(static_cast<std::size_t>(conv.out_layout().dims()[1]) * sizeof(float));
  double best = std::numeric_limits<double>::max();
  for (int run = 0; run < 3; ++run) {
    const double before = now();
    conv.run(in.get(), weights.get(), reinterpret_cast<const float*>(bias.get()), out.get(), scratch.get());
    best = std::min(best, now() - before);
  }
  measuring_seconds_ += now() - start;
  return best;
}

double ConvChooser::rate(DataType type, int threads) {
  const auto [entry, is_new] = rates_.try_emplace({type, threads}, 0.0);
  if (!is_new) return entry->second;
  ConvProblem problem;  // small enough for a few milliseconds, large enough to fill the pipelines
  problem.geometry = {3, 3, 1, 1, 1, 1};
  problem.in = problem.out = kernels::dense(nullptr, type, 1, 14 * threads, 28, 256, 16);
  const auto conv = Convolution::make(problem, ConvAlgorithm::direct);
  entry->second = conv != nullptr ? conv_flops(problem) / measure(*conv) : assumed_rate(ConvAlgorithm::direct, problem);
  return entry->second;
}

bool ConvChooser::bf16_pays(int threads) {
  if (!measures_) return true;
  return rate(DataType::bf16, threads) > rate(DataType::f32, threads);
}

const ConvChoice& ConvChooser::choose(const ConvProblem& problem, int threads) {
  const std::string key = key_of(problem, threads);
  const auto found = known_.find(key);
  return found != known_.end() ? found->second : known_.emplace(key, decide(problem, threads)).first->second;
}

ConvChoice ConvChooser::decide(const ConvProblem& problem, int threads) {
  const double flops = conv_flops(problem);
  ConvChoice direct{Convolution::make(problem, ConvAlgorithm::direct), ConvAlgorithm::direct, 0};
  ConvChoice winograd{Convolution::make(problem, ConvAlgorithm::winograd), ConvAlgorithm::winograd, 0};
  if (direct.conv == nullptr && winograd.conv == nullptr) {
    ConvChoice any{Convolution::make(problem, ConvAlgorithm::free), ConvAlgorithm::free, 0};
    any.seconds = measures_ ? measure(*any.conv) : flops / assumed_rate(any.algorithm, problem);
    return any;
  }
  if (!measures_) {
    direct.seconds = flops / assumed_rate(direct.algorithm, problem);
    winograd.seconds = flops / assumed_rate(winograd.algorithm, problem);
  } else {
    // A tenth above the rate that was found: the least that a direct convolution can take.
    direct.seconds = flops / (rate(problem.in.type, threads) * 1.1);
    if (winograd.conv != nullptr) winograd.seconds = measure(*winograd.conv);
    const bool open =
        winograd.conv != nullptr ? winograd.seconds >= direct.seconds : compares_types_ && bf16_pays(threads);
    if (direct.conv != nullptr && open) direct.seconds = measure(*direct.conv);
  }
  if (direct.conv == nullptr) return winograd;
  if (winograd.conv == nullptr) return direct;
  return winograd.seconds < direct.seconds ? winograd : direct;
}

}  // namespace maskrt::cpu
