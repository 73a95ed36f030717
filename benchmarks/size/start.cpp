// Start-up for Cortex-M: stack, .data, .bss, main().
#include <array>
#include <cstdint>

int main();

extern "C" {
extern std::uint32_t stack_top, data_load, data_begin, data_end, bss_begin, bss_end;

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

[[noreturn]] void fault() noexcept
{
    for (;;) {}
}
}

struct vectors {
    std::uint32_t* stack;
    std::array<void (*)() noexcept, 15> exceptions;
};

[[gnu::section(".vectors"), gnu::used]] const vectors vector_table{&stack_top,
                                                                   {reset, fault, fault, fault, fault, fault,
                                                                    fault, fault, fault, fault, fault, fault,
                                                                    fault, fault, fault}};
