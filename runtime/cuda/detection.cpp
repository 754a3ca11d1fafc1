#include "detection.h"

#include <algorithm>
#include <cstring>

#include "kernels/preprocess/preprocess_cuda.h"

namespace maskrt::cuda {
namespace {

kernels::Tensor bind(const Program::Binding& binding, const Addresses& addresses) {
  kernels::Tensor tensor = binding.tensor;
  tensor.data = addresses[binding.buffer] + binding.byte_offset;
  return tensor;
}

kernels::PostprocessPlan plan_of(const Program& program, const Addresses& addresses) {
  kernels::PostprocessPlan plan;
  plan.class_logits = bind(program.outputs.at("class_logits"), addresses);
  plan.objectness_logits = bind(program.outputs.at("objectness_logits"), addresses);
  if (program.mask_resize) {
    plan.mask_logits = bind(program.mask_resize->source, addresses);
    plan.factor = static_cast<int>(program.mask_resize->factor);
  } else {
    plan.mask_logits = bind(program.outputs.at("mask_logits"), addresses);
  }
  plan.padded_width = static_cast<int>(program.input.extent.width);
  plan.padded_height = static_cast<int>(program.input.extent.height);
  return plan;
}

std::size_t pixels_block_bytes(const kernels::Tensor& input) {
  const std::size_t bytes = static_cast<std::size_t>(input.batch) * sizeof(kernels::cuda::ImageToResize);
  return (bytes + 15) / 16 * 16;
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
      host_call_(stream.context(), call_offset_ + kernels::postprocess_call_bytes(input_.batch)),
      call_(stream.context(), host_call_.bytes()),
      workspace_(stream.context(), kernels::postprocess_workspace_bytes(plan_)),
      result_(stream.context(), kernels::postprocess_result_bytes(plan_)),
      host_result_(stream.context(), result_.bytes()),
      sending_(stream.context(), Event::Timing::yes),
      sent_(stream.context(), Event::Timing::yes),
      computed_(stream.context(), Event::Timing::yes),
      fetched_(stream.context(), Event::Timing::yes) {
  stream.mask_words().reserve(usual_mask_bytes(plan_));
  stream.load([this] { launch_all(); });
  graph_.emplace(stream.context(), Graph::capture(stream.context(), stream.stream().get(), [this] {
                   send_call();
                   launch_all();
                   fetch_result();
                 }));
}

void Detection::send_call() { stream_.upload(call_.data(), host_call_.data(), host_call_.bytes()); }

void Detection::postprocess() {
  kernels::postprocess_cuda(stream_.queue(), plan_, call_.data() + call_offset_, workspace_.data(), result_.data(),
                            false);
}

void Detection::fetch_result() { stream_.download(host_result_.data(), result_.data(), result_.bytes()); }

void Detection::launch_all() {
  kernels::preprocess_cuda(stream_.queue(), reinterpret_cast<const kernels::cuda::ImageToResize*>(call_.data()),
                           normalisation_, input_);
  for (const Step& step : program_.steps)
    if (!step.redone_by_postprocess) step.run(addresses_);
  postprocess();
}

void Detection::describe(std::span<const kernels::Pixels> pixels, std::span<const ImageToProcess> images,
                         std::span<const kernels::Geometry> geometries, const kernels::PostprocessSettings& settings) {
  for (std::size_t i = 0; i < images.size(); ++i) {
    const kernels::cuda::ImageToResize image = kernels::image_to_resize(
        pixels[i], geometries[i].resized_width, geometries[i].resized_height, normalisation_, input_);
    std::memcpy(host_call_.data() + i * sizeof image, &image, sizeof image);
  }
  kernels::MaskBuffers buffers;
  buffers.words = reinterpret_cast<std::uint64_t*>(stream_.mask_words().data());
  buffers.word_capacity = stream_.mask_words().bytes() / sizeof(std::uint64_t);
  kernels::describe_postprocess_call(plan_, geometries, settings, buffers,
                                     {host_call_.data() + call_offset_, host_call_.bytes() - call_offset_});
}

Detections Detection::run(std::span<const ImageToProcess> images, const kernels::PostprocessSettings& settings,
                          StageSeconds& seconds) {
  if (static_cast<std::int64_t>(images.size()) != input_.batch)
    throw Error("cuda: expected " + std::to_string(input_.batch) + " images, found " + std::to_string(images.size()));
  std::vector<kernels::Geometry> geometries;
  for (const ImageToProcess& image : images) geometries.push_back(image.geometry);

  const auto mark = [this](const Event& event) { event.record(stream_.stream().get()); };
  const std::vector<kernels::Pixels> pixels = stream_.upload_pixels(images, &sending_);
  describe(pixels, images, geometries, settings);
  if (!workspace_clear_) kernels::clear_postprocess_workspace(stream_.queue(), plan_, workspace_.data());
  workspace_clear_ = false;  // until this call has come to its end
  mark(sent_);
  graph_->launch(stream_.stream().get());
  mark(computed_);
  stream_.synchronize();

  kernels::PostprocessResult result = kernels::read_result({host_result_.data(), host_result_.bytes()});
  if (const std::size_t bytes = result.header.words * sizeof(std::uint64_t); bytes > stream_.mask_words().bytes()) {
    // The network's outputs are still there: post-processing alone runs again, with room for its masks.
    stream_.mask_words().reserve(bytes);
    describe(pixels, images, geometries, settings);
    send_call();
    postprocess();
    fetch_result();
    mark(computed_);
    stream_.synchronize();
    result = kernels::read_result({host_result_.data(), host_result_.bytes()});
  }
  workspace_clear_ = true;

  const std::size_t bytes = result.header.words * sizeof(std::uint64_t);
  const auto* words = reinterpret_cast<const std::uint64_t*>(stream_.host_mask_words().reserve(bytes));
  if (bytes != 0) {
    stream_.download(stream_.host_mask_words().data(), stream_.mask_words().data(), bytes);
  }
  mark(fetched_);
  stream_.synchronize();
  seconds = {sent_.seconds_since(sending_), computed_.seconds_since(sent_), fetched_.seconds_since(computed_)};
  return kernels::instances_of(result, geometries, {words, result.header.words});
}

}  // namespace maskrt::cuda
