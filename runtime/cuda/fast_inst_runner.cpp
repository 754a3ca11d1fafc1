#include "fast_inst_runner.h"

#include <algorithm>

#include "head_plans.h"
#include "runtime/panoptic_map.h"

namespace maskrt::cuda {
namespace {

bool does(const graph::FastInstHead& head, Task task) {
  const std::span<const Task> tasks = head.tasks();
  return std::find(tasks.begin(), tasks.end(), task) != tasks.end();
}

}  // namespace

FastInstRunner::FastInstRunner(SessionStream& stream, const graph::FastInstHead& head, const Program& program,
                               const Addresses& addresses)
    : stream_(stream),
      usual_task_(head.tasks().empty() ? Task::instances : head.tasks().front()),
      things_(stream, head.things.size()),
      plan_(plan_of(head, program, addresses, things_.data())),
      classes_(does(head, Task::semantic) ? std::optional(kernels::FastInstClassMap(plan_)) : std::nullopt),
      segments_(does(head, Task::panoptic) ? std::optional(kernels::FastInstSegmentMap(plan_)) : std::nullopt),
      class_workspace_(stream, classes_ ? classes_->workspace_bytes() : 0),
      segment_workspace_(stream, segments_ ? segments_->workspace_bytes() : 0),
      segment_result_(stream, segments_ ? segments_->result_bytes() : 0),
      host_segments_(stream.context(), segment_result_.bytes()) {
  if (does(head, Task::instances)) instances_.emplace(stream, std::make_unique<kernels::FastInstInstances>(plan_));
  if (head.things.empty()) return;
  const std::vector<std::uint8_t> things(head.things.begin(), head.things.end());
  stream.upload(things_.data(), things.data(), things.size());
  stream.synchronize();
}

std::size_t FastInstRunner::call_bytes() const {
  const std::size_t pictures = kernels::PictureNumbers::call_bytes(plan_.mask_logits.batch);
  return instances_ ? std::max(pictures, instances_->call_bytes()) : pictures;
}

void FastInstRunner::describe(const HeadCall& call, std::span<std::byte> block) {
  if (call.options.task == Task::instances) return instances_.value().describe(call, block);
  auto* const numbers = reinterpret_cast<std::int32_t*>(
      stream_.picture_numbers().reserve(kernels::PictureNumbers::count(call.images) * sizeof(std::int32_t)));
  if (call.options.task == Task::semantic)
    return classes_.value().describe(stream_.queue().chip(), call.images, numbers, block);
  segments_.value().describe(call.images, numbers, block);
}

void FastInstRunner::clear() {
  if (instances_) instances_->clear();
  if (segments_) segments_->clear(stream_.queue(), segment_workspace_.data());
}

void FastInstRunner::launch(const std::byte* block, Task task, MaskForm form) {
  switch (task) {
    case Task::instances:
      return instances_.value().launch(block, task, form);
    case Task::semantic:
      return classes_.value().launch(stream_.queue(), {block, class_workspace_.data(), nullptr});
    case Task::panoptic:
      return segments_.value().launch(stream_.queue(), {block, segment_workspace_.data(), segment_result_.data()});
  }
}

/// Waits for them, and for all that was sent before.
std::span<const std::int32_t> FastInstRunner::fetch_numbers(const HeadCall& call, const Event& fetched) {
  const std::uint64_t count = kernels::PictureNumbers::count(call.images);
  std::byte* const host = stream_.host_masks().reserve(count * sizeof(std::int32_t));
  stream_.download(host, stream_.picture_numbers().data(), count * sizeof(std::int32_t));
  fetched.record(stream_.stream().get());
  stream_.synchronize();
  return {reinterpret_cast<const std::int32_t*>(host), count};
}

std::vector<Detected> FastInstRunner::read(const HeadCall& call, const std::function<void()>& launch_again,
                                           const Event& fetched) {
  const Task task = call.options.task;
  if (task == Task::instances) return instances_.value().read(call, launch_again, fetched);
  if (task == Task::panoptic) stream_.download(host_segments_.data(), segment_result_.data(), segment_result_.bytes());
  std::span<const std::int32_t> numbers = fetch_numbers(call, fetched);
  std::vector<std::vector<kernels::FastInstSegments::Segment>> segments;
  if (task == Task::panoptic) segments = segments_.value().read({host_segments_.data(), host_segments_.bytes()});
  std::vector<Detected> found;
  for (std::size_t i = 0; i < call.images.size(); ++i) {
    const kernels::Geometry& g = call.images[i];
    const auto count = static_cast<std::size_t>(kernels::PictureNumbers::count({&g, 1}));
    std::vector<std::int32_t> own(numbers.begin(), numbers.begin() + static_cast<std::ptrdiff_t>(count));
    numbers = numbers.subspan(count);
    if (task == Task::semantic)
      found.emplace_back(SemanticMap{g.original_width, g.original_height, std::move(own)});
    else
      found.emplace_back(panoptic_map(g, std::move(own), segments[i]));
  }
  return found;
}

DeviceResults FastInstRunner::prepare_device_results(const HeadCall& call) {
  if (call.options.task != Task::instances)
    throw Error("enqueue: expected instances to be wanted, found " + std::string(name_of(call.options.task)) +
                ", which run() brings to the host");
  return instances_.value().prepare_device_results(call);
}

}  // namespace maskrt::cuda
