// CUDA driver API, 6.18 "Stream Management": capture.
#include <vector>

#include "driver/objects/graphs.h"
#include "driver/objects/streams.h"

using namespace vgpu::driver;
using vgpu::engine::CaptureMode;

namespace {

CaptureMode mode_of(CUstreamCaptureMode mode) {
  require_value(mode >= CU_STREAM_CAPTURE_MODE_GLOBAL && mode <= CU_STREAM_CAPTURE_MODE_RELAXED,
                "expected a CUstreamCaptureMode");
  return static_cast<CaptureMode>(mode);
}

std::vector<vgpu::engine::Node*> nodes_of(const CUgraphNode* handles, size_t count) {
  require_value(handles != nullptr || count == 0, "expected an array of nodes, found a null pointer");
  std::vector<vgpu::engine::Node*> nodes;
  for (size_t i = 0; i < count; ++i) nodes.push_back(Driver::get().graphs->get(handles[i]));
  return nodes;
}

std::vector<vgpu::engine::EdgeData> edges_of(const CUgraphEdgeData* data, size_t count) {
  std::vector<vgpu::engine::EdgeData> edges;
  if (data == nullptr) return edges;
  for (size_t i = 0; i < count; ++i) edges.push_back({data[i].from_port, data[i].to_port, data[i].type});
  return edges;
}

/// Storage of the arrays that cuStreamGetCaptureInfo returns pointers to: valid until the thread's next call.
struct InfoArrays {
  std::vector<CUgraphNode> dependencies;
  std::vector<CUgraphEdgeData> edges;
};

CUresult capture_info(CUstream stream, CUstreamCaptureStatus* status, cuuint64_t* id, CUgraph* graph,
                      const CUgraphNode** dependencies, const CUgraphEdgeData** edges, size_t* count) {
  require_value(status != nullptr, "expected room for the status, found a null pointer");
  Driver& driver = Driver::get();
  const vgpu::engine::CaptureInfo info = stream_of(driver, stream)->capture_info();
  *status = static_cast<CUstreamCaptureStatus>(info.status);
  if (info.status != vgpu::engine::CaptureStatus::active) return CUDA_SUCCESS;
  thread_local InfoArrays arrays;
  arrays = {};
  bool annotated = false;
  for (std::size_t i = 0; i < info.dependencies.size(); ++i) {
    arrays.dependencies.push_back(driver.graphs->handle_of(info.dependencies[i]));
    CUgraphEdgeData edge{};
    if (i < info.edge_data.size()) {
      edge.from_port = info.edge_data[i].from_port;
      edge.to_port = info.edge_data[i].to_port;
      edge.type = info.edge_data[i].type;
      annotated |= info.edge_data[i] != vgpu::engine::EdgeData{};
    }
    arrays.edges.push_back(edge);
  }
  require(edges != nullptr || !annotated || dependencies == nullptr, CUDA_ERROR_LOSSY_QUERY,
          "expected room for edge data, which these dependencies have");
  if (id != nullptr) *id = info.id;
  if (graph != nullptr) *graph = driver.graphs->handle_of(info.graph, false);
  if (dependencies != nullptr) *dependencies = arrays.dependencies.data();
  if (edges != nullptr) *edges = arrays.edges.data();
  if (count != nullptr) *count = arrays.dependencies.size();
  return CUDA_SUCCESS;
}

CUresult update_dependencies(CUstream stream, CUgraphNode* dependencies, const CUgraphEdgeData* data, size_t count,
                             unsigned flags) {
  require_value(flags == CU_STREAM_ADD_CAPTURE_DEPENDENCIES || flags == CU_STREAM_SET_CAPTURE_DEPENDENCIES,
                "expected CU_STREAM_ADD_CAPTURE_DEPENDENCIES or CU_STREAM_SET_CAPTURE_DEPENDENCIES");
  stream_of(Driver::get(), stream)
      ->update_capture_dependencies(nodes_of(dependencies, count), edges_of(data, count),
                                    flags == CU_STREAM_SET_CAPTURE_DEPENDENCIES);
  return CUDA_SUCCESS;
}

}  // namespace

VGPU_STREAM_API(cuStreamBeginCapture_v2, _ptsz, (CUstream stream, CUstreamCaptureMode mode), (stream, mode)) {
  stream_of(Driver::get(), stream)->begin_capture(mode_of(mode));
  return CUDA_SUCCESS;
}

VGPU_STREAM_API(cuStreamBeginCapture, _ptsz, (CUstream stream), (stream)) {
  return cuStreamBeginCapture_v2_body(stream, CU_STREAM_CAPTURE_MODE_GLOBAL);
}

VGPU_STREAM_API(cuStreamBeginCaptureToGraph, _ptsz,
                (CUstream stream, CUgraph graph, const CUgraphNode* dependencies, const CUgraphEdgeData* data,
                 size_t count, CUstreamCaptureMode mode),
                (stream, graph, dependencies, data, count, mode)) {
  Driver& driver = Driver::get();
  stream_of(driver, stream)
      ->begin_capture_to(driver.graphs->get(graph), nodes_of(dependencies, count), edges_of(data, count),
                         mode_of(mode));
  return CUDA_SUCCESS;
}

VGPU_STREAM_API(cuStreamEndCapture, _ptsz, (CUstream stream, CUgraph* graph), (stream, graph)) {
  require_value(graph != nullptr, "expected room for the graph, found a null pointer");
  Driver& driver = Driver::get();
  *graph = nullptr;
  const std::shared_ptr<vgpu::engine::Graph> captured = stream_of(driver, stream)->end_capture();
  *graph = driver.graphs->handle_of(captured, true);
  return CUDA_SUCCESS;
}

VGPU_STREAM_API(cuStreamIsCapturing, _ptsz, (CUstream stream, CUstreamCaptureStatus* status), (stream, status)) {
  require_value(status != nullptr, "expected room for the status, found a null pointer");
  *status = static_cast<CUstreamCaptureStatus>(stream_of(Driver::get(), stream)->capture_status());
  return CUDA_SUCCESS;
}

VGPU_STREAM_API(cuStreamGetCaptureInfo, _ptsz, (CUstream stream, CUstreamCaptureStatus* status, cuuint64_t* id),
                (stream, status, id)) {
  return capture_info(stream, status, id, nullptr, nullptr, nullptr, nullptr);
}

VGPU_STREAM_API(cuStreamGetCaptureInfo_v2, _ptsz,
                (CUstream stream, CUstreamCaptureStatus* status, cuuint64_t* id, CUgraph* graph,
                 const CUgraphNode** dependencies, size_t* count),
                (stream, status, id, graph, dependencies, count)) {
  return capture_info(stream, status, id, graph, dependencies, nullptr, count);
}

VGPU_STREAM_API(cuStreamGetCaptureInfo_v3, _ptsz,
                (CUstream stream, CUstreamCaptureStatus* status, cuuint64_t* id, CUgraph* graph,
                 const CUgraphNode** dependencies, const CUgraphEdgeData** edges, size_t* count),
                (stream, status, id, graph, dependencies, edges, count)) {
  return capture_info(stream, status, id, graph, dependencies, edges, count);
}

VGPU_STREAM_API(cuStreamUpdateCaptureDependencies, _ptsz,
                (CUstream stream, CUgraphNode* dependencies, size_t count, unsigned int flags),
                (stream, dependencies, count, flags)) {
  return update_dependencies(stream, dependencies, nullptr, count, flags);
}

VGPU_STREAM_API(cuStreamUpdateCaptureDependencies_v2, _ptsz,
                (CUstream stream, CUgraphNode* dependencies, const CUgraphEdgeData* data, size_t count,
                 unsigned int flags),
                (stream, dependencies, data, count, flags)) {
  return update_dependencies(stream, dependencies, data, count, flags);
}

VGPU_API(cuThreadExchangeStreamCaptureMode, (CUstreamCaptureMode * mode), (mode)) {
  require_value(mode != nullptr, "expected a mode, found a null pointer");
  *mode = static_cast<CUstreamCaptureMode>(vgpu::engine::exchange_thread_capture_mode(mode_of(*mode)));
  return CUDA_SUCCESS;
}
