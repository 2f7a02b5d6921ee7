//! PE unwind information: every code, every place in a function.

use super::*;
use crate::registers::x64::*;

const BASE: u64 = 0x1_4000_0000;
/// The function under test, and its caller, which calls it at 0x2000.
const FUNCTION: u32 = 0x1000;
const CALLER: u32 = 0x2000;
const RETURN: u64 = BASE + 0x2005;
const XDATA: u32 = 0x4000;

/// `RUNTIME_FUNCTION`.
fn entry(start: u32, end: u32, unwind: u32) -> Vec<u8> {
    [start, end, unwind].iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// `UNWIND_INFO` of `version`: slots are (offset in prologue, operation | info << 4) or the two bytes of an operand.
fn unwind_info(version: u8, prologue: u8, frame: u8, slots: &[[u8; 2]]) -> Vec<u8> {
    let mut bytes = vec![version, prologue, slots.len() as u8, frame];
    bytes.extend(slots.iter().flatten());
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

/// The function under test with code and unwind information, a caller that is outermost, and a stack.
fn process(function: Vec<u8>, unwind: &[u8], stack: &[u64]) -> FakeProcess {
    let caller = code(0x100, &[(0, &call(CALLER, FUNCTION))]);
    let mut xdata = unwind_info(1, 0, 0, &[]);
    xdata.extend(unwind);
    let directory =
        [entry(FUNCTION, FUNCTION + function.len() as u32, XDATA + 4), entry(CALLER, CALLER + 0x100, XDATA)];
    let image = FakeImage {
        sections: vec![(FUNCTION, function, true), (CALLER, caller, true), (XDATA, xdata, false)],
        exception_directory: directory.concat(),
        ..FakeImage::default()
    };
    let mut process = FakeProcess::default();
    process.module(BASE, Asked::Yes(image), Asked::No);
    process.words(STACK, 8, &[stack, &[RETURN, 0, 0]].concat());
    process
}

fn walk_from(process: &FakeProcess, offset: u32, registers: &[(Register, u64)]) -> Walk {
    let mut context = context(Cpu::X64, &[(RSP, STACK), (RIP, BASE + u64::from(FUNCTION + offset))]);
    registers.iter().for_each(|&(register, value)| context.set(register, value));
    walk(process, &context, 100)
}

/// Asserts that frame 1 is the caller, with this stack pointer, and returns its registers.
#[track_caller]
fn caller_of(walk: &Walk, sp: u64) -> &RegisterSet {
    assert_eq!(walk.end, WalkEnd::Done(Stop::EndOfStack));
    assert_eq!(walk.frames.len(), 2);
    let frame = &walk.frames[1];
    assert_eq!((frame.trust, frame.lookup_address, frame.module), (Trust::Cfi, RETURN - 1, Some(0)));
    assert_eq!(frame.registers.instruction_pointer(), Some(RETURN));
    assert_eq!(frame.registers.stack_pointer(), Some(sp), "stack pointer");
    &frame.registers
}

#[test]
fn every_code_is_undone() {
    let zeros = |count: usize| vec![0; count];
    let saved = |at: usize, of: usize, value: u64| (0..of).map(|index| if index == at { value } else { 0 }).collect();
    // Name, version, slots, words below the return address, register and value expected.
    type Case = (&'static str, u8, Vec<[u8; 2]>, Vec<u64>, Option<(Register, u64)>);
    let cases: Vec<Case> = vec![
        ("UWOP_PUSH_NONVOL rbx", 1, vec![[1, 0x30]], vec![0xb0b], Some((RBX, 0xb0b))),
        ("UWOP_PUSH_NONVOL r15", 1, vec![[2, 0xf0]], vec![0x15], Some((R15, 0x15))),
        ("UWOP_ALLOC_SMALL 8", 1, vec![[4, 0x02]], zeros(1), None),
        ("UWOP_ALLOC_SMALL 128", 1, vec![[4, 0xf2]], zeros(16), None),
        ("UWOP_ALLOC_LARGE 0x100", 1, vec![[7, 0x01], [0x20, 0]], zeros(32), None),
        ("UWOP_ALLOC_LARGE 0x48, unscaled", 1, vec![[7, 0x11], [0x48, 0], [0, 0]], zeros(9), None),
        ("UWOP_SAVE_NONVOL rsi at 0x10", 1, vec![[8, 0x64], [2, 0], [4, 0x42]], saved(2, 5, 0x51), Some((RSI, 0x51))),
        (
            "UWOP_SAVE_NONVOL_FAR rdi at 0x18",
            1,
            vec![[8, 0x75], [0x18, 0], [0, 0], [4, 0x42]],
            saved(3, 5, 0xd1),
            Some((RDI, 0xd1)),
        ),
        ("UWOP_EPILOG", 2, vec![[5, 0x16], [0, 0x06], [1, 0x50]], vec![0xbb], Some((RBP, 0xbb))),
        (
            "UWOP_EPILOG, two more",
            2,
            vec![[5, 0x06], [0x20, 0x06], [0x40, 0x16], [0, 0x06], [1, 0x50]],
            vec![0xbb],
            Some((RBP, 0xbb)),
        ),
        ("UWOP_SPARE_CODE", 2, vec![[5, 0x07], [0xff, 0xff], [0xff, 0xff], [1, 0x50]], vec![0xbb], Some((RBP, 0xbb))),
        ("UWOP_SAVE_XMM of version 1", 1, vec![[5, 0x66], [0xff, 0xff], [1, 0x50]], vec![0xbb], Some((RBP, 0xbb))),
        ("all at once", 1, vec![[9, 0x32], [3, 0x70], [2, 0x60], [1, 0x30]], vec![0, 0, 0, 0, 7, 6, 3], Some((RBX, 3))),
    ];
    for (name, version, slots, words, expected) in cases {
        eprintln!("{name}");
        let process = process(code(0x100, &[]), &unwind_info(version, 9, 0, &slots), &words);
        let walk = walk_from(&process, 0x40, &[(RBX, 1), (RSI, 2), (Register(0), 3)]);
        let registers = caller_of(&walk, STACK + 8 * words.len() as u64 + 8);
        if let Some((register, value)) = expected {
            assert_eq!(registers.get(register), Some(value), "{name}");
        }
        if !slots.contains(&[1, 0x30]) {
            assert_eq!(registers.get(RBX), Some(1), "{name}: preserved by what does not save it");
        }
        assert_eq!(registers.get(Register(0)), None, "{name}: rax is volatile");
    }
}

#[test]
fn saved_vectors_are_restored() {
    let low_and_high = [0x1111_2222_3333_4444, 0x5555_6666_7777_8888];
    let value = u128::from(low_and_high[1]) << 64 | u128::from(low_and_high[0]);
    let words = [0, 0, 0, 0, low_and_high[0], low_and_high[1], 0];
    for slots in [vec![[9, 0x68], [2, 0], [4, 0x62]], vec![[9, 0x69], [0x20, 0], [0, 0], [4, 0x62]]] {
        let process = process(code(0x100, &[]), &unwind_info(1, 9, 0, &slots), &words);
        let mut context = context(Cpu::X64, &[(RSP, STACK), (RIP, BASE + 0x1040)]);
        (0..16).for_each(|index| context.set_vector(index, index as u128));
        let walk = walk(&process, &context, 100);
        let registers = caller_of(&walk, STACK + 8 * 8);
        assert_eq!(registers.vector(6), Some(value));
        assert_eq!(registers.vector(7), Some(7), "preserved");
        assert_eq!(registers.vector(5), None, "volatile");
    }
}

#[test]
fn the_frame_register_counts_once_it_is_set() {
    // push rbp (1); sub rsp, 0x30 (5); lea rbp, [rsp + 0x20] (10); then 0x10 bytes are allocated as it goes.
    let info = unwind_info(1, 10, 0x25, &[[10, 0x03], [5, 0x52], [1, 0x50]]);
    let process = process(code(0x100, &[]), &info, &[0, 0, 0, 0, 0, 0, 0, 0, 0xbb]);
    let walk = walk_from(&process, 0x40, &[(RBP, STACK + 0x30)]);
    assert_eq!(caller_of(&walk, STACK + 0x50).get(RBP), Some(0xbb));
    // Before it is set, the stack pointer counts.
    for rbp in [0, STACK + 0x30] {
        let walk = walk_from(&process, 5, &[(RBP, rbp), (RSP, STACK + 0x10)]);
        assert_eq!(caller_of(&walk, STACK + 0x50).get(RBP), Some(0xbb));
    }
}

#[test]
fn registers_are_saved_relative_to_what_the_frame_register_will_be() {
    // push rbp (1); sub rsp, 0x30 (5); mov [rsp + 8], rbx (10); lea rbp, [rsp + 0x20] (15).
    let info = unwind_info(1, 15, 0x25, &[[15, 0x03], [10, 0x34], [1, 0], [5, 0x52], [1, 0x50]]);
    let process = process(code(0x100, &[]), &info, &[7, 0xb0b, 0, 0, 0, 0, 0xbb]);
    for (offset, sp, rbp) in [(10, 0, STACK + 0x40), (15, 0, STACK + 0x20), (0x40, 0, STACK + 0x20)] {
        let walk = walk_from(&process, offset, &[(RSP, STACK + sp), (RBP, rbp), (RBX, 1)]);
        assert_eq!(caller_of(&walk, STACK + 0x40).get(RBX), Some(0xb0b), "at {offset}");
    }
}

#[test]
fn a_part_of_a_function_uses_the_frame_register_that_the_rest_has_set() {
    // The part has no code that sets the frame register, but names it, and saves rsi relative to it.
    let mut chained = unwind_info(1 | 4 << 3, 5, 0x05, &[[5, 0x64], [2, 0]]);
    let parent = XDATA + 4 + chained.len() as u32 + 12;
    chained.extend(entry(FUNCTION + 0x800, FUNCTION + 0x900, parent));
    chained.extend(unwind_info(1, 8, 0x05, &[[8, 0x03], [5, 0x22], [1, 0x50]]));
    let process = process(code(0x100, &[]), &chained, &[9, 9, 9, 9, 0, 0, 0x51, 0xbb]);
    for offset in [5, 0x40] {
        let walk = walk_from(&process, offset, &[(RBP, STACK + 0x20)]);
        let registers = caller_of(&walk, STACK + 0x48);
        assert_eq!((registers.get(RSI), registers.get(RBP)), (Some(0x51), Some(0xbb)));
    }
}

#[test]
fn an_unknown_frame_register_is_replaced_by_the_stack_pointer_if_a_call_proves_it() {
    let info = unwind_info(1, 10, 0x25, &[[10, 0x03], [5, 0x52], [1, 0x50]]);
    let process = process(code(0x100, &[]), &info, &[0, 0, 0, 0, 0, 0, 0xbb]);
    for wild in [None, Some(7), Some(u64::MAX)] {
        let registers: Vec<_> = wild.map(|value| (RBP, value)).into_iter().collect();
        let walk = walk_from(&process, 0x40, &registers);
        assert_eq!(caller_of(&walk, STACK + 0x40).get(RBP), Some(0xbb));
    }
}

#[test]
fn in_a_prologue_only_what_has_run_is_undone() {
    // push rbx (ends at 1); push rsi (2); sub rsp, 0x20 (6).
    let info = unwind_info(1, 6, 0, &[[6, 0x32], [2, 0x60], [1, 0x30]]);
    let process = process(code(0x100, &[]), &info, &[0, 0, 0, 0, 0x51, 0xb0b]);
    for (offset, sp, rsi, rbx) in
        [(0, 0x30, 2, 1), (1, 0x28, 2, 0xb0b), (2, 0x20, 0x51, 0xb0b), (5, 0x20, 0x51, 0xb0b), (6, 0, 0x51, 0xb0b)]
    {
        let walk = walk_from(&process, offset, &[(RSP, STACK + sp), (RBX, 1), (RSI, 2)]);
        let registers = caller_of(&walk, STACK + 0x38);
        assert_eq!((registers.get(RSI), registers.get(RBX)), (Some(rsi), Some(rbx)), "at {offset}");
    }
}

#[test]
fn an_epilogue_is_executed_instead() {
    let info = unwind_info(1, 6, 0, &[[6, 0x32], [2, 0x60], [1, 0x30]]);
    let ret = [0x48, 0x83, 0xc4, 0x20, 0x5e, 0x5b, 0xc3]; // add rsp, 0x20; pop rsi; pop rbx; ret
    let rep_ret = [0x48, 0x83, 0xc4, 0x20, 0x5e, 0x5b, 0xf3, 0xc3];
    let mut jump_out = [0x48, 0x83, 0xc4, 0x20, 0x5e, 0x5b, 0xe9, 0, 0, 0, 0]; // … jmp CALLER
    jump_out[7..].copy_from_slice(&(CALLER - (FUNCTION + 0x50 + 11)).to_le_bytes());
    let import = [0x48, 0x83, 0xc4, 0x20, 0x5e, 0x5b, 0x48, 0xff, 0x25, 0, 0, 0, 0]; // … rex.w jmp [rip]
    for epilogue in [&ret[..], &rep_ret, &jump_out, &import] {
        let process = process(code(0x100, &[(0x50, epilogue)]), &info, &[0, 0, 0, 0, 0x51, 0xb0b]);
        for (offset, sp, rsi, rbx) in [(0x50, 0, 0x51, 0xb0b), (0x54, 0x20, 0x51, 0xb0b), (0x55, 0x28, 2, 0xb0b)] {
            let walk = walk_from(&process, offset, &[(RSP, STACK + sp), (RBX, 1), (RSI, 2)]);
            let registers = caller_of(&walk, STACK + 0x38);
            assert_eq!((registers.get(RSI), registers.get(RBX)), (Some(rsi), Some(rbx)), "at {offset:#x}");
        }
        if epilogue != import {
            let walk = walk_from(&process, 0x56, &[(RSP, STACK + 0x30), (RBX, 1), (RSI, 2)]);
            caller_of(&walk, STACK + 0x38);
        }
    }
    // lea rsp, [rbp + 8]; pop rbp; ret
    let info = unwind_info(1, 8, 0x05, &[[8, 0x03], [5, 0x12], [1, 0x50]]);
    let process = process(code(0x100, &[(0x50, &[0x48, 0x8d, 0x65, 0x08, 0x5d, 0xc3])]), &info, &[0, 0, 0xbb]);
    let walk = walk_from(&process, 0x50, &[(RSP, STACK - 0x40), (RBP, STACK + 8)]);
    assert_eq!(caller_of(&walk, STACK + 0x20).get(RBP), Some(0xbb));
}

#[test]
fn what_only_looks_like_an_epilogue_is_none() {
    // A jump inside the function; a pop followed by something else; a jump through a table.
    let info = unwind_info(1, 4, 0, &[[4, 0x12]]);
    for lookalike in [&[0xeb, 0x10][..], &[0x5b, 0x90, 0xc3], &[0xff, 0xe0]] {
        let process = process(code(0x100, &[(0x50, lookalike)]), &info, &[0, 0]);
        caller_of(&walk_from(&process, 0x50, &[]), STACK + 0x18);
    }
}

#[test]
fn a_machine_frame_gives_an_interrupted_frame() {
    for (info, words) in [(0x0a, vec![]), (0x1a, vec![0xeeee])] {
        let interrupted = BASE + u64::from(CALLER) + 0x30;
        let frame = [words, vec![interrupted, 0x33, 0x246, STACK + 0x80, 0x2b]].concat();
        let mut process = process(code(0x100, &[]), &unwind_info(1, 0, 0, &[[0, info]]), &frame);
        process.words(STACK + 0x80, 8, &[0]);
        let walk = walk_from(&process, 0x40, &[(RBX, 5)]);
        assert_eq!(summary(&walk).1, WalkEnd::Done(Stop::EndOfStack));
        let frame = &walk.frames[1];
        assert_eq!((frame.trust, frame.lookup_address), (Trust::Cfi, interrupted), "no call, no adjustment");
        assert_eq!(frame.registers.stack_pointer(), Some(STACK + 0x80));
        assert_eq!(frame.registers.get(RBX), Some(5));
    }
}

#[test]
fn chained_and_redirected_information_counts() {
    // The part itself saved rsi at 0x10; what it is chained to pushed rbx and allocated 0x20.
    let mut chained = unwind_info(1 | 4 << 3, 5, 0, &[[5, 0x64], [2, 0]]);
    let parent = XDATA + 4 + chained.len() as u32 + 12;
    chained.extend(entry(FUNCTION + 0x800, FUNCTION + 0x900, parent));
    chained.extend(unwind_info(1, 5, 0, &[[5, 0x32], [1, 0x30]]));
    let process = process(code(0x100, &[]), &chained, &[0, 0, 0x51, 0, 0xb0b]);
    for offset in [0x40, 5] {
        let walk = walk_from(&process, offset, &[(RBX, 1), (RSI, 2)]);
        let registers = caller_of(&walk, STACK + 0x30);
        assert_eq!((registers.get(RSI), registers.get(RBX)), (Some(0x51), Some(0xb0b)));
    }
}

#[test]
fn an_odd_unwind_address_leads_to_another_entry() {
    let mut process = process(code(0x100, &[]), &unwind_info(1, 1, 0, &[[1, 0x30]]), &[0xb0b]);
    if let Asked::Yes(image) = &mut process.modules[0].image {
        let redirected = [entry(FUNCTION, FUNCTION + 0x100, (XDATA + 0x100) | 1), entry(CALLER, CALLER + 0x100, XDATA)];
        image.exception_directory = redirected.concat();
        image.sections.push((XDATA + 0x100, entry(0, 0, XDATA + 4), false));
    }
    let walk = walk_from(&process, 0x40, &[]);
    assert_eq!(caller_of(&walk, STACK + 0x10).get(RBX), Some(0xb0b));
}

#[test]
fn a_leaf_has_its_return_address_on_top_and_only_the_innermost_frame_is_one() {
    let mut process = process(code(0x100, &[]), &[], &[]);
    if let Asked::Yes(image) = &mut process.modules[0].image {
        image.exception_directory = entry(CALLER, CALLER + 0x100, XDATA);
    }
    caller_of(&walk_from(&process, 0x40, &[(RSP, STACK)]), STACK + 8);
    // The caller of a leaf that is itself without an entry: no frame of it is known.
    if let Asked::Yes(image) = &mut process.modules[0].image {
        image.exception_directory = entry(0x3000, 0x3100, XDATA);
    }
    let walk = walk_from(&process, 0x40, &[(RSP, STACK)]);
    assert_eq!(summary(&walk).0.len(), 2);
    assert_eq!(walk.end, WalkEnd::Done(Stop::NoCaller));
}

#[test]
fn a_call_at_the_end_of_a_function_belongs_to_it() {
    // The caller ends with the call; at its return address begins a function that pushes eight registers.
    let mut process = process(code(0x100, &[]), &unwind_info(1, 0, 0, &[]), &[]);
    if let Asked::Yes(image) = &mut process.modules[0].image {
        image.exception_directory = [
            entry(FUNCTION, FUNCTION + 0x100, XDATA),
            entry(CALLER, CALLER + 5, XDATA),
            entry(CALLER + 5, CALLER + 0x100, 0xffff_0000),
        ]
        .concat();
    }
    caller_of(&walk_from(&process, 0x40, &[]), STACK + 8);
}

#[test]
fn the_walk_asks_for_images_and_goes_on() {
    let mut process = process(code(0x100, &[]), &unwind_info(1, 1, 0, &[[1, 0x30]]), &[0xb0b]);
    let image = std::mem::replace(&mut process.modules[0].image, Asked::NotYet);
    let context = context(Cpu::X64, &[(RSP, STACK), (RIP, BASE + 0x1040)]);
    let mut walker = Walker::new(&context, 100);
    assert_eq!(walker.run(&process), WalkEnd::Needs(Wanted::Image(0)));
    assert_eq!(walker.frames().len(), 1);
    process.modules[0].image = image;
    assert_eq!(walker.run(&process), WalkEnd::Done(Stop::EndOfStack));
    assert_eq!(walker.frames().len(), 2);
    assert_eq!(walker.run(&process), WalkEnd::Done(Stop::EndOfStack), "the end stays");
}

#[test]
fn ends_are_told_apart() {
    let info = unwind_info(1, 4, 0, &[[4, 0x12]]);
    for (name, word, end) in [
        ("zero", 0, Stop::EndOfStack),
        ("no module", 0xdead_beef, Stop::NoCaller),
        ("data of a module", BASE + u64::from(XDATA), Stop::NoCaller),
    ] {
        let mut process = process(code(0x100, &[]), &info, &[]);
        process.words(STACK, 8, &[0, 0, word, RETURN, RETURN]);
        let walk = walk_from(&process, 0x40, &[]);
        assert_eq!((walk.frames.len(), walk.end), (1, WalkEnd::Done(end)), "{name}");
    }
    let mut process = process(code(0x100, &[]), &info, &[]);
    process.memory.insert(STACK, vec![0; 0x13]);
    let walk = walk_from(&process, 0x40, &[]);
    assert_eq!(walk.end, WalkEnd::Done(Stop::NoMemory(STACK + 0x13)));
    assert_eq!(super::walk(&process, &RegisterSet::new(Cpu::X64), 9).end, WalkEnd::Done(Stop::NoCaller));
    process.words(STACK, 8, &[RETURN; 40]);
    let context = context(Cpu::X64, &[(RSP, STACK), (RIP, BASE + 0x1040)]);
    for limit in [0, 1, 5] {
        let walk = super::walk(&process, &context, limit);
        assert_eq!((walk.frames.len(), walk.end), (limit, WalkEnd::Done(Stop::Limit)));
    }
}

#[test]
fn versions_and_codes_that_are_not_known_are_refused() {
    for info in
        [unwind_info(3, 0, 0, &[]), unwind_info(0, 0, 0, &[]), unwind_info(1, 9, 0, &[[4, 0x0b]]), vec![1, 0, 200, 0]]
    {
        let process = process(code(0x100, &[]), &info, &[1, 2, 3]);
        let walk = walk_from(&process, 0x40, &[]);
        // What is left is to scan: the word is a return address after a call of this very function.
        assert_eq!(summary(&walk).0[1], (RETURN, Trust::Scan));
    }
}
