// Function multiversioning: loops over contiguous numbers are compiled for several x86-64 levels, of which the loader
// picks one.
#pragma once

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__)
// The sanitizer's runtime is not up yet when the loader picks among clones.
#define MASKRT_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define MASKRT_CLONES
#endif
