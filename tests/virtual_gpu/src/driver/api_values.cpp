// CUDA driver API, 6.20 "Stream Memory Operations": writes and waits for words of memory.
#include "driver/engine/works.h"
#include "driver/objects/streams.h"

using namespace vgpu::driver;

namespace {

constexpr unsigned kMostOperations = 256;

void check_word(CUdeviceptr address, std::uint32_t bytes) {
  require_value(address % bytes == 0 && Driver::get().device->memory().covers(address, bytes),
                "expected an aligned word inside a live allocation");
}

vgpu::engine::Work write_work(CUdeviceptr address, std::uint64_t value, std::uint32_t bytes, unsigned flags) {
  require_value(flags <= CU_STREAM_WRITE_VALUE_NO_MEMORY_BARRIER, "expected flags of cuStreamWriteValue");
  check_word(address, bytes);
  return vgpu::engine::write_value_work(address, value, bytes);
}

vgpu::engine::Work wait_work(CUdeviceptr address, std::uint64_t value, std::uint32_t bytes, unsigned flags) {
  require_value(flags <= CU_STREAM_WAIT_VALUE_NOR, "expected flags of cuStreamWaitValue, without a flush");
  check_word(address, bytes);
  return vgpu::engine::wait_value_work(address, value, bytes, static_cast<vgpu::engine::Wait>(flags));
}

CUresult submit(CUstream stream, vgpu::engine::Work work) {
  stream_of(Driver::get(), stream)->submit(std::move(work));
  return CUDA_SUCCESS;
}

}  // namespace

VGPU_STREAM_API(cuStreamWriteValue32_v2, _ptsz,
                (CUstream stream, CUdeviceptr address, cuuint32_t value, unsigned int flags),
                (stream, address, value, flags)) {
  return submit(stream, write_work(address, value, 4, flags));
}

VGPU_STREAM_API(cuStreamWriteValue64_v2, _ptsz,
                (CUstream stream, CUdeviceptr address, cuuint64_t value, unsigned int flags),
                (stream, address, value, flags)) {
  return submit(stream, write_work(address, value, 8, flags));
}

VGPU_STREAM_API(cuStreamWaitValue32_v2, _ptsz,
                (CUstream stream, CUdeviceptr address, cuuint32_t value, unsigned int flags),
                (stream, address, value, flags)) {
  return submit(stream, wait_work(address, value, 4, flags));
}

VGPU_STREAM_API(cuStreamWaitValue64_v2, _ptsz,
                (CUstream stream, CUdeviceptr address, cuuint64_t value, unsigned int flags),
                (stream, address, value, flags)) {
  return submit(stream, wait_work(address, value, 8, flags));
}

VGPU_STREAM_API(cuStreamBatchMemOp_v2, _ptsz,
                (CUstream stream, unsigned int count, CUstreamBatchMemOpParams* operations, unsigned int flags),
                (stream, count, operations, flags)) {
  require_value(operations != nullptr && count <= kMostOperations && flags == 0,
                "expected at most 256 operations, and flags of 0");
  for (unsigned i = 0; i < count; ++i) {
    const CUstreamBatchMemOpParams& o = operations[i];
    switch (o.operation) {
      case CU_STREAM_MEM_OP_WRITE_VALUE_32:
        submit(stream, write_work(o.writeValue.address, o.writeValue.value, 4, o.writeValue.flags));
        break;
      case CU_STREAM_MEM_OP_WRITE_VALUE_64:
        submit(stream, write_work(o.writeValue.address, o.writeValue.value64, 8, o.writeValue.flags));
        break;
      case CU_STREAM_MEM_OP_WAIT_VALUE_32:
        submit(stream, wait_work(o.waitValue.address, o.waitValue.value, 4, o.waitValue.flags));
        break;
      case CU_STREAM_MEM_OP_WAIT_VALUE_64:
        submit(stream, wait_work(o.waitValue.address, o.waitValue.value64, 8, o.waitValue.flags));
        break;
      case CU_STREAM_MEM_OP_BARRIER:
        break;  // work of a stream is carried out in order
      default:
        throw Status(CUDA_ERROR_NOT_SUPPORTED, "expected writes, waits and barriers alone");
    }
  }
  return CUDA_SUCCESS;
}
