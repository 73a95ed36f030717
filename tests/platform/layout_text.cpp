#include <rpmsg/platform/layout_text.hpp>

#include <rpmsg/bus/lay_out.hpp>

#include "support/catch.hpp"

#include <string>

using namespace rpmsg;
using platform::device_tree;
using platform::linker_symbols;

// @spec Linux drivers/remoteproc/remoteproc_core.c, rproc_find_carveout_by_name()
TEST_CASE("the device tree sets memory aside by the names that Linux looks for", "[platform][rule-14]")
{
    constexpr auto at = lay_out<memory_plan{.address = 0x3ED0'0000, .reserved = 64}>();
    const auto text = device_tree(at);
    REQUIRE(text);
    CHECK(*text == "reserved-memory {\n"
                   "\t#address-cells = <2>;\n"
                   "\t#size-cells = <2>;\n"
                   "\tranges;\n"
                   "\n"
                   "\trsc_table0: rsc-table@3ed00000 {\n"
                   "\t\treg = <0x0 0x3ed00000 0x0 0x1000>;\n"
                   "\t\tno-map;\n"
                   "\t};\n"
                   "\n"
                   "\tvdev0vring0: vdev0vring0@3ed01000 {\n"
                   "\t\tcompatible = \"shared-dma-pool\";\n"
                   "\t\treg = <0x0 0x3ed01000 0x0 0x2000>;\n"
                   "\t\tno-map;\n"
                   "\t};\n"
                   "\n"
                   "\tvdev0vring1: vdev0vring1@3ed03000 {\n"
                   "\t\tcompatible = \"shared-dma-pool\";\n"
                   "\t\treg = <0x0 0x3ed03000 0x0 0x2000>;\n"
                   "\t\tno-map;\n"
                   "\t};\n"
                   "\n"
                   "\tvdev0buffer: vdev0buffer@3ed05000 {\n"
                   "\t\tcompatible = \"shared-dma-pool\";\n"
                   "\t\treg = <0x0 0x3ed05000 0x0 0x4000>;\n"
                   "\t\tno-map;\n"
                   "\t};\n"
                   "};\n");
}

TEST_CASE("the device tree of a second link, above 4 GiB", "[platform][rule-14]")
{
    const auto text = device_tree(memory_layout{{.address = 0x8'8000'0000}}, 1);
    REQUIRE(text);
    CHECK(text->find("rsc-table") == std::string::npos);
    CHECK(text->find("vdev1vring0: vdev1vring0@880000000 {") != std::string::npos);
    CHECK(text->find("reg = <0x8 0x80004000 0x0 0x4000>;") != std::string::npos);
    CHECK(text->find("vdev0") == std::string::npos);
}

TEST_CASE("memory that Linux cannot set aside has no device tree", "[platform][rule-14]")
{
    CHECK(device_tree(memory_layout{{.ring_align = 16, .part_align = 64}}).error() == errc::misaligned);
    CHECK(device_tree(memory_layout{{.to_driver = {.ring = 0x800}}}).error() == errc::misaligned);
    CHECK(device_tree(memory_layout{{.to_device = {.buffers = 0x10'0000}, .driver = driven_by::rpmsg_bus}})
              .error() == errc::out_of_map);
}

TEST_CASE("the linker gets a symbol for each part and its size", "[platform][rule-14]")
{
    constexpr auto at = lay_out<memory_plan{.address = 0x2001'0000, .ring_align = 16, .part_align = 1024}>();
    CHECK(linker_symbols(at) == "rpmsg_shared = 0x20010000;\n"
                                "rpmsg_shared_size = 0x4800;\n"
                                "rpmsg_vring0 = 0x20010000;\n"
                                "rpmsg_vring0_size = 0x1b6;\n"
                                "rpmsg_vring1 = 0x20010400;\n"
                                "rpmsg_vring1_size = 0x1b6;\n"
                                "rpmsg_buffers_to_driver = 0x20010800;\n"
                                "rpmsg_buffers_to_driver_size = 0x2000;\n"
                                "rpmsg_buffers_to_device = 0x20012800;\n"
                                "rpmsg_buffers_to_device_size = 0x2000;\n");
    CHECK(linker_symbols(at, "m4").substr(0, 10) == "m4_shared ");
}
