# cmake -DSOURCE=DIR -DGIVEN=TEXT -DFILE=PATH -P write_commit.cmake: writes the commit that DIR is at into a C++ file, which
# stays untouched while the commit is the same. GIVEN, where not empty, is taken instead: for packages built without git.

set(commit "${GIVEN}")
if(NOT commit)
  execute_process(COMMAND git -C ${SOURCE} rev-parse --show-toplevel OUTPUT_VARIABLE top ERROR_QUIET
    OUTPUT_STRIP_TRAILING_WHITESPACE)
  file(REAL_PATH ${SOURCE} source)
  if(top STREQUAL source)  # not a folder inside of somebody else's repository
    execute_process(COMMAND git -C ${SOURCE} describe --always --abbrev=7 --match= --dirty=+changes
      OUTPUT_VARIABLE commit ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE)
  endif()
endif()
if(NOT commit)
  set(commit unknown)
endif()
set(text "#include \"commit.h\"\n\nnamespace maskrt::cli {\n\nconst char* commit() { return \"${commit}\"; }\n\n}  // namespace maskrt::cli\n")
if(EXISTS ${FILE})
  file(READ ${FILE} old)
endif()
if(NOT "${old}" STREQUAL "${text}")
  file(WRITE ${FILE} "${text}")
endif()
