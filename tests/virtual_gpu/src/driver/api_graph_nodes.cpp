// CUDA driver API, 6.26 "Graph Management": nodes of copies, sets, host functions, events and memory.
#include "driver/objects/new_node.h"

using namespace vgpu::driver;
using vgpu::engine::Node;
using vgpu::engine::WorkKind;

namespace {

CUresult get_event(CUgraphNode handle, WorkKind kind, CUevent* event) {
  require_value(event != nullptr, "expected room for the event, found a null pointer");
  const auto state = node_of(handle, kind)->event();
  *event = Driver::get().events.handle_of([&](const EventObject& object) { return object.event->state() == state; });
  return CUDA_SUCCESS;
}

CUresult set_event(CUgraphNode handle, WorkKind kind, CUevent event) {
  Node* node = node_of(handle, kind);
  node->graph().set_event(node, Driver::get().events.get(event)->event->state());
  return CUDA_SUCCESS;
}

}  // namespace

VGPU_API(cuGraphAddMemcpyNode,
         (CUgraphNode * node, CUgraph graph, const CUgraphNode* dependencies, size_t count, const CUDA_MEMCPY3D* params,
          CUcontext context),
         (node, graph, dependencies, count, params, context)) {
  Driver::get().contexts.get(context, CUDA_ERROR_INVALID_CONTEXT);
  return NewNode{node, graph, dependencies, count}.add_work(params);
}

VGPU_API(cuGraphAddMemsetNode,
         (CUgraphNode * node, CUgraph graph, const CUgraphNode* dependencies, size_t count,
          const CUDA_MEMSET_NODE_PARAMS* params, CUcontext context),
         (node, graph, dependencies, count, params, context)) {
  Driver::get().contexts.get(context, CUDA_ERROR_INVALID_CONTEXT);
  return NewNode{node, graph, dependencies, count}.add_work(params);
}

VGPU_API(cuGraphAddHostNode,
         (CUgraphNode * node, CUgraph graph, const CUgraphNode* dependencies, size_t count,
          const CUDA_HOST_NODE_PARAMS* params),
         (node, graph, dependencies, count, params)) {
  return NewNode{node, graph, dependencies, count}.add_work(params);
}

VGPU_API(cuGraphAddChildGraphNode,
         (CUgraphNode * node, CUgraph graph, const CUgraphNode* dependencies, size_t count, CUgraph child),
         (node, graph, dependencies, count, child)) {
  return NewNode{node, graph, dependencies, count}.add_child(child);
}

VGPU_API(cuGraphAddEmptyNode, (CUgraphNode * node, CUgraph graph, const CUgraphNode* dependencies, size_t count),
         (node, graph, dependencies, count)) {
  return NewNode{node, graph, dependencies, count}.add_empty();
}

VGPU_API(cuGraphAddEventRecordNode,
         (CUgraphNode * node, CUgraph graph, const CUgraphNode* dependencies, size_t count, CUevent event),
         (node, graph, dependencies, count, event)) {
  return NewNode{node, graph, dependencies, count}.add_record(event);
}

VGPU_API(cuGraphAddEventWaitNode,
         (CUgraphNode * node, CUgraph graph, const CUgraphNode* dependencies, size_t count, CUevent event),
         (node, graph, dependencies, count, event)) {
  return NewNode{node, graph, dependencies, count}.add_wait(event);
}

VGPU_API(cuGraphAddMemAllocNode,
         (CUgraphNode * node, CUgraph graph, const CUgraphNode* dependencies, size_t count,
          CUDA_MEM_ALLOC_NODE_PARAMS* params),
         (node, graph, dependencies, count, params)) {
  return NewNode{node, graph, dependencies, count}.add_allocation(params);
}

VGPU_API(cuGraphAddMemFreeNode,
         (CUgraphNode * node, CUgraph graph, const CUgraphNode* dependencies, size_t count, CUdeviceptr address),
         (node, graph, dependencies, count, address)) {
  return NewNode{node, graph, dependencies, count}.add_free(address);
}

VGPU_API(cuGraphMemcpyNodeGetParams, (CUgraphNode node, CUDA_MEMCPY3D* params), (node, params)) {
  return get_params(node, WorkKind::copy, params);
}

VGPU_API(cuGraphMemcpyNodeSetParams, (CUgraphNode node, const CUDA_MEMCPY3D* params), (node, params)) {
  return set_params(node, WorkKind::copy, params);
}

VGPU_API(cuGraphExecMemcpyNodeSetParams,
         (CUgraphExec exec, CUgraphNode node, const CUDA_MEMCPY3D* params, CUcontext context),
         (exec, node, params, context)) {
  Driver::get().contexts.get(context, CUDA_ERROR_INVALID_CONTEXT);
  return set_exec_params(exec, node, WorkKind::copy, params);
}

VGPU_API(cuGraphMemsetNodeGetParams, (CUgraphNode node, CUDA_MEMSET_NODE_PARAMS* params), (node, params)) {
  return get_params(node, WorkKind::set, params);
}

VGPU_API(cuGraphMemsetNodeSetParams, (CUgraphNode node, const CUDA_MEMSET_NODE_PARAMS* params), (node, params)) {
  return set_params(node, WorkKind::set, params);
}

VGPU_API(cuGraphExecMemsetNodeSetParams,
         (CUgraphExec exec, CUgraphNode node, const CUDA_MEMSET_NODE_PARAMS* params, CUcontext context),
         (exec, node, params, context)) {
  Driver::get().contexts.get(context, CUDA_ERROR_INVALID_CONTEXT);
  return set_exec_params(exec, node, WorkKind::set, params);
}

VGPU_API(cuGraphHostNodeGetParams, (CUgraphNode node, CUDA_HOST_NODE_PARAMS* params), (node, params)) {
  return get_params(node, WorkKind::host, params);
}

VGPU_API(cuGraphHostNodeSetParams, (CUgraphNode node, const CUDA_HOST_NODE_PARAMS* params), (node, params)) {
  return set_params(node, WorkKind::host, params);
}

VGPU_API(cuGraphExecHostNodeSetParams, (CUgraphExec exec, CUgraphNode node, const CUDA_HOST_NODE_PARAMS* params),
         (exec, node, params)) {
  return set_exec_params(exec, node, WorkKind::host, params);
}

VGPU_API(cuGraphEventRecordNodeGetEvent, (CUgraphNode node, CUevent* event), (node, event)) {
  return get_event(node, WorkKind::record_event, event);
}

VGPU_API(cuGraphEventRecordNodeSetEvent, (CUgraphNode node, CUevent event), (node, event)) {
  return set_event(node, WorkKind::record_event, event);
}

VGPU_API(cuGraphEventWaitNodeGetEvent, (CUgraphNode node, CUevent* event), (node, event)) {
  return get_event(node, WorkKind::wait_event, event);
}

VGPU_API(cuGraphEventWaitNodeSetEvent, (CUgraphNode node, CUevent event), (node, event)) {
  return set_event(node, WorkKind::wait_event, event);
}

VGPU_API(cuGraphMemAllocNodeGetParams, (CUgraphNode handle, CUDA_MEM_ALLOC_NODE_PARAMS* params), (handle, params)) {
  require_value(params != nullptr, "expected room for the parameters, found a null pointer");
  const Node* node = node_of(handle, WorkKind::allocate);
  *params = {};
  params->poolProps.allocType = CU_MEM_ALLOCATION_TYPE_PINNED;
  params->poolProps.location.type = CU_MEM_LOCATION_TYPE_DEVICE;
  params->bytesize = node->bytes();
  params->dptr = node->address();
  return CUDA_SUCCESS;
}

VGPU_API(cuGraphMemFreeNodeGetParams, (CUgraphNode node, CUdeviceptr* address), (node, address)) {
  require_value(address != nullptr, "expected room for the address, found a null pointer");
  *address = node_of(node, WorkKind::release)->address();
  return CUDA_SUCCESS;
}
