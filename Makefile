# maskrt: `make` builds, `make demo` shows it at work, `make test` checks it, `make bench` times it, `make gpu-check` does
# both on this machine's GPU.
# On Debian 12 every target first installs the packages it misses (with sudo where you are not root).

BUILD := build
PRESET := release
JOBS := $(shell nproc)
CMAKE_ARGS :=
DEMO := demo-output

# What each package is for: docs/dependencies.md.
PACKAGES := g++ cmake ninja-build nlohmann-json3-dev libxxhash-dev zlib1g-dev libdnnl-dev ocl-icd-opencl-dev libstb-dev \
  libjpeg62-turbo-dev libpng-dev libwebp-dev libtiff-dev libyaml-cpp-dev libzip-dev libcli11-dev fonts-dejavu-core \
  libharfbuzz-dev libfribidi-dev libfreetype-dev libfontconfig-dev catch2 libbenchmark-dev
CUDA_PACKAGES := libzstd-dev

# For sanitizers and fuzzers.
CLANG := clang-14 libclang-rt-14-dev libomp-14-dev

# CUDA := OFF builds without. The toolkit is the machine's own, or else NVIDIA's wheels under build/; NVCC= asks for those.
CUDA := ON
NVCC := $(firstword $(wildcard $(CUDA_HOME)/bin/nvcc) $(shell command -v nvcc) $(wildcard /usr/local/cuda/bin/nvcc))
CUDA_WHEELS := nvidia-cuda-nvcc==13.0.88 nvidia-nvvm==13.0.88 nvidia-cuda-crt==13.0.88 nvidia-cuda-runtime==13.0.96 \
  nvidia-cuda-cccl==13.0.85
CUDA_TOOLKIT := $(CURDIR)/build/cuda-toolkit
CUDA_ARGS := -DMASKRT_CUDA=$(CUDA)

# The assembler of machine code that drivers of CUDA 12 load, too: a wheel under build/, or PTXAS= names one.
ASSEMBLER_WHEEL := nvidia-cuda-nvcc-cu12
ASSEMBLER := $(CURDIR)/build/cuda-assembler
PTXAS :=
ifeq ($(CUDA),ON)
  PACKAGES += $(CUDA_PACKAGES)
  CUDA_ARGS += -DMASKRT_PTXAS=$(PTXAS)
  ifeq ($(PTXAS),)
    PACKAGES += python3-venv
    CUDA_DEPS += $(ASSEMBLER)/installed
  endif
endif
ifeq ($(CUDA)$(NVCC),ON)
  PACKAGES += python3-venv
  CUDA_ARGS += -DMASKRT_CUDA_HOME=$(CUDA_TOOLKIT)/nvidia/cu13
  CUDA_DEPS += $(CUDA_TOOLKIT)/installed
endif

.PHONY: all deps configure format check-format demo test test-full check-sanitized check-threads check-assemblers fuzz bench \
  kernel-table gpu-programs gpu-check gpu-package install clean

all: configure
	cmake --build $(BUILD) --parallel $(JOBS)

deps:
	@missing=$$(for p in $(PACKAGES); do \
	  dpkg-query -W -f '$${db:Status-Status}' $$p 2>/dev/null | grep -qx installed || echo $$p; done); \
	if [ -n "$$missing" ]; then \
	  echo "Installing" $$missing; \
	  sudo=; [ "$$(id -u)" = 0 ] || sudo=sudo; \
	  $$sudo apt-get update -qq && \
	  $$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing; \
	fi

$(CUDA_TOOLKIT)/installed: | deps
	rm -rf $(CUDA_TOOLKIT)
	python3 -m venv $(CUDA_TOOLKIT)/venv
	$(CUDA_TOOLKIT)/venv/bin/pip install --quiet --no-deps --target $(CUDA_TOOLKIT) $(CUDA_WHEELS)
	touch $@

# $(call install_ptxas,VERSION,FOLDER)
define install_ptxas
	rm -rf $(2)
	python3 -m venv $(2)/venv
	$(2)/venv/bin/pip install --quiet --no-deps --target $(2) $(ASSEMBLER_WHEEL)==$(1)
	rm -rf $(2)/venv
	touch $(2)/installed
endef

$(ASSEMBLER)/installed: | deps
	$(call install_ptxas,12.9.86,$(ASSEMBLER))

configure: deps $(CUDA_DEPS)
	cmake --preset $(PRESET) -B $(BUILD) $(CUDA_ARGS) $(CMAKE_ARGS)

# Convert the bundled checkpoint, segment the bundled pictures, evaluate, and show a table.
demo: all
	examples/demo/run.sh $(BUILD)/bin $(DEMO)

test: all
	cd $(BUILD) && ctest --output-on-failure --parallel $(JOBS)

# On every chip and with more seeds.
test-full: all
	cd $(BUILD) && ctest -C full --output-on-failure --parallel $(JOBS)

# Address and undefined-behaviour sanitizers under every test that feeds broken files to readers. Fuzzers have the same
# build: most of either is the library.
check-sanitized fuzz: PACKAGES += $(CLANG)
check-sanitized: deps
	cmake --preset sanitized
	cmake --build build-sanitized --parallel $(JOBS) --target reader_tests
	cd build-sanitized && ctest --output-on-failure --parallel $(JOBS) -L reader

# Thread sanitizer under the tests of threads, with clang's OpenMP runtime, which tells the sanitizer of its barriers.
check-threads: PACKAGES += $(CLANG)
check-threads: deps
	cmake --preset thread-sanitized
	cmake --build build-tsan --parallel $(JOBS) --target thread_tests
	cd build-tsan && ctest --output-on-failure -L threads

# Every fuzz target for SECONDS, as many at a time as there are processors (docs/testing.md).
SECONDS := 60
SEED := 1
TARGETS :=
fuzz: deps
	cmake --preset sanitized
	cmake --build build-sanitized --parallel $(JOBS) --target fuzz_programs
	tests/fuzz/fuzz build-sanitized $(SECONDS) $(SEED) $(TARGETS)

# All of our C++ and CUDA as .clang-format says; check-format names the files that are not, and fails where there are some.
# One version, since versions differ in what they write.
FORMAT := clang-format-14
SOURCES = git ls-files -z -- '*.cpp' '*.h' '*.hpp' '*.inc' '*.cu' '*.cuh' ':!tests/data'
format check-format: PACKAGES := git $(FORMAT)
format: deps
	$(SOURCES) | xargs -0 -P $(JOBS) -n 32 $(FORMAT) -i

check-format: deps
	@changed=$$($(SOURCES) | xargs -0 -P $(JOBS) -n 32 \
	  sh -c 'for file; do $(FORMAT) "$$file" | cmp -s - "$$file" || echo "$$file"; done' sh | sort); \
	if [ -n "$$changed" ]; then \
	  echo "check-format: expected files as $(FORMAT) writes them (make format), found" >&2; \
	  printf '%s\n' "$$changed" >&2; exit 1; \
	fi

# What drivers make of the PTX where they find no machine code for their chip: assembles all of it as those of CUDA 12.0, 12.1,
# 12.4 and 12.8 would, with assemblers from wheels under build/.
OLDER_ASSEMBLERS := 12.0.140 12.1.105 12.4.131 12.8.93
$(OLDER_ASSEMBLERS:%=build/assemblers/%/installed): build/assemblers/%/installed: | deps
	$(call install_ptxas,$*,$(@D))

check-assemblers: PACKAGES += python3-venv
check-assemblers: all $(OLDER_ASSEMBLERS:%=build/assemblers/%/installed)
	tests/build/check_assemblers $(BUILD)/kernels/device_code $(JOBS) \
	  $(OLDER_ASSEMBLERS:%=build/assemblers/%/nvidia/cuda_nvcc/bin/ptxas)

bench: all
	$(BUILD)/bin/maskrt-bench

# What ptxas, the virtual GPU's counters and the cost model say of every kernel and layer. No GPU takes part: it needs a
# build with CUDA and benchmarks, of which it makes the suite, the table's program and the virtual GPU; tests it needs not.
COUNTS := $(BUILD)/kernel-table
# Configs with kernels that the first network has none of; those of fp32 are counted on a small picture, in a tenth of
# the time. What follows the network is the same for all, and counted at full size with the first.
SMALL := --height 192 --width 256 --benchmark_filter=-postprocess
COUNTED := sparse_inst_r50vd_dcn_giam sparse_inst_pvt_b1_giam sparse_inst_pvt_b2_li_giam fastinst_R50_ppm-fpn_x3_640
count = MASKRT_CUDA_DRIVER=$(BUILD)/lib/libvgpu.so VGPU_CC=$(1) $(BUILD)/bin/maskrt-bench-cuda \
  --benchmark_out=$(COUNTS)/$(2).json $(3) > /dev/null
results = $(foreach network,$(1) $(COUNTED:%=$(1)-%),$(COUNTS)/$(network).json $(COUNTS)/$(network)-fp32.json)
kernel-table: configure
	@for option in MASKRT_CUDA MASKRT_BENCH; do \
	  grep -qE "^$$option:BOOL=(ON|1|TRUE|YES)$$" $(BUILD)/CMakeCache.txt || { \
	    echo "kernel-table: expected a build with $$option=ON in $(BUILD), found one without" >&2; exit 1; }; \
	done
	cmake --build $(BUILD) --parallel $(JOBS) --target maskrt-bench-cuda kernel-table vgpu
	mkdir -p $(COUNTS)
	$(call count,9.0,sm90,--batch 1 8 16)
	$(call count,9.0,sm90-fp32,--batch 1 --precision fp32)
	$(call count,8.0,sm80,--batch 1 8)
	$(call count,8.0,sm80-fp32,--batch 1 --precision fp32)
	for config in $(COUNTED); do for chip in 9.0 8.0; do \
	  $(call count,$$chip,sm$${chip%.*}0-$$config,--batch 1 --config $$config) && \
	  $(call count,$$chip,sm$${chip%.*}0-$$config-fp32,--batch 1 --precision fp32 $(SMALL) --config $$config) || \
	  exit 1; done; done
	$(BUILD)/bin/kernel-table --ptxas $(BUILD)/kernels/device_code \
	  --run sm_90 sm_90a $(call results,sm90) \
	  --run sm_80 sm_80 $(call results,sm80) \
	  --note "commit $$(git rev-parse --short HEAD), $$(date -u +%F)" > $(COUNTS)/kernel-table.md
	mv $(COUNTS)/kernel-table.md docs/kernel-table.md

# On this machine's GPU: all CUDA tests, again under compute-sanitizer, benchmarks and rivals, and a report in gpu-check/.
# GPU_PARTS are some of: tests sanitizer bench rivals. GPU_CHECK names binaries that were carried here, and nothing is built.
GPU_BUILD := build-gpu
GPU_ARCHITECTURE := $(shell nvidia-smi --query-gpu=compute_cap --format=csv,noheader 2>/dev/null | head -n 1 | tr -d . | sed 's/^90$$/90a/')
GPU_PARTS := tests sanitizer bench rivals
GPU_CHECK :=

gpu-programs: deps $(CUDA_DEPS)
	cmake --preset $(PRESET) -B $(GPU_BUILD) $(CUDA_ARGS) -DMASKRT_CUDA_ARCHITECTURES="$(or $(GPU_ARCHITECTURE),90a)"
	cmake --build $(GPU_BUILD) --parallel $(JOBS) --target gpu_check_programs

gpu-check: $(if $(GPU_CHECK),,gpu-programs)
	tests/gpu_check/gpu_check $(or $(GPU_CHECK),$(GPU_BUILD)) $(GPU_PARTS)

# Binaries for a machine with the driver alone: GPU_ARCHITECTURE=80 for another one than Hopper.
gpu-package: gpu-programs
	tests/gpu_check/package $(GPU_BUILD) $(GPU_BUILD)/gpu-package.tar.xz

install: all
	cmake --install $(BUILD)

clean:
	rm -rf build build-sanitized build-tsan $(GPU_BUILD) gpu-check $(DEMO)
