// Which commit the command was built from.
#pragma once

namespace maskrt::cli {

/// "978c94f", with "+changes" where files differed from it; "unknown" where it was built outside of a repository.
const char* commit();

}  // namespace maskrt::cli
