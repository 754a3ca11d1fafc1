// Images, modules, libraries, functions and their attributes through the driver's interface.
#include <cstring>
#include <map>

#include "driver_harness.h"

namespace vgpu_test {
namespace {

int architecture_of(const std::string& image) {
  CUmodule module = nullptr;
  OK(cuModuleLoadData(&module, image.c_str()));
  CUfunction function = nullptr;
  OK(cuModuleGetFunction(&function, module, "architecture"));
  const CUdeviceptr result = upload(std::vector<int>{0});
  OK(launch(function, 1, 1, nullptr, result));
  const int found = download<int>(result, 1)[0];
  OK(cuMemFree(result));
  OK(cuModuleUnload(module));
  return found;
}

/// A fat binary that the build has made of driver.cu: driver/CMakeLists.txt.
std::string fat_binary(const std::string& name) {
  return file_text(std::string(VGPU_FAT_BINARIES) + "/" + name + ".fatbin");
}

int attribute(CUfunction function, CUfunction_attribute name) {
  int value = -1;
  OK(cuFuncGetAttribute(&value, name, function));
  return value;
}

}  // namespace

TEST_CASE("the best PTX of a fat binary is taken, however it is compressed") {
  const Session session;
  // PTX for 7.5, 8.0 and 9.0a, machine code for 8.0: this device is a 9.0.
  for (const char* name : {"zstandard", "lz4", "plain", "small"}) {
    INFO(name);
    CHECK(architecture_of(fat_binary(name)) == 901);
  }
  CHECK(architecture_of(fat_binary("older")) == 800);  // 7.5, 8.0
}

TEST_CASE("machine code alone is no binary for this device") {
  const Session session;
  CUmodule module = nullptr;
  GIVES(CUDA_ERROR_NO_BINARY_FOR_GPU, cuModuleLoadData(&module, fat_binary("machine_code").c_str()));
  GIVES(CUDA_ERROR_NO_BINARY_FOR_GPU, cuModuleLoadFatBinary(&module, fat_binary("newer").c_str()));
  const std::string elf = std::string(
                              "\x7f"
                              "ELF") +
                          std::string(60, '\0');
  GIVES(CUDA_ERROR_NO_BINARY_FOR_GPU, cuModuleLoadData(&module, elf.c_str()));
}

TEST_CASE("damaged images are refused") {
  const Session session;
  CUmodule module = nullptr;
  for (const char* name : {"zstandard", "lz4"}) {
    std::string image = fat_binary(name);
    // All images' data lies behind the headers of 16 and 64 bytes.
    for (std::size_t i = 200; i < image.size(); i += 97) image[i] = static_cast<char>(image[i] ^ 0x55);
    const CUresult status = cuModuleLoadData(&module, image.c_str());
    INFO(name << ": " << name_of(status));
    CHECK((status == CUDA_ERROR_INVALID_IMAGE || status == CUDA_ERROR_INVALID_PTX ||
           status == CUDA_ERROR_NO_BINARY_FOR_GPU));
  }
  GIVES(CUDA_ERROR_INVALID_IMAGE, cuModuleLoadData(&module, "no image"));
  GIVES(CUDA_ERROR_INVALID_VALUE, cuModuleLoadData(&module, nullptr));
  GIVES(CUDA_ERROR_FILE_NOT_FOUND, cuModuleLoad(&module, "/nonexistent/file.ptx"));
}

TEST_CASE("modules are loaded from files") {
  const Session session;
  CUmodule module = nullptr;
  OK(cuModuleLoad(&module, (std::string(MASKRT_TEST_DATA) + "/ptx_cuda/driver.ptx").c_str()));
  CUfunction function = nullptr;
  OK(cuModuleGetFunction(&function, module, "scale"));
  OK(cuModuleLoad(&module, (std::string(VGPU_FAT_BINARIES) + "/zstandard.fatbin").c_str()));
  OK(cuModuleGetFunction(&function, module, "scale"));
}

TEST_CASE("PTX that can't run says why") {
  const Session session;
  CUmodule module = nullptr;
  const auto status_of = [&](const std::string& text) { return cuModuleLoadData(&module, text.c_str()); };
  GIVES(CUDA_ERROR_INVALID_PTX, status_of(".version 8.0\n.target sm_100\n.address_size 64\n"));
  GIVES(CUDA_ERROR_INVALID_PTX, status_of(".version 8.0\n.target sm_80a\n.address_size 64\n"));
  GIVES(CUDA_ERROR_UNSUPPORTED_PTX_VERSION, status_of(".version 99.0\n.target sm_80\n.address_size 64\n"));
  OK(status_of("// a comment\n\n/* another */\n.version 8.0\n.target sm_90a\n.address_size 64\n"));

  char error[256] = "", info[16] = "x";
  CUjit_option options[] = {CU_JIT_ERROR_LOG_BUFFER, CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES, CU_JIT_INFO_LOG_BUFFER,
                            CU_JIT_INFO_LOG_BUFFER_SIZE_BYTES, CU_JIT_WALL_TIME};
  void* values[] = {error, reinterpret_cast<void*>(sizeof error), info, reinterpret_cast<void*>(sizeof info), nullptr};
  const std::string wrong =
      ".version 7.0\n.target sm_75\n.address_size 64\n.visible .entry f()\n{\n  frobnicate.u32 %r1;\n}\n";
  GIVES(CUDA_ERROR_INVALID_PTX, cuModuleLoadDataEx(&module, wrong.c_str(), 4, options, values));
  CHECK_THAT(std::string(error), Catch::Contains("line 6") && Catch::Contains("frobnicate"));
  CHECK(reinterpret_cast<std::size_t>(values[1]) == std::strlen(error) + 1);
  values[1] = reinterpret_cast<void*>(sizeof error);
  values[3] = reinterpret_cast<void*>(sizeof info);
  OK(cuModuleLoadDataEx(&module, test_ptx("driver.ptx").c_str(), 5, options, values));
  CHECK(std::string(error).empty());
  auto bad = static_cast<CUjit_option>(1000);
  GIVES(CUDA_ERROR_INVALID_VALUE, cuModuleLoadDataEx(&module, test_ptx("driver.ptx").c_str(), 1, &bad, values));
}

TEST_CASE("functions tell their attributes") {
  const Session session;
  const Kernels kernels;
  CHECK(attribute(kernels["scale"], CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK) == 1024);
  CHECK(attribute(kernels["small_blocks"], CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK) == 128);
  CHECK(attribute(kernels["few_registers"], CU_FUNC_ATTRIBUTE_NUM_REGS) == 40);
  CHECK(attribute(kernels["much_shared"], CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES) == 40960);
  CHECK(attribute(kernels["much_shared"], CU_FUNC_ATTRIBUTE_CONST_SIZE_BYTES) == 16);
  CHECK(attribute(kernels["scale"], CU_FUNC_ATTRIBUTE_PTX_VERSION) == 75);
  CHECK(attribute(kernels["scale"], CU_FUNC_ATTRIBUTE_BINARY_VERSION) == 90);
  CHECK(attribute(kernels["much_shared"], CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES) == 49152 - 40960);
  OK(cuFuncSetAttribute(kernels["much_shared"], CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, 100000));
  CHECK(attribute(kernels["much_shared"], CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES) == 100000);
  GIVES(CUDA_ERROR_INVALID_VALUE,
        cuFuncSetAttribute(kernels["much_shared"], CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, 232448));
  GIVES(CUDA_ERROR_INVALID_VALUE, cuFuncSetAttribute(kernels["scale"], CU_FUNC_ATTRIBUTE_NUM_REGS, 32));
  int value = 0;
  GIVES(CUDA_ERROR_INVALID_VALUE, cuFuncGetAttribute(&value, static_cast<CUfunction_attribute>(99), kernels["scale"]));
  std::size_t offset = 0, bytes = 0;
  OK(cuFuncGetParamInfo(kernels["mixed"], 2, &offset, &bytes));
  CHECK(offset == 16);
  CHECK(bytes == 24);
  GIVES(CUDA_ERROR_INVALID_VALUE, cuFuncGetParamInfo(kernels["mixed"], 4, &offset, &bytes));
  const char* name = nullptr;
  OK(cuFuncGetName(&name, kernels["scale"]));
  CHECK(std::string(name) == "scale");
  unsigned count = 0;
  OK(cuModuleGetFunctionCount(&count, kernels.module));
  std::vector<CUfunction> all(count);
  OK(cuModuleEnumerateFunctions(all.data(), count, kernels.module));
  CHECK(std::find(all.begin(), all.end(), kernels["scale"]) != all.end());
}

TEST_CASE("registers are guessed near to what ptxas takes") {
  const Session session;
  // ptxas 13.0's "Used N registers".
  const std::map<std::string, int> used = {
      {"gemm_f16_sm80", 96}, {"gemm_f16_sm90", 110}, {"gemm_f16_wide_sm90", 102},   {"gemm_f16_tn_sm80", 143},
      {"gemm_tma_sm90", 58}, {"gemm_i8_sm80", 38},   {"bilinear_sigmoid_sm75", 34}, {"cumsum_sm80", 30}};
  for (const auto& [file, registers] : used) {
    const Kernels kernels(file_text(std::string(MASKRT_TEST_DATA) + "/ptx/" + file + ".ptx"));
    CUfunction function = nullptr;
    OK(cuModuleEnumerateFunctions(&function, 1, kernels.module));
    const int guess = attribute(function, CU_FUNC_ATTRIBUTE_NUM_REGS);
    INFO(file << ": expected about " << registers << ", found " << guess);
    CHECK(guess >= registers * 6 / 10);
    CHECK(guess <= registers * 17 / 10);
  }
}

TEST_CASE("libraries give kernels that launch in any context") {
  const Session session;
  CUlibrary library = nullptr;
  OK(cuLibraryLoadData(&library, fat_binary("zstandard").c_str(), nullptr, nullptr, 0, nullptr, nullptr, 0));
  CUkernel kernel = nullptr, again = nullptr;
  OK(cuLibraryGetKernel(&kernel, library, "architecture"));
  OK(cuLibraryGetKernel(&again, library, "architecture"));
  CHECK(kernel == again);
  GIVES(CUDA_ERROR_NOT_FOUND, cuLibraryGetKernel(&again, library, "missing"));
  const CUdeviceptr result = upload(std::vector<int>{0});
  OK(launch(reinterpret_cast<CUfunction>(kernel), 1, 1, nullptr, result));
  CHECK(download<int>(result, 1)[0] == 901);
  CUfunction function = nullptr;
  OK(cuKernelGetFunction(&function, kernel));
  OK(cuKernelSetAttribute(CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, 60000, kernel, 0));
  CHECK(attribute(function, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES) == 60000);
  unsigned count = 0;
  OK(cuLibraryGetKernelCount(&count, library));
  CHECK(count > 10);
  CUmodule module = nullptr;
  OK(cuLibraryGetModule(&module, library));
  GIVES(CUDA_ERROR_NOT_PERMITTED, cuModuleUnload(module));
  CUdeviceptr counter = 0;
  std::size_t bytes = 0;
  OK(cuLibraryGetGlobal(&counter, &bytes, library, "counter"));
  CHECK(bytes == 4);

  CUcontext other = nullptr;
  OK(cuCtxCreate(&other, nullptr, 0, 0));
  CUdeviceptr there = 0;
  OK(cuMemAlloc(&there, 4));
  OK(launch(reinterpret_cast<CUfunction>(kernel), 1, 1, nullptr, there));
  CHECK(download<int>(there, 1)[0] == 901);
  GIVES(CUDA_ERROR_INVALID_HANDLE, launch(function, 1, 1, nullptr, there));  // of the first context: foreign
  OK(cuCtxDestroy(other));

  OK(cuLibraryUnload(library));
  GIVES(CUDA_ERROR_INVALID_HANDLE, launch(reinterpret_cast<CUfunction>(kernel), 1, 1, nullptr, result));
  GIVES(CUDA_ERROR_INVALID_HANDLE, cuLibraryUnload(library));
}

TEST_CASE("an unloaded module's functions are none") {
  const Session session;
  const Kernels kernels;
  const CUfunction scale = kernels["scale"];
  const CUdeviceptr x = upload(std::vector<float>(32, 1.0f));
  OK(launch(scale, 1, 32, nullptr, x, 32, 2.0f, 0.0f));
  OK(cuModuleUnload(kernels.module));  // what was launched still runs
  CHECK(download<float>(x, 32)[31] == 2);
  GIVES(CUDA_ERROR_INVALID_HANDLE, launch(scale, 1, 32, nullptr, x, 32, 2.0f, 0.0f));
  GIVES(CUDA_ERROR_INVALID_HANDLE, cuModuleUnload(kernels.module));
}

}  // namespace vgpu_test
