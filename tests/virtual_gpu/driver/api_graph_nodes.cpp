// CUDA driver API, 6.26 "Graph Management": nodes and their parameters.
#include <cstring>
#include <vector>

#include "driver/objects/graphs.h"
#include "driver/objects/node_params.h"
#include "driver/objects/streams.h"

using namespace vgpu::driver;
using vgpu::engine::EdgeData;
using vgpu::engine::Node;
using vgpu::engine::WorkKind;

namespace {

/// Where a new node goes.
struct NewNode {
  CUgraphNode* result;
  CUgraph graph;
  const CUgraphNode* dependencies;
  size_t count;
  const CUgraphEdgeData* data = nullptr;

  /// Calls make(graph, dependencies, edges), which returns the node.
  template <class F>
  CUresult add(F make) const {
    require_value(result != nullptr, "expected room for the node, found a null pointer");
    require_value(dependencies != nullptr || count == 0, "expected an array of dependencies, found a null pointer");
    GraphTable& graphs = *Driver::get().graphs;
    const std::shared_ptr<vgpu::engine::Graph> owner = graphs.get(graph);
    std::vector<Node*> before;
    std::vector<EdgeData> edges;
    for (size_t i = 0; i < count; ++i) {
      before.push_back(graphs.get(dependencies[i]));
      if (data != nullptr) edges.push_back({data[i].from_port, data[i].to_port, data[i].type});
    }
    *result = graphs.handle_of(make(*owner, before, edges));
    return CUDA_SUCCESS;
  }

  template <class Params>
  CUresult add_work(const Params* params) const {
    return add([&](auto& to, const auto& before, const auto& edges) {
      return to.add(before, work_of(Driver::get(), params), edges);
    });
  }
  CUresult add_empty() const {
    return add([](auto& to, const auto& before, const auto& edges) { return to.add(before, {}, edges); });
  }
  CUresult add_child(CUgraph child) const {
    return add([&](auto& to, const auto& before, const auto& edges) {
      return to.add_child(before, *Driver::get().graphs->get(child), edges);
    });
  }
  CUresult add_record(CUevent event) const {
    return add([&](auto& to, const auto& before, const auto& edges) {
      return to.add_record(before, Driver::get().events.get(event)->event->state(), edges);
    });
  }
  CUresult add_wait(CUevent event) const {
    return add([&](auto& to, const auto& before, const auto& edges) {
      return to.add_wait(before, Driver::get().events.get(event)->event->state(), edges);
    });
  }
  CUresult add_allocation(CUDA_MEM_ALLOC_NODE_PARAMS* params) const {
    require_value(params != nullptr && params->bytesize > 0, "expected parameters and at least one byte");
    Driver::get().inject(FailureKind::alloc, CUDA_ERROR_OUT_OF_MEMORY);
    return add([&](auto& to, const auto& before, const auto& edges) {
      const Node* node = to.add_allocation(before, params->bytesize, *params, edges);
      params->dptr = node->address();
      return node;
    });
  }
  CUresult add_free(CUdeviceptr address) const {
    return add([&](auto& to, const auto& before, const auto& edges) { return to.add_free(before, address, edges); });
  }
};

CUresult add_any(const NewNode& where, CUgraphNodeParams* params) {
  require_value(params != nullptr, "expected parameters, found a null pointer");
  switch (params->type) {
    case CU_GRAPH_NODE_TYPE_KERNEL: {
      CUDA_KERNEL_NODE_PARAMS kernel;
      static_assert(sizeof kernel == sizeof params->kernel);
      std::memcpy(&kernel, &params->kernel, sizeof kernel);
      return where.add_work(&kernel);
    }
    case CU_GRAPH_NODE_TYPE_MEMCPY:
      return where.add_work(&params->memcpy.copyParams);
    case CU_GRAPH_NODE_TYPE_MEMSET: {
      const auto& m = params->memset;
      const CUDA_MEMSET_NODE_PARAMS set{m.dst, m.pitch, m.value, m.elementSize, m.width, m.height};
      return where.add_work(&set);
    }
    case CU_GRAPH_NODE_TYPE_HOST: {
      const CUDA_HOST_NODE_PARAMS host{params->host.fn, params->host.userData};
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
      throw Status(CUDA_ERROR_NOT_SUPPORTED, "expected a kind of node that the virtual GPU has");
  }
}

Node* node_of(CUgraphNode handle, WorkKind kind) {
  Node* node = Driver::get().graphs->get(handle);
  require_value(node->kind() == kind, "expected a node of the kind whose parameters are asked for");
  return node;
}

template <class Params>
CUresult get_params(CUgraphNode handle, WorkKind kind, Params* params) {
  params_of(node_of(handle, kind)->work(), params);
  return CUDA_SUCCESS;
}

template <class Params>
CUresult set_params(CUgraphNode handle, WorkKind kind, const Params* params) {
  Node* node = node_of(handle, kind);
  node->graph().set_work(node, work_of(Driver::get(), params));
  return CUDA_SUCCESS;
}

template <class Params>
CUresult set_exec_params(CUgraphExec exec, CUgraphNode handle, WorkKind kind, const Params* params) {
  Driver& driver = Driver::get();
  const Node* node = node_of(handle, kind);
  driver.graph_execs.get(exec, CUDA_ERROR_INVALID_VALUE)->exec->set_work(node, work_of(driver, params));
  return CUDA_SUCCESS;
}

CUDA_KERNEL_NODE_PARAMS from_v1(const CUDA_KERNEL_NODE_PARAMS_v1* params) {
  require_value(params != nullptr, "expected parameters, found a null pointer");
  CUDA_KERNEL_NODE_PARAMS newer{};
  std::memcpy(&newer, params, sizeof *params);
  return newer;
}

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

VGPU_API(cuGraphAddKernelNode_v2,
         (CUgraphNode * node, CUgraph graph, const CUgraphNode* dependencies, size_t count,
          const CUDA_KERNEL_NODE_PARAMS* params),
         (node, graph, dependencies, count, params)) {
  return NewNode{node, graph, dependencies, count}.add_work(params);
}

VGPU_API(cuGraphAddKernelNode,
         (CUgraphNode * node, CUgraph graph, const CUgraphNode* dependencies, size_t count,
          const CUDA_KERNEL_NODE_PARAMS_v1* params),
         (node, graph, dependencies, count, params)) {
  const CUDA_KERNEL_NODE_PARAMS newer = from_v1(params);
  return NewNode{node, graph, dependencies, count}.add_work(&newer);
}

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

VGPU_API(cuGraphKernelNodeGetParams_v2, (CUgraphNode node, CUDA_KERNEL_NODE_PARAMS* params), (node, params)) {
  return get_params(node, WorkKind::kernel, params);
}

VGPU_API(cuGraphKernelNodeGetParams, (CUgraphNode node, CUDA_KERNEL_NODE_PARAMS_v1* params), (node, params)) {
  require_value(params != nullptr, "expected room for the parameters, found a null pointer");
  CUDA_KERNEL_NODE_PARAMS newer{};
  get_params(node, WorkKind::kernel, &newer);
  std::memcpy(params, &newer, sizeof *params);
  return CUDA_SUCCESS;
}

VGPU_API(cuGraphKernelNodeSetParams_v2, (CUgraphNode node, const CUDA_KERNEL_NODE_PARAMS* params), (node, params)) {
  return set_params(node, WorkKind::kernel, params);
}

VGPU_API(cuGraphKernelNodeSetParams, (CUgraphNode node, const CUDA_KERNEL_NODE_PARAMS_v1* params), (node, params)) {
  const CUDA_KERNEL_NODE_PARAMS newer = from_v1(params);
  return set_params(node, WorkKind::kernel, &newer);
}

VGPU_API(cuGraphExecKernelNodeSetParams_v2, (CUgraphExec exec, CUgraphNode node, const CUDA_KERNEL_NODE_PARAMS* params),
         (exec, node, params)) {
  return set_exec_params(exec, node, WorkKind::kernel, params);
}

VGPU_API(cuGraphExecKernelNodeSetParams, (CUgraphExec exec, CUgraphNode node, const CUDA_KERNEL_NODE_PARAMS_v1* params),
         (exec, node, params)) {
  const CUDA_KERNEL_NODE_PARAMS newer = from_v1(params);
  return set_exec_params(exec, node, WorkKind::kernel, &newer);
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

VGPU_API(cuGraphKernelNodeGetAttribute, (CUgraphNode node, CUkernelNodeAttrID attribute, CUkernelNodeAttrValue* value),
         (node, attribute, value)) {
  require_value(value != nullptr, "expected room for the value, found a null pointer");
  request_of(node_of(node, WorkKind::kernel)->work())->get_attribute(attribute, *value);
  return CUDA_SUCCESS;
}

VGPU_API(cuGraphKernelNodeSetAttribute,
         (CUgraphNode handle, CUkernelNodeAttrID attribute, const CUkernelNodeAttrValue* value),
         (handle, attribute, value)) {
  require_value(value != nullptr, "expected a value, found a null pointer");
  Driver& driver = Driver::get();
  Node* node = node_of(handle, WorkKind::kernel);
  auto request = std::make_shared<KernelLaunchRequest>(*request_of(node->work()));
  request->set_attribute(attribute, *value);
  check_launch(driver, *request);
  node->graph().set_work(node, kernel_work(driver, std::move(request)));
  return CUDA_SUCCESS;
}
