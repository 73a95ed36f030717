// What a compiler may call, and what nobody else brings along.
#include <cstddef>

extern "C" {
void* memcpy(void* to, const void* from, std::size_t count)
{
    auto* t = static_cast<unsigned char*>(to);
    const auto* f = static_cast<const unsigned char*>(from);
    while (count-- != 0)
        *t++ = *f++;
    return to;
}
void* memmove(void* to, const void* from, std::size_t count)
{
    auto* t = static_cast<unsigned char*>(to);
    const auto* f = static_cast<const unsigned char*>(from);
    if (t < f)
        return memcpy(to, from, count);
    while (count-- != 0)
        t[count] = f[count];
    return to;
}
void* memset(void* to, int value, std::size_t count)
{
    auto* t = static_cast<unsigned char*>(to);
    while (count-- != 0)
        *t++ = static_cast<unsigned char>(value);
    return to;
}
int memcmp(const void* left, const void* right, std::size_t count)
{
    const auto* l = static_cast<const unsigned char*>(left);
    const auto* r = static_cast<const unsigned char*>(right);
    for (; count != 0; --count, ++l, ++r)
        if (*l != *r)
            return *l < *r ? -1 : 1;
    return 0;
}
std::size_t strlen(const char* text)
{
    std::size_t length = 0;
    while (text[length] != '\0')
        ++length;
    return length;
}
}
