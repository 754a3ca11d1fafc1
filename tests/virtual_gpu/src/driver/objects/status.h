// CUresult as an exception, with a sentence for the log.
#pragma once

#include <cuda.h>

#include <stdexcept>
#include <string>

namespace vgpu::driver {

/// What an entry point returns; what() says what was expected and what was found.
class Status : public std::runtime_error {
 public:
  Status(CUresult code, const std::string& sentence) : std::runtime_error(sentence), code_(code) {}
  CUresult code() const { return code_; }

 private:
  CUresult code_;
};

/// Throws Status unless `holds`.
inline void require(bool holds, CUresult code, const char* sentence) {
  if (!holds) throw Status(code, sentence);
}
/// Throws Status with CUDA_ERROR_INVALID_VALUE unless `holds`.
inline void require_value(bool holds, const char* sentence) { require(holds, CUDA_ERROR_INVALID_VALUE, sentence); }

/// "CUDA_ERROR_INVALID_VALUE"; null for a number that is no status.
const char* status_name(CUresult code);
/// "invalid argument"; null for a number that is no status.
const char* status_text(CUresult code);

}  // namespace vgpu::driver
