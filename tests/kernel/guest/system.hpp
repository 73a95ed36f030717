#pragma once

#include <fmt/format.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <unistd.h>

/// The first and only program of the guest: what it asks of the kernel, by POSIX and nothing of the library that is
/// tested.
namespace guest {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

/// A line of the kernel's log, which is the guest's console: so it stands in order among the kernel's own.
void log_line(const std::string& text);

template <typename... Args>
void say(fmt::format_string<Args...> text, Args&&... args)
{
    log_line(fmt::format(text, std::forward<Args>(args)...));
}

/// Ends the mode: the test fails with this.
template <typename... Args>
[[noreturn]] void fail(fmt::format_string<Args...> text, Args&&... args)
{
    throw std::runtime_error{fmt::format(text, std::forward<Args>(args)...)};
}
[[noreturn]] inline void fail_errno(std::string_view what)
{
    throw std::system_error{errno, std::generic_category(), std::string{what}};
}
inline void check(bool good, std::string_view what)
{
    if (!good)
        fail("{}", what);
}

/// A word NAME=value of the kernel's command line, or `otherwise`.
inline std::string word(const char* name, const char* otherwise = "")
{
    const char* const value = std::getenv(name);
    return value == nullptr ? otherwise : value;
}
inline unsigned number(const char* name, unsigned otherwise)
{
    const auto text = word(name);
    return text.empty() ? otherwise : static_cast<unsigned>(std::stoul(text));
}

/// A file, closed at the end of its scope.
class file {
public:
    file() = default;
    explicit file(int number) : number_{number} {}
    file(const std::string& path, int flags);  ///< Throws std::system_error.
    file(file&& other) noexcept : number_{std::exchange(other.number_, -1)} {}
    file& operator=(file&& other) noexcept
    {
        std::swap(number_, other.number_);
        return *this;
    }
    ~file();
    [[nodiscard]] int get() const { return number_; }

private:
    int number_ = -1;
};

/// The whole of a small file without its last newline, or nothing when it is not there.
std::string read_file(const std::string& path);
void write_file(const std::string& path, std::string_view text);  ///< Throws std::system_error.
bool exists(const std::string& path);

/// Asks until it is true; fails after that time.
template <typename Done>
void wait_for(Done done, std::string_view what, std::chrono::milliseconds longest = 5s)
{
    for (const auto end = clock::now() + longest; !done();) {
        if (clock::now() > end)
            fail("waited for {} in vain", what);
        static_cast<void>(::usleep(1000));
    }
}

/// Whether the kernel has logged a line with this text.
bool kernel_said(std::string_view text);

}  // namespace guest
