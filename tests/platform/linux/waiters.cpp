#include <rpmsg/platform/linux/waiters.hpp>

#include <rpmsg/platform/linux/eventfd.hpp>

#include "must.hpp"
#include "ping_pong.hpp"
#include "support/catch.hpp"

#include <atomic>
#include <chrono>
#include <thread>

using namespace std::chrono_literals;
using namespace rpmsg::platform;
using platform_test::must;

namespace {

/// A bell that is more than one file: taking its rings does work.
class working_bell {
public:
    working_bell(const file_descriptor& own, std::atomic<int>& taken) noexcept : own_{&own}, taken_{&taken} {}
    [[nodiscard]] int fd() const noexcept { return own_->get(); }
    void wake() noexcept { eventfd_doorbell{*own_}.ring(); }
    bool take() noexcept
    {
        const bool rung = eventfd_bell{*own_}.take();
        *taken_ += rung ? 1 : 0;
        return rung;
    }

private:
    const file_descriptor* own_;
    std::atomic<int>* taken_;
};

}  // namespace

TEST_CASE("threads sleep on any bell, and one that rings wakes all of them", "[platform][thread]")
{
    const auto own = must(make_eventfd());
    std::atomic<int> taken{0};
    waiters threads{working_bell{own, taken}};
    std::atomic<bool> rung{false};
    std::atomic<int> woken{0};
    const auto sleeps = [&] {
        shared_wait wait{threads};
        const platform_test::until deadline{platform_test::a_hang};
        while (!rung && !deadline.passed())
            wait.sleep([&]() noexcept { return rung.load(); }, deadline);
        if (rung)
            ++woken;
    };
    std::thread one{sleeps};
    std::thread other{sleeps};
    std::this_thread::sleep_for(5ms);
    rung = true;
    threads.wake();
    one.join();
    other.join();
    CHECK(woken == 2);
    threads.drain();
    CHECK(taken == 1);
}
