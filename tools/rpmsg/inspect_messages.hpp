#pragma once

#include "inspect_report.hpp"

namespace tool::inspection {

/// Decodes what lies in the buffers of a ring, and names what is wrong with buffers and messages.
void read_messages(const picture& memory, const ring_report& ring, bool is_lite, report& out);

/// Names buffers that overlap each other, a ring or the table.
void check_overlaps(const picture& memory, report& out);

}  // namespace tool::inspection
