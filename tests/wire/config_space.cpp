#include <rpmsg/wire/config_space.hpp>

#include <rpmsg/result.hpp>

#include "support/bytes.hpp"
#include "support/catch.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

using namespace rpmsg::wire;
using rpmsg::errc;

namespace {

config_space of_bytes(const std::array<std::uint8_t, 11>& bytes)
{
    config_space config;
    std::memcpy(&config, bytes.data(), bytes.size());
    return config;
}

}  // namespace

// @spec Linux drivers/rpmsg/virtio_rpmsg_bus.c, struct virtio_rpmsg_config
TEST_CASE("the config space has the bytes that Linux reads", "[wire]")
{
    CHECK(hex_of(config_space{{512, 512}}) == "010b00"
                                              "00020000"
                                              "00020000");
    CHECK(hex_of(config_space{{.to_driver = 0x1234, .to_device = 0xABCD}}) == "010b00"
                                                                              "34120000"
                                                                              "cdab0000");
    CHECK(hex_of(config_space{}) == std::string(22, '0'));
}

TEST_CASE("the config space says what was put into it", "[wire]")
{
    const auto sizes = GENERATE(buffer_sizes{}, buffer_sizes{17, 65535}, buffer_sizes{65535, 17});
    const auto read = config_space{sizes}.read_once();
    REQUIRE(read);
    CHECK(*read == sizes);
}

TEST_CASE("a config space of another form, or without room for a message, is refused", "[wire]")
{
    std::array<std::uint8_t, 11> bytes{1, 11, 0, 0, 2, 0, 0, 0, 2, 0, 0};
    REQUIRE(of_bytes(bytes).read_once());

    SECTION("of version 0") { bytes[0] = 0; }
    SECTION("of version 2") { bytes[0] = 2; }
    SECTION("of 10 bytes") { bytes[1] = 10; }
    SECTION("of 12 bytes") { bytes[1] = 12; }
    SECTION("of 267 bytes") { bytes[2] = 1; }
    SECTION("with nothing but a header to the driver") { bytes[3] = 16, bytes[4] = 0; }
    SECTION("with nothing but a header to the device") { bytes[7] = 16, bytes[8] = 0; }
    SECTION("with more than a header can tell of to the driver") { bytes[4] = 0, bytes[5] = 1; }
    SECTION("with more than a header can tell of to the device") { bytes[8] = 0, bytes[9] = 1; }
    SECTION("with 16 MiB and more") { bytes[10] = 1; }

    CHECK(of_bytes(bytes).read_once().error() == errc::malformed);
}
