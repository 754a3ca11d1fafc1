// maskrt-bench-cuda: every kernel of SparseInst R-50 G-IAM at each of its shapes, whole networks, and rivals.
// Times on a GPU; on the virtual GPU, which it takes where there is none, what it counts. All of Google Benchmark's
// options work.
#include <benchmark/benchmark.h>

#include <CLI/CLI.hpp>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string_view>
#include <vector>

#include "bench/cuda/rivals/rivals.h"
#include "suite.h"
#include "weights_tools/families/build_model.h"

namespace {

using namespace maskrt;

struct Options {
  std::vector<int> batches{1, 8, 16};
  std::vector<std::string> precisions{"fp16"};
  std::string config = "sparse_inst_r50_giam";
  int height = 640, width = 864, measurements = 20, repeats = 20;
  bool rivals = true, times = false;
};

/// Google Benchmark has taken its own already.
Options read_options(int argc, char** argv) {
  Options options;
  CLI::App app(
      "Times every kernel of a network at every shape that it meets, with random weights; on the virtual GPU, counts\n"
      "what each does. --benchmark_filter=REGEX, --benchmark_out=FILE and the like are Google Benchmark's.",
      "maskrt-bench-cuda");
  app.add_option("--batch", options.batches, "batch sizes, separated by commas or spaces")
      ->delimiter(',')
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  app.add_option("--precision", options.precisions, "fp16, fp32, tf32, separated by commas or spaces")
      ->delimiter(',')
      ->check(CLI::IsMember({"fp16", "fp32", "tf32"}))
      ->capture_default_str();
  app.add_option("--config", options.config, "a published SparseInst config")->capture_default_str();
  app.add_option("--height", options.height, "of the input, a multiple of 32")
      ->check(CLI::Range(32, 2048))
      ->capture_default_str();
  app.add_option("--width", options.width, "of the input, a multiple of 32")
      ->check(CLI::Range(32, 2048))
      ->capture_default_str();
  app.add_option("--measurements", options.measurements, "of each benchmark, whose mean is given")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  app.add_option("--repeats", options.repeats, "runs in a row of each measurement with warm caches")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_flag("!--no-rivals", options.rivals, "leave cuBLAS and cuDNN out");
  app.add_flag("--times", options.times, "measure times on the virtual GPU, too, where they mean nothing: for tests");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    std::exit(app.exit(error) == 0 ? 0 : 2);
  }
  return options;
}

/// The virtual GPU beside this program, if it was built: used where there is no GPU and no driver is named.
void choose_driver(const Options& options) {
  if (!options.times) bench::VirtualGpu::prepare_environment();
  if (const char* named = std::getenv("MASKRT_CUDA_DRIVER"); named != nullptr && *named != '\0') return;
  try {
    cuda::Driver::instance();
  } catch (const Error& error) {
    const std::filesystem::path library =
        std::filesystem::read_symlink("/proc/self/exe").parent_path().parent_path() / "lib" / "libvgpu.so";
    if (!std::filesystem::exists(library)) throw;
    std::fprintf(stderr, "%s; counting on the virtual GPU instead\n", error.what());
    setenv("MASKRT_CUDA_DRIVER", library.c_str(), 1);
  }
}

Model model_of(const Options& options, Precision precision) {
  ModelOptions how;
  how.device = "cuda";
  how.precision = compute_of(precision);
  auto built = weights::build_random_model(weights::read_network(weights::published_config(options.config)));
  return make_model(std::move(built.description), how);
}

void run(const Options& options) {
  choose_driver(options);
  std::optional<bench::VirtualGpu> virtual_gpu;
  if (!options.times) virtual_gpu = bench::VirtualGpu::of(cuda::Driver::instance());
  const std::shared_ptr<Device> device = open_device("cuda");
  benchmark::AddCustomContext("device", device->description());
  benchmark::AddCustomContext("config", options.config);
  if (virtual_gpu) {
    benchmark::AddCustomContext("times", "none: counters of the virtual GPU");
  } else if (options.rivals) {
    for (const std::string& word : bench::absent_rivals()) std::fprintf(stderr, "%s\n", word.c_str());
  }
  for (const std::string& name : options.precisions) {
    const Precision precision = precision_named(name).value();
    const Model model = model_of(options, precision);
    for (const int batch : options.batches)
      bench::register_suite(
          {model, precision, batch, options.height, options.width, virtual_gpu, options.measurements, options.repeats},
          options.rivals);
  }
  benchmark::RunSpecifiedBenchmarks();
  benchmark::ClearRegisteredBenchmarks();  // and what they hold on the device
}

}  // namespace

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i)
    if (std::string_view(argv[i]) == "--help")
      read_options(2, std::array{argv[0], argv[i]}.data());  // not only its own
  benchmark::Initialize(&argc, argv);
  try {
    run(read_options(argc, argv));
  } catch (const Error& error) {
    std::fprintf(stderr, "maskrt-bench-cuda: %s\n", error.what());
    return 1;
  }
  benchmark::Shutdown();
  return 0;
}
