// hostile_peer [SECONDS] [SEED]: random writes of a hostile peer until the time is up, in both roles and three dialects.
// The seed of the run under way is the last line when a sanitizer ends it, so `hostile_peer 0 SEED` repeats it.

#include "bus/corruption.hpp"

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

// NOLINTNEXTLINE(bugprone-reserved-identifier,readability-identifier-naming): a sanitizer's own, if there is one
extern "C" void __sanitizer_set_death_callback(void (*)()) __attribute__((weak));

namespace {

using namespace corruption;

constinit std::uint32_t seed = 1;
constinit std::uint64_t runs = 0;
constinit std::uint64_t writes = 0;
constinit std::uint64_t faults = 0;
constinit std::uint64_t arrived = 0;

void say_seed() { std::fprintf(stderr, "seed %u\n", seed); }

template <typename Board>
bool holds(const char* board)
{
    for (const auto liar : {virtio::role::driver, virtio::role::device}) {
        exchange<Board> lies{liar, seed};
        const auto wrong = lies.run(1000);
        ++runs;
        writes += lies.writes();
        faults += lies.faults();
        arrived += lies.arrived();
        if (!wrong.empty()) {
            std::fprintf(stderr, "%s, a lying %s: %s\n", board,
                         liar == virtio::role::driver ? "driver" : "device", wrong.c_str());
            say_seed();
            return false;
        }
    }
    return true;
}

}  // namespace

int main(int argc, char** argv)
{
    using clock = std::chrono::steady_clock;
    const auto until = clock::now() + std::chrono::seconds{argc > 1 ? std::atoi(argv[1]) : 60};
    seed = argc > 2 ? static_cast<std::uint32_t>(std::strtoul(argv[2], nullptr, 0)) : 1;
    if (__sanitizer_set_death_callback != nullptr)
        __sanitizer_set_death_callback(say_seed);
    do {
        if (!holds<flags_board>("flags") || !holds<events_board>("events") ||
            !holds<lite_board>("rpmsg-lite"))
            return EXIT_FAILURE;
        ++seed;
    } while (clock::now() < until);
    std::printf("%llu runs, %llu words written over, %llu faults counted, %llu messages arrived\n",
                static_cast<unsigned long long>(runs), static_cast<unsigned long long>(writes),
                static_cast<unsigned long long>(faults), static_cast<unsigned long long>(arrived));
    return faults != 0 && arrived != 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
