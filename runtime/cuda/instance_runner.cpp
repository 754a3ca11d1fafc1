#include "instance_runner.h"

#include "device_results.h"

namespace maskrt::cuda {
namespace {

/// Room for masks of images as large as the network's input: what larger ones need is found out when they come.
std::size_t usual_mask_bytes(const kernels::InstanceHead& head) {
  const kernels::MaskPlan& plan = head.masks();
  const kernels::Geometry image{plan.padded_width,  plan.padded_height, plan.padded_width,
                                plan.padded_height, plan.padded_width,  plan.padded_height};
  const std::vector<kernels::Geometry> images(static_cast<std::size_t>(plan.logits.batch), image);
  return kernels::most_mask_words(plan.logits.channels, images) * sizeof(std::uint64_t);
}

}  // namespace

InstanceRunner::InstanceRunner(SessionStream& stream, std::unique_ptr<kernels::InstanceHead> head)
    : stream_(stream),
      head_(std::move(head)),
      workspace_(stream, head_->workspace_bytes()),
      result_(stream, head_->block().bytes()),
      host_result_(stream.context(), result_.bytes()) {
  stream.mask_words().reserve(usual_mask_bytes(*head_));
}

std::size_t InstanceRunner::call_bytes() const { return kernels::mask_call_bytes(head_->block().batch); }

void InstanceRunner::describe(const HeadCall& call, std::span<std::byte> block) {
  if (call.options.mask_form == MaskForm::runs && stream_.mask_runs().bytes() == 0)
    stream_.mask_runs().reserve(usual_runs(call.images) * sizeof(std::uint32_t));
  kernels::MaskRequest request{call.options.minimum_score, call.options.masks, {}};
  request.buffers.words = reinterpret_cast<std::uint64_t*>(stream_.mask_words().data());
  request.buffers.word_capacity = stream_.mask_words().bytes() / sizeof(std::uint64_t);
  if (call.options.mask_form == MaskForm::runs) {
    request.buffers.runs = reinterpret_cast<std::uint32_t*>(stream_.mask_runs().data());
    request.buffers.run_capacity = stream_.mask_runs().bytes() / sizeof(std::uint32_t);
  }
  kernels::describe_mask_call(head_->masks(), call.images, request, block);
}

void InstanceRunner::clear() { head_->clear(stream_.queue(), workspace_.data()); }

void InstanceRunner::launch(const std::byte* block, Task, MaskForm form) {
  head_->launch(stream_.queue(), {block, workspace_.data(), result_.data()}, form == MaskForm::runs);
}

kernels::FoundInstances InstanceRunner::fetch_block() {
  stream_.download(host_result_.data(), result_.data(), result_.bytes());
  stream_.synchronize();
  return kernels::InstanceBlock::read({host_result_.data(), host_result_.bytes()});
}

/// Whether there was too little room for the masks; then there is enough afterwards.
bool InstanceRunner::make_room(const kernels::cuda::InstanceHeader& header, MaskForm form) {
  const auto grow = [](SessionStream::GrowingDeviceMemory& memory, std::size_t bytes) {
    const bool small = memory.bytes() < bytes;
    memory.reserve(bytes);
    return small;
  };
  if (grow(stream_.mask_words(), header.words * sizeof(std::uint64_t))) return true;
  return form == MaskForm::runs && grow(stream_.mask_runs(), header.runs * sizeof(std::uint32_t));
}

template <typename Part>
std::span<const Part> InstanceRunner::fetch_masks(const SessionStream::GrowingDeviceMemory& memory, std::uint64_t count,
                                                  const Event& fetched) {
  std::byte* const host = stream_.host_masks().reserve(count * sizeof(Part));
  if (count != 0) stream_.download(host, memory.data(), count * sizeof(Part));
  fetched.record(stream_.stream().get());
  stream_.synchronize();
  return {reinterpret_cast<const Part*>(host), count};
}

/// Most masks change colour fewer than four times a column.
std::size_t InstanceRunner::usual_runs(std::span<const kernels::Geometry> images) const {
  std::size_t columns = 0;
  for (const kernels::Geometry& image : images) columns += static_cast<std::size_t>(image.original_width);
  return 4 * columns * static_cast<std::size_t>(head_->masks().logits.channels);
}

std::vector<Detected> InstanceRunner::read(const HeadCall& call, const std::function<void()>& launch_again,
                                           const Event& fetched) {
  const MaskForm form = call.options.mask_form;
  kernels::FoundInstances block = fetch_block();
  // The network's outputs are still there: the head alone runs again. How many run lengths there are is known once all
  // bits are there, so that this may happen twice.
  while (make_room(block.header, form)) {
    launch_again();
    block = fetch_block();
  }
  std::vector<std::vector<kernels::DetectedInstance>> instances;
  if (form == MaskForm::runs)
    instances = kernels::instances_of(block, call.images,
                                      fetch_masks<std::uint32_t>(stream_.mask_runs(), block.header.runs, fetched));
  else
    instances = kernels::instances_of(block, call.images,
                                      fetch_masks<std::uint64_t>(stream_.mask_words(), block.header.words, fetched));
  return {std::make_move_iterator(instances.begin()), std::make_move_iterator(instances.end())};
}

DeviceResults InstanceRunner::prepare_device_results(const HeadCall& call) {
  const DetectionOptions& options = call.options;
  const bool runs = options.mask_form == MaskForm::runs && options.masks;
  if (options.masks)
    stream_.mask_words().reserve(kernels::most_mask_words(head_->masks().logits.channels, call.images) *
                                 sizeof(std::uint64_t));
  const std::size_t capacity = options.run_capacity != 0 ? options.run_capacity : usual_runs(call.images);
  if (runs) stream_.mask_runs().reserve(capacity * sizeof(std::uint32_t));

  DeviceResults results = device_results(head_->block(), result_.data());
  results.stream = stream_.stream().get();
  results.words = reinterpret_cast<const std::uint64_t*>(stream_.mask_words().data());
  if (runs) {
    results.runs = reinterpret_cast<const std::uint32_t*>(stream_.mask_runs().data());
    results.run_capacity = stream_.mask_runs().bytes() / sizeof(std::uint32_t);
  }
  return results;
}

}  // namespace maskrt::cuda
