#include "executor.h"

#include <algorithm>
#include <limits>
#include <span>
#include <utility>

namespace maskrt {

Arena::~Arena() {
  if (data_ != nullptr) stream_.release(data_, bytes_);
}

void Arena::reserve(std::size_t bytes) {
  if (bytes <= bytes_) return;
  // Given back first: holding both would double the peak for no one's benefit.
  if (data_ != nullptr) stream_.release(data_, bytes_);
  data_ = nullptr;
  bytes_ = 0;
  ++generation_;
  data_ = stream_.allocate(bytes);
  bytes_ = bytes;
}

std::vector<graph::Lifetime> lifetimes(const Program& program) {
  const int steps = static_cast<int>(program.steps.size());
  std::vector<graph::Lifetime> alive(program.buffers.size(), {0, std::numeric_limits<int>::max(), -1});
  const auto touch = [&](int buffer, int step) {
    auto& life = alive.at(static_cast<std::size_t>(buffer));
    life.first = std::min(life.first, step);
    life.last = std::max(life.last, step);
  };
  for (int i = 0; i < steps; ++i) {
    for (const int buffer : program.steps[static_cast<std::size_t>(i)].reads) touch(buffer, i);
    for (const int buffer : program.steps[static_cast<std::size_t>(i)].writes) touch(buffer, i);
  }
  touch(program.input.buffer, 0);
  for (const auto& [name, binding] : program.outputs) touch(binding.buffer, steps);
  for (const auto& [value, binding] : program.head_values) touch(binding.buffer, steps);
  for (std::size_t i = 0; i < alive.size(); ++i) {
    alive[i].bytes = program.buffers[i].bytes;
    if (alive[i].last < 0) alive[i] = {0, 0, 0};  // nobody's: takes no room
  }
  return alive;
}

Plan::Plan(Network& network, std::int64_t batch, std::int64_t height, std::int64_t width, int threads)
    : program_(network.compile(batch, height, width, threads)), memory_(graph::plan_memory(lifetimes(program_))) {}

std::size_t Plan::scratch_bytes() const {
  std::size_t most = 0;
  for (const Step& step : program_.steps) {
    std::size_t sum = 0;
    for (const int buffer : step.writes)
      if (const Buffer& b = program_.buffers[static_cast<std::size_t>(buffer)]; b.scratch) sum += b.bytes;
    most = std::max(most, sum);
  }
  return most;
}

namespace {

kernels::Tensor bind(const Program::Binding& binding, const Arena& arena, const graph::MemoryPlan& memory) {
  kernels::Tensor tensor = binding.tensor;
  tensor.data = arena.data() + memory.offsets[static_cast<std::size_t>(binding.buffer)] + binding.byte_offset;
  return tensor;
}

}  // namespace

kernels::Tensor Plan::input(const Arena& arena) const { return bind(program_.input, arena, memory_); }

kernels::Tensor Plan::output(const Arena& arena, const std::string& name) const {
  const auto found = program_.outputs.find(name);
  if (found == program_.outputs.end()) throw Error("network: expected an output named " + name + ", found none");
  return bind(found->second, arena, memory_);
}

Execution& Plan::execution(const Arena& arena, const kernels::Normalisation& normalisation) {
  if (execution_ == nullptr || bound_to_ != arena.generation()) {
    execution_.reset();  // first: it may hold memory that the next one needs
    execution_ = arena.stream().bind(program_, addresses(arena), normalisation);
    bound_to_ = arena.generation();
  }
  return *execution_;
}

void Plan::run_step(const Arena& arena, std::size_t step) const {
  arena.stream().run(std::span(program_.steps).subspan(step, 1), addresses(arena));
}

void Plan::run_changing(const Arena& arena, const std::map<std::string, Change>& changes) const {
  std::multimap<std::size_t, std::pair<kernels::Tensor, const Change*>> after;  // by the number of steps before
  for (const auto& [name, change] : changes) {
    const kernels::Tensor value = output(arena, name);
    const int buffer = program_.outputs.at(name).buffer;
    const auto maker = std::find_if(program_.steps.rbegin(), program_.steps.rend(), [&](const Step& step) {
      return std::find(step.writes.begin(), step.writes.end(), buffer) != step.writes.end();
    });
    if (maker == program_.steps.rend())
      throw Error("network: expected a step that makes the output " + name + ", found none");
    after.emplace(program_.steps.rend() - maker, std::pair(value, &change));
  }
  const std::span<const Step> steps = program_.steps;
  std::size_t done = 0;
  for (const auto& [count, change] : after) {
    arena.stream().run(steps.subspan(done, count - done), addresses(arena));
    done = count;
    (*change.second)(change.first);
  }
  arena.stream().run(steps.subspan(done), addresses(arena));
}

}  // namespace maskrt
