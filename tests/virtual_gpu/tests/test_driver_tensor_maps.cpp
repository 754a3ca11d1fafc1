// im2col tensor maps as the driver encodes them, of kernels that are not square, against a plain loop.
#include "driver_harness.h"

using namespace vgpu_test;

namespace {

using Half = std::uint16_t;

/// A convolution of N x H x W x C; different in x and y, so that nothing may be swapped.
struct Conv {
  int kernel_height, kernel_width, pad_y, pad_x, stride_y, stride_x, dilation_y, dilation_x;
  static constexpr int images = 2, height = 7, width = 10, channels = 8;
  int out_height() const { return (height + 2 * pad_y - dilation_y * (kernel_height - 1) - 1) / stride_y + 1; }
  int out_width() const { return (width + 2 * pad_x - dilation_x * (kernel_width - 1) - 1) / stride_x + 1; }
  int outputs() const { return images * out_height() * out_width(); }
};

constexpr int kPixels = 16;

/// Corners and steps run as the sizes do, width first. cuda.h names them {D, H, W}, the dimensions, not their order;
/// CUTLASS's convolutions, whose filters are not all square, hand them over in the order W, H, D.
CUtensorMap encode(const Conv& conv, CUdeviceptr x, bool swap_corners) {
  alignas(64) CUtensorMap map;
  const cuuint64_t sizes[] = {Conv::channels, Conv::width, Conv::height, Conv::images};
  const cuuint64_t strides[] = {Conv::channels * 2, Conv::channels * 2 * Conv::width,
                                Conv::channels * 2 * Conv::width * Conv::height};
  int lower[] = {-conv.pad_x, -conv.pad_y};
  int upper[] = {conv.pad_x - conv.dilation_x * (conv.kernel_width - 1),
                 conv.pad_y - conv.dilation_y * (conv.kernel_height - 1)};
  if (swap_corners) {
    std::swap(lower[0], lower[1]);
    std::swap(upper[0], upper[1]);
  }
  const cuuint32_t steps[] = {1, static_cast<cuuint32_t>(conv.stride_x), static_cast<cuuint32_t>(conv.stride_y), 1};
  OK(cuTensorMapEncodeIm2col(&map, CU_TENSOR_MAP_DATA_TYPE_FLOAT16, 4, reinterpret_cast<void*>(x), sizes, strides,
                             lower, upper, Conv::channels, kPixels, steps, CU_TENSOR_MAP_INTERLEAVE_NONE,
                             CU_TENSOR_MAP_SWIZZLE_NONE, CU_TENSOR_MAP_L2_PROMOTION_NONE,
                             CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE));
  return map;
}

/// What tap (r, s) of the filter multiplies for 16 outputs from `first` on: one load.
std::vector<Half> load(CUfunction kernel, const CUtensorMap& given, const Conv& conv, int first, int r, int s) {
  alignas(64) CUtensorMap map = given;
  CUdeviceptr y = 0;
  OK(cuMemAlloc(&y, kPixels * Conv::channels * 2));
  const int out = conv.out_height() * conv.out_width();
  int elements = kPixels * Conv::channels, c = 0;
  int w = first % conv.out_width() * conv.stride_x - conv.pad_x;
  int h = first % out / conv.out_width() * conv.stride_y - conv.pad_y;
  int n = first / out, tap_w = s * conv.dilation_x, tap_h = r * conv.dilation_y;
  void* params[] = {&map, &y, &elements, &c, &w, &h, &n, &tap_w, &tap_h};
  OK(cuLaunchKernel(kernel, 1, 1, 1, 32, 1, 1, static_cast<unsigned>(elements) * 2, nullptr, params, nullptr));
  std::vector<Half> got = download<Half>(y, static_cast<std::size_t>(elements));
  OK(cuMemFree(y));
  return got;
}

std::vector<Half> plain(const std::vector<Half>& x, const Conv& conv, int first, int r, int s) {
  std::vector<Half> want;
  const int out = conv.out_height() * conv.out_width();
  for (int m = first; m < first + kPixels; ++m) {
    const int n = m / out, p = m % out / conv.out_width(), q = m % conv.out_width();
    const int iy = p * conv.stride_y - conv.pad_y + r * conv.dilation_y;
    const int ix = q * conv.stride_x - conv.pad_x + s * conv.dilation_x;
    const bool inside = n < Conv::images && iy >= 0 && iy < Conv::height && ix >= 0 && ix < Conv::width;
    for (int c = 0; c < Conv::channels; ++c)
      want.push_back(
          inside ? x[static_cast<std::size_t>(((n * Conv::height + iy) * Conv::width + ix) * Conv::channels + c)]
                 : Half{0});
  }
  return want;
}

}  // namespace

TEST_CASE("im2col loads of kernels that are not square") {
  const Session session;
  const Kernels kernels(test_ptx("hopper.ptx"));
  const CUfunction kernel = kernels["im2col"];
  std::vector<Half> x(Conv::images * Conv::height * Conv::width * Conv::channels);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<Half>(i + 1);
  const CUdeviceptr from = upload(x);
  for (const Conv& conv : {Conv{1, 3, 0, 1, 1, 1, 1, 1}, Conv{3, 1, 1, 0, 1, 1, 1, 1}, Conv{3, 5, 1, 2, 1, 1, 1, 1},
                           Conv{1, 3, 0, 1, 1, 2, 1, 1}, Conv{3, 1, 1, 0, 2, 1, 1, 1}, Conv{3, 2, 2, 0, 1, 2, 2, 1}}) {
    INFO("kernel " << conv.kernel_height << " x " << conv.kernel_width << ", padding " << conv.pad_y << " x "
                   << conv.pad_x << ", stride " << conv.stride_y << " x " << conv.stride_x);
    const CUtensorMap map = encode(conv, from, false), swapped = encode(conv, from, true);
    bool swap_shows = false;
    for (int first = 0; first < conv.outputs(); first += kPixels) {
      for (int r = 0; r < conv.kernel_height; ++r) {
        for (int s = 0; s < conv.kernel_width; ++s) {
          INFO("outputs from " << first << ", tap " << r << ", " << s);
          const auto want = plain(x, conv, first, r, s);
          REQUIRE(load(kernel, map, conv, first, r, s) == want);
          swap_shows |= load(kernel, swapped, conv, first, r, s) != want;
        }
      }
    }
    CHECK(swap_shows);
  }
  OK(cuMemFree(from));
}
