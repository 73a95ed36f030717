#include <rpmsg/wire/resource_table.hpp>

#include "support/bytes.hpp"
#include "support/catch.hpp"

#include <cstddef>
#include <type_traits>

using namespace rpmsg::wire;

namespace {

static_assert(sizeof(rpmsg_table) == 88 && alignof(rpmsg_table) == 4);
static_assert(std::is_trivially_copyable_v<rpmsg_table> && std::is_standard_layout_v<rpmsg_table>);
static_assert(offsetof(rpmsg_table, header) == 0 && offsetof(rpmsg_table, offset) == 16);

constexpr std::size_t vdev = offsetof(rpmsg_table, vdev);
static_assert(vdev == 20);
static_assert(vdev + offsetof(resource_rpmsg, type) == 20 && vdev + offsetof(resource_rpmsg, id) == 24);
static_assert(vdev + offsetof(resource_rpmsg, notifyid) == 28 &&
              vdev + offsetof(resource_rpmsg, dfeatures) == 32);
static_assert(vdev + offsetof(resource_rpmsg, gfeatures) == 36 &&
              vdev + offsetof(resource_rpmsg, config_len) == 40);
static_assert(vdev + offsetof(resource_rpmsg, status) == 44 &&
              vdev + offsetof(resource_rpmsg, num_of_vrings) == 45);
static_assert(vdev + offsetof(resource_rpmsg, reserved) == 46 &&
              vdev + offsetof(resource_rpmsg, vring) == 48);
static_assert(sizeof(resource_vring) == 20 && offsetof(resource_vring, da) == 0);
static_assert(offsetof(resource_vring, align) == 4 && offsetof(resource_vring, num) == 8);
static_assert(offsetof(resource_vring, notifyid) == 12 && offsetof(resource_vring, pa) == 16);

static_assert(resource_table_version == 1 && resource_vdev == 3 && virtio_id_rpmsg == 7);
static_assert(resource_any == 0xffffffff);

constinit auto made_before_main = make_rpmsg_table(0, {}, {});

}  // namespace

// The table of OpenAMP's demo for two Linux processes, as recorded: with it both libraries come up.
// @spec Linux include/linux/remoteproc.h, enum fw_resource_type
// @spec Linux include/uapi/linux/virtio_ids.h, VIRTIO_ID_RPMSG
TEST_CASE("a resource table has the recorded bytes", "[wire]")
{
    const auto table =
        make_rpmsg_table(1, {.address = 0x3ed04000, .align = 0x1000, .num = 256, .notify_id = 1},
                         {.address = 0x3ed08000, .align = 0x1000, .num = 256, .notify_id = 2});
    CHECK(hex_of(table) == "01000000"
                           "01000000"
                           "0000000000000000"
                           "14000000"
                           "03000000"
                           "07000000"
                           "00000000"
                           "01000000"
                           "00000000"
                           "00000000"
                           "00"
                           "02"
                           "0000"
                           "0040d03e"
                           "00100000"
                           "00010000"
                           "01000000"
                           "00000000"
                           "0080d03e"
                           "00100000"
                           "00010000"
                           "02000000"
                           "00000000");
}

// @spec Linux include/linux/remoteproc.h, FW_RSC_ADDR_ANY
TEST_CASE("a resource table leaves addresses and notify ids to the driver unless it is told them", "[wire]")
{
    CHECK(made_before_main.vdev.vring[0].da == resource_any);
    CHECK(made_before_main.vdev.vring[1].da == resource_any);
    CHECK(made_before_main.vdev.vring[0].notifyid == resource_any);
    CHECK(made_before_main.vdev.vring[1].notifyid == resource_any);
    CHECK(made_before_main.vdev.vring[1].align == 4096U);
    CHECK(made_before_main.vdev.vring[1].num == 16U);
    CHECK(made_before_main.vdev.status == 0);
    CHECK(made_before_main.vdev.num_of_vrings == 2);
}

// @spec Linux include/linux/remoteproc.h, struct resource_table
// @spec Linux include/linux/remoteproc.h, struct fw_rsc_hdr
// @spec Linux include/linux/remoteproc.h, struct fw_rsc_vdev
// @spec Linux include/linux/remoteproc.h, struct fw_rsc_vdev_vring
TEST_CASE("every byte of a resource table belongs to the field that Linux says", "[wire]")
{
    rpmsg_table table{};
    table.header.ver = 0x01;
    table.header.num = 0x02;
    table.offset[0] = 0x03;
    table.vdev.type = 0x04;
    table.vdev.id = 0x05;
    table.vdev.notifyid = 0x06;
    table.vdev.dfeatures = 0x07;
    table.vdev.gfeatures = 0x08;
    table.vdev.config_len = 0x09;
    table.vdev.status = std::uint8_t{0x0a};
    table.vdev.num_of_vrings = std::uint8_t{0x0b};
    table.vdev.vring[0] = {.da = 0x0c, .align = 0x0d, .num = 0x0e, .notifyid = 0x0f, .pa = 0x10};
    table.vdev.vring[1] = {.da = 0x11, .align = 0x12, .num = 0x13, .notifyid = 0x14, .pa = 0x15};
    CHECK(hex_of(table) == "01000000"
                           "02000000"
                           "0000000000000000"
                           "03000000"
                           "04000000"
                           "05000000"
                           "06000000"
                           "07000000"
                           "08000000"
                           "09000000"
                           "0a"
                           "0b"
                           "0000"
                           "0c000000"
                           "0d000000"
                           "0e000000"
                           "0f000000"
                           "10000000"
                           "11000000"
                           "12000000"
                           "13000000"
                           "14000000"
                           "15000000");
}
