#pragma once

#include "stage.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <utility>

namespace demo {

/// Matrices that nobody multiplied before.
inline void make_operands(operands& made, std::uint32_t number) noexcept
{
    std::uint32_t value = number * 0x9E37'79B9U + 1;
    for (auto* const m : {&made.left, &made.right})
        for (auto& row : m->row)
            for (auto& element : row)
                element = value = value * 1'664'525U + 1'013'904'223U;
}

/// 288 bytes of question, 144 of answer: the device multiplies, the driver checks.
template <typename Bus>
row run_matrix(stage<Bus>& on, caller<Bus, operands, matrix>& multiplier)
{
    row seen{.channel = matrix_channel.c_str()};
    meter measured{on};

    std::uint32_t asked = 0;
    operands ours{};
    for (; !measured.enough().reached(asked); ++asked) {
        make_operands(ours, asked);
        const auto begin = monotonic::now();
        const auto& theirs = on.ask(multiplier, "a product", [&](operands& of) { of = ours; });
        seen.round_trips.add(monotonic::now() - begin);
        seen.bytes += sizeof(operands) + sizeof(matrix);
        seen.errors += theirs == product(ours) ? 0U : 1U;
        if (on.out.wants_progress())
            on.out.progress("matrix", measured.enough().share(asked),
                            fmt::format("element 1,1 of product {} is {}", grouped(asked), theirs.row[0][0]));
    }
    seen.messages = 2 * std::uint64_t{asked};
    seen = measured.finish(std::move(seen));
    on.out.verdict("matrix", seen.errors == 0,
                   fmt::format("{} products of two 6x6 matrices, {} wrong", grouped(asked),
                               seen.errors == 0 ? "none" : grouped(seen.errors)));
    return seen;
}

}  // namespace demo
