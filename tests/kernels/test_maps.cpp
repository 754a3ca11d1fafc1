// The CPU's loops over maps against those that define them: elementwise, pools, resizes, moves of channels.
#include "kernels/elementwise/elementwise.h"
#include "kernels/layout/layout.h"
#include "kernels/onednn.h"
#include "kernels/pool/pool.h"
#include "kernels/resize/resize.h"
#include "owned_tensor.h"

using namespace maskrt;
using namespace maskrt::kernels;
using maskrt::testing::numbers;
using maskrt::testing::OwnedTensor;
using maskrt::testing::unit_fp32;
using maskrt::testing::unit_of;

namespace {

struct Size {
  std::int64_t batch, height, width, channels;
};

// 1, primes, around blocks and vectors, and maps of real layers' widths.
const std::vector<Size> sizes = {{1, 1, 1, 1},    {1, 1, 1, 16},   {2, 3, 5, 7},     {1, 15, 17, 15}, {3, 2, 16, 17},
                                 {1, 31, 33, 31}, {2, 20, 27, 32}, {1, 13, 11, 100}, {1, 6, 1, 33}};

const std::vector<std::int64_t> blocks = {16, 8, 1, 0};

/// oneDNN refuses bf16 without AVX-512.
bool onednn_has_bf16() {
  const auto has = static_cast<unsigned>(dnnl::get_effective_cpu_isa()),
             avx512 = static_cast<unsigned>(dnnl::cpu_isa::avx512_core);
  return (has & avx512) == avx512;
}

template <typename F>
void for_each_layout(F&& f) {
  for (const Size& size : sizes) {
    for (const std::int64_t block : blocks) {
      INFO("map " << size.batch << "x" << size.height << "x" << size.width << "x" << size.channels << ", block "
                  << block);
      f(size, block);
    }
  }
}

OwnedTensor make(DataType type, const Size& s, std::int64_t block) {
  return OwnedTensor(type, s.batch, s.height, s.width, s.channels, block);
}

}  // namespace

TEST_CASE("activations") {
  for_each_layout([](const Size& size, std::int64_t block) {
    for (const DataType type : {DataType::f32, DataType::bf16}) {
      for (const Activation activation : {Activation::none, Activation::relu, Activation::sigmoid}) {
        OwnedTensor in = make(type, size, block), out = make(type, size, block), want = make(DataType::f32, size, 0);
        in.fill(1, -30, 30);
        out.poison();
        activate_ref(activation, *in, *want);
        activate_cpu(activation, *in, *out);
        // The logistic function: two roundings of its own and 2 ulp of the exponential.
        require_close(out, *want, [&](auto b, auto y, auto x, auto c) {
          return (4 * unit_fp32 + (type == DataType::bf16 ? unit_of(type) : 0)) * std::abs(get(*want, b, y, x, c)) +
                 1e-37;
        });
        // In place, as an epilogue uses it.
        activate_cpu(activation, *in, *in);
        require_close(in, *out, [](auto...) { return 0.0; });
      }
    }
  });
}

TEST_CASE("the logistic function at its ends and in between") {
  OwnedTensor in(DataType::f32, 1, 1, 4096, 16, 16), out(DataType::f32, 1, 1, 4096, 16, 16);
  for (std::int64_t x = 0; x < 4096; ++x)
    for (std::int64_t c = 0; c < 16; ++c) set(*in, 0, 0, x, c, static_cast<float>(x * 16 + c) / 65536.0f * 200 - 100);
  set(*in, 0, 0, 0, 0, -std::numeric_limits<float>::infinity());
  set(*in, 0, 0, 0, 1, std::numeric_limits<float>::infinity());
  set(*in, 0, 0, 0, 2, -1e30f);
  activate_cpu(Activation::sigmoid, *in, *out);
  for_each_element(*out, [&](auto b, auto y, auto x, auto c) {
    const double want = 1.0 / (1.0 + std::exp(-static_cast<double>(get(*in, b, y, x, c))));
    const double got = get(*out, b, y, x, c);
    // e^87.3 ends the exponential's range: below 1e-38 nothing but smallness is promised.
    if (std::abs(got - want) > 8 * unit_fp32 * want + 2e-38)
      FAIL("sigmoid of " << get(*in, b, y, x, c) << ": got " << got << ", want " << want);
  });
  out.require_intact();
}

TEST_CASE("sums, and scales with shifts") {
  for_each_layout([](const Size& size, std::int64_t block) {
    for (const DataType type : {DataType::f32, DataType::bf16}) {
      OwnedTensor a = make(type, size, block), b = make(type, size, block), out = make(type, size, block),
                  want = make(DataType::f32, size, 0);
      a.fill(1);
      b.fill(2);
      out.poison();
      add_ref(*a, *b, *want);
      add_cpu(*a, *b, *out);
      const auto rounding = [&](auto n, auto y, auto x, auto c) {
        return unit_of(type) * std::abs(get(*want, n, y, x, c)) + 1e-37;
      };
      require_close(out, *want, rounding);
      const std::vector<float> scale = numbers(3, size.channels), shift = numbers(4, size.channels);
      out.poison();
      scale_shift_ref(*a, scale.data(), shift.data(), *want);
      scale_shift_cpu(*a, scale.data(), shift.data(), *out);
      require_close(out, *want, [&](auto n, auto y, auto x, auto c) { return rounding(n, y, x, c) + 2 * unit_fp32; });
    }
  });
}

TEST_CASE("max pools") {
  for_each_layout([](const Size& size, std::int64_t block) {
    for (const DataType type : {DataType::f32, DataType::bf16}) {
      if (type == DataType::bf16 && !onednn_has_bf16()) continue;
      for (const PoolGeometry geometry : {PoolGeometry{3, 2, 1}, PoolGeometry{2, 2, 0}, PoolGeometry{3, 1, 1}}) {
        const auto extent = [&](std::int64_t n) {
          return (n + 2 * geometry.padding - geometry.kernel) / geometry.stride + 1;
        };
        if (size.height + 2 * geometry.padding < geometry.kernel || size.width + 2 * geometry.padding < geometry.kernel)
          continue;
        const Size small{size.batch, extent(size.height), extent(size.width), size.channels};
        OwnedTensor in = make(type, size, block), out = make(type, small, block), want = make(type, small, block);
        in.fill(1);
        out.poison();
        max_pool_ref(geometry, *in, *want);
        MaxPool(geometry, *in, *out).run(*in, *out);
        require_close(out, *want, [](auto...) { return 0.0; });
      }
    }
  });
}

TEST_CASE("adaptive average pools") {
  for_each_layout([](const Size& size, std::int64_t block) {
    for (const std::int64_t bins : {1, 2, 3, 6}) {
      const Size small{size.batch, bins, bins, size.channels};
      OwnedTensor in = make(DataType::f32, size, block), out = make(DataType::f32, small, block),
                  want = make(DataType::f32, small, 0);
      in.fill(1);
      out.poison();
      adaptive_average_pool_ref(*in, *want);
      adaptive_average_pool_cpu(*in, *out);
      // A mean of n numbers up to 1, summed one after the other.
      const double n = static_cast<double>(size.height * size.width);
      require_close(out, *want, [&](auto...) { return unit_fp32 * (4 + std::sqrt(n)); });
    }
  });
}

TEST_CASE("nearest and bilinear resizes") {
  for_each_layout([](const Size& size, std::int64_t block) {
    OwnedTensor in = make(DataType::f32, size, block);
    in.fill(1);
    for (const int factor : {1, 2, 3}) {
      const Size large{size.batch, size.height * factor, size.width * factor, size.channels};
      OwnedTensor out = make(DataType::f32, large, block), want = make(DataType::f32, large, 0);
      out.poison();
      upsample_nearest_ref(*in, factor, *want);
      upsample_nearest_cpu(*in, factor, *out);
      require_close(out, *want, [](auto...) { return 0.0; });
    }
    // Three roundings of numbers up to 2.
    const auto bound = [](auto...) { return 8 * unit_fp32; };
    for (const double factor : {2.0, 4.0, 1.5, 2.7}) {
      const Size large{size.batch, static_cast<std::int64_t>(static_cast<double>(size.height) * factor),
                       static_cast<std::int64_t>(static_cast<double>(size.width) * factor), size.channels};
      for (const std::int64_t out_block : {std::int64_t{1}, block}) {
        OwnedTensor out = make(DataType::f32, large, out_block), want = make(DataType::f32, large, 0);
        out.poison();
        resize_bilinear_factor_ref(*in, factor, *want);
        resize_bilinear_factor_cpu(*in, factor, *out);
        require_close(out, *want, bound);
      }
    }
    const Size small{size.batch, 1, 1, size.channels}, odd{size.batch, 2, 3, size.channels},
        target{size.batch, 11, 9, size.channels};
    OwnedTensor one = make(DataType::f32, small, block), few = make(DataType::f32, odd, block),
                out = make(DataType::f32, target, block), want = make(DataType::f32, target, 0);
    one.fill(2);
    few.fill(3);
    out.poison();
    const std::vector<Tensor> inputs{*in, *one, *few};
    resize_bilinear_sum_ref(inputs, *want);
    resize_bilinear_sum_cpu(inputs, *out);
    require_close(out, *want, [&](auto...) { return 24 * unit_fp32; });
  });
}

TEST_CASE("channels move between layouts and types and leave the others alone") {
  for_each_layout([](const Size& size, std::int64_t block) {
    for (const std::int64_t other_block : blocks) {
      for (const auto& [from, to] : std::vector<std::pair<DataType, DataType>>{
               {DataType::f32, DataType::f32}, {DataType::f32, DataType::bf16}, {DataType::bf16, DataType::f32}}) {
        Size wide = size;
        wide.channels += 20;
        const std::int64_t begin = size.channels / 3, count = size.channels - begin, out_begin = 9;
        OwnedTensor in = make(from, size, block), out = make(to, wide, other_block), want = make(to, wide, other_block);
        in.fill(1);
        out.fill(2);
        want.fill(2);
        copy_channels_ref(*in, begin, *want, out_begin, count);
        copy_channels_cpu(*in, begin, *out, out_begin, count);
        require_close(out, *want, [](auto...) { return 0.0; });
      }
    }
  });
}

TEST_CASE("reorders agree with element by element copies") {
  for_each_layout([](const Size& size, std::int64_t block) {
    for (const std::int64_t other_block : blocks) {
      for (const auto& [from, to] : std::vector<std::pair<DataType, DataType>>{
               {DataType::f32, DataType::f32}, {DataType::f32, DataType::bf16}, {DataType::bf16, DataType::f32}}) {
        if (from != to && !onednn_has_bf16()) continue;
        OwnedTensor in = make(from, size, block), out = make(to, size, other_block), want = make(to, size, other_block);
        in.fill(1);
        copy_channels_ref(*in, 0, *want, 0, size.channels);
        onednn::Reorder(onednn::layout_of(*in), onednn::layout_of(*out)).run(in->data, out->data);
        require_close(out, *want, [](auto...) { return 0.0; });
      }
    }
  });
}

TEST_CASE("padding is cleared, and nothing else") {
  for_each_layout([](const Size& size, std::int64_t block) {
    OwnedTensor out = make(DataType::f32, size, block), want = make(DataType::f32, size, block);
    out.fill(1);
    want.fill(1);
    const Tensor whole = padded(*out);
    for_each_element(whole, [&](auto b, auto y, auto x, auto c) {
      if (c >= size.channels) set(whole, b, y, x, c, 5.0f);
    });
    clear_padding(*out);
    require_close(out, *want, [](auto...) { return 0.0; });
  });
}
