// hostile_guest [SECONDS] [SEED]: what a guest may send over a vhost-user socket: requests out of order, cut short, changed
// in any bit, with any files, while it writes over its own rings; and after each, one that behaves has to be served.
// The seed of the run under way is the last line when a sanitizer ends it, so `hostile_guest 0 SEED` repeats it.

#include <rpmsg/platform/linux/vhost_user.hpp>
#include <rpmsg/rpmsg.hpp>

#include "platform/linux/fake_guest.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <random>
#include <span>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

// NOLINTNEXTLINE(bugprone-reserved-identifier,readability-identifier-naming): a sanitizer's own, if there is one
extern "C" void __sanitizer_set_death_callback(void (*)()) __attribute__((weak));

namespace {

using namespace rpmsg::platform;
using platform_test::fake_guest;
using vhost_user::request;

constinit std::uint32_t seed = 1;
void say_seed() { std::fprintf(stderr, "seed %u\n", seed); }

struct totals {
    std::uint64_t runs = 0;
    std::uint64_t sent = 0;
    std::uint64_t refused = 0;
    std::uint64_t cut_off = 0;
    std::uint64_t came_up = 0;
};

class attack {
public:
    explicit attack(std::uint32_t of) : random_{of} {}

    /// Whether all was as it has to be.
    bool run(totals& all)
    {
        const vhost_user_offer offer{.version_1 = chance(2), .reply_ack = !chance(4), .inband = chance(3)};
        const std::uint64_t protocol = offer.reply_ack ? 0x28 : 0x20;
        vhost_user_end end{offer};
        rpmsg::device_bus<vhost_user_board, vhost_user_transport> bus{end.transport(),
                                                                      end.policies<vhost_user_board>()};
        std::optional<rpmsg::rx_buffer> held;
        rpmsg::endpoint echo{bus, [](rpmsg::message in) { return in.payload(); }};
        rpmsg::endpoint keeper{bus, [&](rpmsg::rx_buffer in) { held = std::move(in); }};
        if (!echo.open(rpmsg::address{20}) || !keeper.open("keeper"))
            return false;

        fake_guest guest;
        guest.protocol = protocol;
        if (!end.serve(guest.connect()))
            return false;
        const auto look = [&] {
            if (chance(3))
                return;
            end.service();
            bus.poll();
        };
        auto kernel = guest.boot();
        bool boots = false;
        const auto steps = below(60);
        if (!chance(4)) {
            unsigned until = chance(2) ? below(25) : 100;
            guest.set_up(
                [&] {
                    look();
                    if (until-- == 0)
                        hurt(guest);
                    else
                        static_cast<void>(guest.reply());
                },
                0x4000'0001);
            boots = true;
            kernel.start();
        }
        for (unsigned i = 0; i < steps; ++i) {
            hurt(guest);
            look();
            if (boots)
                kernel.poll();
            all.came_up += bus.state() == rpmsg::link_state::up ? 1 : 0;
            ++all.sent;
        }
        if (chance(2))
            guest.socket().reset();
        end.service();
        bus.poll();
        const auto counts = end.counts();
        all.refused += counts.refused;
        all.cut_off += counts.cut_off;
        ++all.runs;
        return serves_the_next(end, bus, protocol);
    }

private:
    unsigned below(unsigned most) { return static_cast<unsigned>(random_() % most); }
    bool chance(unsigned of) { return below(of) == 0; }
    std::uint64_t number()
    {
        static constexpr std::array<std::uint64_t, 16> telling{
            0,   1,      2,           3,           4,           8,           255,   256,
            257, 0x4000, 0x7f00'0000, 0x7f00'2000, 0xFFFF'FFFF, 1ULL << 32U, ~0ULL, ~0ULL - 4095};
        return chance(3) ? random_() * random_()
                         : telling[below(telling.size())] + (chance(4) ? below(64) : 0);
    }
    std::vector<int> files(fake_guest& guest)
    {
        std::vector<int> out;
        for (unsigned n = chance(2) ? 1 : below(10); n != 0; --n) {
            switch (below(5)) {
            case 0: out.push_back(guest.kick(0).get()); break;
            case 1: out.push_back(guest.call(1).get()); break;
            case 2: out.push_back(null_.get()); break;
            case 3: out.push_back(pipe_.get()); break;
            default: out.push_back(guest.file().get()); break;
            }
        }
        return out;
    }
    /// One thing that a guest should not do, or should do at another time.
    void hurt(fake_guest& guest)
    {
        const auto what = static_cast<request>(chance(8) ? below(80) : 1 + below(21));
        const auto flags = chance(64) ? static_cast<std::uint32_t>(number()) : chance(8) ? 1U : 9U;
        switch (below(9)) {
        case 0: guest.send(what, number(), chance(2) ? std::vector<int>{} : files(guest), flags); break;
        case 1:
            guest.send(what,
                       std::array{static_cast<std::uint32_t>(below(3)), static_cast<std::uint32_t>(number())},
                       {}, flags);
            break;
        case 2: guest.send(what, chance(2) ? std::vector<int>{} : files(guest), flags); break;
        case 3: {
            auto at = fake_guest::addresses(below(3));
            (chance(2) ? at.descriptors : chance(2) ? at.avail : at.used) = number();
            guest.send(request::set_vring_addr, at, {}, flags);
            break;
        }
        case 4: {
            struct {
                std::uint32_t count;
                std::uint32_t padding;
                std::array<vhost_user::memory_region, 8> regions;
            } table{1 + below(9), 0, {}};
            for (auto& one : table.regions)
                one = chance(2)
                          ? fake_guest::one_region()
                          : vhost_user::memory_region{number(), number(), number(), chance(2) ? 0 : number()};
            guest.send(request::set_mem_table, table, files(guest), flags);
            break;
        }
        case 5: {
            if (!chance(8))
                break;
            std::vector<std::byte> noise(below(400));
            for (auto& one : noise)
                one = static_cast<std::byte>(random_());
            guest.send_raw(noise, chance(4) ? files(guest) : std::vector<int>{});
            break;
        }
        case 6: static_cast<void>(guest.reply()); break;
        case 7: eventfd_doorbell{guest.kick(below(2))}.ring(); break;
        default:
            for (unsigned n = below(8); n != 0; --n) {
                const auto word = static_cast<std::uint16_t>(chance(2) ? number() : below(8));
                std::memcpy(&guest.memory()[2 * below(fake_guest::bytes / 4)], &word, sizeof word);
            }
            break;
        }
    }
    static bool serves_the_next(vhost_user_end& end, auto& bus, std::uint64_t protocol)
    {
        fake_guest next;
        next.protocol = protocol;
        // The one before may still be connected: nothing that it did has to be a reason to end that.
        const std::uint64_t want = 0x4000'0001;
        if (end.has_guest() && end.serve(next.connect()).error() == rpmsg::errc::busy)
            return true;
        if (!end.has_guest() && !end.serve(next.connect()))
            return false;
        next.set_up(
            [&] {
                end.service();
                static_cast<void>(next.reply());
            },
            want);
        auto kernel = next.boot();
        int echoes = 0;
        rpmsg::endpoint caller{kernel, [&](rpmsg::message) { ++echoes; }};
        if (!caller.open(rpmsg::address{1024}, rpmsg::towards{rpmsg::address{20}}))
            return false;
        for (int i = 0; i < 200 && echoes == 0; ++i) {
            kernel.poll();
            end.service();
            bus.poll();
            if (i == 50 && !caller.try_send(std::as_bytes(std::span{"x", 1})))
                return false;
        }
        return echoes == 1;
    }

    std::minstd_rand random_;
    file_descriptor null_{::open("/dev/null", O_RDWR | O_CLOEXEC)};
    file_descriptor pipe_{[] {
        std::array<int, 2> ends{};
        if (::pipe2(ends.data(), O_CLOEXEC) == 0)
            ::close(ends[1]);
        return ends[0];
    }()};
};

}  // namespace

int main(int argc, char** argv)
{
    using clock = std::chrono::steady_clock;
    const auto until = clock::now() + std::chrono::seconds{argc > 1 ? std::atoi(argv[1]) : 60};
    seed = argc > 2 ? static_cast<std::uint32_t>(std::strtoul(argv[2], nullptr, 0)) : 1;
    if (__sanitizer_set_death_callback != nullptr)
        __sanitizer_set_death_callback(say_seed);
    totals all;
    do {
        if (!attack{seed}.run(all)) {
            std::fprintf(stderr, "a guest that behaves was not served after one that did not\n");
            say_seed();
            return EXIT_FAILURE;
        }
        ++seed;
    } while (clock::now() < until);
    std::printf(
        "%llu guests, %llu steps, %llu requests refused, %llu guests cut off, link up after %llu steps\n",
        static_cast<unsigned long long>(all.runs), static_cast<unsigned long long>(all.sent),
        static_cast<unsigned long long>(all.refused), static_cast<unsigned long long>(all.cut_off),
        static_cast<unsigned long long>(all.came_up));
    return all.refused != 0 && all.cut_off != 0 && all.came_up != 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
