// What a file is by its first bytes, and text that may be in any encoding.
#include <catch2/catch.hpp>
#include <string>

#include "graph/file_kind.h"
#include "graph/model_file.h"
#include "graph/utf8.h"
#include "support/files.h"

namespace maskrt {
namespace {

using Catch::Contains;
using namespace std::string_literals;

// What loading the bytes as a model says, behind the file's name.
std::string said_of(const std::string& bytes) {
  const testing::TemporaryFolder folder;
  const auto path = testing::write_text(folder / "model", bytes);
  try {
    graph::read_model(path);
  } catch (const Error& error) {
    const std::string text = error.what(), name = path.string() + ": ";
    return text.starts_with(name) ? text.substr(name.size()) : "no file named in: " + text;
  }
  return "";
}

std::string zip(const std::string& first) {
  return "PK\3\4"s + std::string(22, '\0') + static_cast<char>(first.size()) + std::string(3, '\0') + first;
}

}  // namespace

TEST_CASE("a model that is something else is named as what it is") {
  const std::pair<std::string, std::string> cases[] = {
      {zip("archive/data.pkl"), "a PyTorch checkpoint: convert it with maskrt-convert"},
      {"\x80\x02\x8a\nl\xfc\x9c\x46\xf9 j\xa8P\x19."s, "a PyTorch checkpoint: convert it with maskrt-convert"},
      {"\x80\x02}q\x00."s, "a pickle: convert it with maskrt-convert"},
      {"\x80\x04\x95\x01\x00\x00\x00\x00\x00\x00\x00}."s, "a pickle: convert it with maskrt-convert"},
      {"(dp0\nS'model'\n"s, "a pickle: convert it with maskrt-convert"},
      {"\x08\x07\x12\x07pytorch\x1a\x03"s, "an ONNX model: maskrt-convert converts the PyTorch checkpoint"},
      {"ftrt\x00\x00\x00\x01"s, "a TensorRT engine: maskrt-convert converts"},
      {"\x1c\x00\x00\x00TFL3"s, "a TensorFlow Lite model: "},
      {"<?xml version=\"1.0\"?>\n<net name=\"x\" version=\"11\">"s, "an OpenVINO network: "},
      {"<?xml version=\"1.0\"?>\n<annotation>"s, "an XML file"},
      {"7767517\n75 83\n"s, "an ncnn network: "},
      {"\xff\xd8\xff\xe0\x00\x10JFIF"s, "a JPEG picture: the model is named before the pictures"},
      {"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"s, "a PNG picture: the model is named before"},
      {"RIFF\x10\x00\x00\x00WEBPVP8 "s, "a WebP picture"},
      {"_BASE_: base.yaml\nMODEL: {}\n"s, "a text"},
      {"  {\"images\": []}"s, "a JSON file"},
      {"<!DOCTYPE html>\n<html>"s, "a page of a web site"},
      {"version https://git-lfs.github.com/spec/v1\noid"s, "a pointer of Git LFS"},
      {zip("word/document.xml"), "a zip archive"},
      {zip("weight.npy"), "an archive of numpy arrays"},
      {"", "an empty file"},
  };
  for (const auto& [bytes, kind] : cases) {
    CAPTURE(kind);
    CHECK_THAT(said_of(bytes), Catch::StartsWith("expected a maskrt model, found " + kind));
  }
}

TEST_CASE("safetensors that hold no model are checkpoints, whatever their types") {
  const std::string plain = R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
                    float8 = R"({"a":{"dtype":"F8_E4M3","shape":[4],"data_offsets":[0,4]}})";
  for (const auto& header : {plain, float8}) {
    const std::uint64_t size = header.size();
    const std::string length(reinterpret_cast<const char*>(&size), sizeof size);
    CHECK(said_of(length + header + "1234") ==
          "expected a maskrt model, found a safetensors file without one; convert it with maskrt-convert");
  }
}

TEST_CASE("what is not known stays so") {
  for (const std::string& bytes :
       {"\x01\x02\x03\x04\x05"s, std::string(600, '\xff'), "\x80\x02\x00\x00\x00\x00\x00\x00{}"s})
    CHECK_FALSE(graph::recognise(std::as_bytes(std::span(bytes))).has_value());
  // A character that the 512 bytes cut in two is still text.
  const std::string text = std::string(511, 'x') + "\xc3\xa9";
  const auto kind = graph::recognise(std::as_bytes(std::span(text)));
  REQUIRE(kind.has_value());
  CHECK(kind->name == "a text");
}

TEST_CASE("bytes that are no UTF-8 are found, and escaped") {
  for (const std::string text :
       {"", "plain", "\xc3\xa9", "\xe4\xb8\xad", "\xf0\x9f\x98\x80", "\xed\x9f\xbf", "\xf4\x8f\xbf\xbf"}) {
    CHECK(is_utf8(text));
    CHECK(with_escaped_bytes(text) == text);
  }
  const std::pair<std::string, std::string> cases[] = {
      {"caf\xe9", "caf\\xe9"},
      {"\xe9t\xe9", "\\xe9t\\xe9"},
      {"\x80", "\\x80"},
      {"\xc3", "\\xc3"},
      {"\xc0\xaf", "\\xc0\\xaf"},  // "/" in too many bytes
      {"\xe0\x80\xaf", "\\xe0\\x80\\xaf"},
      {"\xed\xa0\x80", "\\xed\\xa0\\x80"},  // a surrogate
      {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"},
      {"\xff\xc3\xa9", "\\xff\xc3\xa9"},
  };
  for (const auto& [text, escaped] : cases) {
    CAPTURE(escaped);
    CHECK_FALSE(is_utf8(text));
    CHECK(with_escaped_bytes(text) == escaped);
  }
}

}  // namespace maskrt
