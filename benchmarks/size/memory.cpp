// The five functions of a C library that compilers call by themselves: all that an image without one needs.
// Compiled with -fno-tree-loop-distribute-patterns (g++) or -fno-builtin (clang++), or the loops become calls
// of the functions that they are in.
#include <cstddef>

extern "C" {

void* memcpy(void* __restrict to, const void* __restrict from, std::size_t bytes) noexcept
{
    auto* target = static_cast<std::byte*>(to);
    for (const auto* source = static_cast<const std::byte*>(from); bytes != 0; --bytes)
        *target++ = *source++;
    return to;
}

void* memmove(void* to, const void* from, std::size_t bytes) noexcept
{
    auto* target = static_cast<std::byte*>(to);
    const auto* source = static_cast<const std::byte*>(from);
    if (target <= source) {
        for (; bytes != 0; --bytes)
            *target++ = *source++;
    } else {
        while (bytes-- != 0)
            target[bytes] = source[bytes];
    }
    return to;
}

void* memset(void* to, int value, std::size_t bytes) noexcept
{
    for (auto* target = static_cast<std::byte*>(to); bytes != 0; --bytes)
        *target++ = static_cast<std::byte>(value);
    return to;
}

int memcmp(const void* one, const void* other, std::size_t bytes) noexcept
{
    const auto* left = static_cast<const unsigned char*>(one);
    const auto* right = static_cast<const unsigned char*>(other);
    for (; bytes != 0; --bytes, ++left, ++right)
        if (*left != *right)
            return *left - *right;
    return 0;
}

std::size_t strlen(const char* text) noexcept
{
    const auto* end = text;
    while (*end != '\0')
        ++end;
    return static_cast<std::size_t>(end - text);
}
}
