#include "driver/objects/context.h"

#include <algorithm>

#include "driver/objects/allocations.h"
#include "driver/objects/module.h"
#include "driver/objects/pool.h"
#include "driver/objects/streams.h"

namespace vgpu::driver {
namespace {

std::uint64_t next_id() {
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}

void check_flags(unsigned flags) {
  const unsigned schedule = flags & CU_CTX_SCHED_MASK;
  require_value((flags & ~static_cast<unsigned>(CU_CTX_FLAGS_MASK)) == 0 &&
                    (schedule == CU_CTX_SCHED_AUTO || schedule == CU_CTX_SCHED_SPIN || schedule == CU_CTX_SCHED_YIELD ||
                     schedule == CU_CTX_SCHED_BLOCKING_SYNC),
                "expected flags of cuCtxCreate with one way of scheduling");
}

}  // namespace

ContextObject::ContextObject(Driver& driver, unsigned flags_given, bool is_primary, CUdevice its_device)
    : id(next_id()),
      primary(is_primary),
      device(its_device),
      flags(flags_given),
      engine_(driver.engine->create_context()) {
  limits_ = {{CU_LIMIT_STACK_SIZE, 1024},
             {CU_LIMIT_PRINTF_FIFO_SIZE, std::size_t{1} << 20},
             {CU_LIMIT_MALLOC_HEAP_SIZE, std::size_t{8} << 20},
             {CU_LIMIT_MAX_L2_FETCH_GRANULARITY, 64}};
  if (driver.settings().compute_capability < 90) {
    limits_[CU_LIMIT_DEV_RUNTIME_SYNC_DEPTH] = 2;
  }
  limits_[CU_LIMIT_DEV_RUNTIME_PENDING_LAUNCH_COUNT] = 2048;
  if (driver.settings().compute_capability >= 80) limits_[CU_LIMIT_PERSISTING_L2_CACHE_SIZE] = 0;
}

void ContextObject::check() const {
  require(!destroyed, CUDA_ERROR_CONTEXT_IS_DESTROYED, "expected a live context, found one that was destroyed");
  engine_->check();
}

void ContextObject::set_limit(CUlimit limit, std::size_t value) {
  const std::lock_guard lock(mutex_);
  const auto it = limits_.find(limit);
  require_value(limit < CU_LIMIT_MAX, "expected a CUlimit");
  require(it != limits_.end(), CUDA_ERROR_UNSUPPORTED_LIMIT, "expected a limit that this device has");
  it->second = value;
}

std::size_t ContextObject::limit(CUlimit limit) const {
  const std::lock_guard lock(mutex_);
  const auto it = limits_.find(limit);
  require_value(limit < CU_LIMIT_MAX, "expected a CUlimit");
  require(it != limits_.end(), CUDA_ERROR_UNSUPPORTED_LIMIT, "expected a limit that this device has");
  return it->second;
}

void check_device(CUdevice device) {
  require(device >= 0 && device < Driver::get().devices, CUDA_ERROR_INVALID_DEVICE, "expected one of the devices");
}

std::shared_ptr<ContextObject> create_context(Driver& driver, unsigned flags, bool primary, CUdevice device) {
  check_flags(flags);
  driver.inject(FailureKind::create, CUDA_ERROR_OUT_OF_MEMORY);
  auto context = std::make_shared<ContextObject>(driver, flags, primary, device);
  context->handle = driver.contexts.add(context);
  return context;
}

void destroy_context(Driver& driver, const std::shared_ptr<ContextObject>& context) {
  if (context->destroyed.exchange(true)) return;
  const auto mine = [&](const auto& object) { return object.context == context; };
  VgpuLeaks left{};
  context->engine().destroy();
  driver.functions.remove_if(mine);
  for (const auto& module : driver.modules.remove_if(mine)) left.modules += module->library ? 0 : 1;
  left.streams = driver.streams.remove_if(mine).size();
  left.events = driver.events.remove_if(mine).size();
  driver.allocations->release_all_of(*context, left);
  driver.records->add_left_behind(left);
  driver.contexts.remove(context->handle);
}

std::vector<std::shared_ptr<ContextObject>>& context_stack() {
  // Never freed: a program's static objects give things back after the main thread's variables have died.
  thread_local auto* const stack = new std::vector<std::shared_ptr<ContextObject>>;
  return *stack;
}

std::shared_ptr<ContextObject> current_context_unchecked() {
  const auto& stack = context_stack();
  require(!stack.empty() && stack.back() != nullptr, CUDA_ERROR_INVALID_CONTEXT,
          "expected a current context, found none");
  require(!stack.back()->destroyed, CUDA_ERROR_CONTEXT_IS_DESTROYED,
          "expected a live current context, found one that was destroyed");
  return stack.back();
}

std::shared_ptr<ContextObject> current_context() {
  std::shared_ptr<ContextObject> context = current_context_unchecked();
  context->check();
  return context;
}

PrimaryContext& PrimaryContext::of(CUdevice device) {
  static auto& mutex = *new std::mutex;
  static auto& contexts = *new std::map<CUdevice, PrimaryContext>;
  const std::lock_guard lock(mutex);
  return contexts.try_emplace(device, device).first->second;
}

CUcontext PrimaryContext::retain(Driver& driver) {
  const std::lock_guard lock(mutex_);
  if (context_ == nullptr) context_ = create_context(driver, flags_, true, device_);
  ++references_;
  return context_->handle;
}

void PrimaryContext::release(Driver& driver) {
  const std::lock_guard lock(mutex_);
  require(references_ > 0, CUDA_ERROR_INVALID_CONTEXT, "expected a retained primary context");
  if (--references_ > 0) return;
  destroy_context(driver, context_);
  context_.reset();
}

void PrimaryContext::reset(Driver& driver) {
  const std::lock_guard lock(mutex_);
  references_ = 0;
  if (context_ == nullptr) return;
  destroy_context(driver, context_);
  context_.reset();
}

void PrimaryContext::set_flags(unsigned flags) {
  check_flags(flags);
  const std::lock_guard lock(mutex_);
  flags_ = flags;
  if (context_ != nullptr) context_->flags = flags;
}

void PrimaryContext::state(unsigned* flags, int* active) const {
  const std::lock_guard lock(mutex_);
  *flags = flags_;
  *active = context_ != nullptr ? 1 : 0;
}

}  // namespace vgpu::driver
