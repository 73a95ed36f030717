// What clang++ calls them on Arm: the names of the run-time ABI. 4 and 8 promise an alignment.
#include <cstddef>
#include <cstring>

// NOLINTBEGIN(readability-identifier-naming): the ABI's names
extern "C" {

void __aeabi_memcpy(void* to, const void* from, std::size_t bytes) noexcept { std::memcpy(to, from, bytes); }
void __aeabi_memmove(void* to, const void* from, std::size_t bytes) noexcept
{
    std::memmove(to, from, bytes);
}
void __aeabi_memset(void* to, std::size_t bytes, int value) noexcept { std::memset(to, value, bytes); }
void __aeabi_memclr(void* to, std::size_t bytes) noexcept { std::memset(to, 0, bytes); }

[[gnu::alias("__aeabi_memcpy")]] void __aeabi_memcpy4(void*, const void*, std::size_t) noexcept;
[[gnu::alias("__aeabi_memcpy")]] void __aeabi_memcpy8(void*, const void*, std::size_t) noexcept;
[[gnu::alias("__aeabi_memmove")]] void __aeabi_memmove4(void*, const void*, std::size_t) noexcept;
[[gnu::alias("__aeabi_memmove")]] void __aeabi_memmove8(void*, const void*, std::size_t) noexcept;
[[gnu::alias("__aeabi_memset")]] void __aeabi_memset4(void*, std::size_t, int) noexcept;
[[gnu::alias("__aeabi_memset")]] void __aeabi_memset8(void*, std::size_t, int) noexcept;
[[gnu::alias("__aeabi_memclr")]] void __aeabi_memclr4(void*, std::size_t) noexcept;
[[gnu::alias("__aeabi_memclr")]] void __aeabi_memclr8(void*, std::size_t) noexcept;
}
// NOLINTEND(readability-identifier-naming)
