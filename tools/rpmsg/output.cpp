#include "output.hpp"

#include "failure.hpp"

#include <cstdio>

namespace tool {
namespace {

[[noreturn]] void give_up()
{
    throw failure{status::failed, "cannot write to standard output: {}", reason(rpmsg::errc::system)};
}

}  // namespace

void write_output(std::string_view text)
{
    if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size())
        give_up();
}

void flush_output()
{
    if (std::fflush(stdout) != 0)
        give_up();
}

std::string json(std::string_view text)
{
    std::string quoted{'"'};
    for (const char c : text) {
        if (c == '"' || c == '\\')
            quoted += '\\';
        if (c >= ' ' && c <= '~')
            quoted += c;
        else
            quoted += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
    }
    return quoted + '"';
}

}  // namespace tool
