// Every operation on the GPU, in each precision: what a node makes of the device's values is what the interpreter makes
// of the same values.
#include <catch2/catch.hpp>

#include "support/device_run.h"
#include "support/gpu.h"
#include "support/small_network.h"

namespace maskrt {
namespace {

using namespace testing;

/// Runs a network once on the GPU. Outputs by name; `steps` gets what each step was.
std::map<std::string, Map> run_on_gpu(Network& network, Device& device, const Map& input,
                                      std::vector<std::string>* steps = nullptr) {
  const auto stream = device.open_stream({});
  const Program program = network.compile(input.extent.batch, input.extent.height, input.extent.width, 1);
  const graph::MemoryPlan plan = graph::plan_memory(lifetimes(program));
  std::byte* const arena = stream->allocate(plan.bytes);
  const auto bind = [&](const Program::Binding& binding) {
    kernels::Tensor tensor = binding.tensor;
    tensor.data = arena + plan.offsets[static_cast<std::size_t>(binding.buffer)] + binding.byte_offset;
    return tensor;
  };
  stream->write(bind(program.input), to_nchw(input));
  stream->run(program.steps, Addresses{arena, plan.offsets.data(), stream.get()});
  std::map<std::string, Map> outputs;
  for (const auto& [name, binding] : program.outputs)
    outputs[name] = from_nchw(binding.extent, stream->read(bind(binding), binding.extent.list));
  for (const Step& step : program.steps)
    if (steps != nullptr) steps->push_back(step.operation);
  stream->release(arena, plan.bytes);
  return outputs;
}

TEST_CASE("every operation computes on the GPU what the interpreter does") {
  Dice dice(6);
  const graph::Graph g = every_operation(dice);
  const Map input = dice.map({2, 24, 40, 4, false});
  const std::vector<graph::Extent> extents = graph::infer_extents(g, 2, 24, 40);
  const std::shared_ptr<Device> device = open_device("cuda");
  // Of a node by itself, from values as they are stored. fp32: sums of some thousand products at most. tf32 rounds the
  // factors of convolutions to 11 bits. fp16 rounds weights, lists that meet maps, and what is stored, to 11 bits.
  for (const auto& [precision, bound] :
       {std::pair{Precision::fp32, 1e-5}, {Precision::tf32, 2 * 0x1p-11}, {Precision::fp16, 2 * 0x1p-11}}) {
    if (precision == Precision::tf32 && Gpu::instance().chip().compute_capability < 80) continue;  // it has none
    INFO(name_of(precision));
    const std::map<std::string, Map> found = run_on_gpu(*device->prepare(g, precision), *device, input);
    std::vector<Map> values(g.values.size());
    for (std::size_t v = 0; v < values.size(); ++v)
      if (const auto output = found.find(g.values[v].name); output != found.end()) values[v] = output->second;
    values[static_cast<std::size_t>(g.nodes[0].output())] = input;  // multiples of 1/8, which fp16 holds
    for (std::size_t i = 1; i < g.nodes.size(); ++i) {
      const graph::Node& node = g.nodes[i];
      const std::vector<Map> want = interpret_node(node, values, extents);
      for (std::size_t k = 0; k < want.size(); ++k) {
        INFO(node.name << ", output " << k);
        CHECK(distance(values[static_cast<std::size_t>(node.outputs[k])], want[k]) <=
              (want[k].extent.element == graph::Element::integer ? 0 : bound));
      }
    }
  }
}

TEST_CASE("parameters are weights on the GPU: read where they are, and copied only to be outputs") {
  Dice dice(3);
  for (const bool kept : {false, true}) {
    graph::Graph g;
    const auto x = g.add("x", graph::Input{4}, {});
    const auto queries = g.add("queries", graph::Parameter{dice.constant("queries", {7, 12})}, {});
    const auto heads = g.add("heads", dice.linear("heads", 12, 4), {queries});
    // A mask product reads rows of a multiple of eight channels.
    const auto learned = g.add("learned", graph::Parameter{dice.constant("learned", {5, 4})}, {});
    g.outputs = {heads, g.add("masks", graph::MaskProduct{}, {learned, x})};
    if (kept) g.outputs.insert(g.outputs.end(), {queries, learned});
    const auto device = open_device("cuda");
    const auto network = device->prepare(g, Precision::fp32);
    for (const std::int64_t batch : {2, 1}) {
      INFO("batch " << batch << (kept ? ", kept" : ""));
      const Map input = dice.map({batch, 8, 8, 4, false});
      std::vector<std::string> steps;
      const auto found = run_on_gpu(*network, *device, input, &steps);
      CHECK(std::count(steps.begin(), steps.end(), "parameter") == (kept ? 2 : 0));
      const std::vector<Map> want = interpret(g, input);
      REQUIRE(found.size() == g.outputs.size());
      for (const graph::ValueId output : g.outputs) {
        const auto id = static_cast<std::size_t>(output);
        INFO(g.values[id].name);
        CHECK(distance(found.at(g.values[id].name), want[id]) <= 1e-6);
      }
    }
  }
}

TEST_CASE("a node of several outputs of which none but one is read") {
  Dice dice(4);
  graph::Graph g;
  const auto x = g.add("x", graph::Input{1}, {});
  const auto top = g.add_several("top", graph::SelectTop{5}, {x}, {"positions", "scores"});
  SECTION("its positions") { g.outputs = {g.add("rows", graph::GatherPositions{}, {x, top[0]})}; }
  SECTION("its scores") { g.outputs = {top[1]}; }
  const Map input = dice.map({2, 6, 7, 1, false});
  const auto device = open_device("cuda");
  const auto found = run_on_gpu(*device->prepare(g, Precision::fp16), *device, input);
  const auto id = static_cast<std::size_t>(g.outputs[0]);
  CHECK(found.at(g.values[id].name).data == interpret(g, input)[id].data);
}

}  // namespace
}  // namespace maskrt
