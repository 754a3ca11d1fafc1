#include "detection.h"

#include <cstring>

#include "kernels/preprocess/preprocess_cuda.h"

namespace maskrt::cuda {

Detection::Detection(SessionStream& stream, const Program& program, const Addresses& addresses,
                     const kernels::Normalisation& normalisation, std::unique_ptr<HeadRunner> head)
    : stream_(stream),
      program_(program),
      addresses_(addresses),
      normalisation_(normalisation),
      input_(bound(program.input, addresses)),
      head_(std::move(head)),
      block_(stream, static_cast<std::size_t>(input_.batch) * sizeof(kernels::cuda::ImageToResize),
             head_->call_bytes()),
      sending_(stream.context(), Event::Timing::yes),
      sent_(stream.context(), Event::Timing::yes),
      computed_(stream.context(), Event::Timing::yes),
      fetched_(stream.context(), Event::Timing::yes) {
  graph(head_->usual_task(), MaskForm::bits);
}

const GraphExec& Detection::graph(Task task, MaskForm form) {
  if (task != Task::instances) form = MaskForm::bits;  // there are no masks
  const std::pair kind(task, form);
  const auto known = graphs_.find(kind);
  if (known != graphs_.end()) return known->second;
  const Graph recorded = stream_.record([&] { launch_all(task, form); });
  return graphs_.try_emplace(kind, stream_.context(), recorded).first->second;
}

void Detection::launch_preprocessing() {
  kernels::preprocess_cuda(stream_.queue(),
                           reinterpret_cast<const kernels::cuda::ImageToResize*>(block_.pictures_on_device()),
                           normalisation_, input_);
}

void Detection::launch_network() {
  for (const Step& step : program_.steps)
    if (!step.for_outputs_alone) step.run(addresses_);
}

void Detection::launch_all(Task task, MaskForm form) {
  launch_preprocessing();
  launch_network();
  head_->launch(block_.head_on_device(), task, form);
}

Detection::Call Detection::receive(std::span<const ImageToProcess> images, const DetectionOptions& options,
                                   const Event* before) {
  if (static_cast<std::int64_t>(images.size()) != input_.batch)
    throw Error("cuda: expected " + std::to_string(input_.batch) + " images, found " + std::to_string(images.size()));
  Call call;
  call.options = options;
  call.pixels = stream_.upload_pixels(images, before);
  for (const ImageToProcess& image : images) call.images.push_back(image.geometry);
  return call;
}

void Detection::describe(const Call& call) {
  block_.send(
      [&](std::span<std::byte> pictures) {
        for (std::size_t i = 0; i < call.pixels.size(); ++i) {
          const kernels::Geometry& geometry = call.images[i];
          const kernels::cuda::ImageToResize image = kernels::image_to_resize(
              call.pixels[i], geometry.resized_width, geometry.resized_height, normalisation_, input_);
          std::memcpy(pictures.data() + i * sizeof image, &image, sizeof image);
        }
      },
      [&](std::span<std::byte> head) { head_->describe(call, head); });
}

template <typename Launch>
void Detection::with_clear_head(const Launch& launch) {
  if (!head_clear_) head_->clear();
  head_clear_ = false;  // where the launch fails
  launch();
  head_clear_ = true;
}

void Detection::compute(const Call& call) {
  const GraphExec& recorded = graph(call.options.task, call.options.mask_form);
  with_clear_head([&] { recorded.launch(stream_.stream().get()); });
}

std::vector<Detected> Detection::read(const Call& call) {
  const auto launch_again = [&] {
    describe(call);
    head_->launch(block_.head_on_device(), call.options.task, call.options.mask_form);
    computed_.record(stream_.stream().get());
  };
  return head_->read(call, launch_again, fetched_);
}

std::vector<Detected> Detection::run(std::span<const ImageToProcess> images, const DetectionOptions& options,
                                     StageSeconds& seconds) {
  const auto mark = [this](const Event& event) { event.record(stream_.stream().get()); };
  const Call call = receive(images, options, &sending_);
  describe(call);
  mark(sent_);
  compute(call);
  mark(computed_);
  std::vector<Detected> found = read(call);
  seconds = {sent_.seconds_since(sending_), computed_.seconds_since(sent_), fetched_.seconds_since(computed_)};
  return found;
}

StageSeconds Detection::time_stages(std::span<const ImageToProcess> images, const DetectionOptions& options) {
  const Call call = receive(images, options, nullptr);
  describe(call);
  std::vector<Event> between;
  const auto mark = [&] { between.emplace_back(stream_.context(), Event::Timing::yes).record(stream_.stream().get()); };
  graph(options.task, options.mask_form);  // loads the kernels of all stages
  if (!network_) network_.emplace(stream_.context(), stream_.record([this] { launch_network(); }));
  with_clear_head([&] {
    mark();
    launch_preprocessing();
    mark();
    network_->launch(stream_.stream().get());  // at one go: a launch takes longer than some layers
    mark();
    head_->launch(block_.head_on_device(), options.task, options.mask_form);
    mark();
  });
  read(call);
  return {between[1].seconds_since(between[0]), between[2].seconds_since(between[1]),
          between[3].seconds_since(between[2])};
}

DeviceResults Detection::enqueue(std::span<const ImageToProcess> images, const DetectionOptions& options) {
  const Call call = receive(images, options, nullptr);
  const DeviceResults results = head_->prepare_device_results(call);
  describe(call);
  compute(call);
  return results;
}

}  // namespace maskrt::cuda
