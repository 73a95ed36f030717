// Keeping received buffers: taking the rx_buffer by value is the hold, its destructor is the release.
// Frames are queued for a worker that handles them later and in its own order. What is held is missing to
// the sender: with all buffers here it gets errc::full, and goes on when some of them are back.
#include "support/text.hpp"

#include <rpmsg/platform/fmt.hpp>
#include <rpmsg/rpmsg.hpp>
#include <rpmsg/testing/loopback.hpp>

#include <cstddef>
#include <utility>
#include <vector>

#include <fmt/core.h>

namespace {

/// Gets frames now, works on them some other time.
class worker_queue {
public:
    void push(rpmsg::rx_buffer frame) { frames_.push_back(std::move(frame)); }

    /// Handles one of them: then its buffer goes back to the peer, whatever the order.
    void work_on(std::size_t which)
    {
        const auto at = frames_.begin() + static_cast<std::ptrdiff_t>(which);
        fmt::print("worker: {}\n", text(at->payload()));
        frames_.erase(at);
    }
    [[nodiscard]] std::size_t size() const { return frames_.size(); }

private:
    std::vector<rpmsg::rx_buffer> frames_;
};

}  // namespace

int main()
{
    rpmsg::testing::loopback<> link;
    worker_queue worker;

    rpmsg::endpoint frames{link.device(), [&](rpmsg::rx_buffer in) { worker.push(std::move(in)); }};
    rpmsg::endpoint camera{link.driver()};

    if (!frames.open(rpmsg::address{0x50}) || !camera.open(rpmsg::towards{0x50}) || !link.run())
        return 1;

    int sent = 0;
    const auto send_all_we_can = [&] {
        for (;;) {
            if (const auto done = camera.try_send(bytes(fmt::format("frame {}", sent))); !done) {
                fmt::print("camera: {} frames sent, then {} ({:l})\n", sent, done.error(), done.error());
                return;
            }
            ++sent;
            link.run();
        }
    };

    send_all_we_can();
    fmt::print("{} frames are held\n", worker.size());

    for (const std::size_t which : {9U, 3U, 0U})
        worker.work_on(which);
    send_all_we_can();

    while (worker.size() != 0)
        worker.work_on(worker.size() - 1);
    return camera.try_send(bytes("the last one")) && link.run() && worker.size() == 1 ? 0 : 1;
}
