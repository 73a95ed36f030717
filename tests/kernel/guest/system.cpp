#include "kernel/guest/system.hpp"

#include <array>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <unistd.h>

namespace guest {

void log_line(const std::string& text)
{
    static const file log{"/dev/kmsg", O_WRONLY | O_CLOEXEC};
    const auto line = "<5>guest: " + text + "\n";
    static_cast<void>(::write(log.get(), line.data(), line.size()));
}

file::file(const std::string& path, int flags) : number_{::open(path.c_str(), flags | O_CLOEXEC)}
{
    if (number_ < 0)
        fail_errno("open " + path);
}

file::~file()
{
    if (number_ >= 0)
        ::close(number_);
}

std::string read_file(const std::string& path)
{
    const file from{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
    std::array<char, 4096> room{};
    const auto size = from.get() < 0 ? -1 : ::read(from.get(), room.data(), room.size());
    std::string text{room.data(), size < 0 ? 0 : static_cast<std::size_t>(size)};
    if (!text.empty() && text.back() == '\n')
        text.pop_back();
    return text;
}

void write_file(const std::string& path, std::string_view text)
{
    const file to{path, O_WRONLY};
    if (::write(to.get(), text.data(), text.size()) != static_cast<::ssize_t>(text.size()))
        fail_errno("write " + path);
}

bool exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

bool kernel_said(std::string_view text)
{
    const file log{"/dev/kmsg", O_RDONLY | O_NONBLOCK};
    std::array<char, 8192> record{};
    for (;;) {
        const auto size = ::read(log.get(), record.data(), record.size());
        if (size < 0 && errno == EPIPE)  // overwritten meanwhile: the next one
            continue;
        if (size <= 0)
            return false;
        if (std::string_view{record.data(), static_cast<std::size_t>(size)}.find(text) !=
            std::string_view::npos)
            return true;
    }
}

}  // namespace guest
