#pragma once

#include <rpmsg/name_service/address.hpp>

#include <fmt/format.h>

#include <cstddef>
#include <cstdio>
#include <iterator>
#include <span>
#include <string>
#include <utility>

namespace host {

/// Writes down each message and what else happens, a line each on stdout: what tools/lib/kernel_record.py reads.
///
/// BUS < FROM TO HEX is a message that we got, BUS > FROM TO HEX one that we sent, BUS = WORDS what happened.
class recorder {
public:
    explicit recorder(unsigned bus = 0, bool messages = true) : bus_{bus}, messages_{messages} {}

    void received(rpmsg::address from, rpmsg::address to, std::span<const std::byte> payload)
    {
        message('<', from, to, payload);
    }
    void sent(rpmsg::address from, rpmsg::address to, std::span<const std::byte> payload)
    {
        message('>', from, to, payload);
    }
    template <typename... Args>
    void note(fmt::format_string<Args...> text, Args&&... args)
    {
        fmt::print("{} = {}\n", bus_, fmt::format(text, std::forward<Args>(args)...));
        std::fflush(stdout);
    }

private:
    void message(char way, rpmsg::address from, rpmsg::address to, std::span<const std::byte> payload)
    {
        if (!messages_)
            return;
        line_ = fmt::format("{} {} {} {} ", bus_, way, from.value(), to.value());
        for (const auto byte : payload)
            fmt::format_to(std::back_inserter(line_), "{:02x}", std::to_integer<unsigned>(byte));
        line_ += '\n';
        std::fwrite(line_.data(), 1, line_.size(), stdout);
        std::fflush(stdout);
    }

    unsigned bus_;
    bool messages_;
    std::string line_;
};

}  // namespace host
