// CUDA driver API, 6.26 "Graph Management": executable graphs.
#include <cstring>

#include "driver/objects/graphs.h"
#include "driver/objects/streams.h"

using namespace vgpu::driver;
using vgpu::engine::GraphExec;

namespace {

constexpr cuuint64_t kKnownFlags = CUDA_GRAPH_INSTANTIATE_FLAG_AUTO_FREE_ON_LAUNCH |
                                   CUDA_GRAPH_INSTANTIATE_FLAG_UPLOAD | CUDA_GRAPH_INSTANTIATE_FLAG_DEVICE_LAUNCH |
                                   CUDA_GRAPH_INSTANTIATE_FLAG_USE_NODE_PRIORITY;

GraphExec::Instantiation instantiate(CUgraph graph, cuuint64_t flags, CUgraphExec* exec) {
  require_value(exec != nullptr, "expected room for the executable graph, found a null pointer");
  *exec = nullptr;
  require_value((flags & ~kKnownFlags) == 0, "expected flags of cuGraphInstantiate");
  require((flags & CUDA_GRAPH_INSTANTIATE_FLAG_DEVICE_LAUNCH) == 0, CUDA_ERROR_NOT_SUPPORTED,
          "expected a graph that the host launches, found CUDA_GRAPH_INSTANTIATE_FLAG_DEVICE_LAUNCH");
  Driver& driver = Driver::get();
  driver.inject(FailureKind::graph, CUDA_ERROR_OUT_OF_MEMORY);
  GraphExec::Instantiation made = GraphExec::instantiate(
      *driver.graphs->get(graph), (flags & CUDA_GRAPH_INSTANTIATE_FLAG_AUTO_FREE_ON_LAUNCH) != 0);
  if (made.exec != nullptr) {
    auto object = std::make_shared<GraphExecObject>();
    object->exec = std::move(made.exec);
    object->flags = flags;
    *exec = driver.graph_execs.add(std::move(object));
  }
  return made;
}

CUgraphNode handle_or_null(const vgpu::engine::Node* node) {
  return node == nullptr ? nullptr : Driver::get().graphs->handle_of(node);
}

std::shared_ptr<GraphExecObject> exec_of(CUgraphExec exec) {
  return Driver::get().graph_execs.get(exec, CUDA_ERROR_INVALID_VALUE);
}

}  // namespace

VGPU_API(cuGraphInstantiateWithFlags, (CUgraphExec * exec, CUgraph graph, unsigned long long flags),
         (exec, graph, flags)) {
  require_value((flags & CUDA_GRAPH_INSTANTIATE_FLAG_UPLOAD) == 0, "expected no upload without a stream for it");
  return instantiate(graph, flags, exec).exec == nullptr && *exec == nullptr ? CUDA_ERROR_INVALID_VALUE : CUDA_SUCCESS;
}

VGPU_API(cuGraphInstantiate_v2,
         (CUgraphExec * exec, CUgraph graph, CUgraphNode* error_node, char* log, size_t log_size),
         (exec, graph, error_node, log, log_size)) {
  const GraphExec::Instantiation made = instantiate(graph, 0, exec);
  if (error_node != nullptr) *error_node = handle_or_null(made.error_node);
  if (log != nullptr && log_size > 0) *log = '\0';
  return *exec == nullptr ? CUDA_ERROR_INVALID_VALUE : CUDA_SUCCESS;
}

VGPU_API_ALIAS(cuGraphInstantiate, cuGraphInstantiate_v2,
               (CUgraphExec * exec, CUgraph graph, CUgraphNode* error_node, char* log, size_t log_size),
               (exec, graph, error_node, log, log_size))

VGPU_STREAM_API(cuGraphInstantiateWithParams, _ptsz,
                (CUgraphExec * exec, CUgraph graph, CUDA_GRAPH_INSTANTIATE_PARAMS* params), (exec, graph, params)) {
  require_value(params != nullptr, "expected parameters, found a null pointer");
  params->hErrNode_out = nullptr;
  params->result_out = CUDA_GRAPH_INSTANTIATE_ERROR;
  if ((params->flags & CUDA_GRAPH_INSTANTIATE_FLAG_UPLOAD) != 0) stream_of(Driver::get(), params->hUploadStream);
  const GraphExec::Instantiation made = instantiate(graph, params->flags, exec);
  params->hErrNode_out = handle_or_null(made.error_node);
  params->result_out = static_cast<CUgraphInstantiateResult>(made.result);
  return *exec == nullptr ? CUDA_ERROR_INVALID_VALUE : CUDA_SUCCESS;
}

VGPU_API(cuGraphExecGetFlags, (CUgraphExec exec, cuuint64_t* flags), (exec, flags)) {
  require_value(flags != nullptr, "expected room for the flags, found a null pointer");
  *flags = exec_of(exec)->flags;
  return CUDA_SUCCESS;
}

VGPU_API(cuGraphExecDestroy, (CUgraphExec exec), (exec)) {
  Driver::get().graph_execs.remove(exec, CUDA_ERROR_INVALID_VALUE);
  return CUDA_SUCCESS;
}

VGPU_STREAM_API(cuGraphLaunch, _ptsz, (CUgraphExec exec, CUstream stream), (exec, stream)) {
  const std::shared_ptr<GraphExecObject> object = exec_of(exec);
  Driver& driver = Driver::get();
  const StreamRef found = stream_of(driver, stream);
  driver.inject(FailureKind::launch, CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES);
  found->launch(*object->exec);
  return CUDA_SUCCESS;
}

VGPU_STREAM_API(cuGraphUpload, _ptsz, (CUgraphExec exec, CUstream stream), (exec, stream)) {
  exec_of(exec);
  stream_of(Driver::get(), stream);
  return CUDA_SUCCESS;
}

VGPU_API(cuGraphExecUpdate_v2, (CUgraphExec exec, CUgraph graph, CUgraphExecUpdateResultInfo* result),
         (exec, graph, result)) {
  require_value(result != nullptr, "expected room for the result, found a null pointer");
  std::memset(result, 0, sizeof *result);
  const GraphExec::Update update = exec_of(exec)->exec->update(*Driver::get().graphs->get(graph));
  result->result = static_cast<CUgraphExecUpdateResult>(update.result);
  result->errorNode = handle_or_null(update.error_node);
  result->errorFromNode = handle_or_null(update.error_from_node);
  return update.result == vgpu::engine::UpdateResult::success ? CUDA_SUCCESS : CUDA_ERROR_GRAPH_EXEC_UPDATE_FAILURE;
}

VGPU_API(cuGraphExecUpdate, (CUgraphExec exec, CUgraph graph, CUgraphNode* error_node, CUgraphExecUpdateResult* result),
         (exec, graph, error_node, result)) {
  require_value(result != nullptr, "expected room for the result, found a null pointer");
  CUgraphExecUpdateResultInfo info{};
  const CUresult status = cuGraphExecUpdate_v2_body(exec, graph, &info);
  *result = info.result;
  if (error_node != nullptr) *error_node = info.errorNode;
  return status;
}

VGPU_API(cuGraphNodeSetEnabled, (CUgraphExec exec, CUgraphNode node, unsigned int enabled), (exec, node, enabled)) {
  exec_of(exec)->exec->set_enabled(Driver::get().graphs->get(node), enabled != 0);
  return CUDA_SUCCESS;
}

VGPU_API(cuGraphNodeGetEnabled, (CUgraphExec exec, CUgraphNode node, unsigned int* enabled), (exec, node, enabled)) {
  require_value(enabled != nullptr, "expected room for the answer, found a null pointer");
  *enabled = exec_of(exec)->exec->enabled(Driver::get().graphs->get(node)) ? 1 : 0;
  return CUDA_SUCCESS;
}

VGPU_API(cuGraphExecChildGraphNodeSetParams, (CUgraphExec exec, CUgraphNode node, CUgraph graph), (exec, node, graph)) {
  GraphTable& graphs = *Driver::get().graphs;
  exec_of(exec)->exec->set_child(graphs.get(node), *graphs.get(graph));
  return CUDA_SUCCESS;
}

VGPU_API(cuGraphExecEventRecordNodeSetEvent, (CUgraphExec exec, CUgraphNode node, CUevent event), (exec, node, event)) {
  Driver& driver = Driver::get();
  exec_of(exec)->exec->set_event(driver.graphs->get(node), driver.events.get(event)->event->state());
  return CUDA_SUCCESS;
}

VGPU_API(cuGraphExecEventWaitNodeSetEvent, (CUgraphExec exec, CUgraphNode node, CUevent event), (exec, node, event)) {
  return cuGraphExecEventRecordNodeSetEvent_body(exec, node, event);
}
