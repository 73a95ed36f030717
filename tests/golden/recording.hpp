#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// What was recorded from other libraries: tests/data/README.md says how it is written down.
namespace golden {

using bytes = std::vector<std::byte>;

inline bytes bytes_of_hex(std::string_view text)
{
    bytes out;
    if (text == "-")
        return out;
    for (std::size_t i = 0; i + 1 < text.size(); i += 2)
        out.push_back(static_cast<std::byte>(std::stoul(std::string{text.substr(i, 2)}, nullptr, 16)));
    return out;
}

inline std::vector<std::string> words_of(const std::string& text)
{
    std::istringstream in{text};
    std::vector<std::string> words;
    for (std::string word; in >> word;)
        words.push_back(word);
    return words;
}

inline std::uint32_t number(const std::string& text)
{
    return static_cast<std::uint32_t>(std::stoul(text, nullptr, 0));
}

/// One `key=value`.
struct line {
    std::string key;
    std::string value;

    /// The value of `name:…`, or nothing.
    [[nodiscard]] std::optional<std::string> find(const std::string& name) const
    {
        for (const auto& word : words_of(value))
            if (word.starts_with(name + ":"))
                return word.substr(name.size() + 1);
        return {};
    }
    [[nodiscard]] std::string text(const std::string& name) const
    {
        if (const auto found = find(name))
            return *found;
        throw std::runtime_error{"no " + name + " in " + value};
    }
    [[nodiscard]] std::uint32_t get(const std::string& name) const { return number(text(name)); }
    [[nodiscard]] bytes data() const { return bytes_of_hex(text("data")); }
    /// The first word.
    [[nodiscard]] std::string verb() const { return value.substr(0, value.find(' ')); }
};

/// Bytes [first, end) of the region.
struct range {
    std::size_t first;
    std::size_t end;
    [[nodiscard]] bool holds(std::size_t at) const { return first <= at && at < end; }
};

struct step {
    std::string label;
    std::vector<line> lines;
    std::optional<bytes> image;  ///< The region after it.

    [[nodiscard]] std::vector<line> all(const std::string& key) const
    {
        std::vector<line> found;
        std::ranges::copy_if(lines, std::back_inserter(found), [&](const line& l) { return l.key == key; });
        return found;
    }
    /// The line with that key; an empty one if there is none.
    [[nodiscard]] line one(const std::string& key) const
    {
        const auto found = std::ranges::find(lines, key, &line::key);
        return found != lines.end() ? *found : line{key, {}};
    }
    [[nodiscard]] bool has(const std::string& key) const { return !all(key).empty(); }
    [[nodiscard]] std::vector<range> dontcare() const
    {
        std::vector<range> out;
        for (const auto& word : words_of(one("dontcare").value)) {
            const auto plus = word.find('+');
            const auto first = number(word.substr(0, plus));
            out.push_back({first, first + number(word.substr(plus + 1))});
        }
        return out;
    }
};

struct scenario {
    std::string name;
    std::map<std::string, std::string> setup;
    std::vector<step> steps;

    [[nodiscard]] bool has(const std::string& key) const
    {
        return setup.contains(key) && setup.at(key) != "none";
    }
    [[nodiscard]] std::uint32_t get(const std::string& key) const { return number(setup.at(key)); }
    [[nodiscard]] const std::string& text(const std::string& key) const { return setup.at(key); }
};

/// Writes what an image differs in.
inline void apply_pieces(bytes& image, const std::string& pieces)
{
    if (pieces == "-")
        return;
    for (const auto& piece : words_of(pieces)) {
        const auto colon = piece.find(':');
        const auto star = piece.find('*');
        const auto part = bytes_of_hex(std::string_view{piece}.substr(
            colon + 1, star == std::string::npos ? std::string::npos : star - colon - 1));
        auto times = star == std::string::npos ? 1U : number(piece.substr(star + 1));
        for (auto at = std::size_t{number(piece.substr(0, colon))}; times != 0; --times, at += part.size()) {
            if (at + part.size() > image.size())
                throw std::runtime_error{"a piece outside the image: " + piece};
            std::ranges::copy(part, image.begin() + static_cast<std::ptrdiff_t>(at));
        }
    }
}

inline std::string path_of(const std::string& name)
{
    std::string path{GOLDEN_DATA "/"};
    path += name;
    path += ".txt";
    return path;
}

inline scenario load(const std::string& name)
{
    std::ifstream in{path_of(name)};
    if (!in)
        throw std::runtime_error{"cannot read " + path_of(name)};
    scenario s{.name = name, .setup = {}, .steps = {}};
    bytes image;
    for (std::string text; std::getline(in, text);) {
        const auto equals = text.find('=');
        if (equals == std::string::npos)
            continue;
        line l{text.substr(0, equals), text.substr(equals + 1)};
        if (l.key == "step") {
            s.steps.push_back({.label = l.value, .lines = {}, .image = {}});
        } else if (s.steps.empty()) {
            s.setup[l.key] = l.value;
        } else if (l.key == "image") {
            if (image.empty())
                image.assign(s.get("image.size"), static_cast<std::byte>(s.get("fill")));
            apply_pieces(image, l.value);
            s.steps.back().image = image;
        } else {
            s.steps.back().lines.push_back(std::move(l));
        }
    }
    return s;
}

/// Every recording.
inline const std::vector<std::string> all_scenarios{
    "oa-01-init-a16",
    "oa-01-init-a4",
    "oa-02-bind-echo",
    "oa-03-fill-to-device",
    "oa-03-fill-to-driver",
    "oa-04-hold-to-device",
    "oa-05-destroy",
    "oa-06-wrap",
    "oa-07-index-wrap-to-device",
    "oa-08-sizes-256-96",
    "oa-09-discard",
    "oa-10-lengths",
    "oa-11-table-any",
    "oa-11-table-generic",
    "oa-12-linux-like-driver",
    "oa-13-names",
    "oa-14-exact-device",
    "rl-01-init-a16",
    "rl-01-init-a4",
    "rl-02-announce-echo-a16",
    "rl-02-announce-echo-a4",
    "rl-03-fill-to-device-a16",
    "rl-03-fill-to-device-a4",
    "rl-03-fill-to-driver-a16",
    "rl-03-fill-to-driver-a4",
    "rl-04-hold-a16",
    "rl-05-names-a16",
    "rl-06-wrap-a16",
    "rl-06-wrap-a4",
    "rl-10-lengths-a16",
    "rl-10-lengths-a4",
    "rl-12-linux-like-driver-a16",
    "rl-14-exact-device-a16",
    "x-01-openamp-driver-lite-remote",
    "x-02-lite-master-openamp-device",
};

}  // namespace golden
