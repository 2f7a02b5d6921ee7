//! Encodings by hand, from what `compact_unwind_encoding.h` says about each field.

use crate::address::Rva;
use crate::cfi::{CfaRule, CfiRow, Rule};
use crate::macho::{Entry, Unwinding, unwinding};
use crate::registers::{Cpu, Register, arm64, x64};

/// The canonical frame address and where registers were saved relative to it, by their numbers.
type Row = (Register, i64, Vec<(u8, i64)>);

fn plain(row: &CfiRow) -> Row {
    let CfaRule::RegisterOffset(register, offset) = row.cfa else { panic!("{row:?}") };
    let saved = row
        .rules
        .iter()
        .map(|(register, rule)| match rule {
            Rule::Offset(offset) => (register.0, *offset),
            other => panic!("{other:?}"),
        })
        .collect();
    sorted(register, offset, saved)
}

fn sorted(register: Register, offset: i64, mut saved: Vec<(u8, i64)>) -> Row {
    saved.sort();
    (register, offset, saved)
}

/// What an encoding says far behind the prologue of `code`.
fn row_of(cpu: Cpu, encoding: u32, code: &[u8]) -> Option<Row> {
    match unwinding(cpu, Entry { start: Rva(0), encoding }, code, None)? {
        Unwinding::Row(row) => Some(plain(&row)),
        Unwinding::FrameDescription(_) => panic!("{encoding:#x}"),
    }
}

/// What it says after `executed`.
fn after(cpu: Cpu, encoding: u32, executed: &[u8]) -> Row {
    match unwinding(cpu, Entry { start: Rva(0), encoding }, executed, Some(executed)) {
        Some(Unwinding::Row(row)) => plain(&row),
        other => panic!("{other:?}"),
    }
}

#[test]
fn x64_with_a_frame_pointer() {
    // Mode 1. Five registers of three bits: RBX 1, R12 2 to R15 5; the lowest bits are the lowest word. The offset
    // counts words below RBP.
    let encoding = 0x0100_0000 | 5 << 16 | 1 | 2 << 3 | 3 << 6 | 4 << 9 | 5 << 12;
    let saved = vec![(3, -56), (5, -16), (12, -48), (13, -40), (14, -32), (15, -24), (16, -8)];
    assert_eq!(row_of(Cpu::X64, encoding, &[]), Some((x64::RBP, 16, saved)));
    // A number 0 leaves its word out.
    let encoding = 0x0100_0000 | 2 << 16 | 3 << 3;
    assert_eq!(row_of(Cpu::X64, encoding, &[]), Some((x64::RBP, 16, vec![(5, -16), (13, -24), (16, -8)])));
    // RBP itself is no register of such a frame.
    assert_eq!(row_of(Cpu::X64, 0x0100_0000 | 6, &[]), None);
}

#[test]
fn x64_without_a_frame_pointer() {
    // Mode 2. The stack in words, with the return address. Of one register, its number counts from 0.
    for (order, register) in [(0, 3), (1, 12), (2, 13), (3, 14), (4, 15), (5, 5)] {
        let encoding = 0x0200_0000 | 40 << 16 | 1 << 10 | order;
        assert_eq!(row_of(Cpu::X64, encoding, &[]), Some(sorted(x64::RSP, 320, vec![(register, -16), (16, -8)])));
    }
    // No register of six is left for number 6.
    assert_eq!(row_of(Cpu::X64, 0x0200_0000 | 40 << 16 | 1 << 10 | 6, &[]), None);
    // Seven registers are more than there are.
    assert_eq!(row_of(Cpu::X64, 0x0200_0000 | 40 << 16 | 7 << 10, &[]), None);
}

/// The inverse, as the header describes it: each register's number among those that are left, with places worth the
/// orders of what follows.
fn order_number(registers: &[u8]) -> u32 {
    const ALL: [u8; 6] = [3, 12, 13, 14, 15, 5];
    let rank = |register: u8| ALL.iter().position(|&it| it == register).unwrap();
    let weights: &[u32] = match registers.len() {
        6 | 5 => &[120, 24, 6, 2, 1],
        4 => &[60, 12, 3, 1],
        3 => &[20, 4, 1],
        2 => &[5, 1],
        _ => &[1],
    };
    let number = |(place, &register): (usize, &u8)| {
        let smaller = registers[..place].iter().filter(|&&before| rank(before) < rank(register)).count();
        (rank(register) - smaller) as u32 * weights.get(place).copied().unwrap_or(0)
    };
    registers.iter().enumerate().map(number).sum()
}

#[test]
fn x64_orders_of_saved_registers() {
    for registers in [
        &[3, 12, 13, 14, 15, 5][..],
        &[5, 15, 14, 13, 12, 3],
        &[12, 5, 3, 15, 13, 14],
        &[3, 12, 14, 15, 5],
        &[15, 13, 3, 5, 12],
        &[3, 14, 15, 5],
        &[5, 13, 3, 12],
        &[3, 14, 5],
        &[15, 12, 3],
        &[3, 5],
        &[14, 12],
    ] {
        let count = registers.len() as u32;
        let encoding = 0x0200_0000 | 20 << 16 | count << 10 | order_number(registers);
        // The first register is the lowest, the last one lies below the return address.
        let places = (0..).map(|index| -8 - 8 * i64::from(count) + 8 * index);
        let saved = registers.iter().copied().zip(places).chain([(16, -8)]).collect();
        assert_eq!(row_of(Cpu::X64, encoding, &[]), Some(sorted(x64::RSP, 160, saved)), "{registers:?}");
    }
}

#[test]
fn x64_frames_too_large_for_the_encoding() {
    // Mode 3. The stack field says where in the function the size is, the adjustment how many words were pushed too.
    let code = [0x53, 0x48, 0x81, 0xec, 0x78, 0x56, 0x34, 0x12]; // push rbx; sub rsp, 0x12345678
    let encoding = 0x0300_0000 | 4 << 16 | 2 << 13 | 1 << 10;
    let row = Some((x64::RSP, 0x1234_5678 + 16, vec![(3, -16), (16, -8)]));
    assert_eq!(row_of(Cpu::X64, encoding, &code), row);
    assert_eq!(row_of(Cpu::X64, encoding, &code[..7]), None);
    // The first push is not the first instruction: test edi, edi; je; push rbx; …
    let wrapped = [&[0x85, 0xff, 0x74, 0x40][..], &code].concat();
    assert_eq!(row_of(Cpu::X64, encoding, &wrapped), row);
    // No such instruction.
    assert_eq!(row_of(Cpu::X64, encoding, &[0x90; 64]), None);
}

#[test]
fn x64_in_the_prologue() {
    // push rbp; mov rbp, rsp; push r14; push rbx; sub rsp, 0x20; test edi, edi
    let code = [0x55, 0x48, 0x89, 0xe5, 0x41, 0x56, 0x53, 0x48, 0x83, 0xec, 0x20, 0x85, 0xff];
    let encoding = 0x0100_0000 | 2 << 16 | 1 | 4 << 3;
    for (executed, offset, saved) in [
        (0, 8, vec![(16, -8)]),
        (1, 16, vec![(5, -16), (16, -8)]),
        (4, 16, vec![(5, -16), (16, -8)]),
        (6, 24, vec![(5, -16), (14, -24), (16, -8)]),
        (7, 32, vec![(3, -32), (5, -16), (14, -24), (16, -8)]),
        (11, 64, vec![(3, -32), (5, -16), (14, -24), (16, -8)]),
    ] {
        assert_eq!(after(Cpu::X64, encoding, &code[..executed]), (x64::RSP, offset, saved), "{executed}");
    }
    // Behind it the encoding counts; and everywhere if it is not that of a function's start.
    let frame = (x64::RBP, 16, vec![(3, -32), (5, -16), (15, -24), (16, -8)]);
    assert_eq!(after(Cpu::X64, 0x0100_0000 | 2 << 16 | 1 | 5 << 3, &code), frame);
    assert_eq!(after(Cpu::X64, 0x8100_0000 | 2 << 16 | 1 | 5 << 3, &code[..1]), frame);
}

#[test]
fn arm64_frames() {
    // Mode 4: FP and LR at FP, pairs below it in the order of their numbers, whichever there are.
    let link = [(29, -16), (30, -8)];
    let with = |saved: &[(u8, i64)]| [saved, &link].concat();
    for (pairs, saved) in [
        (0x000, with(&[])),
        (0x001, with(&[(19, -24), (20, -32)])),
        (0x012, with(&[(21, -24), (22, -32), (27, -40), (28, -48)])),
        // d8 to d11 lie below and are not restored.
        (0x304, with(&[(23, -24), (24, -32)])),
    ] {
        assert_eq!(row_of(Cpu::Arm64, 0x0400_0000 | pairs, &[]), Some((arm64::FP, 16, saved)), "{pairs:#x}");
    }
}

#[test]
fn arm64_leaves() {
    // Mode 2: units of 16 bytes, which the pairs are part of; LR still has the return address.
    let saved = vec![(19, -8), (20, -16), (25, -24), (26, -32)];
    assert_eq!(row_of(Cpu::Arm64, 0x0200_0009 | 12 << 12, &[]), Some((arm64::SP, 192, saved)));
    assert_eq!(row_of(Cpu::Arm64, 0x0200_0000, &[]), Some((arm64::SP, 0, vec![])));
}

#[test]
fn arm64_in_the_prologue() {
    let code: Vec<u8> = [
        0xd503_237f_u32, // pacibsp
        0xa9bd_4ff4,     // stp x20, x19, [sp, #-0x30]!
        0xa902_7bfd,     // stp x29, x30, [sp, #0x20]
        0x9100_83fd,     // add x29, sp, #0x20
    ]
    .into_iter()
    .flat_map(u32::to_le_bytes)
    .collect();
    let encoding = 0x0400_0001;
    for (executed, offset, saved) in [
        (0, 0, vec![]),
        (4, 0, vec![]),
        (8, 48, vec![(19, -40), (20, -48)]),
        (12, 48, vec![(19, -40), (20, -48), (29, -16), (30, -8)]),
    ] {
        assert_eq!(after(Cpu::Arm64, encoding, &code[..executed]), (arm64::SP, offset, saved), "{executed}");
    }
    let frame = (arm64::FP, 16, vec![(19, -24), (20, -32), (29, -16), (30, -8)]);
    assert_eq!(after(Cpu::Arm64, encoding, &code), frame);
}

#[test]
fn entries_of_eh_frame_and_nothing() {
    let says = |cpu, encoding| unwinding(cpu, Entry { start: Rva(0), encoding }, &[], Some(&[]));
    assert_eq!(says(Cpu::X64, 0x5412_3456), Some(Unwinding::FrameDescription(0x12_3456)));
    assert_eq!(says(Cpu::Arm64, 0x0312_3456), Some(Unwinding::FrameDescription(0x12_3456)));
    for mode in [0, 5, 6, 15] {
        assert_eq!(says(Cpu::X64, mode << 24), None);
        assert_eq!(says(Cpu::Arm64, mode << 24), None);
    }
}
