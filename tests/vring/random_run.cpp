// Both sides of a ring against a model: random steps of either, past the wrap of the indices, in memory
// that is coherent and in memory that is not; and two threads.

#include <rpmsg/vring/device_side.hpp>
#include <rpmsg/vring/driver_side.hpp>

#include "support/catch.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using rpmsg::errc;
using namespace rpmsg::policy;
using rpmsg::vring::device_side;
using rpmsg::vring::driver_side;
using rpmsg::vring::layout_of;
using rpmsg::vring::split;
using rpmsg::wire::le16;

namespace {

using events = with_event_idx<linux_kernel>;

enum class side : std::uint8_t { driver, device };
constexpr side other(side s) { return s == side::driver ? side::device : side::driver; }

constexpr std::size_t line_bytes = 64;
constexpr std::size_t up_to_line(std::size_t bytes)
{
    return (bytes + line_bytes - 1) / line_bytes * line_bytes;
}

/// How the two sides see memory.
enum class caches : std::uint8_t {
    none,   ///< One memory.
    bytes,  ///< Each has its own copy, and only what it cleans and invalidates moves, to the byte.
    lines   ///< The same in whole lines, as caches do it.
};

/// The memory of both sides, and whoever wants to move while one of them is at work.
class shared_memory {
public:
    shared_memory(std::size_t bytes, caches kind)
        : kind_{kind},
          memory_(bytes + line_bytes, std::byte{0x55}),
          views_{std::vector<std::byte>(bytes + line_bytes, std::byte{0xAA}),
                 std::vector<std::byte>(bytes + line_bytes, std::byte{0xBB})}
    {}
    virtual ~shared_memory() = default;

    std::byte* view(side s)
    {
        return aligned(kind_ == caches::none ? memory_ : views_[static_cast<std::size_t>(s)]);
    }

    void clean(side s, const void* at, std::size_t bytes)
    {
        copy(view(s), aligned(memory_), offset(s, at), bytes);
    }
    void invalidate(side s, const void* at, std::size_t bytes)
    {
        copy(aligned(memory_), view(s), offset(s, at), bytes);
    }

    /// A point in one side's protocol where the other may come in between.
    virtual void between(side at_work) = 0;

private:
    static std::byte* aligned(std::vector<std::byte>& v)
    {
        return v.data() + up_to_line(reinterpret_cast<std::uintptr_t>(v.data())) -
               reinterpret_cast<std::uintptr_t>(v.data());
    }
    std::size_t offset(side s, const void* at)
    {
        return static_cast<std::size_t>(static_cast<const std::byte*>(at) - view(s));
    }
    void copy(std::byte* from, std::byte* to, std::size_t at, std::size_t bytes) const
    {
        if (kind_ == caches::none)
            return;
        auto end = at + bytes;
        if (kind_ == caches::lines) {
            at = at / line_bytes * line_bytes;
            end = up_to_line(end);
        }
        std::memcpy(to + at, from + at, end - at);
    }

    caches kind_;
    std::vector<std::byte> memory_;
    std::array<std::vector<std::byte>, 2> views_;
};

/// The coherence of one side. The other may move before each of its steps.
class interrupted {
public:
    static constexpr std::size_t line = 1;
    interrupted() = default;
    interrupted(shared_memory& memory, side self) : memory_{&memory}, self_{self} {}

    std::uint16_t load_acquire(const le16& word) noexcept
    {
        return memory_->between(self_), word.read_once();
    }
    std::uint16_t load_relaxed(const le16& word) noexcept
    {
        return memory_->between(self_), word.read_once();
    }
    void store_release(le16& word, std::uint16_t value) noexcept
    {
        memory_->between(self_), word.write_once(value);
    }
    void store_relaxed(le16& word, std::uint16_t value) noexcept
    {
        memory_->between(self_), word.write_once(value);
    }
    void full_barrier() noexcept { memory_->between(self_); }
    void clean(const void* at, std::size_t bytes) noexcept
    {
        memory_->between(self_);
        memory_->clean(self_, at, bytes);
    }
    void invalidate(const void* at, std::size_t bytes) noexcept
    {
        memory_->between(self_);
        memory_->invalidate(self_, at, bytes);
    }

private:
    shared_memory* memory_ = nullptr;
    side self_ = side::driver;
};
static_assert(coherence<interrupted>);

/// What a buffer carries, each way.
struct message {
    std::uint16_t id = 0;
    std::uint64_t content = 0;
    std::uint32_t length = 0;
};

constexpr std::size_t buffer_bytes = line_bytes;
constexpr std::uint64_t reply_to(std::uint64_t content) { return ~content; }

/// A driver and a device that do one random thing after another, checked against queues of what is under way.
///
/// A side may fall asleep after it asked for a doorbell and found nothing; then it does nothing until rung.
template <std::uint16_t N, dialect Dialect>
class random_run final : shared_memory {
    static constexpr bool has_events = (Dialect::features & feature::event_idx) != 0;
    static constexpr auto at = layout_of(N, line_bytes);
    static constexpr std::size_t buffers_at = up_to_line(at.size);

public:
    random_run(caches kind, std::uint32_t seed)
        : shared_memory{buffers_at + N * buffer_bytes, kind},
          random_{seed}
    {
        driver_.attach(view(side::driver), at, {}, has_events);
        for (std::uint16_t id = 0; id != N; ++id) {
            driver_.describe(id, buffers_at + id * buffer_bytes, buffer_bytes, 0);
            free_.push_back(id);
        }
        const split ring{view(side::device), at};
        invalidate(side::device, &ring.used().idx, sizeof(le16));  // as a link does, which looks at it first
        device_.attach(ring, {}, 0, has_events);
        if (!has_events)
            device_.leave_mark();
        inside_ = false;
    }

    /// Runs until so many messages have gone each way and all of them are back.
    ///
    /// @return What went wrong, or nothing.
    std::string run(std::uint64_t messages)
    {
        messages_ = messages;
        for (std::uint64_t idle = 0; returned_ != messages && wrong_.empty(); ++idle) {
            const auto before = lent_ + returned_;
            step(roll(2) == 0 ? side::driver : side::device);
            check_doorbells();
            if (lent_ + returned_ != before)
                idle = 0;
            else if (idle == 100'000)
                complain("nothing moves any more");
        }
        if (wrong_.empty() && (!to_device_.empty() || !held_.empty() || !to_driver_.empty() ||
                               free_.size() != N || driver_.in_flight() != 0 || device_.in_flight() != 0))
            complain("something is left over");
        if (wrong_.empty() && doorbells_ > asked_ + 2 * (messages / 65536 + 2) && has_events)
            complain("more doorbells than were asked for");
        return wrong_;
    }

    [[nodiscard]] std::uint64_t doorbells() const { return doorbells_; }
    [[nodiscard]] std::uint64_t sleeps() const { return sleeps_; }

private:
    void complain(const char* what)
    {
        if (wrong_.empty())
            wrong_ = std::string{what} + " after " + std::to_string(lent_) + " messages";
    }
    std::uint32_t roll(std::uint32_t below) { return static_cast<std::uint32_t>(random_()) % below; }

    std::byte* buffer(side s, std::uint16_t id) { return view(s) + buffers_at + id * buffer_bytes; }
    void write(side s, std::uint16_t id, std::uint64_t content)
    {
        std::memcpy(buffer(s, id), &content, sizeof content);
        clean(s, buffer(s, id), sizeof content);
    }
    std::uint64_t read(side s, std::uint16_t id)
    {
        invalidate(s, buffer(s, id), sizeof(std::uint64_t));
        std::uint64_t content = 0;
        std::memcpy(&content, buffer(s, id), sizeof content);
        return content;
    }

    void between(side at_work) override
    {
        if (inside_ || roll(4) != 0)
            return;
        inside_ = true;
        step(other(at_work));
        inside_ = false;
    }

    void step(side s)
    {
        auto& mine = state_[static_cast<std::size_t>(s)];
        if (mine.asleep && !mine.rung)
            return;
        mine.asleep = mine.rung = false;
        if (s == side::driver)
            step_driver();
        else
            step_device();
    }

    // The driver

    void step_driver()
    {
        switch (roll(8)) {
        case 0: lend(); break;
        case 1:
            while (lend()) {}
            break;
        case 2:
        case 3: reclaim(); break;
        case 4:
            while (reclaim()) {}
            break;
        case 5: tell_device(); break;
        case 6: driver_.suppress_doorbells(); break;
        default: rest_driver(); break;
        }
    }
    bool lend()
    {
        if (free_.empty() || lent_ == messages_)
            return false;
        std::swap(free_[roll(static_cast<std::uint32_t>(free_.size()))], free_.back());
        const auto id = free_.back();
        free_.pop_back();
        write(side::driver, id, lent_);
        to_device_.push_back({id, lent_, buffer_bytes});
        ++lent_;
        driver_has_news_ = true;
        driver_.make_available(id);
        return wrong_.empty();
    }
    bool reclaim()
    {
        const auto back = driver_.peek_used();
        if (!back) {
            if (back.error() != errc::empty)
                complain("the driver sees a fault");
            return false;
        }
        if (to_driver_.empty() || back->id != to_driver_.front().id ||
            back->length != to_driver_.front().length) {
            complain("the driver got back what the device did not give");
            return false;
        }
        if (read(side::driver, back->id) != to_driver_.front().content) {
            complain("the driver reads what the device did not write");
            return false;
        }
        driver_.take_used(back->id);
        to_driver_.pop_front();
        free_.push_back(back->id);
        ++returned_;
        return true;
    }
    void tell_device()
    {
        if (std::exchange(driver_has_news_, false) && driver_.peer_wants_doorbell()) {
            state_[1].rung = true;
            ++doorbells_;
        }
    }
    void rest_driver()
    {
        tell_device();
        ++asked_;
        if (driver_.enable_doorbells() != errc{})
            complain("the driver sees a fault");
        // Only when it cannot lend, or both sides may sleep for good.
        else if (driver_.waiting() == 0 && driver_.in_flight() != 0 && (free_.empty() || lent_ == messages_))
            fall_asleep(side::driver);
    }

    // The device

    void step_device()
    {
        switch (roll(8)) {
        case 0: take(); break;
        case 1:
            while (take()) {}
            break;
        case 2:
        case 3: give_back(); break;
        case 4:
            while (give_back()) {}
            break;
        case 5: tell_driver(); break;
        case 6: device_.suppress_doorbells(); break;
        default: rest_device(); break;
        }
        if (roll(16) == 0 && device_.was_reset())
            complain("the device sees a restart");
    }
    bool take()
    {
        const auto next = device_.peek_available();
        if (!next) {
            if (next.error() != errc::empty)
                complain("the device sees a fault");
            return false;
        }
        if (to_device_.empty() || next->head != to_device_.front().id ||
            next->length != to_device_.front().length ||
            next->address != buffers_at + next->head * buffer_bytes) {
            complain("the device got what the driver did not lend");
            return false;
        }
        if (read(side::device, next->head) != to_device_.front().content) {
            complain("the device reads what the driver did not write");
            return false;
        }
        device_.take_available();
        held_.push_back(to_device_.front());
        to_device_.pop_front();
        return true;
    }
    bool give_back()
    {
        if (held_.empty())
            return false;
        std::swap(held_[roll(static_cast<std::uint32_t>(held_.size()))], held_.back());
        auto done = held_.back();
        held_.pop_back();
        done.content = reply_to(done.content);
        done.length = static_cast<std::uint32_t>(random_());
        write(side::device, done.id, done.content);
        to_driver_.push_back(done);
        device_has_news_ = true;
        device_.make_used(done.id, done.length);
        return wrong_.empty();
    }
    void tell_driver()
    {
        if (std::exchange(device_has_news_, false) && device_.peer_wants_doorbell()) {
            state_[0].rung = true;
            ++doorbells_;
        }
    }
    void rest_device()
    {
        tell_driver();
        ++asked_;
        if (device_.enable_doorbells() != errc{})
            complain("the device sees a fault");
        else if (device_.waiting() == 0 && held_.empty())
            fall_asleep(side::device);
    }

    // Doorbells

    void fall_asleep(side s)
    {
        state_[static_cast<std::size_t>(s)].asleep = true;
        ++sleeps_;
    }

    /// Nobody is at work: whoever sleeps while something waits that was told of has lost a doorbell.
    void check_doorbells()
    {
        if (state_[1].asleep && !state_[1].rung && !to_device_.empty() && !driver_has_news_)
            complain("the device sleeps over a message");
        if (state_[0].asleep && !state_[0].rung && !to_driver_.empty() && !device_has_news_)
            complain("the driver sleeps over a returned buffer");
    }

    struct sleeper {
        bool asleep = false;
        bool rung = false;
    };

    std::minstd_rand random_;
    driver_side<ring_of<N>, interrupted, Dialect> driver_{interrupted{*this, side::driver}};
    device_side<ring_of<N>, interrupted, Dialect> device_{interrupted{*this, side::device}};
    std::array<sleeper, 2> state_{};
    std::vector<std::uint16_t> free_;
    std::deque<message> to_device_;  // published, not taken
    std::vector<message> held_;      // taken, not given back
    std::deque<message> to_driver_;  // given back, not reclaimed
    std::uint64_t messages_ = 0;
    std::uint64_t lent_ = 0;
    std::uint64_t returned_ = 0;
    std::uint64_t doorbells_ = 0;
    std::uint64_t asked_ = 0;
    std::uint64_t sleeps_ = 0;
    bool driver_has_news_ = false;  // published, and the other not told
    bool device_has_news_ = false;
    std::string wrong_;
    bool inside_ = true;  // while it is being made
};

template <std::uint16_t Size, typename Dialect>
struct of {
    static constexpr auto size = Size;
    using dialect = Dialect;
};

}  // namespace

// @spec virtio 1.2, 2.7
TEMPLATE_TEST_CASE("random steps of both sides lose nothing, past three wraps and wherever they interleave",
                   "[vring][random][rule4][rule8][R9][R13]", (of<1, linux_kernel>), (of<2, linux_kernel>),
                   (of<8, linux_kernel>), (of<64, linux_kernel>), (of<1, events>), (of<2, events>),
                   (of<8, events>), (of<64, events>))
{
    const auto [kind, messages] = GENERATE(table<caches, std::uint64_t>(
        {{caches::none, 3 * 65536 + 1000}, {caches::bytes, 3 * 65536 + 1000}, {caches::lines, 20'000}}));
    random_run<TestType::size, typename TestType::dialect> both{kind, TestType::size};
    CHECK(both.run(messages) == "");
    CHECK(both.sleeps() > messages / 1000);  // the doorbells did have somebody to wake
    CHECK(both.doorbells() != 0);
}

// Two threads

namespace {

constexpr std::uint64_t messages_each_way = 100'000;

/// Wakes a thread, and orders nothing: only the ring's own words may do that.
class bell {
public:
    void ring() { count_.fetch_add(1, std::memory_order_relaxed); }
    [[nodiscard]] std::uint32_t heard() const { return count_.load(std::memory_order_relaxed); }
    /// @return false after a time in which it must have rung, were anything in order.
    [[nodiscard]] bool wait(std::uint32_t since) const
    {
        const auto enough = std::chrono::steady_clock::now() + std::chrono::seconds{60};
        while (heard() == since) {
            if (std::chrono::steady_clock::now() > enough)
                return false;
            std::this_thread::yield();
        }
        return true;
    }

private:
    std::atomic<std::uint32_t> count_{0};
};

template <std::uint16_t N, dialect Dialect>
class two_threads {
    static constexpr bool has_events = (Dialect::features & feature::event_idx) != 0;
    static constexpr auto at = layout_of(N, line_bytes);

public:
    two_threads()
    {
        driver_.attach(ring_.data(), at, {}, has_events);
        for (std::uint16_t id = 0; id != N; ++id)
            driver_.describe(id, id * sizeof(std::uint64_t), sizeof(std::uint64_t), 0);
        device_.attach(split{ring_.data(), at}, {}, 0, has_events);
        if (!has_events)
            device_.leave_mark();
    }

    void run()
    {
        std::thread device{[this] { run_device(); }};
        run_driver();
        device.join();
    }

    std::string driver_wrong;
    std::string device_wrong;

private:
    void run_driver()
    {
        std::vector<std::uint16_t> free;
        for (std::uint16_t id = 0; id != N; ++id)
            free.push_back(id);
        std::vector<std::uint64_t> sent(N);
        std::uint64_t lent = 0;
        std::uint64_t back = 0;
        driver_.suppress_doorbells();
        while (back != messages_each_way) {
            while (!free.empty() && lent != messages_each_way) {
                const auto id = free.back();
                free.pop_back();
                buffers_[id] = sent[id] = lent++;
                driver_.make_available(id);
                if (lent % 3 == 0)  // sometimes for each, sometimes for several
                    tell_device(lent);
            }
            tell_device(lent);
            const auto since = driver_bell_.heard();
            while (const auto used = driver_.peek_used()) {
                if (used->length != static_cast<std::uint32_t>(sent[used->id]) ||
                    buffers_[used->id] != reply_to(sent[used->id]))
                    return fail(driver_wrong, "the driver got something else back");
                driver_.take_used(used->id);
                free.push_back(used->id);
                ++back;
            }
            if (!free.empty() && lent != messages_each_way)
                continue;
            if (back == messages_each_way)
                break;
            if (driver_.enable_doorbells() != errc{})
                return fail(driver_wrong, "the driver sees a fault");
            if (driver_.waiting() == 0 && !driver_bell_.wait(since))
                return fail(driver_wrong, "the driver was not rung");
            if (stop_.load(std::memory_order_relaxed))
                return;
            driver_.suppress_doorbells();
        }
    }

    void run_device()
    {
        std::vector<std::uint16_t> held;
        std::uint64_t expected = 0;
        std::uint64_t given = 0;
        while (given != messages_each_way) {
            const auto since = device_bell_.heard();
            device_.suppress_doorbells();
            while (const auto next = device_.peek_available()) {
                device_.take_available();
                if (next->address != next->head * sizeof(std::uint64_t) || buffers_[next->head] != expected)
                    return fail(device_wrong, "the device got something else");
                ++expected;
                held.push_back(next->head);
            }
            while (!held.empty()) {  // the last one first
                const auto id = held.back();
                held.pop_back();
                const auto content = buffers_[id];
                buffers_[id] = reply_to(content);
                device_.make_used(id, static_cast<std::uint32_t>(content));
                ++given;
            }
            tell_driver(given);
            if (device_.was_reset())
                return fail(device_wrong, "the device sees a restart");
            if (given == messages_each_way)
                return;
            if (device_.enable_doorbells() != errc{})
                return fail(device_wrong, "the device sees a fault");
            if (device_.waiting() == 0 && !device_bell_.wait(since))
                return fail(device_wrong, "the device was not rung");
            if (stop_.load(std::memory_order_relaxed))
                return;
        }
    }

    void tell_device(std::uint64_t lent)
    {
        if (std::exchange(device_knows_, lent) != lent && driver_.peer_wants_doorbell())
            device_bell_.ring();
    }
    void tell_driver(std::uint64_t given)
    {
        if (std::exchange(driver_knows_, given) != given && device_.peer_wants_doorbell())
            driver_bell_.ring();
    }
    void fail(std::string& whose, const char* what)
    {
        whose = what;
        stop_.store(true, std::memory_order_relaxed);
        driver_bell_.ring();
        device_bell_.ring();
    }

    alignas(line_bytes) std::array<std::byte, at.size> ring_{};
    std::array<std::uint64_t, N> buffers_{};  // plain: the ring alone hands them over
    driver_side<ring_of<N>, smp, Dialect> driver_;
    device_side<ring_of<N>, smp, Dialect> device_;
    std::uint64_t device_knows_ = 0;  // of so many lent; the driver's
    std::uint64_t driver_knows_ = 0;  // of so many given back; the device's
    bell driver_bell_;
    bell device_bell_;
    std::atomic<bool> stop_{false};
};

}  // namespace

TEMPLATE_TEST_CASE("two threads hand buffers over by the ring alone, and wake each other whenever one sleeps",
                   "[vring][thread][rule8][R9]", (of<2, linux_kernel>), (of<64, linux_kernel>),
                   (of<16, events>))
{
    two_threads<TestType::size, typename TestType::dialect> both;
    both.run();
    CHECK(both.driver_wrong == "");
    CHECK(both.device_wrong == "");
}
