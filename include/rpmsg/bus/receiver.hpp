#pragma once

#include <rpmsg/bus/message.hpp>
#include <rpmsg/name_service/address.hpp>
#include <rpmsg/wire/payload.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>

namespace rpmsg {

/// Says that an endpoint's payloads are each one T: see wire::payload for what a T may be.
template <typename T>
struct typed_t {};
/// `rpmsg::endpoint sensor{bus, rpmsg::typed<sample>, …}`.
template <typename T>
inline constexpr typed_t<T> typed{};

/// What a receiver takes to look at a T where it lies: `in_place<const T&>`.
template <typename T>
class in_place;

/// A received T where it lies: no copy, but the peer may still change it while it is looked at.
template <typename T>
class in_place<const T&> {
public:
    explicit constexpr in_place(const T& where) noexcept : where_{&where} {}
    [[nodiscard]] constexpr const T& operator*() const noexcept { return *where_; }
    [[nodiscard]] constexpr const T* operator->() const noexcept { return where_; }

private:
    const T* where_;
};

/// An endpoint that only sends.
struct no_receiver {};

/// How a receiver is called, decided from its type; a callable that fits none is refused in one line.
///
/// @tparam Payload   T of typed<T>, or void.
/// @tparam Receiver  (message), (std::span<const std::byte>), (rx_buffer); or, typed, (const T&) or
///                   (in_place<const T&>); each optionally followed by the source address.
template <typename Payload, typename Receiver>
class receiver_call {
    template <typename What>
    static constexpr bool takes =
        std::is_invocable_v<Receiver&, What> || std::is_invocable_v<Receiver&, What, address>;
    template <typename What>
    static decltype(auto) call(Receiver& receiver, What&& what, address from)
    {
        if constexpr (std::is_invocable_v<Receiver&, What, address>)
            return receiver(static_cast<What&&>(what), from);
        else
            return receiver(static_cast<What&&>(what));
    }
    using bytes = std::span<const std::byte>;

public:
    /// Calls the receiver and hands its result, if any, to answer(std::span<const std::byte>).
    template <typename Answer>
    static void run(Receiver& receiver, delivery& d, const keeper& k, Answer answer) noexcept
    {
        const address from{d.from};
        if constexpr (!std::is_void_v<Payload>) {
            if (d.length != sizeof(Payload))
                return refuse(d);
            if constexpr (takes<in_place<const Payload&>>) {
                if (reinterpret_cast<std::uintptr_t>(d.payload().data()) % alignof(Payload) != 0)
                    return refuse(d);
                finish(
                    [&]() -> decltype(auto) {
                        return call(
                            receiver,
                            in_place<const Payload&>{*reinterpret_cast<const Payload*>(d.payload().data())},
                            from);
                    },
                    answer);
            } else {
                static_assert(
                    takes<const Payload&>,
                    "rpmsg::endpoint: the receiver of typed<T> takes (const T&) or (in_place<const T&>), "
                    "and then perhaps (address)");
                static_assert(
                    !takes<const Payload&> || sizeof(Payload) <= 64,
                    "rpmsg::endpoint: a T of more than 64 bytes is not copied: take in_place<const T&>");
                Payload copy;
                std::memcpy(&copy, d.payload().data(), sizeof copy);
                finish(
                    [&]() -> decltype(auto) {
                        return call(receiver, static_cast<const Payload&>(copy), from);
                    },
                    answer);
            }
        } else if constexpr (takes<message>) {
            finish([&]() -> decltype(auto) { return call(receiver, message{d, k}, from); }, answer);
        } else if constexpr (takes<bytes>) {
            finish([&]() -> decltype(auto) { return call(receiver, d.payload(), from); }, answer);
        } else {
            static_assert(
                takes<rx_buffer>,
                "rpmsg::endpoint: a receiver takes (message), (std::span<const std::byte>) or (rx_buffer), "
                "and then perhaps (address)");
            finish([&]() -> decltype(auto) { return call(receiver, rx_buffer{d, k}, from); }, answer);
        }
    }

    /// Whether it has a result: then it is entered only with a tx buffer in hand.
    static constexpr bool replies()
    {
        if constexpr (!std::is_void_v<Payload>) {
            if constexpr (takes<in_place<const Payload&>>)
                return result_of<in_place<const Payload&>>();
            else
                return result_of<const Payload&>();
        } else if constexpr (takes<message>) {
            return result_of<message>();
        } else if constexpr (takes<bytes>) {
            return result_of<bytes>();
        } else {
            return result_of<rx_buffer>();
        }
    }

private:
    template <typename What>
    static constexpr bool result_of()
    {
        if constexpr (std::is_invocable_v<Receiver&, What, address>)
            return !std::is_void_v<std::invoke_result_t<Receiver&, What, address>>;
        else if constexpr (std::is_invocable_v<Receiver&, What>)
            return !std::is_void_v<std::invoke_result_t<Receiver&, What>>;
        else
            return false;
    }
    static void refuse(delivery& d) noexcept { d.refused = fault::wrong_size; }
    template <typename Call, typename Answer>
    static void finish(Call called, Answer answer)
    {
        using answered = std::remove_cvref_t<decltype(called())>;
        if constexpr (std::is_void_v<answered>) {
            called();
        } else if constexpr (std::is_same_v<answered, payload_view>) {
            answer(bytes{called()});
        } else {
            static_assert(
                !std::is_convertible_v<answered, bytes>,
                "rpmsg::endpoint: a reply is a value or a payload_view; a span may outlive its bytes");
            wire::require_payload<answered>();
            const answered value = called();
            answer(std::as_bytes(std::span<const answered, 1>{&value, 1}));
        }
    }
};

template <typename Payload>
class receiver_call<Payload, no_receiver> {
public:
    template <typename Answer>
    static void run(no_receiver& /*receiver*/, delivery& /*d*/, const keeper& /*k*/,
                    Answer /*answer*/) noexcept
    {}
    static constexpr bool replies() { return false; }
};

}  // namespace rpmsg
