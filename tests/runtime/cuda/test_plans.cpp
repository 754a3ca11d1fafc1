// What a plan asks of the driver: one recorded graph a call, few kernels, no memory once it is made.
#include <dlfcn.h>

#include <catch2/catch.hpp>
#include <cstdlib>

#include "counting_driver.h"
#include "runtime/cuda/memory.h"
#include "runtime/cuda/stream.h"
#include "runtime/model.h"
#include "support/gpu.h"
#include "support/places.h"
#include "weights_tools/families/build_model.h"

namespace maskrt {
namespace {

using testing::DriverCounts;

const std::string counting_driver = testing::place("MASKRT_COUNTING_DRIVER", MASKRT_COUNTING_DRIVER);

/// Puts the counting library before the driver that this program would open.
const bool counting = [] {
  const char* driver = std::getenv("MASKRT_CUDA_DRIVER");
  ::setenv("COUNTED_DRIVER", driver != nullptr ? driver : "", 1);
  return ::setenv("MASKRT_CUDA_DRIVER", counting_driver.c_str(), 1) == 0;
}();

/// What `work` asks the driver for.
template <typename Work>
DriverCounts counted(const Work& work) {
  static const auto so_far = reinterpret_cast<testing::CountedSoFar>(
      dlsym(dlopen(counting_driver.c_str(), RTLD_NOW | RTLD_LOCAL), "counted_so_far"));
  REQUIRE(so_far != nullptr);
  const DriverCounts before = so_far();
  work();
  DriverCounts after = so_far();
  for (const auto count :
       {&DriverCounts::allocations, &DriverCounts::frees, &DriverCounts::objects, &DriverCounts::kernels,
        &DriverCounts::graphs, &DriverCounts::graph_kernels, &DriverCounts::waits})
    after.*count -= before.*count;
  return after;
}

/// A published SparseInst, R-50 G-IAM unless said; `narrow`: small enough to run on a virtual GPU.
Model published(const std::string& device, bool narrow, const char* name = "sparse_inst_r50_giam") {
  weights::Config config = weights::published_config(name);
  if (narrow)
    weights::apply_overrides(config, {{"MODEL.RESNETS.WIDTH_PER_GROUP", "8"},
                                      {"MODEL.RESNETS.STEM_OUT_CHANNELS", "8"},
                                      {"MODEL.RESNETS.RES2_OUT_CHANNELS", "32"},
                                      {"MODEL.SPARSE_INST.ENCODER.NUM_CHANNELS", "32"},
                                      {"MODEL.SPARSE_INST.DECODER.INST.DIM", "32"},
                                      {"MODEL.SPARSE_INST.DECODER.MASK.DIM", "32"},
                                      {"INPUT.MIN_SIZE_TEST", "64"}});
  ModelOptions options;
  options.device = device;
  return make_model(weights::build_random_model(weights::read_network(config)).description, options);
}

/// A picture of one colour.
struct Plain {
  int width, height;
  std::vector<std::uint8_t> pixels = std::vector<std::uint8_t>(static_cast<std::size_t>(width * height * 3), 90);
  Image image() const { return Image::from_pixels(pixels.data(), width, height, PixelFormat::rgb); }
};

TEST_CASE(
    "from image bytes to masks R-50 G-IAM takes one graph of at most 80 kernels, and no memory once it is planned") {
  REQUIRE(counting);
  Session session(published("cuda", true));
  const Plain plain{96, 64};
  const std::vector<Image> images = {plain.image()};
  session.run(images);  // makes the plan
  for (int call = 0; call < 2; ++call) {
    const DriverCounts counts = counted([&] { session.run(images); });
    CHECK(counts.graphs == 1);
    CHECK(counts.graph_kernels > 0);
    CHECK(counts.graph_kernels <= 80);
    CHECK(counts.kernels == 0);
    CHECK(counts.allocations == 0);
    CHECK(counts.frees == 0);
    CHECK(counts.objects == 0);
    CHECK(counts.waits <= 2);  // for the result, then for as many words of masks as that names
  }
}

TEST_CASE("from pixels on the device to results on the device the host waits for nothing") {
  Session session(published("cuda", true));
  const auto context = cuda::Context::of_device(0);
  const cuda::DeviceMemory pixels(context, 96 * 64 * 3);
  const cuda::Stream stream(context);
  {
    const cuda::CurrentContext current(*context);
    context->driver().cuMemsetD8Async(cuda::address_of(pixels.data()), 90, pixels.bytes(), stream.get());
  }
  stream.synchronize();
  const std::vector<InputImage> images = {DeviceImage{pixels.data(), 96, 64}};
  RunOptions options;
  options.mask_form = MaskForm::runs;
  session.enqueue(images, options);  // makes the plan
  for (int call = 0; call < 2; ++call) {
    const DriverCounts counts = counted([&] { session.enqueue(images, options); });
    CHECK(counts.graphs == 1);
    CHECK(counts.kernels == 0);
    CHECK(counts.allocations == 0);
    CHECK(counts.frees == 0);
    CHECK(counts.objects == 0);
    CHECK(counts.waits == 0);
  }
  session.run(images);
}

TEST_CASE(
    "at its full width and size, too, R-50 G-IAM takes at most 80 kernels, each of which on Hopper may start while the "
    "one before it ends") {
  Session session(published("cuda", false));
  const DriverCounts counts = counted([&] { session.prepare(1, 640, 864); });
  CHECK(counts.objects > 0);  // it has recorded
  CHECK(counts.largest_graph <= 80);
  CHECK(counts.kernel_edges + 2 >= counts.largest_graph);  // a chain; counters may be cleared between two of them
  const cuda::Context& context = *testing::Gpu::instance().context();
  const bool early =
      context.chip().path() == kernels::KernelPath::sm90a && context.driver().version() >= cuda::kProgrammaticEdges;
  CHECK(counts.early_edges == (early ? counts.kernel_edges : 0));
  CHECK(counted([&] { session.prepare(1, 640, 864); }).objects == 0);
}

TEST_CASE("R-50-D with deformable stages, whose offsets and means are layers of their own, takes at most 90 kernels") {
  Session session(published("cuda", false, "sparse_inst_r50vd_dcn_giam"));
  const DriverCounts counts = counted([&] { session.prepare(1, 608, 864); });
  CHECK(counts.largest_graph > 80);  // recorded, and with the deformable layers
  CHECK(counts.largest_graph <= 90);
}

}  // namespace
}  // namespace maskrt
