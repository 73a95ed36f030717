#include <rpmsg/wire/members.hpp>

#include "support/catch.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

using namespace rpmsg::wire;

namespace {

struct nothing {};
struct one {
    int number;
};
struct arrays {
    std::uint8_t many[400];
    std::array<int, 2> pair;
    int table[2][3];
    one structs[2];
};
struct nested {
    one first;
    nothing second;
    const float third;
};
struct no_default {
    explicit no_default(int) {}
};
struct holds_no_default {
    int first;
    no_default second;
};
struct makes_no_default {
    int first;
    no_default second{3};
    int third;
};
struct derived : one {
    int more;
};
struct derived_from_nothing : nothing {
    int number;
};
struct twenty_five {
    int a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, y;
};

static_assert(member_count<nothing> == 0 && member_count<one> == 1 && member_count<nested> == 3);
static_assert(member_count<arrays> == 4, "an array is one member");
static_assert(member_count<twenty_five> == most_members + 1);
static_assert(member_count<holds_no_default> == unknown_members &&
              member_count<makes_no_default> == unknown_members);
static_assert(derived_aggregate<derived> && derived_aggregate<derived_from_nothing>);
static_assert(!derived_aggregate<nested> && !derived_aggregate<nothing> && !derived_aggregate<int>);

static_assert(std::is_same_v<members_of<nothing>, member_list<>>);
static_assert(std::is_same_v<members_of<nested>, member_list<one, nothing, const float>>);
static_assert(std::is_same_v<members_of<arrays>,
                             member_list<std::uint8_t[400], std::array<int, 2>, int[2][3], one[2]>>);

// One of each length: numbers that differ in type from their neighbours.
template <std::size_t Members>
struct of_length;
template <>
struct of_length<1> {
    char a;
};
template <>
struct of_length<2> {
    char a;
    short b;
};
template <>
struct of_length<3> {
    char a;
    short b;
    char c;
};
template <>
struct of_length<4> {
    char a;
    short b;
    char c;
    short d;
};
template <>
struct of_length<5> {
    char a;
    short b;
    char c;
    short d;
    char e;
};
template <>
struct of_length<6> {
    char a;
    short b;
    char c;
    short d;
    char e;
    short f;
};
template <>
struct of_length<7> {
    char a;
    short b;
    char c;
    short d;
    char e;
    short f;
    char g;
};
template <>
struct of_length<8> {
    char a;
    short b;
    char c;
    short d;
    char e;
    short f;
    char g;
    short h;
};
template <>
struct of_length<9> {
    char a;
    short b;
    char c;
    short d;
    char e;
    short f;
    char g;
    short h;
    char i;
};
template <>
struct of_length<10> {
    char a;
    short b;
    char c;
    short d;
    char e;
    short f;
    char g;
    short h;
    char i;
    short j;
};
template <>
struct of_length<11> {
    char a;
    short b;
    char c;
    short d;
    char e;
    short f;
    char g;
    short h;
    char i;
    short j;
    char k;
};
template <>
struct of_length<12> {
    char a;
    short b;
    char c;
    short d;
    char e;
    short f;
    char g;
    short h;
    char i;
    short j;
    char k;
    short l;
};
template <>
struct of_length<13> {
    char a;
    short b;
    char c;
    short d;
    char e;
    short f;
    char g;
    short h;
    char i;
    short j;
    char k;
    short l;
    char m;
};
template <>
struct of_length<14> {
    char a;
    short b;
    char c;
    short d;
    char e;
    short f;
    char g;
    short h;
    char i;
    short j;
    char k;
    short l;
    char m;
    short n;
};
template <>
struct of_length<15> {
    char a;
    short b;
    char c;
    short d;
    char e;
    short f;
    char g;
    short h;
    char i;
    short j;
    char k;
    short l;
    char m;
    short n;
    char o;
};
template <>
struct of_length<16> {
    char a;
    short b;
    char c;
    short d;
    char e;
    short f;
    char g;
    short h;
    char i;
    short j;
    char k;
    short l;
    char m;
    short n;
    char o;
    short p;
};
template <>
struct of_length<17> {
    char a;
    short b;
    char c;
    short d;
    char e;
    short f;
    char g;
    short h;
    char i;
    short j;
    char k;
    short l;
    char m;
    short n;
    char o;
    short p;
    char q;
};
template <>
struct of_length<18> {
    char a;
    short b;
    char c;
    short d;
    char e;
    short f;
    char g;
    short h;
    char i;
    short j;
    char k;
    short l;
    char m;
    short n;
    char o;
    short p;
    char q;
    short r;
};
template <>
struct of_length<19> {
    char a;
    short b;
    char c;
    short d;
    char e;
    short f;
    char g;
    short h;
    char i;
    short j;
    char k;
    short l;
    char m;
    short n;
    char o;
    short p;
    char q;
    short r;
    char s;
};
template <>
struct of_length<20> {
    char a;
    short b;
    char c;
    short d;
    char e;
    short f;
    char g;
    short h;
    char i;
    short j;
    char k;
    short l;
    char m;
    short n;
    char o;
    short p;
    char q;
    short r;
    char s;
    short t;
};
template <>
struct of_length<21> {
    char a;
    short b;
    char c;
    short d;
    char e;
    short f;
    char g;
    short h;
    char i;
    short j;
    char k;
    short l;
    char m;
    short n;
    char o;
    short p;
    char q;
    short r;
    char s;
    short t;
    char u;
};
template <>
struct of_length<22> {
    char a;
    short b;
    char c;
    short d;
    char e;
    short f;
    char g;
    short h;
    char i;
    short j;
    char k;
    short l;
    char m;
    short n;
    char o;
    short p;
    char q;
    short r;
    char s;
    short t;
    char u;
    short v;
};
template <>
struct of_length<23> {
    char a;
    short b;
    char c;
    short d;
    char e;
    short f;
    char g;
    short h;
    char i;
    short j;
    char k;
    short l;
    char m;
    short n;
    char o;
    short p;
    char q;
    short r;
    char s;
    short t;
    char u;
    short v;
    char w;
};
template <>
struct of_length<24> {
    char a;
    short b;
    char c;
    short d;
    char e;
    short f;
    char g;
    short h;
    char i;
    short j;
    char k;
    short l;
    char m;
    short n;
    char o;
    short p;
    char q;
    short r;
    char s;
    short t;
    char u;
    short v;
    char w;
    short x;
};

template <typename... Types>
consteval std::size_t length(member_list<Types...> /*list*/)
{
    std::size_t position = 0;
    const bool in_order = (... && (sizeof(Types) == 1 + position++ % 2));
    return in_order ? sizeof...(Types) : unknown_members;
}
template <std::size_t... I>
consteval bool lists_every_length(std::index_sequence<I...> /*lengths*/)
{
    return (... &&
            (member_count<of_length<I + 1>> == I + 1 && length(members_of<of_length<I + 1>>{}) == I + 1));
}

}  // namespace

TEST_CASE("the members of a struct of every length up to the longest are listed in order", "[wire]")
{
    STATIC_REQUIRE(lists_every_length(std::make_index_sequence<most_members>{}));
}
