# cmake -DLIBRARY=libmaskrt.so -DMOST_BYTES=N -DPREFIX=DIR -DFOLDERS=DIR;... -P check_sizes.cmake: the library has at most so
# many bytes, exports nothing of the libraries that are linked into it, and no installed library or program has the name of one
# of the build machine's folders in it.
file(REAL_PATH ${LIBRARY} library)
file(SIZE ${library} bytes)
message("${LIBRARY}: ${bytes} bytes")
if(bytes GREATER MOST_BYTES)
  message(SEND_ERROR "${LIBRARY}: expected at most ${MOST_BYTES} bytes, found ${bytes}")
endif()
foreach(folder IN LISTS FOLDERS)
  execute_process(COMMAND grep -rlF ${folder} ${PREFIX}/bin ${PREFIX}/lib --include=*.so* --include=maskrt*
    OUTPUT_VARIABLE files)
  if(NOT files STREQUAL "")
    message(SEND_ERROR "expected no path of the build machine in what is installed, found ${folder} in ${files}")
  endif()
endforeach()
execute_process(COMMAND nm -D --defined-only ${library} OUTPUT_VARIABLE exported COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCH "[^\n]* (ZSTD|HUF|FSE|XXH)_[^\n]*" foreign "${exported}")
if(foreign)
  message(SEND_ERROR "${LIBRARY}: expected no symbols of other libraries among those that it exports, found ${foreign}")
endif()
