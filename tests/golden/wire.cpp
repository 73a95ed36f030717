// Single messages as they lay in their buffers.

#include "golden/recording.hpp"
#include "golden/region.hpp"
#include "support/bytes.hpp"
#include "support/catch.hpp"

#include <rpmsg/name_service/announcement.hpp>
#include <rpmsg/name_service/name.hpp>
#include <rpmsg/wire/announcement.hpp>
#include <rpmsg/wire/header.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <map>
#include <span>
#include <string>
#include <vector>

using namespace golden;

namespace {

using vector_of_bytes = std::map<std::string, std::string>;

std::vector<vector_of_bytes> all_vectors()
{
    std::ifstream in{path_of("wire")};
    std::vector<vector_of_bytes> out;
    for (std::string text; std::getline(in, text);) {
        const auto equals = text.find('=');
        if (equals == std::string::npos)
            continue;
        if (text.starts_with("vector="))
            out.emplace_back();
        if (!out.empty())
            out.back()[text.substr(0, equals)] = text.substr(equals + 1);
    }
    return out;
}

std::vector<range> garbage_of(const vector_of_bytes& v)
{
    std::vector<range> out;
    if (v.contains("garbage"))
        for (const auto& word : words_of(v.at("garbage"))) {
            const auto plus = word.find('+');
            const auto first = number(word.substr(0, plus));
            out.push_back({first, first + number(word.substr(plus + 1))});
        }
    return out;
}

}  // namespace

// @spec OpenAMP lib/rpmsg/rpmsg_internal.h, struct rpmsg_hdr
TEST_CASE("recorded headers are read as they were written", "[golden]")
{
    const auto vectors = all_vectors();
    REQUIRE(vectors.size() == 13);
    for (const auto& v : vectors) {
        INFO(v.at("vector") << ": " << v.at("note"));
        const auto message = bytes_of_hex(v.at("bytes"));
        const line fields{"fields", v.at("fields")};
        REQUIRE(message.size() >= sizeof(rpmsg::wire::header));
        rpmsg::wire::header header;
        std::memcpy(&header, message.data(), sizeof header);
        CHECK(header.src == fields.get("src"));
        CHECK(header.dst == fields.get("dst"));
        CHECK(header.reserved == fields.get("reserved"));
        CHECK(header.len == fields.get("len"));
        CHECK(header.flags == fields.get("flags"));
        CHECK(message.size() == sizeof header + header.len);
    }
}

// @spec OpenAMP lib/rpmsg/rpmsg_internal.h, struct rpmsg_ns_msg
// @spec OpenAMP lib/rpmsg/rpmsg_internal.h, enum rpmsg_ns_flags
// @spec OpenAMP lib/include/openamp/rpmsg.h, RPMSG_NAME_SIZE
TEST_CASE("recorded announcements are understood, and written alike but for what was accident",
          "[golden][R15]")
{
    int announcements = 0;
    for (const auto& v : all_vectors()) {
        if (!v.contains("announce"))
            continue;
        ++announcements;
        INFO(v.at("vector") << ": " << v.at("note"));
        const auto message = bytes_of_hex(v.at("bytes"));
        const line said{"announce", v.at("announce")};
        REQUIRE(message.size() == sizeof(rpmsg::wire::header) + sizeof(rpmsg::wire::announcement));
        const rpmsg::announcement heard{message.data() + sizeof(rpmsg::wire::header)};
        const auto name = said.text("name");
        CHECK(heard.name() == name.substr(0, 31));  // a name of 32 is bounded
        CHECK(heard.address() == rpmsg::address{said.get("addr")});
        CHECK((heard.news() == rpmsg::channel_news::went) == (said.get("flags") == 1));

        const auto made = rpmsg::name::from_static(name.c_str());
        CHECK(made.has_value() == (name.size() <= 31));
        if (!made)
            continue;
        std::array<std::byte, sizeof(rpmsg::wire::announcement)> ours{};
        ours.fill(std::byte{0xEE});
        rpmsg::announce(ours.data(), *made, heard.address(), heard.news());
        auto ignored = garbage_of(v);
        for (auto& part : ignored)
            part = {part.first - sizeof(rpmsg::wire::header), part.end - sizeof(rpmsg::wire::header)};
        const auto differs =
            difference(std::span{message}.subspan(sizeof(rpmsg::wire::header)), ours, ignored);
        INFO(differs);
        CHECK(differs.empty());
        CHECK(std::all_of(ours.begin() + static_cast<std::ptrdiff_t>(name.size()), ours.begin() + 32,
                          [](std::byte b) { return b == std::byte{}; }));
    }
    CHECK(announcements == 9);
}
