#pragma once

/// @file
/// Formatters for {fmt}, for whoever includes this: `fmt::print("{}: {:l}\n", endpoint.local(), why)`.
///
/// Everything takes what strings take (`{:>12}`). errc, fault and link_state also take `{:l}`, in full: the
/// sentence of whose move it is. What the peer wrote is escaped, so that a terminal or a log can show it.

#include <rpmsg/bus/link_state.hpp>
#include <rpmsg/bus/statistics.hpp>
#include <rpmsg/name_service/address.hpp>
#include <rpmsg/name_service/announcement.hpp>
#include <rpmsg/name_service/name.hpp>
#include <rpmsg/result.hpp>

#include <cstdint>
#include <string>
#include <string_view>

#include <fmt/format.h>

namespace rpmsg::platform {

/// How an enumerator is said: its word as it is spelt in the source, and in full.
struct spoken {
    std::string_view word;
    std::string_view sentence;
};

/// @return Two empty strings for a number that is no enumerator. `errc{}` is "ok".
[[nodiscard]] constexpr spoken speak(errc why) noexcept
{
    using enum errc;
    if (why == errc{})
        return {"ok", "it was done"};
    switch (why) {
    case full: return {"full", "every buffer is with the peer: wait for its doorbell, or for on_tx_ready"};
    case empty: return {"empty", "there is nothing to take: wait for the peer's doorbell"};
    case timed_out: return {"timed_out", "the deadline came first: wait again, or give up"};
    case too_long: return {"too_long", "the payload exceeds max_payload(): send less at a time"};
    case not_bound:
        return {"not_bound", "the peer's address is not known yet: wait for on_bound, or name an address"};
    case link_down: return {"link_down", "there is no link: wait for it, endpoints come back by themselves"};
    case stale: return {"stale", "the buffer is of a link that is gone, or was sent already: take a new one"};
    case closed: return {"closed", "the endpoint is not open: open it first"};
    case already_open: return {"already_open", "the endpoint is open: close it first"};
    case address_in_use:
        return {"address_in_use", "an open endpoint or the name service has this address: choose another"};
    case bad_address: return {"bad_address", "the address names nobody: name one"};
    case name_too_long: return {"name_too_long", "a name has 1 to 31 characters: choose another"};
    case busy: return {"busy", "the receiver runs in the context that was interrupted: try again later"};
    case not_ready: return {"not_ready", "there is no resource table yet: wait for the peer to lay it out"};
    case protocol:
        return {"protocol", "shared memory holds what the spec forbids: the peer's fault, the link is lost"};
    case malformed: return {"malformed", "one message breaks the spec: the peer's fault, it was dropped"};
    case misaligned:
        return {"misaligned", "a ring or buffer is not aligned: whoever laid it out has to move it"};
    case bad_ring_size:
        return {"bad_ring_size", "a ring is not of this board's size: whoever laid it out has to change it"};
    case out_of_map:
        return {"out_of_map", "an address is outside the board's map: whoever laid it out has to move it"};
    case out_of_memory:
        return {"out_of_memory",
                "the pool is too small for one buffer: whoever laid it out has to enlarge it"};
    case unsupported:
        return {"unsupported", "the peer or the kernel lacks what this needs: choose another model"};
    case system: return {"system", "the operating system refused: errno says why"};
    }
    return {};
}

/// @return Two empty strings for a number that is no enumerator.
[[nodiscard]] constexpr spoken speak(fault cause) noexcept
{
    using enum fault;
    switch (cause) {
    case none: return {"none", "nothing was refused"};
    case bad_descriptor: return {"bad_descriptor", "an avail entry named no descriptor and was skipped"};
    case bad_buffer:
        return {"bad_buffer", "a message's buffer was outside the map or too small, and was given back"};
    case bad_length: return {"bad_length", "a header claimed more than its buffer holds, and was dropped"};
    case unknown_destination:
        return {"unknown_destination", "nobody here has a message's address: it was dropped"};
    case bad_announcement:
        return {"bad_announcement", "an announcement was not 40 bytes, or of nobody: dropped"};
    case wrong_size:
        return {"wrong_size", "a message was not the size of the endpoint's type: it was dropped"};
    case reply_dropped:
        return {"reply_dropped", "a receiver's result was too long, or the link went meanwhile"};
    case withdrawal_dropped:
        return {"withdrawal_dropped", "an endpoint went while too many withdrawals waited"};
    case ring_broken: return {"ring_broken", "the peer broke a ring beyond repair: the link starts over"};
    case layout_refused: return {"layout_refused", "the board cannot use the peer's rings: see refusal()"};
    }
    return {};
}

/// @return Two empty strings for a number that is no enumerator.
[[nodiscard]] constexpr spoken speak(link_state state) noexcept
{
    using enum link_state;
    switch (state) {
    case down: return {"down", "not started, or stopped"};
    case negotiating: return {"negotiating", "waiting for the peer"};
    case up: return {"up", "messages flow"};
    case lost:
        return {"lost", "the peer restarted, went away or broke the rings: the next poll negotiates again"};
    }
    return {};
}

/// @return Two empty strings for a number that is no enumerator.
[[nodiscard]] constexpr spoken speak(channel_news news) noexcept
{
    using enum channel_news;
    switch (news) {
    case came: return {"came", "the peer opened a channel"};
    case went: return {"went", "the peer closed a channel"};
    }
    return {};
}

/// Text of the peer's as it can be shown: quotes, backslashes and whatever is not printable ASCII as \\xHH.
[[nodiscard]] inline std::string escaped(std::string_view text)
{
    std::string shown;
    for (const char c : text) {
        if (c >= ' ' && c <= '~' && c != '"' && c != '\\')
            shown += c;
        else
            shown += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
    return shown;
}

/// Formats an enumeration as its word, or with `{:l}` as its sentence.
///
/// @tparam Enumeration  One for which there is a speak(). A number that is no enumerator stays a number.
template <typename Enumeration>
class spoken_formatter : public fmt::formatter<fmt::string_view> {
    using base = fmt::formatter<fmt::string_view>;

public:
    constexpr auto parse(fmt::format_parse_context& context)
    {
        const auto* const at = context.begin();
        if (at == context.end() || *at != 'l' || (at + 1 != context.end() && at[1] != '}'))
            return base::parse(context);
        in_full_ = true;
        return at + 1;
    }

    template <typename Context>
    auto format(Enumeration value, Context& context) const
    {
        const auto said = speak(value);
        if (said.word.empty())
            return base::format(std::to_string(static_cast<unsigned>(value)), context);
        return base::format(in_full_ ? said.sentence : said.word, context);
    }

private:
    bool in_full_ = false;
};

}  // namespace rpmsg::platform

namespace fmt {

/// `full`, `not_bound`, …; `{:l}`: whose move it is.
template <>
struct formatter<rpmsg::errc> : rpmsg::platform::spoken_formatter<rpmsg::errc> {};

/// `bad_length`, `unknown_destination`, …; `{:l}`: what became of it.
template <>
struct formatter<rpmsg::fault> : rpmsg::platform::spoken_formatter<rpmsg::fault> {};

/// `down`, `negotiating`, `up` or `lost`; `{:l}`: in full.
template <>
struct formatter<rpmsg::link_state> : rpmsg::platform::spoken_formatter<rpmsg::link_state> {};

/// `came` or `went`.
template <>
struct formatter<rpmsg::channel_news> : rpmsg::platform::spoken_formatter<rpmsg::channel_news> {};

/// `0x400`, or `any`.
template <>
struct formatter<rpmsg::address> : formatter<string_view> {
    template <typename Context>
    auto format(rpmsg::address a, Context& context) const
    {
        return formatter<string_view>::format(a.is_any() ? "any" : fmt::format("{:#x}", a.value()), context);
    }
};

/// Its characters; nothing for no name.
template <>
struct formatter<rpmsg::name> : formatter<string_view> {
    template <typename Context>
    auto format(rpmsg::name n, Context& context) const
    {
        return formatter<string_view>::format(n.empty() ? "" : n.c_str(), context);
    }
};

/// `"rpmsg-echo" came at 0x400`, the name escaped: it is the peer's input.
template <>
struct formatter<rpmsg::announcement> : formatter<string_view> {
    template <typename Context>
    auto format(const rpmsg::announcement& heard, Context& context) const
    {
        return formatter<string_view>::format(fmt::format("\"{}\" {} at {}",
                                                          rpmsg::platform::escaped(heard.name()),
                                                          heard.news(), heard.address()),
                                              context);
    }
};

}  // namespace fmt
