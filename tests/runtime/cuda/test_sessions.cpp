// Several sessions in one process, each on a thread of its own.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <exception>
#include <functional>
#include <thread>

#include "runtime/cuda/memory.h"
#include "small_model.h"
#include "support/forked.h"

namespace maskrt {
namespace {

using namespace testing;

/// For the virtual GPU, before it is opened.
const bool two_devices = ::setenv("VGPU_DEVICES", "2", 1) == 0;

using Results = std::vector<std::vector<Instance>>;

/// Parts of the fixture's picture whose plans differ.
std::vector<Image> pictures() {
  const Image& whole = small_fixture().images[0];
  const std::ptrdiff_t stride = whole.row(1) - whole.row(0);
  return {Image::from_pixels(whole.row(0), 96, 64, PixelFormat::rgb, stride),
          Image::from_pixels(whole.row(40) + 3 * 60, 64, 90, PixelFormat::rgb, stride),
          Image::from_pixels(whole.row(50) + 3 * 100, 64, 64, PixelFormat::rgb, stride)};
}

/// All pictures in turn, one a call, from the `first` on; results in the order of the pictures.
Results run_all(const Model& model, const std::vector<Image>& images, std::size_t first) {
  SessionOptions options;
  options.threads = 1;
  options.plans = 2;  // fewer than there are shapes: plans go while others run
  Session session(model, options);
  Results results(images.size());
  for (std::size_t i = 0; i < images.size(); ++i) {
    const std::size_t at = (first + i) % images.size();
    results[at] = session.run(images[at]);
  }
  return results;
}

/// Does all of it at once; throws what one of them threw.
void side_by_side(const std::vector<std::function<void()>>& work) {
  std::vector<std::exception_ptr> errors(work.size());
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < work.size(); ++i)
    threads.emplace_back([&, i] {
      try {
        work[i]();
      } catch (...) {
        errors[i] = std::current_exception();
      }
    });
  for (std::thread& thread : threads) thread.join();
  for (const std::exception_ptr& error : errors)
    if (error) std::rethrow_exception(error);
}

TEST_CASE("sessions of one model on several threads give what one alone gives") {
  const std::vector<Image> images = pictures();
  const Results want = run_all(small_model(), images, 0);
  const Model model = small_model();  // whose weights nobody has prepared yet
  std::vector<Results> got(3);
  std::vector<std::function<void()>> work;
  for (std::size_t i = 0; i < got.size(); ++i) work.emplace_back([&, i] { got[i] = run_all(model, images, i); });
  side_by_side(work);
  for (const Results& results : got) require_same(results, want);
}

TEST_CASE("models on two GPUs run side by side, each on what is its own") {
  int count = 0;
  REQUIRE(two_devices);
  cuda::Driver::instance().cuDeviceGetCount(&count);
  if (count < 2) return;
  const std::vector<Image> images = pictures();
  const Model first = small_model("cuda:0"), second = small_model("cuda:1");
  CHECK(second.info().device == "cuda:1");
  const Results want = run_all(first, images, 0);
  std::vector<Results> got(3);
  side_by_side({[&] { got[0] = run_all(first, images, 0); }, [&] { got[1] = run_all(second, images, 1); },
                [&] { got[2] = run_all(second, images, 2); }});
  for (const Results& results : got) require_same(results, want);

  const cuda::DeviceMemory there(cuda::Context::of_device(0), 96 * 64 * 3);
  const std::vector<InputImage> strange = {DeviceImage{there.data(), 96, 64}};
  CHECK_THROWS_WITH(
      Session(second).run(strange),
      Catch::Contains("CUDA device 1: expected pixels in its memory, found some in the memory of device 0"));
  CHECK_THROWS_WITH(small_model("cuda:" + std::to_string(count)),
                    Catch::Contains("CUDA device: expected a number from 0 to"));
}

TEST_CASE("models on a GPU and on the CPU run side by side") {
  const std::vector<Image> images = pictures();
  const Model gpu = small_model();
  const std::optional<Model> cpu = small_model_on_cpu();
  if (!cpu) return;
  const Results on_gpu = run_all(gpu, images, 0), on_cpu = run_all(*cpu, images, 0);
  Results gpu_again, cpu_again;
  side_by_side({[&] { gpu_again = run_all(gpu, images, 1); }, [&] { cpu_again = run_all(*cpu, images, 1); }});
  require_same(gpu_again, on_gpu);
  require_same(cpu_again, on_cpu);
}

TEST_CASE("in a child of fork, what is on a GPU is an Error, and models on the CPU work") {
  const std::vector<Image> images = pictures();
  const Model model = small_model();
  Session session(model);
  const std::size_t found = session.run(images[0]).size();
  const std::string refusal =
      "Error: cuda:0: expected the process that opened the GPU, found a child that fork made of it";
  CHECK_THAT(Forked([&] { return std::to_string(session.run(images[0]).size()); }).wait(), Catch::StartsWith(refusal));
  CHECK_THAT(Forked([&] { return std::to_string(Session(model).run(images[0]).size()); }).wait(),
             Catch::StartsWith(refusal));
  CHECK_THAT(Forked([&] { return small_model().info().device; }).wait(), Catch::StartsWith(refusal));
  if (const std::optional<Model> cpu = small_model_on_cpu()) {
    const std::string on_cpu = std::to_string(Session(*cpu).run(images[0]).size());
    CHECK(Forked([&] { return std::to_string(Session(*cpu).run(images[0]).size()); }).wait() == on_cpu);
  }
  CHECK(session.run(images[0]).size() == found);  // the parent goes on
}

}  // namespace
}  // namespace maskrt
