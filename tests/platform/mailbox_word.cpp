#include <rpmsg/platform/mailbox_word.hpp>

#include "chip_link.hpp"
#include "support/catch.hpp"
#include "trace.hpp"

#include <cstdint>
#include <type_traits>
#include <vector>

using namespace rpmsg::platform;
using platform_test::lines;
using platform_test::trace;
using rpmsg::policy::vring_id;
using rpmsg::testing::fake_registers;
using rpmsg::testing::journal;
using rpmsg::testing::recording_registers;

namespace {

constexpr std::uintptr_t data = 0x40;
constexpr std::uintptr_t status = 0x44;

template <typename Word, typename Room = never_full>
using mailbox = mailbox_word<data, Word, Room, recording_registers>;
using plain = mailbox<plain_id>;
using checked = mailbox<plain_id, full_when<status, 0x10>>;
/// As an i.MX: a bit says empty.
using patient = mailbox<shifted_id<16>, full_when<status, 0x0010'0000, 0, 3>>;

static_assert(std::is_empty_v<plain> && std::is_empty_v<patient>);
static_assert(plain::carries_queue_id && plain::word_bits == 32 && plain::needs_ack && !plain::coalesces);
static_assert(plain::isr_safe && !plain::is_level && !plain::per_queue_channel);
static_assert(!plain::always_ring && !plain::never_ring);
static_assert(!plain::can_be_lost && !plain::may_block);
static_assert(checked::can_be_lost && !checked::may_block);
static_assert(patient::can_be_lost && patient::may_block);

}  // namespace

TEST_CASE("a mailbox gets one word that is made of the notify id, behind all stores to memory", "[platform]")
{
    const journal log;
    const fake_registers chip;

    SECTION("the id itself")
    {
        plain{}.ring(vring_id::to_driver, 0);
        plain{}.ring(vring_id::to_device, 0x1234'5678);
        CHECK(trace(log) == lines{"before_write", "write 40 = 0", "before_write", "write 40 = 12345678"});
    }
    SECTION("the id in the upper bits")
    {
        mailbox<shifted_id<16>>{}.ring(vring_id::to_device, 1);
        CHECK(trace(log) == lines{"before_write", "write 40 = 10000"});
    }
    SECTION("which of them is the ring's, and does not change the word")
    {
        plain{}.ring(vring_id::to_driver, 5);
        plain{}.ring(vring_id::to_device, 5);
        CHECK(trace(log) == lines{"before_write", "write 40 = 5", "before_write", "write 40 = 5"});
    }
}

TEST_CASE("a mailbox that may be full is asked first", "[platform]")
{
    const journal log;
    fake_registers chip;

    SECTION("and written when it is not")
    {
        chip[status] = 0xFFFF'FFEF;
        checked{}.ring(vring_id::to_device, 1);
        CHECK(trace(log) == lines{"before_write", "read 44 = ffffffef", "write 40 = 1"});
    }
    SECTION("and not written when it is: the word is lost")
    {
        chip[status] = 0x10;
        checked{}.ring(vring_id::to_device, 1);
        CHECK(trace(log) == lines{"before_write", "read 44 = 10"});
    }
    SECTION("as often as it may take, and no more")
    {
        patient{}.ring(vring_id::to_device, 1);
        CHECK(trace(log) == lines{"before_write", "read 44 = 0", "read 44 = 0", "read 44 = 0"});
    }
    SECTION("until there is room")
    {
        int looks = 0;
        chip.when_read(status, [&] { chip[status] = ++looks == 3 ? 0x0010'0000 : 0x000F'0000; });
        patient{}.ring(vring_id::to_device, 1);
        CHECK(trace(log) == lines{"before_write", "read 44 = f0000", "read 44 = f0000", "read 44 = 100000",
                                  "write 40 = 10000"});
    }
}

TEST_CASE("a link over mailboxes is woken at both ends, and told of the ring", "[platform]")
{
    constexpr std::uintptr_t other = 0x80;
    std::vector<std::uint32_t> to_device;
    std::vector<std::uint32_t> to_driver;
    fake_registers chip;
    chip.when_written(data, [&](std::uint32_t word) { to_device.push_back(word); });
    chip.when_written(other, [&](std::uint32_t word) { to_driver.push_back(word); });

    CHECK(platform_test::echoes_over<plain,
                                     mailbox_word<other, shifted_id<16>, never_full, recording_registers>>());
    // The loopback's table has 1 for vring 0, and 2 for vring 1.
    const auto holds = [](const std::vector<std::uint32_t>& words, std::uint32_t one) {
        for (const auto word : words)
            if (word == one)
                return true;
        return false;
    };
    CHECK(holds(to_device, 2));
    CHECK(holds(to_driver, 0x1'0000));
    for (const auto word : to_device)
        CHECK((word == 1 || word == 2));
    for (const auto word : to_driver)
        CHECK((word == 0x1'0000 || word == 0x2'0000));
}
