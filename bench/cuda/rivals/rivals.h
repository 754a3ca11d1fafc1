// NVIDIA's own libraries on the shapes of a network's layers, fp16 with fp32 sums.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "runtime/cuda/session_stream.h"

namespace maskrt::bench {

/// One layer in a library's hands, with memory of its own and its fastest algorithm chosen by measuring.
class Rival {
 public:
  virtual ~Rival() = default;
  /// Sends one run to the stream that it was made for.
  virtual void send() = 0;
  /// What was measured, for people: "cuBLAS 13.1, the best of 8 algorithms".
  virtual std::string description() const = 0;
};

/// D = activation(A x B + bias), column-major as in cuBLAS: D [m, n], A [m, k], B [k, n], `batches` times.
struct ProductShape {
  std::int64_t m = 0, n = 0, k = 0, batches = 1;
  bool a_by_k = true, b_by_k = true;  ///< neighbours in memory are neighbours along k; else along m, or n
  bool bias = false, relu = false;
};

/// NHWC. The residual is of the output's shape.
struct ConvShape {
  std::int64_t batch = 0, height = 0, width = 0, in = 0, out = 0, out_height = 0, out_width = 0;
  int kernel_height = 1, kernel_width = 1, stride = 1, padding = 0, dilation = 1, groups = 1;
  bool bias = false, residual = false, relu = false;
};

struct RivalOfLayer {
  std::string name;  ///< "cublas", "cudnn"
  /// Throws Error where the library has no algorithm for the shape, or refuses the device.
  std::function<std::unique_ptr<Rival>(cuda::SessionStream&)> make;
};

/// Those that compute the layer of that name on that network: cuBLAS what is a matrix product, cuDNN convolutions. None
/// from libraries that are not there.
std::vector<RivalOfLayer> rivals_of(const graph::Graph& graph, const std::vector<graph::Extent>& extents,
                                    const std::string& layer);

/// A sentence for each library that cannot be had, and why: not installed, or not known when this was built.
std::vector<std::string> absent_rivals();

// One for each library; throw Error.
std::unique_ptr<Rival> make_cublas(cuda::SessionStream& stream, const ProductShape& shape);
std::unique_ptr<Rival> make_cudnn(cuda::SessionStream& stream, const ConvShape& shape);
/// Opens the library and finds every entry point; throws Error.
void require_cublas();
void require_cudnn();

}  // namespace maskrt::bench
