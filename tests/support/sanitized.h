// How this test was compiled, where what it costs depends on that.
#pragma once

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MASKRT_TEST_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define MASKRT_TEST_SANITIZED 1
#endif
#endif

namespace maskrt::testing {

/// Whether an address or thread sanitizer watches, GCC's or clang's: everything takes several times as long.
#ifdef MASKRT_TEST_SANITIZED
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

/// Whether the compiler optimised.
#ifdef __OPTIMIZE__
inline constexpr bool kOptimized = true;
#else
inline constexpr bool kOptimized = false;
#endif

}  // namespace maskrt::testing
