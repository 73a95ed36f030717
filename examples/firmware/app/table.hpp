#pragma once

#include <rpmsg/rpmsg.hpp>

#include <array>
#include <cstddef>
#include <cstdint>

namespace app {

/// A resource table with two RPMsg devices: two links between the same two cores.
struct table_of_two {
    rpmsg::wire::resource_table_header header;
    std::array<rpmsg::wire::le32, 2> offset;
    std::array<rpmsg::wire::resource_rpmsg, 2> vdev;
};

/// The table that follows from the layouts of both links.
[[nodiscard]] constexpr table_of_two make_table(const rpmsg::memory_layout& first,
                                                const rpmsg::memory_layout& second) noexcept
{
    table_of_two table{.header = first.plain_table().header,
                       .offset = {},
                       .vdev = {first.plain_table().vdev, second.plain_table().vdev}};
    table.header.num = 2U;
    for (std::size_t i = 0; i != table.offset.size(); ++i)
        table.offset[i] = static_cast<std::uint32_t>(offsetof(table_of_two, vdev) +
                                                     i * sizeof(rpmsg::wire::resource_rpmsg));
    return table;
}

/// A table that no driver may start, for the tests. @param what  1: no device; 2: a ring of 24; 3: one elsewhere.
[[nodiscard]] constexpr table_of_two broken(table_of_two table, int what) noexcept
{
    if (what == 1)
        table.vdev[0].id = table.vdev[1].id = 3U;
    else if (what == 2)
        table.vdev[0].vring[0].num = 24U;
    else
        table.vdev[0].vring[1].da = 0x1000'0000U;
    return table;
}

}  // namespace app
