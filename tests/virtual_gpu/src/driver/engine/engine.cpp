#include "driver/engine/engine.h"

#include "driver/engine/context.h"
#include "driver/engine/scheduler.h"

namespace vgpu::engine {

Engine::Engine(Device& device, Options options)
    : scheduler_(std::make_unique<Scheduler>(*this, device, std::move(options))) {}

Engine::~Engine() = default;

Device& Engine::device() { return scheduler_->device(); }

std::shared_ptr<Context> Engine::create_context() {
  check();
  auto state = std::make_shared<ContextState>(*scheduler_);
  auto context = std::make_shared<Context>(state);
  scheduler_->add_context(scheduler_->enter(), state);
  return context;
}

void Engine::lose_device(Code code, const std::string& why) { scheduler_->lose_device(code, why); }

void Engine::check() const {
  if (scheduler_->lost() != Code::success)
    throw Status(scheduler_->lost(), "expected a device, found one that was lost");
}

void Engine::synchronize() {
  Lock lock = scheduler_->enter();
  scheduler_->wait(lock, scheduler_->all_tails(lock));
}

void Engine::drain() {
  Lock lock = scheduler_->enter();
  scheduler_->drain(lock, scheduler_->all_tails(lock));
}

bool Engine::in_host_function() { return Scheduler::in_host_function(); }

void Engine::free_now(Context& context, std::uint64_t address, std::uint64_t bytes, const std::string& name,
                      const std::function<void()>& release) {
  Lock lock = scheduler_->enter();
  scheduler_->free_now(lock, context.state(), address, bytes, name, release);
}

}  // namespace vgpu::engine
