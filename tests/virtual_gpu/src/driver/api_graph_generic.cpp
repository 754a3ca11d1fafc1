// CUDA driver API, 6.26 "Graph Management": nodes of any kind, by one structure.
#include <cstring>

#include "driver/objects/new_node.h"

using namespace vgpu::driver;
using vgpu::engine::Node;

namespace {

CUDA_KERNEL_NODE_PARAMS kernel_of(const CUgraphNodeParams& params) {
  CUDA_KERNEL_NODE_PARAMS kernel;
  static_assert(sizeof kernel == sizeof params.kernel);
  std::memcpy(&kernel, &params.kernel, sizeof kernel);
  return kernel;
}

CUDA_MEMSET_NODE_PARAMS set_of(const CUgraphNodeParams& params) {
  const auto& m = params.memset;
  return {m.dst, m.pitch, m.value, m.elementSize, m.width, m.height};
}

CUDA_HOST_NODE_PARAMS host_of(const CUgraphNodeParams& params) { return {params.host.fn, params.host.userData}; }

[[noreturn]] void no_such_kind() {
  throw Status(CUDA_ERROR_NOT_SUPPORTED, "expected a kind of node that the virtual GPU has");
}

CUresult add_any(const NewNode& where, CUgraphNodeParams* params) {
  require_value(params != nullptr, "expected parameters, found a null pointer");
  switch (params->type) {
    case CU_GRAPH_NODE_TYPE_KERNEL: {
      const CUDA_KERNEL_NODE_PARAMS kernel = kernel_of(*params);
      return where.add_work(&kernel);
    }
    case CU_GRAPH_NODE_TYPE_MEMCPY:
      return where.add_work(&params->memcpy.copyParams);
    case CU_GRAPH_NODE_TYPE_MEMSET: {
      const CUDA_MEMSET_NODE_PARAMS set = set_of(*params);
      return where.add_work(&set);
    }
    case CU_GRAPH_NODE_TYPE_HOST: {
      const CUDA_HOST_NODE_PARAMS host = host_of(*params);
      return where.add_work(&host);
    }
    case CU_GRAPH_NODE_TYPE_GRAPH:
      return where.add_child(params->graph.graph);
    case CU_GRAPH_NODE_TYPE_EMPTY:
      return where.add_empty();
    case CU_GRAPH_NODE_TYPE_WAIT_EVENT:
      return where.add_wait(params->eventWait.event);
    case CU_GRAPH_NODE_TYPE_EVENT_RECORD:
      return where.add_record(params->eventRecord.event);
    case CU_GRAPH_NODE_TYPE_MEM_ALLOC: {
      CUDA_MEM_ALLOC_NODE_PARAMS allocation;
      static_assert(sizeof allocation == sizeof params->alloc);
      std::memcpy(&allocation, &params->alloc, sizeof allocation);
      const CUresult status = where.add_allocation(&allocation);
      params->alloc.dptr = allocation.dptr;
      return status;
    }
    case CU_GRAPH_NODE_TYPE_MEM_FREE:
      return where.add_free(params->free.dptr);
    default:
      no_such_kind();
  }
}

/// What a kernel, copy, set or host node does with these parameters.
vgpu::engine::Work work_of_any(const CUgraphNodeParams& params) {
  Driver& driver = Driver::get();
  switch (params.type) {
    case CU_GRAPH_NODE_TYPE_KERNEL: {
      const CUDA_KERNEL_NODE_PARAMS kernel = kernel_of(params);
      return work_of(driver, &kernel);
    }
    case CU_GRAPH_NODE_TYPE_MEMCPY:
      return work_of(driver, &params.memcpy.copyParams);
    case CU_GRAPH_NODE_TYPE_MEMSET: {
      const CUDA_MEMSET_NODE_PARAMS set = set_of(params);
      return work_of(driver, &set);
    }
    case CU_GRAPH_NODE_TYPE_HOST: {
      const CUDA_HOST_NODE_PARAMS host = host_of(params);
      return work_of(driver, &host);
    }
    default:
      no_such_kind();
  }
}

std::shared_ptr<vgpu::engine::EventState> event_of(const CUgraphNodeParams& params) {
  const CUevent event =
      params.type == CU_GRAPH_NODE_TYPE_WAIT_EVENT ? params.eventWait.event : params.eventRecord.event;
  return Driver::get().events.get(event)->event->state();
}

bool is_event(CUgraphNodeType type) {
  return type == CU_GRAPH_NODE_TYPE_WAIT_EVENT || type == CU_GRAPH_NODE_TYPE_EVENT_RECORD;
}

Node* node_like(CUgraphNode handle, const CUgraphNodeParams* params) {
  require_value(params != nullptr, "expected parameters, found a null pointer");
  Node* node = Driver::get().graphs->get(handle);
  require_value(type_of(node->kind()) == params->type, "expected parameters of the node's own kind");
  return node;
}

}  // namespace

VGPU_API(cuGraphAddNode_v2,
         (CUgraphNode * node, CUgraph graph, const CUgraphNode* dependencies, const CUgraphEdgeData* data, size_t count,
          CUgraphNodeParams* params),
         (node, graph, dependencies, data, count, params)) {
  return add_any({node, graph, dependencies, count, data}, params);
}

VGPU_API(cuGraphAddNode,
         (CUgraphNode * node, CUgraph graph, const CUgraphNode* dependencies, size_t count, CUgraphNodeParams* params),
         (node, graph, dependencies, count, params)) {
  return add_any({node, graph, dependencies, count}, params);
}

VGPU_API(cuGraphNodeSetParams, (CUgraphNode handle, CUgraphNodeParams* params), (handle, params)) {
  Node* node = node_like(handle, params);
  if (is_event(params->type)) {
    node->graph().set_event(node, event_of(*params));
  } else {
    node->graph().set_work(node, work_of_any(*params));
  }
  return CUDA_SUCCESS;
}

VGPU_API(cuGraphExecNodeSetParams, (CUgraphExec handle, CUgraphNode node_handle, CUgraphNodeParams* params),
         (handle, node_handle, params)) {
  const Node* node = node_like(node_handle, params);
  Driver& driver = Driver::get();
  const std::shared_ptr<GraphExecObject> object = driver.graph_execs.get(handle, CUDA_ERROR_INVALID_VALUE);
  if (is_event(params->type)) {
    object->exec->set_event(node, event_of(*params));
  } else if (params->type == CU_GRAPH_NODE_TYPE_GRAPH) {
    object->exec->set_child(node, *driver.graphs->get(params->graph.graph));
  } else {
    object->exec->set_work(node, work_of_any(*params));
  }
  return CUDA_SUCCESS;
}
