#include "head_runner.h"

#include "sparse_inst_runner.h"

namespace maskrt::cuda {
namespace {

std::unique_ptr<HeadRunner> make(const graph::ValuesHead&, SessionStream&, const Program&, const Addresses&) {
  return nullptr;
}

std::unique_ptr<HeadRunner> make(const graph::SparseInstHead& head, SessionStream& stream, const Program& program,
                                 const Addresses& addresses) {
  return std::make_unique<SparseInstRunner>(stream, plan_of(head, program, addresses));
}

std::unique_ptr<HeadRunner> make(const graph::FastInstHead& head, SessionStream&, const Program&, const Addresses&) {
  throw Error("expected a head with post-processing on the GPU, found " + std::string(head.name) + ", which has none");
}

}  // namespace

std::unique_ptr<HeadRunner> make_head_runner(SessionStream& stream, const Program& program,
                                             const Addresses& addresses) {
  return std::visit([&](const auto& head) { return make(head, stream, program, addresses); }, program.head);
}

}  // namespace maskrt::cuda
