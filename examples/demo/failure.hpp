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

namespace demo {

/// Ends the program: what() is the sentence that says why.
struct failure : std::runtime_error {
    template <typename... Arguments>
    explicit failure(fmt::format_string<Arguments...> text, Arguments&&... arguments)
        : std::runtime_error{fmt::format(text, std::forward<Arguments>(arguments)...)}
    {}
};

/// Why, for the end of a sentence.
inline std::string reason(rpmsg::errc why)
{
    return why == rpmsg::errc::system ? std::generic_category().message(errno) : fmt::format("{:l}", why);
}

/// The value, or a failure.
///
/// @param doing  What did not work: "cannot make the shared memory".
template <typename T>
T must(rpmsg::result<T> done, const char* doing)
{
    if (!done)
        throw failure{"{}: {}", doing, reason(done.error())};
    if constexpr (!std::is_void_v<T>)
        return *std::move(done);
}

}  // namespace demo
