// How long an OpenMP runtime's threads spin when they wait for one another.
#pragma once

namespace maskrt {

/// While it lives, GNU's OpenMP runtime that is loaded into the process finds GOMP_SPINCOUNT=2000: a waiting thread
/// spins for about as long as waking it would take, a tenth of a millisecond, and then sleeps. So no wait costs more
/// than twice what it must. Left to itself the runtime spins a hundred times as long; where other programs want the
/// processors too, the threads that are waited for then cannot run, at each of a network's hundred parallel loops.
///
/// Does nothing where the user has decided (GOMP_SPINCOUNT, OMP_WAIT_POLICY), and where the process has other threads,
/// which may be reading the environment. A runtime that is loaded already keeps its ways.
class BriefSpinning {
 public:
  BriefSpinning();
  ~BriefSpinning();
  BriefSpinning(const BriefSpinning&) = delete;
  BriefSpinning& operator=(const BriefSpinning&) = delete;

 private:
  bool set_ = false;
};

}  // namespace maskrt
