#include <rpmsg/platform/fmt.hpp>

#include "support/catch.hpp"

#include <algorithm>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>

namespace rpmsg {
namespace {

/// An announcement as the peer may have written it.
announcement heard(std::string_view name, std::uint32_t endpoint, std::uint32_t flags = 0)
{
    wire::announcement said{};
    std::copy(name.begin(), name.end(), said.name.begin());
    said.addr = endpoint;
    said.flags = flags;
    return announcement{said};
}

/// The words of an enumeration from its first enumerator on, as far as it has any.
template <typename Enumeration>
std::set<std::string> words(unsigned first)
{
    std::set<std::string> all;
    for (auto i = first; !platform::speak(static_cast<Enumeration>(i)).word.empty(); ++i) {
        const auto value = static_cast<Enumeration>(i);
        CHECK(all.insert(fmt::format("{}", value)).second);
        CHECK(fmt::format("{:l}", value) == platform::speak(value).sentence);
        CHECK_FALSE(platform::speak(value).sentence.empty());
    }
    return all;
}

TEST_CASE("an address is shown in hex, and nobody's as any", "[platform][fmt]")
{
    CHECK(fmt::format("{}", address{1024}) == "0x400");
    CHECK(fmt::format("{}", name_service_address) == "0x35");
    CHECK(fmt::format("{}", address{0}) == "0x0");
    CHECK(fmt::format("{}", any_address) == "any");
    CHECK(fmt::format("[{:>8}]", address{0xFFFF'FFFE}) == "[0xfffffffe]");
    CHECK(fmt::format("[{:>8}]", any_address) == "[     any]");
}

TEST_CASE("a name is shown as it is", "[platform][fmt]")
{
    constexpr name echo{"rpmsg-echo"};  // made in the argument, it crashes clang 14
    CHECK(fmt::format("{}", echo) == "rpmsg-echo");
    CHECK(fmt::format("[{:<12}]", echo) == "[rpmsg-echo  ]");
    CHECK(fmt::format("{}", name{}).empty());
}

TEST_CASE("an error is shown by its word, and in full by whose move it is", "[platform][fmt]")
{
    CHECK(fmt::format("{}", errc::not_bound) == "not_bound");
    CHECK(fmt::format("{:l}", errc::not_bound) ==
          "the peer's address is not known yet: wait for on_bound, or name an address");
    CHECK(fmt::format("{} {:l}.", errc{}, errc{}) == "ok it was done.");
    CHECK(fmt::format("{}", static_cast<errc>(200)) == "200");
    CHECK(fmt::format("{:l}", static_cast<errc>(200)) == "200");

    const auto all = words<errc>(1);
    CHECK(all.size() == static_cast<std::size_t>(errc::system));
    CHECK(all.count("too_long") == 1);
}

TEST_CASE("what strings take is taken, also where l is no request", "[platform][fmt]")
{
    CHECK(fmt::format("[{:>6}]", errc::full) == "[  full]");
    CHECK(fmt::format("[{:l>6}]", errc::full) == "[llfull]");
    CHECK(fmt::format("[{:.2}]", errc::full) == "[fu]");
    CHECK_THROWS_AS(fmt::format(fmt::runtime("{:x}"), errc::full), fmt::format_error);
    CHECK_THROWS_AS(fmt::format(fmt::runtime("{:lx}"), errc::full), fmt::format_error);
}

TEST_CASE("every fault, link state and news has its word", "[platform][fmt]")
{
    CHECK(words<fault>(1).size() == fault_count);
    CHECK(fmt::format("{}", fault::none) == "none");
    CHECK(words<link_state>(0) == std::set<std::string>{"down", "negotiating", "up", "lost"});
    CHECK(words<channel_news>(0) == std::set<std::string>{"came", "went"});
    CHECK(fmt::format("{}", fault::unknown_destination) == "unknown_destination");
    CHECK(fmt::format("{}", static_cast<fault>(99)) == "99");
    CHECK(fmt::format("{}", static_cast<link_state>(99)) == "99");
    CHECK(fmt::format("{}", static_cast<channel_news>(99)) == "99");
}

TEST_CASE("an announcement is shown with the peer's name for it", "[platform][fmt]")
{
    CHECK(fmt::format("{}", heard("rpmsg-echo", 0x400)) == R"("rpmsg-echo" came at 0x400)");
    CHECK(fmt::format("{}", heard("rpmsg-echo", 0x400, wire::announcement_went)) ==
          R"("rpmsg-echo" went at 0x400)");
    CHECK(fmt::format("[{:>20}]", heard("a", 1)) == R"([     "a" came at 0x1])");

    SECTION("and nothing in it reaches a terminal unescaped")
    {
        CHECK(fmt::format("{}", heard("\x1b[2J\n", 1)) == R"("\x1b[2J\x0a" came at 0x1)");
        CHECK(fmt::format("{}", heard("\"\\ \x7f\xc2\x9b", 1)) == R"("\x22\x5c \x7f\xc2\x9b" came at 0x1)");
    }
    SECTION("also when it fills the field without an end")
    {
        CHECK(fmt::format("{}", heard(std::string(32, 'x'), 1)) ==
              '"' + std::string(31, 'x') + "\" came at 0x1");
    }
}

}  // namespace
}  // namespace rpmsg
