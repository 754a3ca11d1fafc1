// What stands before the network's names in a checkpoint.
#include <catch2/catch.hpp>
#include <set>
#include <string>
#include <vector>

#include "maskrt/types.hpp"
#include "weights_tools/checkpoint_names.h"

namespace maskrt::weights {
namespace {

using Catch::Matchers::Contains;
using Names = std::vector<std::string>;

const std::set<std::string> kNetwork = {"backbone.stem.conv1.weight", "encoder.fusion.bias", "decoder.scale"};

// The network's names with `before` in front of each.
Names under(const std::string& before) {
  Names names;
  for (const auto& name : kNetwork) names.push_back(before + name);
  return names;
}

Names operator+(Names left, const Names& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

AlignedNames align(const Names& names, const std::optional<std::string>& prefix = {}) {
  return align_names(names, kNetwork, prefix);
}

// Whether each of the network's names stands for the one with `before` in front.
bool stands_for(const AlignedNames& aligned, const std::string& before) {
  for (const auto& name : kNetwork) {
    const auto found = aligned.in_file.find(name);
    if (found == aligned.in_file.end() || found->second != before + name) return false;
  }
  return true;
}

}  // namespace

TEST_CASE("any prefix that all names share is taken off, and named") {
  CHECK(stands_for(align(under("")), ""));
  CHECK(align(under("")).report == "");
  for (const std::string prefix : {"module.", "_orig_mod.", "model.", "module.module.", "module._orig_mod.model.",
                                   "model._orig_mod.", "lit.net.student.", "_orig_mod.model.module."}) {
    INFO(prefix);
    CHECK(stands_for(align(under(prefix)), prefix));
    CHECK(align(under(prefix)).report == "took '" + prefix + "' off all names");
  }
}

TEST_CASE("wrappers inside of names are taken out") {
  const auto aligned = align({"backbone._orig_mod.stem.conv1.weight", "encoder.fusion.bias", "decoder.module.scale"});
  CHECK(aligned.in_file.at("backbone.stem.conv1.weight") == "backbone._orig_mod.stem.conv1.weight");
  CHECK(aligned.in_file.at("decoder.scale") == "decoder.module.scale");
  CHECK(aligned.report == "took '_orig_mod.' out of 1 name, 'module.' out of 1 name");
  // A name that ends like a wrapper is one of its own.
  CHECK(align_names({"x.module"}, {"x.module"}, {}).in_file.contains("x.module"));
}

TEST_CASE("prefixes of some names, and names of other things") {
  const auto some = align({"module.backbone.stem.conv1.weight", "module.module.encoder.fusion.bias", "decoder.scale"});
  CHECK(some.in_file.size() == 3);
  CHECK(some.report == "took 'module.' off 1 name, 'module.module.' off 1 name");

  const auto lightning = align(under("model.") + Names{"criterion.weight", "metric.backbone.total"});
  CHECK(stands_for(lightning, "model."));
  CHECK(lightning.in_file.size() == 3);
  CHECK(lightning.report == "took 'model.' off all names");

  // Most of the network's names decide, whatever the file has more of.
  const auto partly = align(under("model.") + Names{"pretrained.decoder.scale", "pretrained.a", "pretrained.b", "c.d"});
  CHECK(stands_for(partly, "model."));
  // Names beside those that are in the network go with them.
  CHECK(align(under("model.") + Names{"model.extra"}).in_file.at("extra") == "model.extra");
  // Nothing of the network at all.
  CHECK(align({"a.b", "c"}).in_file == std::map<std::string, std::string>{{"a.b", "a.b"}, {"c", "c"}});
}

TEST_CASE("two networks in one checkpoint") {
  const auto both = under("model.") + under("ema_model.");
  CHECK_THROWS_WITH(align(both), Contains("'ema_model.' (3 names), 'model.' (3 names)") && Contains("--prefix"));
  CHECK(stands_for(align(both, "model."), "model."));
  CHECK(stands_for(align(both, "ema_model"), "ema_model."));
  CHECK_THAT(align(both, "model").report, Contains("took 'model.' off all names") && Contains("'ema_model.'"));
  CHECK_THROWS_WITH(align(both, "teacher."),
                    Contains("--prefix teacher.: expected a prefix of the network's names") && Contains("'model.'"));
  CHECK_THROWS_WITH(align({"x"}, "model."), Contains("found none of the network's names"));

  // The plain names are the network's own.
  const auto plain = under("") + under("ema.");
  CHECK(stands_for(align(plain), ""));
  CHECK_THAT(align(plain).report, Contains("the same names are under 'ema.' (3 names)"));
  CHECK(stands_for(align(plain, "ema"), "ema."));
  CHECK(stands_for(align(plain, ""), ""));

  CHECK_THROWS_WITH(align(under("") + Names{"module.decoder.scale"}),
                    Contains("tensor decoder.scale: expected it once, found it as 'decoder.scale' and "
                             "'module.decoder.scale'"));
  CHECK_NOTHROW(align(under("") + Names{"module.other", "other"}));
}

TEST_CASE("names that nobody would write take no time") {
  const std::string dots(1 << 20, '.');
  CHECK(align({dots, dots + "decoder.scale", "", "."}).in_file.size() == 1);
}

}  // namespace maskrt::weights
