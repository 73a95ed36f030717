// One description of the memory, and what follows from it: the device tree for Linux, the symbols for a linker.
//   15_print_layout                    both, for the plan below; put your own in its place
//   15_print_layout --device-tree      the reserved-memory nodes, by the names that Linux looks for
//   15_print_layout --linker-symbols   for INCLUDE in a linker script
#include <rpmsg/platform/layout_text.hpp>
#include <rpmsg/rpmsg.hpp>

#include <fmt/format.h>

#include <cstdio>
#include <string_view>

namespace {

// The firmware includes the same, and says `constinit auto resource_table = shared.table();`
constexpr auto shared = rpmsg::lay_out<rpmsg::memory_plan{
    .address = 0x3ED0'0000,
    .size = 0x10'0000,
    .to_driver = {.count = 64},
    .to_device = {.count = 64},
    .cache_line = 64,
    .reserved = 0x1000,
}>();

}  // namespace

int main(int count, char** arguments)
{
    const std::string_view wanted = count > 1 ? arguments[1] : "--both";
    if (count > 2 || (wanted != "--both" && wanted != "--device-tree" && wanted != "--linker-symbols")) {
        fmt::print(stderr, "15_print_layout: says --device-tree or --linker-symbols, or nothing for both\n");
        return 2;
    }
    if (wanted != "--linker-symbols") {
        const auto text = rpmsg::platform::device_tree(shared);
        if (!text) {
            fmt::print(stderr, "15_print_layout: Linux cannot set this memory aside\n");
            return 1;
        }
        fmt::print("{}", *text);
    }
    if (wanted != "--device-tree")
        fmt::print("{}", rpmsg::platform::linker_symbols(shared));
}
