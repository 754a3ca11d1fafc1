// How the C library's heap treats large blocks.
#pragma once

namespace maskrt::cli {

/// Has the heap keep the pages of blocks that are freed, up to some hundred megabytes, for the next ones. Left to itself
/// it gives the pages of pictures and masks back to the system each time, above all on threads other than the first.
/// Having them zeroed and mapped again took 9 of 38 ms of processor time for each picture of 1920x1080 that went through
/// the demo's model.
void keep_freed_pages();

}  // namespace maskrt::cli
