// cuBLASLt: D = activation(A x B + bias).
#include "rivals.h"

#if __has_include(<cublasLt.h>)
#include <cublasLt.h>

#include <limits>

#include "bench/cuda/measured.h"
#include "library.h"
#include "operand.h"

namespace maskrt::bench {
namespace {

#define MASKRT_CUBLAS_ENTRY_POINTS(X) \
  X(cublasLtCreate)                   \
  X(cublasLtDestroy)                  \
  X(cublasLtGetVersion)               \
  X(cublasLtGetStatusName)            \
  X(cublasLtMatmulDescCreate)         \
  X(cublasLtMatmulDescDestroy)        \
  X(cublasLtMatmulDescSetAttribute)   \
  X(cublasLtMatrixLayoutCreate)       \
  X(cublasLtMatrixLayoutDestroy)      \
  X(cublasLtMatrixLayoutSetAttribute) \
  X(cublasLtMatmulPreferenceCreate)   \
  X(cublasLtMatmulPreferenceDestroy)  \
  X(cublasLtMatmulPreferenceSetAttribute) X(cublasLtMatmulAlgoGetHeuristic) X(cublasLtMatmul)

/// The library's functions under their own names.
struct Cublas {
  Cublas() {
    const Library library("cuBLAS", {"libcublasLt.so.13", "libcublasLt.so.12"});
#define MASKRT_FIND(name) library.find(name, #name);
    MASKRT_CUBLAS_ENTRY_POINTS(MASKRT_FIND)
#undef MASKRT_FIND
  }
#define MASKRT_MEMBER(name) decltype(&::name) name = nullptr;
  MASKRT_CUBLAS_ENTRY_POINTS(MASKRT_MEMBER)
#undef MASKRT_MEMBER

  static const Cublas& instance() {
    static const Cublas cublas;
    return cublas;
  }
  void check(cublasStatus_t status, const char* call) const {
    if (status != CUBLAS_STATUS_SUCCESS)
      throw Error(std::string("cuBLAS: ") + call + " answered " + cublasLtGetStatusName(status));
  }
};

/// RAII for the library's handles.
template <typename T>
using Owned = std::unique_ptr<std::remove_pointer_t<T>, cublasStatus_t (*)(T)>;

class CublasProduct final : public Rival {
 public:
  CublasProduct(cuda::SessionStream& stream, const ProductShape& shape)
      : stream_(stream),
        handle_(made<cublasLtHandle_t>(cublas_.cublasLtCreate, cublas_.cublasLtDestroy)),
        operation_(operation_of(shape)),
        a_layout_(layout(shape.a_by_k, shape.k, shape.m, shape.batches)),
        b_layout_(layout(!shape.b_by_k, shape.n, shape.k, shape.batches)),
        d_layout_(layout(true, shape.m, shape.n, shape.batches)),
        a_(random_halves(stream, shape.batches * shape.m * shape.k)),
        b_(random_halves(stream, shape.batches * shape.k * shape.n)),
        d_(random_halves(stream, shape.batches * shape.m * shape.n)),
        bias_(random_halves(stream, shape.m)),
        workspace_(stream.context(), kWorkspaceBytes) {
    if (shape.bias) {
      const void* const bias = bias_.data();
      set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, bias);
    }
    choose();
  }

  void send() override {
    const cuda::CurrentContext current(*stream_.context());
    cublas_.check(run(algorithm_), "cublasLtMatmul");
  }
  std::string description() const override {
    return "cuBLAS " + std::to_string(cublas_.cublasLtGetVersion()) + ", the best of " + std::to_string(tried_) +
           " algorithms";
  }

 private:
  static constexpr std::size_t kWorkspaceBytes = std::size_t{64} << 20;

  template <typename T, typename Create, typename Destroy, typename... Arguments>
  Owned<T> made(Create create, Destroy destroy, Arguments... arguments) const {
    const cuda::CurrentContext current(*stream_.context());
    T object = nullptr;
    cublas_.check(create(&object, arguments...), "a call that makes an object");
    return Owned<T>(object, destroy);
  }

  template <typename T>
  void set(cublasLtMatmulDescAttributes_t attribute, const T& value) const {
    cublas_.check(cublas_.cublasLtMatmulDescSetAttribute(operation_.get(), attribute, &value, sizeof value),
                  "cublasLtMatmulDescSetAttribute");
  }

  Owned<cublasLtMatmulDesc_t> operation_of(const ProductShape& shape) {
    auto operation = made<cublasLtMatmulDesc_t>(cublas_.cublasLtMatmulDescCreate, cublas_.cublasLtMatmulDescDestroy,
                                                CUBLAS_COMPUTE_32F, CUDA_R_32F);
    const cublasOperation_t a = shape.a_by_k ? CUBLAS_OP_T : CUBLAS_OP_N, b = shape.b_by_k ? CUBLAS_OP_N : CUBLAS_OP_T;
    const cublasLtEpilogue_t epilogue = shape.bias && shape.relu ? CUBLASLT_EPILOGUE_RELU_BIAS
                                        : shape.bias             ? CUBLASLT_EPILOGUE_BIAS
                                        : shape.relu             ? CUBLASLT_EPILOGUE_RELU
                                                                 : CUBLASLT_EPILOGUE_DEFAULT;
    const auto set_here = [&](cublasLtMatmulDescAttributes_t attribute, const auto& value) {
      cublas_.check(cublas_.cublasLtMatmulDescSetAttribute(operation.get(), attribute, &value, sizeof value),
                    "cublasLtMatmulDescSetAttribute");
    };
    set_here(CUBLASLT_MATMUL_DESC_TRANSA, a);
    set_here(CUBLASLT_MATMUL_DESC_TRANSB, b);
    set_here(CUBLASLT_MATMUL_DESC_EPILOGUE, epilogue);
    return operation;
  }

  /// Column-major rows x columns where `as_named`, else its transpose.
  Owned<cublasLtMatrixLayout_t> layout(bool as_named, std::int64_t rows, std::int64_t columns, std::int64_t batches) {
    if (!as_named) std::swap(rows, columns);
    auto made_layout = made<cublasLtMatrixLayout_t>(
        cublas_.cublasLtMatrixLayoutCreate, cublas_.cublasLtMatrixLayoutDestroy, CUDA_R_16F,
        static_cast<std::uint64_t>(rows), static_cast<std::uint64_t>(columns), rows);
    const auto count = static_cast<std::int32_t>(batches);
    const std::int64_t stride = rows * columns;
    const auto set_here = [&](cublasLtMatrixLayoutAttribute_t attribute, const auto& value) {
      cublas_.check(cublas_.cublasLtMatrixLayoutSetAttribute(made_layout.get(), attribute, &value, sizeof value),
                    "cublasLtMatrixLayoutSetAttribute");
    };
    set_here(CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, count);
    set_here(CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, stride);
    return made_layout;
  }

  cublasStatus_t run(const cublasLtMatmulAlgo_t& algorithm) const {
    const float one = 1, zero = 0;
    return cublas_.cublasLtMatmul(handle_.get(), operation_.get(), &one, a_.data(), a_layout_.get(), b_.data(),
                                  b_layout_.get(), &zero, d_.data(), d_layout_.get(), d_.data(), d_layout_.get(),
                                  &algorithm, workspace_.data(), kWorkspaceBytes, stream_.stream().get());
  }

  void choose() {
    const cuda::CurrentContext current(*stream_.context());
    const auto preference = made<cublasLtMatmulPreference_t>(cublas_.cublasLtMatmulPreferenceCreate,
                                                             cublas_.cublasLtMatmulPreferenceDestroy);
    cublas_.check(
        cublas_.cublasLtMatmulPreferenceSetAttribute(preference.get(), CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES,
                                                     &kWorkspaceBytes, sizeof kWorkspaceBytes),
        "cublasLtMatmulPreferenceSetAttribute");
    cublasLtMatmulHeuristicResult_t found[16];
    int count = 0;
    cublas_.check(
        cublas_.cublasLtMatmulAlgoGetHeuristic(handle_.get(), operation_.get(), a_layout_.get(), b_layout_.get(),
                                               d_layout_.get(), d_layout_.get(), preference.get(), 16, found, &count),
        "cublasLtMatmulAlgoGetHeuristic");
    const Stopwatch stopwatch(stream_);
    constexpr int repeats = 10;
    double best = std::numeric_limits<double>::infinity();
    for (int i = 0; i < count; ++i) {
      if (found[i].state != CUBLAS_STATUS_SUCCESS || run(found[i].algo) != CUBLAS_STATUS_SUCCESS) continue;
      ++tried_;
      const double seconds = stopwatch.warm(stopwatch.record([&] { run(found[i].algo); }, repeats), repeats);
      if (seconds >= best) continue;
      best = seconds;
      algorithm_ = found[i].algo;
    }
    if (tried_ == 0) throw Error("cuBLAS: expected an algorithm for this shape, found none");
  }

  const Cublas& cublas_ = Cublas::instance();
  cuda::SessionStream& stream_;
  Owned<cublasLtHandle_t> handle_;
  Owned<cublasLtMatmulDesc_t> operation_;
  Owned<cublasLtMatrixLayout_t> a_layout_, b_layout_, d_layout_;
  cuda::DeviceMemory a_, b_, d_, bias_, workspace_;
  cublasLtMatmulAlgo_t algorithm_{};
  int tried_ = 0;
};

}  // namespace

std::unique_ptr<Rival> make_cublas(cuda::SessionStream& stream, const ProductShape& shape) {
  return std::make_unique<CublasProduct>(stream, shape);
}

void require_cublas() { Cublas::instance(); }

}  // namespace maskrt::bench

#else

namespace maskrt::bench {

std::unique_ptr<Rival> make_cublas(cuda::SessionStream&, const ProductShape&) {
  require_cublas();
  return nullptr;
}

void require_cublas() { throw Error("cuBLAS: expected cublasLt.h when this was built, found none"); }

}  // namespace maskrt::bench

#endif
