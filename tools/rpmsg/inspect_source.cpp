#include "inspect_source.hpp"

#include "failure.hpp"

#include <rpmsg/platform/linux/retried.hpp>

#include <algorithm>
#include <cctype>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tool::inspection {

namespace {

constexpr std::size_t largest = std::size_t{1} << 30U;

std::string said(int error) { return std::generic_category().message(error); }

/// The two numbers of PID:FD, or nothing.
std::optional<std::pair<std::string, std::string>> process_and_file(const std::string& what)
{
    const auto colon = what.find(':');
    if (colon == std::string::npos)
        return {};
    const auto is_number = [](std::string_view text) {
        return !text.empty() &&
               std::ranges::all_of(text, [](unsigned char c) { return std::isdigit(c) != 0; });
    };
    std::pair both{what.substr(0, colon), what.substr(colon + 1)};
    if (!is_number(both.first) || !is_number(both.second))
        return {};
    return both;
}

std::string link_of(const std::string& path)
{
    std::string target(4096, '\0');
    const auto length = ::readlink(path.c_str(), target.data(), target.size());
    target.resize(length < 0 ? 0 : static_cast<std::size_t>(length));
    return target;
}

}  // namespace

source::source(const std::string& what) : title_{what}
{
    std::string path = what;
    if (const auto both = process_and_file(what); both && ::access(what.c_str(), F_OK) != 0) {
        path = fmt::format("/proc/{}/fd/{}", both->first, both->second);
        is_live_ = true;
        if (::access(fmt::format("/proc/{}", both->first).c_str(), F_OK) != 0)
            throw failure{status::bad_input, "there is no process {}", both->first};
        if (link_of(path).empty())
            throw failure{status::bad_input, "process {} has no file descriptor {} that may be seen",
                          both->first, both->second};
        title_ += fmt::format(" ({})", link_of(path));
    }
    file_ = rpmsg::platform::file_descriptor{rpmsg::platform::retried(
        [&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY); })};
    if (!file_)
        throw failure{status::bad_input, "cannot open {}: {}", what,
                      errno == ENXIO ? "it is a socket or something else that is no memory" : said(errno)};
    struct ::stat about{};
    if (::fstat(file_.get(), &about) != 0)
        throw failure{status::bad_input, "cannot look at {}: {}", what, said(errno)};
    if (!S_ISREG(about.st_mode))
        throw failure{status::bad_input, "{} is no file with memory in it", what};
    if (about.st_size <= 0)
        throw failure{status::bad_input, "{} is empty", what};
    if (static_cast<std::uint64_t>(about.st_size) > largest)
        throw failure{status::bad_input, "{} has {} bytes, and no more than {} are read", what, about.st_size,
                      largest};
    size_ = static_cast<std::size_t>(about.st_size);
    const auto target = link_of(fmt::format("/proc/self/fd/{}", file_.get()));
    is_live_ = is_live_ || target.starts_with("/memfd:") || target.starts_with("/dev/shm/");
}

std::vector<std::byte> source::copy() const
{
    std::vector<std::byte> bytes(size_);
    std::size_t done = 0;
    while (done != bytes.size()) {
        const auto got = rpmsg::platform::retried([&] {
            return ::pread(file_.get(), bytes.data() + done, bytes.size() - done, static_cast<::off_t>(done));
        });
        if (got < 0)
            throw failure{status::bad_input, "cannot read {}: {}", title_, said(errno)};
        if (got == 0)
            break;  // it became shorter
        done += static_cast<std::size_t>(got);
    }
    bytes.resize(done);
    return bytes;
}

seen look_at(const source& from, std::uint64_t base, const question& asked)
{
    const auto once = [&] {
        seen now{.bytes = from.copy(), .found = {}};
        now.found = analyse({now.bytes, base}, asked);
        return now;
    };
    auto best = once();
    if (!from.is_live() || !best.found.problem.empty())
        return best;
    const auto rings_agree = [](const seen& a, const seen& b) {
        return a.bytes.size() == b.bytes.size() &&
               std::ranges::all_of(a.found.rings, [&](const ring_report& ring) {
                   if (!ring.offset)
                       return true;
                   const auto first = static_cast<std::ptrdiff_t>(*ring.offset);
                   const auto size = static_cast<std::ptrdiff_t>(ring.layout.size);
                   return std::equal(a.bytes.begin() + first, a.bytes.begin() + first + size,
                                     b.bytes.begin() + first);
               });
    };
    constexpr std::size_t most_copied = 64U << 20U;
    auto before = from.copy();
    best.is_torn = true;
    for (auto left = std::clamp<std::size_t>(most_copied / from.size(), 2, 50); left != 0; --left) {
        auto now = once();
        now.is_torn = !rings_agree(now, {.bytes = before, .found = {}});
        if (!now.is_torn && now.found.problem.empty())
            return now;
        before = now.bytes;
        if (now.found.problem.empty() && now.found.faults.count() < best.found.faults.count())
            best = std::move(now);
    }
    return best;
}

}  // namespace tool::inspection
