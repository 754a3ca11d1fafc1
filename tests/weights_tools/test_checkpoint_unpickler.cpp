// The unpickler: all of the data opcodes, and nothing but data.
#include <catch2/catch.hpp>

#include "checkpoint_bytes.h"
#include "checkpoint_reading.h"
#include "weights_tools/checkpoint/unpickler.h"

namespace maskrt {
namespace {

using testing::bytes_of;
using testing::error_of;
using testing::PickleWriter;
using namespace std::string_literals;

std::string describe(const weights::pickle::Value& value);

std::string describe(const std::vector<weights::pickle::Value>& values) {
  std::string text;
  for (const auto& value : values) {
    if (!text.empty()) text += ' ';
    text += describe(value);
  }
  return text;
}

// A value as text, in a notation of its own.
std::string describe(const weights::pickle::Value& value) {
  using namespace weights::pickle;
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  if (const auto* number = std::get_if<std::int64_t>(&value)) return std::to_string(*number);
  if (const auto* real = std::get_if<double>(&value)) return "real " + std::to_string(*real);
  if (const auto* utf8 = std::get_if<Text>(&value)) return std::string(utf8->characters).insert(0, 1, '\'') + '\'';
  if (const auto* latin1 = std::get_if<ByteText>(&value)) return "8-bit '" + std::string(latin1->characters) + "'";
  if (const auto* big = std::get_if<BigInteger>(&value)) {
    return "integer of " + std::to_string(big->little_endian.size()) + " bytes";
  }
  if (const auto* blob = as<Blob>(value)) {
    return "bytes '" + std::string(reinterpret_cast<const char*>(blob->bytes.data()), blob->bytes.size()) + "'";
  }
  if (const auto* list = as<List>(value)) return describe(list->items).insert(0, 1, '[') + ']';
  if (const auto* tuple = as<Tuple>(value)) return describe(tuple->items).insert(0, 1, '(') + ')';
  if (const auto* set = as<Set>(value)) return describe(set->items).insert(0, 1, '<') + '>';
  if (const auto* dict = as<Dict>(value)) {
    std::string text;
    for (const auto& [key, item] : dict->items) text += describe(key) + ":" + describe(item) + ",";
    return text.insert(0, 1, '{') + '}';
  }
  return std::string(type_name(value));
}

weights::pickle::Value no_storages(weights::pickle::Heap&, const weights::pickle::Value&) {
  throw Error("refused a persistent id");
}

// What a pickle with the given opcodes builds, or its error.
std::string result_of(const std::string& opcodes, std::size_t budget = std::size_t{1} << 20) {
  weights::pickle::Heap heap(budget);
  const std::string pickle = opcodes + ".";
  try {
    return describe(weights::pickle::unpickle(std::as_bytes(std::span(pickle)), heap, no_storages).value);
  } catch (const Error& error) {
    return error.what();
  }
}

struct OpcodeCase {
  std::string opcodes, want;
};

}  // namespace

TEST_CASE("the unpickler reads numbers of every protocol") {
  const auto c = GENERATE(values<OpcodeCase>({
      {"N", "None"},
      {"\x88", "true"},
      {"\x89", "false"},
      {"I01\n", "true"},
      {"I00\n", "false"},
      {"I-7\n", "-7"},
      {"L123L\n", "123"},
      {"L-9223372036854775808L\n", "-9223372036854775808"},
      {"L9223372036854775808L\n", "int"},
      {"J\xfe\xff\xff\xff", "-2"},
      {"K\xff", "255"},
      {"M\xff\xff", "65535"},
      {"\x8a\x00"s, "0"},
      {"\x8a\x01\xff", "-1"},
      {"\x8a\x02\xff\x00"s, "255"},
      {"\x8a\x08\x00\x00\x00\x00\x00\x00\x00\x80"s, "-9223372036854775808"},
      {"\x8a\x09\x00\x00\x00\x00\x00\x00\x00\x00\x01"s, "integer of 9 bytes"},
      {"\x8b\x01\x00\x00\x00\x05"s, "5"},
      {"F-2.5\n", "real -2.500000"},
      {"Finf\n", "real inf"},
      {"F1e999\n", "float"},
      {"G\x3f\xf8\x00\x00\x00\x00\x00\x00"s, "real 1.500000"},
  }));
  CAPTURE(c.opcodes);
  CHECK(result_of(c.opcodes) == c.want);
}

TEST_CASE("the unpickler reads text and bytes of every protocol") {
  const auto c = GENERATE(values<OpcodeCase>({
      {"S'a\\x41\\n\\t\\\\\\''\n", "8-bit 'aA\n\t\\''"},
      {"S\"it's\"\n", "8-bit 'it's'"},
      {"T\x02\x00\x00\x00hi"s, "8-bit 'hi'"},
      {"U\x02hi", "8-bit 'hi'"},
      {"Vcaf\xe9\\u20ac\\U0001f600\\n\n", "'caf\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\\n'"},
      {"\x8c\x02hi", "'hi'"},
      {"X\x02\x00\x00\x00hi"s, "'hi'"},
      {"\x8d\x02\x00\x00\x00\x00\x00\x00\x00hi"s, "'hi'"},
      {"C\x02hi", "bytes 'hi'"},
      {"B\x02\x00\x00\x00hi"s, "bytes 'hi'"},
      {"\x8e\x02\x00\x00\x00\x00\x00\x00\x00hi"s, "bytes 'hi'"},
      {"\x96\x02\x00\x00\x00\x00\x00\x00\x00hi"s, "bytes 'hi'"},
      {"c_codecs\nencode\n(X\x04\x00\x00\x00\xc3\xa9hiU\x06latin1tR"s, "bytes '\xe9hi'"},
      {"c_codecs\nencode\n(U\x03\xe9hiU\x06latin1tR", "bytes '\xe9hi'"},
      {"c__builtin__\nbytes\n)R", "bytes ''"},
      {"cbuiltins\nbytearray\nC\x02hi\x85R", "bytes 'hi'"},
  }));
  CAPTURE(c.opcodes);
  CHECK(result_of(c.opcodes) == c.want);
}

TEST_CASE("the unpickler builds containers of every protocol") {
  const auto c = GENERATE(values<OpcodeCase>({
      {"]", "[]"},
      {")", "()"},
      {"}", "{}"},
      {"\x8f", "<>"},
      {"(K\x01K\x02l", "[1 2]"},
      {"(K\x01K\x02t", "(1 2)"},
      {"K\x01\x85", "(1)"},
      {"K\x01K\x02\x86", "(1 2)"},
      {"K\x01K\x02K\x03\x87", "(1 2 3)"},
      {"(K\x01K\x02\x64", "{1:2,}"},
      {"]K\x01\x61", "[1]"},
      {"](K\x01K\x02\x65", "[1 2]"},
      {"}K\x01K\x02s", "{1:2,}"},
      {"}(K\x01K\x02K\x03K\x04u", "{1:2,3:4,}"},
      {"\x8f(K\x01K\x02\x90", "<1 2>"},
      {"(K\x01K\x02\x91", "<1 2>"},
      {"K\x01K\x02"
       "0",
       "1"},
      {"K\x01(K\x02"
       "1",
       "1"},
      {"K\x01(0", "1"},
      {"K\x01"
       "2\x86",
       "(1 1)"},
      {"K\x07q\x00"
       "0h\x00"s,
       "7"},
      {"K\x07p0\n0g0\n", "7"},
      {"K\x07r\x00\x00\x00\x00"
       "0j\x00\x00\x00\x00"s,
       "7"},
      {"\x80\x04\x95\x07\x00\x00\x00\x00\x00\x00\x00K\x07\x94"
       "0h\x00"s,
       "7"},
      {"ccollections\nOrderedDict\n)RK\x01K\x02s", "{1:2,}"},
      {"ccollections\nOrderedDict\n)\x81K\x01K\x02s", "{1:2,}"},
      {"ccollections\nOrderedDict\n](](K\x01K\x02"
       "e](K\x03K\x04"
       "ee\x85R",
       "{1:2,3:4,}"},
      {"ccollections\nOrderedDict\n)R}b", "{}"},
      {"\x8c\x0b"
       "collections\x8c\x0bOrderedDict\x93)R",
       "{}"},
      {"ccollections\ndefaultdict\ncbuiltins\nlist\n\x85R", "{}"},
      {"c__builtin__\nset\n](K\x01K\x02"
       "e\x85R",
       "<1 2>"},
      {"ctorch\nSize\n(K\x01K\x02t\x85R", "(1 2)"},
      {"ctorch\ndevice\nU\x03"
       "cpu\x85R",
       "torch.device"},
  }));
  CAPTURE(c.opcodes);
  CHECK(result_of(c.opcodes) == c.want);
}

TEST_CASE("what is not plain data is a name, and what is done with it is dropped") {
  const auto c = GENERATE(values<OpcodeCase>({
      {"cos\nsystem\nU\x07"
       "echo hi\x85R",
       "os.system"},
      {"\x8c\x02os\x8c\x06system\x93\x8c\x07"
       "echo hi\x85R",
       "os.system"},
      {"(U\x07"
       "echo hiios\nsystem\n",
       "os.system"},
      {"(cos\nsystem\nU\x07"
       "echo hio",
       "os.system"},
      {"cbuiltins\neval\n", "builtins.eval"},
      {"c__builtin__\ngetattr\n", "__builtin__.getattr"},
      {"ctorch\nload\n", "torch.load"},
      {"ccopyreg\n_reconstructor\n(cargparse\nNamespace\nNNtR}b", "copyreg._reconstructor"},
      {"cargparse\nNamespace\n)\x81}X\x02\x00\x00\x00lrK\x01sb"s, "argparse.Namespace"},
      {"ctrain\nConfig\n)}\x92", "train.Config"},
      {"ctrain\nAttrDict\n)\x81K\x01K\x02s", "train.AttrDict"},
      {"ctrain\nAttrDict\n)\x81(K\x01K\x02u", "train.AttrDict"},
      {"ccollections\ndeque\n)RK\x01\x61", "collections.deque"},
      {"ccollections\ndeque\n)R(K\x01K\x02"
       "e",
       "collections.deque"},
      {"ctrain\nBag\n)R(K\x01\x90", "train.Bag"},
      {"ccollections.OrderedDict\nfromkeys\n", "collections.OrderedDict.fromkeys"},
      {"ccollections\nOrderedDict\n)}\x92", "collections.OrderedDict"},
      {"ctorch\nFloatStorage\n)R", "torch.FloatStorage"},
      {"cbuiltins\nlist\n)R", "builtins.list"},
      {"ctorch.storage\n_load_from_bytes\nC\x01x\x85R", "torch.storage._load_from_bytes"},
      {"\x82\x01", "extension registry"},
      {"\x83\x01\x00"s, "extension registry"},
      {"\x84\x01\x00\x00\x00"s, "extension registry"},
      // Data made with an object that is not built.
      {"ccollections\nOrderedDict\nctrain\nPairs\n)R\x85R", "collections.OrderedDict"},
      {"ccollections\nOrderedDict\nctrain\nArguments\n)RR", "collections.OrderedDict"},
      {"cnumpy\ndtype\nctrain\nKind\n\x85R", "numpy.dtype"},
      {"ccollections\ndefaultdict\nctrain\nmake\n\x85R", "{}"},
      {"ctorch._tensor\n_rebuild_from_type_v2\n(ctrain\nrebuild\nctorch\nTensor\n)}tR",
       "torch._tensor._rebuild_from_type_v2"},
      {"ctorch._utils\n_rebuild_tensor_v3\n(NK\x01))\x89}ctorch\nfloat3\ntR", "torch._utils._rebuild_tensor_v3"},
  }));
  CAPTURE(c.opcodes);
  CHECK_THAT(result_of(c.opcodes), Catch::EndsWith(c.want) && !Catch::Contains("expected"));
}

TEST_CASE("the unpickler refuses what data never does") {
  const auto c = GENERATE(values<OpcodeCase>({
      {"(o", "a class for OBJ, found none"},
      {"\x97", "out-of-band"},
      {"]\x98", "out-of-band"},
      {"Pid\n", "persistent id"},
      {"NQ", "persistent id"},
      {"]}b", "BUILD"},
      {"}}b", "BUILD"},
      {"K\x01}b", "BUILD"},
      {"])R", "list"},
      {"(No", "to call, found a value of type None"},
      {"ccollections\nOrderedDict\n]R", "tuple of arguments"},
      {"c_codecs\nencode\n(U\x01xU\x05utf-8tR", "utf-8"},
      {"c_codecs\nencode\n(X\x03\x00\x00\x00\xe2\x82\xacU\x06latin1tR"s, "latin1"},
      {"ctorch._tensor\n_rebuild_from_type_v2\n(ctorch._tensor\n_rebuild_from_type_v2\nctorch\nTensor\n)}tR",
       "function that rebuilds"},
  }));
  CAPTURE(c.opcodes);
  CHECK_THAT(result_of(c.opcodes), Catch::Contains(c.want) && Catch::StartsWith("byte "));
}

TEST_CASE("a malformed pickle is an error that says where") {
  const auto c = GENERATE(values<OpcodeCase>({
      {"]K\x01K\x02s", "expected a dict for SETITEM or SETITEMS, found a value of type list"},
      {"N(K\x01K\x02u", "expected a dict for SETITEM or SETITEMS, found a value of type None"},
      {"}(K\x01u", "a key without one"},
      {"(K\x01"
       "d",
       "a key without one"},
      {"}K\x01\x61", "expected a list for APPEND or APPENDS, found a value of type dict"},
      {"\x8f(K\x01\x65", "found a value of type set"},
      {"](K\x01\x90", "expected a set for ADDITEMS, found a value of type list"},
      {"", "expected a value on the stack, found none"},
      {"0", "found none"},
      {"2", "found none"},
      {"s", "expected 2 values on the stack, found 0"},
      {"K\x01\x86", "expected 2 values on the stack, found 1"},
      {"K\x01(K\x02\x86", "expected 2 values on the stack, found 1"},
      {"t", "expected a mark on the stack, found none"},
      {"1", "expected a mark on the stack, found none"},
      {"h\x05", "expected a value in the memo at 5, found none"},
      {"K\x01q\x02h\x01", "expected a value in the memo at 1, found none"},
      {"K\x01r\xff\xff\xff\xff", "expected an index of the memo of at most 7, found 4294967295"},
      {"K\x01p99999999999999999999\n", "within 64 bits"},
      {"K\x01p-1\n", "expected an index of the memo, found \"-1\""},
      {"q\x00"s, "found none"},
      {"\xff", "found byte 255"},
      {"\x00"s, "found byte 0"},
      {"\x80\x06", "protocol of at most 5, found 6"},
      {"\x95\xff\x00\x00\x00\x00\x00\x00\x00"s, "expected a frame of 255 bytes, found 1"},
      {"X\xff\xff\xff\xffhi", "expected 4294967295 more bytes, found 3"},
      {"\x8d\xff\xff\xff\xff\xff\xff\xff\xffhi", "expected 18446744073709551615 more bytes, found 3"},
      {"\x8b\xff\xff\xff\xff", "at least 0 bytes, found -1"},
      {"I1x\n", "expected a decimal integer, found \"1x\""},
      {"I\n", "expected a decimal integer"},
      {"Fx\n", "expected a decimal number"},
      {"Sx\n", "expected a quoted string"},
      {"S'\n", "expected a quoted string"},
      {"S'\\'\n", "backslash"},
      {"S'\\x4'\n", "2 hexadecimal digits"},
      {"V\\u12\n", "4 hexadecimal digits"},
      {"V\\Uffffffff\n", "U+10FFFF"},
      {"I1", "expected a line that ends"},
      {"NN\x93", "a module's name"},
  }));
  CAPTURE(c.opcodes);
  CHECK_THAT(result_of(c.opcodes), Catch::Contains(c.want) && Catch::StartsWith("byte "));
}

TEST_CASE("circles, depth and sharing cost nothing") {
  SECTION("a list that contains itself") {
    CHECK_THAT(error_of(PickleWriter().raw("]q").raw("\x00"s).raw("h").raw("\x00"s).raw("a").done()),
               Catch::Contains("expected a dict of tensors, found a value of type list"));
  }
  SECTION("a state dict that is its own model") {
    CHECK_THAT(error_of(PickleWriter().raw("}q\x01").text("model").raw("h\x01s").done()),
               Catch::Contains("inside at most 4 dicts"));
  }
  SECTION("tuples a hundred thousand deep") {
    PickleWriter pickle;
    pickle.raw("}").text("weight").raw(")");
    for (int i = 0; i < 100000; ++i) pickle.raw("\x85");
    CHECK_THAT(error_of(pickle.raw("s").done()), Catch::Contains("expected floating-point tensors"));
  }
  SECTION("lists of lists of the same list, 2^60 leaves in all") {
    PickleWriter pickle;
    pickle.raw("}").text("weight").raw("]");
    for (int i = 0; i < 60; ++i)
      pickle.raw(
          "q\x01"
          "0](h\x01h\x01"
          "e");
    CHECK_THAT(error_of(pickle.raw("s").done()), Catch::Contains("expected floating-point tensors"));
  }
}

TEST_CASE("what a pickle builds is bounded by the file's size") {
  const auto repeated = [](std::string_view part, int times) {
    std::string bytes;
    for (int i = 0; i < times; ++i) bytes += part;
    return bytes;
  };
  CHECK_THAT(error_of(PickleWriter().raw(repeated("(", 100000)).done()), Catch::Contains("marks on the stack"));
  CHECK_THAT(error_of(PickleWriter().raw(repeated("N", 1100000)).done()), Catch::Contains("values on the stack"));
  CHECK_THAT(error_of(PickleWriter().raw(repeated("}0", 1000000)).done()), Catch::Contains("memory"));
  CHECK_THAT(error_of(PickleWriter().raw("]N").raw(repeated("2", 900000)).raw(repeated("a", 10)).done()),
             Catch::Contains("found a value of type None"));
  // 1 MB of text, encoded a thousand times.
  PickleWriter encoded;
  encoded.text(std::string(1 << 20, 'x')).raw("q\x01").raw("0");
  for (int i = 0; i < 1000; ++i) encoded.raw("c_codecs\nencode\n(h\x01U\x06latin1tR0");
  CHECK_THAT(error_of(encoded.done()), Catch::Contains("memory"));
  // A long list, turned into a set a thousand times.
  PickleWriter sets;
  sets.raw("](" + repeated("N", 1 << 18) + "eq\x01");
  for (int i = 0; i < 1000; ++i) sets.raw("c__builtin__\nset\nh\x01\x85R0");
  CHECK_THAT(error_of(sets.done()), Catch::Contains("memory"));
}

TEST_CASE("a pickle that would run a command runs none") {
  const std::string command = "cposix\nsystem\nX\x08\x00\x00\x00touch /x\x85R"s;
  CHECK_THAT(error_of("\x80\x02" + command + "."),
             Catch::Equals("expected a dict of tensors, found a value of type posix.system; in Python, save its "
                           "state_dict()"));
  CHECK_THAT(error_of(PickleWriter().raw("}").text("model").raw(command + "s").done()),
             Catch::Contains("found \"model\" (a value of type posix.system)"));
}

}  // namespace maskrt
