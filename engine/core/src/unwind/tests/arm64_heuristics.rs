//! ARM64 without unwind information: the link register, frame records, words on the stack.

use super::*;
use crate::registers::arm64::{FP, LR, PC, SP};

const APP: u64 = 0x1_0000_0000;
const SYSTEM: u64 = 0x7fff_0000_0000;

const NOP: u32 = 0xd503_201f;
const RET: u32 = 0xd65f_03c0;
const SVC: u32 = 0xd400_0001;
const BLR_X8: u32 = 0xd63f_0100;
const BR_X16: u32 = 0xd61f_0200;
/// `adrp x16, #0`, `ldr x16, [x16]`.
const THUNK: [u32; 3] = [0x9000_0010, 0xf940_0210, BR_X16];
/// `stp x29, x30, [sp, #-16]!`, `mov x29, sp`.
const PROLOGUE: [u32; 2] = [0xa9bf_7bfd, 0x9100_03fd];
/// `sub sp, sp, #0x20`
const SUB_SP: u32 = 0xd100_83ff;

/// `bl target` at `address`, both in the application.
fn bl(address: u32, target: u32) -> u32 {
    0x9400_0000 | (target.wrapping_sub(address) >> 2) & 0x3ff_ffff
}

/// An application of 0x100 instructions at 0x1000, `nop` but for these (address, word); a library that is not known.
fn process(words: &[(u32, u32)], stack: &[u64]) -> FakeProcess {
    let mut code = [NOP].repeat(0x100);
    words.iter().for_each(|&(address, word)| code[(address as usize - 0x1000) / 4] = word);
    let code = code.iter().flat_map(|word| word.to_le_bytes()).collect();
    let mut process = FakeProcess { is_system_v: true, ..FakeProcess::default() };
    let image = FakeImage { sections: vec![(0x1000, code, true)], ..FakeImage::default() };
    process.module(APP, Asked::Yes(image), Asked::No);
    process.module(SYSTEM, Asked::No, Asked::No);
    process.words(STACK, 8, stack);
    process
}

fn walk_from(process: &FakeProcess, registers: &[(Register, u64)]) -> Walk {
    let mut context = context(Cpu::Arm64, &[(SP, STACK)]);
    registers.iter().for_each(|&(register, value)| context.set(register, value));
    walk(process, &context, 100)
}

fn second(walk: &Walk) -> Option<(u64, Trust, Option<u64>)> {
    let frame = walk.frames.get(1)?;
    Some((frame.registers.instruction_pointer()?, frame.trust, frame.registers.stack_pointer()))
}

#[test]
fn a_function_that_runs_into_its_return_has_its_caller_in_the_link_register() {
    let process = process(&[(0x1010, SVC), (0x1014, RET), (0x1100, bl(0x1100, 0x1010)), (0x1110, BLR_X8)], &[0; 4]);
    for (link, expected) in [
        (APP + 0x1104, Some((APP + 0x1104, Trust::Cfi, Some(STACK)))),
        (APP + 0x1114, Some((APP + 0x1114, Trust::Cfi, Some(STACK)))),
        // After no call; into what cannot be checked.
        (APP + 0x1108, None),
        (SYSTEM + 0x20, Some((SYSTEM + 0x20, Trust::Cfi, Some(STACK)))),
    ] {
        let walk = walk_from(&process, &[(PC, APP + 0x1014), (LR, link)]);
        assert_eq!(second(&walk), expected, "{link:#x}");
    }
}

#[test]
fn the_link_register_counts_until_something_is_called() {
    // A function at 0x1000 that pushes a frame record and takes 0x20 bytes, calls at 0x1010, and never returns.
    let words = [
        (0x1000, PROLOGUE[0]),
        (0x1004, PROLOGUE[1]),
        (0x1008, SUB_SP),
        (0x1010, bl(0x1010, 0x1200)),
        (0x1100, bl(0x1100, 0x1000)),
    ];
    let process = process(&words, &[0; 16]);
    let link = APP + 0x1104;
    for (at, link, expected) in [
        (0x1000, link, Some(STACK)),
        (0x1004, link, Some(STACK + 16)),
        (0x1008, link, Some(STACK + 16)),
        (0x100c, link, Some(STACK + 0x30)),
        (0x1014, APP + 0x1014, None),
        (0x1020, APP + 0x1014, None),
    ] {
        let walk = walk_from(&process, &[(PC, APP + at), (LR, link)]);
        assert_eq!(second(&walk), expected.map(|sp| (link, Trust::Cfi, Some(sp))), "{at:#x}");
    }
}

#[test]
fn frame_records_lead_up_to_the_outermost_frame() {
    let words = [(0x1100, bl(0x1100, 0x1000)), (0x1120, BLR_X8)];
    let signature = 0x00ab_0000_0000_0000;
    // Two records, the second signed; then the outermost, which has neither.
    let stack = [0, 0, STACK + 0x30, APP + 0x1104, 0, 0, STACK + 0x50, APP + 0x1124 + signature, 0, 0, 0, 0];
    let process = FakeProcess { signature_bits: 0xffff_8000_0000_0000, ..process(&words, &stack) };
    let walk = walk_from(&process, &[(PC, APP + 0x1010), (FP, STACK + 0x10), (LR, APP + 0x1008)]);
    let (frames, end) = summary(&walk);
    let expected = [(APP + 0x1104, Trust::FramePointer), (APP + 0x1124, Trust::FramePointer)];
    assert_eq!((&frames[1..], end), (&expected[..], WalkEnd::Done(Stop::EndOfStack)));
    let pointers = walk.frames.iter().map(|frame| frame.registers.frame_pointer().unwrap());
    assert_eq!(pointers.collect::<Vec<_>>(), [STACK + 0x10, STACK + 0x30, STACK + 0x50]);
}

#[test]
fn a_frame_record_that_is_none_is_not_followed() {
    let words = [(0x1100, bl(0x1100, 0x1000))];
    for (name, record) in [
        ("it leads down", [STACK, APP + 0x1104]),
        ("no call is there", [STACK + 0x40, APP + 0x1108]),
        ("data", [STACK + 0x40, STACK]),
        ("not aligned", [STACK + 0x40, APP + 0x1105]),
    ] {
        let process = process(&words, &[0, 0, record[0], record[1], 0, 0]);
        let walk = walk_from(&process, &[(PC, APP + 0x1010), (FP, STACK + 0x10)]);
        assert!(walk.frames.get(1).is_none_or(|frame| frame.trust == Trust::Scan), "{name}");
    }
}

#[test]
fn a_scan_takes_what_a_call_can_have_left_with_the_frame_pointer_below() {
    let thunk = [0, 1, 2].map(|index| (0x1180 + 4 * index, THUNK[index as usize]));
    let calls = [(0x1100, BLR_X8), (0x1110, bl(0x1110, 0x1180)), (0x1120, bl(0x1120, 0x1200))];
    let words = [&thunk[..], &calls].concat();
    for (name, word, accepted) in [
        ("after an indirect call", APP + 0x1104, true),
        ("after a call of a thunk", APP + 0x1114, true),
        ("after a call that stays in its module", APP + 0x1124, false),
        ("in the middle of code", APP + 0x1108, false),
        ("not aligned", APP + 0x1106, false),
        ("a module that cannot be checked", SYSTEM + 0x3000, false),
    ] {
        let process = process(&words, &[0, STACK + 0x20, word, 0, 0, 0]);
        let walk = walk_from(&process, &[(PC, SYSTEM + 0x1000)]);
        assert_eq!(second(&walk), accepted.then_some((word, Trust::Scan, Some(STACK + 0x18))), "{name}");
        let fp = walk.frames.get(1).and_then(|frame| frame.registers.frame_pointer());
        assert_eq!(fp, accepted.then_some(STACK + 0x20), "{name}");
    }
}

#[test]
fn a_call_to_nowhere_returns_to_its_caller() {
    let process = process(&[(0x1100, BLR_X8)], &[0; 4]);
    let walk = walk_from(&process, &[(PC, 0), (LR, APP + 0x1104)]);
    assert_eq!(second(&walk), Some((APP + 0x1104, Trust::Cfi, Some(STACK))));
    assert_eq!(walk_from(&process, &[(PC, 0), (LR, APP + 0x1108)]).frames.len(), 1);
}
