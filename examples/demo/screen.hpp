#pragma once

#include "measure.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace demo {

/// A number in groups of three digits.
std::string grouped(std::uint64_t number);

/// Standard output: colours and lines that move on a terminal, plain lines anywhere else.
class screen {
public:
    screen();

    void heading(std::string_view text);
    /// An empty line.
    void gap();
    /// One line: what, and what of it.
    void fact(std::string_view label, std::string_view text);
    /// A bar that the next line replaces. Draws a few times a second, and only on a terminal.
    void progress(std::string_view label, double share, std::string_view text);
    /// Whether progress() would draw now: where its text costs something.
    [[nodiscard]] bool wants_progress() const;
    /// How something ended.
    void verdict(std::string_view label, bool good, std::string_view text);
    void table(std::span<row> rows);

    /// A level from 0 to 7 as a piece of a curve.
    [[nodiscard]] std::string_view level(unsigned height) const;

    /// Whether everything could be written.
    [[nodiscard]] static bool went_well();

private:
    [[nodiscard]] std::string_view paint(std::string_view colour) const { return colours_ ? colour : ""; }
    void wipe();

    bool moves_ = false;
    bool colours_ = false;
    bool wide_characters_ = false;
    bool line_is_open_ = false;
    monotonic::time_point drawn_{};
};

}  // namespace demo
