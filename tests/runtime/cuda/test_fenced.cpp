// Every buffer of a program in an allocation of its own: who reaches beyond one is seen by the virtual GPU's fences,
// and what nobody wrote is undefined.
#include <algorithm>
#include <catch2/catch.hpp>

#include "runtime/input_image.h"
#include "runtime/model.h"
#include "support/files.h"
#include "support/fixture.h"
#include "support/places.h"

namespace maskrt {
namespace {

using namespace testing;

/// Allocations of a stream's, given back at the end.
class Fenced {
 public:
  Fenced(DeviceStream& stream, const std::vector<Buffer>& buffers) : stream_(stream), buffers_(buffers) {
    for (const Buffer& buffer : buffers) memory_.push_back(stream.allocate(std::max<std::size_t>(buffer.bytes, 1)));
    base_ = *std::min_element(memory_.begin(), memory_.end());
    for (std::byte* memory : memory_) offsets_.push_back(static_cast<std::size_t>(memory - base_));
  }
  ~Fenced() {
    for (std::size_t i = 0; i < memory_.size(); ++i)
      stream_.release(memory_[i], std::max<std::size_t>(buffers_[i].bytes, 1));
  }
  Fenced(const Fenced&) = delete;
  Fenced& operator=(const Fenced&) = delete;
  Addresses addresses() const { return {base_, offsets_.data(), &stream_}; }

 private:
  DeviceStream& stream_;
  const std::vector<Buffer>& buffers_;
  std::vector<std::byte*> memory_;
  std::byte* base_ = nullptr;
  std::vector<std::size_t> offsets_;
};

TEST_CASE("with a fence around every value a model in fp16 finds what it finds in one arena") {
  const TemporaryFolder scratch;
  const Fixture fixture = load_fixture(test_data() / "fixtures" / "sparse_inst_r50_giam", scratch.path());
  REQUIRE(fixture.images.size() > 1);
  ModelOptions options;
  options.device = "cuda";
  const Model model = make_model(fixture.model, options);
  const auto want = Session(model).run(fixture.images);

  const Model::Impl& parts = *model.impl();
  std::vector<ImageToProcess> images = images_to_process(std::span(fixture.images));
  const ImageSize size = fit(images, input_settings(parts.description.preprocessing));
  const Program program = parts.network->compile(static_cast<std::int64_t>(images.size()), size.height, size.width, 1);
  const auto stream = parts.device->open_stream({});
  const Fenced memory(*stream, program.buffers);
  const auto execution = stream->bind(program, memory.addresses(), normalisation_of(parts.description.preprocessing));
  DetectionOptions wanted;
  StageSeconds seconds;
  std::vector<std::vector<kernels::DetectedInstance>> found;
  for (Detected& detected : execution->detect(images, wanted, seconds))
    found.push_back(std::get<std::vector<kernels::DetectedInstance>>(std::move(detected)));

  REQUIRE(found.size() == want.size());
  for (std::size_t i = 0; i < want.size(); ++i) {
    INFO("image " << i);
    REQUIRE(!want[i].empty());
    REQUIRE(found[i].size() == want[i].size());
    for (std::size_t j = 0; j < want[i].size(); ++j) {
      INFO("instance " << j);
      CHECK(found[i][j].score == want[i][j].score);
      CHECK(found[i][j].class_id == want[i][j].class_id);
      const auto bits = want[i][j].mask.bits();
      CHECK(std::equal(bits.begin(), bits.end(), found[i][j].mask.words.begin(), found[i][j].mask.words.end()));
    }
  }
}

}  // namespace
}  // namespace maskrt
