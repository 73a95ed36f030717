#pragma once

#include "inspect_report.hpp"

namespace tool::inspection {

/// Whether there is something at `at` that is meant as a resource table with an RPMsg device, broken or not.
[[nodiscard]] bool looks_like_table(const picture& memory, std::size_t at);

/// The first sound resource table with an RPMsg device in it, and how many more there are.
[[nodiscard]] std::optional<table_report> search_table(const picture& memory);

/// Reads all of a table, and names what is wrong with it; what it says of rings is judged by read_ring().
void read_table(const picture& memory, table_report& table, const question& asked, report& out);

/// The entry of the RPMsg device that was asked for.
[[nodiscard]] const table_entry* rpmsg_entry(const table_report& table, std::uint32_t device);

}  // namespace tool::inspection
