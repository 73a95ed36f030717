#pragma once

#include <rpmsg/rpmsg.hpp>
#include <rpmsg/testing/loopback.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

/// Random traffic over memory that a liar writes to at any moment. Needs no test framework.
namespace corruption {

using namespace rpmsg;

/// Who is told of each access to a ring word and each clean and invalidate, so between any two steps of a bus.
struct steps {
    static inline void (*told)(void*) = nullptr;
    static inline void* whom = nullptr;
    static void step() noexcept
    {
        if (told != nullptr)
            told(whom);
    }
};

/// single_core, and somebody else moves before each step.
struct interrupted_coherence : policy::single_core {
    std::uint16_t load_acquire(const wire::le16& word) noexcept
    {
        return steps::step(), policy::single_core::load_acquire(word);
    }
    std::uint16_t load_relaxed(const wire::le16& word) noexcept
    {
        return steps::step(), policy::single_core::load_relaxed(word);
    }
    void store_release(wire::le16& word, std::uint16_t value) noexcept
    {
        steps::step(), policy::single_core::store_release(word, value);
    }
    void store_relaxed(wire::le16& word, std::uint16_t value) noexcept
    {
        steps::step(), policy::single_core::store_relaxed(word, value);
    }
    void full_barrier() noexcept { steps::step(), policy::single_core::full_barrier(); }
    static void clean(const void* /*at*/, std::size_t /*bytes*/) noexcept { steps::step(); }
    static void invalidate(const void* /*at*/, std::size_t /*bytes*/) noexcept { steps::step(); }
};
static_assert(policy::coherence<interrupted_coherence>);

struct flags_board : testing::loopback_board {
    using coherence = interrupted_coherence;
    using ring = policy::ring_of<4>;
    static constexpr auto inbound = policy::inbound::quiet_while_draining;
    static constexpr std::size_t remembered_announcements = 2;
};
struct events_board : testing::loopback_board {
    using coherence = interrupted_coherence;
    using ring = policy::ring_up_to<8>;
    using dialect = policy::with_event_idx<policy::linux_kernel>;
};
struct lite_board : testing::loopback_board {
    using coherence = interrupted_coherence;
    using ring = policy::ring_up_to<16>;
    using dialect = policy::rpmsg_lite;
    static constexpr auto inbound = policy::inbound::polled;
};

/// One link of which one end's half of the memory is written over while both are at work.
///
/// The liar's half is all that an end of its role writes: the driver's are descriptors, avail rings and the buffers
/// to the device; the device's are used rings and the buffers to the driver; both write the resource table. Now and
/// then a write goes anywhere.
template <policy::board Board>
class exchange {
    // What one call may cost in accesses to ring words and cache operations: a poll that takes up a link on 16
    // buffers and handles them all with an answer each needs less than half of it.
    static constexpr std::uint32_t most_steps = 1000;
    static constexpr std::uint32_t count = Board::ring::capacity;

    /// One end: endpoints of all kinds, and the buffers that they hold.
    template <typename Bus>
    struct end {
        end(exchange& all, Bus& own, std::uint32_t local, std::uint32_t peer)
            : bus{own},
              plain{own, [&all, this](message m) { all.heard(m.payload()), ++arrived; }},
              echo{own,
                   [&all](message m) {
                       all.heard(m.payload());
                       return m.payload();
                   }},
              keeper{own,
                     [&all, this](rx_buffer in) {
                         all.heard(in.payload());
                         if (kept.size() < 2)
                             kept.push_back(std::move(in));
                     }},
              number{own, typed<std::uint32_t>, [](const std::uint32_t&) {}},
              channel{own, [&all](message m) { all.heard(m.payload()); }},
              watch{own, {[](const announcement& a) { static_cast<void>(a.name().size()); }}, {[](fault) {}}}
        {
            all.expect(plain.open(address{local}, towards{peer}).has_value() && echo.open(address{3}) &&
                           keeper.open(address{4}) && number.open(address{5}) && watch.open(),
                       "an endpoint did not open");
        }
        void let_go()
        {
            kept.clear();
            room.reset();
            static_cast<void>(echo.close());  // it keeps a buffer for its answers
            static_cast<void>(channel.close());
        }

        using bytes_receiver = std::function<void(message)>;
        Bus& bus;
        std::uint32_t arrived = 0;
        std::vector<rx_buffer> kept;
        endpoint<typename Bus::basic, void, bytes_receiver> plain;
        endpoint<typename Bus::basic, void, std::function<payload_view(message)>> echo;
        endpoint<typename Bus::basic, void, std::function<void(rx_buffer)>> keeper;
        endpoint<typename Bus::basic, std::uint32_t, std::function<void(const std::uint32_t&)>> number;
        endpoint<typename Bus::basic, void, bytes_receiver> channel;
        observer<typename Bus::basic, on_announced<std::function<void(const announcement&)>>,
                 on_error<std::function<void(fault)>>>
            watch;
        std::optional<decltype(plain.try_acquire())> room;
    };

public:
    exchange(virtio::role liar, std::uint32_t seed) : random_{seed}, liar_{liar}
    {
        testing::manual_clock::set(0);
        steps::whom = this;
        steps::told = [](void* self) { static_cast<exchange*>(self)->between(); };
    }
    exchange(const exchange&) = delete;
    exchange& operator=(const exchange&) = delete;
    ~exchange() { steps::told = nullptr; }

    /// Lets both ends work while words are written over; then the driver begins anew on a mended table.
    ///
    /// @return What went wrong, or nothing.
    std::string run(std::uint32_t turns)
    {
        link_.run();
        for (std::uint32_t i = 0; i != turns && wrong_.empty(); ++i) {
            armed_ = true;
            if (roll(2) == 0)
                write_over();
            if (roll(2) == 0)
                act(driver_);
            else
                act(device_);
            armed_ = false;
            if (roll(64) == 0)
                mend();
        }
        if (wrong_.empty())
            all_is_there();
        return wrong_;
    }

    [[nodiscard]] std::uint32_t writes() const noexcept { return writes_; }
    [[nodiscard]] std::uint32_t faults() noexcept
    {
        return link_.driver().stats().total() + link_.device().stats().total();
    }
    [[nodiscard]] std::uint32_t arrived() const noexcept { return driver_.arrived + device_.arrived; }
    [[nodiscard]] std::uint32_t longest_call() const noexcept { return longest_call_; }

private:
    std::uint32_t roll(std::uint32_t below) { return static_cast<std::uint32_t>(random_() >> 8U) % below; }
    void expect(bool holds, const char* what)
    {
        if (!holds && wrong_.empty())
            wrong_ = what;
    }
    void heard(std::span<const std::byte> payload)
    {
        const auto all = link_.bytes();
        const bool inside =
            payload.data() >= all.data() && payload.data() <= all.data() + all.size() &&
            payload.size() <= static_cast<std::size_t>(all.data() + all.size() - payload.data());
        expect(inside, "a payload lies outside the memory");
        if (inside)
            for (const auto byte : payload)
                sum_ = sum_ + std::to_integer<unsigned>(byte);  // a sanitizer sees each being read
    }
    void between()
    {
        if (!armed_)
            return;
        longest_call_ = std::max(longest_call_, ++steps_);
        if (steps_ > most_steps) {
            expect(false, "a call goes on and on");
            armed_ = false;
            testing::manual_clock::advance(1'000'000);
            link_.table().vdev.status = std::uint8_t{0};
        } else if (roll(16) == 0) {
            write_over();
        }
    }

    /// Writes over one word of the liar's.
    void write_over()
    {
        ++writes_;
        const bool is_driver = liar_ == virtio::role::driver;
        const auto ring = roll(2) == 0 ? policy::vring_id::to_driver : policy::vring_id::to_device;
        const auto& at = link_.layout(ring);
        auto* const start = reinterpret_cast<std::byte*>(&link_.ring(ring).descriptor_at(0));
        const auto pool = is_driver ? link_.pool().to_device : link_.pool().to_driver;
        std::span<std::byte> where;
        switch (roll(32)) {
        case 0: where = {reinterpret_cast<std::byte*>(&link_.table()), sizeof(wire::rpmsg_table)}; break;
        case 1: where = link_.bytes(); break;
        case 2:
        case 3:
        case 4: where = pool; break;
        case 5:
        case 6:
        case 7:
        case 8:
        case 9:
        case 10:
        case 11:
        case 12: where = pool.subspan(roll(static_cast<std::uint32_t>(pool.size() / 512)) * 512, 16); break;
        case 13:
        case 14: where = {start + (is_driver ? at.avail : at.used), 4}; break;
        default:
            where = is_driver ? std::span{start, at.used_event + 2}
                              : std::span{start + at.used, at.size - at.used};
            break;
        }
        auto* const word =
            where.data() + 2 * static_cast<std::size_t>(roll(static_cast<std::uint32_t>(where.size() / 2)));
        auto value = wire::load<std::uint16_t>(word);
        switch (roll(6)) {
        case 0: value = static_cast<std::uint16_t>(value ^ (1U << roll(16))); break;
        case 1: value = static_cast<std::uint16_t>(roll(0x1'0000)); break;
        case 2: value = static_cast<std::uint16_t>(roll(20)); break;
        case 3: value = static_cast<std::uint16_t>(value + roll(6) + 1); break;
        case 4: value = static_cast<std::uint16_t>(value - roll(6) - 1); break;
        default: value = roll(2) == 0 ? std::uint16_t{0} : std::uint16_t{0xFFFF}; break;
        }
        wire::store(word, value);
    }

    template <typename Bus>
    void act(end<Bus>& e)
    {
        steps_ = 0;
        std::array<std::byte, 500> noise{};
        const std::span<const std::byte> some{noise.data(), roll(noise.size())};
        switch (roll(20)) {
        case 0: static_cast<void>(e.plain.try_send(some)); break;
        case 1:
        case 2:
        case 3:
            static_cast<void>(e.plain.try_send_to(address{1 + roll(6)}, some.first(some.size() / 8)));
            break;
        case 4:
            e.room.reset();
            e.room.emplace(e.plain.try_acquire());
            break;
        case 5:
            if (e.room && *e.room) {
                std::ranges::fill(e.room->payload(), std::byte{0x77});
                static_cast<void>(std::move(*e.room).send(e.room->payload().size()));
            }
            break;
        case 6: e.kept.clear(); break;
        case 7: static_cast<void>(e.channel.open("channel")); break;
        case 8: static_cast<void>(e.channel.close()); break;
        case 9: static_cast<void>(e.plain.send(some, std::chrono::milliseconds{3})); break;
        case 10: static_cast<void>(e.bus.has_work()); break;
        case 11: e.bus.poll(static_cast<std::uint16_t>(roll(4))); break;
        case 12:
            if (roll(32) == 0)
                e.bus.stop();
            e.bus.start();
            break;
        default: e.bus.poll(); break;
        }
    }

    void mend()
    {
        // The driver lets go first: where it was told to make its rings on the table, it still writes there.
        link_.driver().stop();
        link_.table() = table_;
        // A device that keeps no mark and has given nothing back cannot tell new rings from its own: it has to see
        // the status (rpmsg::vring::device_side::lost_index).
        if constexpr (!std::is_same_v<Board, flags_board>)
            link_.device().poll();
        link_.driver().start();
        link_.device().start();
        link_.device().poll();  // the driver's doorbell
    }

    /// Nobody lies any more: the link is up, and each end has as many buffers as there ever were.
    void all_is_there()
    {
        mend();
        expect(link_.run(1000), "the ends do not come to rest");
        driver_.let_go();
        device_.let_go();
        expect(link_.run(1000), "the ends do not come to rest");
        expect(link_.driver().state() == link_state::up && link_.device().state() == link_state::up,
               "the link is not up again");
        for (int lap = 0; lap != 3 && wrong_.empty(); ++lap) {
            sends_all(driver_, device_);
            sends_all(device_, driver_);
        }
    }
    template <typename From, typename To>
    void sends_all(From& from, To& to)
    {
        const auto before = to.arrived;
        std::uint32_t sent = 0;
        // By address: what the liar announced and withdrew may have bound an endpoint to another.
        while (sent <= count && from.plain.try_send_to(to.plain.local(), {}))
            ++sent;
        expect(sent == count, "a buffer is missing");
        expect(link_.run(1000), "the ends do not come to rest");
        expect(to.arrived - before == sent, "a message did not arrive");
    }

    std::minstd_rand random_;
    virtio::role liar_;
    bool armed_ = false;
    std::uint32_t steps_ = 0;
    std::uint32_t longest_call_ = 0;
    std::uint32_t writes_ = 0;
    volatile unsigned sum_ = 0;
    std::string wrong_;
    testing::loopback<Board> link_{{.align = 64}};
    const wire::rpmsg_table table_ = link_.table();
    end<std::remove_reference_t<decltype(link_.driver())>> driver_{*this, link_.driver(), 1, 2};
    end<std::remove_reference_t<decltype(link_.device())>> device_{*this, link_.device(), 2, 1};
};

}  // namespace corruption
