#pragma once

#include <rpmsg/rpmsg.hpp>
#include <rpmsg/testing/loopback.hpp>

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// What the tests of the bus have in common: payloads that can be read, and the two ends by name.
namespace bus_test {

inline std::span<const std::byte> bytes(std::string_view text) noexcept
{
    return std::as_bytes(std::span{text});
}

inline std::string text(std::span<const std::byte> payload)
{
    return {reinterpret_cast<const char*>(payload.data()), payload.size()};
}

/// A test runs for both roles: `here` is the end under test, `there` its peer.
struct as_driver {
    static constexpr auto role = rpmsg::virtio::role::driver;
    static auto& here(auto& link) noexcept { return link.driver(); }
    static auto& there(auto& link) noexcept { return link.device(); }
};
struct as_device {
    static constexpr auto role = rpmsg::virtio::role::device;
    static auto& here(auto& link) noexcept { return link.device(); }
    static auto& there(auto& link) noexcept { return link.driver(); }
};

/// The vring in which one end sends.
constexpr rpmsg::policy::vring_id tx_ring(rpmsg::virtio::role role) noexcept
{
    return role == rpmsg::virtio::role::driver ? rpmsg::policy::vring_id::to_device
                                               : rpmsg::policy::vring_id::to_driver;
}

/// Writes down what a bus hears of its peer's channels: "+name@address" and "-name@address".
template <typename Bus>
struct ear {
    explicit ear(Bus& bus)
        : watch{bus,
                {news{[this](const rpmsg::announcement& a) { write('+', a); }}},
                {news{[this](const rpmsg::announcement& a) { write('-', a); }}}}
    {
        static_cast<void>(watch.open());
    }
    void write(char sign, const rpmsg::announcement& a)
    {
        heard.push_back(sign + std::string{a.name()} + "@" + std::to_string(a.address().value()));
    }
    std::vector<std::string> take() { return std::exchange(heard, {}); }

    using news = std::function<void(const rpmsg::announcement&)>;
    std::vector<std::string> heard;
    rpmsg::observer<typename Bus::basic, rpmsg::on_announced<news>, rpmsg::on_withdrawn<news>> watch;
};

}  // namespace bus_test
