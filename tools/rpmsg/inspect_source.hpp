#pragma once

#include "inspect_report.hpp"

#include <rpmsg/platform/linux/file_descriptor.hpp>

#include <string>
#include <vector>

namespace tool::inspection {

/// A file, or the memory behind another process's file descriptor. Only ever read.
class source {
public:
    /// @param what  A path, or PID:FD.
    /// @throw tool::failure with status::bad_input.
    explicit source(const std::string& what);

    [[nodiscard]] const std::string& title() const { return title_; }
    [[nodiscard]] std::size_t size() const { return size_; }
    /// Whether it is memory that somebody may be writing to.
    [[nodiscard]] bool is_live() const { return is_live_; }
    /// @return As many bytes as there still are.
    [[nodiscard]] std::vector<std::byte> copy() const;

private:
    rpmsg::platform::file_descriptor file_;
    std::string title_;
    std::size_t size_ = 0;
    bool is_live_ = false;
};

/// What was seen, with the bytes that the report points into.
struct seen {
    std::vector<std::byte> bytes;
    report found;
    bool is_torn = false;
};

/// Copies and analyses; live memory until two copies agree in their rings, or the least contradictory of some.
[[nodiscard]] seen look_at(const source& from, std::uint64_t base, const question& asked);

}  // namespace tool::inspection
