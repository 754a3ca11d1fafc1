// This project's layers, lowest first: docs/architecture.md has them in words.
#pragma once

#include "include_checker.h"

namespace maskrt::testing {

IncludeRules project_rules();

}  // namespace maskrt::testing
