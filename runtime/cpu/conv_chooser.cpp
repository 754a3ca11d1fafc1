#include "conv_chooser.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <utility>

#include "processor.h"

namespace maskrt::cpu {
namespace {

using kernels::ConvAlgorithm;
using kernels::Convolution;
using kernels::ConvProblem;

constexpr double kLongRun = 5e-3;  // seconds

/// Maps whose areas differ less take one another's algorithms: so sizes come and go without being measured, which would
/// take memory for tensors of that size beside a network's prepared weights, and a second for each.
constexpr double kAlike = 4;

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

void append(std::string& key, std::int64_t number) { key += std::to_string(number) + ' '; }

void append(std::string& key, const kernels::Tensor& t) {
  append(key, static_cast<std::int64_t>(t.type));
  for (const std::int64_t n :
       {t.batch, t.height, t.width, t.channels, t.block, t.batch_stride, t.block_stride, t.pixel_stride})
    append(key, n);
}

/// All that a convolution is made of.
std::string key_of(const ConvProblem& p, int threads, ConvAlgorithm algorithm) {
  std::string key;
  append(key, p.in);
  append(key, p.out);
  const kernels::ConvGeometry& g = p.geometry;
  for (const int n : {g.kernel_height, g.kernel_width, g.stride, g.padding, g.dilation, g.groups, threads, int{p.bias},
                      int{p.accumulate}, static_cast<int>(p.activation), static_cast<int>(algorithm)})
    append(key, n);
  key += std::to_string(p.slope);
  return key;
}

/// Where nothing is measured: multiply-adds a second, of the layer as defined, on one core of a common processor.
/// Winograd saves multiplications and spends something on its transforms; that pays from 64 channels. oneDNN takes
/// tiles of 4 x 4 outputs for wide layers and else of 2 x 2, which leave the cache between transforms from 64 outputs
/// on.
double assumed_rate(ConvAlgorithm algorithm, const ConvProblem& p, const std::string& implementation) {
  if (algorithm != ConvAlgorithm::winograd) return p.in.type == DataType::bf16 ? 400e9 : 200e9;
  if (std::min(p.in.channels, p.out.channels) < 64) return 150e9;
  const bool small_tiles = implementation.find("2x3") != std::string::npos;
  return small_tiles && p.out.channels > 64 ? 300e9 : 400e9;
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

ConvChooser::ConvChooser(bool compares_types)
    : compares_types_(compares_types), times_(processor_description()), borrowed_(processor_description()) {
  const char* tune = std::getenv("MASKRT_CPU_TUNE");
  if (tune != nullptr && std::strcmp(tune, "0") == 0) measuring_ = Measuring::never;
}

double ConvChooser::measure(const Convolution& conv) {
  const double start = now();
  const std::size_t bias_bytes = static_cast<std::size_t>(conv.out_layout().dims()[1]) * sizeof(float);
  std::size_t bytes = 0;
  const auto place = [&](std::size_t size) {
    const std::size_t at = bytes;
    bytes += (size + 4095) / 4096 * 4096;
    return at;
  };
  const std::size_t in = place(conv.in_span()), out = place(conv.out_span()), weights = place(conv.weight_bytes()),
                    bias = place(bias_bytes), scratch = place(conv.scratch_bytes());
  if (bytes > workspace_bytes_) {
    workspace_ = nullptr;  // before the larger one is taken
    workspace_ = allocate_aligned(bytes);
    workspace_bytes_ = bytes;
    std::memset(workspace_.get(), 0, bytes);  // pages of its own, not the system's one page of zeros
  }
  std::byte* base = workspace_.get();
  double best = std::numeric_limits<double>::max();
  for (int run = 0; run < 3; ++run) {
    if (run == 2 && best > kLongRun) break;  // noise is the smaller part of it
    const double before = now();
    conv.run(base + in, base + weights, reinterpret_cast<const float*>(base + bias), base + out, base + scratch);
    best = std::min(best, now() - before);
  }
  measuring_seconds_ += now() - start;
  return best;
}

void ConvChooser::use(ConvTimes times) {
  times_ = std::move(times);
  borrowed_.clear();
}

void ConvChooser::release_workspace() {
  workspace_ = nullptr;
  workspace_bytes_ = 0;
}

void ConvChooser::finish() {
  constexpr std::size_t most_times = 8192;  // some megabytes; a large network has some eighty for each size
  release_workspace();
  held_.clear();
  std::erase_if(made_, [](const auto& made) { return made.second.expired(); });
  if (measures() && times_.size() > most_times) times_.clear();
  if (borrowed_.size() > most_times) borrowed_.clear();
}

double ConvChooser::rate(DataType type, int threads) {
  if (const auto known = times_.rate(type, threads)) return *known;
  ConvProblem problem;  // small enough for a few milliseconds, large enough to fill the pipelines
  problem.geometry = {3, 3, 1, 1, 1, 1};
  problem.in = problem.out = kernels::dense(nullptr, type, 1, 14 * threads, 28, 256, 16);
  const auto conv = Convolution::make(problem, ConvAlgorithm::direct);
  constexpr double unknown = 200e9;
  const double rate = conv != nullptr ? conv_flops(problem) / measure(*conv) : unknown;
  times_.set_rate(type, threads, rate);
  return rate;
}

bool ConvChooser::bf16_pays(int threads) {
  if (measures()) return rate(DataType::bf16, threads) > rate(DataType::f32, threads);
  const auto bf16 = times_.rate(DataType::bf16, threads), fp32 = times_.rate(DataType::f32, threads);
  return !bf16 || !fp32 || *bf16 > *fp32;
}

std::shared_ptr<const Convolution> ConvChooser::make(const ConvProblem& problem, int threads, ConvAlgorithm algorithm) {
  std::weak_ptr<const Convolution>& made = made_[key_of(problem, threads, algorithm)];
  if (auto conv = made.lock()) return conv;
  auto conv = Convolution::make(problem, algorithm);
  made = conv;
  held_.push_back(conv);
  return conv;
}

ConvChoice ConvChooser::choose(const ConvProblem& problem, int threads) {
  return choose(problem, threads, time_of(problem, threads));
}

ConvChoice ConvChooser::choose(const ConvProblem& problem, int threads, const ConvTime& time) {
  // An epilogue may rule out what suits the bare shape, and a size what suits another.
  for (const ConvAlgorithm algorithm : {time.algorithm, ConvAlgorithm::direct})
    if (auto conv = make(problem, threads, algorithm)) return {std::move(conv), algorithm, time.seconds};
  return {make(problem, threads, ConvAlgorithm::free), ConvAlgorithm::free, time.seconds};
}

ConvTime ConvChooser::time_of(const ConvProblem& problem, int threads) {
  if (!measures()) {
    // Types are weighed by times of one origin: all of them measured, or all assumed.
    if (compares_types_ && !times_.rate(DataType::bf16, threads)) return assumed(problem);
    if (const auto known = times_.find(problem, threads)) return *known;
    if (const auto near = times_.nearest(problem, threads)) return *near;
    return assumed(problem);
  }
  if (const auto known = times_.find(problem, threads)) return *known;
  if (measuring_ == Measuring::unknown) {
    if (const auto before = borrowed_.find(problem, threads)) return *before;
    if (const auto near = times_.nearest(problem, threads, kAlike)) {
      borrowed_.set(problem, threads, *near);
      return *near;
    }
  }
  const ConvTime time = fastest(problem, threads);
  times_.set(problem, threads, time);
  return time;
}

ConvTime ConvChooser::assumed(const ConvProblem& problem) {
  ConvTime best{ConvAlgorithm::free, std::numeric_limits<double>::max()};
  for (const ConvAlgorithm algorithm : {ConvAlgorithm::direct, ConvAlgorithm::winograd, ConvAlgorithm::free}) {
    if (algorithm == ConvAlgorithm::free && best.algorithm != ConvAlgorithm::free) break;
    const std::string implementation = Convolution::implementation_of(problem, algorithm);
    if (implementation.empty()) continue;
    const double seconds = conv_flops(problem) / assumed_rate(algorithm, problem, implementation);
    if (seconds < best.seconds) best = {algorithm, seconds};
  }
  return best;
}

ConvTime ConvChooser::fastest(const ConvProblem& problem, int threads) {
  const auto winograd = make(problem, threads, ConvAlgorithm::winograd),
             direct = make(problem, threads, ConvAlgorithm::direct);
  if (direct == nullptr && winograd == nullptr)
    return {ConvAlgorithm::free, measure(*make(problem, threads, ConvAlgorithm::free))};
  // A tenth above the rate that was found: the least that a direct convolution can take.
  const bool all = measuring_ == Measuring::all;
  const double bound = conv_flops(problem) / (rate(problem.in.type, threads) * 1.1);
  if (winograd == nullptr)
    return {ConvAlgorithm::direct, all || (compares_types_ && bf16_pays(threads)) ? measure(*direct) : bound};
  ConvTime best{ConvAlgorithm::winograd, measure(*winograd)};
  if (direct == nullptr || (best.seconds < bound && !all)) return best;
  // Other programs may have had the processor meanwhile: what surprises is measured again.
  const int rounds = assumed(problem).algorithm == ConvAlgorithm::winograd ? 3 : 1;
  ConvTime other{ConvAlgorithm::direct, measure(*direct)};
  for (int round = 1; round < rounds && other.seconds <= best.seconds; ++round) {
    best.seconds = std::min(best.seconds, measure(*winograd));
    other.seconds = std::min(other.seconds, measure(*direct));
  }
  return best.seconds < other.seconds ? best : other;
}

}  // namespace maskrt::cpu
