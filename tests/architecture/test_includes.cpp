// Includes go down, from layer to layer: the whole source tree against the table in layers.cpp, and the checker against
// planted trees.
#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>

#include "layers.h"
#include "support/files.h"

using namespace maskrt::testing;
namespace fs = std::filesystem;

namespace {

/// High may include low; of high's folders, a and b stay apart, and c may include a.
const IncludeRules rules = {{{"low", {"low/*"}, {}}, {"device", {"high/*.cu"}, {}}, {"high", {"high/*"}, {"low"}}},
                            {{"high", {"shared"}, {{"c", "a"}}}},
                            {"", "low/include"},
                            {"low/*"},
                            {"build*"}};

/// A tree with files of every pattern, and with includes that are allowed.
class Tree {
 public:
  Tree() {
    add("low/include/maskrt/types.hpp", "#pragma once\n#include <vector>\n");
    add("low/x.h", "#include \"maskrt/types.hpp\"\n#include \"low/x.h\"\n");
    add("high/a/a.h", "#include \"low/x.h\"\n#include <maskrt/types.hpp>\n#include <low/nothing.h>\n");
    add("high/b/b.cpp", "#include \"b.h\"\n#include \"high/shared/s.h\"\n");
    add("high/b/b.h", "// #include \"high/a/a.h\"\n");
    add("high/c/c.cpp", "#include \"high/a/a.h\"\n");
    add("high/shared/s.h", "");
    add("high/k.cu", "");
    add("build/generated.cpp", "#include \"nowhere.h\"\n");
  }
  void add(const std::string& path, const std::string& text) {
    fs::create_directories((folder_ / path).parent_path());
    write_text(folder_ / path, text);
  }
  std::vector<std::string> violations(const IncludeRules& by = rules) const {
    return include_violations(folder_.path(), by);
  }

 private:
  TemporaryFolder folder_;
};

void check_one(const std::vector<std::string>& found, const std::string& wanted) {
  INFO("found " << found.size());
  REQUIRE(found.size() == 1);
  CHECK(found.front() == wanted);
}

}  // namespace

TEST_CASE("includes go down in the whole project") {
  for (const std::string& violation : include_violations(MASKRT_SOURCE, project_rules())) FAIL_CHECK(violation);
}

TEST_CASE("the table of layers has no way round") {
  for (const std::string& fault : table_faults(project_rules().layers)) FAIL_CHECK(fault);
}

TEST_CASE("includes that are allowed are no violations") { CHECK(Tree().violations().empty()); }

TEST_CASE("an include that goes up is found with its file and line") {
  Tree tree;
  tree.add("low/y.cpp", "// Low.\n#include \"x.h\"\n  #  include \"high/a/a.h\"  // why not\n");
  check_one(tree.violations(), "low/y.cpp:3: low may include nothing, found high/a/a.h of high");
}

TEST_CASE("angles and the first pattern of a file count") {
  Tree tree;
  tree.add("high/k.cu", "#include <maskrt/types.hpp>\n");
  check_one(tree.violations(), "high/k.cu:1: device may include nothing, found low/include/maskrt/types.hpp of low");
}

TEST_CASE("an include that is spelled otherwise is found") {
  Tree tree;
  SECTION("by ..") {
    tree.add("high/b/b.h", "#include \"../shared/s.h\"\n");
    check_one(tree.violations(), "high/b/b.h:1: expected a path from a root, found \"../shared/s.h\"");
  }
  SECTION("from the folder above it") {
    tree.add("high/h.h", "#include \"shared/s.h\"\n");
    check_one(tree.violations(), "high/h.h:1: expected a path from a root, found \"shared/s.h\"");
  }
  SECTION("a file beside it by its path") {
    tree.add("high/b/b.cpp", "#include \"high/b/b.h\"\n");
    check_one(tree.violations(), "high/b/b.cpp:1: expected a file beside it by its name, found \"high/b/b.h\"");
  }
  SECTION("by .., where it goes up as well") {
    tree.add("low/y.h", "#include \"../high/a/a.h\"\n");
    CHECK(tree.violations() ==
          std::vector<std::string>{"low/y.h:1: expected a path from a root, found \"../high/a/a.h\"",
                                   "low/y.h:1: low may include nothing, found high/a/a.h of high"});
  }
}

TEST_CASE("folders beside each other do not include one another, but as the exceptions say") {
  Tree tree;
  tree.add("high/a/up.cpp", "#include \"high/c/c.cpp\"\n");
  check_one(tree.violations(),
            "high/a/up.cpp:1: high/a may include of the folders beside it shared, found high/c/c.cpp");
}

TEST_CASE("files without a layer, includes without a file and patterns without files are told") {
  SECTION("no layer") {
    Tree tree;
    tree.add("other/z.h", "");
    check_one(tree.violations(), "other/z.h: expected a file of one of the layers, found none for it");
  }
  SECTION("no file") {
    Tree tree;
    tree.add("high/b/b.h", "\n#include \"gone.h\"\n");
    check_one(tree.violations(), "high/b/b.h:2: expected an include of a file of this tree, found \"gone.h\"");
  }
  SECTION("no files of a pattern") {
    IncludeRules more = rules;
    more.layers[0].files.push_back("low/*.cu");
    check_one(Tree().violations(more), "layer low: expected files of low/*.cu, found none");
  }
}

TEST_CASE("a table with a way round, an unknown name or a name twice is told") {
  std::vector<Layer> layers = {{"a", {}, {"b"}}, {"b", {}, {"c"}}, {"c", {}, {}}};
  CHECK(table_faults(layers).empty());
  layers[2].may_include = {"a"};
  CHECK(table_faults(layers).size() == 3);
  CHECK(table_faults(layers).front() == "layer a: expected includes to go down, found a way back to it");
  layers[2].may_include = {"d"};
  check_one(table_faults(layers), "layer c: expected to include layers of the table, found d");
  layers[2] = {"a", {}, {}};
  CHECK_THAT(table_faults(layers).front(), Catch::Contains("expected each name once"));
}
