// Suggestions for misspelt commands and options.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace maskrt::cli {

/// "expected a command, found 'rnu': did you mean run?", or the same of an option, of the first word that `app` could
/// not place when it parsed; "" where there was none.
std::string misspelled(const CLI::App& app);

}  // namespace maskrt::cli
