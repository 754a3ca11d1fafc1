// Tensors against their storages: everything that can disagree, overflow or ask for too much.
#include <catch2/catch.hpp>
#include <limits>

#include "checkpoint_bytes.h"
#include "checkpoint_reading.h"

namespace maskrt {
namespace {

using testing::bytes_of;
using testing::error_of;
using testing::make_zip;
using testing::one_tensor_pickle;
using testing::PickleWriter;
using testing::read_bytes;
using testing::TensorSpec;
using testing::torch_entries;
using namespace std::string_literals;

constexpr auto kMost = std::numeric_limits<std::int64_t>::max();

// fp32 0, 1, 2, ...
std::string ramp(int count) {
  std::string bytes;
  for (int i = 0; i < count; ++i) bytes += bytes_of(static_cast<float>(i));
  return bytes;
}

std::string zip_of(const TensorSpec& spec, int stored) {
  return make_zip(torch_entries(one_tensor_pickle(spec), ramp(stored)));
}

struct TensorCase {
  const char* what;
  TensorSpec spec;
  std::string want;
};

}  // namespace

TEST_CASE("views of a storage are read in the tensor's order") {
  const auto floats = [](const TensorSpec& spec) {
    return read_bytes(zip_of(spec, 12)).tensors.at("weight").to_floats();
  };
  using Values = std::vector<float>;
  CHECK(floats({{2, 3}, {3, 1}, 0, 12}) == Values{0, 1, 2, 3, 4, 5});
  CHECK(floats({{3, 2}, {1, 3}, 6, 12}) == Values{6, 9, 7, 10, 8, 11});
  CHECK(floats({{3, 2}, {0, 1}, 4, 12}) == Values{4, 5, 4, 5, 4, 5});
  CHECK(floats({{2, 3}, {1, 0}, 4, 12}) == Values{4, 4, 4, 5, 5, 5});
  CHECK(floats({{2, 2, 2}, {6, 1, 3}, 0, 12}) == Values{0, 3, 1, 4, 6, 9, 7, 10});
  CHECK(floats({{}, {}, 11, 12}) == Values{11});
  CHECK(floats({{0, 3}, {3, 1}, 12, 12}) == Values{});
  CHECK(floats({{3, 0}, {1, 1}, 0, 12}) == Values{});
  // PyTorch leaves any number as the stride of an axis of one element.
  CHECK(floats({{1, 2, 1}, {kMost, 5, kMost}, 1, 12}) == Values{1, 6});
}

TEST_CASE("a tensor that its storage cannot hold is an error that names it") {
  const std::int64_t big = std::int64_t{1} << 32;
  const auto c = GENERATE_COPY(values<TensorCase>({
      {"shape beyond the storage", {{4, 4}, {4, 1}, 0, 12}, "expected at least 16 elements"},
      {"offset beyond the storage", {{4}, {1}, 9, 12}, "expected at least 13 elements"},
      {"stride beyond the storage", {{2, 2}, {11, 1}, 0, 12}, "expected at least 13 elements"},
      {"storage larger than its entry", {{16}, {1}, 0, 16}, "expected 64 bytes, found 48"},
      {"storage smaller than its entry", {{8}, {1}, 0, 8}, "expected 32 bytes, found 48"},
      {"storage of a negative size", {{1}, {1}, 0, -1}, "expected a view inside its -1 elements"},
      {"storage whose bytes overflow", {{1}, {1}, 0, kMost}, "a storage's size within 64 bits"},
      {"negative extent", {{-1, 4}, {4, 1}, 0, 12}, "extents of at least 0, found shape [-1, 4]"},
      {"negative extents with a positive product", {{-2, -2}, {2, 1}, 0, 12}, "extents of at least 0"},
      {"negative stride", {{4}, {-1}, 3, 12}, "stride of at least 0"},
      {"negative offset", {{4}, {1}, -1, 12}, "an offset of at least 0"},
      {"fewer strides than extents", {{2, 2}, {1}, 0, 12}, "one stride of at least 0 for each extent"},
      {"more strides than extents", {{2}, {1, 1}, 0, 12}, "one stride of at least 0 for each extent"},
      {"extents whose product overflows", {{big, big}, {0, 0}, 0, 12}, "a tensor's size within 64 bits"},
      {"extents whose product wraps to 1", {{big + 1, big - 1, 0}, {0, 0, 0}, 0, 12}, "a tensor's size within 64 bits"},
      {"extents whose product overflows beside a zero", {{0, big, big}, {0, 0, 0}, 0, 12}, "within 64 bits"},
      {"bytes that overflow", {{std::int64_t{1} << 62}, {0}, 0, 12}, "a tensor's size within 64 bits"},
      {"stride times extent that overflows", {{3}, {kMost}, 0, 12}, "strides times extents within 64 bits"},
      {"strides whose sum overflows", {{2, 2}, {kMost, kMost}, 0, 12}, "an offset and strides within 64 bits"},
      {"offset that overflows", {{1}, {1}, kMost, 12}, "an offset within 64 bits"},
      {"one element, expanded to a terabyte", {{big, 64}, {0, 0}, 0, 12}, "bytes can hold, found shape"},
      {"one element, expanded beyond what is reasonable", {{1 << 19}, {0}, 0, 12}, "bytes can hold, found shape"},
      {"more axes than PyTorch has", {std::vector<std::int64_t>(65, 1), {}, 0, 12}, "at most 64 numbers, found 65"},
      {"storage that is not there", {{1}, {1}, 0, 12, "1"}, "archive/data/1"},
      {"storage outside its folder", {{1}, {1}, 0, 12, "../data.pkl"}, "no such entry"},
      {"storage with an endless key", {{1}, {1}, 0, 12, std::string(1000, '0')}, "found one of 1000"},
      {"view beyond its storage", {{1}, {1}, 0, 12, "0", "FloatStorage", {8, 5}}, "expected a view inside its 12"},
      {"view that overflows", {{1}, {1}, 0, 12, "0", "FloatStorage", {kMost, kMost}}, "expected a view inside its 12"},
      {"tensor beyond its view", {{5}, {1}, 0, 12, "0", "FloatStorage", {0, 4}}, "at least 5 elements"},
      {"storage of another type", {{6}, {1}, 0, 12, "0", "DoubleStorage"}, "expected 96 bytes, found 48"},
  }));
  CAPTURE(c.what);
  const auto error = error_of(zip_of(c.spec, 12));
  CHECK_THAT(error, Catch::Contains(c.want));
  const bool found_before_the_name = error.find("data.pkl\": byte ") != std::string::npos;
  if (!found_before_the_name) CHECK_THAT(error, Catch::StartsWith("tensor \"weight\": "));
}

TEST_CASE("expanded tensors within reason are read") {
  CHECK(read_bytes(zip_of({{1 << 18}, {0}, 7, 12}, 12)).tensors.at("weight").to_floats() ==
        std::vector<float>(1 << 18, 7.f));
}

TEST_CASE("a small file cannot name a large tensor many times") {
  PickleWriter pickle;
  pickle.raw("}");
  for (int i = 0; i < 40; ++i) pickle.text("w" + std::to_string(i)).tensor({{1 << 18}, {0}, 0, 12}).raw("s");
  CHECK_THAT(error_of(make_zip(torch_entries(pickle.done(), ramp(12)))),
             Catch::Contains("storages repeated too often"));
}

TEST_CASE("state dicts are found where training scripts put them") {
  const TensorSpec one{{1}, {1}, 0, 1};
  const auto names = [](const PickleWriter& pickle) {
    const auto checkpoint = read_bytes(make_zip(torch_entries(pickle.done(), ramp(1))));
    std::string text;
    for (const auto& [name, tensor] : checkpoint.tensors) text += name + " ";
    text += "|";
    for (const auto& name : checkpoint.ignored) text += " " + name;
    return text;
  };
  CHECK(names(PickleWriter().raw("}").text("w").tensor(one).raw("s")) == "w |");
  CHECK(names(PickleWriter().raw("}").text("model").raw("}").text("w").tensor(one).raw("ss")) == "w |");
  CHECK(names(PickleWriter()
                  .raw("}")
                  .text("epoch")
                  .raw("Ns")
                  .text("model")
                  .raw("}")
                  .text("args")
                  .raw("}s")
                  .text("state_dict")
                  .raw("}")
                  .text("module.w")
                  .tensor(one)
                  .raw("sss")) == "module.w | epoch args");
  CHECK(names(PickleWriter().raw("}").text("model").tensor(one).raw("s")) == "model |");
  // As in Python, the later of two equal keys counts.
  CHECK(names(PickleWriter().raw("}").text("w").raw("Ns").text("w").tensor(one).raw("s")) == "w |");

  const auto error = [](const PickleWriter& pickle) {
    return error_of(make_zip(torch_entries(pickle.done(), ramp(1))));
  };
  CHECK_THAT(error(PickleWriter().raw("]")), Catch::Contains("expected a dict of tensors, found a value of type list"));
  CHECK_THAT(error(PickleWriter().tensor(one)), Catch::Contains("found a tensor of fp32"));
  CHECK_THAT(error(PickleWriter().raw("}")), Catch::Contains("found nothing"));
  CHECK_THAT(error(PickleWriter().raw("}").text("net").raw("}s").text("opt").raw("Ns")),
             Catch::Contains("found nothing"));
  CHECK_THAT(error(PickleWriter().raw("}").text("blobs").raw("}s")), Catch::Contains("Caffe2"));
  CHECK_THAT(error(PickleWriter().raw("}]Ns")), Catch::Contains("found \"(list)\" (a value of type None)"));
  CHECK_THAT(error(PickleWriter().raw("}").text(std::string(600, 'x')).tensor(one).raw("s")),
             Catch::Contains("at most 512 bytes"));
}

TEST_CASE("lazy views, which store the opposite of what they mean, are refused") {
  PickleWriter pickle;
  pickle.raw("}").text("w").global("torch._utils", "_rebuild_tensor_v2").raw("((");
  pickle.text("storage").global("torch", "FloatStorage").text("0").text("cpu").integer(1).raw("tQ");
  pickle.integer(0).tuple({1}).tuple({1}).raw("\x89}}").text("neg").raw("\x88stRs");
  CHECK_THAT(error_of(make_zip(torch_entries(pickle.done(), ramp(1)))), Catch::Contains("its neg flag is set"));
}

TEST_CASE("numpy arrays that disagree with their bytes are errors that name them") {
  const auto array = [](const std::string& order, const std::vector<std::int64_t>& shape, const std::string& data) {
    PickleWriter pickle;
    pickle.raw("}").text("w").global("numpy.core.multiarray", "_reconstruct").global("numpy", "ndarray");
    pickle.raw("K\x00\x85"s)
        .raw(
            "U\x01"
            "b\x87R(K\x01")
        .tuple(shape);
    pickle.global("numpy", "dtype").text("f4").raw("K\x00K\x01\x87R("s).integer(3).text(order).raw("NNN");
    pickle.integer(-1).integer(-1).integer(0).raw("tb\x89");
    return pickle.raw("B").raw(bytes_of(static_cast<std::uint32_t>(data.size()))).raw(data).raw("tbs").done();
  };
  CHECK(read_bytes(array("<", {3}, ramp(3))).tensors.at("w").to_floats() == std::vector<float>{0, 1, 2});
  CHECK_THAT(error_of(array("<", {4}, ramp(3))), Catch::Equals("tensor \"w\": expected 16 bytes for shape [4] of fp32, "
                                                               "found 12"));
  CHECK_THAT(error_of(array("<", {2}, ramp(3))), Catch::Contains("expected 8 bytes"));
  CHECK_THAT(error_of(array("<", {-3}, ramp(3))), Catch::Contains("extents of at least 0"));
  CHECK_THAT(error_of(array("<", {kMost, kMost}, ramp(3))), Catch::Contains("within 64 bits"));
  CHECK_THAT(error_of(array("<", {std::int64_t{1} << 40}, ramp(3))), Catch::Contains("bytes can hold"));
  CHECK_THAT(error_of(array(">", {3}, ramp(3))), Catch::Contains("big-endian"));
}

}  // namespace maskrt
