#pragma once

/// @file
/// What the compiler and the machine are. The only header with conditional compilation.
///
/// Freestanding headers that the core may include, and no others; each compiles with -ffreestanding
/// on every target:
/// @code
///   <array> <atomic> <bit> <chrono> <concepts> <cstddef> <cstdint> <cstring> <limits> <memory> <new>
///   <ratio> <span> <string_view> <tuple> <type_traits> <utility> <version>
/// @endcode
/// The core calls nothing of the C library but memcpy, memmove and memset.

#include <cstdint>
#include <version>

/// RPMsg: messages between the processors of one chip, over two virtqueues and a doorbell.
namespace rpmsg {}

/// What the compiler and the machine are, as constants.
namespace rpmsg::config {

/// Instruction sets whose barriers differ; everything else is `generic`.
enum class architecture : std::uint8_t { generic, arm, aarch64, riscv };

#if defined(__aarch64__)
inline constexpr auto target = architecture::aarch64;
#elif defined(__ARM_ARCH) && (__ARM_ARCH >= 7 || defined(__ARM_ARCH_6M__))
inline constexpr auto target = architecture::arm;
#elif defined(__riscv)
inline constexpr auto target = architecture::riscv;
#else
inline constexpr auto target = architecture::generic;
#endif

/// ThreadSanitizer understands accesses, not fences: policy::smp then avoids fences.
#if defined(__SANITIZE_THREAD__)
inline constexpr bool thread_sanitizer = true;
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
inline constexpr bool thread_sanitizer = true;
#else
inline constexpr bool thread_sanitizer = false;
#endif
#else
inline constexpr bool thread_sanitizer = false;
#endif

}  // namespace rpmsg::config

/// Before a function on the path of every message: inlined wherever it is called, unless the image is to be
/// small. A caller that knows the length of its payload then pays for no call of memcpy.
#if defined(__OPTIMIZE_SIZE__) || !defined(__OPTIMIZE__)
#define RPMSG_HOT_PATH inline
#else
#define RPMSG_HOT_PATH [[gnu::always_inline]] inline
#endif
