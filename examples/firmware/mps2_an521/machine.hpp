#pragma once

#include "board.hpp"

#include "../support/semihosting.hpp"

/// One core of the pair, as the application wants it. CORE is 0 or 1.
struct machine : an521<CORE> {
    /// Both cores see memory where it is.
    static std::span<std::byte> memory(const rpmsg::memory_layout& layout) noexcept
    {
        return {reinterpret_cast<std::byte*>(static_cast<std::uintptr_t>(layout.address())), layout.size()};
    }
    /// The board's models have no state.
    template <typename Board>
    static rpmsg::policy::set<Board> models() noexcept
    {
        return {};
    }
    static void say(const char* what) noexcept
    {
        semihosting::write(what);
        semihosting::write("\n");
    }
    static void say_figure(const char* what, std::uint32_t number) noexcept
    {
        semihosting::write(what, number);
    }
    [[noreturn]] static void finish(std::uint32_t status) noexcept { semihosting::end(status); }
    /// As after a reset of this core alone.
    [[noreturn]] static void restart() noexcept;
};
