// The container: what the format's own library writes, what ours writes, and files that mean harm.
#include <sys/resource.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <limits>
#include <random>

#include "graph/checksum.h"
#include "graph/safetensors.h"
#include "support/files.h"

using namespace maskrt;
using namespace maskrt::graph;
using namespace maskrt::testing;

namespace {

const std::filesystem::path data = std::filesystem::path(MASKRT_TEST_DATA) / "graph";

/// A file of that header, with its length before it, and `bytes` of data.
std::string container(const std::string& header, std::size_t bytes = 0) {
  std::string file(8, '\0');
  const auto length = static_cast<std::uint64_t>(header.size());
  std::memcpy(file.data(), &length, 8);
  return file + header + std::string(bytes, '\0');
}

/// Reads `contents` as a file; the error's text, or "" where there is none.
std::string error_of(const TemporaryFolder& folder, const std::string& contents) {
  const auto path = write_text(folder / "file.safetensors", contents);
  try {
    Safetensors::read(path);
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

template <typename T>
std::span<const std::byte> bytes_of(const std::vector<T>& values) {
  return std::as_bytes(std::span(values));
}

}  // namespace

TEST_CASE("reads what the format's own library writes") {
  const auto file = Safetensors::read(data / "official.safetensors");
  CHECK(file.metadata == std::map<std::string, std::string>{{"format", "pt"}, {"note", "\"quoted\" \u00fc"}});
  const auto expect = [&](const char* name, DataType type, const Shape& shape, const std::vector<float>& numbers) {
    INFO(name);
    REQUIRE(file.tensors.count(name) == 1);
    const auto& tensor = file.tensors.at(name);
    CHECK(tensor.type == type);
    CHECK(tensor.shape == shape);
    CHECK(tensor.to_floats() == numbers);
  };
  expect("f64", DataType::f64, {2}, {1.5f, -2});
  expect("f32", DataType::f32, {2, 2}, {1, -2, 0.5f, 1e30f});
  expect("f16", DataType::f16, {3}, {1, -65504, 0x1p-24f});
  expect("bf16", DataType::bf16, {2}, {1, -0.0078125f});
  expect("i64", DataType::i64, {1}, {-5});
  expect("i32", DataType::i32, {1}, {70000});
  expect("i16", DataType::i16, {1}, {-300});
  expect("i8", DataType::i8, {2}, {-128, 127});
  expect("u8", DataType::u8, {2}, {0, 255});
  expect("bool", DataType::boolean, {2}, {1, 0});
  expect("scalar", DataType::f32, {}, {3.25f});
  expect("empty", DataType::f32, {0, 4}, {});
  CHECK(file.tensors.size() == 12);
}

TEST_CASE("what is written is read again, aligned and in full") {
  const TemporaryFolder folder;
  const std::vector<double> wide = {1, 2};
  const std::vector<float> plain = {3, 4, 5};
  const std::vector<std::uint8_t> narrow = {7, 8, 9};
  const std::vector<std::uint16_t> half = {0x3c00};
  const std::vector<TensorToWrite> tensors = {
      {"narrow", DataType::u8, {3}, bytes_of(narrow)}, {"half", DataType::f16, {1, 1}, bytes_of(half)},
      {"b", DataType::f32, {3}, bytes_of(plain)},      {"a", DataType::f32, {3}, bytes_of(plain)},
      {"wide", DataType::f64, {2}, bytes_of(wide)},    {"none", DataType::f64, {0, 3}, {}}};
  const auto path = folder / "file.safetensors";
  write_safetensors(path, tensors, {{"key", "value with \"quotes\""}});
  const auto file = Safetensors::read(path);
  CHECK(file.metadata == std::map<std::string, std::string>{{"key", "value with \"quotes\""}});
  REQUIRE(file.tensors.size() == tensors.size());
  std::size_t first = file.source->size();
  for (const auto& tensor : tensors) {
    INFO(tensor.name);
    const auto& view = file.tensors.at(tensor.name);
    CHECK(view.type == tensor.type);
    CHECK(view.shape == tensor.shape);
    const std::vector<std::byte> bytes = view.read();
    CHECK(std::equal(bytes.begin(), bytes.end(), tensor.bytes.begin(), tensor.bytes.end()));
    CHECK(view.offset % size_of(tensor.type) == 0);
    first = std::min(first, view.offset);
  }
  CHECK(first % 256 == 0);
  // The same tensors in another order are the same file.
  auto reversed = tensors;
  std::reverse(reversed.begin(), reversed.end());
  write_safetensors(folder / "again", reversed, file.metadata);
  CHECK(read_text(folder / "again") == read_text(path));
}

TEST_CASE("an empty container") {
  const TemporaryFolder folder;
  write_safetensors(folder / "file", {}, {});
  CHECK(Safetensors::read(folder / "file").tensors.empty());
  CHECK(error_of(folder, container("{}")) == "");
  CHECK(error_of(folder, container("{}      ")) == "");  // padding
}

TEST_CASE("headers that are wrong are errors that say what is wrong") {
  const TemporaryFolder folder;
  const auto tensor = [](const std::string& shape, const std::string& offsets, const std::string& type = "F32") {
    return container("{\"t\":{\"dtype\":\"" + type + "\",\"shape\":" + shape + ",\"data_offsets\":" + offsets + "}}",
                     16);
  };
  CHECK(error_of(folder, tensor("[4]", "[0,16]")) == "");
  const auto cases = std::vector<std::pair<std::string, std::string>>{
      {"", "at least 8 bytes"},
      {"1234567", "at least 8 bytes"},
      {std::string("\xff\xff\xff\xff\xff\xff\xff\xff{}"), "found a length of 18446744073709551615"},
      {std::string("\x03\0\0\0\0\0\0\0{}", 10), "found a length of 3"},
      {container(""), "begins with {"},
      {container(" {}"), "begins with {"},
      {container("[]"), "begins with {"},
      {container("{"), "mistake at byte"},
      {container("{} x"), "mistake at byte"},
      {container("{\"\xff\":{}}"), "mistake at byte"},
      {container("{\"t\":[[[[[[1]]]]]]}"), "nested at most 3 deep"},
      {container("{\"t\":" + std::string(100000, '[')), "nested at most 3 deep"},
      {container("{\"t\":1}"), "tensor t: expected an object"},
      {container("{\"t\":{}}"), "tensor t: expected an object"},
      {container("{\"__metadata__\":[]}"), "object of strings"},
      {container("{\"__metadata__\":{\"k\":1}}"), "under \"k\""},
      {container("{\"__metadata__\":{\"k\":\"1\",\"k\":\"2\"}}"), "found \"k\" twice"},
      {container("{\"t\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]},"
                 "\"t\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}"),
       "found \"t\" twice"},
      {container("{\"t\":{\"dtype\":\"U8\",\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}"),
       "found \"dtype\" twice"},
      {tensor("[4]", "[0,16]", "F8_E4M3"), "found F8_E4M3"},
      {tensor("[4]", "[0,16]", "f32"), "found f32"},
      {tensor("4", "[0,16]"), "shape to be a list"},
      {tensor("[-4]", "[0,16]"), "non-negative integers"},
      {tensor("[4.0]", "[0,16]"), "non-negative integers"},
      {tensor("[\"4\"]", "[0,16]"), "non-negative integers"},
      {tensor("[18446744073709551615]", "[0,16]"), "non-negative integers"},
      {tensor("[4611686018427387904,4]", "[0,16]"), "bytes can be counted"},
      {tensor("[4294967296,4294967296]", "[0,0]"), "bytes can be counted"},
      {tensor("[4294967296,4294967296,0]", "[0,0]"), "bytes can be counted"},
      {tensor("[4]", "[0]"), "two non-negative integers"},
      {tensor("[4]", "[0,16,16]"), "two non-negative integers"},
      {tensor("[4]", "[-16,0]"), "two non-negative integers"},
      {tensor("[4]", "[16,0]"), "found 16 to 0"},
      {tensor("[4]", "[16,32]"), "found 16 to 32"},
      {tensor("[4]", "[18446744073709551600,16]"), "inside the 16 bytes"},
      {tensor("[3]", "[0,16]"), "expected 12 bytes"},
      {tensor("[3]", "[4,16]"), "found a hole"},
      {tensor("[3]", "[0,12]"), "expected the tensors to cover all 16 bytes"},
      {container("{\"a\":{\"dtype\":\"U8\",\"shape\":[8],\"data_offsets\":[0,8]},"
                 "\"b\":{\"dtype\":\"U8\",\"shape\":[9],\"data_offsets\":[7,16]}}",
                 16),
       "found an overlap"},
      {container("{}", 1), "cover all 1 bytes"},
  };
  for (const auto& [contents, want] : cases) {
    const auto found = error_of(folder, contents);
    INFO("file " << contents.substr(0, 120));
    CHECK_THAT(found, Catch::Contains(want));
    if (contents.size() > 8) CHECK_THAT(found, Catch::Contains("file.safetensors"));
  }
}

TEST_CASE("numbers beyond double, and names that a terminal would act on") {
  const TemporaryFolder folder;
  CHECK_THAT(error_of(folder, container(R"({"a":{"dtype":"F32","shape":[1e999],"data_offsets":[0,4]}})", 4)),
             Catch::Contains("expected numbers that a double can hold, found a larger one"));
  CHECK_THAT(error_of(folder, container(R"({"a\u0000b\u001b[2J":1})")),
             Catch::Contains("tensor a?b?[2J: expected an object"));
}

TEST_CASE("a truncated file is an error at every length") {
  const TemporaryFolder folder;
  const auto whole = read_text(data / "official.safetensors");
  for (std::size_t length = 0; length < whole.size(); ++length) {
    INFO("the first " << length << " of " << whole.size() << " bytes");
    REQUIRE(error_of(folder, whole.substr(0, length)) != "");
  }
  CHECK(error_of(folder, whole) == "");
  CHECK(error_of(folder, whole + 'x') != "");
}

TEST_CASE("flipped bits in a header are an error or a valid header, never anything else") {
  const TemporaryFolder folder;
  const auto whole = read_text(data / "official.safetensors");
  std::uint64_t length = 0;
  std::memcpy(&length, whole.data(), 8);
  std::mt19937 random(2);
  int errors = 0;
  constexpr int rounds = 3000;
  for (int round = 0; round < rounds; ++round) {
    auto damaged = whole;
    for (auto flips = 1 + random() % 3; flips > 0; --flips)
      damaged[random() % (8 + length)] ^= static_cast<char>(1 << random() % 8);
    errors += error_of(folder, damaged).empty() ? 0 : 1;
  }
  CHECK(errors > rounds / 2);  // the rest changed names and metadata
}

TEST_CASE("what is no file") {
  const TemporaryFolder folder;
  CHECK_THROWS_WITH(Safetensors::read(folder / "missing"), Catch::Contains("missing: No such file"));
  CHECK_THROWS_WITH(Safetensors::read(folder.path()), Catch::Contains("found a directory"));
  CHECK_THROWS_WITH(Safetensors::read("/dev/zero"), Catch::Contains("regular file"));
}

TEST_CASE("a tensor that disagrees with its bytes is not written") {
  const TemporaryFolder folder;
  const std::vector<float> two = {1, 2};
  const auto path = folder / "file";
  const auto write = [&](std::vector<TensorToWrite> tensors, std::map<std::string, std::string> metadata = {}) {
    write_safetensors(path, tensors, metadata);
  };
  CHECK_THROWS_WITH(write({{"t", DataType::f32, {3}, bytes_of(two)}}), Catch::Contains("expected 12 bytes"));
  CHECK_THROWS_WITH(write({{"t", DataType::f32, {-2}, bytes_of(two)}}), Catch::Contains("[-2]"));
  CHECK_THROWS_WITH(write({{"t", DataType::f32, {2}, bytes_of(two)}, {"t", DataType::f32, {2}, bytes_of(two)}}),
                    Catch::Contains("two named t"));
  CHECK_THROWS_WITH(write({{"\xff", DataType::f32, {2}, bytes_of(two)}}), Catch::Contains("UTF-8"));
  CHECK_THROWS_WITH(write({{"__metadata__", DataType::f32, {2}, bytes_of(two)}}, {{"a", "b"}}),
                    Catch::Contains("__metadata__"));
  CHECK(std::filesystem::is_empty(folder.path()));
}

TEST_CASE("writing is all or nothing") {
  const TemporaryFolder folder;
  const std::string before = "before";
  const auto path = folder / "file";
  write_file(path, std::as_bytes(std::span(before)));
  const auto names = [&] {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator(folder.path()))
      found.push_back(entry.path().filename().string());
    return found;
  };

  SECTION("a folder that is not there, a folder in the way") {
    CHECK_THROWS_WITH(write_file(folder / "no" / "file", {}), Catch::Contains("cannot write"));
    std::filesystem::create_directory(folder / "taken");
    CHECK_THROWS_WITH(write_file(folder / "taken", {}), Catch::Contains("Is a directory"));
    CHECK(names().size() == 2);
  }
  SECTION("a full disk: the old file stays, nothing half-written does") {
    // A limit on file size stands for the full disk; the signal that comes with it has to be ignored.
    std::signal(SIGXFSZ, SIG_IGN);
    rlimit old = {};
    REQUIRE(getrlimit(RLIMIT_FSIZE, &old) == 0);
    const rlimit small = {4096, old.rlim_max};
    REQUIRE(setrlimit(RLIMIT_FSIZE, &small) == 0);
    const std::string large(10000, 'x');
    std::string error;
    try {
      write_file(path, std::as_bytes(std::span(large)));
    } catch (const Error& caught) {
      error = caught.what();
    }
    REQUIRE(setrlimit(RLIMIT_FSIZE, &old) == 0);
    CHECK_THAT(error, Catch::Contains("cannot write") && Catch::Contains("File too large"));
    CHECK(read_text(path) == before);
    CHECK(names() == std::vector<std::string>{"file"});
  }
  SECTION("a link's target is replaced, not the link") {
    std::filesystem::create_symlink("file", folder / "link");
    const std::string after = "after";
    write_file(folder / "link", std::as_bytes(std::span(after)));
    CHECK(std::filesystem::is_symlink(folder / "link"));
    CHECK(read_text(path) == after);
  }
  SECTION("what is no regular file is written to, not replaced") {
    write_file("/dev/null", std::as_bytes(std::span(before)));
    CHECK(std::filesystem::is_character_file("/dev/null"));
  }
}

TEST_CASE("a file that is cut or overwritten while it is open gives an error, and not other numbers") {
  const TemporaryFolder folder;
  const std::vector<float> numbers(100000, 1.5f), others(100000, 2.5f);
  const auto write = [&](const std::vector<float>& values) {
    write_safetensors(folder / "new", {{"t", DataType::f32, {100000}, bytes_of(values)}}, {});
    write_text(folder / "file", read_text(folder / "new"));  // into the same file, as cp and rsync --inplace do
  };
  write(numbers);
  auto file = Safetensors::read(folder / "file");
  TensorView& view = file.tensors.at("t");
  CHECK(view.to_floats() == numbers);
  Xxh3 hash;
  hash.update(bytes_of(numbers));
  view.fingerprint = hash.digest();
  CHECK(view.to_floats() == numbers);
  write(others);
  CHECK_THROWS_WITH(view.to_floats(), Catch::Contains("overwritten"));
  CHECK_THROWS_WITH(view.read(), Catch::Contains("overwritten"));
  write(numbers);
  CHECK(view.to_floats() == numbers);
  std::filesystem::resize_file(folder / "file", 1000);
  CHECK_THROWS_WITH(view.to_floats(), Catch::Contains("found 1000: it was cut short"));
  std::filesystem::resize_file(folder / "file", 0);
  CHECK_THROWS_WITH(view.to_floats(), Catch::Contains("found 0: it was cut short"));
}
