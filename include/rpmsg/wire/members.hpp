#pragma once

#include <array>
#include <cstddef>
#include <type_traits>
#include <utility>

namespace rpmsg::wire {

/// Members of a struct that can be told apart.
inline constexpr std::size_t most_members = 24;
/// What member_count says of a struct with a member that cannot be made from nothing.
inline constexpr std::size_t unknown_members = static_cast<std::size_t>(-1);

/// Stands for any value in a question to the compiler; never made.
struct anything {
    template <typename T>
    operator T() const noexcept;  // NOLINT(google-explicit-constructor): it has to fit everywhere
};

/// Stands for a base class of T, and for nothing else; never made.
template <typename T>
struct any_base_of {
    template <typename Base>
        requires(std::is_base_of_v<Base, T> && !std::is_same_v<Base, T>)
    operator Base() const noexcept;  // NOLINT(google-explicit-constructor): it has to fit a base
};

/// Whether an aggregate has a base class: that one takes an initializer as a member does, and is none.
template <typename T>
concept derived_aggregate = std::is_aggregate_v<T> && requires { T{any_base_of<T>{}}; };

/// Whether T can be made from n times `{}`, then `Last`: for each n from 0 to one more than we can list.
///
/// Each `{}` makes one member, be it a number, an array or a struct. (It cannot be written as a pack.)
template <typename T, typename... Last>
inline constexpr std::array<bool, most_members + 2> fits{// clang-format off
    requires { T{Last{}...}; },
    requires { T{{}, Last{}...}; },
    requires { T{{},{}, Last{}...}; },
    requires { T{{},{},{}, Last{}...}; },
    requires { T{{},{},{},{}, Last{}...}; },
    requires { T{{},{},{},{},{}, Last{}...}; },
    requires { T{{},{},{},{},{},{}, Last{}...}; },
    requires { T{{},{},{},{},{},{},{}, Last{}...}; },
    requires { T{{},{},{},{},{},{},{},{}, Last{}...}; },
    requires { T{{},{},{},{},{},{},{},{},{}, Last{}...}; },
    requires { T{{},{},{},{},{},{},{},{},{},{}, Last{}...}; },
    requires { T{{},{},{},{},{},{},{},{},{},{},{}, Last{}...}; },
    requires { T{{},{},{},{},{},{},{},{},{},{},{},{}, Last{}...}; },
    requires { T{{},{},{},{},{},{},{},{},{},{},{},{},{}, Last{}...}; },
    requires { T{{},{},{},{},{},{},{},{},{},{},{},{},{},{}, Last{}...}; },
    requires { T{{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}, Last{}...}; },
    requires { T{{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}, Last{}...}; },
    requires { T{{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}, Last{}...}; },
    requires { T{{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}, Last{}...}; },
    requires { T{{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}, Last{}...}; },
    requires { T{{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}, Last{}...}; },
    requires { T{{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}, Last{}...}; },
    requires { T{{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}, Last{}...}; },
    requires { T{{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}, Last{}...}; },
    requires { T{{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}, Last{}...}; },
    requires { T{{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}, Last{}...}; },
// clang-format on
}
;

/// How many members an aggregate without base classes has; most_members + 1: too many to be listed.
template <typename T>
inline constexpr std::size_t member_count = [] {
    if (!fits<T>[0])
        return unknown_members;
    std::size_t count = 0;
    while (count <= most_members && fits<T>[count + 1])
        ++count;
    // Where `{}` makes no member but another value does, the row ended too early.
    return count <= most_members && fits<T, anything>[count] ? unknown_members : count;
}();

/// The types of a struct's members, in order.
template <typename... Members>
struct member_list {};

/// Only for decltype. A bit-field is refused here: no reference binds to it.
template <typename... Members>
member_list<Members...> list(Members&... members) noexcept;

/// Only for decltype: the members of an aggregate without base classes and with at most most_members.
template <std::size_t Count, typename T>
constexpr auto list_members(T& whole) noexcept
{
    if constexpr (Count == 0) {
        return member_list<>{};
    } else if constexpr (Count == 1) {
        auto& [a] = whole;
        return decltype(list(a)){};
    } else if constexpr (Count == 2) {
        auto& [a, b] = whole;
        return decltype(list(a, b)){};
    } else if constexpr (Count == 3) {
        auto& [a, b, c] = whole;
        return decltype(list(a, b, c)){};
    } else if constexpr (Count == 4) {
        auto& [a, b, c, d] = whole;
        return decltype(list(a, b, c, d)){};
    } else if constexpr (Count == 5) {
        auto& [a, b, c, d, e] = whole;
        return decltype(list(a, b, c, d, e)){};
    } else if constexpr (Count == 6) {
        auto& [a, b, c, d, e, f] = whole;
        return decltype(list(a, b, c, d, e, f)){};
    } else if constexpr (Count == 7) {
        auto& [a, b, c, d, e, f, g] = whole;
        return decltype(list(a, b, c, d, e, f, g)){};
    } else if constexpr (Count == 8) {
        auto& [a, b, c, d, e, f, g, h] = whole;
        return decltype(list(a, b, c, d, e, f, g, h)){};
    } else if constexpr (Count == 9) {
        auto& [a, b, c, d, e, f, g, h, i] = whole;
        return decltype(list(a, b, c, d, e, f, g, h, i)){};
    } else if constexpr (Count == 10) {
        auto& [a, b, c, d, e, f, g, h, i, j] = whole;
        return decltype(list(a, b, c, d, e, f, g, h, i, j)){};
    } else if constexpr (Count == 11) {
        auto& [a, b, c, d, e, f, g, h, i, j, k] = whole;
        return decltype(list(a, b, c, d, e, f, g, h, i, j, k)){};
    } else if constexpr (Count == 12) {
        auto& [a, b, c, d, e, f, g, h, i, j, k, l] = whole;
        return decltype(list(a, b, c, d, e, f, g, h, i, j, k, l)){};
    } else if constexpr (Count == 13) {
        auto& [a, b, c, d, e, f, g, h, i, j, k, l, m] = whole;
        return decltype(list(a, b, c, d, e, f, g, h, i, j, k, l, m)){};
    } else if constexpr (Count == 14) {
        auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n] = whole;
        return decltype(list(a, b, c, d, e, f, g, h, i, j, k, l, m, n)){};
    } else if constexpr (Count == 15) {
        auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o] = whole;
        return decltype(list(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o)){};
    } else if constexpr (Count == 16) {
        auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = whole;
        return decltype(list(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p)){};
    } else if constexpr (Count == 17) {
        auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q] = whole;
        return decltype(list(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q)){};
    } else if constexpr (Count == 18) {
        auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r] = whole;
        return decltype(list(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r)){};
    } else if constexpr (Count == 19) {
        auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s] = whole;
        return decltype(list(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s)){};
    } else if constexpr (Count == 20) {
        auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t] = whole;
        return decltype(list(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t)){};
    } else if constexpr (Count == 21) {
        auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u] = whole;
        return decltype(list(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u)){};
    } else if constexpr (Count == 22) {
        auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v] = whole;
        return decltype(list(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v)){};
    } else if constexpr (Count == 23) {
        auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w] = whole;
        return decltype(list(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w)){};
    } else if constexpr (Count == 24) {
        auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x] = whole;
        return decltype(list(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x)){};
    }
}

/// The members of an aggregate, as a member_list.
template <typename T>
using members_of = decltype(list_members<member_count<T>>(std::declval<T&>()));

}  // namespace rpmsg::wire
