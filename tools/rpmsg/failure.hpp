#pragma once

#include <rpmsg/platform/fmt.hpp>
#include <rpmsg/result.hpp>

#include <fmt/format.h>

#include <cerrno>
#include <stdexcept>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>

namespace tool {

/// What the program's status tells a script.
namespace status {
inline constexpr int failed = 1;  ///< It was tried, and did not work; or what was looked at breaks the spec.
inline constexpr int bad_input = 2;  ///< The command line, or a file named in it, makes no sense.
}  // namespace status

/// Ends the program: what() is the sentence that says why.
class failure : public std::runtime_error {
public:
    template <typename... Arguments>
    explicit failure(int code, fmt::format_string<Arguments...> text, Arguments&&... arguments)
        : std::runtime_error{fmt::format(text, std::forward<Arguments>(arguments)...)},
          code_{code}
    {}
    [[nodiscard]] int code() const noexcept { return code_; }

private:
    int code_;
};

/// Why, for the end of a sentence.
inline std::string reason(rpmsg::errc why)
{
    return why == rpmsg::errc::system ? std::generic_category().message(errno) : fmt::format("{:l}", why);
}

/// The value, or a failure.
///
/// @param doing  What did not work: "cannot open /dev/rpmsg_ctrl0".
template <typename T>
T must(rpmsg::result<T> done, const std::string& doing)
{
    if (!done)
        throw failure{status::failed, "{}: {}", doing, reason(done.error())};
    if constexpr (!std::is_void_v<T>)
        return *std::move(done);
}

}  // namespace tool
