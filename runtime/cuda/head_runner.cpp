#include "head_runner.h"

#include "fast_inst_runner.h"
#include "head_plans.h"
#include "instance_runner.h"

namespace maskrt::cuda {
namespace {

std::unique_ptr<HeadRunner> make(const graph::ValuesHead&, SessionStream&, const Program&, const Addresses&) {
  return nullptr;
}

std::unique_ptr<HeadRunner> make(const graph::SparseInstHead& head, SessionStream& stream, const Program& program,
                                 const Addresses& addresses) {
  return std::make_unique<InstanceRunner>(stream,
                                          std::make_unique<kernels::SparseInstCuda>(plan_of(head, program, addresses)));
}

std::unique_ptr<HeadRunner> make(const graph::FastInstHead& head, SessionStream& stream, const Program& program,
                                 const Addresses& addresses) {
  return std::make_unique<FastInstRunner>(stream, head, program, addresses);
}

}  // namespace

std::unique_ptr<HeadRunner> make_head_runner(SessionStream& stream, const Program& program,
                                             const Addresses& addresses) {
  return std::visit([&](const auto& head) { return make(head, stream, program, addresses); }, program.head);
}

}  // namespace maskrt::cuda
