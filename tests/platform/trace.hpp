#pragma once

#include <rpmsg/testing/journal.hpp>
#include <rpmsg/testing/recording_registers.hpp>

#include <cstdint>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace platform_test {

/// What models for chips did, access for access: "write 50003014 = 1", "read 50003000 = 0", "before_write".
/// Every access has 32 bits, or its line says otherwise.
inline std::vector<std::string> trace(const rpmsg::testing::journal& log)
{
    using rpmsg::testing::event;
    std::vector<std::string> all;
    for (const auto& entry : log.entries()) {
        std::ostringstream line;
        line << std::hex;
        if (entry.what == event::instruction)
            line << entry.note;
        else
            line << entry.what;
        if (entry.where != nullptr)
            line << ' ' << reinterpret_cast<std::uintptr_t>(entry.where);
        if (entry.what == event::read || entry.what == event::write)
            line << " = " << entry.value;
        if (entry.detail != 0 && entry.detail != 4)
            line << " (" << entry.detail << " bytes)";
        all.push_back(line.str());
    }
    return all;
}
using lines = std::vector<std::string>;

/// Writes an instruction down.
inline void execute(std::string_view instruction, const void* about = nullptr)
{
    if (auto* const log = rpmsg::testing::journal::innermost())
        log->write(rpmsg::testing::event::instruction, about).note = instruction;
}

}  // namespace platform_test
