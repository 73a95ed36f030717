// TARGETS: rv32imac rv64imac
#include <rpmsg/platform/interrupt_depth.hpp>
#include <rpmsg/platform/riscv/cpu.hpp>
#include <rpmsg/platform/riscv_clint.hpp>
#include <rpmsg/policy/exclusion.hpp>

#include <cstdint>

using namespace rpmsg::platform;
using riscv::cpu;

constinit std::uintptr_t depth = 0;

namespace {
using clint = riscv_clint<0x0200'0000, 0, 1>;
bool is_ready() noexcept { return *reinterpret_cast<const volatile bool*>(0x2000'0000); }
}  // namespace

extern "C" {

// EXPECT: csrrc a0, mstatus, 8
cpu::state save_and_mask() { return cpu::save_and_mask(); }

// EXPECT: csrs mstatus, a0
void restore(cpu::state before) { cpu::restore(before); }

// EXPECT: csrrc \w+, mstatus, 8 | lbu \w+, .* | wfi | csrs mstatus, \w+
void sleep_unless_ready() { riscv::sleep<>::unless(is_ready); }

// EXPECT: csrr a0, mhartid
std::uintptr_t hart() { return cpu::hart(); }

// EXPECT: fence w, o | sw \w+, .*
void ring() { clint{}.ring(rpmsg::policy::vring_id::to_device); }

// EXPECT: lw \w+, .*
bool look() { return clint::pending(); }

// EXPECT: sw zero, .* | lw \w+, .* | fence io, rw
void acknowledge() { clint::acknowledge(); }

// EXPECT: l[wd] \w+, .*
std::uintptr_t context() { return rpmsg::policy::interrupt_mask<counted<cpu, depth>>{}.context(); }

// EXPECT: l[wd] \w+, .* | s[wd] \w+, .* | l[wd] \w+, .* | s[wd] \w+, .*
void handle() { const counted<cpu, depth>::handler inside; }
}
