#include <rpmsg/bus/observer.hpp>

#include "bus/fixture.hpp"
#include "support/catch.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

using namespace rpmsg;
using namespace rpmsg::testing;
using namespace bus_test;

TEMPLATE_TEST_CASE("an observer hears of channels that nobody here waits for", "[bus]", as_driver, as_device)
{
    loopback<> link;
    std::vector<std::string> heard;
    observer watch{
        TestType::here(link),
        on_announced{[&](const announcement& a) { heard.push_back("+" + std::string{a.name()}); }},
        on_withdrawn{[&](const announcement& a) { heard.push_back("-" + std::string{a.name()}); }}};
    REQUIRE(watch.open());
    endpoint one{TestType::there(link)};
    endpoint two{TestType::there(link)};
    endpoint waits{TestType::here(link)};
    REQUIRE(waits.open("two"));
    REQUIRE(one.open("one"));
    REQUIRE(two.open("two"));
    link.run();
    CHECK(heard == std::vector<std::string>{"+one"});
    CHECK(waits.is_bound());

    REQUIRE(one.close());
    REQUIRE(two.close());
    link.run();
    CHECK(heard == std::vector<std::string>{"+one", "-one", "-two"});
}

TEST_CASE("an observer hears nothing before it is opened nor after it is closed", "[bus]")
{
    loopback<> link;
    int told = 0;
    observer watch{link.device(), on_link{[&] { ++told; }}};
    CHECK_FALSE(watch.is_open());
    link.run();
    CHECK(told == 0);
    CHECK(watch.close().error() == errc::closed);

    REQUIRE(watch.open());
    CHECK(watch.is_open());
    CHECK(watch.open().error() == errc::already_open);
    link.device().stop();
    CHECK(told == 1);

    REQUIRE(watch.close());
    CHECK_FALSE(watch.is_open());
    link.device().start();
    link.run();
    CHECK(told == 1);
}

TEST_CASE("observers are told in order of opening, and survive what they do to each other", "[bus][rule7]")
{
    loopback<> link;
    std::string told;
    std::string expected = "abc";

    using watcher = observer<device_bus<loopback_board>::basic, on_link<std::function<void(link_state)>>>;
    std::optional<watcher> a;
    std::optional<watcher> b;
    std::optional<watcher> c;
    std::function<void()> once_in_b = [] {};
    const auto make = [&](std::optional<watcher>& w, char name) {
        w.emplace(link.device(), on_link{std::function<void(link_state)>{[&, name](link_state) {
                      told += name;
                      if (name == 'b')
                          std::exchange(once_in_b, [] {})();
                  }}});
        REQUIRE(w->open());
    };
    make(a, 'a');
    make(b, 'b');
    make(c, 'c');

    SECTION("nothing") {}
    SECTION("closing itself")
    {
        once_in_b = [&] { CHECK(b->close()); };
    }
    SECTION("destroying itself")
    {
        once_in_b = [&] { b.reset(); };
    }
    SECTION("closing the next")
    {
        once_in_b = [&] { CHECK(c->close()); };
        expected = "ab";
    }
    SECTION("destroying the next")
    {
        once_in_b = [&] { c.reset(); };
        expected = "ab";
    }
    SECTION("destroying the one before")
    {
        once_in_b = [&] { a.reset(); };
    }
    SECTION("destroying all of them")
    {
        once_in_b = [&] { a.reset(), b.reset(), c.reset(); };
        expected = "ab";
    }
    SECTION("closing the next and opening it: told or not, nothing breaks")
    {
        once_in_b = [&] { CHECK((c->close() && c->open())); };
        expected.clear();
    }
    SECTION("closing the one before and opening it: told again or not, nothing breaks")
    {
        once_in_b = [&] { CHECK((a->close() && a->open())); };
        expected.clear();
    }
    link.device().poll(0);
    CHECK((expected.empty() || told == expected));
    link.run();
    CHECK(link.device().state() == link_state::up);
}

TEST_CASE("an observer hears of every fault with its cause", "[bus]")
{
    loopback<> link;
    std::vector<fault> faults;
    observer watch{link.device(), on_error{[&](fault f) { faults.push_back(f); }}};
    REQUIRE(watch.open());
    endpoint out{link.driver()};
    REQUIRE(out.open(address{1}, towards{99}));
    link.run();
    REQUIRE(out.try_send({}));
    REQUIRE(out.try_send_to(name_service_address, bytes("too short")));
    link.run();
    CHECK(faults == std::vector{fault::unknown_destination, fault::bad_announcement});
    CHECK(link.device().stats()[fault::unknown_destination] == 1);
    CHECK(link.device().stats()[fault::bad_announcement] == 1);
}

TEST_CASE("either of bus and observer may be destroyed first", "[bus]")
{
    auto link = std::make_unique<loopback<>>();
    int told = 0;
    std::optional<observer<device_bus<loopback_board>::basic, on_link<std::function<void()>>>> watch;
    watch.emplace(link->device(), on_link{std::function<void()>{[&] { ++told; }}});
    REQUIRE(watch->open());
    link->run();

    SECTION("the observer")
    {
        watch.reset();
        link->device().stop();
        link.reset();
    }
    SECTION("the bus, which then tells it that the link is down and closes it")
    {
        told = 0;
        link.reset();
        CHECK(told == 1);
        watch.reset();
    }
}

// It does not move, and one made before main needs no code for that.
using silent = decltype(observer{std::declval<device_bus<loopback_board>&>()});
static_assert(!std::is_copy_constructible_v<silent> && !std::is_move_constructible_v<silent>);
static_assert(!std::is_copy_assignable_v<silent> && !std::is_move_assignable_v<silent>);
