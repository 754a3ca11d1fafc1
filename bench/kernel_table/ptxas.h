// What ptxas -v says of kernels.
#pragma once

#include <map>
#include <string>

namespace maskrt::bench {

struct KernelResources {
  int registers = 0;      ///< registers of a thread
  int static_shared = 0;  ///< bytes of a block
  int stack = 0;          ///< bytes of a thread
  int spills = 0;         ///< bytes stored and loaded by a thread
};

/// By architecture ("sm_80"), then by kernel.
using ResourceTable = std::map<std::string, std::map<std::string, KernelResources>>;

/// Reads what `ptxas -v` printed of one file's entry functions and adds it. Throws Error where a kernel is named whose
/// registers are not told.
void add_ptxas_text(const std::string& text, ResourceTable& table);

/// Reads all *.ptxas.txt below a folder. Throws Error where there is none.
ResourceTable read_ptxas_folder(const std::string& folder);

/// Blocks of `threads` threads with so much dynamic shared memory that one multiprocessor of sm_75, sm_80, sm_86, sm_89
/// or sm_90 holds: CUDA C++ Programming Guide, "Technical Specifications per Compute Capability". 0 where it holds none
/// or is another.
int resident_blocks(const std::string& architecture, const KernelResources& kernel, int threads, int dynamic_shared);
/// Threads that one multiprocessor of it holds at most; 0 where it is not known.
int resident_threads(const std::string& architecture);

}  // namespace maskrt::bench
