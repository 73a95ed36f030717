#include <rpmsg/testing/recording_registers.hpp>

#include <rpmsg/platform/mmio.hpp>

#include "support/catch.hpp"

#include <cstdint>
#include <optional>
#include <vector>

using namespace rpmsg::testing;

static_assert(rpmsg::platform::registers<recording_registers>);

TEST_CASE("recorded registers hold what was written, and every access is written down", "[testing]")
{
    journal log;
    fake_registers chip;
    CHECK(fake_registers::innermost() == &chip);

    recording_registers::memory_before_write();
    recording_registers::write(0x40, 7);
    CHECK(recording_registers::read(0x40) == 7);
    CHECK(recording_registers::read(0x44) == 0);
    recording_registers::access_before_memory();

    CHECK(log.events() ==
          std::vector{event::before_write, event::write, event::read, event::read, event::before_memory});
    CHECK(log.count({event::write, fake_registers::pointer(0x40), 7}) == 1);
    CHECK(log.count({event::read, fake_registers::pointer(0x40), 7}) == 1);
    CHECK(log.count({event::read, fake_registers::pointer(0x44), 0}) == 1);
    CHECK(log.find({event::write})->detail == 4);
    CHECK(log.find({event::read})->detail == 4);
    CHECK(log.mistakes() == 0);

    SECTION("the test's own accesses are not")
    {
        log.clear();
        chip[0x40] = 8;
        CHECK(chip[0x40] == 8);
        CHECK(log.entries().empty());
        CHECK(recording_registers::read(0x40) == 8);
    }
    SECTION("a register may do something instead of holding what is written")
    {
        std::uint32_t got = 0;
        chip.when_written(0x40, [&](std::uint32_t value) { got = value; });
        recording_registers::write(0x40, 9);
        CHECK(got == 9);
        CHECK(chip[0x40] == 7);
    }
    SECTION("a register may change before it is read")
    {
        chip.when_read(0x40, [&] { ++chip[0x40]; });
        CHECK(recording_registers::read(0x40) == 8);
        CHECK(recording_registers::read(0x40) == 9);
    }
    SECTION("an address that is no multiple of 4 is a mistake")
    {
        static_cast<void>(recording_registers::read(0x41));
        recording_registers::write(0x42, 0);
        CHECK(log.mistakes() == 2);
    }
}

TEST_CASE("the registers that were made last are those that are reached", "[testing]")
{
    fake_registers outer;
    {
        fake_registers inner;
        recording_registers::write(0x10, 1);
        CHECK(inner[0x10] == 1);
    }
    recording_registers::write(0x10, 2);
    CHECK(outer[0x10] == 2);
}

TEST_CASE("without registers reads give 0 and the rest goes nowhere", "[testing]")
{
    REQUIRE(fake_registers::innermost() == nullptr);
    journal log;
    recording_registers::write(0x10, 1);
    recording_registers::memory_before_write();
    recording_registers::access_before_memory();
    CHECK(recording_registers::read(0x10) == 0);
    CHECK(log.entries().empty());
    const fake_registers chip;  // and without a journal there is nothing to say
}
