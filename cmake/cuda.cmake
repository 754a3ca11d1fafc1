# Where the CUDA toolkit is: its compiler, and the driver's header. Nothing of it is linked and nothing is fetched here;
# `make` puts NVIDIA's wheels under build/cuda-toolkit where the machine has no toolkit (docs/dependencies.md).

set(MASKRT_CUDA_HOME "" CACHE PATH "The CUDA toolkit; empty: CUDA_HOME, nvcc on the PATH, /usr/local/cuda, build/cuda-toolkit")
set(MASKRT_CUDA_ARCHITECTURES "75;80;86;89;90a;120" CACHE STRING
  "Architectures that machine code is built for; PTX for 75, 80 and 90a always travels along")
set(MASKRT_CUDA_VERSION 13.0)

if(MASKRT_CUDA_HOME)
  find_program(MASKRT_NVCC nvcc PATHS ${MASKRT_CUDA_HOME}/bin NO_DEFAULT_PATH NO_CACHE)
else()
  find_program(MASKRT_NVCC nvcc HINTS $ENV{CUDA_HOME}/bin
    PATHS /usr/local/cuda/bin ${PROJECT_SOURCE_DIR}/build/cuda-toolkit/nvidia/cu13/bin NO_CACHE)
endif()
if(NOT MASKRT_NVCC)
  message(FATAL_ERROR "CUDA: expected nvcc ${MASKRT_CUDA_VERSION} or newer in MASKRT_CUDA_HOME, in CUDA_HOME, on the PATH or "
    "in /usr/local/cuda, found none; `make` installs it, -DMASKRT_CUDA=OFF builds without")
endif()
execute_process(COMMAND ${MASKRT_NVCC} --version OUTPUT_VARIABLE maskrt_nvcc_says COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCH "release ([0-9.]+)" _ "${maskrt_nvcc_says}")
if(NOT CMAKE_MATCH_1 OR CMAKE_MATCH_1 VERSION_LESS MASKRT_CUDA_VERSION)
  message(FATAL_ERROR "CUDA: expected nvcc ${MASKRT_CUDA_VERSION} or newer, found ${CMAKE_MATCH_1} in ${MASKRT_NVCC}; "
    "-DMASKRT_CUDA_HOME names another toolkit, -DMASKRT_CUDA=OFF builds without")
endif()

# The toolkit's layout differs between NVIDIA's packages: the header lies beside bin/ or among the targets.
file(REAL_PATH ${MASKRT_NVCC} maskrt_nvcc_file)
cmake_path(GET maskrt_nvcc_file PARENT_PATH maskrt_cuda_bin)
set(maskrt_cuda_targets ${maskrt_cuda_bin}/../targets)
find_path(MASKRT_CUDA_INCLUDE cuda.h NO_DEFAULT_PATH NO_CACHE REQUIRED PATHS ${maskrt_cuda_bin}/../include
  ${maskrt_cuda_targets}/x86_64-linux/include ${maskrt_cuda_targets}/sbsa-linux/include)

# Machine code is made by the assembler of CUDA 12.9: drivers of CUDA 12 load it, those of 13 do, too, and what the
# assembler of 13 makes has another format (ELF ABI 8), which only drivers of 13 load.
set(MASKRT_PTXAS "" CACHE FILEPATH "ptxas of CUDA 12.9, for machine code; empty: build/cuda-assembler, else the toolkit's own")
if(MASKRT_PTXAS)
  set(MASKRT_PTXAS_USED ${MASKRT_PTXAS})
else()
  find_program(MASKRT_PTXAS_USED ptxas NO_DEFAULT_PATH NO_CACHE
    PATHS ${PROJECT_SOURCE_DIR}/build/cuda-assembler/nvidia/cuda_nvcc/bin ${maskrt_cuda_bin})
endif()
execute_process(COMMAND ${MASKRT_PTXAS_USED} --version OUTPUT_VARIABLE maskrt_ptxas_says RESULT_VARIABLE maskrt_status
  ERROR_QUIET)
string(REGEX MATCH "release ([0-9.]+)" _ "${maskrt_ptxas_says}")
set(MASKRT_PTXAS_VERSION "${CMAKE_MATCH_1}")
if(NOT maskrt_status EQUAL 0 OR NOT MASKRT_PTXAS_VERSION OR MASKRT_PTXAS_VERSION VERSION_LESS 12.9)
  message(FATAL_ERROR "CUDA: expected ptxas 12.9 or newer in MASKRT_PTXAS, found ${MASKRT_PTXAS_USED} "
    "(${MASKRT_PTXAS_VERSION})")
elseif(MASKRT_PTXAS_VERSION VERSION_GREATER_EQUAL 13)
  message(WARNING "CUDA: machine code is made by ptxas ${MASKRT_PTXAS_VERSION} (${MASKRT_PTXAS_USED}), and drivers older "
    "than CUDA 13 cannot load it: they compile the PTX instead, minutes at the first start. `make` installs "
    "ptxas 12.9, whose machine code all drivers load; -DMASKRT_PTXAS names one")
endif()

# File names of the toolkit's headers in debug information, and what stands for their folder there.
set(MASKRT_CUDA_PREFIXES "${maskrt_cuda_bin}/../=cuda/,${MASKRT_CUDA_INCLUDE}/=cuda/include/")
cmake_path(GET MASKRT_NVCC PARENT_PATH maskrt_nvcc_folder)
string(APPEND MASKRT_CUDA_PREFIXES ",${maskrt_nvcc_folder}/../=cuda/")

# The driver's types and constants. The driver itself is opened at run time.
add_library(maskrt_cuda_headers INTERFACE)
target_include_directories(maskrt_cuda_headers SYSTEM INTERFACE ${MASKRT_CUDA_INCLUDE})

include(${CMAKE_CURRENT_LIST_DIR}/cuda_kernels.cmake)
