//! What is done where no information is: instructions, scans, wild calls.

use super::*;
use crate::registers::{x64, x86};

const APP: u64 = 0x1_4000_0000;
const SYSTEM: u64 = 0x7fff_0000_0000;

/// An application whose code is known (without unwind information), and a system library that is not to be had.
fn process(app: Vec<u8>, stack: &[u64]) -> FakeProcess {
    let mut process = FakeProcess::default();
    let image = FakeImage { sections: vec![(0x1000, app, true), (0x8000, vec![0; 16], false)], ..FakeImage::default() };
    process.module(APP, Asked::Yes(image), Asked::No);
    process.module(SYSTEM, Asked::No, Asked::No);
    process.words(STACK, 8, stack);
    process
}

fn walk_system(process: &FakeProcess) -> (Vec<(u64, Trust)>, WalkEnd) {
    let context = context(Cpu::X64, &[(x64::RSP, STACK), (x64::RIP, SYSTEM + 0x1000), (x64::RBX, 3)]);
    summary(&walk(process, &context, 100))
}

#[test]
fn a_system_call_stub_runs_straight_into_its_return() {
    let mut process = process(code(0x100, &[]), &[SYSTEM + 0x2000, APP + 0x1010, 0]);
    // syscall; ret, stopped after the former.
    process.memory.insert(SYSTEM + 0xffe, vec![0x0f, 0x05, 0xc3]);
    let (frames, _) = walk_system(&process);
    assert_eq!(frames[1], (SYSTEM + 0x2000, Trust::Cfi));
}

#[test]
fn instructions_that_cannot_be_followed_prove_nothing() {
    for (name, bytes) in [
        ("conditional jump", &[0x74, 0x01, 0xc3][..]),
        ("call", &[0xe8, 0, 0, 0, 0, 0xc3]),
        ("push", &[0x50, 0xc3]),
        ("stack pointer from memory", &[0x48, 0x8b, 0x23, 0xc3]),
        ("stack pointer from an unknown register", &[0x48, 0x89, 0xcc, 0xc3]),
        ("breakpoint further on", &[0x90, 0xcc, 0xc3]),
        ("jump to itself", &[0xeb, 0xfe]),
        ("nothing readable", &[]),
    ] {
        let mut process = process(code(0x100, &[]), &[SYSTEM + 0x2000, 0, 0]);
        process.memory.insert(SYSTEM + 0x1000, bytes.to_vec());
        let (frames, end) = walk_system(&process);
        assert_eq!((frames.len(), end), (1, WalkEnd::Done(Stop::NoCaller)), "{name}");
    }
}

#[test]
fn what_runs_into_a_return_is_followed() {
    for (name, bytes, words) in [
        ("add rsp", &[0x48, 0x83, 0xc4, 0x10, 0xc3][..], 2),
        ("pop", &[0x5b, 0x5f, 0xc3], 2),
        ("other work", &[0x31, 0xc0, 0x48, 0x8b, 0x01, 0x90, 0xc3], 0),
        ("jump to it", &[0xeb, 0x02, 0xcc, 0xcc, 0x5b, 0xc3], 1),
        ("breakpoint that was hit", &[0xcc, 0xc3], 0),
    ] {
        let mut stack = vec![7; words];
        stack.extend([SYSTEM + 0x2000, 0, 0]);
        let mut process = process(code(0x100, &[]), &stack);
        process.memory.insert(SYSTEM + 0x1000, bytes.to_vec());
        assert_eq!(walk_system(&process).0.get(1), Some(&(SYSTEM + 0x2000, Trust::Cfi)), "{name}");
    }
}

#[test]
fn an_x86_stub_pops_its_arguments() {
    let mut process = FakeProcess::default();
    process.module(0x7700_0000, Asked::No, Asked::No);
    process.memory.insert(0x7700_1000, vec![0xc2, 0x08, 0x00]); // ret 8
    process.words(STACK, 4, &[0x7700_2000, 1, 2, 0, 0]);
    let context = context(Cpu::X86, &[(x86::ESP, STACK), (x86::EIP, 0x7700_1000), (x86::EBP, 5)]);
    let walk = walk(&process, &context, 100);
    let registers = &walk.frames[1].registers;
    assert_eq!((registers.instruction_pointer(), registers.stack_pointer()), (Some(0x7700_2000), Some(STACK + 12)));
    assert_eq!(registers.frame_pointer(), Some(5));
}

#[test]
fn a_scan_takes_only_what_a_call_can_have_left() {
    // At 0x1000 a call through a pointer, at 0x1010 a call of 0x1050 (a function), at 0x1020 one of 0x1060 (a thunk).
    let indirect = [0xff, 0x15, 0, 0, 0, 0];
    let app = code(
        0x100,
        &[
            (0, &indirect),
            (0x10, &call(0x1010, 0x1050)),
            (0x20, &call(0x1020, 0x1060)),
            (0x30, &call(0x1030, 0x7000_0000)),
            (0x60, &[0xff, 0x25, 0, 0, 0, 0]),
        ],
    );
    for (name, word, accepted) in [
        ("after an indirect call", APP + 0x1006, true),
        ("after a call of a thunk", APP + 0x1025, true),
        ("after a call that stays in its module", APP + 0x1015, false),
        ("after a call of what is no code", APP + 0x1035, false),
        ("in the middle of code", APP + 0x1008, false),
        ("data", APP + 0x8008, false),
        ("the header", APP + 0x10, false),
        ("a module that cannot be checked", SYSTEM + 0x3000, false),
        ("no module", 0x1234_5678, false),
    ] {
        let process = process(app.clone(), &[0, 1, 2, word, 0, 0]);
        let (frames, _) = walk_system(&process);
        let expected = accepted.then_some((word, Trust::Scan));
        assert_eq!(frames.get(1).copied(), expected, "{name}");
    }
}

#[test]
fn a_scan_does_not_take_the_captured_address_for_a_caller() {
    // The context was made by the program itself: its instruction pointer is a return address that [rsp] still holds.
    let here = SYSTEM + 0x1006;
    let app = code(0x100, &[(0, &[0xff, 0x15, 0, 0, 0, 0])]);
    let mut process = process(app, &[here, 0, APP + 0x1006, 0, 0]);
    process.memory.insert(SYSTEM + 0x1000, vec![0xff, 0x15, 0, 0, 0, 0, 0xcc]);
    let context = context(Cpu::X64, &[(x64::RSP, STACK), (x64::RIP, here)]);
    let (frames, _) = summary(&walk(&process, &context, 100));
    assert_eq!(frames[1], (APP + 0x1006, Trust::Scan));
}

#[test]
fn a_scan_passes_over_a_frame_that_is_over() {
    // `main` (0x1000) calls `log` (0x1040) at 0x1010 and imports at 0x1020; `log` imports at 0x1050. Each has a frame
    // of 0x28 bytes. The stack pointer stands in the frame of a system function that `main` called; below its return
    // address, `log`'s own is left.
    let import = |at: u32| {
        let distance = 0x8000_u32.wrapping_sub(at + 6).to_le_bytes();
        [0xff, 0x15, distance[0], distance[1], distance[2], distance[3]]
    };
    let calls = [(0x10, call(0x1010, 0x1040)), (0x30, call(0x1030, 0x1080))];
    let app =
        code(0x100, &[(0x10, &calls[0].1), (0x20, &import(0x1020)), (0x30, &calls[1].1), (0x50, &import(0x1050))]);
    let (in_log, in_main) = (APP + 0x1056, APP + 0x1026);
    let mut process = process(app, &[0, in_log, 0, 0, 0, 0, 0, in_main, 0, 0, 0, 0, 0, 0]);
    if let Asked::Yes(image) = &mut process.modules[0].image {
        let table = [0x1000_u32, 0x1040, 0x9000, 0x1040, 0x1080, 0x9000, 0x1080, 0x10c0, 0x9000];
        image.exception_directory = table.iter().flat_map(|value| value.to_le_bytes()).collect();
        image.sections.push((0x9000, vec![1, 4, 1, 0, 4, 0x42, 0, 0], false));
    }
    let (frames, end) = walk_system(&process);
    assert_eq!(frames[1..], [(in_main, Trust::Scan)]);
    assert_eq!(end, WalkEnd::Done(Stop::EndOfStack));
    // Nor is it a frame if `main` called another function then, or nothing at all.
    for other in [APP + 0x1035, APP + 0x1039] {
        process.words(STACK + 0x38, 8, &[other, 0, 0, 0, 0, 0, 0]);
        assert!(walk_system(&process).0.iter().all(|frame| frame.0 != in_log));
    }
    // Were it `log` that `main` called, `log` would be a frame.
    process.words(STACK + 0x38, 8, &[APP + 0x1015, 0, 0, 0, 0, 0, 0]);
    let (frames, _) = walk_system(&process);
    assert_eq!(frames[1..], [(in_log, Trust::Scan), (APP + 0x1015, Trust::Cfi)]);
}

#[test]
fn debug_information_vouches_where_code_cannot_be_read() {
    let mut process = process(code(0x100, &[]), &[0, SYSTEM + 0x3000, SYSTEM + 0x4010, 0]);
    process.modules[1].debug = Asked::Yes(FakeDebugInfo { functions: vec![(0x4000, 0x4100)], ..Default::default() });
    let (frames, _) = walk_system(&process);
    assert_eq!(frames[1], (SYSTEM + 0x4010, Trust::Scan));
}

#[test]
fn a_call_to_nowhere_returns_to_its_caller() {
    let app = code(0x100, &[(0, &[0xff, 0xd0]), (0x10, &call(0x1010, 0x1050))]); // call rax
    for ip in [0, 0x1234, APP + 0x8000] {
        let process = process(app.clone(), &[APP + 0x1002, 0, 0]);
        let context = context(Cpu::X64, &[(x64::RSP, STACK), (x64::RIP, ip), (x64::RBX, 3)]);
        let walk = walk(&process, &context, 100);
        assert_eq!(summary(&walk).0[1], (APP + 0x1002, Trust::Cfi), "{ip:#x}");
        assert_eq!(walk.frames[1].registers.get(x64::RBX), Some(3));
        assert_eq!(walk.frames[0].module, process.module_at(ip).map(|module| module.index));
    }
}

#[test]
fn code_outside_of_modules_counts_if_it_is_executable() {
    let mut process = process(code(0x100, &[(0, &[0xff, 0xd0])]), &[APP + 0x1002, 0]);
    process.memory.insert(0x5000, vec![0xc3]);
    process.executable = vec![0x5000..0x6000, APP..APP + 0x1_0000];
    let context = context(Cpu::X64, &[(x64::RSP, STACK), (x64::RIP, 0x5000)]);
    assert_eq!(summary(&walk(&process, &context, 100)).0[1], (APP + 0x1002, Trust::Cfi));
}

#[test]
fn an_x64_frame_pointer_needs_a_call_and_gives_way_to_a_nearer_one() {
    let app = code(0x100, &[(0, &[0xff, 0xd0]), (0x10, &[0xff, 0xd0])]);
    let frame_pointer = |stack: &[u64]| {
        let process = process(app.clone(), stack);
        let context = context(Cpu::X64, &[(x64::RSP, STACK), (x64::RIP, SYSTEM + 0x1000), (x64::RBP, STACK + 0x10)]);
        summary(&walk(&process, &context, 2)).0.get(1).copied()
    };
    let above = STACK + 0x80;
    assert_eq!(frame_pointer(&[0, 0, above, APP + 0x1002]), Some((APP + 0x1002, Trust::FramePointer)));
    assert_eq!(frame_pointer(&[0, APP + 0x1012, above, APP + 0x1002]), Some((APP + 0x1012, Trust::Scan)));
    assert_eq!(frame_pointer(&[0, 0, above, SYSTEM + 0x3000]), None);
}

#[test]
fn arm64_shows_its_interrupted_frame() {
    use crate::registers::arm64;
    let context = context(Cpu::Arm64, &[(arm64::PC, APP + 0x1000), (arm64::SP, STACK)]);
    let walk = walk(&process(code(0x100, &[]), &[0]), &context, 100);
    assert_eq!((walk.frames.len(), walk.end), (1, WalkEnd::Done(Stop::NoCaller)));
}
