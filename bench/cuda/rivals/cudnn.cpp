// cuDNN: convolution, bias, residual and ReLU as one graph, by every engine that its heuristics name.
#include "rivals.h"

#if __has_include(<cudnn_backend.h>)
#include <chrono>
#include <limits>
#include <optional>

#include "bench/cuda/measured.h"
#include "cudnn_graph.h"
#include "operand.h"

namespace maskrt::bench {
namespace {

std::int64_t in_eights(std::int64_t channels) { return (channels + 7) / 8 * 8; }

/// Tensors of the graph; numbers are their identities.
enum Tensor : std::int64_t { input = 1, weights, bias, residual, output, convolved, biased, added };

/// NCHW dimensions of a tensor that lies as NHWC.
Descriptor tensor(std::int64_t id, std::int64_t n, std::int64_t c, std::int64_t h, std::int64_t w, bool in_memory,
                  cudnnDataType_t type) {
  Descriptor d(CUDNN_BACKEND_TENSOR_DESCRIPTOR);
  d.set<CUDNN_TYPE_DATA_TYPE>(CUDNN_ATTR_TENSOR_DATA_TYPE, {type})
      .set<CUDNN_TYPE_INT64>(CUDNN_ATTR_TENSOR_DIMENSIONS, {n, c, h, w})
      .set<CUDNN_TYPE_INT64>(CUDNN_ATTR_TENSOR_STRIDES, {c * h * w, 1, c * w, c})
      .set<CUDNN_TYPE_INT64>(CUDNN_ATTR_TENSOR_UNIQUE_ID, {id})
      .set<CUDNN_TYPE_INT64>(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, {16})
      .set_flag(CUDNN_ATTR_TENSOR_IS_VIRTUAL, !in_memory);
  d.finalize("a tensor");
  return d;
}

Descriptor convolution(const ConvShape& s) {
  Descriptor d(CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
  d.set<CUDNN_TYPE_DATA_TYPE>(CUDNN_ATTR_CONVOLUTION_COMP_TYPE, {CUDNN_DATA_FLOAT})
      .set<CUDNN_TYPE_CONVOLUTION_MODE>(CUDNN_ATTR_CONVOLUTION_CONV_MODE, {CUDNN_CROSS_CORRELATION})
      .set<CUDNN_TYPE_INT64>(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, {2})
      .set<CUDNN_TYPE_INT64>(CUDNN_ATTR_CONVOLUTION_DILATIONS, {s.dilation, s.dilation})
      .set<CUDNN_TYPE_INT64>(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, {s.stride, s.stride})
      .set<CUDNN_TYPE_INT64>(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, {s.padding, s.padding})
      .set<CUDNN_TYPE_INT64>(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, {s.padding, s.padding});
  d.finalize("a convolution");
  return d;
}

Descriptor convolution_node(const Descriptor& how, const Descriptor& x, const Descriptor& w, const Descriptor& y) {
  Descriptor d(CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR);
  d.set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, how)
      .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, x)
      .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W, w)
      .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y, y)
      .set<CUDNN_TYPE_FLOAT>(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, {1.0f})
      .set<CUDNN_TYPE_FLOAT>(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA, {0.0f});
  d.finalize("the operation of a convolution");
  return d;
}

/// y = x + b, or y = max(x, 0) where there is no b.
Descriptor pointwise_node(const Descriptor& x, const Descriptor* b, const Descriptor& y) {
  Descriptor how(CUDNN_BACKEND_POINTWISE_DESCRIPTOR);
  how.set<CUDNN_TYPE_POINTWISE_MODE>(CUDNN_ATTR_POINTWISE_MODE,
                                     {b != nullptr ? CUDNN_POINTWISE_ADD : CUDNN_POINTWISE_RELU_FWD})
      .set<CUDNN_TYPE_DATA_TYPE>(CUDNN_ATTR_POINTWISE_MATH_PREC, {CUDNN_DATA_FLOAT});
  how.finalize("a pointwise operation");
  Descriptor d(CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
  d.set(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, how)
      .set(CUDNN_ATTR_OPERATION_POINTWISE_XDESC, x)
      .set(CUDNN_ATTR_OPERATION_POINTWISE_YDESC, y);
  if (b != nullptr) d.set(CUDNN_ATTR_OPERATION_POINTWISE_BDESC, *b);
  d.finalize("a pointwise operation's place");
  return d;
}

class CudnnConv final : public Rival {
 public:
  CudnnConv(cuda::SessionStream& stream, const ConvShape& shape)
      : stream_(stream),
        in_channels_(in_eights(shape.in)),
        input_(random_halves(stream, shape.batch * in_channels_ * shape.height * shape.width)),
        weights_(random_halves(stream,
                               shape.out * (in_channels_ / shape.groups) * shape.kernel_height * shape.kernel_width)),
        bias_(random_halves(stream, shape.out)),
        residual_(random_halves(stream, shape.batch * shape.out * shape.out_height * shape.out_width)),
        output_(random_halves(stream, shape.batch * shape.out * shape.out_height * shape.out_width)) {
    const cuda::CurrentContext current(*stream_.context());
    cudnn_.check(cudnn_.cudnnCreate(&handle_), "cudnnCreate");
    try {
      cudnn_.check(cudnn_.cudnnSetStream(handle_, stream_.stream().get()), "cudnnSetStream");
      choose(graph_of(shape));
    } catch (...) {
      cudnn_.cudnnDestroy(handle_);
      throw;
    }
  }
  ~CudnnConv() override {
    plan_.reset();
    pack_.reset();
    cudnn_.cudnnDestroy(handle_);
  }

  void send() override {
    const cuda::CurrentContext current(*stream_.context());
    cudnn_.check(cudnn_.cudnnBackendExecute(handle_, plan_->get(), pack_->get()), "cudnnBackendExecute");
  }
  std::string description() const override {
    return "cuDNN " + std::to_string(cudnn_.cudnnGetVersion()) + ", the best of " + std::to_string(tried_) + " engines";
  }

 private:
  Descriptor graph_of(const ConvShape& s) {
    const auto map = [&](std::int64_t id, bool in_memory) {
      const bool half = in_memory;  // values inside of the fused graph are not rounded
      return tensor(id, s.batch, s.out, s.out_height, s.out_width, in_memory,
                    half ? CUDNN_DATA_HALF : CUDNN_DATA_FLOAT);
    };
    const Descriptor x = tensor(Tensor::input, s.batch, in_channels_, s.height, s.width, true, CUDNN_DATA_HALF);
    const Descriptor w =
        tensor(Tensor::weights, s.out, in_channels_ / s.groups, s.kernel_height, s.kernel_width, true, CUDNN_DATA_HALF);
    ids_ = {Tensor::input, Tensor::weights, Tensor::output};
    data_ = {input_.data(), weights_.data(), output_.data()};
    int left = (s.bias ? 1 : 0) + (s.residual ? 1 : 0) + (s.relu ? 1 : 0);
    const auto next = [&](std::int64_t id) { return left == 0 ? map(Tensor::output, true) : map(id, false); };

    std::vector<Descriptor> nodes;
    Descriptor last = next(Tensor::convolved);
    nodes.push_back(convolution_node(convolution(s), x, w, last));
    const auto follow = [&](const Descriptor* operand, std::int64_t id) {
      --left;
      Descriptor y = next(id);
      nodes.push_back(pointwise_node(last, operand, y));
      last = std::move(y);
    };
    if (s.bias) {
      const Descriptor b = tensor(Tensor::bias, 1, s.out, 1, 1, true, CUDNN_DATA_HALF);
      ids_.push_back(Tensor::bias);
      data_.push_back(bias_.data());
      follow(&b, Tensor::biased);
    }
    if (s.residual) {
      const Descriptor r = map(Tensor::residual, true);
      ids_.push_back(Tensor::residual);
      data_.push_back(residual_.data());
      follow(&r, Tensor::added);
    }
    if (s.relu) follow(nullptr, Tensor::output);

    std::vector<cudnnBackendDescriptor_t> operations;
    for (const Descriptor& node : nodes) operations.push_back(node.get());
    Descriptor graph(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
    graph.set<CUDNN_TYPE_HANDLE>(CUDNN_ATTR_OPERATIONGRAPH_HANDLE, {handle_})
        .set<CUDNN_TYPE_BACKEND_DESCRIPTOR>(CUDNN_ATTR_OPERATIONGRAPH_OPS, operations);
    graph.finalize("a graph");
    return graph;
  }

  /// Engine configurations, the likeliest first.
  std::vector<Descriptor> configurations(const Descriptor& graph, cudnnBackendHeurMode_t mode) const {
    Descriptor heuristic(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
    heuristic.set(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph)
        .set<CUDNN_TYPE_HEUR_MODE>(CUDNN_ATTR_ENGINEHEUR_MODE, {mode});
    std::vector<Descriptor> found;
    std::int64_t count = 0;
    if (!heuristic.finalizes()) return found;
    cudnn_.check(cudnn_.cudnnBackendGetAttribute(heuristic.get(), CUDNN_ATTR_ENGINEHEUR_RESULTS,
                                                 CUDNN_TYPE_BACKEND_DESCRIPTOR, 0, &count, nullptr),
                 "cudnnBackendGetAttribute of the number of engines");
    std::vector<cudnnBackendDescriptor_t> handles;
    for (std::int64_t i = 0; i < count; ++i) {
      found.emplace_back(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR);
      handles.push_back(found.back().get());
    }
    cudnn_.check(cudnn_.cudnnBackendGetAttribute(heuristic.get(), CUDNN_ATTR_ENGINEHEUR_RESULTS,
                                                 CUDNN_TYPE_BACKEND_DESCRIPTOR, count, &count, handles.data()),
                 "cudnnBackendGetAttribute of the engines");
    while (static_cast<std::int64_t>(found.size()) > count) found.pop_back();
    return found;
  }

  void choose(const Descriptor& graph) {
    using Clock = std::chrono::steady_clock;
    const Clock::time_point end = Clock::now() + std::chrono::seconds(3);  // some engines are compiled on the way
    const Stopwatch stopwatch(stream_);
    double best = std::numeric_limits<double>::infinity();
    for (const cudnnBackendHeurMode_t mode : {CUDNN_HEUR_MODE_A, CUDNN_HEUR_MODE_FALLBACK}) {
      if (tried_ > 0) break;
      for (const Descriptor& configuration : configurations(graph, mode)) {
        if (tried_ > 0 && Clock::now() > end) break;
        Descriptor plan(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
        plan.set<CUDNN_TYPE_HANDLE>(CUDNN_ATTR_EXECUTION_PLAN_HANDLE, {handle_})
            .set(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, configuration);
        if (plan.finalizes()) try_plan(std::move(plan), stopwatch, best);
      }
    }
    if (!plan_) throw Error("cuDNN: expected an engine for this shape, found none");
  }

  void try_plan(Descriptor plan, const Stopwatch& stopwatch, double& best) {
    std::int64_t bytes = 0, count = 0;
    cudnn_.check(cudnn_.cudnnBackendGetAttribute(plan.get(), CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, CUDNN_TYPE_INT64,
                                                 1, &count, &bytes),
                 "cudnnBackendGetAttribute of the workspace");
    cuda::DeviceMemory workspace(stream_.context(), static_cast<std::size_t>(std::max<std::int64_t>(bytes, 256)));
    Descriptor pack(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
    pack.set<CUDNN_TYPE_INT64>(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, ids_)
        .set<CUDNN_TYPE_VOID_PTR>(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, data_)
        .set<CUDNN_TYPE_VOID_PTR>(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, {workspace.data()});
    pack.finalize("a variant pack");
    const auto run = [&] { return cudnn_.cudnnBackendExecute(handle_, plan.get(), pack.get()); };
    constexpr int repeats = 10;
    if (run() != CUDNN_STATUS_SUCCESS) return;
    ++tried_;
    const double seconds = stopwatch.warm(stopwatch.record(run, repeats), repeats);
    if (seconds >= best) return;
    best = seconds;
    plan_ = std::move(plan);
    pack_ = std::move(pack);
    workspace_ = std::move(workspace);
  }

  const Cudnn& cudnn_ = Cudnn::instance();
  cuda::SessionStream& stream_;
  std::int64_t in_channels_;
  cuda::DeviceMemory input_, weights_, bias_, residual_, output_;
  cudnnHandle_t handle_ = nullptr;
  std::vector<std::int64_t> ids_;
  std::vector<void*> data_;
  std::optional<Descriptor> plan_, pack_;
  std::optional<cuda::DeviceMemory> workspace_;
  int tried_ = 0;
};

}  // namespace

std::unique_ptr<Rival> make_cudnn(cuda::SessionStream& stream, const ConvShape& shape) {
  return std::make_unique<CudnnConv>(stream, shape);
}

void require_cudnn() { Cudnn::instance(); }

}  // namespace maskrt::bench

#else

namespace maskrt::bench {

std::unique_ptr<Rival> make_cudnn(cuda::SessionStream&, const ConvShape&) {
  require_cudnn();
  return nullptr;
}

void require_cudnn() { throw Error("cuDNN: expected cudnn_backend.h when this was built, found none"); }

}  // namespace maskrt::bench

#endif
