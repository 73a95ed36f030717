#include <rpmsg/policy/exclusion.hpp>

#include "support/catch.hpp"

#include <cstdint>
#include <mutex>
#include <thread>
#include <type_traits>
#include <vector>

using namespace rpmsg::policy;

namespace {

struct this_thread {
    static std::uintptr_t context() noexcept
    {
        static thread_local char mine;
        return reinterpret_cast<std::uintptr_t>(&mine);
    }
    static void relax() noexcept { std::this_thread::yield(); }
};

/// A core whose interrupts can be masked.
struct core {
    using state = unsigned;
    static inline unsigned mask = 0;
    static inline std::uintptr_t exception = 0;

    static state save_and_mask() noexcept
    {
        const auto before = mask;
        mask = 1;
        return before;
    }
    static void restore(state before) noexcept { mask = before; }
    static std::uintptr_t context() noexcept { return exception; }
};

/// A Lockable that can be looked at.
struct visible_lock {
    static inline int held = 0;
    static void lock() noexcept { ++held; }
    static void unlock() noexcept { --held; }
};

using spinning = lockable<spin_lock, this_thread>;
using locking = lockable<std::mutex, this_thread>;
using visible = lockable<visible_lock, this_thread>;
using masking = interrupt_mask<core>;

static_assert(exclusion<no_exclusion> && exclusion<spinning> && exclusion<locking> && exclusion<masking>);
static_assert(!exclusion<spin_lock> && !exclusion<int>);
static_assert(std::is_empty_v<no_exclusion> && std::is_empty_v<masking>);
static_assert(sizeof(spinning) == 1);
static_assert(sizeof(scope<no_exclusion>) == sizeof(void*));

static_assert(!no_exclusion::isr_safe && !no_exclusion::others_progress);
static_assert(!spinning::isr_safe && spinning::others_progress);
static_assert(masking::isr_safe && !masking::others_progress);

static_assert(!std::is_copy_constructible_v<scope<masking>> && !std::is_copy_assignable_v<scope<masking>>);

constinit spinning made_before_main;

}  // namespace

TEST_CASE("without exclusion there is one context and nothing to do", "[policy]")
{
    no_exclusion nobody;
    const scope held{nobody};
    nobody.relax();
    CHECK(nobody.context() == no_exclusion{}.context());
}

TEST_CASE("interrupts are masked to the end of the scope and then as they were", "[policy]")
{
    masking exclusion;
    core::mask = 0;
    {
        const scope outer{exclusion};
        CHECK(core::mask == 1);
        {
            const scope inner{exclusion};
            CHECK(core::mask == 1);
        }
        CHECK(core::mask == 1);
    }
    CHECK(core::mask == 0);

    core::exception = 15;
    CHECK(exclusion.context() == 15);
    exclusion.relax();
}

TEST_CASE("a lock is held to the end of the scope", "[policy]")
{
    visible exclusion;
    {
        const scope held{exclusion};
        CHECK(visible_lock::held == 1);
    }
    CHECK(visible_lock::held == 0);
}

TEST_CASE("a thread's context is its own", "[policy][thread]")
{
    const auto mine = made_before_main.context();
    std::uintptr_t others = mine;
    std::thread other{[&] { others = made_before_main.context(); }};
    other.join();
    CHECK(others != mine);
    CHECK(made_before_main.context() == mine);
    made_before_main.relax();
}

TEMPLATE_TEST_CASE("threads that exclude each other lose nothing", "[policy][thread]", spinning, locking)
{
    constexpr int rounds = 2000;
    TestType exclusion;
    int counted = 0;

    const auto count = [&] {
        for (int i = 0; i != rounds; ++i) {
            const scope held{exclusion};
            ++counted;
        }
    };
    std::vector<std::thread> threads;
    for (int i = 0; i != 3; ++i)
        threads.emplace_back(count);
    for (auto& thread : threads)
        thread.join();

    CHECK(counted == 3 * rounds);
}
