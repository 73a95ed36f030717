// killed [KILLS] [SEED]: kills the device process with SIGKILL at random moments under load, and starts it again, on the
// same memory and with the same driver process, whose endpoints live through all of it.
//
// Looked at: that nothing of an earlier life is heard in a later one; that within a life every message is heard once and
// in order, but for the last ones; that handles of a life that ended are harmless; that both ends bind again each time;
// and that at the end no buffer is missing.

#include "platform/linux/forked.hpp"

#include <rpmsg/platform/fmt.hpp>
#include <rpmsg/platform/linux/link_files.hpp>
#include <rpmsg/platform/linux/process_board.hpp>
#include <rpmsg/platform/linux/process_layout.hpp>
#include <rpmsg/policy/clock.hpp>
#include <rpmsg/rpmsg.hpp>

#include <fmt/format.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <optional>
#include <random>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sys/mman.h>
#include <unistd.h>

namespace {

using namespace std::chrono_literals;
using namespace rpmsg::platform;
using platform_test::forked;
using until = rpmsg::policy::deadline<monotonic_clock>;
using rpmsg::link_state;
using rpmsg::virtio::role;

constexpr auto a_hang = 20s;
constexpr auto nap = 5ms;  // a dead process rings no doorbell
constexpr process_layout layout{.buffers = 8, .to_driver_size = 64, .to_device_size = 64};

/// Number n of what an end sends in one of its lives.
struct numbered {
    std::uint32_t life;
    std::uint32_t n;
};

/// What device processes leave behind: in memory of its own that outlives them.
struct record {
    std::atomic<std::uint32_t> life;    ///< Of the device process that runs.
    std::atomic<std::uint32_t> heard;   ///< Numbers that it heard.
    std::atomic<std::uint32_t> wrong;   ///< Of them those out of order; of all lives.
    std::atomic<bool> quiet;            ///< It is to keep what it gets, and to send when it has all.
    std::atomic<std::uint32_t> kept;    ///< Buffers that it then got,
    std::atomic<std::uint32_t> filled;  ///< and those that it could send.
};

[[noreturn]] void fail(std::string what) { throw std::runtime_error{std::move(what)}; }
void check(bool good, std::string_view what)
{
    if (!good)
        fail(std::string{what});
}

link_files made(rpmsg::result<link_files> files)
{
    check(files.has_value(), "cannot make the shared memory");
    return *std::move(files);
}

/// The device process: echoes, sends numbers without end and looks at those that it gets.
template <rpmsg::policy::board Board>
bool live(const link_files& files, record& left)
{
    ::alarm(static_cast<unsigned>(a_hang.count()) * 2);
    process_end end{files, role::device};
    rpmsg::device_bus<Board> bus{*process_layout::table_in(files.memory.bytes()), end.policies<Board>()};
    const auto life = left.life.load();
    std::optional<std::uint32_t> epoch;  // the driver's, as the first message says
    std::vector<rpmsg::rx_buffer> kept;

    rpmsg::endpoint echo{bus, [](rpmsg::message in) { return in.payload(); }};
    rpmsg::endpoint down{bus, [&](rpmsg::rx_buffer in) {
                             const auto* const got = in.as<numbered>();
                             if (got == nullptr || (epoch && got->life != *epoch) || got->n != left.heard)
                                 ++left.wrong;
                             if (got != nullptr)
                                 epoch = got->life;
                             ++left.heard;
                             if (left.quiet)
                                 kept.push_back(std::move(in));
                         }};
    rpmsg::endpoint up{bus, rpmsg::typed<numbered>};
    if (!echo.open("echo") || !down.open("down") || !up.open("up"))
        return false;
    for (std::uint32_t n = 0;;) {
        bus.poll();
        if (!left.quiet) {
            while (up.is_bound() && up.try_send(numbered{life, n}))
                ++n;
        } else if (kept.size() == layout.buffers && left.filled == 0) {
            left.kept = static_cast<std::uint32_t>(kept.size());
            while (up.try_send(numbered{life, n}))
                ++n;
            left.filled = n;
        }
        bus.wait_work(nap);
    }
}

/// The driver process, which lives on.
template <rpmsg::policy::board Board>
class survivor {
public:
    explicit survivor(std::uint32_t seed)
        : random_{seed},
          left_{*new(::mmap(nullptr, sizeof(record), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
                            0)) record{}}
    {
        check(echo_.open("echo") && down_.open("down") && up_.open("up"), "cannot open");
    }
    survivor(const survivor&) = delete;
    survivor& operator=(const survivor&) = delete;
    ~survivor() { ::munmap(&left_, sizeof left_); }

    /// A device process, until it is killed.
    void one_life()
    {
        start_device();
        // Each second one about when the link comes up, the others under load.
        const int longest = kills % 2 == 0 ? 3000 : 30'000;
        const until death{std::chrono::microseconds{std::uniform_int_distribution<int>{0, longest}(random_)}};
        while (!death.passed()) {
            send_numbers();
            bus_.poll();
            look();
        }
        if (random_() % 2 == 0)
            held_buffer_ = down_.try_acquire();
        keeps_ = random_() % 2 == 0 ? 3 : 0;
        ++kills;
        device_->kill();
        check(!device_->went_well(), "a killed process ended well");
        device_.reset();
        if (random_() % 2 == 0) {  // else the next one is there before the death is noticed
            wait_for([&] { return bus_.state() != link_state::up; }, "the death to be noticed");
            check(!up_.is_bound() && !down_.is_bound() && !echo_.is_bound(), "an endpoint stayed bound");
        }
    }

    /// The last device process: all works, and nothing is missing.
    void last_life()
    {
        start_device();
        wait_for([&] { return all_are_bound() && life_heard_ == left_.life; }, "the last life's messages");
        const auto before = echoes;
        wait_for(
            [&] {
                static_cast<void>(echo_.try_send({}));
                return echoes >= before + 1000;
            },
            "echoes");
        device_->kill();
        check(!device_->went_well(), "a killed process ended well");

        // It keeps what it gets, and so do we: each end sends until it has no buffer left, but for the device's one
        // that is kept for the echo's replies.
        left_.quiet = true;
        keeps_ = layout.buffers;
        const auto lost = bus_.epoch();
        start_device();
        wait_for([&] { return bus_.epoch() != lost && all_are_bound(); }, "a quiet life");
        std::uint32_t went = 0;
        wait_for(
            [&] {
                while (send_number())
                    ++went;
                return left_.filled != 0 && heard_ == left_.filled;
            },
            "all buffers");
        check(went == layout.buffers && left_.kept == layout.buffers && left_.filled == layout.buffers - 1,
              fmt::format(
                  "of {} buffers each way the driver could send {}, the device got {} and could send {}",
                  layout.buffers, went, left_.kept.load(), left_.filled.load()));
        check(left_.wrong == 0,
              fmt::format("{} messages to a device were lost, doubled or old", left_.wrong.load()));
        check(bus_.stats()[rpmsg::fault::bad_buffer] + bus_.stats()[rpmsg::fault::bad_length] == 0,
              "messages were broken");
    }

    std::uint32_t kills = 0;
    std::uint64_t messages = 0;  ///< Heard from devices.
    std::uint64_t sent = 0;
    std::uint32_t echoes = 0;
    std::uint32_t stale = 0;  ///< Handles of an earlier life that were used in a later one.
    [[nodiscard]] std::uint32_t links() const { return bus_.epoch(); }

private:
    void start_device()
    {
        ++left_.life;
        left_.heard = 0;
        device_.emplace([this] { return live<Board>(files_, left_); });
        check(end_.watch(device_->pid()).has_value(), "cannot watch the device process");
    }
    bool all_are_bound() { return echo_.is_bound() && down_.is_bound() && up_.is_bound(); }

    bool send_number()
    {
        if (epoch_sent_ != bus_.epoch()) {
            if (!down_.is_bound())
                return false;
            epoch_sent_ = bus_.epoch();
            number_sent_ = 0;
        }
        const std::array next{numbered{epoch_sent_, number_sent_}};
        if (!down_.try_send(std::as_bytes(std::span{next})))
            return false;
        ++number_sent_;
        ++sent;
        return true;
    }
    void send_numbers()
    {
        while (send_number()) {}
        if (random_() % 16 == 0)
            static_cast<void>(echo_.try_send({}));
    }
    void hear(rpmsg::rx_buffer in)
    {
        const auto* const got = in.as<numbered>();
        if (got == nullptr) {
            wrong_ = "a message from a device is broken";
            return;
        }
        if (got->life < life_heard_)
            wrong_ = "a message of an earlier life was heard";
        if (got->life > life_heard_) {
            life_heard_ = got->life;
            heard_ = 0;
        }
        if (got->n != heard_)
            wrong_ = "a message of a device was lost or doubled";
        ++heard_;
        ++messages;
        if (held_.size() < keeps_)
            held_.push_back(std::move(in));
    }
    /// Handles of an earlier life do no harm.
    void look()
    {
        check(wrong_.empty(), wrong_);
        if (bus_.state() != link_state::up || bus_.epoch() == epoch_looked_)
            return;
        epoch_looked_ = bus_.epoch();
        held_.clear();
        if (held_buffer_) {
            ++stale;
            check(std::move(held_buffer_).send(8).error() == rpmsg::errc::stale,
                  "a buffer of an earlier life was sent");
            held_buffer_.drop();
        }
    }
    template <typename Done>
    void wait_for(Done done, std::string_view what)
    {
        const until deadline{a_hang};
        while (!done()) {
            if (deadline.passed())
                fail(fmt::format("waited for {} in vain, with the link {}", what, bus_.state()));
            bus_.poll();
            look();
            if (!done())
                bus_.wait_work(nap);
        }
    }

    std::minstd_rand random_;
    link_files files_ = made(link_files::create(layout.size()));
    rpmsg::virtio::resource_table table_ = layout.write_table(files_.memory.bytes());
    process_end end_{files_, role::driver};
    rpmsg::driver_bus<Board> bus_{table_, layout.pool(files_.memory.bytes()), end_.policies<Board>()};
    record& left_;
    std::optional<forked> device_;

    std::uint32_t life_heard_ = 0;
    std::uint32_t heard_ = 0;
    std::uint32_t epoch_sent_ = 0xFFFF'FFFF;
    std::uint32_t number_sent_ = 0;
    std::uint32_t epoch_looked_ = 0;
    std::size_t keeps_ = 0;
    std::vector<rpmsg::rx_buffer> held_;
    std::string_view wrong_;  // what a receiver saw: it must not throw

    struct echoed {
        std::uint32_t* echoes;
        void operator()(rpmsg::message /*in*/) const { ++*echoes; }
    };
    struct heard {
        survivor* self;
        void operator()(rpmsg::rx_buffer in) const { self->hear(std::move(in)); }
    };
    using bus_type = typename rpmsg::driver_bus<Board>::basic;
    rpmsg::endpoint<bus_type, void, echoed> echo_{bus_, echoed{&echoes}};
    rpmsg::endpoint<bus_type, void, rpmsg::no_receiver> down_{bus_, rpmsg::no_receiver{}};
    rpmsg::endpoint<bus_type, void, heard> up_{bus_, heard{this}};
    typename rpmsg::endpoint<bus_type, void, rpmsg::no_receiver>::buffer held_buffer_;
};

template <rpmsg::policy::board Board>
void survive(std::string_view doorbell, std::uint32_t kills, std::uint32_t seed)
{
    survivor<Board> driver{seed};
    while (driver.kills != kills)
        driver.one_life();
    driver.last_life();
    fmt::print("{}: {} kills, {} links lost, {} messages sent and {} heard, {} echoes, {} stale handles\n",
               doorbell, driver.kills, driver.links(), driver.sent, driver.messages, driver.echoes,
               driver.stale);
    std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv)
{
    const auto kills = static_cast<std::uint32_t>(argc > 1 ? std::atoi(argv[1]) : 20);
    const auto seed = static_cast<std::uint32_t>(argc > 2 ? std::atoi(argv[2]) : 1);
    try {
        survive<eventfd_board>("eventfd", (kills + 1) / 2, seed);
        survive<futex_board>("futex", kills / 2, seed);
        return 0;
    } catch (const std::exception& wrong) {
        fmt::print(stderr, "killed: {} (seed {})\n", wrong.what(), seed);
        return 1;
    }
}
