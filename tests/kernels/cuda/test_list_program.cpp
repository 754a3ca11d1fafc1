// List programs on the GPU: each step against the loop that defines it, and many steps in one launch against the same
// ones in a launch each.
#include <memory>
#include <optional>

#include "kernels/attention/attention.h"
#include "kernels/attention/attention_cuda.h"
#include "kernels/linear/linear.h"
#include "kernels/linear/linear_cuda.h"
#include "kernels/lists/list_program_cuda.h"
#include "kernels/norm/layer_norm.h"
#include "placed_map.h"

using namespace maskrt;
using namespace maskrt::kernels;
using namespace maskrt::testing;

namespace {

using enum DataType;

/// Other chips have no such kernel, and say so.
bool has_list_programs() { return Gpu::instance().chip().path() == KernelPath::sm90a; }

/// A list of numbers that fp16 holds, multiples of 1/1024, on host and device.
class List {
 public:
  List(DataType type, std::int64_t batch, std::int64_t rows, std::int64_t channels, unsigned seed = 0,
       std::int64_t block = 0)
      : host_(type, batch, rows, 1, channels, block) {
    std::mt19937 engine(seed);
    if (seed == 0)
      host_.poison();
    else
      for_each_element(*host_, [&](auto b, auto n, auto x, auto c) {
        set(*host_, b, n, x, c, static_cast<float>(static_cast<int>(engine() % 2049) - 1024) / 1024);
      });
    device_.emplace(*host_);
  }
  const Tensor& host() const { return *host_; }
  const Tensor& device() const { return **device_; }
  const OwnedTensor& download() {
    device_->download(*host_);
    return host_;
  }

 private:
  OwnedTensor host_;
  std::optional<DeviceTensor> device_;
};

struct Weights {
  std::vector<float> plain, bias;
  std::unique_ptr<DeviceTensor> rows;
  std::unique_ptr<DeviceArray<float>> device_bias;

  Weights(unsigned seed, std::int64_t in, std::int64_t out, bool with_bias = true) {
    const List numbers(f32, 1, out, in, seed), biases(f32, 1, 1, out, seed + 1);
    OwnedTensor packed(f16, 1, out, 1, linear_weight_stride(in), 0);
    for_each_element(numbers.host(), [&](auto, auto o, auto, auto i) {
      plain.push_back(get(numbers.host(), 0, o, 0, i));
      set(*packed, 0, o, 0, i, plain.back());
    });
    rows = std::make_unique<DeviceTensor>(*packed);
    if (!with_bias) return;
    for_each_element(biases.host(), [&](auto, auto, auto, auto c) { bias.push_back(get(biases.host(), 0, 0, 0, c)); });
    device_bias = std::make_unique<DeviceArray<float>>(bias);
  }
  ListLinear layer(const Tensor& in, const Tensor& out, Activation activation = Activation::none) const {
    return {in, (**rows).data, device_bias ? device_bias->data() : nullptr, activation, out};
  }
};

void run(const std::vector<ListProgramStep>& steps) { list_program_cuda(Gpu::instance().queue(), steps); }
void run(const ListOperation& operation) {
  REQUIRE(list_program_takes(Gpu::instance().chip(), operation));
  run(std::vector<ListProgramStep>{{operation, false}});
}

double stored(DataType type, double value) { return rounding(type, value); }

}  // namespace

TEST_CASE("linear layers of list programs") {
  if (!has_list_programs()) return;
  struct Case {
    std::int64_t batch, rows, in, out, block;
    Activation activation;
  };
  // Of whole pieces of weights and ragged ones in each direction; few columns, of which most blocks have none; rows of
  // one pass and of several; columns that are stored as padding.
  using enum Activation;
  const Case cases[] = {{1, 108, 256, 256, 0, none},   {2, 1, 32, 1, 0, sigmoid},     {1, 16, 64, 81, 0, none},
                        {3, 130, 96, 257, 264, relu},  {1, 300, 1024, 40, 0, none},   {2, 17, 288, 8, 0, sigmoid},
                        {1, 100, 256, 80, 0, sigmoid}, {1, 128, 512, 300, 304, relu}, {1, 7, 32, 2049, 0, none}};
  for (const Case& c : cases)
    for (const DataType in_type : {f32, f16})
      for (const DataType out_type : {f32, f16}) {
        const Activation activation = c.activation;
        INFO(c.batch << "x" << c.rows << ", " << c.in << " to " << c.out << ", " << maskrt::name_of(in_type) << " to "
                     << maskrt::name_of(out_type) << ", activation " << static_cast<int>(activation));
        const List in(in_type, c.batch, c.rows, c.in, 1);
        List out(out_type, c.batch, c.rows, c.out, 0, c.block), want(f32, c.batch, c.rows, c.out);
        const Weights weights(3, c.in, c.out, activation != Activation::none);
        linear_ref(in.host(), weights.plain.data(), weights.bias.empty() ? nullptr : weights.bias.data(), activation,
                   want.host());
        run(weights.layer(in.device(), out.device(), activation));
        const double terms = static_cast<double>(c.in) + 1;
        const double bound = kUnitFp32 * (terms * (1 + 2 * std::sqrt(terms)) + 8);
        out.download().require_intact();
        for_each_element(padded(out.host()), [&](auto b, auto n, auto x, auto column) {
          const double value = column < c.out ? get(want.host(), b, n, x, column) : 0.0f;
          const double got = get(padded(out.host()), b, n, x, column);
          if (!(std::abs(got - value) <= (column < c.out ? bound + stored(out_type, value) : 0)))
            FAIL("row " << n << " of image " << b << ", column " << column << ": got " << got << ", want " << value);
        });
      }
}

TEST_CASE("sums, norms and copies of list programs") {
  if (!has_list_programs()) return;
  struct Case {
    std::int64_t batch, rows, channels;
  };
  for (const Case& c : {Case{1, 108, 256}, {2, 1, 4}, {3, 65, 20}, {1, 200, 512}, {2, 7, 132}})
    for (const DataType out_type : {f32, f16}) {
      INFO(c.batch << "x" << c.rows << "x" << c.channels << " to " << maskrt::name_of(out_type));
      const List a(f32, c.batch, c.rows, c.channels, 1), b(f32, c.batch, c.rows, c.channels, 2);
      List sum(out_type, c.batch, c.rows, c.channels), copy(out_type, c.batch, c.rows, c.channels),
          normed(out_type, c.batch, c.rows, c.channels), want(f32, c.batch, c.rows, c.channels);
      const List scales(f32, 1, 2, c.channels, 3);
      std::vector<float> weight, bias;
      for (std::int64_t i = 0; i < c.channels; ++i) {
        weight.push_back(get(scales.host(), 0, 0, 0, i));
        bias.push_back(get(scales.host(), 0, 1, 0, i));
      }
      const DeviceArray<float> device_weight(weight), device_bias(bias);
      layer_norm_ref(a.host(), weight.data(), bias.data(), 1e-5, Activation::none, want.host());
      run(ListAdd{a.device(), b.device(), sum.device()});
      run(ListCopy{a.device(), copy.device()});
      run(ListNorm{a.device(), device_weight.data(), device_bias.data(), 1e-5, normed.device()});
      sum.download(), copy.download(), normed.download();
      for_each_element(a.host(), [&](auto i, auto n, auto x, auto ch) {
        const float one = get(a.host(), i, n, x, ch), other = get(b.host(), i, n, x, ch);
        const double norm = get(want.host(), i, n, x, ch);
        // Sums of two multiples of 1/1024 below 2 take 12 bits.
        const bool right = std::abs(get(sum.host(), i, n, x, ch) - (one + other)) <= stored(out_type, 2) &&
                           get(copy.host(), i, n, x, ch) == one &&
                           std::abs(get(normed.host(), i, n, x, ch) - norm) <= 64 * kUnitFp32 + stored(out_type, norm);
        if (!right) FAIL("row " << n << " of image " << i << ", channel " << ch);
      });
    }
}

TEST_CASE("list programs gather rows, and zeros for positions that do not exist") {
  if (!has_list_programs()) return;
  for (const DataType type : {f32, f16})
    for (const std::int64_t channels : {8, 256, 300}) {
      INFO(maskrt::name_of(type) << ", " << channels << " channels");
      OwnedTensor map(type, 2, 5, 7, channels, 0), positions(i32, 2, 70, 1, 1, 0);
      map.fill(1);
      const auto position_of = [](std::int64_t b, std::int64_t n) {
        return n == 3 ? -1 : n == 4 ? 35 : n == 5 ? std::numeric_limits<std::int32_t>::max() : (n * 11 + b) % 35;
      };
      for_each_element(*positions, [&](auto b, auto n, auto, auto) {
        positions->as<std::int32_t>()[b * 70 + n] = static_cast<std::int32_t>(position_of(b, n));
      });
      const DeviceTensor device_map(*map), device_positions(*positions);
      List out(f32, 2, 70, channels);
      Tensor shared = *device_map;
      run(ListGather{shared, *device_positions, out.device()});
      out.download();
      for_each_element(out.host(), [&](auto b, auto n, auto, auto c) {
        const std::int64_t at = position_of(b, n);
        const float want = at >= 0 && at < 35 ? get(*map, b, at / 7, at % 7, c) : 0.0f;
        if (get(out.host(), b, n, 0, c) != want) FAIL("row " << n << " of image " << b << ", channel " << c);
      });
    }
}

TEST_CASE("attention of list programs") {
  if (!has_list_programs()) return;
  struct Case {
    std::int64_t batch, queries, keys, width;
    int heads;
  };
  for (const Case& c : {Case{1, 108, 108, 32, 8},
                        {2, 1, 1, 8, 1},
                        {1, 130, 128, 16, 9},
                        {2, 20, 17, 24, 3},
                        {1, 300, 65, 32, 16},
                        {1, 16, 16, 8, 4}})
    for (const DataType type : {f32, f16})
      for (const float scale : {1.0f, 8.0f}) {
        INFO(c.batch << "x" << c.queries << " queries, " << c.keys << " keys, " << c.heads << " heads of " << c.width
                     << ", " << maskrt::name_of(type) << ", scale " << scale);
        const std::int64_t channels = c.heads * c.width;
        OwnedTensor queries(type, c.batch, c.queries, 1, channels, 0);
        queries.fill(1, -scale, scale);
        const List keys(type, c.batch, c.keys, channels, 2), values(type, c.batch, c.keys, channels, 3);
        const DeviceTensor device_queries(*queries);
        List out(type, c.batch, c.queries, channels), want(f32, c.batch, c.queries, channels);
        attention_ref(*queries, keys.host(), values.host(), c.heads, want.host());
        run(ListAttention{*device_queries, keys.device(), values.device(), c.heads, out.device()});
        out.download();
        // Scores are off by the rounding of the queries, weights by their own, shared by their sum; values are below 1.
        const double score = scale * std::sqrt(static_cast<double>(c.width)) * kUnitFp16 * (type == f16 ? 0 : 1);
        for_each_element(want.host(), [&](auto b, auto n, auto, auto ch) {
          const double value = get(want.host(), b, n, 0, ch), got = get(out.host(), b, n, 0, ch);
          if (!(std::abs(got - value) <= 2 * score + 2 * kUnitFp16 + stored(type, value)))
            FAIL("query " << n << " of image " << b << ", channel " << ch << ": got " << got << ", want " << value);
        });
      }
}

TEST_CASE("list programs add up what attention to a map left in parts") {
  if (!has_list_programs()) return;
  for (const auto& [batch, queries, heads] :
       {std::tuple<std::int64_t, std::int64_t, int>{1, 108, 8}, {2, 5, 2}, {1, 128, 4}}) {
    INFO(batch << "x" << queries << " queries, " << heads << " heads");
    const std::int64_t channels = heads * 32;
    CudaQueue& queue = Gpu::instance().queue();
    OwnedTensor keys(f16, batch, 40, 50, channels, 0), values(f16, batch, 40, 50, channels, 0);
    keys.fill(2), values.fill(3);
    const List rows(f32, batch, queries, channels, 1);
    const DeviceTensor device_keys(*keys), device_values(*values);
    List out(f32, batch, queries, channels), want(f32, batch, queries, channels);
    const AttentionParts parts =
        attention_parts(rows.device(), *device_keys, *device_values, heads, out.device(), nullptr, queue.chip());
    REQUIRE(parts.splits > 1);
    const DeviceBytes workspace(attention_workspace_bytes(rows.device(), *device_keys, *device_values, heads,
                                                          out.device(), nullptr, queue.chip()));
    attention_cuda(queue, rows.device(), *device_keys, *device_values, heads, want.device(), nullptr, workspace.data());
    attention_cuda(queue, rows.device(), *device_keys, *device_values, heads, out.device(), nullptr, workspace.data(),
                   false);
    run(ListFinish{reinterpret_cast<const float*>(workspace.data() + parts.offset), parts.splits, heads, 32,
                   out.device()});
    out.download(), want.download();
    for_each_element(want.host(), [&](auto b, auto n, auto, auto c) {
      const double value = get(want.host(), b, n, 0, c);
      if (!(std::abs(get(out.host(), b, n, 0, c) - value) <= 4 * kUnitFp32 * std::abs(value)))
        FAIL("query " << n << " of image " << b << ", channel " << c);
    });
  }
}

TEST_CASE("many steps in one launch are what they are one by one") {
  if (!has_list_programs()) return;
  for (const auto& [batch, rows] : {std::pair<std::int64_t, std::int64_t>{1, 108}, {3, 50}, {1, 1}, {1, 128}}) {
    INFO(batch << "x" << rows << " rows");
    const List x(f32, batch, rows, 256, 1), positions(f32, batch, rows, 256, 2);
    const Weights to_query(3, 256, 256), to_key(5, 256, 256), to_value(7, 256, 256), out_of(9, 256, 256),
        inner(11, 256, 1024), outer(13, 1024, 256), last(15, 256, 257);
    const DeviceArray<float> weight(std::vector<float>(256, 0.5f)), bias(std::vector<float>(256, 0.25f));

    /// A transformer's layer, of which each list has a place of its own.
    struct Made {
      std::vector<std::unique_ptr<List>> lists;
      std::vector<ListProgramStep> steps;
      List& list(DataType type, std::int64_t b, std::int64_t n, std::int64_t c, std::int64_t block = 0) {
        return *lists.emplace_back(std::make_unique<List>(type, b, n, c, 0, block));
      }
    };
    const auto make = [&, batch = batch, rows = rows] {
      Made m;
      const auto list = [&](DataType type, std::int64_t channels, std::int64_t block = 0) -> const Tensor& {
        return m.list(type, batch, rows, channels, block).device();
      };
      const Tensor &placed = list(f16, 256), &q = list(f16, 256), &k = list(f16, 256), &v = list(f16, 256),
                   &attended = list(f16, 256), &projected = list(f32, 256), &sum = list(f32, 256),
                   &normed = list(f32, 256), &copy = list(f16, 256), &hidden = list(f16, 1024), &back = list(f32, 256),
                   &total = list(f32, 256), &final = list(f32, 256), &kernels = list(f32, 257, 264);
      m.steps = {{ListAdd{x.device(), positions.device(), placed}, false},
                 {to_query.layer(placed, q), true},
                 {to_key.layer(placed, k), false},
                 {to_value.layer(x.device(), v), false},
                 {ListAttention{q, k, v, 8, attended}, true},
                 {out_of.layer(attended, projected), true},
                 {ListAdd{x.device(), projected, sum}, true},
                 {ListNorm{sum, weight.data(), bias.data(), 1e-5, normed}, false},
                 {ListCopy{normed, copy}, false},
                 {inner.layer(copy, hidden, Activation::relu), true},
                 {outer.layer(hidden, back), true},
                 {ListAdd{normed, back, total}, true},
                 {ListNorm{total, weight.data(), bias.data(), 1e-5, final}, false},
                 {last.layer(final, kernels), true}};
      return m;
    };
    const Made together = make(), apart = make();
    run(together.steps);
    for (const ListProgramStep& step : apart.steps) run(step.operation);
    for (std::size_t i = 0; i < together.lists.size(); ++i) {
      const OwnedTensor &got = together.lists[i]->download(), &want = apart.lists[i]->download();
      for_each_element(*want, [&](auto b, auto n, auto y, auto c) {
        if (get(*got, b, n, y, c) != get(*want, b, n, y, c))
          FAIL("list " << i << ", row " << n << " of image " << b << ", channel " << c);
      });
    }
    CHECK(predicted_list_program_seconds(together.steps, Gpu::instance().chip()) > 0);
  }
}

TEST_CASE("list programs refuse what they cannot do") {
  CudaQueue& queue = Gpu::instance().queue();
  const List wide(f32, 1, 4, 48), out(f32, 1, 4, 32), rows(f32, 1, 4, 32), half(f16, 1, 4, 32), other(f32, 1, 5, 32),
      many(f32, 1, 129, 32);
  const Weights weights(1, 32, 32);
  const auto takes = [&](const ListOperation& operation) { return list_program_takes(queue.chip(), operation); };
  CHECK(takes(weights.layer(rows.device(), out.device())) == has_list_programs());
  CHECK_FALSE(takes(weights.layer(wide.device(), out.device())));
  CHECK_FALSE(takes(weights.layer(rows.device(), other.device())));
  CHECK_FALSE(takes(weights.layer(rows.device(), out.device(), Activation::gelu)));
  CHECK_FALSE(takes(ListAdd{rows.device(), half.device(), out.device()}));
  CHECK_FALSE(takes(ListCopy{rows.device(), other.device()}));
  CHECK_FALSE(takes(ListAttention{rows.device(), many.device(), many.device(), 1, out.device()}));
  CHECK_FALSE(takes(ListAttention{rows.device(), rows.device(), rows.device(), 3, out.device()}));
  CHECK_FALSE(takes(ListAttention{rows.device(), rows.device(), rows.device(), 8, out.device()}));
  CHECK_THROWS_WITH(list_program_cuda(queue, {}), Catch::Contains("list program: expected 1 to 31 steps, found 0"));
  const std::vector<ListProgramStep> steps(32, {ListCopy{rows.device(), out.device()}, false});
  CHECK_THROWS_WITH(list_program_cuda(queue, steps), Catch::Contains("found 32"));
  const std::vector<ListProgramStep> wrong = {{ListCopy{rows.device(), other.device()}, false}};
  CHECK_THROWS_WITH(list_program_cuda(queue, wrong),
                    Catch::Contains("list program, step 0: expected lists of 1 images that list_program_takes() takes, "
                                    "found fp32 [1, 4, 1, 32], fp32 [1, 5, 1, 32]"));
}
