// Cortex-M begins by itself: it takes the stack and the first function from the vector table.
#include <array>
#include <cstdint>

extern "C" {
extern std::uint32_t stack_top;
[[noreturn]] void reset() noexcept;

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
