// Receives in the doorbell's interrupt and answers from there, while the main loop sends as fast as it can.
#include "../app/table.hpp"
#include "common.hpp"

#include <rpmsg/rpmsg.hpp>

#include <chrono>
#include <cstdint>

using namespace interrupts;

extern "C" {
[[gnu::section(".resource_table"), gnu::used]] constinit app::table_of_two resource_table =
    app::make_table(machine::layout<0>, machine::layout<1>);
}

namespace {
constinit rpmsg::immortal<rpmsg::device_bus<board>> bus{
    rpmsg::virtio::resource_table{resource_table.vdev[0]}};
constinit rpmsg::immortal answerer{bus, rpmsg::typed<std::uint32_t>};
constinit rpmsg::immortal sender{bus, rpmsg::typed<std::uint32_t>};

shared heard = 0;
shared answered = 0;
shared wrong = 0;

/// Runs in the interrupt: what does not find a buffer is left to the main loop.
void answer() noexcept
{
    while (answered != heard && answerer.try_send(std::uint32_t{answered}))
        answered = answered + 1;
}
constinit rpmsg::immortal listener{bus, rpmsg::typed<std::uint32_t>, [](const std::uint32_t& number) {
                                       if (number != heard || mask::context() == 0)
                                           wrong = wrong + 1;
                                       heard = heard + 1;
                                       answer();
                                   }};
}  // namespace

extern "C" void doorbell_interrupt() noexcept
{
    machine::doorbell_rang<0>();
    bus.poll();
}

int main()
{
    using namespace std::chrono_literals;
    if (!listener.open(questions) || !answerer.open(rpmsg::address{0x43}, rpmsg::towards{answers}) ||
        !sender.open(rpmsg::address{0x44}, rpmsg::towards{stream}))
        machine::finish(2);
    machine::start();
    while (bus.state() != rpmsg::link_state::up) {
        const auto before = mask::save_and_mask();
        bus.poll(0);  // messages are for the interrupt
        mask::restore(before);
    }
    for (std::uint32_t number = 0; number != rounds; ++number)
        if (!sender.send(number, 1h))
            machine::finish(5);
    for (;;) {
        const auto before = mask::save_and_mask();
        answer();
        if (wrong != 0)
            machine::finish(6);
        if (answered == heard || bus.state() != rpmsg::link_state::up)
            mask::wait_for_interrupt();
        mask::restore(before);
    }
}
