// What the library and the compiler call of a C library, for images that have none.
#include <cstddef>

// The compiler would make calls of themselves of these loops.
#pragma GCC optimize("no-tree-loop-distribute-patterns")

extern "C" {

void* memcpy(void* to, const void* from, std::size_t bytes)
{
    auto* const target = static_cast<std::byte*>(to);
    const auto* const source = static_cast<const std::byte*>(from);
    for (std::size_t i = 0; i < bytes; ++i)
        target[i] = source[i];
    return to;
}

void* memmove(void* to, const void* from, std::size_t bytes)
{
    auto* const target = static_cast<std::byte*>(to);
    const auto* const source = static_cast<const std::byte*>(from);
    if (target < source)
        return memcpy(to, from, bytes);  // forwards
    for (std::size_t i = bytes; i > 0; --i)
        target[i - 1] = source[i - 1];
    return to;
}

void* memset(void* at, int value, std::size_t bytes)
{
    auto* const target = static_cast<std::byte*>(at);
    for (std::size_t i = 0; i < bytes; ++i)
        target[i] = static_cast<std::byte>(value);
    return at;
}
}
