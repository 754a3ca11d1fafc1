// How many sessions with how many threads each a run over many pictures has.
#include <catch2/catch.hpp>

#include "runtime/cli/session_pool.h"

using namespace maskrt::cli;

TEST_CASE("sessions share the processors, and their pictures fit into memory") {
  for (const bool measures : {false, true}) {
    for (int processors = 1; processors <= 70; ++processors) {
      for (const std::size_t batches : {0, 1, 2, 3, 15, 16, 17, 100, 100000}) {
        for (const std::size_t batch : {1, 3, 16, 1024}) {
          INFO(batches << " batches of " << batch << " on " << processors);
          const SessionShares shares = shares_on_processors(batches, batch, processors, measures);
          CHECK(shares.threads >= 1);
          CHECK(shares.sessions >= 1);
          CHECK(shares.sessions <= std::max<std::size_t>(1, batches));
          CHECK(shares.sessions * batch <= std::max<std::size_t>(16, batch));
          const auto used = static_cast<int>(shares.sessions) * shares.threads;
          CHECK(used <= processors);
          CHECK(2 * used > processors);
        }
      }
    }
  }
}

TEST_CASE("one batch has all processors, many have one each") {
  const auto shares = [](std::size_t batches, int processors) {
    const SessionShares found = shares_on_processors(batches, 1, processors, true);
    return std::pair(found.sessions, found.threads);
  };
  CHECK(shares(1, 16) == std::pair<std::size_t, int>(1, 16));
  CHECK(shares(3, 2) == std::pair<std::size_t, int>(1, 2));
  CHECK(shares(100, 2) == std::pair<std::size_t, int>(2, 1));
  CHECK(shares(5000, 16) == std::pair<std::size_t, int>(16, 1));
  CHECK(shares(5000, 1) == std::pair<std::size_t, int>(1, 1));
  CHECK(shares(5000, 64) == std::pair<std::size_t, int>(16, 4));
  // 17 on 16 processors: not a second round for the last one alone.
  const SessionShares seventeen = shares_on_processors(17, 1, 16, false);
  CHECK(seventeen.sessions < 16);
  CHECK(seventeen.threads > 1);
  CHECK(shares_on_gpu(1).sessions == 1);
  CHECK(shares_on_gpu(100).sessions == 2);
}
