// The network's input on the GPU against the loops that define it: bit for bit, fp16 the fp32 value rounded once.
#include <bit>
#include <memory>
#include <numeric>
#include <random>

#include "kernels/preprocess/preprocess_cuda.h"
#include "support/gpu.h"
#include "tests/kernels/owned_tensor.h"

using namespace maskrt;
using namespace maskrt::kernels;
using maskrt::testing::DeviceArray;
using maskrt::testing::DeviceTensor;
using maskrt::testing::Gpu;
using maskrt::testing::OwnedTensor;

namespace {

struct ImageCase {
  int width, height, resized_width, resized_height;
  PixelOrder order = PixelOrder::rgb;
  int first_byte = 0, spare = 0;  ///< where the first row begins, and bytes between rows
};

/// Seeded bytes: the image's, whatever lies between its rows, and no byte more.
class DeviceImage {
 public:
  DeviceImage(const ImageCase& c, unsigned seed) : case_(c), bytes_(bytes(c)) {
    std::mt19937 engine(seed);
    for (std::uint8_t& byte : bytes_) byte = static_cast<std::uint8_t>(engine() >> 24);
    device_ = std::make_unique<DeviceArray<std::uint8_t>>(bytes_);
  }
  Pixels on_host() const { return pixels(bytes_.data()); }
  Pixels on_device() const { return pixels(device_->data()); }

 private:
  static std::size_t channels(const ImageCase& c) { return static_cast<std::size_t>(bytes_of_pixel(c.order)); }
  static std::size_t bytes(const ImageCase& c) {
    const std::size_t row = channels(c) * static_cast<std::size_t>(c.width);
    return static_cast<std::size_t>(c.first_byte) +
           (row + static_cast<std::size_t>(c.spare)) * static_cast<std::size_t>(c.height - 1) + row;
  }
  Pixels pixels(const std::uint8_t* base) const {
    return {base + case_.first_byte, case_.width, case_.height,
            static_cast<std::ptrdiff_t>(channels(case_)) * case_.width + case_.spare, case_.order};
  }

  ImageCase case_;
  std::vector<std::uint8_t> bytes_;
  std::unique_ptr<DeviceArray<std::uint8_t>> device_;
};

struct Layout {
  DataType type;
  int block, pixel_stride;
};

/// Every image of the batch by preprocess_cuda and by preprocess_ref, equal in every bit, the padding channels zero and
/// what lies between pixels untouched.
void compare(const std::vector<ImageCase>& batch, int width, int height, const Layout& layout) {
  Normalisation normalisation{true, {123.675f, 116.28f, 103.53f}, {58.395f, 57.12f, 57.375f}};
  const auto images = static_cast<std::int64_t>(batch.size());
  // Wider pixels are a slice of a wider tensor, of which the rest stays as it was.
  OwnedTensor whole(layout.type, images, height, width, layout.pixel_stride, 0);
  whole.fill(3);
  const auto slice = [&](const Tensor& of) {
    Tensor t = of;
    t.channels = 3;
    t.block = layout.block;
    return t;
  };
  OwnedTensor want(DataType::f32, images, height, width, 3, 0);
  const DeviceTensor out(*whole);
  std::vector<std::unique_ptr<DeviceImage>> pictures;
  std::vector<kernels::cuda::ImageToResize> described;
  for (std::size_t b = 0; b < batch.size(); ++b) {
    const ImageCase& c = batch[b];
    pictures.push_back(std::make_unique<DeviceImage>(c, static_cast<unsigned>(b) + 1));
    described.push_back(
        image_to_resize(pictures[b]->on_device(), c.resized_width, c.resized_height, normalisation, slice(*out)));
    preprocess_ref(pictures[b]->on_host(), c.resized_width, c.resized_height, normalisation, *want,
                   static_cast<std::int64_t>(b));
  }
  const DeviceArray<kernels::cuda::ImageToResize> on_device(described);
  preprocess_cuda(Gpu::instance().queue(), on_device.data(), normalisation, slice(*out));
  OwnedTensor got(layout.type, images, height, width, layout.pixel_stride, 0);
  out.download(*got);
  for_each_element(*got, [&](auto b, auto y, auto x, auto c) {
    float wanted = c < 3 ? get(*want, b, y, x, c) : c < layout.block ? 0.0f : get(*whole, b, y, x, c);
    if (layout.type == DataType::f16) wanted = float_from_f16(f16_from_float(wanted));
    const float found = get(*got, b, y, x, c);
    if (std::bit_cast<std::uint32_t>(found) != std::bit_cast<std::uint32_t>(wanted))
      FAIL("(" << b << ", " << y << ", " << x << ", " << c << "): got " << found << ", want " << wanted << ", bound 0");
  });
}

}  // namespace

TEST_CASE("one image becomes the network's input on the GPU") {
  // 1, primes, a tile less and more one, both ways of each pass, windows wider than what a block stages at a time.
  const std::vector<ImageCase> cases = {
      {1, 1, 1, 1},
      {1, 1, 40, 33},
      {1, 500, 3, 17},
      {500, 1, 17, 3},
      {1, 5000, 1, 864},
      {5000, 1, 40, 2},
      {31, 33, 31, 33},
      {33, 31, 33, 40},
      {40, 31, 33, 31},
      {97, 61, 65, 63, PixelOrder::bgr, 1, 5},
      {64, 48, 96, 72, PixelOrder::bgr, 3, 1},
      {160, 120, 64, 48, PixelOrder::rgb, 2, 0},
      {61, 47, 37, 29, PixelOrder::grey, 1, 2},
      {37, 29, 61, 47, PixelOrder::grey},
      {300, 7, 1, 1},
      {700, 300, 34, 5, PixelOrder::rgb, 0, 4},
      {853, 100, 853, 100},
      {853, 97, 853, 97, PixelOrder::rgb, 13, 0},
      {1999, 151, 853, 64, PixelOrder::bgr, 31, 1},
      {640, 90, 853, 120, PixelOrder::rgb, 5, 32},
  };
  for (const ImageCase& c : cases) {
    INFO(c.width << " x " << c.height << " to " << c.resized_width << " x " << c.resized_height);
    const int width = (c.resized_width + 31) / 32 * 32, height = c.resized_height + 3;
    compare({c}, width, height, {DataType::f32, 4, 4});
  }
}

TEST_CASE("images of sizes drawn at random become the network's input on the GPU") {
  std::mt19937 engine(5);
  const auto from_to = [&](int low, int high) {
    return low + static_cast<int>(engine() % static_cast<unsigned>(high - low + 1));
  };
  for (int i = 0; i < 25; ++i) {
    ImageCase c{from_to(1, 300), from_to(1, 200), from_to(1, 90), from_to(1, 90)};
    c.order = static_cast<PixelOrder>(from_to(0, 2));
    c.first_byte = from_to(0, 3);
    c.spare = from_to(0, 9);
    INFO(c.width << " x " << c.height << " to " << c.resized_width << " x " << c.resized_height);
    compare({c}, c.resized_width + from_to(0, 40), c.resized_height + from_to(0, 40), {DataType::f16, 8, 8});
  }
}

TEST_CASE("pre-processing reads no byte beside an image at the end of its memory") {
  // Each end of the last word and of the last sector; rows from the first on, and from the last on; rows shorter than a
  // sector, so many that some tiles have none of the outermost.
  constexpr int height = 70;
  for (int width = 1; width < 65; ++width)
    for (const bool upwards : {false, true}) {
      INFO(width << " pixels a row, upwards " << upwards);
      const std::size_t row = static_cast<std::size_t>(width), skipped = row % 3, bytes = skipped + height * row;
      std::vector<std::uint8_t> host(bytes);
      std::iota(host.begin(), host.end(), std::uint8_t{1});
      const maskrt::cuda::DeviceMemory memory(Gpu::instance().context(), bytes);
      Gpu::instance().upload(memory.data(), host.data(), bytes);
      const auto pixels = [&](const void* base) {
        const auto* first = static_cast<const std::uint8_t*>(base) + skipped;
        const auto stride = static_cast<std::ptrdiff_t>(width);
        return upwards ? Pixels{first + (height - 1) * row, width, height, -stride, PixelOrder::grey}
                       : Pixels{first, width, height, stride, PixelOrder::grey};
      };
      OwnedTensor want(DataType::f32, 1, height, width, 3, 0), got(DataType::f32, 1, height, width, 3, 0);
      got.poison();
      const DeviceTensor out(*got);
      preprocess_ref(pixels(host.data()), width, height, {}, *want, 0);
      const DeviceArray<kernels::cuda::ImageToResize> described(
          {image_to_resize(pixels(memory.data()), width, height, {}, *out)});
      preprocess_cuda(Gpu::instance().queue(), described.data(), {}, *out);
      out.download(*got);
      require_close(got, *want, [](auto...) { return 0.0; });
    }
}

TEST_CASE("a batch of images of different sizes becomes the network's input in any layout") {
  const std::vector<ImageCase> batch = {{96, 64, 72, 48},
                                        {64, 96, 48, 72, PixelOrder::bgr, 1, 3},
                                        {1, 1, 64, 64, PixelOrder::grey},
                                        {333, 5, 96, 2, PixelOrder::rgb, 2, 7}};
  const std::vector<Layout> layouts = {{DataType::f16, 8, 8},  {DataType::f16, 4, 4},  {DataType::f16, 3, 3},
                                       {DataType::f32, 8, 8},  {DataType::f32, 3, 3},  {DataType::f32, 3, 4},
                                       {DataType::f16, 8, 16}, {DataType::f16, 16, 16}};
  for (const Layout& layout : layouts) {
    INFO(name_of(layout.type) << ", block " << layout.block << ", pixels " << layout.pixel_stride << " apart");
    compare(batch, 96, 96, layout);
  }
}

TEST_CASE("pre-processing on the GPU refuses what it cannot do") {
  OwnedTensor out(DataType::f16, 1, 32, 32, 3, 8), wide(DataType::f16, 1, 32, 32, 8, 0);
  const std::uint8_t byte = 0;
  CHECK_THROWS_WITH(image_to_resize({&byte, 1, 1, 3, PixelOrder::rgb}, 33, 32, {}, *out),
                    Catch::Contains("33 x 32 pixels of 3 channels to fit"));
  CHECK_THROWS_WITH(image_to_resize({nullptr, 1, 1, 3, PixelOrder::rgb}, 8, 8, {}, *out),
                    Catch::Contains("at least 1 x 1 pixels"));
  CHECK_THROWS_WITH(preprocess_cuda(Gpu::instance().queue(), nullptr, {}, *wide),
                    Catch::Contains("expected an input of 3 channels, found 8"));
}
