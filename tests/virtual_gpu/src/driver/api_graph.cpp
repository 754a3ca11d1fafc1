// CUDA driver API, 6.26 "Graph Management": graphs, edges and queries.
#include <algorithm>
#include <fstream>
#include <vector>

#include "driver/objects/graphs.h"

using namespace vgpu::driver;
using vgpu::engine::EdgeData;
using vgpu::engine::Node;

namespace {

/// Fills arrays of the caller as the driver does: `count` is their size before and the number of entries after; without
/// an array it is only told. Entries that are too many for what there is are zero.
template <class T, class F>
void fill(T* array, std::size_t size, std::size_t found, F entry) {
  if (array == nullptr) return;
  for (std::size_t i = 0; i < size; ++i) array[i] = i < found ? entry(i) : T{};
}

CUgraphNode handle_of(const Node* node) { return Driver::get().graphs->handle_of(node); }

CUgraphEdgeData edge_of(const EdgeData& data) {
  CUgraphEdgeData edge{};
  edge.from_port = data.from_port;
  edge.to_port = data.to_port;
  edge.type = data.type;
  return edge;
}

CUresult list_nodes(const std::vector<Node*>& found, CUgraphNode* nodes, size_t* count) {
  require_value(count != nullptr, "expected room for the count, found a null pointer");
  fill(nodes, *count, found.size(), [&](std::size_t i) { return handle_of(found[i]); });
  *count = nodes == nullptr ? found.size() : std::min(*count, found.size());
  return CUDA_SUCCESS;
}

CUresult list_links(std::span<const Node::Link> links, CUgraphNode* nodes, CUgraphEdgeData* edges, size_t* count) {
  require_value(count != nullptr, "expected room for the count, found a null pointer");
  require_value(edges == nullptr || nodes != nullptr, "expected room for the nodes where edge data is asked for");
  const bool annotated = std::any_of(links.begin(), links.end(), [](const auto& l) { return l.data != EdgeData{}; });
  require(edges != nullptr || nodes == nullptr || !annotated, CUDA_ERROR_LOSSY_QUERY,
          "expected room for edge data, which these edges have");
  fill(nodes, *count, links.size(), [&](std::size_t i) { return handle_of(links[i].node); });
  fill(edges, *count, links.size(), [&](std::size_t i) { return edge_of(links[i].data); });
  *count = nodes == nullptr ? links.size() : std::min(*count, links.size());
  return CUDA_SUCCESS;
}

CUresult list_edges(CUgraph graph, CUgraphNode* from, CUgraphNode* to, CUgraphEdgeData* data, size_t* count) {
  require_value(count != nullptr, "expected room for the count, found a null pointer");
  require_value((from == nullptr) == (to == nullptr) && (data == nullptr || from != nullptr),
                "expected room for both ends of the edges, or for none");
  const auto edges = Driver::get().graphs->get(graph)->edges();
  const bool annotated = std::any_of(edges.begin(), edges.end(), [](const auto& e) { return e.data != EdgeData{}; });
  require(data != nullptr || from == nullptr || !annotated, CUDA_ERROR_LOSSY_QUERY,
          "expected room for edge data, which these edges have");
  fill(from, *count, edges.size(), [&](std::size_t i) { return handle_of(edges[i].from); });
  fill(to, *count, edges.size(), [&](std::size_t i) { return handle_of(edges[i].to); });
  fill(data, *count, edges.size(), [&](std::size_t i) { return edge_of(edges[i].data); });
  *count = from == nullptr ? edges.size() : std::min(*count, edges.size());
  return CUDA_SUCCESS;
}

std::vector<Node*> nodes_of(const CUgraphNode* handles, size_t count) {
  require_value(handles != nullptr || count == 0, "expected an array of nodes, found a null pointer");
  std::vector<Node*> nodes;
  for (size_t i = 0; i < count; ++i) nodes.push_back(Driver::get().graphs->get(handles[i]));
  return nodes;
}

std::vector<EdgeData> edges_of(const CUgraphEdgeData* data, size_t count) {
  std::vector<EdgeData> edges;
  for (size_t i = 0; data != nullptr && i < count; ++i) {
    edges.push_back({data[i].from_port, data[i].to_port, data[i].type});
  }
  return edges;
}

}  // namespace

VGPU_API(cuGraphCreate, (CUgraph * graph, unsigned int flags), (graph, flags)) {
  require_value(graph != nullptr && flags == 0, "expected room for the graph, and flags of 0");
  Driver& driver = Driver::get();
  *graph = driver.graphs->handle_of(vgpu::engine::Graph::create(*driver.engine), true);
  return CUDA_SUCCESS;
}

VGPU_API(cuGraphDestroy, (CUgraph graph), (graph)) {
  Driver::get().graphs->destroy(graph);
  return CUDA_SUCCESS;
}

VGPU_API(cuGraphClone, (CUgraph * clone, CUgraph graph), (clone, graph)) {
  require_value(clone != nullptr, "expected room for the graph, found a null pointer");
  GraphTable& graphs = *Driver::get().graphs;
  *clone = graphs.handle_of(graphs.get(graph)->clone(), true);
  return CUDA_SUCCESS;
}

VGPU_API(cuGraphNodeFindInClone, (CUgraphNode * found, CUgraphNode original, CUgraph clone), (found, original, clone)) {
  require_value(found != nullptr, "expected room for the node, found a null pointer");
  GraphTable& graphs = *Driver::get().graphs;
  const Node* node = graphs.get(clone)->find_clone(graphs.get(original));
  require_value(node != nullptr, "expected a node of the graph that was cloned");
  *found = handle_of(node);
  return CUDA_SUCCESS;
}

VGPU_API(cuGraphGetNodes, (CUgraph graph, CUgraphNode* nodes, size_t* count), (graph, nodes, count)) {
  return list_nodes(Driver::get().graphs->get(graph)->nodes(), nodes, count);
}

VGPU_API(cuGraphGetRootNodes, (CUgraph graph, CUgraphNode* nodes, size_t* count), (graph, nodes, count)) {
  return list_nodes(Driver::get().graphs->get(graph)->roots(), nodes, count);
}

VGPU_API(cuGraphGetEdges_v2, (CUgraph graph, CUgraphNode* from, CUgraphNode* to, CUgraphEdgeData* data, size_t* count),
         (graph, from, to, data, count)) {
  return list_edges(graph, from, to, data, count);
}

VGPU_API(cuGraphGetEdges, (CUgraph graph, CUgraphNode* from, CUgraphNode* to, size_t* count),
         (graph, from, to, count)) {
  return list_edges(graph, from, to, nullptr, count);
}

VGPU_API(cuGraphNodeGetDependencies_v2,
         (CUgraphNode node, CUgraphNode* dependencies, CUgraphEdgeData* data, size_t* count),
         (node, dependencies, data, count)) {
  return list_links(Driver::get().graphs->get(node)->dependencies(), dependencies, data, count);
}

VGPU_API(cuGraphNodeGetDependencies, (CUgraphNode node, CUgraphNode* dependencies, size_t* count),
         (node, dependencies, count)) {
  return list_links(Driver::get().graphs->get(node)->dependencies(), dependencies, nullptr, count);
}

VGPU_API(cuGraphNodeGetDependentNodes_v2,
         (CUgraphNode node, CUgraphNode* dependents, CUgraphEdgeData* data, size_t* count),
         (node, dependents, data, count)) {
  return list_links(Driver::get().graphs->get(node)->dependents(), dependents, data, count);
}

VGPU_API(cuGraphNodeGetDependentNodes, (CUgraphNode node, CUgraphNode* dependents, size_t* count),
         (node, dependents, count)) {
  return list_links(Driver::get().graphs->get(node)->dependents(), dependents, nullptr, count);
}

VGPU_API(cuGraphAddDependencies_v2,
         (CUgraph graph, const CUgraphNode* from, const CUgraphNode* to, const CUgraphEdgeData* data, size_t count),
         (graph, from, to, data, count)) {
  Driver::get().graphs->get(graph)->add_edges(nodes_of(from, count), nodes_of(to, count), edges_of(data, count));
  return CUDA_SUCCESS;
}

VGPU_API(cuGraphAddDependencies, (CUgraph graph, const CUgraphNode* from, const CUgraphNode* to, size_t count),
         (graph, from, to, count)) {
  return cuGraphAddDependencies_v2_body(graph, from, to, nullptr, count);
}

VGPU_API(cuGraphRemoveDependencies_v2,
         (CUgraph graph, const CUgraphNode* from, const CUgraphNode* to, const CUgraphEdgeData* data, size_t count),
         (graph, from, to, data, count)) {
  Driver::get().graphs->get(graph)->remove_edges(nodes_of(from, count), nodes_of(to, count), edges_of(data, count));
  return CUDA_SUCCESS;
}

VGPU_API(cuGraphRemoveDependencies, (CUgraph graph, const CUgraphNode* from, const CUgraphNode* to, size_t count),
         (graph, from, to, count)) {
  return cuGraphRemoveDependencies_v2_body(graph, from, to, nullptr, count);
}

VGPU_API(cuGraphDestroyNode, (CUgraphNode handle), (handle)) {
  Node* node = Driver::get().graphs->get(handle);
  node->graph().remove(node);
  return CUDA_SUCCESS;
}

VGPU_API(cuGraphNodeGetType, (CUgraphNode handle, CUgraphNodeType* type), (handle, type)) {
  require_value(type != nullptr, "expected room for the type, found a null pointer");
  *type = type_of(Driver::get().graphs->get(handle)->kind());
  return CUDA_SUCCESS;
}

VGPU_API(cuGraphChildGraphNodeGetGraph, (CUgraphNode handle, CUgraph* graph), (handle, graph)) {
  require_value(graph != nullptr, "expected room for the graph, found a null pointer");
  GraphTable& graphs = *Driver::get().graphs;
  const Node* node = graphs.get(handle);
  require_value(node->child() != nullptr, "expected a node that holds a graph");
  *graph = graphs.handle_of(node->child(), false);
  return CUDA_SUCCESS;
}

VGPU_API(cuGraphDebugDotPrint, (CUgraph graph, const char* path, unsigned int flags), (graph, path, flags)) {
  require_value(path != nullptr, "expected a file's name, found a null pointer");
  const std::string text = Driver::get().graphs->get(graph)->dot((flags & CU_GRAPH_DEBUG_DOT_FLAGS_VERBOSE) != 0);
  std::ofstream file(path);
  file << text;
  require(file.good(), CUDA_ERROR_OPERATING_SYSTEM, "expected a file that can be written");
  return CUDA_SUCCESS;
}

VGPU_API(cuDeviceGraphMemTrim, (CUdevice device), (device)) {
  check_device(device);
  return CUDA_SUCCESS;
}
