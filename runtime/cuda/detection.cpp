#include "detection.h"

#include <algorithm>
#include <cstring>

#include "device_results.h"
#include "kernels/preprocess/preprocess_cuda.h"
#include "runtime/instance_bindings.h"

namespace maskrt::cuda {
namespace {

kernels::Tensor bind(const Program::Binding& binding, const Addresses& addresses) {
  kernels::Tensor tensor = binding.tensor;
  tensor.data = addresses[binding.buffer] + binding.byte_offset;
  return tensor;
}

kernels::PostprocessPlan plan_of(const Program& program, const Addresses& addresses) {
  kernels::PostprocessPlan plan;
  const InstanceBindings outputs = instance_bindings(program);
  plan.class_logits = bind(outputs.class_logits, addresses);
  plan.objectness_logits = bind(outputs.objectness_logits, addresses);
  if (program.mask_resize) {
    plan.mask_logits = bind(program.mask_resize->source, addresses);
    plan.factor = static_cast<int>(program.mask_resize->factor);
  } else {
    plan.mask_logits = bind(outputs.mask_logits, addresses);
  }
  plan.padded_width = static_cast<int>(program.input.extent.width);
  plan.padded_height = static_cast<int>(program.input.extent.height);
  return plan;
}

std::size_t pixels_block_bytes(const kernels::Tensor& input) {
  const std::size_t bytes = static_cast<std::size_t>(input.batch) * sizeof(kernels::cuda::ImageToResize);
  return (bytes + 31) / 32 * 32;  // what follows is read by whole sectors
}

/// Room for masks of images as large as the network's input: what larger ones need is found out when they come.
std::size_t usual_mask_bytes(const kernels::PostprocessPlan& plan) {
  kernels::Geometry image;
  image.original_width = image.resized_width = image.padded_width = plan.padded_width;
  image.original_height = image.resized_height = image.padded_height = plan.padded_height;
  const std::vector<kernels::Geometry> images(static_cast<std::size_t>(plan.class_logits.batch), image);
  return kernels::most_mask_words(plan, images) * sizeof(std::uint64_t);
}

}  // namespace

Detection::Detection(SessionStream& stream, const Program& program, const Addresses& addresses,
                     const kernels::Normalisation& normalisation)
    : stream_(stream),
      program_(program),
      addresses_(addresses),
      normalisation_(normalisation),
      input_(bind(program.input, addresses)),
      plan_(plan_of(program, addresses)),
      call_offset_(pixels_block_bytes(input_)),
      host_calls_(stream, call_offset_ + kernels::postprocess_call_bytes(input_.batch)),
      call_(stream, host_calls_.bytes()),
      workspace_(stream, kernels::postprocess_workspace_bytes(plan_)),
      result_(stream, kernels::postprocess_result_bytes(plan_)),
      host_result_(stream.context(), result_.bytes()),
      sending_(stream.context(), Event::Timing::yes),
      sent_(stream.context(), Event::Timing::yes),
      computed_(stream.context(), Event::Timing::yes),
      fetched_(stream.context(), Event::Timing::yes) {
  stream.mask_words().reserve(usual_mask_bytes(plan_));
  graph(MaskForm::bits);
}

const GraphExec& Detection::graph(MaskForm form) {
  std::optional<GraphExec>& graph = graphs_[static_cast<std::size_t>(form)];
  if (!graph) graph.emplace(stream_.context(), stream_.record([this, form] { launch_all(form); }));
  return *graph;
}

void Detection::launch_all(MaskForm form) {
  kernels::preprocess_cuda(stream_.queue(), reinterpret_cast<const kernels::cuda::ImageToResize*>(call_.data()),
                           normalisation_, input_);
  for (const Step& step : program_.steps)
    if (!step.redone_by_postprocess) step.run(addresses_);
  postprocess(form);
}

void Detection::postprocess(MaskForm form) {
  kernels::postprocess_cuda(stream_.queue(), plan_, call_.data() + call_offset_, workspace_.data(), result_.data(),
                            form == MaskForm::runs);
}

Detection::Call Detection::receive(std::span<const ImageToProcess> images, const DetectionOptions& options,
                                   const Event* before) {
  if (static_cast<std::int64_t>(images.size()) != input_.batch)
    throw Error("cuda: expected " + std::to_string(input_.batch) + " images, found " + std::to_string(images.size()));
  Call call{stream_.upload_pixels(images, before), {}, options.settings, options.mask_form};
  for (const ImageToProcess& image : images) call.geometries.push_back(image.geometry);
  return call;
}

void Detection::describe(const Call& call) {
  const std::span<std::byte> block = host_calls_.next();
  for (std::size_t i = 0; i < call.pixels.size(); ++i) {
    const kernels::Geometry& geometry = call.geometries[i];
    const kernels::cuda::ImageToResize image = kernels::image_to_resize(
        call.pixels[i], geometry.resized_width, geometry.resized_height, normalisation_, input_);
    std::memcpy(block.data() + i * sizeof image, &image, sizeof image);
  }
  kernels::MaskBuffers buffers;
  buffers.words = reinterpret_cast<std::uint64_t*>(stream_.mask_words().data());
  buffers.word_capacity = stream_.mask_words().bytes() / sizeof(std::uint64_t);
  if (call.mask_form == MaskForm::runs) {
    buffers.runs = reinterpret_cast<std::uint32_t*>(stream_.mask_runs().data());
    buffers.run_capacity = stream_.mask_runs().bytes() / sizeof(std::uint32_t);
  }
  kernels::describe_postprocess_call(plan_, call.geometries, call.settings, buffers, block.subspan(call_offset_));
  host_calls_.send(call_.data());
}

void Detection::compute(const Call& call) {
  const GraphExec& recorded = graph(call.mask_form);
  if (!workspace_clear_) kernels::clear_postprocess_workspace(stream_.queue(), plan_, workspace_.data());
  workspace_clear_ = false;  // where the launch fails
  recorded.launch(stream_.stream().get());
  workspace_clear_ = true;
}

kernels::PostprocessResult Detection::fetch_result() {
  stream_.download(host_result_.data(), result_.data(), result_.bytes());
  stream_.synchronize();
  return kernels::read_result({host_result_.data(), host_result_.bytes()});
}

/// Whether there was too little room for the masks; then there is enough afterwards.
bool Detection::make_room(const kernels::cuda::PostprocessHeader& header, MaskForm form) {
  const auto grow = [](SessionStream::GrowingDeviceMemory& memory, std::size_t bytes) {
    const bool small = memory.bytes() < bytes;
    memory.reserve(bytes);
    return small;
  };
  if (grow(stream_.mask_words(), header.words * sizeof(std::uint64_t))) return true;
  return form == MaskForm::runs && grow(stream_.mask_runs(), header.runs * sizeof(std::uint32_t));
}

template <typename Part>
std::span<const Part> Detection::fetch_masks(const SessionStream::GrowingDeviceMemory& memory, std::uint64_t count) {
  std::byte* const host = stream_.host_masks().reserve(count * sizeof(Part));
  if (count != 0) stream_.download(host, memory.data(), count * sizeof(Part));
  fetched_.record(stream_.stream().get());
  stream_.synchronize();
  return {reinterpret_cast<const Part*>(host), count};
}

/// Most masks change colour fewer than four times a column.
std::size_t Detection::usual_runs(std::span<const kernels::Geometry> images) const {
  std::size_t columns = 0;
  for (const kernels::Geometry& image : images) columns += static_cast<std::size_t>(image.original_width);
  return 4 * columns * static_cast<std::size_t>(plan_.class_logits.height);
}

Detections Detection::run(std::span<const ImageToProcess> images, const DetectionOptions& options,
                          StageSeconds& seconds) {
  const auto mark = [this](const Event& event) { event.record(stream_.stream().get()); };
  const Call call = receive(images, options, &sending_);
  const bool runs = call.mask_form == MaskForm::runs;
  if (runs && stream_.mask_runs().bytes() == 0)
    stream_.mask_runs().reserve(usual_runs(call.geometries) * sizeof(std::uint32_t));
  describe(call);
  mark(sent_);
  compute(call);
  mark(computed_);
  kernels::PostprocessResult result = fetch_result();
  while (make_room(result.header, call.mask_form)) {
    // The network's outputs are still there: post-processing alone runs again. How many run lengths there are is known
    // once all bits are there, so that this may happen twice.
    describe(call);
    postprocess(call.mask_form);
    mark(computed_);
    result = fetch_result();
  }

  Detections found;
  if (runs) {
    const auto lengths = fetch_masks<std::uint32_t>(stream_.mask_runs(), result.header.runs);
    found = kernels::instances_of(result, call.geometries, lengths);
  } else {
    const auto words = fetch_masks<std::uint64_t>(stream_.mask_words(), result.header.words);
    found = kernels::instances_of(result, call.geometries, words);
  }
  seconds = {sent_.seconds_since(sending_), computed_.seconds_since(sent_), fetched_.seconds_since(computed_)};
  return found;
}

DeviceResults Detection::enqueue(std::span<const ImageToProcess> images, const DetectionOptions& options) {
  const Call call = receive(images, options, nullptr);
  const bool runs = call.mask_form == MaskForm::runs && call.settings.masks;
  // Nobody will look at what the masks need before they are used: there is room for whatever they may.
  if (call.settings.masks)
    stream_.mask_words().reserve(kernels::most_mask_words(plan_, call.geometries) * sizeof(std::uint64_t));
  const std::size_t capacity = options.run_capacity != 0 ? options.run_capacity : usual_runs(call.geometries);
  if (runs) stream_.mask_runs().reserve(capacity * sizeof(std::uint32_t));
  describe(call);
  compute(call);

  DeviceResults results = device_results(plan_, result_.data());
  results.stream = stream_.stream().get();
  results.words = reinterpret_cast<const std::uint64_t*>(stream_.mask_words().data());
  if (runs) {
    results.runs = reinterpret_cast<const std::uint32_t*>(stream_.mask_runs().data());
    results.run_capacity = stream_.mask_runs().bytes() / sizeof(std::uint32_t);
  }
  return results;
}

}  // namespace maskrt::cuda
