//! Places that are computed, and what a caller says of a call. The expressions are written here by the tables of DWARF 5,
//! section 7.7.1; those of programs are read with llvm-dwarfdump.

use super::values::program;
use super::*;
use crate::address::ReadMemory;
use crate::debuginfo::{CallTarget, Computed, Located, LocatedPiece, Machine, Missing, Passed};
use crate::registers::x64;

/// A frame: some registers, some memory.
#[derive(Default)]
struct Frame {
    registers: Vec<(Register, u64)>,
    entry: Vec<(Register, u64)>,
    memory: Vec<(u64, u64)>,
    cfa: Option<u64>,
}

impl ReadMemory for Frame {
    fn read(&self, address: u64, buffer: &mut [u8]) -> usize {
        let Some((_, word)) = self.memory.iter().find(|(at, _)| *at == address) else { return 0 };
        let count = buffer.len().min(8);
        buffer[..count].copy_from_slice(&word.to_le_bytes()[..count]);
        count
    }
}

impl Machine for Frame {
    fn cpu(&self) -> Cpu {
        Cpu::X64
    }

    fn register(&self, register: Register) -> Option<u64> {
        self.registers.iter().find(|(it, _)| *it == register).map(|(_, value)| *value)
    }

    fn vector(&self, index: u8) -> Option<u128> {
        (index == 1).then_some(u128::from(1.5_f64.to_bits()))
    }

    fn cfa(&self) -> Option<u64> {
        self.cfa
    }

    fn virtual_frame(&self) -> Option<u64> {
        None
    }

    fn module_base(&self) -> Option<u64> {
        Some(0x5555_0000)
    }

    fn entry_value(&self, passed: Passed) -> Option<u64> {
        let Passed::Register(register) = passed else { return None };
        self.entry.iter().find(|(it, _)| *it == register).map(|(_, value)| *value)
    }
}

fn evaluate(operations: &[u8], frame_base: &[u8], frame: &Frame) -> Located {
    let dwarf = program("gcc5");
    let (operations, frame_base) = (operations.to_vec(), frame_base.to_vec());
    dwarf.evaluate(&Computed { unit: 0, rva: Rva(0x1da), operations, frame_base }, frame)
}

fn word(value: u64) -> Located {
    Located::Value(value.to_le_bytes().to_vec())
}

#[test]
fn expressions_of_every_kind() {
    let frame = Frame {
        registers: vec![(x64::RAX, 0x1000), (x64::RBX, 7)],
        entry: vec![(x64::RDX, 3)],
        memory: vec![(0x1010, 0xfeed), (0x7ff8, 0xbeef)],
        cfa: Some(0x8000),
    };
    let absent = Located::Absent;
    for (operations, expected) in [
        (&[0x70, 0x10][..], Located::Memory(0x1010)),   // breg0 16
        (&[0x70, 0x10, 0x06], Located::Memory(0xfeed)), // deref
        (&[0x70, 0x10, 0x94, 1, 0x9f], word(0xed)),     // deref_size 1, stack_value
        (&[0x70, 0x20, 0x06], absent(Missing::Memory(0x1020))),
        (&[0x72, 0, 0x06], absent(Missing::Register(x64::RCX))), // breg2
        (&[0x53], Located::Register { register: x64::RBX, first_byte: 0 }), // reg3
        (&[0x52], absent(Missing::Register(x64::RCX))),
        (&[0x62], Located::Vector(1)), // reg18: xmm1
        (&[0x63], absent(Missing::Vector(2))),
        (&[0x91, 0x78], Located::Memory(0x7ff8)), // fbreg -8
        (&[0x91, 0x78, 0x06], Located::Memory(0xbeef)),
        (&[0x9c, 0x23, 8, 0x9f], word(0x8008)), // call_frame_cfa, plus_uconst 8, stack_value
        (&[0xa3, 1, 0x51, 0x9f], word(3)),      // entry_value(reg1), stack_value
        (&[0xf3, 1, 0x51, 0x31, 0x24, 0x9f], word(6)), // GNU_entry_value(reg1), lit1, shl, stack_value
        (&[0xa3, 2, 0x71, 1, 0x9f], word(4)),   // entry_value(breg1 1)
        (&[0xa3, 1, 0x50, 0x9f], absent(Missing::EntryValue)),
        (&[0xa3, 3, 0x71, 0, 0x06, 0x9f], absent(Missing::EntryValue)), // memory may have changed
        (&[0x9e, 2, 1, 2], Located::Value(vec![1, 2])),                 // implicit_value
        (&[0x03, 0x10, 0x20, 0x40, 0, 0, 0, 0, 0, 0x23, 4], Located::Memory(0x5555_2014)), // addr 0x402010, plus_uconst 4
        (&[0xf2, 0, 0, 0, 0, 0], absent(Missing::OptimizedAway)),                          // GNU_implicit_pointer
        (&[0x97], absent(Missing::Expression)),                                            // push_object_address
        (&[0x06], absent(Missing::Expression)),                                            // deref of nothing
        (&[0xff], absent(Missing::Expression)),
        (&[0x2f, 0xfd, 0xff], absent(Missing::Expression)), // skip -3: for ever
    ] {
        assert_eq!(evaluate(operations, &[0x9c], &frame), expected, "{operations:x?}");
    }
    // DW_OP_fbreg from a register, from what is unknown, from nothing, from itself.
    assert_eq!(evaluate(&[0x91, 0x10, 0x06], &[0x50], &frame), Located::Memory(0xfeed));
    assert_eq!(evaluate(&[0x91, 0x10, 0x06], &[0x70, 0], &frame), Located::Memory(0xfeed));
    assert_eq!(evaluate(&[0x91, 0x10], &[0x52], &frame), absent(Missing::Register(x64::RCX)));
    assert_eq!(evaluate(&[0x91, 0x10], &[], &frame), absent(Missing::FrameBase));
    assert_eq!(evaluate(&[0x91, 0x10], &[0x91, 0x10], &frame), absent(Missing::Expression));
    assert_eq!(evaluate(&[0x9c], &[], &Frame::default()), absent(Missing::FrameBase));
}

#[test]
fn parts_of_a_variable() {
    let frame = Frame { registers: vec![(x64::RAX, 1)], ..Frame::default() };
    let part = |offset_bits, size_bits, located| LocatedPiece { offset_bits, size_bits: Some(size_bits), located };
    // reg0 piece 4; piece 4; lit5 stack_value piece 4; bit_piece 8 of reg0 from bit 8.
    let operations = [0x50, 0x93, 4, 0x93, 4, 0x35, 0x9f, 0x93, 4, 0x50, 0x9d, 8, 8];
    let rax = |first_byte| Located::Register { register: x64::RAX, first_byte };
    let expected = Located::Pieces(vec![
        part(0, 32, rax(0)),
        part(32, 32, Located::Absent(Missing::OptimizedAway)),
        part(64, 32, Located::Value(vec![5, 0, 0, 0])),
        part(96, 8, rax(1)),
    ]);
    assert_eq!(evaluate(&operations, &[], &frame), expected);
}

#[test]
fn variables_of_an_optimised_function() {
    // After the call of `outside` in `work` (llvm-dwarfdump).
    let dwarf = program("gcc5");
    let variables = dwarf.variables_at(Rva(0x1d9));
    let place = |name: &str| {
        let found = variables.iter().find(|it| it.name == name).unwrap_or_else(|| panic!("{name}: {variables:?}"));
        found.place.clone()
    };
    let register = |register| Place::Register { register, first_byte: 0 };
    assert_eq!(place("point"), register(x64::RBP));
    assert_eq!(place("given"), register(x64::RBX));
    assert_eq!(place("shared"), Place::Static(Rva(0x2000)));
    assert_eq!(place("elsewhere"), Place::Static(Rva(0x2010)));
    assert_eq!(place("grown"), Place::OptimizedAway);
    let located = |name: &str, entry: &[(Register, u64)]| match place(name) {
        Place::Computed(computed) => dwarf.evaluate(&computed, &Frame { entry: entry.to_vec(), ..Frame::default() }),
        other => panic!("{name}: {other:?}"),
    };
    assert_eq!(located("count", &[(x64::RDX, 3)]), word(3));
    assert_eq!(located("count", &[]), Located::Absent(Missing::EntryValue));
    let inner = LocatedPiece { offset_bits: 0, size_bits: Some(32), located: Located::Value(vec![3, 0, 0, 0]) };
    assert_eq!(located("inner", &[(x64::RDX, 3)]), Located::Pieces(vec![inner]));
    // In the inlined call: its constant, and the variable that all calls share.
    let variables = dwarf.variables_at(Rva(0x1ce));
    let inlined = |name: &str| variables.iter().find(|it| it.inline_depth == 1 && it.name == name).map(|it| &it.place);
    assert_eq!(inlined("two"), Some(&Place::Constant(vec![2, 0, 0, 0])));
    assert_eq!(inlined("calls"), Some(&Place::Static(Rva(0x20b0))));
}

#[test]
fn what_a_caller_says_of_a_call() {
    // `_start` calls `work` with 3 in EDX, and &flags in RSI; the call returns to 0x40022d.
    let dwarf = program("gcc5");
    let value = |register| match dwarf.call_site_value(Rva(0x22d), Passed::Register(register))? {
        Place::Computed(computed) => Some(dwarf.evaluate(&computed, &Frame::default())),
        other => panic!("{other:?}"),
    };
    let flags = dwarf.symbols().symbols_named("flags")[0].rva;
    assert_eq!(value(x64::RDX), Some(word(3)));
    assert_eq!(value(x64::RSI), Some(word(0x5555_0000 + u64::from(flags.0))));
    assert_eq!(value(x64::RCX), None);
    assert_eq!(dwarf.call_site_value(Rva(0x22c), Passed::Register(x64::RDX)), None);
    let work = "_Z4workN3geo5PointEPK5Flagsi".to_owned();
    assert_eq!(dwarf.call_target(Rva(0x22d)), Some(CallTarget::Function(work.clone())));
    assert_eq!(dwarf.function_identity(Rva(0x1d9)), Some(work));
    // A function of another unit has the name that both know.
    assert_eq!(dwarf.call_target(Rva(0x1da)), Some(CallTarget::Function("outside".to_owned())));
    assert_eq!(dwarf.function_identity(Rva(0x2d0)), Some("outside".to_owned()));
}
