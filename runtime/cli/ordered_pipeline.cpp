#include "ordered_pipeline.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "maskrt/types.hpp"

namespace maskrt::cli {
namespace {

constexpr auto kPollingInterval = std::chrono::milliseconds(50);

/// An item that is begun and not delivered.
struct Item {
  Item(std::size_t number, std::size_t part_count) : index(number), parts(part_count) {}

  const std::size_t index;
  const std::size_t parts;
  std::size_t stage = 0;
  std::size_t calls_begun = 0, calls_done = 0;  ///< calls of this stage
  std::exception_ptr failure;
};

class Pipeline {
 public:
  Pipeline(const PipelineSettings& settings, std::span<const PipelineStage> stages)
      : settings_(settings), stages_(stages), end_(settings.items), calls_(stages.size()) {}
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;

  ~Pipeline() {
    {
      const std::lock_guard lock(mutex_);
      ended_ = true;
    }
    changed_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

  void start() {
    for (std::size_t i = 0; i < settings_.threads; ++i) {
      try {
        threads_.emplace_back([this] { serve(); });
      } catch (const std::system_error& error) {
        if (threads_.empty()) throw Error(std::string("cannot start a thread: ") + error.what());
        return;
      }
    }
  }

  void deliver_all(const std::function<void(std::size_t)>& deliver, const std::function<void()>& poll) {
    for (std::size_t next = 0; next < settings_.items; ++next) {
      poll();
      await_first(poll);
      deliver(next);
      {
        const std::lock_guard lock(mutex_);
        held_.pop_front();
      }
      changed_.notify_all();
    }
  }

 private:
  struct Call {
    Item* item;
    std::size_t stage, part;
  };

  bool is_through(const Item& item) const { return item.stage == stages_.size(); }
  std::size_t calls_of(const Item& item) const { return stages_[item.stage].by_part ? item.parts : 1; }
  /// Waits until the first item is through, or has failed and no call of it is being made; throws its failure.
  void await_first(const std::function<void()>& poll) {
    std::unique_lock lock(mutex_);
    const auto ready = [this] { return !held_.empty() && is_through(held_.front()); };
    while (!delivery_.wait_for(lock, kPollingInterval, ready)) {
      lock.unlock();
      poll();
      lock.lock();
    }
    if (held_.front().failure) std::rethrow_exception(held_.front().failure);
  }

  void serve() {
    std::unique_lock lock(mutex_);
    for (;;) {
      std::optional<Call> call;
      changed_.wait(lock, [&] { return ended_ || (call = next_call()); });
      if (ended_) return;
      const int processors = stages_[call->stage].processors;
      const std::size_t index = call->item->index;
      busy_ += processors;
      ++calls_[call->stage];
      std::exception_ptr failure;
      lock.unlock();
      try {
        stages_[call->stage].work(index, call->part);
      } catch (...) {
        failure = std::current_exception();
      }
      lock.lock();
      busy_ -= processors;
      --calls_[call->stage];
      finish(*call->item, std::move(failure));
      changed_.notify_all();
    }
  }

  /// The call that is to be made next, which counts as begun; nothing while there is none.
  std::optional<Call> next_call() {
    for (std::size_t stage = stages_.size(); stage-- > 0;) {
      if (calls_[stage] >= stages_[stage].at_once) continue;
      if (stages_[stage].processors > 0 && busy_ >= settings_.processors) continue;
      const auto waits = [&](const Item& item) {
        return item.stage == stage && !item.failure && item.calls_begun < calls_of(item);
      };
      auto item = std::find_if(held_.begin(), held_.end(), waits);
      const bool begins = item == held_.end() && stage == 0 && may_begin();
      if (item == held_.end() && !begins) continue;
      if (begins) item = begin();
      return Call{&*item, stage, item->calls_begun++};
    }
    return std::nullopt;
  }

  bool may_begin() const {
    return begun_ < end_ && held_.size() < settings_.most_held &&
           open_ < std::max<std::size_t>(1, settings_.most_open());
  }

  std::deque<Item>::iterator begin() {
    held_.emplace_back(begun_, settings_.parts(begun_));  // a deque does not move its items
    ++begun_;
    ++open_;
    return held_.end() - 1;
  }

  void finish(Item& item, std::exception_ptr failure) {
    ++item.calls_done;
    if (failure && !item.failure) {
      item.failure = std::move(failure);
      end_ = std::min(end_, item.index + 1);  // what comes after it will not be delivered
    }
    if (item.failure ? item.calls_done < item.calls_begun : item.calls_done < calls_of(item)) return;
    item.stage = item.failure ? stages_.size() : item.stage + 1;
    item.calls_begun = item.calls_done = 0;
    if (!is_through(item)) return;
    --open_;
    if (item.index == held_.front().index) delivery_.notify_one();
  }

  const PipelineSettings& settings_;
  const std::span<const PipelineStage> stages_;
  std::mutex mutex_;
  std::condition_variable changed_, delivery_;
  std::deque<Item> held_;
  std::size_t begun_ = 0, open_ = 0;
  std::size_t end_;                 ///< items from here on are not begun
  std::vector<std::size_t> calls_;  ///< being made, by stage
  int busy_ = 0;                    ///< processors
  bool ended_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace

void run_pipeline(const PipelineSettings& settings, std::span<const PipelineStage> stages,
                  const std::function<void(std::size_t item)>& deliver, const std::function<void()>& poll) {
  if (settings.items == 0) return;
  Pipeline pipeline(settings, stages);
  pipeline.start();
  pipeline.deliver_all(deliver, poll);
}

}  // namespace maskrt::cli
