#pragma once

/// @file
/// A memory_layout as texts for those who do not include it: a device tree, a linker script. Needs {fmt}.

#include <rpmsg/bus/memory_layout.hpp>
#include <rpmsg/policy/doorbell.hpp>
#include <rpmsg/result.hpp>
#include <rpmsg/virtio/table_check.hpp>

#include <fmt/format.h>

#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>

namespace rpmsg::platform {

/// The reserved-memory nodes of a layout, by the names that Linux's remoteproc drivers look for.
///
/// `vdevNvring0` and `vdevNvring1` for the vrings, `vdevNbuffer` for all buffers, and `rsc-table` for what is
/// reserved at the start, if anything is. Addresses are as the device sees them: where Linux sees others, its own
/// are to be put in their place.
///
/// @param link  N: which RPMsg device of the firmware this is.
/// @return errc::misaligned: Linux sets memory aside by pages of 4096, and a part does not begin on one;
///         errc::out_of_map: it takes all buffers from one piece.
/// @spec Linux drivers/remoteproc/remoteproc_core.c, rproc_find_carveout_by_name()
[[nodiscard]] inline result<std::string> device_tree(const memory_layout& layout, unsigned link = 0)
{
    constexpr std::uint64_t page = 4096;
    const auto& vring0 = layout.ring(policy::vring_id::to_driver);
    const auto& vring1 = layout.ring(policy::vring_id::to_device);
    const auto& first = layout.buffers(policy::vring_id::to_driver);
    const auto& last = layout.buffers(policy::vring_id::to_device);
    if (!layout.has_one_pool())
        return errc::out_of_map;
    const virtio::placed buffers{first.address, last.end() - first.address};

    std::string text = "reserved-memory {\n"
                       "\t#address-cells = <2>;\n"
                       "\t#size-cells = <2>;\n"
                       "\tranges;\n";
    bool aligned = true;
    const auto node = [&](const std::string& name, const std::string& label, const virtio::placed& part,
                          std::string_view compatible) {
        const auto size = (part.size + page - 1) / page * page;
        aligned = aligned && part.address % page == 0;
        fmt::format_to(std::back_inserter(text),
                       "\n\t{}: {}@{:x} {{\n{}\t\treg = <{:#x} {:#x} {:#x} {:#x}>;\n\t\tno-map;\n\t}};\n",
                       label, name, part.address, compatible, part.address >> 32U,
                       part.address & 0xFFFF'FFFFU, size >> 32U, size & 0xFFFF'FFFFU);
    };
    constexpr std::string_view pool = "\t\tcompatible = \"shared-dma-pool\";\n";
    if (layout.plan().reserved != 0)
        node("rsc-table", fmt::format("rsc_table{}", link), {layout.address(), layout.plan().reserved}, {});
    for (const auto& [what, part] : {std::pair{"vring0", vring0}, {"vring1", vring1}, {"buffer", buffers}}) {
        const auto name = fmt::format("vdev{}{}", link, what);
        node(name, name, part, pool);
    }
    if (!aligned)
        return errc::misaligned;
    text += "};\n";
    return text;
}

/// The places and sizes of a layout as assignments for a linker script.
///
/// @param prefix  What the symbols begin with: letters, digits and underscores.
[[nodiscard]] inline std::string linker_symbols(const memory_layout& layout,
                                                std::string_view prefix = "rpmsg")
{
    std::string text;
    const auto symbol = [&](std::string_view name, std::uint64_t address, std::uint64_t size) {
        fmt::format_to(std::back_inserter(text), "{0}_{1} = {2:#x};\n{0}_{1}_size = {3:#x};\n", prefix, name,
                       address, size);
    };
    symbol("shared", layout.address(), layout.size());
    for (const auto& [name, which] :
         {std::pair{"vring0", policy::vring_id::to_driver}, {"vring1", policy::vring_id::to_device}})
        symbol(name, layout.ring(which).address, layout.ring(which).size);
    for (const auto& [name, which] : {std::pair{"buffers_to_driver", policy::vring_id::to_driver},
                                      {"buffers_to_device", policy::vring_id::to_device}})
        symbol(name, layout.buffers(which).address, layout.buffers(which).size);
    return text;
}

}  // namespace rpmsg::platform
