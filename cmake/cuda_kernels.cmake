# Device code: one archive of images a .cu file, carried by a library.

# The newest of the virtual architectures `levels` that the architecture `chip` runs; empty where it runs none.
# 90a is Hopper alone: no other chip runs its PTX.
function(maskrt_cuda_level_for chip levels result)
  set(best "")
  string(REGEX REPLACE "[a-z]$" "" chip_number ${chip})
  foreach(level IN LISTS levels)
    string(REGEX REPLACE "[a-z]$" "" number ${level})
    if(level STREQUAL chip)
      set(best ${level})
      break()
    elseif(level STREQUAL number AND NOT number GREATER chip_number)
      set(best ${level})  # levels ascend
    endif()
  endforeach()
  set(${result} ${best} PARENT_SCOPE)
endfunction()

# maskrt_cuda_kernels(library SOURCES a.cu ... [PTX level...] [SASS architecture...] [SPILLS_ALLOWED])
#
# Compiles each file, device code only, into an archive of images (kernels/cuda/image_archive.h) that `library` carries under
# the file's path below this folder, without its ending and without the folders cuda/device, in which a family with rooms
# keeps its device code: "pool/max_pool", and "conv/conv_ffma" for conv/cuda/device/conv_ffma.cu. Every file has
#   PTX with line information for each of PTX (in ascending order; by default 75 80 90a);
#   SASS for those of MASKRT_CUDA_ARCHITECTURES that run one of these levels, compiled from the highest they run, and,
#   where SASS is given, that it names.
# The build fails on spilled registers, unless SPILLS_ALLOWED stands there, and on ptxas's advisories that wgmma runs one
# by one. Beside the archive lie the PTX, NAME.sm_LEVEL.ptx, and what ptxas said, NAME.ptxas.txt.
# Call it as often as needed, and at the end maskrt_embed_cuda_kernels(library).
function(maskrt_cuda_kernels library)
  cmake_parse_arguments(arg "SPILLS_ALLOWED" "" "SOURCES;PTX;SASS" ${ARGN})
  if(arg_UNPARSED_ARGUMENTS OR NOT arg_SOURCES)
    message(FATAL_ERROR "maskrt_cuda_kernels(${library}): expected SOURCES, found ${ARGN}")
  endif()
  if(NOT arg_PTX)
    set(arg_PTX 75 80 90a)
  endif()

  foreach(level IN LISTS arg_PTX)
    set(chips_${level} "")
  endforeach()
  foreach(chip IN LISTS MASKRT_CUDA_ARCHITECTURES)
    maskrt_cuda_level_for(${chip} "${arg_PTX}" level)
    if(level AND (NOT arg_SASS OR chip IN_LIST arg_SASS))
      string(APPEND chips_${level} ":${chip}")
    endif()
  endforeach()
  set(targets "")
  foreach(level IN LISTS arg_PTX)
    string(APPEND targets "${level}${chips_${level}},")
  endforeach()

  set(strict $<$<BOOL:${MASKRT_WERROR}>:--Werror=all-warnings>)
  foreach(source IN LISTS arg_SOURCES)
    cmake_path(REMOVE_EXTENSION source OUTPUT_VARIABLE name)
    string(REPLACE "/cuda/device/" "/" name ${name})
    set(output ${CMAKE_CURRENT_BINARY_DIR}/device_code/${name})
    cmake_path(GET output PARENT_PATH folder)
    file(MAKE_DIRECTORY ${folder})
    set(ptx "")
    foreach(level IN LISTS arg_PTX)
      list(APPEND ptx ${output}.sm_${level}.ptx)
    endforeach()
    add_custom_command(
      OUTPUT ${output}.images
      BYPRODUCTS ${output}.ptxas.txt ${ptx}
      DEPFILE ${output}.d
      COMMAND ${CMAKE_COMMAND} -DOUTPUT=${output} -DTARGETS=${targets} -DPTXAS=${MASKRT_PTXAS_USED}
        -DPACK=$<TARGET_FILE:pack_device_code> -DSPILLS_ALLOWED=${arg_SPILLS_ALLOWED}
        "-DPREFIXES=${PROJECT_SOURCE_DIR}/=,${MASKRT_CUDA_PREFIXES}"
        -P ${PROJECT_SOURCE_DIR}/cmake/compile_cuda.cmake --
        ${MASKRT_NVCC} -ccbin ${CMAKE_CXX_COMPILER} -lineinfo -std=c++20 -O3 --expt-relaxed-constexpr ${strict}
        -MD -MF ${output}.d -MT ${output}.images
        -I ${PROJECT_SOURCE_DIR} -I ${PROJECT_SOURCE_DIR}/runtime/include ${CMAKE_CURRENT_SOURCE_DIR}/${source}
      DEPENDS ${source} ${PROJECT_SOURCE_DIR}/cmake/compile_cuda.cmake ${MASKRT_PTXAS_USED} pack_device_code
      COMMENT "Compiling device code ${name}"
      COMMAND_EXPAND_LISTS VERBATIM)
    set_property(TARGET ${library} APPEND PROPERTY MASKRT_CUDA_KERNELS ${name})
  endforeach()
endfunction()

# Puts the archives into `library` with the table that kernels/cuda/device_code.h declares. The assembler reads the files
# themselves: as C arrays they would cost minutes to compile.
function(maskrt_embed_cuda_kernels library)
  get_target_property(names ${library} MASKRT_CUDA_KERNELS)
  set(blobs "")
  set(symbols "")
  set(entries "")
  set(files "")
  set(number 0)
  foreach(name IN LISTS names)
    set(file ${CMAKE_CURRENT_BINARY_DIR}/device_code/${name}.images)
    list(APPEND files ${file})
    string(APPEND blobs "    MASKRT_DEVICE_CODE(\"${number}\", \"${file}\")\n")
    string(APPEND symbols "extern const std::byte maskrt_device_code_${number}[], maskrt_device_code_${number}_end[];\n")
    string(APPEND entries "    {\"${name}\", {maskrt_device_code_${number}, maskrt_device_code_${number}_end}},\n")
    math(EXPR number "${number} + 1")
  endforeach()
  set(table ${CMAKE_CURRENT_BINARY_DIR}/device_code/${library}_table.cpp)
  configure_file(${PROJECT_SOURCE_DIR}/cmake/device_code.cpp.in ${table} @ONLY)
  set_source_files_properties(${table} PROPERTIES OBJECT_DEPENDS "${files}")
  target_sources(${library} PRIVATE ${table})
endfunction()
