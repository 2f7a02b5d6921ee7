//! 32-bit ARM: call frame information, the link register, the chains of R11 and R7, words on the stack.
//!
//! Code is as `as` of the GNU binutils assembles it.

use super::*;
use crate::cfi::{CfaRule, Expression, Rule};
use crate::registers::arm::{CPSR, FP, LR, PC, R4, R7, SP};

const APP: u64 = 0x1_0000;
const LIBRARY: u64 = 0x7000_0000;

const THUMB: u64 = 0x30;
const ARM: u64 = 0x10;

/// `bl .+0x100`, `bl .-8` and others, in ARM and in Thumb.
const BL_0X100: &[u8] = &[0x3e, 0, 0, 0xeb];
const BLX_R3: &[u8] = &[0x33, 0xff, 0x2f, 0xe1];
const BX_LR: &[u8] = &[0x1e, 0xff, 0x2f, 0xe1];
const PUSH_R4_LR: &[u8] = &[0x10, 0x40, 0x2d, 0xe9];
const SUB_SP_0X400: &[u8] = &[0x01, 0xdb, 0x4d, 0xe2];
const THUMB_BL_0X100: &[u8] = &[0, 0xf0, 0x7e, 0xf8];
const THUMB_BLX_R3: &[u8] = &[0x98, 0x47];
const THUMB_BX_LR: &[u8] = &[0x70, 0x47];
const THUMB_PUSH_R4_LR: &[u8] = &[0x10, 0xb5];
/// `ldr pc, [ip, #0x10]!`: the end of an entry of a procedure linkage table.
const LDR_PC: &[u8] = &[0x10, 0xf0, 0xbc, 0xe5];

/// An application with code at 0x1000, whose bytes mean `andeq r0, r0, r0` (Thumb: `movs r0, r0`) but for these (address,
/// bytes); a library of which nothing is known.
fn process(parts: &[(usize, &[u8])], stack: &[u64]) -> FakeProcess {
    let mut code = vec![0; 0x400];
    parts
        .iter()
        .for_each(|(address, part)| code[address - 0x1000..address - 0x1000 + part.len()].copy_from_slice(part));
    let mut process = FakeProcess { is_system_v: true, ..FakeProcess::default() };
    let image = FakeImage { sections: vec![(0x1000, code, true)], ..FakeImage::default() };
    process.module(APP, Asked::Yes(image), Asked::No);
    process.module(LIBRARY, Asked::No, Asked::No);
    process.words(STACK, 4, stack);
    process
}

fn walk_from(process: &FakeProcess, registers: &[(Register, u64)]) -> Walk {
    let mut context = context(Cpu::Arm, &[(SP, STACK)]);
    registers.iter().for_each(|&(register, value)| context.set(register, value));
    walk(process, &context, 100)
}

fn second(walk: &Walk) -> Option<(u64, Trust, Option<u64>)> {
    let frame = walk.frames.get(1)?;
    Some((frame.registers.instruction_pointer()?, frame.trust, frame.registers.stack_pointer()))
}

#[test]
fn a_function_that_runs_into_its_return_has_its_caller_in_the_link_register() {
    let parts = [
        (0x1014, BX_LR),
        (0x1026, THUMB_BX_LR),
        (0x1080, BL_0X100),
        (0x1090, BLX_R3),
        (0x10a2, THUMB_BLX_R3),
        (0x10b2, THUMB_BL_0X100),
    ];
    let process = process(&parts, &[0; 4]);
    for (at, state, link, expected) in [
        (0x1010, ARM, 0x1084, Some(0x1084)),
        (0x1010, ARM, 0x1094, Some(0x1094)),
        (0x1010, ARM, 0x10a4 | 1, Some(0x10a4)),
        (0x1022, THUMB, 0x10b6 | 1, Some(0x10b6)),
        // The bit says which instructions came before.
        (0x1010, ARM, 0x10a4, None),
        (0x1022, THUMB, 0x10b6, None),
        (0x1022, THUMB, 0x1094 | 1, None),
        // After no call.
        (0x1010, ARM, 0x1098, None),
        // There is no return in sight.
        (0x1030, ARM, 0x1094, None),
    ] {
        let expected = expected.map(|address| (APP + address, Trust::Cfi, Some(STACK)));
        let walk = walk_from(&process, &[(PC, APP + at), (LR, APP + link), (CPSR, state)]);
        assert_eq!(second(&walk), expected, "{at:#x} {link:#x}");
    }
    // Without CPSR it is not known what the instructions are.
    assert_eq!(second(&walk_from(&process, &[(PC, APP + 0x1010), (LR, APP + 0x1094)])), None);
}

#[test]
fn the_link_register_counts_until_something_is_called() {
    let parts = [
        (0x1080, BL_0X100),
        (0x1180, PUSH_R4_LR),
        (0x1184, SUB_SP_0X400),
        (0x118c, BL_0X100),
        (0x10b2, THUMB_BL_0X100),
        (0x11b2, THUMB_PUSH_R4_LR),
        (0x11b6, THUMB_BL_0X100),
    ];
    let process = process(&parts, &[0; 4]);
    for (at, state, link, expected) in [
        (0x1180, ARM, 0x1084, Some(0)),
        (0x1184, ARM, 0x1084, Some(8)),
        (0x1188, ARM, 0x1084, Some(0x408)),
        (0x1190, ARM, 0x1084, None),
        (0x11b2, THUMB, 0x10b7, Some(0)),
        (0x11b4, THUMB, 0x10b7, Some(8)),
        (0x11ba, THUMB, 0x10b7, None),
    ] {
        let walk = walk_from(&process, &[(PC, APP + at), (LR, APP + link), (CPSR, state)]);
        let expected = expected.map(|popped| (APP + (link & !1), Trust::Cfi, Some(STACK + popped)));
        assert_eq!(second(&walk), expected, "{at:#x}");
    }
}

#[test]
fn what_a_function_pushed_may_have_changed_but_for_its_frame_pointer() {
    let parts = [(0x1080, BL_0X100), (0x1180, PUSH_R4_LR), (0x1184, SUB_SP_0X400)];
    let mut stack = vec![0; 0x108];
    stack[0xfe] = STACK + 0x420;
    let process = process(&parts, &stack);
    let (saved, popped) = (STACK + 0x3f8, STACK + 0x408);
    for (fp, expected) in [
        (saved, Some(STACK + 0x420)),
        (saved + 4, Some(STACK + 0x420)), // GCC's, at the return address
        (popped + 0x10, Some(popped + 0x10)),
        (STACK, None),
        (STACK - 0x10, None),
        (7, None),
    ] {
        let registers = [(PC, APP + 0x1188), (LR, APP + 0x1084), (CPSR, ARM), (FP, fp), (R4, 4)];
        let walk = walk_from(&process, &registers);
        assert_eq!(second(&walk), Some((APP + 0x1084, Trust::Cfi, Some(popped))));
        let known = &walk.frames[1].registers;
        assert_eq!((known.get(FP), known.get(R4)), (expected, None), "{fp:#x}");
    }
    // At its first instruction it has changed nothing.
    let walk = walk_from(&process, &[(PC, APP + 0x1180), (LR, APP + 0x1084), (CPSR, ARM), (R4, 4)]);
    assert_eq!(walk.frames[1].registers.get(R4), Some(4));
}

#[test]
fn a_call_to_no_code_has_its_caller_in_the_link_register() {
    let process = process(&[(0x10a2, THUMB_BLX_R3)], &[0; 4]);
    let walk = walk_from(&process, &[(PC, 0), (LR, APP + 0x10a5), (CPSR, ARM), (R4, 4), (Register(0), 1)]);
    assert_eq!(second(&walk), Some((APP + 0x10a4, Trust::Cfi, Some(STACK))));
    let registers = &walk.frames[1].registers;
    assert_eq!((registers.get(R4), registers.get(Register(0)), registers.get(LR)), (Some(4), None, None));
    assert_eq!(walk.frames[1].lookup_address, APP + 0x10a3);
}

#[test]
fn rows_restore_what_was_pushed_and_lose_the_bit_of_thumb() {
    let row = |cfa, rules: &[(Register, Rule)], return_address| CfiRow {
        cfa,
        rules: rules.to_vec(),
        return_address,
        is_signal_frame: false,
    };
    let pushed = [(R7, Rule::Offset(-8)), (LR, Rule::Offset(-4))];
    // What `dump_syms` makes of such a function, with registers by number.
    let postfix = |text: &str| Expression::Postfix(text.to_owned());
    let by_name =
        [(FP, Rule::ValueExpression(postfix(".cfa -8 + ^"))), (LR, Rule::ValueExpression(postfix(".cfa -4 + ^")))];
    let rows = vec![
        (0x1000..0x1100, row(CfaRule::RegisterOffset(SP, 0), &[], LR)),
        (0x1100..0x1200, row(CfaRule::RegisterOffset(R7, 8), &pushed, LR)),
        (0x1200..0x1300, row(CfaRule::Expression(postfix("r11 8 +")), &by_name, LR)),
        (0x1300..0x1400, row(CfaRule::RegisterOffset(SP, 0), &[(LR, Rule::Undefined)], LR)),
    ];
    let mut process = process(&[], &[0, 0, 7, APP + 0x1211, 0, 0, 11, APP + 0x1310]);
    let Asked::Yes(image) = &mut process.modules[0].image else { unreachable!() };
    image.rows = rows;
    let context = [(PC, APP + 0x1004), (LR, APP + 0x1109), (R7, STACK + 8), (FP, STACK + 24), (Register(0), 1)];
    let walk = walk_from(&process, &context);
    let (frames, end) = summary(&walk);
    let callers = [0x1108, 0x1210, 0x1310].map(|address| (APP + address, Trust::Cfi));
    assert_eq!((&frames[1..], end), (&callers[..], WalkEnd::Done(Stop::EndOfStack)));
    let known = |frame: usize| {
        let registers = walk.frames[frame].registers.named();
        registers.filter_map(|(name, value)| value.map(|value| (name, value))).collect::<Vec<_>>()
    };
    assert_eq!(known(1), [("r7", STACK + 8), ("fp", STACK + 24), ("sp", STACK), ("pc", APP + 0x1108)]);
    assert_eq!(known(2), [("r7", 7), ("fp", STACK + 24), ("sp", STACK + 16), ("pc", APP + 0x1210)]);
    assert_eq!(known(3), [("r7", 7), ("fp", 11), ("sp", STACK + 32), ("pc", APP + 0x1310)]);
}

/// Code with a call of each state: their return addresses are 0x1094 and 0x10a5.
fn calls() -> [(usize, &'static [u8]); 2] {
    [(0x1090, BLX_R3), (0x10a2, THUMB_BLX_R3)]
}

#[test]
fn frame_pointers_are_followed_by_each_convention() {
    for (return_address, expected) in [(0x1094, Some(0x1094)), (0x10a5, Some(0x10a4)), (0x1098, None)] {
        let process = process(&calls(), &[5, 6, STACK + 0x20, APP + return_address, 0, 0, 0, 0, 0, 0]);
        // R11 or R7 at the saved one; GCC's R11 at the return address.
        for (register, offset) in [(FP, 8), (R7, 8), (FP, 12)] {
            let walk = walk_from(&process, &[(PC, APP + 0x1200), (register, STACK + offset)]);
            let expected = expected.map(|address| (APP + address, Trust::FramePointer, Some(STACK + 16)));
            assert_eq!(second(&walk), expected, "{register:?} {offset} {return_address:#x}");
            if expected.is_some() {
                assert_eq!(walk.frames[1].registers.get(register), Some(STACK + 0x20));
            }
        }
    }
}

#[test]
fn of_two_frame_pointers_the_lower_one_counts() {
    let process = process(&calls(), &[0, 0, STACK + 0x20, APP + 0x1094, STACK + 0x20, APP + 0x10a5, 0, 0, 0, 0]);
    for (r7, fp, expected) in [(8, 16, 0x1094), (16, 8, 0x1094), (16, 0x21, 0x10a4)] {
        let walk = walk_from(&process, &[(PC, APP + 0x1200), (R7, STACK + r7), (FP, STACK + fp)]);
        assert_eq!(walk.frames[1].registers.instruction_pointer(), Some(APP + expected), "{r7} {fp}");
    }
}

#[test]
fn a_frame_pointer_into_code_that_cannot_be_read_is_believed_if_the_chain_goes_on() {
    let known = LIBRARY + 0x21;
    for (saved, next, expected) in [
        (0, [0, 0], true),
        (STACK + 0x18, [0, 0], true),
        (STACK + 0x18, [STACK + 0x20, LIBRARY + 0x41], true),
        (STACK + 0x18, [STACK + 0x20, APP + 0x1094], true),
        // No code; not up the stack; no stack.
        (STACK + 0x18, [STACK + 0x20, 0x1234], false),
        (STACK + 0x18, [STACK + 8, LIBRARY + 0x41], false),
        (STACK + 0x800, [0, 0], false),
        (STACK, [0, 0], false),
    ] {
        let process = process(&calls(), &[0, 0, saved, known, 0, 0, next[0], next[1], 0, 0]);
        let walk = walk_from(&process, &[(PC, LIBRARY + 0x800), (FP, STACK + 8)]);
        let found = second(&walk) == Some((LIBRARY + 0x20, Trust::FramePointer, Some(STACK + 16)));
        assert_eq!(found, expected, "{saved:#x} {next:x?}");
    }
}

#[test]
fn a_record_without_any_address_ends_the_stack() {
    let process = process(&calls(), &[5, 6, STACK + 0x10, APP + 0x10a5, 0, 0]);
    let (frames, end) = summary(&walk_from(&process, &[(PC, APP + 0x1200), (R7, STACK + 8)]));
    assert_eq!((frames.len(), end), (2, WalkEnd::Done(Stop::EndOfStack)));
}

#[test]
fn words_after_a_call_are_found_by_their_state() {
    for (word, expected) in [
        (APP + 0x1094, Some(0x1094)),
        (APP + 0x10a5, Some(0x10a4)),
        // The other state; data; a pointer to a function.
        (APP + 0x1095, None),
        (APP + 0x10a4, None),
        (APP + 0x1201, None),
        (LIBRARY + 0x21, None),
    ] {
        let process = process(&calls(), &[1, word, 2, 3]);
        let walk = walk_from(&process, &[(PC, APP + 0x1300), (CPSR, ARM)]);
        let expected = expected.map(|address| (APP + address, Trust::Scan, Some(STACK + 8)));
        assert_eq!(second(&walk), expected, "{word:#x}");
    }
}

#[test]
fn a_direct_call_that_was_found_has_to_lead_here() {
    // `bl` at 0x1080 calls 0x1180: ahead of where we are, in a library by way of a linkage table, or not at all.
    let plain = [(0x1080, BL_0X100)];
    let linkage = [(0x1080, BL_0X100), (0x1188, LDR_PC)];
    let function = [(0x1080, BL_0X100), (0x1180, PUSH_R4_LR)];
    for (parts, at, expected) in [
        (&plain[..], APP + 0x11c0, true),
        (&linkage, LIBRARY + 0x100, true),
        (&function, LIBRARY + 0x100, false),
        (&function, APP + 0x1100, false),
    ] {
        let process = process(parts, &[1, APP + 0x1084, 2, 3]);
        let found = second(&walk_from(&process, &[(PC, at)]));
        assert_eq!(found.is_some(), expected, "{at:#x}");
    }
}
