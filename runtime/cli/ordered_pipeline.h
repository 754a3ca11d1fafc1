// Work on many items, each in several stages, spread over threads: items come out in their order, and few are under
// way.
#pragma once

#include <cstddef>
#include <functional>
#include <limits>
#include <span>

namespace maskrt::cli {

/// What is done with each item, after the stage before and ahead of the next.
struct PipelineStage {
  /// Called on any of the threads, for different items and parts at a time. What it throws ends the pipeline once the
  /// items before this one are delivered.
  std::function<void(std::size_t item, std::size_t part)> work;
  /// True: a call for each part of an item, at a time. False: one call for the item, with part 0.
  bool by_part = false;
  int processors = 1;  ///< processors that one call keeps busy; 0: it waits for another device
  std::size_t at_once = std::numeric_limits<std::size_t>::max();  ///< the most concurrent calls
};

struct PipelineSettings {
  std::size_t items = 0;
  std::function<std::size_t(std::size_t item)> parts;  ///< number of parts of an item, at least 1
  int processors = 1;                                  ///< processors that all calls may keep busy
  std::size_t threads = 1;                             ///< started for the stages, 1 or more
  /// Most items that are begun and not through the last stage, 1 or more. Asked for each item that might be begun,
  /// under the pipeline's lock.
  std::function<std::size_t()> most_open;
  std::size_t most_held = 1;  ///< most items that are begun and not delivered; no less than 1
};

/// Takes items 0, 1, ... through the stages. A free thread takes, of all calls that can be made, one of the latest
/// stage and of the first item there, so that items are finished before others are begun. A call that more processors
/// must become free for keeps earlier stages from taking them.
///
/// The calling thread delivers each item that is through the last stage, in order, and has no other work: a signal that
/// is to interrupt what delivering waits for reaches it as it would in a program of one thread. `poll` is called
/// between deliveries, and 20 times a second while there is nothing to be delivered.
///
/// What a stage, `deliver` or `poll` throws comes out here, after the calls that are being made have returned; no
/// others are made by then, and later items are not delivered. Throws Error where no thread can be started; with fewer
/// threads than were asked for it goes on.
void run_pipeline(const PipelineSettings& settings, std::span<const PipelineStage> stages,
                  const std::function<void(std::size_t item)>& deliver, const std::function<void()>& poll);

}  // namespace maskrt::cli
