#pragma once

#include <rpmsg/name_service/announcement.hpp>

#include <array>
#include <cstddef>

namespace rpmsg {

/// Channels that the peer announced before an endpoint here waited for them: the latest N.
///
/// @tparam N  How many; 0 remembers nothing and takes no room.
template <std::size_t N>
class remembered {
public:
    [[nodiscard]] constexpr std::size_t size() const noexcept { return count_; }
    [[nodiscard]] constexpr const announcement& operator[](std::size_t i) const noexcept { return all_[i]; }
    constexpr void clear() noexcept { count_ = 0; }

    /// Without room, the oldest is forgotten. One that is known already is kept as it is.
    constexpr void add(const announcement& news) noexcept
    {
        if (find(news) != count_)
            return;
        if (count_ == N)
            erase(0);
        all_[count_++] = news;
    }
    constexpr void forget(const announcement& news) noexcept
    {
        if (const auto i = find(news); i != count_)
            erase(i);
    }
    constexpr void erase(std::size_t i) noexcept
    {
        for (--count_; i != count_; ++i)
            all_[i] = all_[i + 1];
    }

private:
    [[nodiscard]] constexpr std::size_t find(const announcement& news) const noexcept
    {
        std::size_t i = 0;
        while (i != count_ && !(all_[i].address() == news.address() && all_[i].name() == news.name()))
            ++i;
        return i;
    }

    std::array<announcement, N> all_{};
    std::size_t count_ = 0;
};

/// Nothing is remembered.
template <>
class remembered<0> {
public:
    static constexpr void clear() noexcept {}
    static constexpr void add(const announcement& /*news*/) noexcept {}
    static constexpr void forget(const announcement& /*news*/) noexcept {}
};

}  // namespace rpmsg
