#pragma once

#include <rpmsg/wire/config_space.hpp>
#include <rpmsg/wire/little_endian.hpp>

#include <array>
#include <cstddef>
#include <cstdint>

namespace rpmsg::wire {

/// The head of a resource table; `num` le32 offsets, from the table's start, follow.
///
/// @spec Linux include/linux/remoteproc.h, struct resource_table
struct resource_table_header {
    le32 ver;                      ///< resource_table_version.
    le32 num;                      ///< Entries.
    std::array<le32, 2> reserved;  ///< 0.
};
static_assert(sizeof(resource_table_header) == 16);

inline constexpr std::uint32_t resource_table_version = 1;
/// Types of entries.
inline constexpr std::uint32_t resource_carveout = 0;  ///< Memory to be set aside.
inline constexpr std::uint32_t resource_devmem = 1;    ///< Memory to be mapped by an IOMMU.
inline constexpr std::uint32_t resource_trace = 2;     ///< A buffer of text.
inline constexpr std::uint32_t resource_vdev = 3;      ///< A virtio device.
inline constexpr std::uint32_t resource_vendor_first = 128;
inline constexpr std::uint32_t resource_vendor_last = 512;
/// Bytes of the entries that RPMsg has no use for, type included.
inline constexpr std::size_t carveout_size = 56;
inline constexpr std::size_t devmem_size = 56;
inline constexpr std::size_t trace_size = 48;
inline constexpr std::uint32_t virtio_id_rpmsg = 7;         ///< `id` of a vdev that carries RPMsg.
inline constexpr std::uint32_t resource_any = 0xFFFF'FFFF;  ///< `da` or `notifyid`: the driver chooses.

/// One vring of a vdev entry.
///
/// @spec Linux include/linux/remoteproc.h, struct fw_rsc_vdev_vring
struct resource_vring {
    le32 da;        ///< Where the ring starts, as the device sees it; resource_any until Linux chose.
    le32 align;     ///< Of the used ring: a power of two.
    le32 num;       ///< Descriptors: a power of two.
    le32 notifyid;  ///< What the doorbell carries; Linux rewrites it.
    le32 pa;        ///< 0.
};
static_assert(sizeof(resource_vring) == 20);

/// The vdev entry of RPMsg with its two vrings. Config space, if any, follows.
///
/// The firmware fills everything but gfeatures, status and, where it says "any", da.
///
/// @spec Linux include/linux/remoteproc.h, struct fw_rsc_hdr
/// @spec Linux include/linux/remoteproc.h, struct fw_rsc_vdev
struct resource_rpmsg {
    le32 type;                                  ///< resource_vdev.
    le32 id;                                    ///< virtio_id_rpmsg.
    le32 notifyid;                              ///< What the doorbell carries for changes of status.
    le32 dfeatures;                             ///< Feature bits 0 to 31 that the device offers.
    le32 gfeatures;                             ///< Those that the driver accepted.
    le32 config_len;                            ///< Bytes of config space behind the vrings.
    little_endian<std::uint8_t> status;         ///< virtio::status.
    little_endian<std::uint8_t> num_of_vrings;  ///< 2.
    std::array<little_endian<std::uint8_t>, 2> reserved;  ///< 0.
    std::array<resource_vring, 2> vring;                  ///< 0: device to driver. 1: driver to device.
};
static_assert(sizeof(resource_rpmsg) == 68);
static_assert(offsetof(resource_rpmsg, status) == 24 && offsetof(resource_rpmsg, vring) == 28);

/// A whole table with one RPMsg device in it: 88 bytes, 4-byte aligned.
/// @spec Linux include/uapi/linux/virtio_ids.h, VIRTIO_ID_RPMSG
/// @spec Linux include/linux/remoteproc.h, enum fw_resource_type
struct rpmsg_table {
    resource_table_header header;
    std::array<le32, 1> offset;  ///< Of `vdev`.
    resource_rpmsg vdev;
};
static_assert(sizeof(rpmsg_table) == 88);

/// The same with the config space that states the buffer sizes: 100 bytes, the last of them unused.
struct rpmsg_table_with_sizes {
    resource_table_header header;
    std::array<le32, 1> offset;
    resource_rpmsg vdev;
    config_space config;
};
static_assert(sizeof(rpmsg_table_with_sizes) == 100);
static_assert(offsetof(rpmsg_table_with_sizes, config) ==
              offsetof(rpmsg_table_with_sizes, vdev) + sizeof(resource_rpmsg));

/// Where one vring is to be, and how large.
/// @spec Linux include/linux/remoteproc.h, FW_RSC_ADDR_ANY
struct vring_request {
    std::uint32_t address = resource_any;  ///< As the device sees it, aligned to `align`, or resource_any.
    std::uint32_t align = 4096;            ///< A power of two, at least 4.
    std::uint32_t num = 16;                ///< A power of two, 1 to 32768 (Linux: at most 256).
    std::uint32_t notify_id = resource_any;
};

/// The table of a device that offers `features` over two vrings, status still 0.
constexpr rpmsg_table make_rpmsg_table(std::uint32_t features, vring_request to_driver,
                                       vring_request to_device) noexcept
{
    rpmsg_table table{};
    table.header.ver = resource_table_version;
    table.header.num = 1;
    table.offset[0] = offsetof(rpmsg_table, vdev);
    table.vdev.type = resource_vdev;
    table.vdev.id = virtio_id_rpmsg;
    table.vdev.dfeatures = features;
    table.vdev.num_of_vrings = std::uint8_t{2};
    std::size_t which = 0;
    for (const auto& request : {to_driver, to_device}) {
        auto& ring = table.vdev.vring[which++];
        ring.da = request.address;
        ring.align = request.align;
        ring.num = request.num;
        ring.notifyid = request.notify_id;
    }
    return table;
}

/// The same for a device that states its buffer sizes; `features` says so (policy::feature::buffer_sizes).
constexpr rpmsg_table_with_sizes make_rpmsg_table(std::uint32_t features, vring_request to_driver,
                                                  vring_request to_device, const buffer_sizes& sizes) noexcept
{
    const auto plain = make_rpmsg_table(features, to_driver, to_device);
    rpmsg_table_with_sizes table{plain.header, plain.offset, plain.vdev, config_space{sizes}};
    table.vdev.config_len = sizeof table.config;
    return table;
}

}  // namespace rpmsg::wire
