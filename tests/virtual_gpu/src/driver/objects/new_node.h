// What the entry points that add nodes to graphs and change their parameters share.
#pragma once

#include <cuda.h>

#include <vector>

#include "driver/objects/graphs.h"
#include "driver/objects/node_params.h"
#include "driver/objects/streams.h"

namespace vgpu::driver {

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
    const std::shared_ptr<engine::Graph> owner = graphs.get(graph);
    std::vector<engine::Node*> before;
    std::vector<engine::EdgeData> edges;
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
      const engine::Node* node = to.add_allocation(before, params->bytesize, *params, edges);
      params->dptr = node->address();
      return node;
    });
  }
  CUresult add_free(CUdeviceptr address) const {
    return add([&](auto& to, const auto& before, const auto& edges) { return to.add_free(before, address, edges); });
  }
};

/// A node of that kind. Throws Status with CUDA_ERROR_INVALID_VALUE.
inline engine::Node* node_of(CUgraphNode handle, engine::WorkKind kind) {
  engine::Node* node = Driver::get().graphs->get(handle);
  require_value(node->kind() == kind, "expected a node of the kind whose parameters are asked for");
  return node;
}

template <class Params>
CUresult get_params(CUgraphNode handle, engine::WorkKind kind, Params* params) {
  params_of(node_of(handle, kind)->work(), params);
  return CUDA_SUCCESS;
}

template <class Params>
CUresult set_params(CUgraphNode handle, engine::WorkKind kind, const Params* params) {
  engine::Node* node = node_of(handle, kind);
  node->graph().set_work(node, work_of(Driver::get(), params));
  return CUDA_SUCCESS;
}

template <class Params>
CUresult set_exec_params(CUgraphExec exec, CUgraphNode handle, engine::WorkKind kind, const Params* params) {
  Driver& driver = Driver::get();
  const engine::Node* node = node_of(handle, kind);
  driver.graph_execs.get(exec, CUDA_ERROR_INVALID_VALUE)->exec->set_work(node, work_of(driver, params));
  return CUDA_SUCCESS;
}

}  // namespace vgpu::driver
