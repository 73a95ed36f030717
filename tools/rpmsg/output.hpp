#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

namespace tool {

/// Writes to standard output. Throws failure when that cannot be done: a pipe that nobody reads, a full disk.
void write_output(std::string_view text);
/// What was written is on its way when this returns. Throws as write_output().
void flush_output();

/// A line of text to standard output.
template <typename... Arguments>
void say(fmt::format_string<Arguments...> text, Arguments&&... arguments)
{
    write_output(fmt::format(text, std::forward<Arguments>(arguments)...) + '\n');
}

/// Text as a string of JSON, with its quotes. Bytes that are no ASCII are taken for Latin-1.
std::string json(std::string_view text);

}  // namespace tool
