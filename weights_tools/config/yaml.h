// YAML text to values, typed as Python's loader types them. Made for text that nobody vouches for.
#pragma once

#include <string>

#include "config_value.h"

namespace maskrt::weights {

/// The one document of `text`, a mapping. Plain scalars become None, booleans, numbers or strings; a string that reads
/// as a Python literal becomes that literal, as detectron2 does. Merge keys (`<<`) and aliases are followed.
/// `source` names the text in messages. Throws Error that names the line for what is not YAML, for tags that would
/// build Python objects, and for text that is too long, too deeply nested or expands (aliases) beyond any config's
/// size.
ConfigValue parse_yaml(const std::string& text, const std::string& source);

}  // namespace maskrt::weights
