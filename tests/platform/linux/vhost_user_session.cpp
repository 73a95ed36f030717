#include <rpmsg/platform/linux/vhost_user_session.hpp>

#include <rpmsg/platform/linux/vhost_user.hpp>
#include <rpmsg/rpmsg.hpp>

#include "fake_guest.hpp"
#include "ping_pong.hpp"
#include "support/catch.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <span>
#include <vector>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

using namespace rpmsg::platform;
using platform_test::fake_guest;
using vhost_user::memory_region;
using vhost_user::request;

namespace {

using device = rpmsg::device_bus<vhost_user_board, vhost_user_transport>;

/// A device whose guest has agreed on features, and shared nothing yet.
struct conversation {
    conversation()
    {
        REQUIRE(end.serve(guest.connect()));
        ask(request::set_protocol_features, std::uint64_t{0x28});
        REQUIRE(answer() == 0U);
        ask(request::set_features, std::uint64_t{0x1'4000'0001});
        REQUIRE(answer() == 0U);
    }
    void ask(request what, const auto& body, std::vector<int> files = {}, std::uint32_t flags = 9)
    {
        guest.send(what, body, std::move(files), flags);
    }
    std::optional<std::uint64_t> answer()
    {
        end.service();
        return guest.reply();
    }
    void share_memory()
    {
        guest.share();
        REQUIRE(answer() == 0U);
    }
    std::optional<std::uint64_t> share(std::initializer_list<memory_region> regions, std::vector<int> files)
    {
        struct {
            std::uint32_t count;
            std::uint32_t padding;
            std::array<memory_region, 8> regions;
        } table{static_cast<std::uint32_t>(regions.size()), 0, {}};
        std::copy(regions.begin(), regions.end(), table.regions.begin());
        ask(request::set_mem_table, table, std::move(files));
        return answer();
    }
    /// Whatever was refused, the guest can set up its rings all the same, and is heard.
    void goes_on()
    {
        guest.set_up(
            [this] {
                end.service();
                static_cast<void>(guest.reply());
            },
            0x1'4000'0001, true);
        auto kernel = guest.boot();
        const platform_test::until deadline{platform_test::a_hang};
        while (bus.state() != rpmsg::link_state::up && !deadline.passed()) {
            kernel.poll();
            end.service();
            bus.poll();
        }
        CHECK(bus.state() == rpmsg::link_state::up);
    }

    vhost_user_end end;
    device bus{end.transport(), end.policies<vhost_user_board>()};
    fake_guest guest;
};

constexpr std::uint64_t refused = 1;

}  // namespace

TEST_CASE("a request that makes no sense is refused, and the guest may go on", "[platform]")
{
    conversation guest;
    const int file = guest.guest.file().get();
    const auto region = fake_guest::one_region();

    SECTION("one that nobody knows")
    {
        guest.guest.send(static_cast<request>(77));
        CHECK(guest.answer() == refused);
    }
    SECTION("features that were not offered")
    {
        guest.ask(request::set_features, std::uint64_t{1} << 29U);
        CHECK(guest.answer() == refused);
    }
    SECTION("protocol features that were not offered")
    {
        guest.ask(request::set_protocol_features, std::uint64_t{0x4028});
        CHECK(guest.answer() == refused);
    }
    SECTION("an in-band doorbell that was not agreed on")
    {
        guest.ask(request::vring_kick, fake_guest::state(0, 0));
        CHECK(guest.answer() == refused);
    }
    SECTION("a region of no bytes") { CHECK(guest.share({{0x4000, 0, 0x4000, 0}}, {file}) == refused); }
    SECTION("a region beyond the last address, of the guest's, of its program's, of the file's")
    {
        CHECK(guest.share({{~0ULL - 10, 4096, 0x4000, 0}}, {file}) == refused);
        CHECK(guest.share({{0x4000, 4096, ~0ULL - 10, 0}}, {file}) == refused);
        CHECK(guest.share({{0x4000, 4096, 0x4000, ~0ULL - 10}}, {file}) == refused);
        CHECK(guest.share({{0x4000, ~0ULL, 0x4000, 0}}, {file}) == refused);
    }
    SECTION("a region whose file is shorter than it claims")
    {
        auto longer = region;
        longer.size += 1;
        CHECK(guest.share({longer}, {file}) == refused);
        longer.size = std::uint64_t{1} << 50U;
        CHECK(guest.share({longer}, {file}) == refused);
    }
    SECTION("regions over each other")
    {
        auto other = region;
        other.user_address += 0x1000'0000;
        other.guest_address += region.size - 1;
        other.size = 4096;
        CHECK(guest.share({region, other}, {file, file}) == refused);
        CHECK(guest.share({other, region}, {file, file}) == refused);
        other.guest_address = 0x1'0000'0000;
        other.user_address = region.user_address;
        CHECK(guest.share({region, other}, {file, file}) == refused);
    }
    SECTION("more regions than files, and fewer")
    {
        CHECK(guest.share({region, region}, {file}) == refused);
        CHECK(guest.share({region}, {file, file}) == refused);
    }
    SECTION("a region of something that is no regular file, or cannot be written")
    {
        std::array<int, 2> ends{};
        REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
        const file_descriptor read{ends[0]};
        const file_descriptor write{ends[1]};
        CHECK(guest.share({region}, {read.get()}) == refused);
        const file_descriptor folder{::open("/", O_RDONLY | O_CLOEXEC)};
        CHECK(guest.share({region}, {folder.get()}) == refused);
        const file_descriptor program{::open("/proc/self/exe", O_RDONLY | O_CLOEXEC)};
        CHECK(guest.share({{0x4000, 64, 0x4000, 0}}, {program.get()}) == refused);
    }
    SECTION("a third ring")
    {
        guest.share_memory();
        for (const auto what : {request::set_vring_num, request::set_vring_base, request::set_vring_enable}) {
            guest.ask(what, fake_guest::state(2, 0));
            CHECK(guest.answer() == refused);
        }
        guest.ask(request::set_vring_addr, fake_guest::addresses(2));
        CHECK(guest.answer() == refused);
        guest.ask(request::set_vring_kick, std::uint64_t{2}, {guest.guest.kick(0).get()});
        CHECK(guest.answer() == refused);
    }
    SECTION("a ring of a size that none has")
    {
        for (const std::uint32_t num : {0U, 3U, 65536U, 0x8000'0000U}) {
            guest.ask(request::set_vring_num, fake_guest::state(0, num));
            CHECK(guest.answer() == refused);
        }
    }
    SECTION("a ring that was in use before")
    {
        guest.ask(request::set_vring_base, fake_guest::state(0, 5));
        CHECK(guest.answer() == refused);
    }
    SECTION("a ring that is neither on nor off")
    {
        guest.ask(request::set_vring_enable, fake_guest::state(0, 2));
        CHECK(guest.answer() == refused);
    }
    SECTION("a place of a ring before there is memory, or before its size is known")
    {
        guest.ask(request::set_vring_addr, fake_guest::addresses(0));
        CHECK(guest.answer() == refused);
        guest.share_memory();
        guest.ask(request::set_vring_addr, fake_guest::addresses(0));
        CHECK(guest.answer() == refused);
    }
    SECTION("a ring outside of the memory, or in pieces")
    {
        guest.share_memory();
        guest.ask(request::set_vring_num, fake_guest::state(0, fake_guest::num));
        CHECK(guest.answer() == 0U);
        auto at = fake_guest::addresses(0);
        at.descriptors += 0x1000'0000;
        at.avail += 0x1000'0000;
        at.used += 0x1000'0000;
        guest.ask(request::set_vring_addr, at);
        CHECK(guest.answer() == refused);
        at = fake_guest::addresses(0);
        at.avail += 64;
        guest.ask(request::set_vring_addr, at);
        CHECK(guest.answer() == refused);
        at = fake_guest::addresses(0);
        at.used = at.descriptors;
        guest.ask(request::set_vring_addr, at);
        CHECK(guest.answer() == refused);
    }
    SECTION("doorbells that are none")
    {
        for (const auto what : {request::set_vring_kick, request::set_vring_call}) {
            guest.ask(what, std::uint64_t{0}, {file});
            CHECK(guest.answer() == refused);
            guest.ask(what, std::uint64_t{0});  // says that a file comes, and none does
            CHECK(guest.answer() == refused);
            guest.ask(what, std::uint64_t{0x100}, {guest.guest.kick(0).get()});
            CHECK(guest.answer() == refused);
            guest.ask(what, std::uint64_t{0x200}, {guest.guest.kick(0).get()});
            CHECK(guest.answer() == refused);
        }
        guest.ask(request::set_vring_kick, std::uint64_t{0x100});  // it would have to be watched
        CHECK(guest.answer() == refused);
    }
    CHECK(guest.end.counts().refused != 0);
    CHECK(guest.end.counts().cut_off == 0);
    guest.goes_on();
}

TEST_CASE("a guest that does not keep to the form is cut off, and the next one is served", "[platform]")
{
    conversation guest;
    const auto raw = [&](std::uint32_t number, std::uint32_t flags, std::uint32_t size,
                         std::size_t bytes = 0) {
        const vhost_user::header head{number, flags, size};
        std::vector<std::byte> whole(sizeof head + bytes);
        std::memcpy(whole.data(), &head, sizeof head);
        guest.guest.send_raw(whole);
    };

    SECTION("another version") { raw(1, 2, 0); }
    SECTION("an answer where a request is due") { raw(1, 5, 0); }
    SECTION("longer than any message") { raw(5, 9, 1000); }
    SECTION("longer than a number holds") { raw(5, 9, 0xFFFF'FFFF); }
    SECTION("a body where there is none") { raw(1, 1, 8, 8); }
    SECTION("a body that is too short") { raw(2, 1, 4, 4); }
    SECTION("a request that nobody knows, and no wish for an answer") { raw(77, 1, 0); }
    SECTION("a request that makes no sense, and no wish for an answer")
    {
        guest.ask(request::set_vring_num, fake_guest::state(7, 1), {}, 1);
    }
    SECTION("files where there are none")
    {
        guest.guest.send(request::get_features, {guest.guest.file().get()}, 1);
    }
    SECTION("more files than any message has")
    {
        guest.guest.send(request::set_mem_table, std::vector<int>(40, guest.guest.file().get()));
    }
    SECTION("nobody at the other end, in the middle of a message")
    {
        raw(2, 9, 8, 3);
        guest.end.service();
        CHECK(guest.end.has_guest());  // it may still come
        guest.guest.socket().reset();
    }
    guest.end.service();
    CHECK_FALSE(guest.end.has_guest());

    fake_guest next;
    REQUIRE(guest.end.serve(next.connect()));
    next.send(request::get_features, {}, 1);
    guest.end.service();
    CHECK(next.reply() == 0x1'4000'0001U);
}

TEST_CASE("a message that comes a byte at a time is understood", "[platform]")
{
    conversation guest;
    const vhost_user::header head{2, 9, 8};
    const std::uint64_t features = 0x1'4000'0001;
    std::array<std::byte, sizeof head + 8> whole{};
    std::memcpy(whole.data(), &head, sizeof head);
    std::memcpy(whole.data() + sizeof head, &features, 8);
    for (std::size_t i = 0; i < whole.size(); ++i) {
        CHECK(guest.answer() == std::nullopt);
        guest.guest.send_raw(std::span{whole}.subspan(i, 1));
    }
    CHECK(guest.answer() == 0U);
}

TEST_CASE("a guest hears what is offered, and how far a ring went", "[platform]")
{
    conversation guest;
    guest.guest.send(request::get_features, {}, 1);
    CHECK(guest.answer() == 0x1'4000'0001U);
    guest.guest.send(request::get_protocol_features, {}, 1);
    CHECK(guest.answer() == 0x28U);
    guest.guest.send(request::get_queue_num, {}, 1);
    CHECK(guest.answer() == 2U);
    guest.goes_on();
    guest.ask(request::get_vring_base, fake_guest::state(1, 0), {}, 1);
    CHECK(guest.answer() == 1U);  // {1, 0}: nothing was used
    guest.bus.poll();
    CHECK(guest.bus.state() != rpmsg::link_state::up);  // and that was the end of it
    guest.guest.send(request::reset_owner);
    CHECK(guest.answer() == 0U);
}

TEST_CASE("a legacy device offers no version 1", "[platform]")
{
    vhost_user_end end{{.version_1 = false, .reply_ack = false}};
    device bus{end.transport(), end.policies<vhost_user_board>()};
    fake_guest guest;
    REQUIRE(end.serve(guest.connect()));
    guest.send(request::get_features, {}, 1);
    end.service();
    CHECK(guest.reply() == 0x4000'0001U);
    guest.send(request::get_protocol_features, {}, 1);
    end.service();
    CHECK(guest.reply() == 0x20U);
}
