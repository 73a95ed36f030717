#pragma once

#include "inspect_report.hpp"

namespace tool::inspection {

struct look {
    std::string title;     ///< What was looked at.
    bool is_live = false;  ///< Memory that may change: the picture may be torn.
    bool is_torn = false;  ///< It did change while it was copied.
    bool is_coloured = false;
    bool shows_all = false;  ///< Every slot and every byte, however many.
};

/// The report for people: 100 columns at most.
[[nodiscard]] std::string draw(const report& found, const look& how);

/// The report for scripts: one JSON object.
[[nodiscard]] std::string to_json(const report& found, const look& how);

/// "NS EVENT_IDX": feature bits by name.
[[nodiscard]] std::string feature_names(std::uint32_t features);
/// "DRIVER_OK": status bits by name.
[[nodiscard]] std::string status_names(std::uint8_t bits);
/// "available", "taken", "used", "driver" or "unknown".
[[nodiscard]] std::string_view word_of(owner with);
/// The name in an announcement, as far as it goes.
[[nodiscard]] std::string_view name_in(const rpmsg::wire::announcement& heard);

}  // namespace tool::inspection
