#pragma once

#include <rpmsg/bus/endpoint.hpp>

#include <utility>

namespace rpmsg {

/// A bus, endpoint or observer that lives as long as the program: it has no destructor.
///
/// For firmware: no __aeabi_atexit, and no code to close what never closes.
/// @code
/// constinit rpmsg::immortal<rpmsg::device_bus<my_board>> bus{my_board::resources};
/// constinit rpmsg::immortal echo{bus, [](rpmsg::message in) { return in.payload(); }};
/// @endcode
template <typename T>
class immortal : public T::basic {
public:
    using T::basic::basic;
    immortal(const immortal&) = delete;
    immortal& operator=(const immortal&) = delete;
};

/// An endpoint that only sends. (Without this, `immortal log{bus}` would be another immortal bus, a copy.)
template <typename T>
immortal(immortal<T>&) -> immortal<decltype(endpoint{std::declval<immortal<T>&>()})>;
/// An endpoint, from what endpoint's constructor takes.
template <typename Bus, typename... Parts>
immortal(Bus&, Parts...) -> immortal<decltype(endpoint{std::declval<Bus&>(), std::declval<Parts>()...})>;

}  // namespace rpmsg
