// What the other tests here say when they fail.

#include "golden/recording.hpp"
#include "golden/region.hpp"
#include "support/catch.hpp"

#include <cstddef>
#include <stdexcept>
#include <string>
#include <vector>

using namespace golden;

TEST_CASE("a difference says which offset, what was expected and what is there", "[golden]")
{
    const auto expected = bytes_of_hex("00112233445566778899aabbccddeeff00112233");
    auto got = expected;
    CHECK(difference(expected, got, {}).empty());
    got[3] = std::byte{0x5A};
    got[18] = std::byte{0x01};
    CHECK(difference(expected, got, {}) ==
          "offset 0x3: expected 33, got 5a\noffset 0x12: expected 22, got 01\n");

    SECTION("but for ranges that may differ")
    {
        CHECK(difference(expected, got, {{3, 4}}) == "offset 0x12: expected 22, got 01\n");
        CHECK(difference(expected, got, {{0, 3}, {4, 18}}) == difference(expected, got, {}));
        CHECK(difference(expected, got, {{0, 20}}).empty());
    }
}

TEST_CASE("an image is what differs from the one before it", "[golden]")
{
    bytes image(8, std::byte{0xA5});
    apply_pieces(image, "-");
    CHECK(image == bytes(8, std::byte{0xA5}));
    apply_pieces(image, "0x1:0102 0x4:00*3");
    CHECK(image == bytes_of_hex("a50102a5000000a5"));
    CHECK_THROWS_AS(apply_pieces(image, "0x7:0102"), std::runtime_error);
    CHECK_THROWS_AS(apply_pieces(image, "0x4:00*5"), std::runtime_error);
}

TEST_CASE("every recording is there, and is what it says it is", "[golden]")
{
    for (const auto& name : all_scenarios) {
        const auto s = load(name);
        CHECK(s.text("scenario") == name);
        CHECK(s.steps.size() > 3);
        std::size_t images = 0;
        for (std::size_t i = 0; i != s.steps.size(); ++i) {
            CHECK(s.steps[i].label == std::to_string(i));
            images += s.steps[i].image ? 1U : 0U;
        }
        CHECK(images != 0);
    }
}
