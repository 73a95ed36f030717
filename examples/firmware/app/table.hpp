#pragma once

#include <rpmsg/rpmsg.hpp>

#include <array>
#include <cstddef>

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

}  // namespace app
