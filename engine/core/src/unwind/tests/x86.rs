//! Frame-data programs, FPO records, frame pointers.

use super::*;
use crate::debuginfo::{FpoKind, FrameRule};
use crate::registers::x86::*;

const BASE: u64 = 0x40_0000;
const FUNCTION: u32 = 0x1000;
/// Calls `FUNCTION` at its start.
const CALLER: u32 = 0x2000;
const RETURN: u64 = BASE + 0x2005;

fn record(start: u32, sizes: (u32, u32, u16), rule: FrameRule) -> FrameData {
    let (locals_bytes, params_bytes, saved_registers_bytes) = sizes;
    let (start, size_bytes) = (Rva(start), 0x100);
    FrameData { start, size_bytes, locals_bytes, params_bytes, saved_registers_bytes, prologue_bytes: 0, rule }
}

fn program(start: u32, sizes: (u32, u32, u16), text: &str) -> FrameData {
    record(start, sizes, FrameRule::Program(text.to_owned()))
}

fn process(function: Vec<u8>, frame_data: Vec<FrameData>, stack: &[u64]) -> FakeProcess {
    let caller = code(0x100, &[(0, &call(CALLER, FUNCTION))]);
    let sections = vec![(FUNCTION, function, true), (CALLER, caller, true)];
    let debug = FakeDebugInfo {
        frame_data,
        functions: vec![(FUNCTION, FUNCTION + 0x100), (CALLER, CALLER + 0x100)],
        ..Default::default()
    };
    let mut process = FakeProcess::default();
    process.module(BASE, Asked::Yes(FakeImage { sections, ..FakeImage::default() }), Asked::Yes(debug));
    process.words(STACK, 4, stack);
    process
}

fn walk_from(process: &FakeProcess, offset: u32, registers: &[(Register, u64)]) -> Walk {
    let mut context = context(Cpu::X86, &[(ESP, STACK), (EIP, BASE + u64::from(FUNCTION + offset)), (EAX, 1)]);
    registers.iter().for_each(|&(register, value)| context.set(register, value));
    walk(process, &context, 100)
}

/// The registers of frame 1, which must be the caller.
#[track_caller]
fn caller_of(walk: &Walk, sp: u64, trust: Trust) -> &RegisterSet {
    assert!(walk.frames.len() >= 2, "{:?}", walk.end);
    let frame = &walk.frames[1];
    assert_eq!((frame.registers.instruction_pointer(), frame.trust), (Some(RETURN), trust));
    assert_eq!(frame.lookup_address, RETURN - 1);
    assert_eq!(frame.registers.stack_pointer(), Some(sp));
    assert_eq!(frame.registers.get(EAX), None, "volatile");
    &frame.registers
}

#[test]
fn a_program_restores_what_it_names_and_leaves_the_rest() {
    // As clang writes it after `push ebp; push ebx; sub esp, 8`.
    let text = "$T0 .raSearch = $eip $T0 ^ = $esp $T0 4 + = $ebp $T0 4 - ^ = $ebx $T0 8 - ^ =";
    let process = process(code(0x100, &[]), vec![program(FUNCTION, (8, 0, 8), text)], &[0, 0, 0xb0b, 0xeb, RETURN, 0]);
    let walk = walk_from(&process, 0x40, &[(ESI, 0x51), (EBX, 1), (EBP, 2)]);
    let registers = caller_of(&walk, STACK + 0x14, Trust::Cfi);
    assert_eq!((registers.get(EBP), registers.get(EBX)), (Some(0xeb), Some(0xb0b)));
    assert_eq!((registers.get(ESI), registers.get(EDI)), (Some(0x51), None));
}

#[test]
fn a_program_may_go_by_the_frame_pointer() {
    let text = "$T1 $ebp 4 + = $T0 $T1 4 - 8 @ = $eip $T1 ^ = $esp $T1 4 + = $ebp $T1 4 - ^ =";
    let process = process(code(0x100, &[]), vec![program(FUNCTION, (0, 0, 4), text)], &[9, 9, 9, 0xeb, RETURN, 0]);
    let walk = walk_from(&process, 0x40, &[(EBP, STACK + 12)]);
    assert_eq!(caller_of(&walk, STACK + 0x14, Trust::Cfi).get(EBP), Some(0xeb));
}

#[test]
fn arguments_of_the_call_in_progress_lie_below_the_frame() {
    let text = "$T0 .raSearch = $eip $T0 ^ = $esp $T0 4 + =";
    let outer = BASE + u64::from(CALLER) + 0x45;
    // The second return address is preceded by a call too; the first two words are the callee's arguments, and look
    // like return addresses themselves.
    let stack = [RETURN, outer, outer, 7, outer, 0];
    let records = vec![program(FUNCTION, (0, 8, 0), text), program(CALLER, (4, 0, 0), text)];
    let mut process = process(code(0x100, &[]), records, &stack);
    if let Asked::Yes(image) = &mut process.modules[0].image {
        image.sections[1].1 = code(0x100, &[(0, &call(CALLER, FUNCTION)), (0x40, &call(CALLER + 0x40, CALLER))]);
    }
    let walk = walk_from(&process, 0x40, &[]);
    assert_eq!(walk.frames[2].registers.stack_pointer(), Some(STACK + 0x14));
}

#[test]
fn return_addresses_are_searched_where_the_callee_is_not_described() {
    let text = "$T0 .raSearch = $eip $T0 ^ = $esp $T0 4 + =";
    // Two unknown words, one of them a pointer into code that no call precedes.
    let stack = [0, BASE + 0x1010, 5, RETURN, 0];
    let process = process(code(0x100, &[]), vec![program(FUNCTION, (4, 0, 0), text)], &stack);
    caller_of(&walk_from(&process, 0x40, &[]), STACK + 0x10, Trust::Cfi);
}

#[test]
fn a_return_address_in_its_place_is_believed_though_it_cannot_be_checked() {
    let text = "$T0 .raSearch = $eip $T0 ^ = $esp $T0 4 + =";
    for (stack, expected) in [
        ([0, 0x7700_1008, 0, RETURN, 0], 0x7700_1008),
        ([0, 0, 0x7700_1008, RETURN, 0], RETURN),
        ([0, 0, 0x7700_1008, 0, 0], 0x7700_1008),
    ] {
        let mut process = process(code(0x100, &[]), vec![program(FUNCTION, (4, 0, 0), text)], &stack);
        process.module(0x7700_0000, Asked::No, Asked::No);
        assert_eq!(summary(&walk_from(&process, 0x40, &[])).0[1], (expected, Trust::Cfi));
    }
}

#[test]
fn an_fpo_record_locates_saved_registers_by_the_prologue() {
    let fpo = |uses_base_pointer| FrameRule::Fpo { uses_base_pointer, kind: FpoKind::Fpo };
    // sub esp, 8; push esi; push edi
    let prologue = [0x83, 0xec, 0x08, 0x56, 0x57];
    let data = record(FUNCTION, (8, 0, 8), fpo(false));
    let stack = [0xd1, 0x51, 0, 0, RETURN, 0];
    let mut process = process(code(0x100, &[(0, &prologue)]), vec![data], &stack);
    let walk = walk_from(&process, 0x40, &[(EBX, 3), (ESI, 1), (EDI, 2), (EBP, 0xeb)]);
    let registers = caller_of(&walk, STACK + 0x14, Trust::Cfi);
    assert_eq!((registers.get(ESI), registers.get(EDI)), (Some(0x51), Some(0xd1)));
    assert_eq!((registers.get(EBX), registers.get(EBP)), (Some(3), Some(0xeb)));
    // Without the pushes two saved registers may be any.
    if let Asked::Yes(image) = &mut process.modules[0].image {
        image.sections[0].1 = code(0x100, &[]);
    }
    let walk = walk_from(&process, 0x40, &[(EBX, 3), (ESI, 1), (EDI, 2), (EBP, 0xeb)]);
    let registers = caller_of(&walk, STACK + 0x14, Trust::Cfi);
    assert_eq!((registers.get(ESI), registers.get(EDI), registers.get(EBX)), (None, None, None));
    assert_eq!(registers.get(EBP), Some(0xeb), "the record says that EBP was not touched");
}

#[test]
fn an_fpo_record_of_a_frame_with_ebp_goes_by_ebp() {
    let data = record(FUNCTION, (0, 0, 0), FrameRule::Fpo { uses_base_pointer: false, kind: FpoKind::NonFpo });
    let process = process(code(0x100, &[]), vec![data], &[0, 0, STACK + 0x40, RETURN, 0]);
    let walk = walk_from(&process, 0x40, &[(EBP, STACK + 8)]);
    assert_eq!(caller_of(&walk, STACK + 0x10, Trust::FramePointer).get(EBP), Some(STACK + 0x40));
}

#[test]
fn registers_may_be_written_by_number() {
    let text = "$T0 $ebp = $eip $T0 4 + ^ = $ebp $T0 ^ = $esp $T0 8 + =  $20 $T0 4 - ^ =  $23 $T0 8 - ^ =";
    let stack = [0x51, 0xb0b, 0xeb, RETURN, 0];
    let process = process(code(0x100, &[]), vec![program(FUNCTION, (8, 0, 8), text)], &stack);
    let walk = walk_from(&process, 0x40, &[(EBP, STACK + 8), (EBX, 1), (ESI, 2), (EDI, 3)]);
    let registers = caller_of(&walk, STACK + 0x10, Trust::Cfi);
    let values = [EBX, ESI, EDI, EBP].map(|register| registers.get(register));
    assert_eq!(values, [Some(0xb0b), Some(0x51), Some(3), Some(0xeb)]);
}

#[test]
fn in_a_prologue_that_one_record_covers_the_pushes_are_counted() {
    // push ebp; mov ebp, esp; push ecx; sub esp, 8; push esi; mov esi, [ebp + 8]; push edi
    let prologue = [0x55, 0x8b, 0xec, 0x51, 0x83, 0xec, 0x08, 0x56, 0x8b, 0x75, 0x08, 0x57];
    let text = "$T0 $ebp = $eip $T0 4 + ^ = $ebp $T0 ^ = $esp $T0 8 + =";
    let mut data = program(FUNCTION, (12, 4, 8), text);
    data.prologue_bytes = prologue.len() as u16;
    let process = process(code(0x100, &[(0, &prologue)]), vec![data], &[0xd1, 0x51, 0, 0, 0, 0xeb, RETURN, 0]);
    for (offset, sp, ebp, esi) in [(1, 0x14, 9, 2), (3, 0x14, 9, 2), (4, 0x10, 9, 2), (7, 8, 9, 2), (11, 4, 9, 0x51)] {
        let walk = walk_from(&process, offset, &[(ESP, STACK + sp), (EBP, ebp), (ESI, 2), (EDI, 3)]);
        let registers = caller_of(&walk, STACK + 0x1c, Trust::Cfi);
        let values = [EBP, ESI, EDI].map(|register| registers.get(register));
        assert_eq!(values, [Some(0xeb), Some(esi), Some(3)], "at {offset}");
    }
    // In the middle of an instruction nobody can be.
    assert_eq!(
        walk_from(&process, 2, &[(ESP, STACK + 0x14), (EBP, 9)]).frames.get(1).map(|frame| frame.trust),
        Some(Trust::Scan)
    );
}

#[test]
fn frame_pointers_lead_up_to_the_outermost_frame() {
    let outer = BASE + u64::from(CALLER) + 0x45;
    let chain = [0, 0, STACK + 0x18, RETURN, 0, 0, STACK + 0x28, outer, 0, 0, 0, 0];
    let mut process = process(code(0x100, &[]), Vec::new(), &chain);
    if let Asked::Yes(image) = &mut process.modules[0].image {
        image.sections[1].1 = code(0x100, &[(0, &call(CALLER, FUNCTION)), (0x40, &call(CALLER + 0x40, CALLER))]);
    }
    let walk = walk_from(&process, 0x40, &[(EBP, STACK + 8), (EBX, 4)]);
    assert_eq!(walk.end, WalkEnd::Done(Stop::EndOfStack));
    let frames = summary(&walk).0;
    assert_eq!(frames[1..], [(RETURN, Trust::FramePointer), (outer, Trust::FramePointer)]);
    assert_eq!(walk.frames[1].registers.get(EBX), None, "EBP chains do not tell EBX");
}

#[test]
fn a_frame_pointer_that_does_not_lead_up_is_not_followed() {
    for (name, saved, address, base) in [
        ("saved below", STACK, RETURN, STACK + 8),
        ("saved itself", STACK + 8, RETURN, STACK + 8),
        ("not a return address", STACK + 0x40, RETURN + 1, STACK + 8),
    ] {
        let process = process(code(0x100, &[]), Vec::new(), &[0, 0, saved, address, 0]);
        let walk = walk_from(&process, 0x40, &[(EBP, base)]);
        assert!(walk.frames.iter().all(|frame| frame.trust != Trust::FramePointer), "{name}");
    }
}

#[test]
fn a_frame_pointer_is_aligned_and_not_below_the_stack_pointer() {
    let mut process = process(code(0x100, &[]), Vec::new(), &[0; 8]);
    // One chain at the start of the stack, and one at an odd address.
    let frame: Vec<u8> = [STACK + 0x40, RETURN].iter().flat_map(|word| (*word as u32).to_le_bytes()).collect();
    process.memory.insert(STACK, [frame.clone(), vec![0], frame, vec![0; 0x40]].concat());
    for (sp, base, is_followed) in [(STACK, STACK, true), (STACK + 0x14, STACK, false), (STACK, STACK + 9, false)] {
        let walk = walk_from(&process, 0x40, &[(ESP, sp), (EBP, base)]);
        let followed = walk.frames.iter().any(|frame| frame.trust == Trust::FramePointer);
        assert_eq!(followed, is_followed, "{sp:#x} {base:#x}");
    }
}

#[test]
fn a_return_address_that_code_in_the_dump_refutes_is_none() {
    let mut process = process(code(0x100, &[]), Vec::new(), &[0, 0, STACK + 0x40, 0x7700_1008, 0]);
    process.module(0x7700_0000, Asked::No, Asked::No);
    let followed = |process: &FakeProcess| walk_from(process, 0x40, &[(EBP, STACK + 8)]).frames.len() == 2;
    assert!(followed(&process), "it cannot be checked, and frame pointers are the custom");
    process.memory.insert(0x7700_1000, vec![0x90; 8]);
    assert!(!followed(&process));
}

#[test]
fn a_scan_finds_the_frame_pointer_that_was_pushed_first() {
    for (name, pushed, saved, address, expected) in [
        ("a frame", STACK + 0x14, STACK + 0x20, RETURN, Some(STACK + 0x14)),
        ("the outermost frame", STACK + 0x14, 0, RETURN, Some(STACK + 0x14)),
        ("below", STACK, STACK + 0x20, RETURN, None),
        ("no frame pointer there", STACK + 0x14, STACK, RETURN, None),
        ("no return address there", STACK + 0x14, STACK + 0x20, RETURN + 1, None),
    ] {
        let stack = [STACK + 0x20, RETURN + 3, pushed, RETURN, 0, saved, address, 0, 0, 0];
        let process = process(code(0x100, &[]), Vec::new(), &stack);
        let walk = walk_from(&process, 0x40, &[(EBP, 7)]);
        assert_eq!(caller_of(&walk, STACK + 0x10, Trust::Scan).get(EBP), expected, "{name}");
    }
}

#[test]
fn at_a_functions_first_byte_the_return_address_is_on_top() {
    // EBP is the caller's, so its chain would skip the caller.
    for has_debug in [true, false] {
        let mut process = process(code(0x100, &[]), Vec::new(), &[RETURN, 0, STACK + 0x40, RETURN, 0]);
        if !has_debug {
            process.modules[0].debug = Asked::No;
        }
        let walk = walk_from(&process, 0, &[(EBP, STACK + 8), (EDI, 4)]);
        let registers = caller_of(&walk, STACK + 4, Trust::Cfi);
        assert_eq!((registers.get(EBP), registers.get(EDI)), (Some(STACK + 8), Some(4)));
    }
    // Called from where nothing can be checked.
    let mut process = process(code(0x100, &[]), Vec::new(), &[0x7700_1008, 0, STACK + 0x40, RETURN, 0]);
    process.module(0x7700_0000, Asked::No, Asked::No);
    let walk = walk_from(&process, 0, &[(EBP, STACK + 8)]);
    assert_eq!(summary(&walk).0[1], (0x7700_1008, Trust::Cfi));
}

#[test]
fn debug_information_is_asked_for_first_and_the_image_to_check() {
    let text = "$T0 .raSearch = $eip $T0 ^ = $esp $T0 4 + =";
    let mut process = process(code(0x100, &[]), vec![program(FUNCTION, (0, 0, 0), text)], &[RETURN, 0]);
    let image = std::mem::replace(&mut process.modules[0].image, Asked::NotYet);
    let debug = std::mem::replace(&mut process.modules[0].debug, Asked::NotYet);
    let context = context(Cpu::X86, &[(ESP, STACK), (EIP, BASE + 0x1040)]);
    let mut walker = Walker::new(&context, 100);
    assert_eq!(walker.run(&process), WalkEnd::Needs(Wanted::DebugInfo(0)));
    process.modules[0].debug = debug;
    assert_eq!(walker.run(&process), WalkEnd::Needs(Wanted::Image(0)));
    process.modules[0].image = image;
    walker.run(&process);
    assert_eq!(walker.frames()[1].trust, Trust::Cfi);
}
