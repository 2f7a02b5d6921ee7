//! Contexts and names of processors other than Intel's.
//!
//! Layouts: winnt.h (CONTEXT of ARM and ARM64); Breakpad, minidump_cpu_arm.h, minidump_cpu_arm64.h.

use super::*;
use crate::dump::system::SystemInfo;
use crate::registers::{Register, arm, arm64};

/// A record of ARM: flags; R0 to R15, each with its number plus 100; CPSR; FPSCR in 8 bytes; D0 to D31, each with its
/// number.
fn arm_context(flags: u32) -> Vec<u8> {
    let mut context = words(&[flags]);
    context.extend(words(&(100..116).collect::<Vec<u32>>()));
    context.extend(words(&[0x6000_0030, 0, 0]));
    context.extend((0..32u64).flat_map(u64::to_le_bytes));
    context.extend([0; 32]);
    assert_eq!(context.len(), 368); // sizeof(MDRawContextARM)
    context
}

#[test]
fn arm_registers_of_breakpad_are_all_of_the_integer_group() {
    // MD_CONTEXT_ARM | MD_CONTEXT_ARM_INTEGER | MD_CONTEXT_ARM_FLOATING_POINT.
    let set = context::registers(&arm_context(0x4000_0006), Cpu::Arm).unwrap();
    for (register, value) in [(arm::R0, 100), (arm::R7, 107), (arm::FP, 111), (arm::SP, 113), (arm::LR, 114)] {
        assert_eq!(set.get(register), Some(value), "{register:?}");
    }
    // 115 is an address of Thumb code: the instruction is at 114, the state is in CPSR.
    assert_eq!((set.get(arm::PC), set.get(arm::CPSR)), (Some(114), Some(0x6000_0030)));
    assert_eq!((set.vector(1), set.vector(31)), (Some(1), Some(31)));
    let names: Vec<&str> = set.named().map(|(name, _)| name).collect();
    assert_eq!(names[10..], ["r10", "fp", "r12", "sp", "lr", "pc", "cpsr"]);
    let set = context::registers(&arm_context(0x4000_0002)[..72], Cpu::Arm).unwrap();
    assert_eq!((set.get(arm::CPSR), set.vector(0)), (Some(0x6000_0030), None));
    assert!(context::registers(&arm_context(0x4000_0002)[..71], Cpu::Arm).is_err());
}

#[test]
fn arm_registers_of_windows_are_in_groups() {
    // CONTEXT_ARM | CONTEXT_CONTROL; 0x40000000 is CONTEXT_EXCEPTION_REQUEST.
    for flags in [0x0020_0001, 0x4020_0001] {
        let set = context::registers(&arm_context(flags), Cpu::Arm).unwrap();
        assert_eq!((set.get(arm::R0), set.get(arm::SP), set.vector(0)), (None, Some(113), None), "{flags:#x}");
    }
    let set = context::registers(&arm_context(0x0020_0007), Cpu::Arm).unwrap();
    assert_eq!((set.get(arm::R0), set.get(Register(12)), set.vector(2)), (Some(100), Some(112), Some(2)));
    // CONTEXT_INTEGER alone: no instruction pointer.
    assert!(context::registers(&arm_context(0x4020_0002), Cpu::Arm).is_err());
}

#[test]
fn arm64_has_an_old_record_of_breakpad() {
    // MDRawContextARM64_Old: 64 bits of flags, 33 registers, CPSR, FPSR, FPCR, 32 vectors.
    let mut old = 0x8000_0006u64.to_le_bytes().to_vec();
    old.extend((200..233u64).flat_map(u64::to_le_bytes));
    old.extend(words(&[0x6000_0000, 1, 2]));
    old.extend((0..32u128).flat_map(u128::to_le_bytes));
    assert_eq!(old.len(), 796);
    let set = context::registers(&old, Cpu::Arm64).unwrap();
    for (register, value) in [
        (Register(0), 200),
        (Register(28), 228),
        (arm64::FP, 229),
        (arm64::LR, 230),
        (arm64::SP, 231),
        (arm64::PC, 232),
        (arm64::CPSR, 0x6000_0000),
    ] {
        assert_eq!(set.get(register), Some(value), "{register:?}");
    }
    assert_eq!((set.vector(0), set.vector(31)), (Some(0), Some(31)));
    // Windows' record, also where the bit is set that it calls CONTEXT_EXCEPTION_REPORTING.
    for flags in [0x0040_0007, 0x8040_0007] {
        let mut new = words(&[flags, 0x6000_0000]);
        new.extend((300..333u64).flat_map(u64::to_le_bytes));
        let set = context::registers(&new, Cpu::Arm64).unwrap();
        assert_eq!((set.get(Register(0)), set.get(arm64::PC)), (Some(300), Some(332)), "{flags:#x}");
        assert_eq!(set.get(arm64::CPSR), Some(0x6000_0000));
    }
}

#[test]
fn processors_are_named_and_those_without_registers_have_none() {
    for (architecture, name, cpu) in [
        (0, "x86", Some(Cpu::X86)),
        (1, "mips", None),
        (3, "ppc", None),
        (5, "arm", Some(Cpu::Arm)),
        (6, "ia64", None),
        (9, "amd64", Some(Cpu::X64)),
        (10, "x86", Some(Cpu::X86)),
        (12, "arm64", Some(Cpu::Arm64)),
        (13, "arm", Some(Cpu::Arm)),
        (14, "x86", Some(Cpu::X86)),
        (0x8001, "sparc", None),
        (0x8002, "ppc64", None),
        (0x8003, "arm64", Some(Cpu::Arm64)),
        (0x8004, "mips64", None),
        (0x8005, "riscv", None),
        (0x8006, "riscv64", None),
        (0x4242, "unknown(16962)", None),
    ] {
        let mut file = File::default();
        let place = file.place(&arm_context(0x4000_0006));
        let thread = words(&[1, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 368, place]);
        let dump = file.stream(7, &system_info(architecture)).stream(3, &thread).open();
        assert_eq!(dump.system().map(SystemInfo::cpu_name).as_deref(), Some(name));
        assert_eq!(dump.cpu(), cpu, "{name}");
        if cpu.is_none() {
            assert_eq!(dump.context(0), None, "{name}");
        }
    }
}
