//! Rows of call frame information, carried out on stacks made by hand.

use super::*;
use crate::cfi::{CfaRule, Expression, Rule};
use crate::registers::{arm64, x64, x86};

const BASE: u64 = 0x40_0000;
const FUNCTION: u32 = 0x1000;
const CALLER: u32 = 0x2000;
const RETURN: u64 = BASE + 0x2005;

fn row(cfa: (Register, i64), return_address: Register, rules: &[(Register, Rule)]) -> CfiRow {
    CfiRow { cfa: CfaRule::RegisterOffset(cfa.0, cfa.1), rules: rules.to_vec(), return_address, is_signal_frame: false }
}

/// What x64 compilers say of a function that has pushed nothing.
fn simple() -> CfiRow {
    row((x64::RSP, 8), x64::RIP, &[(x64::RIP, Rule::Offset(-8))])
}

/// A row that declares the outermost frame.
fn outermost() -> CfiRow {
    row((x64::RSP, 8), x64::RIP, &[(x64::RIP, Rule::Undefined)])
}

/// A process of a function with this row and of its caller, the outermost frame.
fn process(row: CfiRow, stack: &[u64]) -> FakeProcess {
    let mut process = FakeProcess { is_system_v: true, ..FakeProcess::default() };
    let rows = vec![(FUNCTION..FUNCTION + 0x100, row), (CALLER..CALLER + 0x100, outermost())];
    let code = [(FUNCTION, code(0x100, &[]), true), (CALLER, code(0x100, &[(0, &call(CALLER, FUNCTION))]), true)];
    process.module(BASE, Asked::Yes(FakeImage { sections: code.into(), rows, ..FakeImage::default() }), Asked::No);
    process.words(STACK, 8, stack);
    process
}

fn walk_from(process: &FakeProcess, registers: &[(Register, u64)]) -> Walk {
    let mut context = context(Cpu::X64, &[(x64::RSP, STACK), (x64::RIP, BASE + u64::from(FUNCTION) + 0x10)]);
    registers.iter().for_each(|&(register, value)| context.set(register, value));
    walk(process, &context, 100)
}

/// The registers of the caller, which must be the second and last frame.
#[track_caller]
fn caller_of(walk: &Walk) -> &RegisterSet {
    assert_eq!((walk.frames.len(), walk.end), (2, WalkEnd::Done(Stop::EndOfStack)));
    let frame = &walk.frames[1];
    assert_eq!((frame.trust, frame.lookup_address), (Trust::Cfi, RETURN - 1));
    assert_eq!(frame.registers.instruction_pointer(), Some(RETURN));
    &frame.registers
}

#[test]
fn every_rule_is_carried_out() {
    let rules = [
        (x64::RIP, Rule::Offset(-8)),
        (x64::RBX, Rule::Offset(-16)),
        (x64::RBP, Rule::ValueOffset(-32)),
        (x64::R12, Rule::Register(x64::RAX)),
        (x64::RDX, Rule::SameValue),
        (Register(13), Rule::Undefined),
        // DW_OP_lit8, DW_OP_minus: where the return address is; DW_OP_const1u 7, DW_OP_plus.
        (Register(14), Rule::Expression(Expression::Dwarf(vec![0x38, 0x1c]))),
        (x64::R15, Rule::ValueExpression(Expression::Dwarf(vec![0x08, 7, 0x22]))),
        (x64::RCX, Rule::Expression(Expression::Postfix(".cfa 16 -".into()))),
        (x64::R8, Rule::ValueExpression(Expression::Postfix("$rbp 2 * rax +".into()))),
    ];
    let process = process(row((x64::RBP, 16), x64::RIP, &rules), &[1, 2, 0xb0b, RETURN]);
    let values = [(x64::RBP, STACK + 16), (x64::RAX, 0xa), (x64::RDX, 0xd), (Register(13), 13), (x64::RBX, 1)];
    let walk = walk_from(&process, &values);
    let registers = caller_of(&walk);
    let cfa = STACK + 32;
    for (register, expected) in [
        (x64::RSP, Some(cfa)),
        (x64::RBX, Some(0xb0b)),
        (x64::RBP, Some(cfa - 32)),
        (x64::R12, Some(0xa)),
        (x64::RDX, Some(0xd)),
        (Register(13), None),
        (Register(14), Some(RETURN)),
        (x64::R15, Some(cfa + 7)),
        (x64::RCX, Some(0xb0b)),
        (x64::R8, Some(2 * (STACK + 16) + 0xa)),
        (x64::RAX, None),
    ] {
        assert_eq!(registers.get(register), expected, "{}", Cpu::X64.register_names()[usize::from(register.0)]);
    }
}

#[test]
fn what_is_preserved_without_a_rule_depends_on_the_system() {
    let values: Vec<(Register, u64)> =
        (0..16).map(Register).filter(|&it| it != x64::RSP).map(|it| (it, 100 + u64::from(it.0))).collect();
    for (is_system_v, names) in [
        (true, &["rbx", "rsp", "rbp", "r12", "r13", "r14", "r15", "rip"][..]),
        (false, &["rbx", "rsp", "rbp", "rsi", "rdi", "r12", "r13", "r14", "r15", "rip"]),
    ] {
        let process = FakeProcess { is_system_v, ..process(simple(), &[RETURN]) };
        let mut context = context(Cpu::X64, &[(x64::RSP, STACK), (x64::RIP, BASE + 0x1010)]);
        values.iter().for_each(|&(register, value)| context.set(register, value));
        (0..16).for_each(|index| context.set_vector(index, index as u128));
        let walk = walk(&process, &context, 100);
        let registers = caller_of(&walk);
        let known: Vec<&str> = registers.named().filter(|(_, value)| value.is_some()).map(|(name, _)| name).collect();
        assert_eq!(known, names);
        let vectors: Vec<usize> = (0..16).filter(|&index| registers.vector(index).is_some()).collect();
        assert_eq!(vectors, if is_system_v { vec![] } else { (6..16).collect() });
    }
}

#[test]
fn the_frame_address_may_be_an_expression() {
    // As linkers write it for the entries of a PLT, whose second half has pushed a word:
    // rsp + 8 + ((rip & 15) >= 11) << 3.
    let operations = vec![0x77, 8, 0x80, 0, 0x3f, 0x1a, 0x3b, 0x2a, 0x33, 0x24, 0x22];
    let plt = CfiRow { cfa: CfaRule::Expression(Expression::Dwarf(operations)), ..simple() };
    for (offset, stack) in [(0x6, vec![RETURN]), (0xb, vec![3, RETURN])] {
        let process = process(plt.clone(), &stack);
        let walk = walk_from(&process, &[(x64::RIP, BASE + 0x1000 + offset)]);
        assert_eq!(caller_of(&walk).stack_pointer(), Some(STACK + 8 * stack.len() as u64), "{offset:#x}");
    }
    let postfix = CfiRow { cfa: CfaRule::Expression(Expression::Postfix("$rsp 16 +".into())), ..simple() };
    caller_of(&walk_from(&process(postfix, &[0, RETURN]), &[]));
}

#[test]
fn expressions_that_give_nothing_cost_the_row() {
    for (name, operations) in [
        ("empty", vec![]),
        ("an endless loop: DW_OP_skip -3", vec![0x2f, 0xfd, 0xff]),
        ("a stack without end: DW_OP_lit0, DW_OP_skip -4", vec![0x30, 0x2f, 0xfc, 0xff]),
        ("an unknown register", vec![0x73, 0]),
        ("a vector register", vec![0x90, 17]),
        ("memory that is absent", vec![0x08, 0, 0x06]),
        ("the frame address itself", vec![0x9c]),
        ("thread-local storage", vec![0x30, 0x9b]),
        ("division by zero", vec![0x31, 0x30, 0x1b]),
        ("an operand that is cut off", vec![0x0e, 1]),
        ("no operation", vec![0xff]),
    ] {
        let row = CfiRow { cfa: CfaRule::Expression(Expression::Dwarf(operations)), ..simple() };
        let walk = walk_from(&process(row, &[0, 0, 0]), &[]);
        assert_eq!((walk.frames.len(), walk.end), (1, WalkEnd::Done(Stop::NoCaller)), "{name}");
    }
}

#[test]
fn the_image_is_asked_first_then_the_debug_information() {
    let mut process = process(simple(), &[7, RETURN]);
    let Asked::Yes(image) = &mut process.modules[0].image else { unreachable!() };
    let caller = image.rows.remove(1);
    image.rows.clear();
    process.modules[0].debug = Asked::NotYet;
    assert_eq!(walk_from(&process, &[]).end, WalkEnd::Needs(Wanted::DebugInfo(0)));
    let rows =
        vec![(FUNCTION..FUNCTION + 0x100, row((x64::RSP, 16), x64::RIP, &[(x64::RIP, Rule::Offset(-8))])), caller];
    process.modules[0].debug = Asked::Yes(FakeDebugInfo { rows, ..Default::default() });
    assert_eq!(caller_of(&walk_from(&process, &[])).stack_pointer(), Some(STACK + 16));
    process.modules[0].image = Asked::NotYet;
    assert_eq!(walk_from(&process, &[]).end, WalkEnd::Needs(Wanted::Image(0)));
    // Without the image, code cannot be checked, but rows need no check.
    process.modules[0].image = Asked::No;
    caller_of(&walk_from(&process, &[]));
}

#[test]
fn a_callers_row_is_that_of_the_call() {
    // After the call, which does not return, comes another function.
    let mut process = process(simple(), &[RETURN, 0, 0, BASE + 0x2010]);
    let Asked::Yes(image) = &mut process.modules[0].image else { unreachable!() };
    let before = row((x64::RSP, 24), x64::RIP, &[(x64::RIP, Rule::Offset(-8))]);
    image.rows = vec![(0x1000..0x1100, simple()), (0x2000..0x2005, before), (0x2005..0x2100, outermost())];
    let (frames, end) = summary(&walk_from(&process, &[]));
    assert_eq!(frames[1..], [(RETURN, Trust::Cfi), (BASE + 0x2010, Trust::Cfi)]);
    assert_eq!(end, WalkEnd::Done(Stop::EndOfStack));
}

#[test]
fn ends_are_told_apart() {
    for (row, stack, end) in [
        (outermost(), vec![RETURN], Stop::EndOfStack),
        (simple(), vec![0], Stop::EndOfStack),
        (row((x64::RSP, 32), x64::RIP, &[(x64::RIP, Rule::Offset(-8))]), vec![0, 0], Stop::NoMemory(STACK + 24)),
        (row((x64::RSP, 8), x64::RIP, &[]), vec![0], Stop::NoCaller),
        // Below the stack pointer; by a register that is not known; at a wild place; to what is no code.
        (row((x64::RSP, -8), x64::RIP, &[(x64::RIP, Rule::Offset(8))]), vec![1], Stop::NoCaller),
        (row((x64::RBX, 8), x64::RIP, &[(x64::RIP, Rule::Offset(-8))]), vec![1], Stop::NoCaller),
        (row((x64::RBP, 8), x64::RIP, &[(x64::RIP, Rule::Offset(-8))]), vec![1], Stop::NoCaller),
        (simple(), vec![0x1234], Stop::NoCaller),
    ] {
        let walk = walk_from(&process(row.clone(), &stack), &[(x64::RBP, 0x7fff_ffff_0000)]);
        assert_eq!((walk.frames.len(), walk.end), (1, WalkEnd::Done(end)), "{row:?}");
    }
}

#[test]
fn a_saved_register_that_is_absent_costs_itself() {
    let rules = [(x64::RIP, Rule::Offset(-8)), (x64::RBX, Rule::Offset(8)), (x64::RBP, Rule::Offset(-16))];
    let process = process(row((x64::RSP, 16), x64::RIP, &rules), &[0xb, RETURN]);
    let walk = walk_from(&process, &[(x64::RBX, 1), (x64::RBP, 2)]);
    let registers = caller_of(&walk);
    assert_eq!((registers.get(x64::RBX), registers.get(x64::RBP)), (None, Some(0xb)));
}

#[test]
fn what_a_signal_interrupted_is_looked_up_exactly() {
    let at = |offset: i64| Rule::Expression(Expression::Postfix(format!(".cfa {offset} +")));
    let rules = [(x64::RIP, at(0)), (x64::RSP, at(8)), (x64::RAX, at(16))];
    let trampoline = CfiRow { is_signal_frame: true, ..row((x64::RSP, 8), x64::RIP, &rules) };
    let interrupted = BASE + 0x2000;
    // It had its stack elsewhere: below.
    let mut process = process(trampoline, &[0, interrupted, STACK - 0x1000, 0xa]);
    process.words(STACK - 0x1000, 8, &[0, 0]);
    let walk = walk_from(&process, &[(x64::RBX, 1)]);
    let frame = &walk.frames[1];
    assert_eq!((frame.lookup_address, frame.trust), (interrupted, Trust::Cfi));
    assert_eq!(frame.registers.stack_pointer(), Some(STACK - 0x1000));
    assert_eq!((frame.registers.get(x64::RAX), frame.registers.get(x64::RBX)), (Some(0xa), None));
    assert_eq!(walk.end, WalkEnd::Done(Stop::EndOfStack));
}

#[test]
fn x86_goes_by_rows_too() {
    let mut process = FakeProcess { is_system_v: true, ..FakeProcess::default() };
    let row = row((x86::ESP, 8), x86::EIP, &[(x86::EIP, Rule::Offset(-4)), (x86::EBP, Rule::Offset(-8))]);
    let code = vec![(FUNCTION, code(0x100, &[]), true), (CALLER, code(0x100, &[(0, &call(CALLER, FUNCTION))]), true)];
    let image = FakeImage { sections: code, rows: vec![(0x1000..0x1100, row)], ..FakeImage::default() };
    process.module(BASE, Asked::Yes(image), Asked::No);
    process.words(STACK, 4, &[0xb, RETURN, 0]);
    let context = context(Cpu::X86, &[(x86::ESP, STACK), (x86::EIP, BASE + 0x1010), (x86::EBX, 3)]);
    let walk = walk(&process, &context, 100);
    let caller = &walk.frames[1];
    assert_eq!((caller.trust, caller.registers.instruction_pointer()), (Trust::Cfi, Some(RETURN)));
    for (register, value) in [(x86::ESP, STACK + 8), (x86::EBP, 0xb), (x86::EBX, 3)] {
        assert_eq!(caller.registers.get(register), Some(value));
    }
}

/// ARM64: a leaf with its return address in LR, called by a function that has saved it, signed.
#[test]
fn arm64_takes_the_link_register_and_strips_its_signature() {
    let signature = 0x0042_0000_0000_0000;
    let after_call = BASE + 0x2008;
    let saved = [(arm64::FP, Rule::Offset(-16)), (arm64::LR, Rule::Offset(-8))];
    let rows = vec![
        (0x1000..0x1100, row((arm64::SP, 0), arm64::LR, &[])),
        (0x2000..0x2100, row((arm64::SP, 32), arm64::LR, &saved)),
        (0x3000..0x3100, row((arm64::SP, 0), arm64::LR, &[(arm64::LR, Rule::Undefined)])),
    ];
    let sections = vec![(0x1000, vec![0; 0x3000], true)];
    let mut process = FakeProcess { signature_bits: 0xffff_0000_0000_0000, ..FakeProcess::default() };
    process.module(BASE, Asked::Yes(FakeImage { sections, rows, ..FakeImage::default() }), Asked::No);
    process.words(STACK, 8, &[0, 0, 0xf, BASE + 0x3010 + signature]);
    let registers = [
        (arm64::SP, STACK),
        (arm64::PC, BASE + 0x1000),
        (arm64::LR, after_call + signature),
        (arm64::X19, 19),
        (Register(0), 1),
    ];
    let walk = walk(&process, &context(Cpu::Arm64, &registers), 100);
    let (frames, end) = summary(&walk);
    assert_eq!(frames[1..], [(after_call, Trust::Cfi), (BASE + 0x3010, Trust::Cfi)]);
    assert_eq!(end, WalkEnd::Done(Stop::EndOfStack));
    let known = |frame: usize| {
        let registers = walk.frames[frame].registers.named();
        registers.filter_map(|(name, value)| value.map(|value| (name, value))).collect::<Vec<_>>()
    };
    assert_eq!(known(1), [("x19", 19), ("sp", STACK), ("pc", after_call)]);
    assert_eq!(known(2), [("x19", 19), ("fp", 0xf), ("sp", STACK + 32), ("pc", BASE + 0x3010)]);
}

#[test]
fn breakpad_names_registers_of_arm64_by_number() {
    let postfix = |text: &str| Expression::Postfix(text.to_owned());
    let rules = [
        (arm64::PC, Rule::ValueExpression(postfix(".cfa -8 + ^"))),
        (arm64::FP, Rule::ValueExpression(postfix(".cfa -16 + ^"))),
    ];
    let first = CfiRow { cfa: CfaRule::Expression(postfix("x29 16 +")), ..row((arm64::SP, 0), arm64::PC, &rules) };
    let leaf = row((arm64::SP, 0), arm64::PC, &[(arm64::PC, Rule::ValueExpression(postfix("x30")))]);
    let rows = vec![(0x1000..0x1100, leaf), (0x2000..0x2100, first)];
    let mut process = FakeProcess::default();
    process.module(BASE, Asked::No, Asked::Yes(FakeDebugInfo { rows, ..Default::default() }));
    process.words(STACK, 8, &[0, 0, 0xf, 0]);
    let registers =
        [(arm64::SP, STACK), (arm64::PC, BASE + 0x1000), (arm64::LR, BASE + 0x2008), (arm64::FP, STACK + 16)];
    let (frames, end) = summary(&walk(&process, &context(Cpu::Arm64, &registers), 100));
    assert_eq!((frames.len(), end), (2, WalkEnd::Done(Stop::EndOfStack)));
    assert_eq!(frames[1], (BASE + 0x2008, Trust::Cfi));
}

#[test]
fn the_outermost_frame_has_a_canonical_frame_address_too() {
    let process = process(simple(), &[RETURN]);
    let walk = walk_from(&process, &[]);
    caller_of(&walk);
    let [inner, outer] = &walk.frames[..] else { panic!("{:?}", walk.frames) };
    // The walk went beyond the first frame, and says where that begins; of the second only its own record tells.
    assert_eq!((inner.cfa, outer.cfa), (Some(STACK + 8), None));
    assert_eq!(canonical_frame_address(&process, inner), Some(STACK + 8));
    assert_eq!(canonical_frame_address(&process, outer), Some(STACK + 16));
}
