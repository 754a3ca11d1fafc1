# cmake -DOUTPUT=PATH -DTARGETS=LEVEL[:CHIP...],... -DPTXAS=PTXAS -DPACK=PROGRAM -DPREFIXES=FOLDER=NAME,...
#   -DSPILLS_ALLOWED=BOOL -P compile_cuda.cmake -- nvcc ... SOURCE
#
# Compiles device code into the archive PATH.images. nvcc makes PTX for each level (75, 80, 90a), PATH.sm_LEVEL.ptx, and
# PTXAS makes machine code of it for each chip that the level names. What ptxas says is kept in PATH.ptxas.txt; what would
# make kernels slow without anybody noticing fails. Folders at the head of file names that debug information tells are
# replaced, so that no path of this machine reaches the archive.

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
file(REMOVE ${OUTPUT}.images)

# The oldest PTX that has the instructions of a level, since a driver reads none that is newer than itself: 8.0 is that of
# CUDA 12.0, and 8.1, of CUDA 12.1, is the first whose assembler takes Hopper's kernels. nvcc writes its own version.
function(maskrt_ptx_version level result)
  set(${result} 8.0 PARENT_SCOPE)
  if(level STREQUAL "90a")
    set(${result} 8.1 PARENT_SCOPE)
  endif()
endfunction()

function(maskrt_run result)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE said ERROR_VARIABLE said)
  set(${result} "${said}" PARENT_SCOPE)
  set(status ${status} PARENT_SCOPE)
endfunction()

set(images "")
set(cubins "")
set(said "")
string(REGEX REPLACE ",$" "" TARGETS "${TARGETS}")
string(REPLACE "," ";" TARGETS "${TARGETS}")
string(REPLACE "," ";" PREFIXES "${PREFIXES}")
foreach(target IN LISTS TARGETS)
  string(REPLACE ":" ";" chips ${target})
  list(POP_FRONT chips level)
  set(ptx ${OUTPUT}.sm_${level}.ptx)
  maskrt_run(words ${command} -ptx -arch=compute_${level} -o ${ptx})
  if(words)
    message("${words}")
  endif()
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "device code: nvcc ended with status ${status}")
  endif()

  # Comments and indentation go as well: they are a tenth of the text. used_bytes_mask, a hint of PTX 8.3, is unknown to
  # older assemblers, which warn of it.
  file(READ ${ptx} text)
  maskrt_ptx_version(${level} version)
  string(REGEX REPLACE "(^|\n)\\.version [0-9.]+" "\\1.version ${version}" text "${text}")
  string(REGEX REPLACE "\n[ \t]*\\.pragma[ \t]+\"used_bytes_mask[^\n]*" "" text "${text}")
  string(REGEX REPLACE "(^|\n)[ \t]*//[^\n]*" "\\1" text "${text}")
  string(REGEX REPLACE "\n[ \t\n]+" "\n" text "\n${text}")
  foreach(prefix IN LISTS PREFIXES)
    string(REGEX MATCH "^([^=]*)=(.*)$" _ "${prefix}")
    string(REPLACE "\"${CMAKE_MATCH_1}" "\"${CMAKE_MATCH_2}" text "${text}")
  endforeach()
  file(WRITE ${ptx} "${text}")
  list(APPEND images ptx:${level}:${ptx})

  foreach(chip IN LISTS chips)
    set(cubin ${OUTPUT}.sm_${chip}.cubin)
    maskrt_run(words ${PTXAS} -arch=sm_${chip} -O3 -v -lineinfo ${ptx} -o ${cubin})
    string(APPEND said "${words}")
    if(NOT status EQUAL 0)
      message(FATAL_ERROR "device code: ptxas ended with status ${status}: ${words}")
    endif()
    list(APPEND images elf:${chip}:${cubin})
    list(APPEND cubins ${cubin})
  endforeach()
endforeach()
file(WRITE ${OUTPUT}.ptxas.txt "${said}")

# What is no report on a function is the assembler's word to the programmer.
string(REGEX REPLACE "ptxas info *: (Compiling|Function properties|Used|Compile time|[0-9]+ bytes gmem)[^\n]*\n" "" words "${said}")
string(REGEX REPLACE " *[0-9]+ bytes stack frame[^\n]*\n" "" words "${words}")
if(words)
  message("${words}")
endif()

# C7500 to C7520: wgmma that waits for the one before it.
string(REGEX MATCH "[^\n]*\\(C75(0[0-9]|1[0-9]|20)\\)[^\n]*" advisory "${said}")
if(advisory)
  message(FATAL_ERROR "device code: expected no wgmma in series, found: ${advisory}")
endif()

string(REGEX MATCH "Function properties for ([^\n]*)\n *[0-9]+ bytes stack frame, ([1-9][^\n]*|0 bytes spill stores, [1-9][^\n]*)"
  spill "${said}")
if(spill AND NOT SPILLS_ALLOWED)
  message(FATAL_ERROR "device code: expected no spilled registers, found ${CMAKE_MATCH_2} in ${CMAKE_MATCH_1}; "
    "all figures are in ${OUTPUT}.ptxas.txt")
endif()

maskrt_run(words ${PACK} ${OUTPUT}.images ${images})
if(cubins)
  file(REMOVE ${cubins})
endif()
if(NOT status EQUAL 0)
  file(REMOVE ${OUTPUT}.images)
  message(FATAL_ERROR "device code: ${words}")
endif()
