// The driver's image on any pair: starts the other core, finds the table in its image, and drives both links.
#include "driver.hpp"
#include "machine.hpp"
#include "table.hpp"

#include <rpmsg/rpmsg.hpp>

int main()
{
    machine::start();
    const auto table = machine::table_of_device();
    static constexpr auto first_layout = machine::layout<0>;
    static constexpr auto second_layout = machine::layout<1>;
    for (const auto& verdict : {first_layout.check(table), second_layout.check(table, {.device = 1})})
        if (!verdict) {
            machine::say(verdict.reason().data());
            machine::finish(1);
        }
    rpmsg::immortal<rpmsg::driver_bus<machine::board<0>>> first{
        *rpmsg::virtio::resource_table::find(table), first_layout.pool(machine::memory(first_layout)),
        machine::models<machine::board<0>>()};
    rpmsg::immortal<rpmsg::driver_bus<machine::board<1>>> second{
        *rpmsg::virtio::resource_table::find(table, 1), second_layout.pool(machine::memory(second_layout)),
        machine::models<machine::board<1>>()};
    app::driver<machine, decltype(first), decltype(second)> program{first, second};
    machine::start_device();
    program.run();
}
