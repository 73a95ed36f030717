#pragma once

#include <rpmsg/virtio/status.hpp>

#include <algorithm>
#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <functional>
#include <random>
#include <span>
#include <utility>
#include <vector>

namespace rpmsg::testing {

/// What a side asks of its cache.
enum class cache_operation : std::uint8_t { clean, invalidate, full_barrier };

/// One such request.
struct cache_request {
    virtio::role by;
    cache_operation what;
    std::size_t at;     ///< Offset in the memory; 0 for a barrier.
    std::size_t bytes;  ///< 0 for a barrier.
};

/// What caches do unasked. All 0: lines stay as they are until they are cleaned or invalidated.
struct cache_habits {
    std::uint32_t writes_back =
        0;  ///< Lines looked at before and after each step; a dirty one is written back.
    std::uint32_t fetches =
        0;  ///< Lines looked at likewise; a clean one that the other side wrote is fetched anew.
    std::uint32_t posts = 0;  ///< Of 256 cleans, how many are still on their way when they return.
};

template <std::size_t>
class software_cached;

/// Memory that two sides see through a cache each, which know nothing of each other; a board's coherence is software_cached.
///
/// Each side has a copy of its own of every line. Its loads and stores go to the copy; clean() writes lines to the
/// memory, invalidate() fetches them from there. A dirty line may also be written back at any moment and a clean one
/// be fetched again, as the habits say, at random and repeatably. Whole lines move: one with two writers loses what
/// one of them wrote. Write-backs reach the memory in order, but perhaps not before a full_barrier(), which is all
/// that policy::coherence promises.
///
/// Copies stand in for lines that are not cached too: fetched when they were invalidated, and so as old as can be.
/// A line counts as dirty when its bytes differ from what was fetched or written back last; that the same value was
/// stored there again is not seen.
///
/// @context One thread. The bus of either end may run inside `between`.
class software_cache {
public:
    /// @param memory  What the sides share, aligned to `line`; outlives the cache.
    /// @param line    Bytes, a power of two, 2 to 64. 2 puts every ring word into a line of its own.
    software_cache(std::span<std::byte> memory, std::size_t line, const cache_habits& habits,
                   std::uint32_t seed)
        : memory_{memory},
          line_{line},
          habits_{habits},
          lines_{(memory.size() + line - 1) / line},
          shared_(lines_),
          random_{seed}
    {
        assert(line >= 2 && line <= longest_line && (line & (line - 1)) == 0);
        for (auto& side : sides_) {
            // Old bytes that nobody wrote, as after power-up.
            side.copy.assign(lines_ * line + alignment, std::byte{0x5A});
            side.start = side.copy.data() +
                         (alignment - reinterpret_cast<std::uintptr_t>(side.copy.data()) % alignment);
            side.fetched.assign(lines_ * line, std::byte{0x5A});
            side.overtaken.assign(lines_, false);
            side.wrote.assign(lines_, false);
        }
    }
    software_cache(const software_cache&) = delete;
    software_cache& operator=(const software_cache&) = delete;

    /// The memory as one side sees it: here its bus has its table, its pool and its address map.
    [[nodiscard]] std::span<std::byte> view(virtio::role who) noexcept
    {
        return {side(who).start, memory_.size()};
    }
    /// The same place in a side's view as in the memory.
    template <typename T>
    [[nodiscard]] T& view_of(virtio::role who, T& in_memory) noexcept
    {
        const auto at = reinterpret_cast<std::byte*>(&in_memory) - memory_.data();
        return *reinterpret_cast<T*>(side(who).start + at);
    }

    /// Where the wire format itself has two writers in a line: what one of them loses there is no mistake.
    void admit_two_writers(std::size_t at, std::size_t bytes) noexcept
    {
        for_lines(at, bytes, [this](std::size_t line) { shared_[line] = true; });
    }

    /// All write-backs of a side that are on their way arrive: time passes, or a doorbell orders them.
    void settle(virtio::role who)
    {
        while (!side(who).posted.empty())
            arrive(who);
    }
    void settle()
    {
        settle(virtio::role::driver);
        settle(virtio::role::device);
    }

    /// Lines that their side had written before, and wrote back over what the other side wrote there since.
    [[nodiscard]] std::uint32_t two_writers() const noexcept { return two_writers_; }
    /// Lines that were invalidated with bytes of their own side that had not been cleaned.
    [[nodiscard]] std::uint32_t dropped() const noexcept { return dropped_; }
    /// The last line that was counted, as an offset.
    [[nodiscard]] std::size_t last_mistake() const noexcept { return last_mistake_; }

    /// Whether a request is to be ignored: what happens without it?
    std::function<bool(const cache_request&)> ignores;
    /// Somebody else moves: called before each step of a side.
    std::function<void(virtio::role)> between;

private:
    template <std::size_t>
    friend class software_cached;

    static constexpr std::size_t longest_line = 64;
    static constexpr std::size_t alignment = 4096;

    struct write_back {
        std::size_t line;
        std::array<std::byte, longest_line> bytes;
        std::uint64_t written;  // a bit for each byte that its side stored
        bool dirty;
    };
    struct one_side {
        std::vector<std::byte> copy;
        std::byte* start = nullptr;      // of the view, in copy
        std::vector<std::byte> fetched;  // the view where it is not dirty
        std::vector<bool> overtaken;     // the other side wrote the line back since it was fetched
        std::vector<bool> wrote;         // it was written back, ever
        std::deque<write_back> posted;
        std::size_t first_asked = 0;  // lines of the request under way
        std::size_t end_asked = 0;
    };

    [[nodiscard]] one_side& side(virtio::role who) noexcept { return sides_[static_cast<std::size_t>(who)]; }
    [[nodiscard]] static virtio::role other(virtio::role who) noexcept
    {
        return who == virtio::role::driver ? virtio::role::device : virtio::role::driver;
    }
    std::uint32_t roll(std::uint32_t below) { return static_cast<std::uint32_t>(random_() >> 4U) % below; }
    [[nodiscard]] std::size_t length(std::size_t line) const noexcept
    {
        return std::min(line_, memory_.size() - line * line_);
    }
    template <typename Function>
    void for_lines(std::size_t at, std::size_t bytes, Function function)
    {
        if (bytes != 0)
            for (auto line = at / line_; line <= (at + bytes - 1) / line_; ++line)
                function(line);
    }
    [[nodiscard]] bool is_dirty(one_side& s, std::size_t line) const noexcept
    {
        return std::memcmp(s.start + line * line_, &s.fetched[line * line_], length(line)) != 0;
    }
    void mistake(std::uint32_t& count, std::size_t line) noexcept
    {
        ++count;
        last_mistake_ = line * line_;
    }

    // Lines

    /// Sends a line on its way to the memory. [at, at + bytes): what is known to have been stored.
    void write(virtio::role who, std::size_t line, std::size_t at, std::size_t bytes)
    {
        auto& s = side(who);
        write_back entry{.line = line, .bytes = {}, .written = 0, .dirty = is_dirty(s, line)};
        const auto first = line * line_;
        for (std::size_t i = 0; i != length(line); ++i) {
            entry.bytes[i] = s.start[first + i];
            if (entry.bytes[i] != s.fetched[first + i] || (first + i >= at && first + i < at + bytes))
                entry.written |= std::uint64_t{1} << i;
            s.fetched[first + i] = entry.bytes[i];
        }
        s.posted.push_back(entry);
    }
    /// The first line on its way gets there.
    void arrive(virtio::role who)
    {
        auto& s = side(who);
        const auto entry = s.posted.front();
        s.posted.pop_front();
        auto* const to = memory_.data() + entry.line * line_;
        // Who writes there for the first time was handed the line: what it overwrites is nobody's any more.
        if (s.overtaken[entry.line] && s.wrote[entry.line] && !shared_[entry.line])
            for (std::size_t i = 0; i != length(entry.line); ++i)
                if (to[i] != entry.bytes[i] && (entry.written >> i & 1U) == 0) {
                    mistake(two_writers_, entry.line);
                    break;
                }
        std::memcpy(to, entry.bytes.data(), length(entry.line));
        if (entry.dirty)
            s.wrote[entry.line] = side(other(who)).overtaken[entry.line] = true;
    }
    void fetch(virtio::role who, std::size_t line)
    {
        auto& s = side(who);
        if (std::ranges::any_of(s.posted, [line](const write_back& entry) { return entry.line == line; }))
            settle(who);
        std::memcpy(s.start + line * line_, memory_.data() + line * line_, length(line));
        std::memcpy(&s.fetched[line * line_], memory_.data() + line * line_, length(line));
        s.overtaken[line] = false;
    }

    // Steps

    /// What happens unasked, but for the lines of requests under way: what was stored there may not show.
    void happen()
    {
        for (const auto who : {virtio::role::driver, virtio::role::device}) {
            auto& s = side(who);
            for (std::uint32_t i = 0; i != habits_.writes_back + habits_.fetches; ++i) {
                const std::size_t line = roll(static_cast<std::uint32_t>(lines_));
                if (line >= s.first_asked && line < s.end_asked)
                    continue;
                const bool dirty = is_dirty(s, line);
                if (i < habits_.writes_back && dirty)
                    write(who, line, 0, 0);
                else if (i >= habits_.writes_back && !dirty && s.overtaken[line])
                    fetch(who, line);
            }
            if (!s.posted.empty() && (habits_.posts == 0 || roll(256) >= habits_.posts))
                arrive(who);
        }
    }
    void step(virtio::role who)
    {
        if (between)
            between(who);
        happen();
    }
    void request(virtio::role who, cache_operation what, const void* from = nullptr, std::size_t bytes = 0)
    {
        auto& s = side(who);
        const auto at =
            from == nullptr ? 0 : static_cast<std::size_t>(static_cast<const std::byte*>(from) - s.start);
        assert(at <= memory_.size() && bytes <= memory_.size() - at);
        if (bytes != 0) {
            s.first_asked = at / line_;
            s.end_asked = (at + bytes - 1) / line_ + 1;
        }
        step(who);
        s.first_asked = s.end_asked = 0;
        if (ignores && ignores({who, what, at, bytes}))
            return;
        switch (what) {
        case cache_operation::clean:
            for_lines(at, bytes, [&](std::size_t line) { write(who, line, at, bytes); });
            if (habits_.posts == 0 || roll(256) >= habits_.posts)
                settle(who);
            break;
        case cache_operation::invalidate:
            for_lines(at, bytes, [&](std::size_t line) {
                if (is_dirty(side(who), line))
                    mistake(dropped_, line);
                fetch(who, line);
            });
            break;
        case cache_operation::full_barrier: settle(who); break;
        }
        happen();
    }

    std::span<std::byte> memory_;
    std::size_t line_;
    cache_habits habits_;
    std::size_t lines_;
    std::vector<bool> shared_;
    std::array<one_side, 2> sides_;
    std::minstd_rand random_;
    std::uint32_t two_writers_ = 0;
    std::uint32_t dropped_ = 0;
    std::size_t last_mistake_ = 0;
};

}  // namespace rpmsg::testing
