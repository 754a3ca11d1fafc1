// The sessions that batches of a run take turns in, and how many threads each has.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "maskrt/maskrt.hpp"

namespace maskrt::cli {

/// How a run's networks share processors.
struct SessionShares {
  std::size_t sessions = 1;
  int threads = 1;  ///< threads of each session
};

/// The shares that make `batches` batches of `batch` pictures end first on `processors` processors of the host.
/// Sessions of one thread lose nothing at barriers, but a batch that is alone wants all processors, as those that are
/// left at the end of a run do; and each session holds the activations of a batch, so that they have 16 pictures at a
/// time between them at most. `measures`: making the first plan measures algorithms on a session's threads while others
/// wait. The shares depend on these numbers alone: a run that is resumed, or made again, computes with the same
/// threads.
SessionShares shares_on_processors(std::size_t batches, std::size_t batch, int processors, bool measures);

/// On a GPU two sessions: while one's results come back and become instances, the other's network has the GPU. A third
/// would only take more of its memory.
SessionShares shares_on_gpu(std::size_t batches);

/// Makes one session at once, so that a device that has none to give says so before anything runs, and others when they
/// are first needed. Thread-safe.
class SessionPool {
 public:
  /// `model` outlives the pool. Throws Error.
  SessionPool(const Model& model, SessionShares shares);
  SessionPool(const SessionPool&) = delete;
  SessionPool& operator=(const SessionPool&) = delete;

  const SessionShares& shares() const { return shares_; }

  /// Runs `work` with a session of its own; one that has a plan for the size is preferred. There are never more than
  /// `shares().sessions` calls at a time.
  template <typename Work>
  void with_session(std::pair<int, int> size, const Work& work) {
    const Loan loan(*this, size);
    work(loan.session());
  }

 private:
  struct Entry {
    Session session;
    std::vector<std::pair<int, int>> sizes;  ///< sizes that it has plans for, the most recent one last
  };
  class Loan {
   public:
    Loan(SessionPool& pool, std::pair<int, int> size) : pool_(pool), entry_(pool.take(size)) {}
    ~Loan() { pool_.give_back(std::move(entry_)); }
    Loan(const Loan&) = delete;
    Loan& operator=(const Loan&) = delete;
    Session& session() const { return entry_->session; }

   private:
    SessionPool& pool_;
    std::unique_ptr<Entry> entry_;
  };

  std::unique_ptr<Entry> made() const;
  std::unique_ptr<Entry> take(std::pair<int, int> size);
  std::unique_ptr<Entry> take_free(std::pair<int, int> size);
  void give_back(std::unique_ptr<Entry> entry);

  const Model& model_;
  SessionShares shares_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Entry>> free_;
};

}  // namespace maskrt::cli
