// Start-up, where there is a stack already: .data, .bss, main(). entry/ comes before it.
#include <cstdint>

int main();

extern "C" {
extern std::uint32_t data_load, data_begin, data_end, bss_begin, bss_end;

[[noreturn]] void reset() noexcept
{
    const auto* from = &data_load;
    for (auto* to = &data_begin; to != &data_end; ++to, ++from)
        *to = *from;
    for (auto* to = &bss_begin; to != &bss_end; ++to)
        *to = 0;
    main();
    for (;;) {}
}
}
