// conv-plans [BATCH...]: for each convolution but the stem of SparseInst R-50 G-IAM at 640 x 864 in fp16 the kernel
// that the cost model takes on an H200, its tiles and waves, and its predicted time against what the chip's arithmetic
// and memory allow. Markdown. Nothing is run: no GPU is needed, and no number here has been measured.
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "h200.h"
#include "kernels/conv/cuda/conv_cuda.h"
#include "kernels/conv/cuda/conv_kernels.h"

using namespace maskrt;
using namespace maskrt::kernels;
using bench::kH200;

namespace {

struct Layer {
  const char* name;
  std::int64_t height, width, in, out;
  int kernel, stride, groups, count;
  ConvResidual residual;
};

constexpr auto none = ConvResidual::none, same = ConvResidual::same, upsampled = ConvResidual::upsampled;

// One line for layers of one shape.
const std::vector<Layer> layers = {
    {"res2.0 conv1", 160, 216, 64, 64, 1, 1, 1, 1, none},
    {"res2 conv2", 160, 216, 64, 64, 3, 1, 1, 3, none},
    {"res2.0 shortcut", 160, 216, 64, 256, 1, 1, 1, 1, none},
    {"res2 conv3", 160, 216, 64, 256, 1, 1, 1, 3, same},
    {"res2 conv1", 160, 216, 256, 64, 1, 1, 1, 2, none},
    {"res3.0 conv1", 160, 216, 256, 128, 1, 1, 1, 1, none},
    {"res3.0 conv2", 160, 216, 128, 128, 3, 2, 1, 1, none},
    {"res3.0 shortcut", 160, 216, 256, 512, 1, 2, 1, 1, none},
    {"res3 conv3", 80, 108, 128, 512, 1, 1, 1, 4, same},
    {"res3 conv1", 80, 108, 512, 128, 1, 1, 1, 3, none},
    {"res3 conv2", 80, 108, 128, 128, 3, 1, 1, 3, none},
    {"res4.0 conv1", 80, 108, 512, 256, 1, 1, 1, 1, none},
    {"res4.0 conv2", 80, 108, 256, 256, 3, 2, 1, 1, none},
    {"res4.0 shortcut", 80, 108, 512, 1024, 1, 2, 1, 1, none},
    {"res4 conv3", 40, 54, 256, 1024, 1, 1, 1, 6, same},
    {"res4 conv1", 40, 54, 1024, 256, 1, 1, 1, 5, none},
    {"res4 conv2", 40, 54, 256, 256, 3, 1, 1, 5, none},
    {"res5.0 conv1", 40, 54, 1024, 512, 1, 1, 1, 1, none},
    {"res5.0 conv2", 40, 54, 512, 512, 3, 2, 1, 1, none},
    {"res5.0 shortcut", 40, 54, 1024, 2048, 1, 2, 1, 1, none},
    {"res5 conv3", 20, 27, 512, 2048, 1, 1, 1, 3, same},
    {"res5 conv1", 20, 27, 2048, 512, 1, 1, 1, 2, none},
    {"res5 conv2", 20, 27, 512, 512, 3, 1, 1, 2, none},
    {"lateral 5", 20, 27, 2048, 256, 1, 1, 1, 1, none},
    {"lateral 4, upsampled residual", 40, 54, 1024, 256, 1, 1, 1, 1, upsampled},
    {"lateral 3, upsampled residual", 80, 108, 512, 256, 1, 1, 1, 1, upsampled},
    {"output 5", 20, 27, 256, 256, 3, 1, 1, 1, none},
    {"output 4", 40, 54, 256, 256, 3, 1, 1, 1, none},
    {"output 3", 80, 108, 256, 256, 3, 1, 1, 1, same},
    {"both branches' first", 80, 108, 256, 512, 3, 1, 1, 1, none},
    {"both branches' others", 80, 108, 512, 512, 3, 1, 2, 3, none},
    {"instance activation maps", 80, 108, 256, 400, 3, 1, 4, 1, none},
};

CudaConvProblem problem_of(const Layer& layer, std::int64_t batch) {
  CudaConvProblem p;
  p.geometry = {layer.kernel, layer.kernel, layer.stride, layer.kernel / 2, 1, layer.groups};
  p.in = dense(nullptr, DataType::f16, batch, layer.height, layer.width, layer.in, 0);
  p.out = dense(nullptr, DataType::f16, batch, conv_output_size(layer.height, layer.kernel, p.geometry),
                conv_output_size(layer.width, layer.kernel, p.geometry), layer.out, 0);
  p.residual_kind = layer.residual;
  const std::int64_t shrink = layer.residual == upsampled ? 2 : 1;
  p.residual = dense(nullptr, DataType::f16, batch, p.out.height / shrink, p.out.width / shrink, layer.out, 0);
  p.bias = true;
  const std::int64_t group = layer.out / layer.groups, stride = (group + 15) / 16 * 16;
  if (stride != group) {  // the activation maps, each group of which begins with a sector
    p.out_group_stride = stride;
    p.out = dense(nullptr, DataType::f16, batch, p.out.height, p.out.width, layer.out, layer.groups * stride);
  }
  return p;
}

void print(std::int64_t batch) {
  std::printf("\n### Batch %lld\n\n", static_cast<long long>(batch));
  std::printf(
      "| layer | times | pixels x channels x depth | kernel | parts | blocks | waves | predicted us | bound us |\n");
  std::printf("|---|---|---|---|---|---|---|---|---|\n");
  double predicted = 0, bound = 0;
  int launches = 0;
  for (const Layer& layer : layers) {
    const CudaConvProblem p = problem_of(layer, batch);
    const CudaConvPlan plan = plan_conv(p, kH200);
    const ConvKernel& kernel = conv_kernels()[static_cast<std::size_t>(plan.choice.kernel)];
    const std::int64_t pixels = batch * p.out.height * p.out.width;
    const std::int64_t depth = layer.in / layer.groups * layer.kernel * layer.kernel;
    const std::int64_t blocks = plan.work_items > 0
                                    ? std::int64_t{plan.work_items} * kernel.cluster() * plan.cluster_splits
                                    : static_cast<std::int64_t>(plan.grid.count());
    const std::int64_t slots = kH200.multiprocessors * std::int64_t{kernel.resident};
    double moved = static_cast<double>(p.in.bytes() + p.out.bytes() + plan.weights.bytes());
    if (layer.residual != none) moved += static_cast<double>(p.residual.bytes());
    const double least =
        std::max(2.0 * static_cast<double>(pixels) * static_cast<double>(layer.out * depth) / bench::kH200Fp16Flops,
                 moved / bench::kH200Bytes);
    std::printf("| %s | %d | %lld x %lld x %lld | %s | %d | %lld | %.2f | %.1f | %.1f |\n", layer.name, layer.count,
                static_cast<long long>(pixels), static_cast<long long>(layer.out), static_cast<long long>(depth),
                kernel.name.entry, plan.choice.splits, static_cast<long long>(blocks),
                static_cast<double>(blocks) / static_cast<double>(slots), plan.predicted_seconds * 1e6, least * 1e6);
    predicted += layer.count * plan.predicted_seconds;
    bound += layer.count * least;
    launches += layer.count;
  }
  std::printf("| all | %d | | | | | | %.0f | %.0f |\n", launches, predicted * 1e6, bound * 1e6);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 1)
    for (const std::int64_t batch : {1, 8, 16}) print(batch);
  for (int i = 1; i < argc; ++i) {
    const long batch = std::strtol(argv[i], nullptr, 10);
    if (batch < 1 || batch > 64) {
      std::fprintf(stderr, "conv-plans: expected batches from 1 to 64, found %s\n", argv[i]);
      return 1;
    }
    print(batch);
  }
}
