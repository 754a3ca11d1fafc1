#include "bed.h"

#include <algorithm>

#include "kernels/preprocess/preprocess_cuda.h"
#include "runtime/cuda/head_plans.h"
#include "runtime/executor.h"
#include "testing/mask_scenes.h"

namespace maskrt::bench {
namespace {

/// Bytes that the host knows, in device memory.
cuda::DeviceMemory uploaded(cuda::SessionStream& stream, std::span<const std::byte> bytes) {
  cuda::DeviceMemory memory(stream.context(), bytes.size());
  stream.upload(memory.data(), bytes.data(), bytes.size());
  stream.synchronize();
  return memory;
}

double bytes_of(const kernels::Tensor& tensor) { return static_cast<double>(tensor.bytes()); }

kernels::Normalisation normalisation_of(const graph::ModelDescription& description) {
  kernels::Normalisation normalisation;
  normalisation.rgb = description.preprocessing.rgb;
  std::copy_n(description.preprocessing.mean, 3, normalisation.mean);
  std::copy_n(description.preprocessing.std, 3, normalisation.std);
  return normalisation;
}

}  // namespace

Bed::Bed(const Model& model, std::int64_t batch, std::int64_t height, std::int64_t width)
    : stream_(model.impl()->device->open_stream({})),
      extents_(graph::infer_extents(model.impl()->network->graph(), batch, height, width)),
      program_(model.impl()->network->compile(batch, height, width, 1)),
      memory_(graph::plan_memory(lifetimes(program_))),
      arena_(stream().context(), memory_.bytes) {
  const kernels::Normalisation normalisation = normalisation_of(model.impl()->description);
  record_preprocess("preprocess.resized", static_cast<int>(width * 3 / 2 + 1), static_cast<int>(height * 3 / 2 + 1),
                    normalisation);
  stages_.back().in_pipeline = false;
  record_preprocess("preprocess", static_cast<int>(width), static_cast<int>(height), normalisation);
  record_network();
  record_head();
}

void Bed::clear() const {
  for (const Stage& stage : stages_)
    for (const Operation& operation : stage.operations)
      if (!operation.is_launch()) replay(operation, stream().queue());
}

void Bed::run_all() const {
  for (const Stage& stage : stages_)
    for (const Operation& operation : stage.operations) replay(operation, stream().queue());
  stream().synchronize();
}

void Bed::write_logits() const {
  std::visit([this](const auto& head) { write_logits_of(head); }, program_.head);
}

void Bed::write_logits_of(const graph::ValuesHead&) const {}

void Bed::write_logits_of(const graph::SparseInstHead& head) const {
  write_random(head.class_logits);
  write_random(head.objectness_logits);
  write_masks(head.mask_logits);
}

void Bed::write_logits_of(const graph::FastInstHead& head) const {
  write_random(head.class_logits);
  write_masks(head.mask_logits);
}

void Bed::write_random(graph::ValueId value) const {
  testing::Uniform uniform(1);
  const kernels::Tensor list = bound(program_.head_values.at(value));
  std::vector<float> logits(static_cast<std::size_t>(list.batch * list.height * list.channels));
  for (float& logit : logits) logit = 2 * uniform() - 1;
  stream().write(list, logits);
}

void Bed::write_masks(graph::ValueId value) const {
  const kernels::Tensor maps = bound(program_.head_values.at(value));
  stream().write(maps, testing::blob_logits(static_cast<int>(maps.width), static_cast<int>(maps.height),
                                            static_cast<int>(maps.batch * maps.channels), 1));
}

kernels::Tensor Bed::bound(const Program::Binding& binding) const { return maskrt::bound(binding, addresses()); }

template <typename Work>
std::vector<Operation> Bed::record(const Work& work) {
  Recorder recorder(stream().queue());
  stream().divert(recorder, [&] { work(); });
  return recorder.take();
}

void Bed::record_network() {
  const auto zeros = std::find_if(program_.buffers.begin(), program_.buffers.end(),
                                  [](const Buffer& buffer) { return buffer.name == "zeros"; });
  const auto counters = static_cast<int>(zeros - program_.buffers.begin());
  for (const Step& step : program_.steps) {
    Stage stage;
    stage.name = step.name;
    stage.operation = step.operation;
    stage.flops = step.flops;
    stage.bytes = step.bytes;
    stage.predicted_seconds = step.predicted_seconds;
    stage.sums_across_blocks = std::find(step.writes.begin(), step.writes.end(), counters) != step.writes.end();
    stage.in_pipeline = !step.for_outputs_alone;
    stage.operations = record([&] { step.run(addresses()); });
    stages_.push_back(std::move(stage));
  }
}

void Bed::record_preprocess(const std::string& name, int width, int height,
                            const kernels::Normalisation& normalisation) {
  const kernels::Tensor input = bound(program_.input);
  const std::size_t bytes_each = std::size_t{3} * static_cast<std::size_t>(width * height);
  testing::Uniform uniform(2);
  std::vector<std::byte> pixels(bytes_each * static_cast<std::size_t>(input.batch));
  for (std::byte& byte : pixels) byte = static_cast<std::byte>(256 * uniform());
  buffers_.push_back(uploaded(stream(), pixels));
  const auto* there = reinterpret_cast<const std::uint8_t*>(buffers_.back().data());

  std::vector<kernels::cuda::ImageToResize> images;
  for (std::int64_t i = 0; i < input.batch; ++i)
    images.push_back(kernels::image_to_resize(
        {there + static_cast<std::size_t>(i) * bytes_each, width, height, 3 * width, kernels::PixelOrder::rgb},
        static_cast<int>(input.width), static_cast<int>(input.height), normalisation, input));
  buffers_.push_back(uploaded(stream(), std::as_bytes(std::span(images))));
  const auto* described = reinterpret_cast<const kernels::cuda::ImageToResize*>(buffers_.back().data());

  Stage stage;
  stage.name = name;
  stage.operation = "preprocess";
  stage.bytes = static_cast<double>(pixels.size()) + bytes_of(input);
  stage.operations = record([&] { kernels::preprocess_cuda(stream().queue(), described, normalisation, input); });
  stages_.push_back(std::move(stage));
}

void Bed::record_head() {
  std::visit([this](const auto& head) { record_head_of(head); }, program_.head);
}

void Bed::record_head_of(const graph::ValuesHead&) {}

void Bed::record_head_of(const graph::SparseInstHead& head) {
  kernels::SparseInstPlan plan = cuda::plan_of(head, program_, addresses());
  plan.score_threshold = 0;  // every query's mask is made
  record_instances(kernels::SparseInstCuda(plan),
                   bytes_of(plan.class_logits) + bytes_of(plan.objectness_logits) + bytes_of(plan.masks.logits));
}

void Bed::record_head_of(const graph::FastInstHead& head) {
  const kernels::FastInstPlan plan = cuda::plan_of(head, program_, addresses(), nullptr);
  record_instances(kernels::FastInstInstances(plan), bytes_of(plan.class_logits) + bytes_of(plan.mask_logits));
}

void Bed::record_instances(const kernels::InstanceHead& head, double bytes) {
  const kernels::MaskPlan& masks = head.masks();
  const kernels::Geometry image{masks.padded_width,  masks.padded_height, masks.padded_width,
                                masks.padded_height, masks.padded_width,  masks.padded_height};
  const std::vector<kernels::Geometry> images(static_cast<std::size_t>(head.block().batch), image);

  const auto allocate = [&](std::size_t count) {
    buffers_.emplace_back(stream().context(), count);
    return buffers_.back().data();
  };
  std::byte* const workspace = allocate(head.workspace_bytes());
  std::byte* const result = allocate(head.block().bytes());
  head.clear(stream().queue(), workspace);
  kernels::MaskRequest request;
  kernels::MaskBuffers& buffers = request.buffers;
  buffers.word_capacity = kernels::most_mask_words(masks.logits.channels, images);
  buffers.words = reinterpret_cast<std::uint64_t*>(allocate(buffers.word_capacity * sizeof(std::uint64_t)));
  buffers.run_capacity = buffers.word_capacity;
  buffers.runs = reinterpret_cast<std::uint32_t*>(allocate(buffers.run_capacity * sizeof(std::uint32_t)));
  std::vector<std::byte> call(kernels::mask_call_bytes(head.block().batch));
  kernels::describe_mask_call(masks, images, request, call);
  buffers_.push_back(uploaded(stream(), call));
  const std::byte* const described = buffers_.back().data();

  Stage stage;
  stage.name = stage.operation = "postprocess";
  stage.bytes = bytes;
  stage.sums_across_blocks = true;
  stage.operations = record([&] { head.launch(stream().queue(), {described, workspace, result}, true); });
  stages_.push_back(std::move(stage));
}

}  // namespace maskrt::bench
