# Precompiled headers for the libraries, of the build that sanitizers and fuzzers share. Others go without, and tell where
# an include is missing. GCC 12 with -O3 warns of std::string, falsely, where it is precompiled.
set(header ${PROJECT_SOURCE_DIR}/cmake/precompiled.h)
file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/precompiled.cpp CONTENT "")

# Precompiled headers serve sources that are compiled with the same options: hence one for OpenMP.
foreach(options "" _openmp)
  add_library(maskrt_precompiled${options} OBJECT ${PROJECT_BINARY_DIR}/precompiled.cpp)
  target_compile_features(maskrt_precompiled${options} PRIVATE cxx_std_20)
  target_precompile_headers(maskrt_precompiled${options} PRIVATE ${header})
endforeach()
target_link_libraries(maskrt_precompiled_openmp PRIVATE OpenMP::OpenMP_CXX)

foreach(library maskrt_checkpoint maskrt_cli_parts maskrt_coco maskrt_graph maskrt_image maskrt_kernels_ref
    maskrt_label_maps maskrt_mask maskrt_png_areas maskrt_runtime maskrt_weights)
  target_precompile_headers(${library} REUSE_FROM maskrt_precompiled)
endforeach()
foreach(library maskrt_cpu_device maskrt_kernels_cpu)
  target_precompile_headers(${library} REUSE_FROM maskrt_precompiled_openmp)
endforeach()
