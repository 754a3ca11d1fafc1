// CUDA driver API, 6.26 "Graph Management": kernel nodes.
#include <cstring>

#include "driver/objects/new_node.h"

using namespace vgpu::driver;
using vgpu::engine::Node;
using vgpu::engine::WorkKind;

namespace {

CUDA_KERNEL_NODE_PARAMS from_v1(const CUDA_KERNEL_NODE_PARAMS_v1* params) {
  require_value(params != nullptr, "expected parameters, found a null pointer");
  CUDA_KERNEL_NODE_PARAMS newer{};
  std::memcpy(&newer, params, sizeof *params);
  return newer;
}

/// The node's launch with a change.
template <class Change>
void change_request(CUgraphNode handle, Change change) {
  Driver& driver = Driver::get();
  Node* node = node_of(handle, WorkKind::kernel);
  auto request = std::make_shared<KernelLaunchRequest>(*request_of(node->work()));
  change(*request);
  check_launch(driver, *request);
  node->graph().set_work(node, kernel_work(driver, std::move(request)));
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

VGPU_API(cuGraphKernelNodeGetAttribute, (CUgraphNode node, CUkernelNodeAttrID attribute, CUkernelNodeAttrValue* value),
         (node, attribute, value)) {
  require_value(value != nullptr, "expected room for the value, found a null pointer");
  request_of(node_of(node, WorkKind::kernel)->work())->get_attribute(attribute, *value);
  return CUDA_SUCCESS;
}

VGPU_API(cuGraphKernelNodeSetAttribute,
         (CUgraphNode node, CUkernelNodeAttrID attribute, const CUkernelNodeAttrValue* value),
         (node, attribute, value)) {
  require_value(value != nullptr, "expected a value, found a null pointer");
  change_request(node, [&](KernelLaunchRequest& request) { request.set_attribute(attribute, *value); });
  return CUDA_SUCCESS;
}

VGPU_API(cuGraphKernelNodeCopyAttributes, (CUgraphNode to, CUgraphNode from), (to, from)) {
  const auto source = request_of(node_of(from, WorkKind::kernel)->work());
  change_request(to, [&](KernelLaunchRequest& request) {
    request.config.cluster = source->config.cluster;
    request.cooperative = source->cooperative;
    request.programmatic = source->programmatic;
    request.priority = source->priority;
  });
  return CUDA_SUCCESS;
}
