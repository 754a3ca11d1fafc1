# cmake -DOUTPUT=PATH -DSPILLS_ALLOWED=BOOL -P compile_cuda.cmake -- nvcc ...: compiles device code into PATH.fatbin, keeps
# what ptxas says in PATH.ptxas.txt, and fails on what would make kernels slow without anybody noticing.

set(command "")
set(found FALSE)
math(EXPR last "${CMAKE_ARGC} - 1")
foreach(i RANGE ${last})
  if(found)
    list(APPEND command "${CMAKE_ARGV${i}}")
  elseif(CMAKE_ARGV${i} STREQUAL "--")
    set(found TRUE)
  endif()
endforeach()

execute_process(COMMAND ${command} RESULT_VARIABLE status OUTPUT_VARIABLE said ERROR_VARIABLE said)
file(WRITE ${OUTPUT}.ptxas.txt "${said}")

# What is no report on a function is the compiler's word to the programmer.
string(REGEX REPLACE "ptxas info *: (Compiling|Function properties|Used|Compile time|[0-9]+ bytes gmem)[^\n]*\n" "" words "${said}")
string(REGEX REPLACE " *[0-9]+ bytes stack frame[^\n]*\n" "" words "${words}")
if(words)
  message("${words}")
endif()
if(NOT status EQUAL 0)
  file(REMOVE ${OUTPUT}.fatbin)
  message(FATAL_ERROR "device code: nvcc ended with status ${status}")
endif()

# C7500 to C7520: wgmma that waits for the one before it.
string(REGEX MATCH "[^\n]*\\(C75(0[0-9]|1[0-9]|20)\\)[^\n]*" advisory "${said}")
if(advisory)
  file(REMOVE ${OUTPUT}.fatbin)
  message(FATAL_ERROR "device code: expected no wgmma in series, found: ${advisory}")
endif()

string(REGEX MATCH "Function properties for ([^\n]*)\n *[0-9]+ bytes stack frame, ([1-9][^\n]*|0 bytes spill stores, [1-9][^\n]*)"
  spill "${said}")
if(spill AND NOT SPILLS_ALLOWED)
  file(REMOVE ${OUTPUT}.fatbin)
  message(FATAL_ERROR "device code: expected no spilled registers, found ${CMAKE_MATCH_2} in ${CMAKE_MATCH_1}; "
    "all figures are in ${OUTPUT}.ptxas.txt")
endif()
