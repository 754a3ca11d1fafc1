#include "onednn.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

namespace maskrt::kernels::onednn {
namespace {

/// Why a page that was written cannot be made executable; empty where it can. Code generators do as this does.
std::string why_no_executable_memory() {
  const auto bytes = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  void* const page = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return {};  // memory is short: another trouble
  const int refused = ::mprotect(page, bytes, PROT_READ | PROT_EXEC) == 0 ? 0 : errno;
  ::munmap(page, bytes);
  return refused == 0 ? std::string() : std::strerror(refused);
}

}  // namespace

const dnnl::engine& engine() {
  static const dnnl::engine instance(dnnl::engine::kind::cpu, 0);
  return instance;
}

dnnl::memory::data_type type_of(DataType type) {
  switch (type) {
    case DataType::f32:
      return dnnl::memory::data_type::f32;
    case DataType::bf16:
      return dnnl::memory::data_type::bf16;
    default:
      throw Error("oneDNN: expected fp32 or bf16, found " + std::string(name_of(type)));
  }
}

bool dense_batch(const Tensor& t) {
  return t.batch == 1 || t.batch_stride == t.blocks() * t.height * t.width * t.pixel_stride;
}

dnnl::memory::desc layout_of(const Tensor& t) {
  using Tag = dnnl::memory::format_tag;
  const dnnl::memory::dims dims{t.batch, t.channels, t.height, t.width};
  const auto type = type_of(t.type);
  if ((t.block == 16 || t.block == 8) && t.pixel_stride == t.block) {
    dnnl::memory::desc layout(dims, type, t.block == 16 ? Tag::nChw16c : Tag::nChw8c);
    if (!dense_batch(t)) layout.data.format_desc.blocking.strides[0] = t.batch_stride;
    return layout;
  }
  const std::int64_t channel_stride = t.block == 1 ? t.block_stride : 1;
  const std::int64_t batch_stride =
      t.batch == 1 ? (t.block == 1 ? t.channels * t.block_stride : t.height * t.width * t.pixel_stride)
                   : t.batch_stride;
  return {dims, type, {batch_stride, channel_stride, t.width * t.pixel_stride, t.pixel_stride}};
}

Reorder::Reorder(const dnnl::memory::desc& from, const dnnl::memory::desc& to) : from_(from), to_(to) {
  reorder_ =
      translated("reorder", [&] { return dnnl::reorder(dnnl::reorder::primitive_desc(engine(), from, engine(), to)); });
}

void Reorder::run(const void* from, void* to) const {
  reorder_.execute(stream(), {{DNNL_ARG_FROM, wrap(from_, from)}, {DNNL_ARG_TO, wrap(to_, to)}});
}

void throw_refusal(const std::string& what, const dnnl::error& error) {
  if (error.status == dnnl_out_of_memory)
    throw Error(what + ": expected memory for it, found that there is not enough");
  if (const std::string reason = why_no_executable_memory(); !reason.empty())
    throw Error(what +
                ": expected executable memory for the code that oneDNN generates, found that the system refuses it, "
                "as MemoryDenyWriteExecute= of systemd and execmem of SELinux do: " +
                reason);
  throw Error(what + ": expected oneDNN to accept it, found: " + error.what());
}

}  // namespace maskrt::kernels::onednn
