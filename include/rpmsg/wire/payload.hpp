#pragma once

#include <rpmsg/wire/header.hpp>
#include <rpmsg/wire/little_endian.hpp>
#include <rpmsg/wire/members.hpp>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

namespace rpmsg::wire {

/// Whether T's bytes mean the same to both ends although its members cannot be looked at.
///
/// True for the types of this folder. Specialise it for a class of your own that keeps such types, or
/// single bytes, private: you vouch that every pattern of bytes is a value of it.
template <typename T>
inline constexpr bool is_wire_type = false;
template <typename T>
inline constexpr bool is_wire_type<little_endian<T>> = true;
template <>
inline constexpr bool is_wire_type<boolean> = true;

/// Why a T cannot be sent as it lies in memory. require_payload() says it in a line.
enum class flaw : std::uint8_t {
    none,
    no_object,
    not_trivially_copyable,
    not_standard_layout,
    too_long,
    truth_value,
    enumeration,
    address,
    byte_order,
    long_double,
    overlay,
    base_class,
    opaque,
    no_default,
    too_many_members,
    empty,
    padding
};

template <typename T>
inline constexpr bool is_std_array = false;
template <typename T, std::size_t N>
inline constexpr bool is_std_array<std::array<T, N>> = true;

template <typename T>
consteval flaw flaw_inside() noexcept;

/// The first flaw of a T's members, or padding when they leave some of its bytes to nobody.
template <typename T, typename... Members>
consteval flaw flaw_among(member_list<Members...> /*of T*/) noexcept
{
    auto first = flaw::none;
    static_cast<void>(((first = flaw_inside<Members>(), first != flaw::none) || ...));
    if (first == flaw::none && (sizeof(Members) + ...) != sizeof(T))
        return flaw::padding;
    return first;
}

/// What is wrong with a member of type T, looking into arrays and structs.
template <typename T>
consteval flaw flaw_inside() noexcept
{
    using plain = std::remove_cv_t<std::remove_all_extents_t<T>>;
    if constexpr (std::is_same_v<plain, bool>)
        return flaw::truth_value;
    else if constexpr (std::is_same_v<plain, std::byte>)
        return flaw::none;
    else if constexpr (std::is_enum_v<plain>)
        return flaw::enumeration;
    else if constexpr (std::is_pointer_v<plain> || std::is_member_pointer_v<plain> ||
                       std::is_null_pointer_v<plain>)
        return flaw::address;
    else if constexpr (std::is_same_v<plain, long double>)
        return flaw::long_double;
    else if constexpr (std::is_arithmetic_v<plain>)
        return sizeof(plain) == 1 || std::endian::native == std::endian::little ? flaw::none
                                                                                : flaw::byte_order;
    else if constexpr (is_wire_type<plain>)
        return std::has_unique_object_representations_v<plain> ? flaw::none : flaw::padding;
    else if constexpr (is_std_array<plain>)
        return std::tuple_size_v<plain> == 0 ? flaw::empty : flaw_inside<typename plain::value_type>();
    else if constexpr (std::is_empty_v<plain>)
        return flaw::empty;
    else if constexpr (std::is_union_v<plain>)
        return flaw::overlay;
    else if constexpr (!std::is_aggregate_v<plain> || requires { std::tuple_size<plain>::value; })
        return flaw::opaque;
    else if constexpr (derived_aggregate<plain>)
        return flaw::base_class;
    else if constexpr (member_count<plain> == unknown_members)
        return flaw::no_default;
    else if constexpr (member_count<plain> > most_members)
        return flaw::too_many_members;
    else
        return flaw_among<plain>(members_of<plain>{});
}

/// What is wrong with T as a payload; flaw::none: nothing.
template <typename T>
consteval flaw flaw_of() noexcept
{
    if constexpr (!std::is_object_v<T> || std::is_array_v<T> || !std::is_same_v<T, std::remove_cv_t<T>>)
        return flaw::no_object;
    else if constexpr (!std::is_trivially_copyable_v<T>)
        return flaw::not_trivially_copyable;
    else if constexpr (!std::is_standard_layout_v<T>)
        return flaw::not_standard_layout;
    else if constexpr (sizeof(T) > longest_payload)
        return flaw::too_long;
    else
        return flaw_inside<T>();
}

/// A T lies in memory as it is sent, means the same to both ends, and any bytes at all are a value of it.
///
/// Trivially copyable, standard layout, no padding; numbers (on little-endian hosts those wider than a
/// byte too), std::byte, wire:: types, and structs, arrays and std::arrays of these. Numbers should have a
/// fixed width (std::uint32_t, not long): that cannot be checked. Bit-fields and anonymous unions do not
/// even answer false, they do not compile.
template <typename T>
concept payload = flaw_of<T>() == flaw::none;

/// Compiles if T is a payload; says in a line why it is not otherwise.
template <typename T>
consteval void require_payload() noexcept
{
    constexpr auto why = flaw_of<T>();
    static_assert(why != flaw::no_object,
                  "rpmsg::typed<T>: T must be an object type without const, volatile or []");
    static_assert(why != flaw::not_trivially_copyable, "rpmsg::typed<T>: T is not trivially copyable");
    static_assert(why != flaw::not_standard_layout, "rpmsg::typed<T>: T is not standard layout");
    static_assert(why != flaw::too_long, "rpmsg::typed<T>: T is longer than the longest payload");
    static_assert(why != flaw::truth_value, "rpmsg::typed<T>: T is or has a bool: use rpmsg::wire::boolean");
    static_assert(why != flaw::enumeration,
                  "rpmsg::typed<T>: T is or has an enum: use rpmsg::wire::little_endian<E>");
    static_assert(why != flaw::address,
                  "rpmsg::typed<T>: T is or has a pointer, which means nothing to the peer");
    static_assert(why != flaw::byte_order, "rpmsg::typed<T>: T is or has a number in the byte order of this "
                                           "big-endian host: use rpmsg::wire::little_endian");
    static_assert(why != flaw::long_double, "rpmsg::typed<T>: T is or has a long double, which is no two "
                                            "machines' same: use double");
    static_assert(why != flaw::overlay, "rpmsg::typed<T>: T is or has a union: send its bytes");
    static_assert(why != flaw::base_class,
                  "rpmsg::typed<T>: T is or has a struct with a base class: make it a member");
    static_assert(why != flaw::opaque,
                  "rpmsg::typed<T>: T is or has a class that cannot be looked into: use plain "
                  "structs, or vouch for it by rpmsg::wire::is_wire_type");
    static_assert(why != flaw::no_default, "rpmsg::typed<T>: T has a member without a default constructor");
    static_assert(why != flaw::too_many_members,
                  "rpmsg::typed<T>: T is or has a struct with more than 24 members: "
                  "put some of them into a struct");
    static_assert(why != flaw::empty,
                  "rpmsg::typed<T>: T is or has an empty struct: there is nothing to send");
    static_assert(why != flaw::padding,
                  "rpmsg::typed<T>: T has padding; reorder its members or add explicit ones");
}

static_assert(payload<header> && payload<le64> && payload<boolean>);

}  // namespace rpmsg::wire
