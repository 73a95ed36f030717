#include <rpmsg/bus/event.hpp>

#include <rpmsg/bus/message.hpp>

#include "support/catch.hpp"

#include <type_traits>

using namespace rpmsg;

// An event is passed in registers.
static_assert(sizeof(event_word) == sizeof(void*) && std::is_trivially_copyable_v<event_word>);

TEST_CASE("an event carries what its kind says, in one word", "[bus]")
{
    CHECK(event_word{address{0x400}}.peer() == address{0x400});
    CHECK(event_word{any_address}.peer().is_any());
    CHECK(event_word{link_state::lost}.state() == link_state::lost);
    CHECK(event_word{fault::bad_length}.cause() == fault::bad_length);

    const announcement news{};
    CHECK(&event_word{news}.news() == &news);
    delivery d{};
    CHECK(&event_word{d}.message() == &d);
}
