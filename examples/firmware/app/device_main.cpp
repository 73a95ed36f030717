// The device's image on any pair: says in its table what it offers, and serves.
#include "device.hpp"
#include "machine.hpp"
#include "table.hpp"

#include <rpmsg/rpmsg.hpp>

#include <cstdint>

// Images that a driver must refuse to start are built with BROKEN.
#if !defined(BROKEN) || BROKEN == 0
#define BROKEN_TABLE(table) table
#else
#define BROKEN_TABLE(table) app::broken(table, BROKEN)
#endif

extern "C" {
[[gnu::section(".resource_table"), gnu::used]] constinit app::table_of_two resource_table =
    BROKEN_TABLE(app::make_table(machine::layout<0>, machine::layout<1>));
}

namespace {
constinit rpmsg::immortal<rpmsg::device_bus<machine::board<0>>> first{
    rpmsg::virtio::resource_table{resource_table.vdev[0]}};
constinit rpmsg::immortal<rpmsg::device_bus<machine::board<1>>> second{
    rpmsg::virtio::resource_table{resource_table.vdev[1]}};
[[gnu::section(".noinit")]] std::uint32_t lives;  // outlives a restart of this core
}  // namespace

int main()
{
    machine::start();
    app::serve<machine>(first, second, ++lives);
}
