//! Trampolines of Linux signals: the code to which a handler returns, which asks the kernel to restore the registers
//! that the signal interrupted. They lie on the stack.
//!
//! The vDSO and the C library describe their trampolines by call frame information, but the vDSO's image is often
//! absent, and on ARM64 the description only reaches the frame record. The instructions are fixed, as debuggers know
//! them by these very bytes.
//!
//! Source: Linux, `arch/x86/include/asm/sigframe.h` and `uapi/asm/sigcontext.h`, `arch/arm64/kernel/signal.c` and
//! `uapi/asm/sigcontext.h`, `arch/arm/kernel/sigreturn_codes.S` and `uapi/asm/sigcontext.h`, `include/uapi/asm-generic/ucontext.h`.

use super::code_bytes::read_code;
use super::step::{Caller, Position, Step};
use super::{Process, Trust};
use crate::registers::{Cpu, Register, RegisterSet, arm, arm64, x64, x86};

/// Where the saved registers are when the handler has returned to the trampoline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Saved {
    /// At the stack pointer plus this.
    Above(u64),
    /// In the `ucontext` to which the word at the stack pointer plus this points, plus the other.
    InPointed(u64, u64),
}

/// A trampoline of a processor.
struct Trampoline {
    cpu: Cpu,
    code: &'static [u8],
    saved: Saved,
}

const TRAMPOLINES: [Trampoline; 9] = [
    // mov rax, __NR_rt_sigreturn; syscall. `uc_mcontext` is behind flags, link and `uc_stack`.
    Trampoline { cpu: Cpu::X64, code: &[0x48, 0xc7, 0xc0, 15, 0, 0, 0, 0x0f, 0x05], saved: Saved::Above(40) },
    // pop eax (the signal's number); mov eax, __NR_sigreturn; int 0x80
    Trampoline { cpu: Cpu::X86, code: &[0x58, 0xb8, 0x77, 0, 0, 0, 0xcd, 0x80], saved: Saved::Above(4) },
    Trampoline { cpu: Cpu::X86, code: &[0xb8, 0x77, 0, 0, 0, 0xcd, 0x80], saved: Saved::Above(0) },
    // mov eax, __NR_rt_sigreturn; int 0x80. The handler's arguments: number, `siginfo`, `ucontext`.
    Trampoline { cpu: Cpu::X86, code: &[0xb8, 0xad, 0, 0, 0, 0xcd, 0x80], saved: Saved::InPointed(8, 20) },
    // mov x8, #__NR_rt_sigreturn; svc #0. Behind `siginfo` (128 bytes) and the aligned head of `ucontext` (176): the
    // fault's address, then X0.
    Trampoline {
        cpu: Cpu::Arm64,
        code: &[0x68, 0x11, 0x80, 0xd2, 0x01, 0x00, 0x00, 0xd4],
        saved: Saved::Above(128 + 176 + 8),
    },
    // mov r7, #__NR_sigreturn; svc #0, in ARM and in Thumb. `uc_mcontext` is behind flags, link and `uc_stack` (20), and
    // in it R0 is behind `trap_no`, `error_code` and `oldmask` (12).
    Trampoline { cpu: Cpu::Arm, code: &[119, 0x70, 0xa0, 0xe3, 0, 0, 0, 0xef], saved: Saved::Above(20 + 12) },
    Trampoline { cpu: Cpu::Arm, code: &[119, 0x27, 0, 0xdf], saved: Saved::Above(20 + 12) },
    // mov r7, #__NR_rt_sigreturn; svc #0: the same behind `siginfo`.
    Trampoline { cpu: Cpu::Arm, code: &[173, 0x70, 0xa0, 0xe3, 0, 0, 0, 0xef], saved: Saved::Above(128 + 20 + 12) },
    Trampoline { cpu: Cpu::Arm, code: &[173, 0x27, 0, 0xdf], saved: Saved::Above(128 + 20 + 12) },
];

/// The registers of `sigcontext`, in words from its start.
fn layout(cpu: Cpu) -> Vec<(u64, Register)> {
    match cpu {
        // gs, fs, es, ds; edi, esi, ebp, esp, ebx, edx, ecx, eax; trapno, err; eip; cs; eflags.
        Cpu::X86 => {
            let general = [x86::EDI, x86::ESI, x86::EBP, x86::ESP, x86::EBX, x86::EDX, x86::ECX, x86::EAX];
            let words = (4..).zip(general);
            words.chain([(14, x86::EIP), (16, x86::EFLAGS)]).collect()
        }
        Cpu::X64 => {
            let general =
                [x64::RDI, x64::RSI, x64::RBP, x64::RBX, x64::RDX, x64::RAX, x64::RCX, x64::RSP, x64::RIP, x64::RFLAGS];
            (0..).zip((8..16).map(Register).chain(general)).collect()
        }
        Cpu::Arm64 => (0..).zip((0..=arm64::CPSR.0).map(Register)).collect(),
        Cpu::Arm => (0..).zip((0..=arm::CPSR.0).map(Register)).collect(),
    }
}

fn trampoline_at(process: &dyn Process, address: u64, cpu: Cpu) -> Option<&'static Trampoline> {
    let mut bytes = [0; 9];
    let size = read_code(process, address, &mut bytes);
    TRAMPOLINES.iter().find(|known| known.cpu == cpu && bytes[..size].starts_with(known.code))
}

/// Whether a trampoline is at `address`.
pub(super) fn is_trampoline(process: &dyn Process, address: u64, cpu: Cpu) -> bool {
    trampoline_at(process, address, cpu).is_some()
}

/// What the signal interrupted, if the frame is that of a trampoline.
pub(super) fn caller(position: &Position) -> Step {
    let (process, cpu) = (position.process, position.cpu());
    let Some(trampoline) = trampoline_at(process, position.ip, cpu) else { return Ok(None) };
    let saved = match trampoline.saved {
        Saved::Above(offset) => Some(position.sp.wrapping_add(offset)),
        Saved::InPointed(slot, offset) => {
            let context = process.read_pointer(position.sp.wrapping_add(slot), cpu);
            context.map(|context| context.wrapping_add(offset))
        }
    };
    let registers = saved.and_then(|saved| registers_at(process, saved, cpu));
    Ok(registers.map(|registers| Caller::interrupted(registers, Trust::Cfi)))
}

/// The registers of the `sigcontext` at `address`, if all of them are there.
fn registers_at(memory: &dyn Process, address: u64, cpu: Cpu) -> Option<RegisterSet> {
    let mut registers = RegisterSet::new(cpu);
    for (word, register) in layout(cpu) {
        let place = address.wrapping_add(word * cpu.pointer_size_bytes() as u64);
        registers.set(register, memory.read_pointer(place, cpu)?);
    }
    Some(registers)
}
