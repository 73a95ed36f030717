#pragma once

#include <rpmsg/rpmsg.hpp>
#include <rpmsg/testing/loopback.hpp>
#include <rpmsg/testing/software_cache.hpp>
#include <rpmsg/testing/software_cached.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

/// Two ends with a cache each, that sleep whenever they may.
namespace cached_link {

using namespace rpmsg;
using namespace rpmsg::testing;
using virtio::role;

/// Wakes the other end, if it carries the id that the table has for the ring.
///
/// Its register is written behind the stores before it, as every model has to see to.
class waking_doorbell : public policy::doorbell_defaults {
public:
    static constexpr bool carries_queue_id = true;

    constexpr waking_doorbell() noexcept = default;
    waking_doorbell(software_cache& cache, role by, bool& wakes) noexcept
        : cache_{&cache},
          by_{by},
          wakes_{&wakes}
    {}
    void ring(policy::vring_id which, std::uint32_t notify_id) noexcept
    {
        cache_->settle(by_);
        if (notify_id == static_cast<std::uint32_t>(which) + 1)
            *wakes_ = true;
    }

private:
    software_cache* cache_ = nullptr;
    role by_{};
    bool* wakes_ = nullptr;
};

template <std::size_t Line>
struct flags_board : loopback_board {
    using doorbell = waking_doorbell;
    using coherence = software_cached<Line>;
    using wait = policy::spin;
    using ring = policy::ring_of<8>;
    static constexpr auto inbound = policy::inbound::quiet_while_draining;
};
template <std::size_t Line>
struct events_board : flags_board<Line> {
    using dialect = policy::with_event_idx<policy::linux_kernel>;
};
/// Rings for every message, and asks nobody.
template <std::size_t Line>
struct eager_board : flags_board<Line> {
    static constexpr auto inbound = policy::inbound::always;
};

/// How one exchange is set up.
struct conditions {
    std::size_t line = 64;
    std::uint32_t align = 64;
    cache_habits habits{};
    std::uint32_t seed = 1;
    std::uint32_t messages = 200;  ///< Each way, in each of three parts.
    bool restarts = true;  ///< The driver begins anew before the second part, the device before the third.
    bool meddles = true;   ///< One end moves between any two steps of the other.
    bool early = false;    ///< The driver begins anew before anything was sent, and the device does not.
};

/// Messages both ways, each end asleep until it is rung whenever it has nothing to do.
template <policy::board Board>
class exchange {
    struct end {
        role who;
        bool awake = true;
        bool rung = true;
        std::uint32_t sent = 0;
        std::uint32_t heard = 0;
    };
    template <typename Bus>
    struct processor {
        template <typename... Arguments>
        processor(exchange& all, end& e, Arguments&&... arguments)
            : bus{std::forward<Arguments>(arguments)...},
              channel{bus, [&all, &e](message m) { all.hear(e, m.payload()); }}
        {
            if (!all.with_.early)
                open(all);
        }
        void open(exchange& all)
        {
            all.expect(channel.open("channel").has_value(), "the channel did not open");
        }
        Bus bus;
        endpoint<typename Bus::basic, void, std::function<void(message)>> channel;
    };

public:
    explicit exchange(const conditions& with)
        : with_{with},
          random_{with.seed * 7919 + 1},
          memory_{shape(with), Board::dialect::alignment},
          cache_{memory_.bytes(), with.line, with.habits, with.seed}
    {
        // The firmware laid its table out, and nobody anything else.
        std::ranges::fill(memory_.bytes().subspan(sizeof(wire::rpmsg_table)), std::byte{0xC3});
        cache_.admit_two_writers(0, sizeof(wire::rpmsg_table));
        auto pool = memory_.pool();
        for (auto* const piece : {&pool.to_driver, &pool.to_device, &pool.rings})
            *piece = {&cache_.view_of(role::driver, piece->front()), piece->size()};
        // The application had its pool for something else before: these lines are dirty.
        std::ranges::fill(pool.to_driver, std::byte{0x11});
        std::ranges::fill(pool.to_device, std::byte{0x22});
        driver_ = std::make_unique<processor<driver_bus<Board>>>(
            *this, ends_[0], cache_.view_of(role::driver, memory_.table()), pool, models(ends_[0]));
        make_device();
        if (with.meddles)
            cache_.between = [this](role at_work) {
                if (meddling_ || roll(6) != 0)
                    return;
                meddling_ = true;
                act(ends_[at_work == role::driver ? 1 : 0]);
                meddling_ = false;
            };
    }
    exchange(const exchange&) = delete;
    exchange& operator=(const exchange&) = delete;
    ~exchange()
    {
        cache_.between = {};
        cache_.ignores = {};
    }

    /// @return What went wrong, or nothing.
    std::string run()
    {
        part(0, 0, with_.early ? 0 : with_.messages);
        if (with_.restarts && wrong_.empty()) {
            meddling_ = true;  // the device is asleep throughout
            driver_->bus.stop();
            driver_->bus.start();
            meddling_ = false;
            if (with_.early) {
                meddling_ = true;
                for (int i = 0; i != 2; ++i)  // the doorbell of a driver that is up: it sees that all is new
                    devices_.back()->bus.poll();
                meddling_ = false;
                driver_->open(*this);
                devices_.back()->open(*this);
            }
            ends_[0].awake = true;
            part(1, 1, with_.messages);
        }
        if (with_.restarts && !with_.early && wrong_.empty()) {
            make_device();  // the old one does nothing any more
            part(2, 0, with_.messages);
        }
        return wrong_;
    }

    /// Has requests of one name ignored, and writes down the names of all that are made.
    ///
    /// A name says who asks, what for, and for which part of the memory: the places in the library from which
    /// requests come differ in that. What a barrier is for shows in the request that follows it; it is done then.
    void ignore(const std::string& name)
    {
        cache_.ignores = [this, name](const cache_request& r) {
            auto& [barrier, before] = asked_[static_cast<std::size_t>(r.by)];
            if (r.what == cache_operation::full_barrier)
                return barrier = true;
            const std::string who = r.by == role::driver ? "driver " : "device ";
            const auto what = (r.what == cache_operation::clean ? "clean " : "invalidate ") + part_of(r);
            if (std::exchange(barrier, false)) {
                const bool wish = what.ends_with("flags") || what.ends_with("event");
                const auto is = who + "barrier " +
                                (before == "clean status" ? "after " + before
                                                          : "before " + (wish ? "the peer's wish" : what));
                names_.insert(is);
                if (is != name)
                    cache_.settle(r.by);
            }
            before = what;
            names_.insert(who + what);
            return who + what == name;
        };
    }
    [[nodiscard]] const software_cache& cache() const noexcept { return cache_; }
    [[nodiscard]] driver_bus<Board>& driver() noexcept { return driver_->bus; }
    [[nodiscard]] device_bus<Board>& device() noexcept { return devices_.back()->bus; }
    [[nodiscard]] const std::set<std::string>& names() const noexcept { return names_; }

private:
    static loopback_shape shape(const conditions& with)
    {
        const auto count = Board::ring::capacity;
        return {.to_driver_count = count,
                .to_device_count = count,
                .to_driver_size = 128,
                .to_device_size = 192,
                .align = with.align,
                .features = Board::dialect::features};
    }
    std::uint32_t roll(std::uint32_t below) { return static_cast<std::uint32_t>(random_() >> 4U) % below; }
    void expect(bool holds, const std::string& what)
    {
        if (!holds && wrong_.empty())
            wrong_ = what;
    }

    policy::set<Board> models(end& e)
    {
        auto& peer = ends_[e.who == role::driver ? 1 : 0];
        return {.doorbell = waking_doorbell{cache_, e.who, peer.rung},
                .coherence = typename Board::coherence{cache_, e.who},
                .address_map = policy::offset{cache_.view(e.who), loopback_shape{}.address}};
    }
    void make_device()
    {
        devices_.push_back(std::make_unique<processor<device_bus<Board>>>(
            *this, ends_[1], cache_.view_of(role::device, memory_.table()), models(ends_[1])));
        ends_[1].awake = true;
    }

    // Names of requests

    [[nodiscard]] std::string part_of(const cache_request& r) const
    {
        if (r.at < sizeof(wire::rpmsg_table))
            return table_field(r.at);
        for (const auto which : {policy::vring_id::to_driver, policy::vring_id::to_device}) {
            const auto& part = memory_.layout(which);
            const auto start = static_cast<std::size_t>(
                reinterpret_cast<const std::byte*>(&memory_.ring(which).descriptor_at(0)) -
                memory_.bytes().data());
            if (r.at < start || r.at >= start + part.size)
                continue;
            const auto at = r.at - start;
            if (r.bytes == part.size)
                return "ring";
            if (at < part.avail)
                return "descriptor";
            if (at < part.used)
                return at == part.avail        ? "avail.flags"
                       : at == part.avail + 2  ? "avail.idx"
                       : at == part.used_event ? "used_event"
                                               : "avail entry";
            if (r.bytes == part.size - part.used)
                return "used ring";
            return at == part.used          ? "used.flags"
                   : at == part.used + 2    ? "used.idx"
                   : at == part.avail_event ? "avail_event"
                                            : "used element";
        }
        const auto pool = memory_.pool();
        if (r.bytes >= pool.to_driver.size())
            return "pool";
        const auto at = r.at - static_cast<std::size_t>(pool.to_driver.data() - memory_.bytes().data());
        const auto in_pool = at < pool.to_driver.size() ? at % pool.to_driver_size
                                                        : (at - pool.to_driver.size()) % pool.to_device_size;
        return in_pool != 0 ? "payload" : r.what == cache_operation::clean ? "message" : "header";
    }
    static std::string table_field(std::size_t at)
    {
        constexpr std::size_t vdev = offsetof(wire::rpmsg_table, vdev);
        constexpr std::size_t rings = vdev + offsetof(wire::resource_rpmsg, vring);
        const std::array<const char*, 7> fields{"type",      "id",         "notifyid", "dfeatures",
                                                "gfeatures", "config_len", "status"};
        const std::array<const char*, 5> places{"da", "align", "num", "notifyid", "pa"};
        return at < rings ? fields[(at - vdev) / 4] : std::string{"vring."} + places[(at - rings) / 4 % 5];
    }

    // Messages: each side's are numbered, and length and bytes follow from the number.

    static std::size_t length(role from, std::uint32_t number)
    {
        const std::size_t longest = from == role::driver ? 176 : 112;
        return number % 5 == 0 ? longest : (number * 2654435761U >> 8U) % (longest + 1);
    }
    static std::byte content(role from, std::uint32_t number, std::size_t i)
    {
        const auto salt = from == role::driver ? 0x9E3779B9U : 0x85EBCA6BU;
        return static_cast<std::byte>((number * salt + static_cast<std::uint32_t>(i) * 40503U) >> 9U);
    }
    void hear(end& e, std::span<const std::byte> payload)
    {
        const auto from = e.who == role::driver ? role::device : role::driver;
        bool same = payload.size() == length(from, e.heard);
        for (std::size_t i = 0; same && i != payload.size(); ++i)
            same = payload[i] == content(from, e.heard, i);
        expect(same, "another message arrived than was sent");
        ++e.heard;
    }

    // Ends

    void act(end& e)
    {
        if (!e.awake && !e.rung)
            return;
        e.rung = false;
        e.awake = true;
        if (e.who == role::driver)
            act(e, *driver_);
        else
            act(e, *devices_.back());
    }
    template <typename Bus>
    void act(end& e, processor<Bus>& p)
    {
        p.bus.poll(static_cast<std::uint16_t>(1 + roll(8)));
        bool stuck = false;
        while (!stuck && e.sent != goal_ && p.channel.is_bound() && roll(4) != 0) {
            std::array<std::byte, 176> payload{};
            const auto size = length(e.who, e.sent);
            for (std::size_t i = 0; i != size; ++i)
                payload[i] = content(e.who, e.sent, i);
            stuck = !p.channel.try_send(std::span{payload}.first(size));
            e.sent += stuck ? 0 : 1;
        }
        if ((stuck || e.sent == goal_ || !p.channel.is_bound()) && !p.bus.has_work())
            e.awake = false;
    }
    [[nodiscard]] bool all_asleep() const
    {
        return !ends_[0].awake && !ends_[0].rung && !ends_[1].awake && !ends_[1].rung;
    }

    /// So many more messages each way, until both ends have all and sleep.
    void part(std::uint32_t driver_epoch, std::uint32_t device_epoch, std::uint32_t messages)
    {
        goal_ += messages;
        auto left = messages * 400 + 20'000;
        for (;;) {
            act(ends_[roll(2)]);
            expect(--left != 0, "there is no end to it");
            expect(cache_.two_writers() == 0, "a line has two writers");
            expect(cache_.dropped() == 0, "an invalidate dropped what was written");
            if (!wrong_.empty())
                return;
            if (!all_asleep())
                continue;
            cache_.settle();
            if (all_asleep())
                break;
        }
        for (const auto& e : ends_)
            expect(e.sent == goal_ && e.heard == goal_, "everybody sleeps over messages");
        expect(driver_->bus.stats().total() == 0 && devices_.back()->bus.stats().total() == 0,
               "a fault was counted");
        expect(driver_->bus.epoch() == driver_epoch && devices_.back()->bus.epoch() == device_epoch,
               "the link was lost");
    }

    conditions with_;
    std::minstd_rand random_;
    loopback_memory memory_;
    software_cache cache_;
    std::array<end, 2> ends_{{{role::driver}, {role::device}}};
    std::unique_ptr<processor<driver_bus<Board>>> driver_;
    std::vector<std::unique_ptr<processor<device_bus<Board>>>> devices_;
    bool meddling_ = false;
    std::uint32_t goal_ = 0;
    std::string wrong_;
    struct last_request {
        bool barrier = false;  // that has no name yet
        std::string before;
    };
    std::array<last_request, 2> asked_{};
    std::set<std::string> names_;
};

}  // namespace cached_link
