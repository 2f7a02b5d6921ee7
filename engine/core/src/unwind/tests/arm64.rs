//! ARM64 unwind information: a machine made by hand runs every prologue and epilogue, and stops everywhere.
//!
//! Bytes of records and codes are those of Microsoft's "ARM64 exception handling"; the instructions of packed records
//! are those of its table. Whatever a function has done so far, its caller's registers are those it was called with.

use super::*;
use crate::registers::arm64::{FP, LR, PC, SP, X19};

const BASE: u64 = 0x1_4000_0000;
const FUNCTION: u32 = 0x1000;
const CALLER: u32 = 0x8000;
const RETURN: u64 = BASE + 0x8008;
const XDATA: u32 = 0x9000;
/// Bytes below [`STACK`] that functions may use.
const DEPTH: u64 = 0x4000;

/// An instruction of a prologue or epilogue.
#[derive(Debug, Clone, Copy)]
enum Op {
    /// `sub sp, sp, #n` (`add` if negative).
    Sub(i64),
    /// `stp`, `str`: registers at an offset.
    Store(&'static [u8], u64),
    /// The same, pre-indexed: the stack pointer moves down first.
    Push(&'static [u8], u64),
    /// `ldp`, `ldr`.
    Load(&'static [u8], u64),
    /// The same, post-indexed.
    Pop(&'static [u8], u64),
    /// `add x29, sp, #n`.
    SetFp(u64),
    /// `sub sp, x29, #n`.
    ResetSp(u64),
    /// `pacibsp`, and `autibsp`.
    Sign,
    Unsign,
    Nop,
}

use Op::*;

const SIGNATURE: u64 = 0x0055_0000_0000_0000;

/// Registers and the words of the stack.
#[derive(Clone)]
struct Machine {
    registers: RegisterSet,
    words: BTreeMap<u64, u64>,
}

impl Machine {
    fn new() -> Machine {
        let mut registers = context(Cpu::Arm64, &[(SP, STACK), (LR, RETURN)]);
        (19..=29).for_each(|index| registers.set(Register(index), 0xabc0_0000 + u64::from(index)));
        Machine { registers, words: BTreeMap::new() }
    }

    fn get(&self, register: Register) -> u64 {
        self.registers.get(register).unwrap()
    }

    fn run(&mut self, op: Op) {
        let sp = self.get(SP);
        match op {
            Sub(bytes) => self.registers.set(SP, sp.wrapping_add_signed(-bytes)),
            Store(registers, offset) => self.store(registers, sp + offset),
            Push(registers, bytes) => {
                self.store(registers, sp - bytes);
                self.registers.set(SP, sp - bytes);
            }
            Load(registers, offset) => self.load(registers, sp + offset),
            Pop(registers, bytes) => {
                self.load(registers, sp);
                self.registers.set(SP, sp + bytes);
            }
            SetFp(offset) => self.registers.set(FP, sp + offset),
            ResetSp(offset) => self.registers.set(SP, self.get(FP) - offset),
            Sign => self.registers.set(LR, self.get(LR) ^ SIGNATURE),
            Unsign => self.registers.set(LR, self.get(LR) ^ SIGNATURE),
            Nop => {}
        }
    }

    fn store(&mut self, registers: &[u8], address: u64) {
        for (slot, &register) in (address..).step_by(8).zip(registers) {
            self.words.insert(slot, self.get(Register(register)));
        }
    }

    fn load(&mut self, registers: &[u8], address: u64) {
        for (slot, &register) in (address..).step_by(8).zip(registers) {
            self.registers.set(Register(register), self.words[&slot]);
        }
    }

    /// The body uses what the prologue has saved for itself; the frame pointer it keeps if it has one.
    fn clobber(&mut self, prologue: &[Op]) {
        let has_fp = prologue.iter().any(|op| matches!(op, SetFp(_)));
        for op in prologue {
            let (Store(registers, _) | Push(registers, _)) = op else { continue };
            let used = registers.iter().filter(|&&register| !(has_fp && register == FP.0));
            used.for_each(|&register| self.registers.set(Register(register), 0xdead_0000 + u64::from(register)));
        }
    }
}

/// A process with a function of these instructions, in which the machine has stopped at one of them.
fn process(entry_word: u32, xdata: &[u8], instructions: usize, machine: &Machine) -> FakeProcess {
    let entries = [FUNCTION, entry_word, CALLER, XDATA + 0x800];
    let mut xdata = xdata.to_vec();
    xdata.resize(0x800, 0);
    // The caller, of 16 instructions, has no prologue: its caller is in a link register that nobody knows.
    xdata.extend([16, 0, 0x20, 0x08, 0xe4, 0, 0, 0]);
    let nops = |count: usize| [0xd503_201f_u32].repeat(count);
    let mut caller = nops(16);
    caller[1] = 0x9400_0000 | (FUNCTION.wrapping_sub(CALLER + 4) >> 2) & 0x3ff_ffff; // bl FUNCTION
    let bytes = |words: Vec<u32>| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>();
    let image = FakeImage {
        sections: vec![
            (FUNCTION, bytes(nops(instructions)), true),
            (CALLER, bytes(caller), true),
            (XDATA, xdata, false),
        ],
        exception_directory: bytes(entries.to_vec()),
        ..FakeImage::default()
    };
    let mut process = FakeProcess { signature_bits: 0xffff_0000_0000_0000, ..FakeProcess::default() };
    process.module(BASE, Asked::Yes(image), Asked::No);
    let stack: Vec<u64> = (STACK - DEPTH..STACK + 0x40).step_by(8).collect();
    let stack: Vec<u64> = stack.iter().map(|slot| machine.words.get(slot).copied().unwrap_or(0x5555)).collect();
    process.words(STACK - DEPTH, 8, &stack);
    process
}

/// A function: what describes it, and what it does.
struct Case {
    name: &'static str,
    /// The second word of its entry and its `.xdata`, for a function of so many instructions with an epilogue there.
    describe: Box<dyn Fn(u32, u32) -> (u32, Vec<u8>)>,
    prologue: Vec<Op>,
    epilogue: Vec<Op>,
    /// Moved by the body.
    dynamic_bytes: i64,
}

/// Asserts that the caller is found from every instruction of `case`.
fn check(case: &Case) {
    const BODY: usize = 4;
    let epilogue_start = case.prologue.len() + BODY;
    let instructions = epilogue_start + case.epilogue.len() + 1;
    let (word, xdata) = (case.describe)(instructions as u32, epilogue_start as u32);
    let mut machine = Machine::new();
    let called_with = machine.registers.clone();
    for offset in 0..instructions {
        let process = process(word, &xdata, instructions, &machine);
        let mut context = machine.registers.clone();
        context.set(PC, BASE + u64::from(FUNCTION) + 4 * offset as u64);
        context.set(Register(0), 7);
        let walk = walk(&process, &context, 100);
        let name = format!("{}, instruction {offset}", case.name);
        let caller = walk.frames.get(1).unwrap_or_else(|| panic!("{name}: no caller, {:?}", walk.end));
        assert_eq!(caller.trust, Trust::Cfi, "{name}");
        assert_eq!(caller.registers.instruction_pointer(), Some(RETURN), "{name}");
        for register in (X19.0..=FP.0).map(Register).chain([SP]) {
            let (found, expected) = (caller.registers.get(register), called_with.get(register));
            assert_eq!(found, expected, "{name}: {}", Cpu::Arm64.register_names()[usize::from(register.0)]);
        }
        assert_eq!((caller.registers.get(LR), caller.registers.get(Register(0))), (None, None), "{name}");

        let op = case.prologue.get(offset).or_else(|| case.epilogue.get(offset.wrapping_sub(epilogue_start)));
        machine.run(op.copied().unwrap_or(Nop));
        if offset + 1 == case.prologue.len() {
            machine.clobber(&case.prologue);
            machine.run(Sub(case.dynamic_bytes));
        }
        if offset + 1 == epilogue_start && !case.epilogue.iter().any(|op| matches!(op, ResetSp(_))) {
            machine.run(Sub(-case.dynamic_bytes));
        }
    }
}

/// `RegF`, `RegI`, `H`, `CR`, frame size in bytes.
fn packed(name: &'static str, fields: [u32; 5], prologue: Vec<Op>, epilogue: Vec<Op>) -> Case {
    let [reg_f, reg_i, h, cr, frame] = fields;
    let fixed = reg_f << 13 | reg_i << 16 | h << 20 | cr << 21 | (frame / 16) << 23;
    let describe = Box::new(move |length: u32, _| (fixed | length << 2 | 1, Vec::new()));
    Case { name, describe, prologue, epilogue, dynamic_bytes: 0 }
}

const FRAME: &[u8] = &[29, 30];
const X19_X20: &[u8] = &[19, 20];

#[test]
fn packed_records_without_a_frame_chain() {
    for case in [
        packed(
            "an odd register, locals",
            [0, 3, 0, 0, 80],
            vec![Push(X19_X20, 32), Store(&[21], 16), Sub(48)],
            vec![Sub(-48), Load(&[21], 16), Pop(X19_X20, 32)],
        ),
        packed(
            "LR beside an odd register",
            [0, 3, 0, 1, 48],
            vec![Push(X19_X20, 32), Store(&[21, 30], 16), Sub(16)],
            vec![Sub(-16), Load(&[21, 30], 16), Pop(X19_X20, 32)],
        ),
        packed(
            "LR behind two registers",
            [0, 2, 0, 1, 32],
            vec![Push(X19_X20, 32), Store(&[30], 16)],
            vec![Load(&[30], 16), Pop(X19_X20, 32)],
        ),
        packed("LR alone", [0, 0, 0, 1, 16], vec![Push(&[30], 16)], vec![Pop(&[30], 16)]),
        // d8 and d9, then d10.
        packed("vectors alone", [2, 0, 0, 0, 32], vec![Sub(32), Nop], vec![Nop, Sub(-32)]),
        packed(
            "a large frame",
            [0, 2, 0, 0, 16 + 5008],
            vec![Push(X19_X20, 16), Sub(4080), Sub(928)],
            vec![Sub(-928), Sub(-4080), Pop(X19_X20, 16)],
        ),
        packed(
            "all registers",
            [7, 10, 0, 0, 80 + 64],
            vec![
                Push(X19_X20, 144),
                Store(&[21, 22], 16),
                Store(&[23, 24], 32),
                Store(&[25, 26], 48),
                Store(&[27, 28], 64),
                Nop,
                Nop,
                Nop,
                Nop,
            ],
            vec![
                Nop,
                Nop,
                Nop,
                Nop,
                Load(&[27, 28], 64),
                Load(&[25, 26], 48),
                Load(&[23, 24], 32),
                Load(&[21, 22], 16),
                Pop(X19_X20, 144),
            ],
        ),
        packed(
            "homed parameters alone",
            [0, 0, 1, 0, 80],
            vec![Sub(64), Nop, Nop, Nop, Sub(16)],
            vec![Sub(-16), Sub(-64)],
        ),
        packed("nothing but locals", [0, 0, 0, 0, 64], vec![Sub(64)], vec![Sub(-64)]),
    ] {
        check(&case);
    }
}

#[test]
fn packed_records_with_a_frame_chain() {
    for case in [
        packed("a frame record", [0, 0, 0, 3, 32], vec![Push(FRAME, 32), SetFp(0)], vec![Pop(FRAME, 32)]),
        packed(
            "registers below it",
            [0, 2, 0, 3, 48],
            vec![Push(X19_X20, 16), Push(FRAME, 32), SetFp(0)],
            vec![Pop(FRAME, 32), Pop(X19_X20, 16)],
        ),
        packed(
            "vectors and homed parameters",
            [1, 2, 1, 3, 96 + 16],
            vec![Push(X19_X20, 96), Nop, Nop, Nop, Nop, Nop, Push(FRAME, 16), SetFp(0)],
            vec![Pop(FRAME, 16), Nop, Pop(X19_X20, 96)],
        ),
        packed(
            "more than 512 bytes",
            [0, 2, 0, 3, 16 + 1024],
            vec![Push(X19_X20, 16), Sub(1024), Store(FRAME, 0), SetFp(0)],
            vec![Load(FRAME, 0), Sub(-1024), Pop(X19_X20, 16)],
        ),
        packed(
            "more than 4080 bytes",
            [0, 2, 0, 3, 16 + 4096],
            vec![Push(X19_X20, 16), Sub(4080), Sub(16), Store(FRAME, 0), SetFp(0)],
            vec![Load(FRAME, 0), Sub(-16), Sub(-4080), Pop(X19_X20, 16)],
        ),
        packed(
            "a signed return address",
            [0, 2, 0, 2, 32],
            vec![Sign, Push(X19_X20, 16), Push(FRAME, 16), SetFp(0)],
            vec![Pop(FRAME, 16), Pop(X19_X20, 16), Unsign],
        ),
    ] {
        check(&case);
    }
}

/// A full record whose epilogue mirrors the prologue and shares its codes; `single` puts it at the end (bit E).
fn full(name: &'static str, codes: &[u8], prologue: Vec<Op>, epilogue: Vec<Op>) -> [Case; 3] {
    let codes = [codes, &[0xe4]].concat();
    let padded = codes.len().next_multiple_of(4);
    let words = (padded / 4) as u32;
    let record = move |header: &[u32]| {
        let mut bytes: Vec<u8> = header.iter().flat_map(|word| word.to_le_bytes()).collect();
        bytes.extend(&codes);
        bytes.resize(header.len() * 4 + padded, 0xe3);
        (XDATA, bytes)
    };
    let single = {
        let record = record.clone();
        Box::new(move |length: u32, _| record(&[length | 1 << 21 | words << 27]))
    };
    let scoped = {
        let record = record.clone();
        Box::new(move |length: u32, start: u32| record(&[length | 1 << 22 | words << 27, start]))
    };
    let extended = Box::new(move |length: u32, start: u32| record(&[length, 1 | words << 16, start]));
    let case =
        |describe| Case { name, describe, prologue: prologue.clone(), epilogue: epilogue.clone(), dynamic_bytes: 0 };
    [case(single), case(scoped), case(extended)]
}

#[test]
fn full_records_undo_every_code() {
    let cases = [
        full(
            "the example of the documentation",
            &[0xe1, 0xc8, 0x1e, 0xd8, 0x1c, 0x9f],
            vec![Push(FRAME, 256), Nop, Store(X19_X20, 240), SetFp(0)],
            vec![ResetSp(0), Load(X19_X20, 240), Nop, Pop(FRAME, 256)],
        ),
        full(
            "save_r19r20_x, save_next",
            &[0xe6, 0xe6, 0x26],
            vec![Push(X19_X20, 48), Store(&[21, 22], 16), Store(&[23, 24], 32)],
            vec![Load(&[23, 24], 32), Load(&[21, 22], 16), Pop(X19_X20, 48)],
        ),
        full(
            "save_next from integers to vectors",
            &[0xe6, 0xca, 0x02, 0x04], // save_regp x27 at 16
            vec![Sub(64), Store(&[27, 28], 16), Nop],
            vec![Nop, Load(&[27, 28], 16), Sub(-64)],
        ),
        full(
            "alloc_s, save_lrpair x21",
            &[0xd6, 0x42, 0x04],
            vec![Sub(64), Store(&[21, 30], 16)],
            vec![Load(&[21, 30], 16), Sub(-64)],
        ),
        full(
            "alloc_m 0x1010, save_fplr, save_reg x28",
            &[0x41, 0xd2, 0x43, 0xc1, 0x01], // save_reg x19+9 at 24
            vec![Sub(0x1010), Store(&[28], 24), Store(FRAME, 8)],
            vec![Load(FRAME, 8), Load(&[28], 24), Sub(-0x1010)],
        ),
        full(
            "alloc_l",
            &[0x45, 0xe0, 0x00, 0x02, 0x01], // 0x201 * 16
            vec![Sub(0x2010), Store(FRAME, 40)],
            vec![Load(FRAME, 40), Sub(-0x2010)],
        ),
        full(
            "save_reg_x x21, save_regp_x x23",
            &[0xcd, 0x03, 0xd4, 0x43],
            vec![Push(&[21], 32), Push(&[23, 24], 32)],
            vec![Pop(&[23, 24], 32), Pop(&[21], 32)],
        ),
        full(
            "save_freg_x, save_fregp_x, save_freg",
            &[0xdc, 0x41, 0xda, 0x01, 0xde, 0x41],
            vec![Sub(16), Sub(16), Nop],
            vec![Nop, Sub(-16), Sub(-16)],
        ),
        full(
            "pac_sign_lr, nop",
            &[0x81, 0xe3, 0xfc],
            vec![Sign, Nop, Push(FRAME, 16)],
            vec![Pop(FRAME, 16), Nop, Unsign],
        ),
        full(
            "save_any_reg: x20 and x21 at 32, x25 pushed",
            &[0xe7, 0x54, 0x02, 0xe7, 0x39, 0x02],
            vec![Push(&[25], 48), Store(&[20, 21], 32)],
            vec![Load(&[20, 21], 32), Pop(&[25], 48)],
        ),
    ];
    cases.iter().flatten().for_each(check);
}

#[test]
fn the_frame_pointer_finds_what_was_allocated_dynamically() {
    let cases = full(
        "add_fp",
        &[0xe2, 0x04, 0x44, 0x04], // x29 = sp + 32; x29 and lr at 32; 64 bytes
        vec![Sub(64), Store(FRAME, 32), SetFp(32)],
        vec![ResetSp(32), Load(FRAME, 32), Sub(-64)],
    );
    for mut case in cases {
        case.dynamic_bytes = 0x100;
        check(&case);
    }
}

#[test]
fn a_fragment_has_the_prologue_of_its_function() {
    // end_c first: no prologue of its own; 32 bytes with a frame record were set up elsewhere. Likewise flag 2.
    let full = [8 | 2 << 27, u32::from_le_bytes([0xe5, 0xe1, 0x83, 0xe4]), 0];
    let full = full.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>();
    for (word, xdata) in [(XDATA, full), (2 | 8 << 2 | 3 << 21 | 2 << 23, Vec::new())] {
        for offset in [0, 4, 28] {
            let mut machine = Machine::new();
            [Push(FRAME, 32), SetFp(0)].into_iter().for_each(|op| machine.run(op));
            machine.registers.set(LR, 0);
            let process = process(word, &xdata, 8, &machine);
            machine.registers.set(PC, BASE + u64::from(FUNCTION) + offset);
            let walk = walk(&process, &machine.registers, 100);
            assert_eq!(walk.frames[1].registers.instruction_pointer(), Some(RETURN), "{word:#x} {offset}");
            assert_eq!(walk.frames[1].registers.stack_pointer(), Some(STACK));
        }
    }
}

#[test]
fn a_leaf_needs_no_record_and_only_the_innermost_frame_is_one() {
    let mut machine = Machine::new();
    let process = process(XDATA, &[1, 0, 0, 0], 16, &machine);
    machine.registers.set(PC, BASE + u64::from(FUNCTION) + 0x20); // behind the one instruction of the record
    let walk = walk(&process, &machine.registers, 100);
    let (frames, end) = summary(&walk);
    assert_eq!(frames[1..], [(RETURN, Trust::Cfi)]);
    // The caller's own link register is not known.
    assert_eq!(end, WalkEnd::Done(Stop::NoCaller));
    assert_eq!(walk.frames[1].registers.stack_pointer(), Some(STACK));
    // After what is no call there is no return; zero is the end.
    for (link, expected) in [(RETURN + 4, Stop::NoCaller), (0, Stop::EndOfStack)] {
        machine.registers.set(LR, link);
        let walk = super::walk(&process, &machine.registers, 100);
        assert_eq!((walk.frames.len(), walk.end), (1, WalkEnd::Done(expected)));
    }
}

#[test]
fn an_exceptions_context_and_machine_frames_are_restored() {
    let interrupted = BASE + u64::from(CALLER);
    for (code, words) in [
        (0xe9_u8, vec![STACK - 0x20, interrupted]),
        (0xea, [vec![0], (0..31).map(|index| 100 + index).collect(), vec![STACK - 0x20, interrupted]].concat()),
    ] {
        let mut machine = Machine::new();
        let at = STACK - 0x1000;
        machine.registers.set(SP, at);
        (at..).step_by(8).zip(words).for_each(|(slot, word)| {
            machine.words.insert(slot, word);
        });
        let xdata = [&(8_u32 | 1 << 21 | 1 << 27).to_le_bytes()[..], &[code, 0xe4, 0, 0]].concat();
        let process = process(XDATA, &xdata, 8, &machine);
        machine.registers.set(PC, BASE + u64::from(FUNCTION) + 8);
        let walk = walk(&process, &machine.registers, 100);
        let frame = &walk.frames[1];
        assert_eq!((frame.lookup_address, frame.registers.stack_pointer()), (interrupted, Some(STACK - 0x20)));
        if code == 0xea {
            assert_eq!((frame.registers.get(Register(5)), frame.registers.get(LR)), (Some(105), Some(130)));
        }
    }
}

#[test]
fn what_is_reserved_is_refused() {
    let header = |word: u32| word.to_le_bytes().to_vec();
    for (name, word, xdata) in [
        ("flag 3", 3 | 8 << 2, vec![]),
        ("version 1", XDATA, header(8 | 1 << 18 | 1 << 21 | 1 << 27)),
        ("an unknown code", XDATA, [header(8 | 1 << 21 | 1 << 27), vec![0xf8, 0, 0xe4, 0]].concat()),
        ("more registers than there are", 1 | 8 << 2 | 11 << 16 | 9 << 23, vec![]),
        ("less frame than saves", 1 | 8 << 2 | 4 << 16 | 1 << 23, vec![]),
    ] {
        let mut machine = Machine::new();
        machine.registers.set(LR, 0x1234); // else it might pass for a leaf
        let process = process(word, &xdata, 8, &machine);
        machine.registers.set(PC, BASE + u64::from(FUNCTION) + 0x14);
        let walk = walk(&process, &machine.registers, 100);
        assert_eq!((walk.frames.len(), walk.end), (1, WalkEnd::Done(Stop::NoCaller)), "{name}");
    }
}
