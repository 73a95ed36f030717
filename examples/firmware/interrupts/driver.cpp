// Asks, with an interrupt that only sets a flag; and rings far more often than there is anything to say.
#include "../app/table.hpp"
#include "common.hpp"

#include <rpmsg/rpmsg.hpp>

#include <cstdint>

using namespace interrupts;

namespace {
shared rang = 0;
}

extern "C" void doorbell_interrupt() noexcept
{
    machine::doorbell_rang<0>();
    rang = 1;
}

int main()
{
    static constexpr auto layout = machine::layout<0>;
    std::uint32_t answered = 0;
    std::uint32_t streamed = 0;
    std::uint32_t wrong = 0;
    std::uint32_t storm = 0;

    rpmsg::immortal<rpmsg::driver_bus<board>> bus{
        *rpmsg::virtio::resource_table::find(machine::table_of_device()),
        layout.pool(machine::memory(layout))};
    rpmsg::immortal asker{bus, rpmsg::typed<std::uint32_t>};
    rpmsg::immortal answers_heard{bus, rpmsg::typed<std::uint32_t>, [&](const std::uint32_t& number) {
                                      wrong += number != answered++ ? 1U : 0U;
                                  }};
    rpmsg::immortal stream_heard{bus, rpmsg::typed<std::uint32_t>, [&](const std::uint32_t& number) {
                                     wrong += number != streamed++ ? 1U : 0U;
                                 }};
    if (!answers_heard.open(answers) || !stream_heard.open(stream) ||
        !asker.open(rpmsg::address{0x45}, rpmsg::towards{questions}))
        machine::finish(2);
    machine::start();
    machine::start_device();

    board::doorbell bell;
    bus.poll();
    for (std::uint32_t asked = 0; answered != rounds || streamed != rounds;) {
        bool stuck = true;
        if (bus.state() == rpmsg::link_state::up && asked != rounds && asker.try_send(asked)) {
            ++asked;
            stuck = false;
        }
        // Nobody has anything to say, and yet it rings.
        for (std::uint32_t i = 0; i != 4; ++i, ++storm)
            bell.ring(rpmsg::policy::vring_id::to_device);
        const auto before = mask::save_and_mask();
        if (stuck && rang == 0)
            mask::wait_for_interrupt();
        mask::restore(before);
        if (rang != 0) {
            rang = 0;
            bus.poll();
        }
    }
    machine::say_figure("messages each way: ", rounds);
    machine::say_figure("doorbells that meant nothing: ", storm);
    machine::finish(wrong == 0 && bus.stats().total() == 0 && answered == rounds && streamed == rounds ? 0
                                                                                                       : 1);
}
