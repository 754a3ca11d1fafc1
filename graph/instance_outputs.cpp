#include "instance_outputs.h"

#include <string>

#include "print.h"

namespace maskrt::graph {
namespace {

[[noreturn]] void refuse(const char* name, const std::string& expected, const Extent& found) {
  throw Error(std::string("output ") + name + ": expected " + expected + ", found a " +
              (found.list ? "list " : "map ") + to_text(found));
}

}  // namespace

void check_instance_outputs(const std::function<const Extent*(const char* name)>& output) {
  const auto find = [&](const char* name) -> const Extent& {
    const Extent* const extent = output(name);
    if (extent == nullptr)
      throw Error(
          std::string("graph: expected the outputs class_logits, objectness_logits and mask_logits, found no ") + name);
    return *extent;
  };
  const Extent &classes = find("class_logits"), &objectness = find("objectness_logits"), &masks = find("mask_logits");
  if (!classes.list) refuse("class_logits", "a list of the queries' class logits", classes);
  const std::string queries = std::to_string(classes.height);
  if (!objectness.list || objectness.batch != classes.batch || objectness.height != classes.height ||
      objectness.channels != 1)
    refuse("objectness_logits", "a list with one number for each of the " + queries + " queries of class_logits",
           objectness);
  if (masks.list || masks.batch != classes.batch || masks.channels != classes.height)
    refuse("mask_logits", "a map with a channel for each of the " + queries + " queries of class_logits", masks);
}

}  // namespace maskrt::graph
