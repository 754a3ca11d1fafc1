// Pictures, results and streams that stay the caller's: what a session does with them is what it does with its own.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <cstring>
#include <map>

#include "runtime/mask/rle.h"
#include "runtime/support/pixel_format.h"
#include "small_model.h"
#include "support/gpu.h"

namespace maskrt {
namespace {

using namespace testing;

/// Rows of a picture as they lie in memory, wherever that is: the first at `first`.
struct Rows {
  std::vector<std::uint8_t> bytes;
  std::size_t first = 0;
  std::ptrdiff_t stride = 0;
  int width = 0, height = 0;
  PixelFormat format = PixelFormat::rgb;

  Image on_host() const { return Image::from_pixels(bytes.data() + first, width, height, format, stride); }
  DeviceImage on_device(const std::byte* memory) const { return {memory + first, width, height, format, stride}; }
};

/// A part of the fixture's picture; `gap` bytes, that nobody may read as pixels, between rows.
Rows rows_of(int x, int y, int width, int height, PixelFormat format, std::size_t gap, bool bottom_up) {
  const Image& picture = small_fixture().images[0];
  const auto channels = static_cast<std::size_t>(bytes_of_pixel(format));
  const std::size_t row = static_cast<std::size_t>(width) * channels + gap;
  Rows rows{std::vector<std::uint8_t>(row * static_cast<std::size_t>(height), 0xEE),
            0,
            static_cast<std::ptrdiff_t>(row),
            width,
            height,
            format};
  for (int i = 0; i < height; ++i) {
    const std::uint8_t* from = picture.row(y + i) + 3 * x;
    std::uint8_t* to = rows.bytes.data() + row * static_cast<std::size_t>(bottom_up ? height - 1 - i : i);
    for (int j = 0; j < width; ++j) {
      if (format == PixelFormat::grey) {
        to[j] = from[3 * j + 1];
      } else {
        for (int c = 0; c < 3; ++c) to[3 * j + c] = from[3 * j + (format == PixelFormat::bgr ? 2 - c : c)];
      }
    }
  }
  if (bottom_up) {
    rows.first = row * static_cast<std::size_t>(height - 1);
    rows.stride = -rows.stride;
  }
  return rows;
}

TEST_CASE("pictures on the device are read where they lie, in any order of bytes and rows, beside others") {
  const std::vector<Rows> pictures = {
      rows_of(0, 0, 96, 64, PixelFormat::rgb, 0, false), rows_of(50, 20, 91, 64, PixelFormat::bgr, 7, false),
      rows_of(80, 60, 96, 61, PixelFormat::grey, 3, false), rows_of(20, 80, 83, 64, PixelFormat::rgb, 2, true)};
  std::vector<Image> there;
  std::vector<InputImage> here;
  std::vector<DeviceArray<std::uint8_t>> memory;
  memory.reserve(pictures.size());
  for (const Rows& rows : pictures) {
    there.push_back(rows.on_host());
    memory.emplace_back(rows.bytes);
    here.emplace_back(rows.on_device(reinterpret_cast<const std::byte*>(memory.back().data())));
  }
  here[2] = there[2];

  Session session(small_model());
  const auto want = session.run(there);
  CHECK(!want[0].empty());
  require_same(session.run(here), want);
}

TEST_CASE("pictures that cannot be read are refused before anything runs") {
  const Rows rows = rows_of(0, 0, 96, 64, PixelFormat::rgb, 0, false);
  const DeviceArray<std::uint8_t> memory(rows.bytes);
  DeviceImage image = rows.on_device(reinterpret_cast<const std::byte*>(memory.data()));
  const auto run = [](Session& session, const DeviceImage& one) {
    const std::vector<InputImage> images = {one};
    return session.run(images);
  };
  Session session(small_model());
  const auto want = run(session, image);

  DeviceImage wrong = image;
  wrong.pixels = rows.bytes.data();
  CHECK_THROWS_WITH(run(session, wrong), Catch::Contains("found an address that the CUDA driver does not know"));
  wrong.pixels = nullptr;
  CHECK_THROWS_WITH(run(session, wrong), Catch::Contains("at no address"));
  wrong = image;
  wrong.row_stride = 287;
  CHECK_THROWS_WITH(run(session, wrong), Catch::Contains("expected rows at least 288 bytes apart, found 287"));
  wrong.row_stride = 0;
  wrong.height = 0;
  CHECK_THROWS_WITH(run(session, wrong), Catch::Contains("expected at least 1 x 1 pixels, found 96 x 0"));
  require_same(run(session, image), want);
}

/// What results in device memory say, copied in the order of their stream.
struct Copied {
  DeviceCounts counts{};
  std::vector<std::uint32_t> first;
  std::vector<DeviceInstance> instances;
  std::vector<std::uint64_t> words;
  std::vector<std::uint32_t> runs;
};

template <typename T>
std::vector<T> copy_of(const T* device, std::size_t count, CUstream stream) {
  std::vector<T> host(count);
  const cuda::Context& context = *Gpu::instance().context();
  const cuda::CurrentContext current(context);
  if (count != 0) context.driver().cuMemcpyDtoHAsync(host.data(), cuda::address_of(device), count * sizeof(T), stream);
  context.driver().cuStreamSynchronize(stream);
  return host;
}

Copied copy_of(const DeviceResults& results) {
  const auto stream = static_cast<CUstream>(results.stream);
  Copied copied;
  copied.counts = copy_of(results.counts, 1, stream)[0];
  copied.first = copy_of(results.first_instance, results.images + 1, stream);
  REQUIRE(copied.counts.instances <= results.most_instances);
  copied.instances = copy_of(results.instances, copied.counts.instances, stream);
  copied.words = copy_of(results.words, copied.counts.words, stream);
  if (results.runs != nullptr)
    copied.runs = copy_of(results.runs, std::min<std::size_t>(copied.counts.runs, results.run_capacity), stream);
  return copied;
}

/// The documented layout holds exactly these instances.
void require_holds(const Copied& got, const std::vector<std::vector<Instance>>& want, bool runs) {
  REQUIRE(got.first.size() == want.size() + 1);
  CHECK(got.first.front() == 0);
  CHECK(got.first.back() == got.counts.instances);
  for (std::size_t i = 0; i < want.size(); ++i) {
    INFO("image " << i);
    REQUIRE(got.first[i + 1] - got.first[i] == want[i].size());
    for (std::size_t j = 0; j < want[i].size(); ++j) {
      INFO("instance " << j);
      const DeviceInstance& g = got.instances[got.first[i] + j];
      const Instance& w = want[i][j];
      REQUIRE(g.image == static_cast<int>(i));
      REQUIRE(g.class_id == w.class_id);
      REQUIRE(g.score == w.score);
      REQUIRE(g.area == static_cast<std::uint64_t>(w.mask.area()));
      if (g.area == 0) {
        REQUIRE(g.right < g.left);
      } else {
        const auto as_floats = [](auto... n) { return std::tuple(static_cast<float>(n)...); };
        REQUIRE(as_floats(g.left, g.top, g.right + 1, g.bottom + 1) ==
                std::tuple(w.box.x, w.box.y, w.box.x + w.box.width, w.box.y + w.box.height));
      }
      for (int x = 0; x < w.mask.width(); ++x) {
        for (int word = 0; word < w.mask.words_per_column(); ++word) {
          const bool inside =
              x >= g.box_x && x < g.box_x + g.box_columns && word >= g.box_word && word < g.box_word + g.box_words;
          const std::uint64_t bits =
              inside
                  ? got.words[g.first_word + static_cast<std::size_t>((x - g.box_x) * g.box_words + word - g.box_word)]
                  : 0;
          REQUIRE(bits == w.mask.bits()[static_cast<std::size_t>(x * w.mask.words_per_column() + word)]);
        }
      }
      if (!runs) continue;
      const std::vector<std::uint32_t> own(got.runs.begin() + static_cast<std::ptrdiff_t>(g.first_run),
                                           got.runs.begin() + static_cast<std::ptrdiff_t>(g.first_run + g.runs));
      REQUIRE(own == rle::from_bits(w.mask.height(), w.mask.width(), w.mask.bits(), w.mask.words_per_column()).counts);
    }
  }
}

TEST_CASE("results that stay on the device are those that run() gives") {
  const std::vector<Rows> kept = {rows_of(0, 0, 96, 64, PixelFormat::rgb, 0, false),
                                  rows_of(90, 50, 96, 64, PixelFormat::rgb, 0, false)};
  std::vector<InputImage> inputs, swapped;
  for (const Rows& rows : kept) inputs.emplace_back(rows.on_host());
  swapped = {inputs[1], inputs[0]};
  Session session(small_model());
  const std::vector<Image> pictures = {kept[0].on_host(), kept[1].on_host()}, turned = {pictures[1], pictures[0]};
  const auto want = session.run(pictures), want_swapped = session.run(turned);

  require_holds(copy_of(session.enqueue(inputs)), want, false);
  RunOptions options;
  options.mask_form = MaskForm::runs;
  require_holds(copy_of(session.enqueue(inputs, options)), want, true);
  session.enqueue(inputs);  // of which nobody waits for anything
  require_holds(copy_of(session.enqueue(swapped, options)), want_swapped, true);

  options.run_capacity = 5;
  const DeviceResults small = session.enqueue(inputs, options);
  CHECK(copy_of(small).counts.runs > 5);

  options = {};
  options.masks = false;
  const Copied scores = copy_of(session.enqueue(inputs, options));
  CHECK(scores.counts.instances == want[0].size() + want[1].size());
  CHECK(scores.counts.words == 0);
  require_same(session.run(pictures), want);
}

TEST_CASE("run lengths made on the device are those of the bits") {
  Session session(small_model());
  const auto& images = small_fixture().images;
  const auto want = session.run(images);
  RunOptions options;
  options.mask_form = MaskForm::runs;
  const auto got = session.run(images, options);
  REQUIRE(!want[0].empty());
  for (std::size_t i = 0; i < want[0].size(); ++i) CHECK(got[0][i].mask.rle().counts == want[0][i].mask.rle().counts);
  require_same(got, want);  // bits from run lengths
  options.minimum_score = 2;
  CHECK(session.run(images, options)[0].empty());
}

/// Device memory from the driver, counted.
struct Counting {
  std::map<void*, cuda::DeviceMemory> held;
  std::size_t most = 0, bytes = 0, budget = ~std::size_t{0};
  void* stream = nullptr;

  /// Of a session that works on `with`.
  SessionOptions options(const cuda::Stream& with) {
    SessionOptions how;
    how.stream = stream = with.get();
    how.allocator = allocator();
    return how;
  }
  DeviceAllocator allocator() {
    return {[this](std::size_t asked, void* on) -> void* {
              CHECK(on == stream);
              if (bytes + asked > budget) return nullptr;
              cuda::DeviceMemory memory(Gpu::instance().context(), asked);
              void* const data = memory.data();
              held.emplace(data, std::move(memory));
              bytes += asked;
              most = std::max(most, bytes);
              return data;
            },
            [this](void* memory, std::size_t size, void*) {
              CHECK(held.at(memory).bytes() == size);
              held.erase(memory);
              bytes -= size;
            }};
  }
};

TEST_CASE("a session works in the order of its caller's stream, with its caller's memory") {
  const Rows rows = rows_of(30, 30, 96, 64, PixelFormat::rgb, 0, false);
  const std::vector<Image> on_host = {rows.on_host()};
  const Model model = small_model();
  const auto want = Session(model).run(on_host);

  const cuda::Context& context = *Gpu::instance().context();
  const cuda::Stream stream(Gpu::instance().context());
  const cuda::DeviceMemory memory(Gpu::instance().context(), rows.bytes.size());
  Counting counting;
  {
    Session session(model, counting.options(stream));
    session.prepare(1, 96, 160);
    const std::vector<InputImage> images = {rows.on_device(memory.data())};
    const auto fill = [&](bool with_pixels) {
      const cuda::CurrentContext current(context);
      if (with_pixels) {
        context.driver().cuMemcpyHtoDAsync(cuda::address_of(memory.data()), rows.bytes.data(), rows.bytes.size(),
                                           stream.get());
      } else {
        context.driver().cuMemsetD8Async(cuda::address_of(memory.data()), 0, rows.bytes.size(), stream.get());
      }
    };
    // Pixels that are still on their way when the session is called, and overwritten once it has returned.
    fill(true);
    const DeviceResults results = session.enqueue(images);
    CHECK(results.stream == stream.get());
    fill(false);
    require_holds(copy_of(results), want, false);
    fill(true);
    require_same(session.run(images), want);
    CHECK(counting.bytes > 0);
  }
  CHECK(counting.held.empty());
  CHECK(counting.bytes == 0);
}

TEST_CASE("masks for which a plan has no room are made again with it") {
  // Eight times as large as the network sees it: plans expect masks of the network's own size.
  const Rows part = rows_of(0, 0, 96, 64, PixelFormat::rgb, 0, false);
  std::vector<std::uint8_t> pixels(std::size_t{768} * 512 * 3);
  for (std::size_t i = 0; i < pixels.size(); ++i)
    pixels[i] = part.bytes[(i / (768 * 3 * 8) * 96 + i / 3 % 768 / 8) * 3 + i % 3];
  const DeviceArray<std::uint8_t> memory(pixels);
  const std::vector<InputImage> images = {DeviceImage{memory.data(), 768, 512}};
  const Model model = small_model();
  RunOptions runs;
  runs.mask_form = MaskForm::runs;
  const auto want = Session(model).run(images, runs);
  REQUIRE(!want[0].empty());

  const cuda::Stream stream(Gpu::instance().context());
  Counting counting;
  {
    Session session(model, counting.options(stream));
    session.prepare(1, 64, 96);
    const std::size_t planned = counting.bytes;
    require_same(session.run(images), want);
    CHECK(counting.bytes > planned);
    session.run(std::vector<Image>{part.on_host()}, runs);  // makes room for the run lengths of small masks
    const std::size_t small = counting.bytes;
    require_same(session.run(images, runs), want);
    CHECK(counting.bytes > small);
    require_holds(copy_of(session.enqueue(images, runs)), want, true);
  }
  CHECK(counting.held.empty());
}

TEST_CASE("a stream that is none of the device's is refused") {
  if (std::getenv("VGPU_CC") == nullptr) return;  // a real driver may trust the caller
  SessionOptions options;
  options.stream = reinterpret_cast<void*>(0x1234);
  CHECK_THROWS_WITH(Session(small_model(), options), Catch::Contains("expected a stream of its primary context"));
}

TEST_CASE("where the caller's memory ends a session says so, and works again at a smaller size") {
  const Rows small = rows_of(30, 30, 96, 64, PixelFormat::rgb, 0, false);
  const std::vector<Image> one = {small.on_host()}, many(4, small.on_host());
  const Model model = small_model();
  const auto want = Session(model).run(one);
  Counting counting;
  const cuda::Stream stream(Gpu::instance().context());
  {
    Session session(model, counting.options(stream));
    session.run(one);
    counting.budget = counting.most + counting.most / 2;
    CHECK_THROWS_WITH(session.run(many), Catch::Contains("from its allocator, found none"));
    require_same(session.run(one), want);
    CHECK_THROWS_WITH(session.run(many), Catch::Contains("from its allocator, found none"));
    counting.budget = ~std::size_t{0};
    CHECK(session.run(many).size() == many.size());
  }
  CHECK(counting.held.empty());
}

TEST_CASE("a CPU's session takes nothing of a GPU's") {
  SessionOptions options;
  options.allocator = {[](std::size_t, void*) { return static_cast<void*>(nullptr); },
                       [](void*, std::size_t, void*) {}};
  const std::optional<Model> model = small_model_on_cpu();
  if (!model) return;
  CHECK_THROWS_WITH(Session(*model, options), Catch::Contains("cpu: expected a session without"));
  Session session(*model);
  const Rows rows = rows_of(0, 0, 96, 64, PixelFormat::rgb, 0, false);
  const std::vector<InputImage> images = {rows.on_device(reinterpret_cast<const std::byte*>(rows.bytes.data()))};
  CHECK_THROWS_WITH(session.run(images), Catch::Contains("cpu: expected pictures in host memory"));
  CHECK_THROWS_WITH(session.enqueue(images), Catch::Contains("enqueue: expected a model on a GPU"));
}

}  // namespace
}  // namespace maskrt
