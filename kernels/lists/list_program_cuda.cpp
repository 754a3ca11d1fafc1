#include "list_program_cuda.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <string>

#include "kernels/conv/cuda/conv_cost.h"
#include "kernels/linear/linear_cuda.h"
#include "list_program_params.h"

namespace maskrt::kernels {
namespace {

using Tile = cuda::ListTile;
constexpr std::int64_t kMostStride = std::numeric_limits<std::int32_t>::max();

template <typename... F>
struct Overloaded : F... {
  using F::operator()...;
};
template <typename... F>
Overloaded(F...) -> Overloaded<F...>;

/// The step's lists of numbers, the output last.
std::vector<Tensor> tensors_of(const ListOperation& operation) {
  return std::visit(Overloaded{[](const ListLinear& op) {
                                 return std::vector{op.in, op.out};
                               },
                               [](const ListAdd& op) {
                                 return std::vector{op.a, op.b, op.out};
                               },
                               [](const ListNorm& op) {
                                 return std::vector{op.in, op.out};
                               },
                               [](const ListCopy& op) {
                                 return std::vector{op.in, op.out};
                               },
                               [](const ListAttention& op) {
                                 return std::vector{op.queries, op.keys, op.values, op.out};
                               },
                               [](const ListGather& op) { return std::vector{op.out}; },
                               [](const ListFinish& op) { return std::vector{op.out}; }},
                    operation);
}

/// Whether vectors of 16 bytes of fp32, or 8 of fp16, are aligned in all rows.
bool in_vectors(const Tensor& t, std::int64_t each) {
  const auto bytes = static_cast<std::uintptr_t>(each) * size_of(t.type);
  return reinterpret_cast<std::uintptr_t>(t.data) % bytes == 0 && t.pixel_stride % each == 0 &&
         t.batch_stride % each == 0;
}
bool has_numbers(const Tensor& t) { return t.type == DataType::f32 || t.type == DataType::f16; }
bool is_list(const Tensor& t) {
  return has_numbers(t) && t.width == 1 && t.block >= t.channels && t.batch_stride <= kMostStride;
}
bool same_rows(const Tensor& a, const Tensor& b) {
  return a.batch == b.batch && a.height == b.height && a.channels == b.channels;
}

struct Takes {
  bool operator()(const ListLinear& op) const {
    return op.in.batch == op.out.batch && op.in.height == op.out.height && op.in.channels % 32 == 0 &&
           in_vectors(op.in, 8) && is_short(op.activation) &&
           (op.out.pixel_stride % 2 != 0 || in_vectors(op.out, op.out.pixel_stride % 8 == 0 ? 8 : 2));
  }
  bool operator()(const ListAdd& op) const { return of_rows(op.a, op.out) && of_rows(op.b, op.out); }
  bool operator()(const ListNorm& op) const { return of_rows(op.in, op.out); }
  bool operator()(const ListCopy& op) const { return of_rows(op.in, op.out); }
  bool operator()(const ListAttention& op) const {
    if (op.heads < 1 || op.queries.channels % op.heads != 0) return false;
    const std::int64_t width = op.queries.channels / op.heads;
    return same_rows(op.queries, op.out) && same_rows(op.keys, op.values) && op.keys.batch == op.queries.batch &&
           op.keys.channels == op.queries.channels && width % 8 == 0 && width <= Tile::kMostWidth &&
           op.keys.height <= Tile::kMostKeys && op.out.block == op.out.channels && in_vectors(op.queries, 8) &&
           in_vectors(op.keys, 8) && in_vectors(op.values, 8) && in_vectors(op.out, 8);
  }
  bool operator()(const ListGather& op) const {
    return has_numbers(op.in) && op.positions.type == DataType::i32 && op.in.batch == op.out.batch &&
           op.positions.batch == op.out.batch && op.positions.height == op.out.height &&
           op.in.channels == op.out.channels && op.in.batch_stride <= kMostStride && in_vectors(op.in, 4) &&
           by_rows(op.out);
  }
  bool operator()(const ListFinish& op) const {
    return op.heads >= 1 && op.splits >= 1 && op.out.channels % op.heads == 0 && op.out.channels / op.heads % 4 == 0 &&
           by_rows(op.out);
  }
  static bool of_rows(const Tensor& in, const Tensor& out) {
    return in.type == DataType::f32 && same_rows(in, out) && in_vectors(in, 4) && by_rows(out);
  }
  static bool by_rows(const Tensor& out) {
    return out.channels % 4 == 0 && out.channels <= Tile::kMostChannels && out.block == out.channels &&
           in_vectors(out, 4);
  }
};

cuda::ListView view_of(const Tensor& t) {
  return {t.data, static_cast<std::int32_t>(t.batch_stride), static_cast<std::int32_t>(t.pixel_stride)};
}
std::uint8_t f16(const Tensor& t) { return t.type == DataType::f16 ? 1 : 0; }
float score_scale(std::int64_t width) { return std::numbers::log2e_v<float> / std::sqrt(static_cast<float>(width)); }

struct Write {
  cuda::ListStep& to;

  void operator()(const ListLinear& op) const {
    to.kind = cuda::ListKind::linear;
    to.a = view_of(op.in);
    to.a_f16 = f16(op.in);
    to.weight = op.weight;
    to.bias = op.bias;
    to.activation = op.activation;
    to.channels = static_cast<std::int32_t>(op.in.channels);
    to.weight_stride = static_cast<std::int32_t>(linear_weight_stride(op.in.channels));
  }
  void operator()(const ListAdd& op) const {
    of_rows(cuda::ListKind::add, op.a);
    to.b = view_of(op.b);
  }
  void operator()(const ListNorm& op) const {
    of_rows(cuda::ListKind::norm, op.in);
    to.weight = op.weight;
    to.bias = op.bias;
    to.factor = static_cast<float>(op.epsilon);
  }
  void operator()(const ListCopy& op) const { of_rows(cuda::ListKind::copy, op.in); }
  void operator()(const ListAttention& op) const {
    to.kind = cuda::ListKind::attention;
    to.a = view_of(op.queries);
    to.b = view_of(op.keys);
    to.values = view_of(op.values);
    to.a_f16 = f16(op.queries), to.b_f16 = f16(op.keys), to.values_f16 = f16(op.values);
    to.channels = static_cast<std::int32_t>(op.queries.channels);
    to.keys = static_cast<std::int32_t>(op.keys.height);
    to.heads = op.heads;
    to.factor = score_scale(op.queries.channels / op.heads);
  }
  void operator()(const ListGather& op) const {
    of_rows(cuda::ListKind::gather, op.in);
    to.a_f16 = f16(op.in);
    to.b = view_of(op.positions);
    to.keys = static_cast<std::int32_t>(op.in.height * op.in.width);
  }
  void operator()(const ListFinish& op) const {
    to.kind = cuda::ListKind::finish;
    to.a.data = const_cast<float*>(op.parts);  // which the kernel reads
    to.channels = static_cast<std::int32_t>(op.out.channels);
    to.keys = static_cast<std::int32_t>(op.splits);
    to.heads = op.heads;
    to.factor = score_scale(op.key_width);
  }
  void of_rows(cuda::ListKind kind, const Tensor& in) const {
    to.kind = kind;
    to.a = to.b = view_of(in);
    to.channels = static_cast<std::int32_t>(in.channels);
  }
};

/// What a warp still has in registers: the rows that a linear layer has multiplied, or a row that a step by rows has
/// made.
class Registers {
 public:
  /// Whether a step reads just that; then tells what they hold behind it.
  bool hold(const cuda::ListStep& step) {
    using enum cuda::ListKind;
    if (step.after_barrier != 0) held_ = nullptr;
    const bool carries = held_ != nullptr && are_read_by(step);
    // A copy leaves them as they are.
    if (step.kind == copy && carries) return true;
    const bool kept = step.kind == linear ? step.rows <= Tile::kRows && step.channels <= Tile::kDepth
                                          : step.kind != attention && step.out_f16 == 0;
    held_ = kept ? &step : nullptr;
    return carries;
  }

 private:
  bool are_read_by(const cuda::ListStep& step) const {
    using enum cuda::ListKind;
    if (held_->channels != step.channels || step.rows > held_->rows) return false;
    const auto same = [&](const cuda::ListView& list) {
      return list.data == step.a.data && list.row_stride == step.a.row_stride;
    };
    if (step.kind == linear) return held_->kind == linear && step.rows == held_->rows && same(held_->a);
    return (step.kind == add || step.kind == norm || step.kind == copy) && held_->kind != linear && same(held_->out);
  }

  const cuda::ListStep* held_ = nullptr;
};

double ceil_div(std::int64_t a, std::int64_t b) { return static_cast<double>((a + b - 1) / b); }
double bytes_of_rows(const Tensor& t) {
  return static_cast<double>(t.height * t.channels) * static_cast<double>(size_of(t.type));
}

/// What a block does in a step.
struct Work {
  double flops = 0;                          ///< operations on tensor cores
  double weights = 0, rows = 0, stored = 0;  ///< bytes of weights, of lists, and of the list that is made

  explicit Work(const ListOperation& operation) {
    constexpr double blocks = Tile::kBlocks;
    const std::vector<Tensor> tensors = tensors_of(operation);
    for (const Tensor& t : tensors) rows += bytes_of_rows(t) / blocks;
    stored = bytes_of_rows(tensors.back()) / blocks;
    if (const auto* op = std::get_if<ListLinear>(&operation)) {
      const double columns = ceil_div(op->out.block, 8 * Tile::kBlocks) * 8,
                   depth = static_cast<double>(op->in.channels);
      flops = 2 * ceil_div(op->in.height, 16) * 16 * columns * depth;
      weights = 2 * columns * depth;
      rows += bytes_of_rows(op->in) * (blocks - 1) / blocks;  // every block needs all
    }
    if (const auto* op = std::get_if<ListAttention>(&operation)) {
      const double heads = ceil_div(op->heads, Tile::kBlocks), width = Tile::kMostWidth;
      flops = 4 * heads * ceil_div(op->queries.height, 16) * 16 * ceil_div(op->keys.height, 16) * 16 * width;
    }
    if (const auto* op = std::get_if<ListFinish>(&operation))
      rows += static_cast<double>(op->splits * op->out.height * (op->out.channels + 2 * op->heads)) * 4 / blocks;
  }
};

}  // namespace

std::size_t most_list_steps() { return cuda::ListProgramParams::kMostSteps; }

bool list_program_takes(const Chip& chip, const ListOperation& operation) {
  const std::vector<Tensor> tensors = tensors_of(operation);
  return chip.path() == KernelPath::sm90a && std::all_of(tensors.begin(), tensors.end(), is_list) &&
         tensors.back().batch <= 65535 && std::visit(Takes(), operation);
}

namespace {

cuda::ListProgramParams params_of(std::span<const ListProgramStep> steps, const Chip& chip) {
  if (steps.empty() || steps.size() > most_list_steps())
    throw Error("list program: expected 1 to " + std::to_string(most_list_steps()) + " steps, found " +
                std::to_string(steps.size()));
  cuda::ListProgramParams params = {};
  Registers registers;
  const std::int64_t batch = tensors_of(steps[0].operation).back().batch;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const ListOperation& operation = steps[i].operation;
    const std::vector<Tensor> tensors = tensors_of(operation);
    const Tensor& out = tensors.back();
    if (out.batch != batch || !list_program_takes(chip, operation)) {
      std::string found;
      for (const Tensor& t : tensors)
        found += (found.empty() ? "" : ", ") + std::string(name_of(t.type)) + " " +
                 to_string(Shape{t.batch, t.height, t.width, t.channels});
      throw Error("list program, step " + std::to_string(i) + ": expected lists of " + std::to_string(batch) +
                  " images that list_program_takes() takes, found " + found);
    }
    cuda::ListStep& step = params.steps[i];
    std::visit(Write{step}, operation);
    step.out = view_of(out);
    step.out_f16 = f16(out);
    step.rows = static_cast<std::int32_t>(out.height);
    step.out_channels = static_cast<std::int32_t>(out.channels);
    step.block = static_cast<std::int32_t>(out.block);
    step.after_barrier = steps[i].after_barrier ? 1 : 0;
    step.carries = registers.hold(step) ? 1 : 0;
  }
  params.count = static_cast<std::int32_t>(steps.size());
  return params;
}

}  // namespace

void list_program_cuda(CudaQueue& queue, std::span<const ListProgramStep> steps) {
  const cuda::ListProgramParams params = params_of(steps, queue.chip());
  KernelLaunch what;
  what.kernel = {"lists/list_program_sm90", "list_program"};
  what.grid = {Tile::kBlocks, static_cast<std::uint32_t>(tensors_of(steps[0].operation).back().batch), 1};
  what.cluster = {Tile::kBlocks, 1, 1};
  what.block = {Tile::kThreads, 1, 1};
  what.shared_bytes = Tile::kSharedBytes;
  what.overlaps_previous = true;
  what.parameters = bytes_of(params);
  queue.launch(what);
}

double predicted_list_program_seconds(std::span<const ListProgramStep> steps, const Chip& chip) {
  const cuda::ListProgramParams params = params_of(steps, chip);
  // A multiprocessor's port to L2 takes twice what each gets where all of them load.
  const ConvRates rates = conv_rates(chip);
  const auto blocks = static_cast<double>(tensors_of(steps[0].operation).back().batch * Tile::kBlocks);
  const double multiprocessors = std::max(chip.multiprocessors, 1), port = blocks * 2 <= multiprocessors ? 2 : 1;
  double cycles = kFillCycles;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const Work work(steps[i].operation);
    if (steps[i].after_barrier) cycles += kExchangeCycles / 2;
    const bool carries = params.steps[i].carries != 0;
    cycles += (carries ? kStepCycles : kLoadCycles) +
              std::max(carries ? work.stored : work.rows, work.weights) / (port * rates.l2_bytes) +
              work.flops / rates.tensor_flops;
  }
  return cycles * std::ceil(blocks / multiprocessors) / rates.hertz;
}

}  // namespace maskrt::kernels
