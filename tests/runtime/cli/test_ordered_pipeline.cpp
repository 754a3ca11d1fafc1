// Items through stages on several threads: in order, within bounds, and what happens when something throws.
#include <algorithm>
#include <array>
#include <atomic>
#include <catch2/catch.hpp>
#include <mutex>
#include <numeric>
#include <thread>
#include <vector>

#include "maskrt/types.hpp"
#include "runtime/cli/ordered_pipeline.h"

using namespace maskrt;
using namespace maskrt::cli;

namespace {

const auto no_poll = [] {};

/// How many there are at a time, and were at most.
class Meter {
 public:
  void add(int count) {
    const int now = now_.fetch_add(count) + count;
    for (int most = most_.load(); now > most && !most_.compare_exchange_weak(most, now);) continue;
  }
  int most() const { return most_.load(); }

 private:
  std::atomic<int> now_ = 0, most_ = 0;
};

/// Lets others run for a while that differs from call to call.
void dawdle(std::size_t item, std::size_t part) {
  for (std::size_t i = 0; i < (item * 7 + part * 3) % 11; ++i) std::this_thread::yield();
}

PipelineSettings settings_of(std::size_t items, std::size_t threads) {
  PipelineSettings settings;
  settings.items = items;
  settings.parts = [](std::size_t) { return std::size_t(1); };
  settings.processors = static_cast<int>(threads);
  settings.threads = threads;
  settings.most_open = [] { return std::size_t(100); };
  settings.most_held = 100;
  return settings;
}

std::vector<std::size_t> first(std::size_t count) {
  std::vector<std::size_t> numbers(count);
  std::iota(numbers.begin(), numbers.end(), std::size_t(0));
  return numbers;
}

void await(const std::atomic<bool>& flag) {
  while (!flag.load()) std::this_thread::yield();
}

}  // namespace

TEST_CASE("items come out in order, each through all stages, within all bounds", "[pipeline]") {
  const std::size_t threads = GENERATE(1, 2, 3, 5, 16);
  const int processors = GENERATE(1, 2, 7);
  const std::size_t most_open = GENERATE(1, 4), most_held = GENERATE(1, 6);
  INFO(threads << " threads, " << processors << " processors, " << most_open << " open, " << most_held << " held");
  constexpr std::size_t items = 60;
  const auto parts = [](std::size_t item) { return item % 3 + 1; };
  // Calls of a stage that have ended, by item.
  std::array<std::vector<std::atomic<std::size_t>>, 3> ended = {std::vector<std::atomic<std::size_t>>(items),
                                                                std::vector<std::atomic<std::size_t>>(items),
                                                                std::vector<std::atomic<std::size_t>>(items)};
  std::vector<std::atomic<bool>> begun(items);
  Meter busy, open, held, second_stage;
  std::atomic<bool> in_order = true;
  const auto work_of = [&](std::size_t stage, int taken) {
    return [&, stage, taken](std::size_t item, std::size_t part) {
      busy.add(taken);
      if (stage == 0 && !begun[item].exchange(true)) {
        open.add(1);
        held.add(1);
      }
      if (stage == 1) second_stage.add(1);
      if (stage > 0 && ended[stage - 1][item] != (stage == 2 ? 1 : parts(item))) in_order = false;
      dawdle(item, part);
      if (stage == 1) second_stage.add(-1);
      busy.add(-taken);
      if (++ended[stage][item] == parts(item) && stage == 2) open.add(-1);
    };
  };
  const std::vector<PipelineStage> stages = {
      {work_of(0, 1), true}, {work_of(1, 3), false, 3, 2}, {work_of(2, 1), true}};
  PipelineSettings settings = settings_of(items, threads);
  settings.processors = processors;
  settings.parts = parts;
  settings.most_open = [=] { return most_open; };
  settings.most_held = most_held;
  std::vector<std::size_t> delivered;
  run_pipeline(
      settings, stages,
      [&](std::size_t item) {
        if (ended[2][item] != parts(item)) in_order = false;
        delivered.push_back(item);
        held.add(-1);
      },
      no_poll);
  CHECK(delivered == first(items));
  CHECK(in_order);
  for (std::size_t item = 0; item < items; ++item) CHECK(ended[1][item] == 1);
  CHECK(busy.most() <= processors - 1 + 3);
  CHECK(second_stage.most() <= 2);
  CHECK(open.most() <= static_cast<int>(std::min(most_open, most_held)));
  CHECK(held.most() <= static_cast<int>(most_held));
}

TEST_CASE("what a stage throws comes out after the items before it", "[pipeline]") {
  const std::size_t threads = GENERATE(1, 2, 16), failing_stage = GENERATE(0, 1, 2), failing = GENERATE(0, 7, 19);
  std::vector<PipelineStage> stages;
  for (std::size_t stage = 0; stage < 3; ++stage)
    stages.push_back({[=](std::size_t item, std::size_t part) {
                        dawdle(item, part);
                        if (stage == failing_stage && item == failing && part == 1) throw Error("item by item");
                      },
                      true});
  PipelineSettings settings = settings_of(20, threads);
  settings.parts = [](std::size_t) { return std::size_t(3); };
  std::vector<std::size_t> delivered;
  CHECK_THROWS_WITH(run_pipeline(
                        settings, stages, [&](std::size_t item) { delivered.push_back(item); }, no_poll),
                    "item by item");
  CHECK(delivered == first(failing));
}

TEST_CASE("of two failures the first item's comes out, whichever was the first in time", "[pipeline]") {
  std::atomic<bool> later_failed = false;
  const PipelineStage stage = {[&](std::size_t item, std::size_t) {
    if (item == 9) {
      later_failed = true;
      throw Error("the later item's");
    }
    if (item == 4) {
      await(later_failed);
      throw Error("the earlier item's");
    }
  }};
  std::vector<std::size_t> delivered;
  CHECK_THROWS_WITH(
      run_pipeline(
          settings_of(20, 2), std::span(&stage, 1), [&](std::size_t item) { delivered.push_back(item); }, no_poll),
      "the earlier item's");
  CHECK(delivered == first(4));
}

TEST_CASE("what delivering throws ends it, and no further item is delivered", "[pipeline]") {
  const std::size_t threads = GENERATE(1, 3);
  std::atomic<std::size_t> begun = 0;
  const PipelineStage stage = {[&](std::size_t, std::size_t) { ++begun; }};
  PipelineSettings settings = settings_of(1000, threads);
  settings.most_held = 8;
  std::size_t delivered = 0;
  CHECK_THROWS_AS(run_pipeline(
                      settings, std::span(&stage, 1),
                      [&](std::size_t item) {
                        if (item == 5) throw 5;
                        ++delivered;
                      },
                      no_poll),
                  int);
  CHECK(delivered == 5);
  CHECK(begun <= 5 + 8);
}

TEST_CASE("a poll that throws ends it while a stage is busy, once that has returned", "[pipeline]") {
  std::atomic<bool> thrown = false, returned = false;
  std::atomic<std::size_t> begun = 0;
  const PipelineStage stage = {[&](std::size_t, std::size_t) {
    ++begun;
    await(thrown);
    returned = true;
  }};
  int polls = 0;
  std::size_t delivered = 0;
  CHECK_THROWS_WITH(run_pipeline(
                        settings_of(10, 2), std::span(&stage, 1), [&](std::size_t) { ++delivered; },
                        [&] {
                          if (++polls < 3) return;
                          thrown = true;
                          throw Error("interrupted");
                        }),
                    "interrupted");
  CHECK(returned);
  CHECK(polls == 3);
  CHECK(delivered == 0);
}

TEST_CASE("a slow item holds up its delivery and not the work on others, up to what may be held", "[pipeline]") {
  constexpr std::size_t most_held = 12;
  std::atomic<std::size_t> through = 0, beyond = 0;
  std::atomic<bool> first_is_over = false;
  const std::vector<PipelineStage> stages = {{[&](std::size_t item, std::size_t) {
                                               if (item >= most_held && !first_is_over) ++beyond;
                                               // All that may be held are through before this one is.
                                               while (item == 0 && through < most_held - 1) std::this_thread::yield();
                                               if (item == 0) first_is_over = true;
                                             }},
                                             {[&](std::size_t, std::size_t) { ++through; }}};
  PipelineSettings settings = settings_of(50, 2);
  settings.most_held = most_held;
  std::vector<std::size_t> delivered;
  run_pipeline(
      settings, stages, [&](std::size_t item) { delivered.push_back(item); }, no_poll);
  CHECK(delivered == first(50));
  CHECK(beyond == 0);
}

TEST_CASE("a call that wants all processors is not put off by what comes after it", "[pipeline]") {
  Meter open;
  const std::vector<PipelineStage> stages = {{[&](std::size_t item, std::size_t) {
                                               open.add(1);
                                               dawdle(item, 0);
                                             }},
                                             {[&](std::size_t, std::size_t) { open.add(-1); }, false, 64, 1}};
  PipelineSettings settings = settings_of(100, 5);
  settings.processors = 2;
  std::size_t delivered = 0;
  run_pipeline(
      settings, stages, [&](std::size_t) { ++delivered; }, no_poll);
  CHECK(delivered == 100);
  CHECK(open.most() <= 2);
}

TEST_CASE("a call that waits does not keep one of all processors from being made", "[pipeline]") {
  std::atomic<bool> first_is_through = false;
  const std::vector<PipelineStage> stages = {{[&](std::size_t item, std::size_t) {
                                               if (item == 1) await(first_is_through);
                                             }},
                                             {[&](std::size_t, std::size_t) { first_is_through = true; }, false, 2, 1}};
  std::size_t delivered = 0;
  run_pipeline(
      settings_of(4, 2), stages, [&](std::size_t) { ++delivered; }, no_poll);
  CHECK(delivered == 4);
}

TEST_CASE("no items are done at once", "[pipeline]") {
  std::size_t calls = 0;
  const PipelineStage stage = {[&](std::size_t, std::size_t) { ++calls; }};
  run_pipeline(
      settings_of(0, 4), std::span(&stage, 1), [&](std::size_t) { ++calls; }, no_poll);
  CHECK(calls == 0);
}
