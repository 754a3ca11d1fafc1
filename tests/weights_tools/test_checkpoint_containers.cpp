// Zip archives and legacy files that are not what torch.save writes.
#include <catch2/catch.hpp>

#include "checkpoint_bytes.h"
#include "checkpoint_reading.h"

namespace maskrt {
namespace {

using testing::bytes_of;
using testing::error_of;
using testing::LegacyStorage;
using testing::make_legacy;
using testing::make_zip;
using testing::one_tensor_pickle;
using testing::PickleWriter;
using testing::read_bytes;
using testing::torch_entries;
using testing::ZipEntry;
using namespace std::string_literals;

const std::string kData = bytes_of(1.5f) + bytes_of(-2.f);
const testing::TensorSpec kTwo{{2}, {1}, 0, 2};
const testing::TensorSpec kLegacyTwo{{2}, {1}, 0, 2, "0", "FloatStorage", {}, true};

// A good archive, with one more entry.
std::string zip_with(const ZipEntry& entry) {
  auto entries = torch_entries(one_tensor_pickle(kTwo), kData);
  entries.push_back(entry);
  return make_zip(entries);
}

// A good archive whose storage's entry is changed.
template <typename Change>
std::string zip_changed(const Change& change, std::size_t index = 1) {
  auto entries = torch_entries(one_tensor_pickle(kTwo), kData);
  change(entries.at(index));
  return make_zip(entries);
}

}  // namespace

TEST_CASE("archives of both sizes of zip are read") {
  const auto entries = torch_entries(one_tensor_pickle(kTwo), kData);
  for (const bool zip64 : {false, true}) {
    CAPTURE(zip64);
    CHECK(read_bytes(make_zip(entries, zip64)).tensors.at("weight").to_floats() == std::vector<float>{1.5f, -2.f});
  }
  CHECK(read_bytes(zip_with({"archive/byteorder", "little"})).tensors.size() == 1);
  CHECK(read_bytes(zip_with({"archive/", ""})).tensors.size() == 1);
}

TEST_CASE("an archive with anything but stored entries in one folder is refused") {
  CHECK_THAT(error_of(zip_with({"../x", "x"})), Catch::Contains("zip entry \"../x\"") && Catch::Contains("outside"));
  CHECK_THAT(error_of(zip_with({"archive/../../x", "x"})), Catch::Contains("outside"));
  CHECK_THAT(error_of(zip_with({"/etc/x", "x"})), Catch::Contains("\"/etc/x\"") && Catch::Contains("outside"));
  CHECK_THAT(error_of(zip_with({"archive\\x", "x"})), Catch::Contains("outside"));
  CHECK_THAT(error_of(zip_with({"other/x", "x"})), Catch::Contains("inside the archive's folder \"archive/\""));
  CHECK_THAT(error_of(zip_with({"archive/data/0", kData})),
             Catch::Contains("zip entry \"archive/data/0\"") && Catch::Contains("found it twice"));
  CHECK_THAT(error_of(zip_with({"archive/x/data.pkl", "N."})), Catch::Contains("expected one data.pkl"));
  CHECK_THAT(error_of(zip_with({"archive/byteorder", "big"})),
             Catch::Contains("expected \"little\", found \"big\"; save"));
  CHECK_THAT(error_of(zip_with({"archive/constants.pkl", "N."})), Catch::Contains("TorchScript"));
  CHECK_THAT(error_of(zip_with({"archive/code/__torch__.py", ""})), Catch::Contains("TorchScript"));
  CHECK_THAT(error_of(zip_changed([](auto& e) { e.method = 8; })),
             Catch::Contains("zip entry \"archive/data/0\": expected a stored entry"));
  CHECK_THAT(error_of(zip_changed([](auto& e) { e.method = 8; }, 0)), Catch::Contains("compressed one (method 8)"));
  CHECK_THAT(error_of(zip_changed([](auto& e) { e.flags = 1; })),
             Catch::Contains("expected a plain entry, found an encrypted one"));
  CHECK_THAT(error_of(make_zip({{"archive/version", "3"}})), Catch::Contains("without one"));
  CHECK_THAT(error_of(make_zip({{"data.pkl", "N."}})), Catch::Contains("without one"));
  CHECK_THAT(error_of(make_zip({})), Catch::Contains("without one"));
}

TEST_CASE("an archive whose sizes or checksums lie is refused") {
  CHECK_THAT(error_of(zip_changed([](auto& e) { e.crc = 1; })),
             Catch::Contains("tensor \"weight\": zip entry \"archive/data/0\"") && Catch::Contains("checksum"));
  CHECK_THAT(error_of(zip_changed([](auto& e) { e.crc = 1; }, 0)),
             Catch::Contains("zip entry \"archive/data.pkl\"") && Catch::Contains("checksum"));
  // A bomb says that a few bytes become many; stored entries cannot.
  CHECK_THAT(error_of(zip_changed([](auto& e) { e.size = 1u << 30; })), Catch::Contains("found 1073741824 bytes"));
  CHECK_THAT(error_of(zip_changed([](auto& e) { e.size = e.compressed_size = 1u << 30; })),
             Catch::Contains("damaged") || Catch::Contains("fits into"));
  // Many entries of the same bytes together claim more than there is.
  auto entries = torch_entries(one_tensor_pickle(kTwo), kData);
  for (int i = 1; i < 9; ++i) entries.push_back({"archive/data/" + std::to_string(i), "", 0, 0, 0, 400, 400});
  CHECK_THAT(error_of(make_zip(entries)), Catch::Contains("fits into the file's"));
}

TEST_CASE("a zip directory that claims more entries than the file holds is refused without taking memory") {
  auto bytes = make_zip(torch_entries(one_tensor_pickle(kTwo), kData), true);
  const auto record = bytes.rfind("PK\x06\x06");
  for (const std::uint64_t count : {std::uint64_t{4}, std::uint64_t{1} << 40, ~std::uint64_t{0}}) {
    CAPTURE(count);
    bytes.replace(record + 24, 16, bytes_of(count) + bytes_of(count));
    CHECK_THAT(error_of(bytes), Catch::Contains("expected a whole zip archive"));
  }
}

TEST_CASE("errors inside an archive's pickle name the entry and the byte") {
  CHECK_THAT(error_of(make_zip(torch_entries(PickleWriter().done(), kData))),
             Catch::StartsWith("zip entry \"archive/data.pkl\": byte 2 of the pickle: expected a value"));
}

TEST_CASE("legacy files are read, views included") {
  CHECK(read_bytes(make_legacy(one_tensor_pickle(kLegacyTwo), {{"0", 2, kData}})).tensors.at("weight").to_floats() ==
        std::vector<float>{1.5f, -2.f});
  auto view = kLegacyTwo;
  view.shape = {1};
  view.view = {1, 1};
  CHECK(read_bytes(make_legacy(one_tensor_pickle(view), {{"0", 2, kData}})).tensors.at("weight").to_floats() ==
        std::vector<float>{-2.f});
}

TEST_CASE("legacy files whose parts disagree are refused") {
  const auto pickle = one_tensor_pickle(kLegacyTwo);
  const auto error = [&](const std::vector<LegacyStorage>& storages) {
    return error_of(make_legacy(pickle, storages));
  };
  CHECK_THAT(error({}), Catch::Contains("tensor \"weight\"") && Catch::Contains("bytes in the file, found none"));
  CHECK_THAT(error({{"0", 1, kData.substr(4)}}), Catch::Contains("expected 8 bytes, found 4"));
  CHECK_THAT(error({{"0", 3, kData + kData.substr(4)}}), Catch::Contains("expected 8 bytes, found 12"));
  CHECK_THAT(error({{"0", 3, kData}}), Catch::Contains("last 8 bytes can hold, found 3 of fp32"));
  CHECK_THAT(error({{"0", -1, kData}}), Catch::Contains("found -1 of fp32"));
  CHECK_THAT(error({{"0", (std::int64_t{1} << 62) + 2, kData}}), Catch::Contains("bytes can hold"));
  CHECK_THAT(error({{"0", 2, kData}, {"0", 2, kData}}), Catch::Contains("expected every key once"));
  CHECK_THAT(error({{"1", 2, kData}}), Catch::Contains("storages that the pickle names, found \"1\""));
  CHECK_THAT(error({{"0", 2, kData.substr(1)}}), Catch::Contains("storage \"0\""));

  const auto with_types = PickleWriter().raw("}").text("a").tensor(kLegacyTwo).raw("s").text("b");
  auto half = kLegacyTwo;
  half.storage_type = "HalfStorage";
  CHECK_THAT(error_of(make_legacy(PickleWriter(with_types).tensor(half).raw("s").done(), {{"0", 2, kData}})),
             Catch::Contains("expected one type, found fp32 and fp16"));

  auto other_protocol = make_legacy(pickle, {{"0", 2, kData}});
  other_protocol.replace(other_protocol.find(bytes_of(std::int64_t{1001})), 1, "\xea");
  CHECK_THAT(error_of(other_protocol), Catch::Contains("version 1001"));
  auto big_endian = make_legacy(pickle, {{"0", 2, kData}});
  big_endian.replace(big_endian.find("\x88s."), 1, "\x89");
  CHECK_THAT(error_of(big_endian), Catch::Contains("big-endian"));
}

TEST_CASE("files that are no checkpoints are refused by what they start with") {
  CHECK_THAT(error_of(""), Catch::Contains("empty"));
  CHECK_THAT(error_of("<!DOCTYPE html><html>"),
             Catch::Contains("found a page of a web site instead of the file that starts with \"<!DOCTYPE ht\""));
  CHECK_THAT(error_of("\x7f"
                      "ELF\x02\x01"),
             Catch::Contains("\"\\x7fELF\\x02\\x01\""));
  CHECK_THAT(error_of("PK\x03\x04"), Catch::Contains("expected a whole zip archive"));
  CHECK_THAT(error_of("\x80"), Catch::Contains("byte 0 of the pickle"));
  CHECK_THAT(error_of(bytes_of(std::uint64_t{1} << 30) + "{}"), Catch::Contains("safetensors"));
  CHECK_THROWS_WITH(weights::read_checkpoint("/no/such/file.pth"), Catch::Contains("/no/such/file.pth"));
  CHECK_THROWS_WITH(weights::read_checkpoint("/"), Catch::Contains("/"));
}

TEST_CASE("safetensors of no numbers, and of integers") {
  // Nothing to read, whatever the other extents: neither a product nor a stride overflows.
  const std::string empty =
      R"({"a":{"dtype":"F32","shape":[0,9223372036854775807,9223372036854775807],"data_offsets":[0,0]}})";
  const auto empty_file = bytes_of(std::uint64_t{empty.size()}) + empty;
  CHECK(error_of(empty_file) == "");
  const std::string integers = R"({"a":{"dtype":"I32","shape":[2],"data_offsets":[0,8]}})";
  CHECK_THAT(error_of(bytes_of(std::uint64_t{integers.size()}) + integers + kData),
             Catch::Contains("expected floating-point tensors"));
}

}  // namespace maskrt
