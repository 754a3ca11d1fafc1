// Every entry point under every name that a loader may ask for. With the header's internal names declared, the compiler
// compares each version's signature with the toolkit's own list, cudaTypedefs.h.
#define __CUDA_API_VERSION_INTERNAL
#include <cudaTypedefs.h>
#include <dlfcn.h>

#include <catch2/catch.hpp>
#include <cstring>
#include <fstream>
#include <set>
#include <string>
#include <type_traits>

namespace vgpu_test {
namespace {

// cudaTypedefs.h forgets the version that CUDA 12 gave the name.
using PFN_cuGraphInstantiate_v12000 = decltype(&cuGraphInstantiateWithFlags);

#define VGPU_ENTRY(name, symbol, version) \
  static_assert(std::is_same_v<PFN_##name##_v##version, decltype(&symbol)>, #symbol);
#define VGPU_STREAM_ENTRY(name, symbol, version, suffix, per_thread_version) \
  VGPU_ENTRY(name, symbol, version)                                          \
  static_assert(std::is_same_v<PFN_##name##_v##per_thread_version##suffix, decltype(&symbol##suffix)>, #symbol #suffix);
#include "driver/entry_points.inc"
#undef VGPU_ENTRY
#undef VGPU_STREAM_ENTRY

struct Entry {
  const char *name, *symbol;
  int version;
  const char* suffix;
  int per_thread_version;
};
#define VGPU_ENTRY(name, symbol, version) {#name, #symbol, version, "", 0},
#define VGPU_STREAM_ENTRY(name, symbol, version, suffix, per_thread_version) \
  {#name, #symbol, version, #suffix, per_thread_version},
constexpr Entry kEntries[] = {
#include "driver/entry_points.inc"
};
#undef VGPU_ENTRY
#undef VGPU_STREAM_ENTRY

void* by_name(const std::string& symbol) { return dlsym(RTLD_DEFAULT, symbol.c_str()); }

void* by_version(const char* name, int version, cuuint64_t flags = CU_GET_PROC_ADDRESS_DEFAULT) {
  void* function = nullptr;
  CUdriverProcAddressQueryResult found = CU_GET_PROC_ADDRESS_SYMBOL_NOT_FOUND;
  CHECK(cuGetProcAddress_v2(name, &function, version, flags, &found) == CUDA_SUCCESS);
  CHECK((function != nullptr) == (found == CU_GET_PROC_ADDRESS_SUCCESS));
  return function;
}

}  // namespace

TEST_CASE("every version of every entry point is found by name and by version") {
  for (const Entry& e : kEntries) {
    INFO(e.symbol << " of version " << e.version);
    REQUIRE(by_name(e.symbol) != nullptr);
    CHECK(by_version(e.name, e.version) == by_name(e.symbol));
    if (*e.suffix == '\0') {
      CHECK(by_version(e.name, e.version, CU_GET_PROC_ADDRESS_PER_THREAD_DEFAULT_STREAM) == by_name(e.symbol));
      continue;
    }
    const std::string variant = std::string(e.symbol) + e.suffix;
    REQUIRE(by_name(variant) != nullptr);
    CHECK(by_name(variant) != by_name(e.symbol));
    CHECK(by_version(e.name, e.per_thread_version, CU_GET_PROC_ADDRESS_PER_THREAD_DEFAULT_STREAM) == by_name(variant));
    CHECK(by_version(e.name, e.version, CU_GET_PROC_ADDRESS_LEGACY_STREAM) == by_name(e.symbol));
  }
}

TEST_CASE("a version before the first is not sufficient, and other names are not found") {
  void* function = &function;
  CUdriverProcAddressQueryResult found = CU_GET_PROC_ADDRESS_SUCCESS;
  CHECK(cuGetProcAddress_v2("cuGraphLaunch", &function, 9000, 0, &found) == CUDA_SUCCESS);
  CHECK(function == nullptr);
  CHECK(found == CU_GET_PROC_ADDRESS_VERSION_NOT_SUFFICIENT);
  function = &function;
  CHECK(cuGetProcAddress_v2("cuNothing", &function, 12000, 0, &found) == CUDA_SUCCESS);
  CHECK(function == nullptr);
  CHECK(found == CU_GET_PROC_ADDRESS_SYMBOL_NOT_FOUND);
  CHECK(cuGetProcAddress_v2("cuTexRefCreate", &function, 12000, 0, nullptr) == CUDA_SUCCESS);
  CHECK(function == nullptr);
  CHECK(by_name("cuTexRefCreate") == nullptr);
  // The first version of the function has no room for the reason.
  CHECK(cuGetProcAddress("cuNothing", &function, 12000, 0) == CUDA_ERROR_NOT_FOUND);
  CHECK(cuGetProcAddress("cuInit", &function, 12000, 0) == CUDA_SUCCESS);
  CHECK(function == by_name("cuInit"));
  CHECK(cuGetProcAddress_v2("cuInit", &function, CUDA_VERSION + 1000, 0, &found) == CUDA_ERROR_INVALID_VALUE);
  CHECK(cuGetProcAddress_v2(nullptr, &function, 12000, 0, &found) == CUDA_ERROR_INVALID_VALUE);
  CHECK(cuGetProcAddress_v2("cuInit", nullptr, 12000, 0, &found) == CUDA_ERROR_INVALID_VALUE);
}

TEST_CASE("a newer version is preferred to an older one") {
  CHECK(by_version("cuCtxCreate", 13000) == by_name("cuCtxCreate_v4"));
  CHECK(by_version("cuCtxCreate", 12000) == by_name("cuCtxCreate_v3"));
  CHECK(by_version("cuCtxCreate", 11000) == by_name("cuCtxCreate_v2"));
  CHECK(by_version("cuMemAlloc", 13000) == by_name("cuMemAlloc_v2"));
  CHECK(by_version("cuStreamBeginCapture", 10000) == by_name("cuStreamBeginCapture"));
  CHECK(by_version("cuStreamBeginCapture", 10010) == by_name("cuStreamBeginCapture_v2"));
  CHECK(by_version("cuGraphExecUpdate", 11080) == by_name("cuGraphExecUpdate"));
  CHECK(by_version("cuGraphExecUpdate", 12000) == by_name("cuGraphExecUpdate_v2"));
}

TEST_CASE("stream 0 of the variants is the thread's own") {
  REQUIRE(cuInit(0) == CUDA_SUCCESS);
  CUcontext context = nullptr;
  REQUIRE(cuCtxCreate_v4(&context, nullptr, 0, 0) == CUDA_SUCCESS);
  unsigned long long legacy = 0, own = 0, named = 0;
  CHECK(cuStreamGetId(nullptr, &legacy) == CUDA_SUCCESS);
  CHECK(cuStreamGetId_ptsz(nullptr, &own) == CUDA_SUCCESS);
  CHECK(cuStreamGetId(CU_STREAM_PER_THREAD, &named) == CUDA_SUCCESS);
  CHECK(own == named);
  CHECK(own != legacy);
  CHECK(cuStreamGetId_ptsz(CU_STREAM_LEGACY, &named) == CUDA_SUCCESS);
  CHECK(named == legacy);
  CHECK(cuCtxDestroy_v2(context) == CUDA_SUCCESS);
}

TEST_CASE("every status has a name and a text") {
  std::set<std::string> names;
  for (int code = 0; code <= 1000; ++code) {
    const char *name = nullptr, *text = nullptr;
    const CUresult known = cuGetErrorName(static_cast<CUresult>(code), &name);
    CHECK(cuGetErrorString(static_cast<CUresult>(code), &text) == known);
    CHECK((known == CUDA_SUCCESS) == (name != nullptr));
    CHECK((known == CUDA_SUCCESS) == (text != nullptr));
    if (name != nullptr) names.insert(name);
  }
  CHECK(names.count("CUDA_SUCCESS") == 1);
  CHECK(names.count("CUDA_ERROR_UNKNOWN") == 1);
  CHECK(names.size() > 95);
}

}  // namespace vgpu_test
