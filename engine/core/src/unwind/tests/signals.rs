//! Frames of Linux signals: a handler that was called by nobody, its trampoline, what was interrupted.
//!
//! The frames on the stack are laid out as the kernel's headers have them: `rt_sigframe`, `sigframe`, `ucontext`.

use super::*;
use crate::registers::{arm, arm64, x64, x86};

const BASE: u64 = 0x40_0000;
/// A handler, in a module whose rows say that its return address is on top (ARM64: in LR).
const HANDLER: u64 = BASE + 0x1000;
const INTERRUPTED: u64 = BASE + 0x2000;
/// The vDSO: no module that the dump knows, code that it holds.
const VDSO: u64 = 0x7fff_e000;

fn process(cpu: Cpu, trampoline: &[u8], row: CfiRow) -> FakeProcess {
    let mut process = FakeProcess { is_system_v: true, ..FakeProcess::default() };
    let rows = vec![(0x1000..0x1100, row)];
    let sections = vec![(0x1000, code(0x2000, &[]), true)];
    process.module(BASE, Asked::Yes(FakeImage { sections, rows, ..FakeImage::default() }), Asked::No);
    process.executable.push(VDSO..VDSO + 0x1000);
    // What lies before the trampoline is no call.
    let before = if cpu == Cpu::Arm64 { 0xd503_201f_u32.to_le_bytes() } else { [0x90; 4] };
    process.memory.insert(VDSO + 0xffc - 0x400, [&before, trampoline].concat());
    process
}

const TRAMPOLINE: u64 = VDSO + 0x1000 - 0x400;

/// Asserts that the second frame is the trampoline and the third what was interrupted, with these registers.
fn check(process: &FakeProcess, context: &RegisterSet, trampoline: u64, expected: &[(Register, u64)]) {
    let walk = walk(process, context, 100);
    let (frames, _) = summary(&walk);
    assert_eq!(frames[1..3], [(trampoline, Trust::Cfi), (INTERRUPTED, Trust::Cfi)], "{:?}", walk.end);
    assert_eq!(walk.frames[2].lookup_address, INTERRUPTED);
    for &(register, value) in expected {
        assert_eq!(walk.frames[2].registers.get(register), Some(value), "{register:?}");
    }
}

fn popped(ip: Register, sp: Register, width: i64) -> CfiRow {
    CfiRow {
        cfa: crate::cfi::CfaRule::RegisterOffset(sp, width),
        rules: vec![(ip, crate::cfi::Rule::Offset(-width))],
        return_address: ip,
        is_signal_frame: false,
    }
}

#[test]
fn x64() {
    let mut process = process(Cpu::X64, &[0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05], popped(x64::RIP, x64::RSP, 8));
    // pretcode; uc_flags, uc_link, uc_stack (sp, flags, size).
    let mut stack = vec![TRAMPOLINE, 7, 0, 0, 2, 0];
    // r8 to r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip, eflags.
    stack.extend((8..16).chain([107, 106, 105, 103, 102, 100, 101]));
    stack.extend([STACK + 0x800, INTERRUPTED, 0x246, 0, 0]);
    process.words(STACK, 8, &stack);
    let context = context(Cpu::X64, &[(x64::RSP, STACK), (x64::RIP, HANDLER)]);
    let mut expected: Vec<_> = (0..4).chain(5..8).map(|index| (Register(index), 100 + u64::from(index))).collect();
    expected.extend((8..16).map(|index| (Register(index), index.into())));
    expected.extend([(x64::RSP, STACK + 0x800), (x64::RFLAGS, 0x246)]);
    check(&process, &context, TRAMPOLINE, &expected);
}

#[test]
fn x86_with_and_without_information() {
    // gs, fs, es, ds, edi, esi, ebp, esp, ebx, edx, ecx, eax, trapno, err, eip, cs, eflags.
    let saved = [0x33, 0, 0x2b, 0x2b, 7, 6, 5, STACK + 0x800, 3, 2, 1, 0, 14, 4, INTERRUPTED, 0x23, 0x246];
    let registers = [0, 1, 2, 3, 5, 6, 7].map(|index| (Register(index), u64::from(index)));
    let expected = [&registers[..], &[(x86::ESP, STACK + 0x800), (x86::EFLAGS, 0x246)]].concat();
    let context = context(Cpu::X86, &[(x86::ESP, STACK), (x86::EIP, HANDLER)]);
    let row = || popped(x86::EIP, x86::ESP, 4);

    // pretcode, sig, sigcontext; the trampoline pops sig first.
    let mut old = process(Cpu::X86, &[0x58, 0xb8, 0x77, 0, 0, 0, 0xcd, 0x80], row());
    old.words(STACK, 4, &[&[TRAMPOLINE, 11], &saved[..]].concat());
    check(&old, &context, TRAMPOLINE, &expected);

    // pretcode, sig, pinfo, puc, info; uc_flags, uc_link, uc_stack, sigcontext.
    let mut new = process(Cpu::X86, &[0xb8, 0xad, 0, 0, 0, 0xcd, 0x80], row());
    let ucontext = STACK + 16 + 128;
    let head = [TRAMPOLINE, 11, STACK + 16, ucontext];
    new.words(STACK, 4, &[&head[..], &[0; 32], &[0; 5], &saved].concat());
    check(&new, &context, TRAMPOLINE, &expected);
}

#[test]
fn arm64() {
    let leaf = CfiRow { return_address: arm64::LR, rules: Vec::new(), ..popped(arm64::PC, arm64::SP, 0) };
    let mut process = process(Cpu::Arm64, &[0x68, 0x11, 0x80, 0xd2, 0x01, 0, 0, 0xd4], leaf);
    // siginfo; uc_flags, uc_link, uc_stack, uc_sigmask and its reserve, aligned to 16; fault_address.
    let mut stack = vec![0; (128 + 176) / 8 + 1];
    stack.extend((0..31).map(|index| 100 + index));
    stack.extend([STACK + 0x800, INTERRUPTED, 0x6000_0000]);
    process.words(STACK, 8, &stack);
    let context = context(Cpu::Arm64, &[(arm64::SP, STACK), (arm64::PC, HANDLER), (arm64::LR, TRAMPOLINE)]);
    let mut expected: Vec<_> = (0..31).map(|index| (Register(index), 100 + u64::from(index))).collect();
    expected.extend([(arm64::SP, STACK + 0x800), (arm64::CPSR, 0x6000_0000)]);
    check(&process, &context, TRAMPOLINE, &expected);
}

#[test]
fn arm_in_both_states() {
    let leaf = || CfiRow { return_address: arm::LR, rules: Vec::new(), ..popped(arm::PC, arm::SP, 0) };
    // trap_no, error_code, oldmask; r0 to r15; cpsr; the address of the fault.
    let mut saved = vec![14, 0, 0];
    saved.extend((0..13).map(|index| 100 + index));
    saved.extend([STACK + 0x800, 114, INTERRUPTED, 0x6000_0010, 0]);
    // uc_flags, uc_link, uc_stack.
    let context_words = [vec![0; 5], saved].concat();
    let mut expected: Vec<_> = (0..13).map(|index| (Register(index), 100 + u64::from(index))).collect();
    expected.extend([(arm::SP, STACK + 0x800), (arm::LR, 114), (arm::CPSR, 0x6000_0010)]);
    // arch/arm/kernel/sigreturn_codes.S; behind them the words of `siginfo`.
    for (instructions, thumb, info) in [
        (&[0x77, 0x70, 0xa0, 0xe3, 0, 0, 0, 0xef][..], 0, 0),
        (&[0xad, 0x70, 0xa0, 0xe3, 0, 0, 0, 0xef], 0, 32),
        (&[0x77, 0x27, 0, 0xdf], 1, 0),
        (&[0xad, 0x27, 0, 0xdf], 1, 32),
    ] {
        let mut process = process(Cpu::Arm, instructions, leaf());
        process.words(STACK, 4, &[vec![0; info], context_words.clone()].concat());
        let context = context(Cpu::Arm, &[(arm::SP, STACK), (arm::PC, HANDLER), (arm::LR, TRAMPOLINE | thumb)]);
        check(&process, &context, TRAMPOLINE, &expected);
    }
}

#[test]
fn a_trampoline_is_believed_where_a_call_would_have_to_be_seen() {
    // The handler's frame pointer leads to it, and no row.
    let mut process = process(Cpu::X64, &[0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05], popped(x64::RIP, x64::RSP, 8));
    let Asked::Yes(image) = &mut process.modules[0].image else { unreachable!() };
    image.rows.clear();
    let mut stack = vec![0, 0, STACK + 0x40, TRAMPOLINE, 7, 0, 0, 2];
    stack.extend(vec![0; 16]);
    stack.extend([STACK + 0x800, INTERRUPTED, 0x246]);
    process.words(STACK, 8, &stack);
    let context = context(Cpu::X64, &[(x64::RSP, STACK), (x64::RBP, STACK + 0x10), (x64::RIP, HANDLER)]);
    let (frames, _) = summary(&walk(&process, &context, 100));
    assert_eq!(frames[1], (TRAMPOLINE, Trust::FramePointer));
}

#[test]
fn registers_that_are_not_all_there_are_none() {
    let mut process = process(Cpu::X64, &[0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05], popped(x64::RIP, x64::RSP, 8));
    process.words(STACK, 8, &[TRAMPOLINE, 7, 0, 0, 2, 0, 8, 9]);
    let context = context(Cpu::X64, &[(x64::RSP, STACK), (x64::RIP, HANDLER)]);
    let (frames, end) = summary(&walk(&process, &context, 100));
    assert_eq!((frames.len(), end), (2, WalkEnd::Done(Stop::NoCaller)));
}
