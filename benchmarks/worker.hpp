#pragma once

/// @file
/// The benchmark's second thread.

#include "measure.hpp"
#include "support.hpp"

#include <pthread.h>
#include <sched.h>

#include <atomic>
#include <cstddef>
#include <thread>
#include <utility>
#include <vector>

namespace benchmark {

/// A word that shares its line with nothing.
struct alignas(apart) line {
    std::atomic<unsigned> word{0};
};

/// What the second thread does until it is told something else.
using job = void (*)(void* self, const std::atomic<unsigned>& orders, unsigned mine) noexcept;

/// The second thread: runs one job at a time.
class worker {
public:
    explicit worker(std::size_t cpu)
        : thread_{[this, cpu] {
              pin(cpu);
              for (unsigned mine = 1;; ++mine) {
                  while (orders_.word.load(std::memory_order_acquire) != mine) {}
                  if (job_ == nullptr)
                      return;
                  job_(self_, orders_.word, mine);
                  done_.word.store(mine, std::memory_order_release);
              }
          }}
    {}
    ~worker()
    {
        begin(nullptr, nullptr);
        thread_.join();
    }
    worker(const worker&) = delete;
    worker& operator=(const worker&) = delete;

    void begin(job todo, void* self)
    {
        job_ = todo;
        self_ = self;
        orders_.word.store(++order_, std::memory_order_release);
    }
    /// The job sees that the orders are no longer its own, and ends.
    void end()
    {
        const auto mine = order_;
        orders_.word.store(0, std::memory_order_release);
        while (done_.word.load(std::memory_order_acquire) != mine) {}
    }

    static void pin(std::size_t cpu)
    {
        cpu_set_t one;
        CPU_ZERO(&one);
        CPU_SET(cpu, &one);
        must(pthread_setaffinity_np(pthread_self(), sizeof one, &one) == 0);
    }

private:
    line orders_;
    line done_;
    job job_ = nullptr;
    void* self_ = nullptr;
    unsigned order_ = 0;
    std::thread thread_;
};

/// The first two processors that this process may use, or one of them twice.
inline std::pair<std::size_t, std::size_t> two_cpus()
{
    cpu_set_t allowed;
    must(sched_getaffinity(0, sizeof allowed, &allowed) == 0);
    std::vector<std::size_t> found;
    for (std::size_t cpu = 0; cpu != CPU_SETSIZE && found.size() != 2; ++cpu)
        if (CPU_ISSET(cpu, &allowed))
            found.push_back(cpu);
    return {found.front(), found.back()};
}

}  // namespace benchmark
