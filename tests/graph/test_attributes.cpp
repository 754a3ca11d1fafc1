// Attributes that models do not have yet: those that operations gain after files without them were written, and lists
// of parts.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "graph/attributes.h"
#include "graph/attributes_json.h"
#include "graph/graph.h"

using namespace maskrt;
using namespace maskrt::graph;

namespace {

struct Head {
  ConstantPtr weight, bias;
  Activation activation = Activation::none;

  static void visit_attributes(auto& self, auto& visit) {
    visit.constant("weight", self.weight, false);
    visit.constant("bias", self.bias, true);
    visit.activation("activation", self.activation, InFiles::unless_default);
  }
};

/// An operation of several outputs: `heads` and `scale` are as old as it is, all others came later.
struct Heads {
  static constexpr std::string_view name = "heads";
  static constexpr bool keeps_type = false;
  std::vector<Head> heads;
  double scale = 1;
  std::int64_t step = 3;
  double bound = 0.1;
  bool sorted = true;
  Activation activation = Activation::relu;
  ConstantPtr offsets;
  std::vector<Head> more;

  static void visit_attributes(auto& self, auto& visit) {
    visit.parts("heads", self.heads, 1, 3);
    visit.real("scale", self.scale, 0, 8);
    visit.integer("step", self.step, 1, 9, InFiles::unless_default);
    visit.real("bound", self.bound, 0, 1, InFiles::unless_default);
    visit.boolean("sorted", self.sorted, InFiles::unless_default);
    visit.activation("activation", self.activation, InFiles::unless_default);
    visit.constant("offsets", self.offsets, true, InFiles::unless_default);
    visit.parts("more", self.more, 0, 2, InFiles::unless_default);
  }
  Arity arity() const { return {1, 1}; }
  Reads reads(std::size_t, std::size_t) const { return Reads::all; }
  void check(const NodeCheck&) const {}
  std::size_t outputs() const { return heads.size(); }
  std::vector<Extent> extents(const InputExtents& in) const { return std::vector<Extent>(heads.size(), in[0]); }
  double flops(const InputExtents&, std::span<const Extent> out) const { return static_cast<double>(out.size()); }
  std::string text() const { return ""; }
};

/// One that says what a single output is beside what several are: which of the two would count?
struct OneAndSeveral : Heads {
  Extent extent(const InputExtents& in) const { return in[0]; }
  using Heads::flops;
  double flops(const InputExtents&, const Extent&) const { return 0; }
};

/// One that does not say how many values it makes.
struct Uncounted : Activate {
  std::vector<Extent> extents(const InputExtents& in) const { return {in[0], in[0]}; }
  Extent extent(const InputExtents&) const = delete;
};

static_assert(Op<Heads> && MakesSeveral<Heads> && !MakesOne<Heads>);
static_assert(Op<Activate> && MakesOne<Activate> && !MakesSeveral<Activate>);
static_assert(!Op<OneAndSeveral> && !Op<Uncounted>);

ConstantPtr constant(const std::string& name) { return make_constant(name, {1}, {1}); }

Heads plain() {
  Heads op;
  op.heads = {{constant("a"), nullptr}, {constant("b"), constant("c")}};
  return op;
}

std::string written(const Heads& op) { return with_attributes(op, nlohmann::ordered_json{{"name", "x"}}).dump(); }

const std::string old_file =
    R"({"name":"x","heads":[{"weight":"a","bias":null},{"weight":"b","bias":"c"}],"scale":1.0})";

Heads read(const std::string& text) {
  const auto object = nlohmann::json::parse(text);
  const NodeReader::FindConstant find = [](const std::string& name) { return name == "?" ? nullptr : constant(name); };
  NodeReader reader(object, 0, find);
  Heads op;
  Heads::visit_attributes(op, reader);
  reader.expect_nothing_else();
  return op;
}

std::string read_error(const std::string& text) {
  try {
    read(text);
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

std::string check_error(const Heads& op) {
  const Node node{"x", Activate{}, {}, {}};
  try {
    AttributeCheck visitor{NodeCheck(node)};
    Heads::visit_attributes(op, visitor);
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

}  // namespace

TEST_CASE("files older than an attribute are read with its default and written as they were") {
  CHECK(written(plain()) == old_file);
  const Heads again = read(old_file);
  CHECK(again.step == 3);
  CHECK(again.bound == 0.1);
  CHECK(again.sorted);
  CHECK(again.activation == Activation::relu);
  CHECK(again.offsets == nullptr);
  CHECK(again.more.empty());
  CHECK(again.heads[1].activation == Activation::none);
  CHECK(written(again) == old_file);
}

TEST_CASE("a later attribute that is not its default is written and read again") {
  Heads op = plain();
  SECTION("integer") { op.step = 4; }
  SECTION("real") { op.bound = 0.25; }
  SECTION("boolean") { op.sorted = false; }
  SECTION("activation") { op.activation = Activation::none; }
  SECTION("constant") { op.offsets = constant("o"); }
  SECTION("parts") { op.more = {{constant("d"), nullptr}}; }
  SECTION("a part's") { op.heads[0].activation = Activation::sigmoid; }
  const std::string text = written(op);
  CHECK(text != old_file);
  CHECK(text.size() < old_file.size() + 64);  // nothing but that attribute came
  CHECK(written(read(text)) == text);
}

TEST_CASE("an attribute that files always have is asked for, and later ones are checked where they are there") {
  using nlohmann::json;
  const auto error_with = [](const char* key, const json& value) {
    json object = json::parse(old_file);
    object[key] = value;
    return read_error(object.dump());
  };
  json without = json::parse(old_file);
  without.erase("scale");
  CHECK(read_error(without.dump()) == "graph: node x: expected \"scale\", found none");
  CHECK_THAT(error_with("step", 10), Catch::Contains("expected step from 1 to 9, found 10"));
  CHECK_THAT(error_with("sorted", 1), Catch::Contains("true or false"));
  CHECK_THAT(error_with("other", 1), Catch::Contains("found \"other\""));
}

TEST_CASE("a list of parts says which part of which node is wrong") {
  using nlohmann::json;
  const auto error_with = [](const json& heads) {
    json object = json::parse(old_file);
    object["heads"] = heads;
    return read_error(object.dump());
  };
  const json good{{"weight", "a"}, {"bias", nullptr}};
  CHECK(error_with({good, good, good}).empty());
  CHECK(error_with({good, {{"bias", nullptr}}}) == "graph: node x: heads 1: expected \"weight\", found none");
  CHECK(error_with({{{"weight", "?"}, {"bias", nullptr}}}) ==
        "graph: node x: heads 0: expected weight to name a tensor of the file, found ?");
  CHECK_THAT(error_with({{{"weight", "a"}, {"bias", nullptr}, {"x", 1}}}), Catch::Contains("heads 0: expected only"));
  CHECK_THAT(error_with({5}), Catch::Contains("heads 0: expected an object"));
  CHECK_THAT(error_with(good), Catch::Contains("expected heads to be a list"));
  CHECK_THAT(error_with(json::array()), Catch::Contains("expected from 1 to 3 heads, found 0"));
  CHECK_THAT(error_with({good, good, good, good}), Catch::Contains("expected from 1 to 3 heads, found 4"));
}

TEST_CASE("constants and bounds of parts are the operation's") {
  ConstantCollector collector;
  Heads op = plain();
  op.offsets = constant("o");
  Heads::visit_attributes(op, collector);
  std::string names;
  for (const ConstantPtr& found : collector.found) names += found->name();
  CHECK(names == "abco");

  CHECK(check_error(op).empty());
  op.heads[1].weight = nullptr;
  CHECK_THAT(check_error(op), Catch::Contains("expected a weight, found none"));
  op.heads.clear();
  CHECK_THAT(check_error(op), Catch::Contains("expected from 1 to 3 heads, found 0"));
}
