#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace host {

/// host MODE SOCKET… [--WORD…] [NAME…]: what has a slash is a socket, and what is left a channel's name.
struct options {
    explicit options(std::span<char*> words)
    {
        if (words.size() < 2)
            throw std::invalid_argument{"host MODE SOCKET… [--WORD…] [NAME…]"};
        mode = words[0];
        for (const std::string_view word : words.subspan(1)) {
            if (word.starts_with("--"))
                said.emplace_back(word.substr(2));
            else if (word.find('/') != word.npos)
                sockets.emplace_back(word);
            else
                names.emplace_back(word);
        }
    }
    [[nodiscard]] bool has(std::string_view word) const
    {
        return std::ranges::find(said, word) != said.end();
    }

    std::string mode;
    std::vector<std::string> sockets;
    std::vector<std::string> said;
    std::vector<std::string> names;
};

}  // namespace host
