//! Sections assembled by hand: the bytes are those of the specification's tables, the rows what its rules demand.

use super::*;
use crate::registers::{Register, arm64, x64};

const SECTION: u64 = 0x40_2000;
const CODE: u64 = 0x40_1000;

/// DW_CFA instructions that the tests use.
mod op {
    pub const SET_LOC: u8 = 0x01;
    pub const OFFSET_EXTENDED: u8 = 0x05;
    pub const UNDEFINED: u8 = 0x07;
    pub const SAME_VALUE: u8 = 0x08;
    pub const REGISTER: u8 = 0x09;
    pub const REMEMBER_STATE: u8 = 0x0a;
    pub const RESTORE_STATE: u8 = 0x0b;
    pub const DEF_CFA: u8 = 0x0c;
    pub const DEF_CFA_REGISTER: u8 = 0x0d;
    pub const DEF_CFA_OFFSET: u8 = 0x0e;
    pub const DEF_CFA_EXPRESSION: u8 = 0x0f;
    pub const EXPRESSION: u8 = 0x10;
    pub const VAL_OFFSET: u8 = 0x14;
    pub const VAL_EXPRESSION: u8 = 0x16;
    pub const AARCH64_NEGATE_RA_STATE: u8 = 0x2d;
    pub const ADVANCE_LOC: u8 = 0x40;
    pub const OFFSET: u8 = 0x80;
}

/// A `.eh_frame` being written.
struct EhFrame {
    bytes: Vec<u8>,
    /// Start of the code and address of the entry, for the search table.
    entries: Vec<(u64, u64)>,
}

impl EhFrame {
    fn new() -> EhFrame {
        EhFrame { bytes: Vec::new(), entries: Vec::new() }
    }

    fn entry(&mut self, content: &[u8]) -> usize {
        let start = self.bytes.len();
        let padded = content.len().next_multiple_of(4);
        self.bytes.extend((padded as u32).to_le_bytes());
        self.bytes.extend(content);
        self.bytes.resize(start + 4 + padded, 0); // DW_CFA_nop
        start
    }

    /// A CIE with code alignment 1 and data alignment -8, whose augmentation data is `data`.
    fn cie(&mut self, augmentation: &str, return_address: u8, data: &[u8], instructions: &[u8]) -> usize {
        let mut content = vec![0, 0, 0, 0, 1];
        content.extend(augmentation.as_bytes());
        content.extend([0, 1, 0x78, return_address]);
        if augmentation.starts_with('z') {
            content.push(data.len() as u8);
            content.extend(data);
        }
        content.extend(instructions);
        self.entry(&content)
    }

    /// An FDE whose addresses are pcrel|sdata4, as `zR` with 0x1b says; `data` is its augmentation data.
    fn fde(&mut self, cie: usize, start: u64, size: u32, data: &[u8], instructions: &[u8]) {
        let at = self.bytes.len();
        let mut content = ((at + 4 - cie) as u32).to_le_bytes().to_vec();
        content.extend((start.wrapping_sub(SECTION + at as u64 + 8) as u32).to_le_bytes());
        content.extend(size.to_le_bytes());
        content.push(data.len() as u8);
        content.extend(data);
        content.extend(instructions);
        self.entries.push((start, SECTION + at as u64));
        self.entry(&content);
    }

    /// `.eh_frame_hdr` at `address`, sorted as linkers sort it.
    fn header(&self, address: u64) -> Vec<u8> {
        let mut bytes = vec![1, 0x1b, 0x03, 0x3b];
        bytes.extend((SECTION.wrapping_sub(address + 4) as u32).to_le_bytes());
        bytes.extend((self.entries.len() as u32).to_le_bytes());
        let mut entries = self.entries.clone();
        entries.sort_unstable();
        for value in entries.iter().flat_map(|&(code, entry)| [code, entry]) {
            bytes.extend((value.wrapping_sub(address) as u32).to_le_bytes());
        }
        bytes
    }

    fn section(&self, header: Option<(u64, Vec<u8>)>) -> FrameSection {
        FrameSection {
            kind: FrameSectionKind::EhFrame,
            bytes: Data::from(self.bytes.clone()),
            address: SECTION,
            text: None,
            data: None,
            header: header.map(|(address, bytes)| (address, Data::from(bytes))),
        }
    }

    fn frames(&self, cpu: Cpu) -> CallFrames {
        CallFrames::new(self.section(None), cpu)
    }
}

/// The CIE that x64 compilers write: the CFA is RSP + 8, the return address is below it.
fn x64_cie(frames: &mut EhFrame) -> usize {
    frames.cie("zR", 16, &[0x1b], &[op::DEF_CFA, 7, 8, op::OFFSET | 16, 1])
}

fn row(cfa: (Register, i64), rules: &[(Register, i64)]) -> CfiRow {
    CfiRow {
        cfa: CfaRule::RegisterOffset(cfa.0, cfa.1),
        rules: rules.iter().map(|&(register, offset)| (register, Rule::Offset(offset))).collect(),
        return_address: x64::RIP,
        is_signal_frame: false,
    }
}

fn rules_of(row: CfiRow) -> Vec<(Register, Rule)> {
    let mut rules = row.rules;
    rules.sort_by_key(|(register, _)| *register);
    rules
}

/// `push rbp; mov rbp, rsp; …; leave; ret`, 0x40 bytes at [`CODE`], and a function without a frame after a gap.
fn two_functions() -> EhFrame {
    let mut frames = EhFrame::new();
    let cie = x64_cie(&mut frames);
    // Written last to first: the section need not be sorted.
    frames.fde(cie, CODE + 0x80, 0x10, &[], &[]);
    let body = [
        op::ADVANCE_LOC | 1,
        op::DEF_CFA_OFFSET,
        16,
        op::OFFSET | 6,
        2,
        op::ADVANCE_LOC | 3,
        op::DEF_CFA_REGISTER,
        6,
        op::ADVANCE_LOC | 0x3b,
        op::DEF_CFA,
        7,
        8,
    ];
    frames.fde(cie, CODE, 0x40, &[], &body);
    frames
}

#[test]
fn rows_are_those_of_each_instruction() {
    let frames = two_functions();
    let header = (SECTION + 0x1000, frames.header(SECTION + 0x1000));
    let by_index = frames.frames(Cpu::X64);
    let by_table = CallFrames::new(frames.section(Some(header)), Cpu::X64);
    let (rsp, rbp, rip) = (x64::RSP, x64::RBP, x64::RIP);
    let rbp_saved = [(rbp, -16), (rip, -8)];
    for (offset, expected) in [
        (-1, None),
        (0, Some(row((rsp, 8), &[(rip, -8)]))),
        (1, Some(row((rsp, 16), &rbp_saved))),
        (3, Some(row((rsp, 16), &rbp_saved))),
        (4, Some(row((rbp, 16), &rbp_saved))),
        (0x3e, Some(row((rbp, 16), &rbp_saved))),
        (0x3f, Some(row((rsp, 8), &rbp_saved))),
        (0x40, None),
        (0x7f, None),
        (0x80, Some(row((rsp, 8), &[(rip, -8)]))),
        (0x8f, Some(row((rsp, 8), &[(rip, -8)]))),
        (0x90, None),
    ] {
        for frames in [&by_index, &by_table] {
            let mut found = frames.row_at(CODE.wrapping_add_signed(offset));
            if let Some(row) = &mut found {
                row.rules.sort_by_key(|(register, _)| *register);
            }
            assert_eq!(found, expected, "{offset:#x}");
        }
    }
    for address in [0, u64::MAX] {
        assert_eq!((by_index.row_at(address), by_table.row_at(address)), (None, None));
    }
}

#[test]
fn the_search_table_is_used_and_others_are_done_without() {
    let frames = two_functions();
    let address = SECTION + 0x1000;
    let found = |header: Vec<u8>| {
        CallFrames::new(frames.section(Some((address, header))), Cpu::X64).row_at(CODE + 0x80).is_some()
    };
    let good = frames.header(address);
    assert!(found(good.clone()));
    // A table that knows only the first function is believed: that shows that nobody read the section.
    let mut short = good.clone();
    short[8] = 1;
    assert!(!found(short));
    // A version, encodings and a size that nobody writes; no rows.
    for (at, value) in [(0, 2), (1, 0xff), (2, 0xff), (3, 0x1b), (8, 200), (8, 0)] {
        let mut bad = good.clone();
        bad[at] = value;
        assert!(found(bad), "{at}");
    }
    assert!(found(good[..good.len() - 1].to_vec()));
    assert!(found(Vec::new()));
}

#[test]
fn every_rule_has_its_counterpart() {
    let mut frames = EhFrame::new();
    let cie = x64_cie(&mut frames);
    let instructions = [
        &[op::UNDEFINED, 16, op::SAME_VALUE, 3, op::REGISTER, 12, 0][..],
        &[op::VAL_OFFSET, 7, 2],
        &[op::EXPRESSION, 6, 2, 0x77, 0x10], // DW_OP_breg7 16
        &[op::VAL_EXPRESSION, 13, 1, 0x30],  // DW_OP_lit0
        &[op::OFFSET_EXTENDED, 14, 4],
        &[op::OFFSET_EXTENDED, 17, 6],         // xmm0, which rows do not have
        &[op::DEF_CFA_EXPRESSION, 2, 0x77, 8], // DW_OP_breg7 8
    ];
    frames.fde(cie, CODE, 0x10, &[], &instructions.concat());
    let row = frames.frames(Cpu::X64).row_at(CODE).unwrap();
    assert_eq!(row.cfa, CfaRule::Expression(Expression::Dwarf(vec![0x77, 8])));
    let expected = vec![
        (x64::RBX, Rule::SameValue),
        (x64::RSP, Rule::ValueOffset(-16)),
        (x64::RBP, Rule::Expression(Expression::Dwarf(vec![0x77, 0x10]))),
        (x64::R12, Rule::Register(x64::RAX)),
        (Register(13), Rule::ValueExpression(Expression::Dwarf(vec![0x30]))),
        (Register(14), Rule::Offset(-32)),
        (x64::RIP, Rule::Undefined),
    ];
    assert_eq!(rules_of(row), expected);
}

#[test]
fn a_state_is_remembered_and_restored() {
    let mut frames = EhFrame::new();
    let cie = x64_cie(&mut frames);
    let instructions = [
        &[op::ADVANCE_LOC | 1, op::DEF_CFA_OFFSET, 32, op::REMEMBER_STATE][..],
        &[op::ADVANCE_LOC | 1, op::DEF_CFA_OFFSET, 8, op::ADVANCE_LOC | 1, op::RESTORE_STATE],
    ];
    frames.fde(cie, CODE, 8, &[], &instructions.concat());
    let frames = frames.frames(Cpu::X64);
    let offsets = [8, 32, 8, 32].map(|offset| CfaRule::RegisterOffset(x64::RSP, offset));
    assert_eq!([0, 1, 2, 3].map(|offset| frames.row_at(CODE + offset).unwrap().cfa), offsets);
}

#[test]
fn augmentations_are_understood() {
    for (augmentation, data, is_signal_frame) in [
        ("zR", &[0x1b][..], false),
        // Personality (absolute, udata4), language-specific data (udata4), addresses.
        ("zPLR", &[0x03, 1, 2, 3, 4, 0x03, 0x1b], false),
        ("zRS", &[0x1b], true),
        ("zRB", &[0x1b], false),
    ] {
        let mut frames = EhFrame::new();
        let cie = frames.cie(augmentation, 30, data, &[op::DEF_CFA, 31, 0]);
        let lsda: &[u8] = if augmentation.contains('L') { &[4, 3, 2, 1] } else { &[] };
        frames.fde(cie, CODE, 0x10, lsda, &[op::AARCH64_NEGATE_RA_STATE, op::OFFSET | 29, 2]);
        let row = frames.frames(Cpu::Arm64).row_at(CODE).unwrap();
        assert_eq!(row.is_signal_frame, is_signal_frame, "{augmentation}");
        assert_eq!(row.return_address, arm64::LR);
        assert_eq!(row.cfa, CfaRule::RegisterOffset(arm64::SP, 0));
        // The state of the return address's signature is no register of ours.
        assert_eq!(row.rules, [(arm64::FP, Rule::Offset(-16))]);
    }
}

#[test]
fn debug_frame_has_plain_addresses_and_refers_from_its_start() {
    let mut bytes = vec![0; 0];
    let mut entry = |content: &[u8]| {
        bytes.extend((content.len() as u32).to_le_bytes());
        bytes.extend(content);
    };
    // Version 4: no augmentation, address size 4, segment selector size 0, alignments 1 and -4, return address in 8.
    entry(&[&[0xff, 0xff, 0xff, 0xff, 4, 0, 4, 0, 1, 0x7c, 8, op::DEF_CFA, 4, 4, op::OFFSET | 8, 1][..]].concat());
    entry(&[&[0, 0, 0, 0][..], &0x40_1000_u32.to_le_bytes(), &16_u32.to_le_bytes()].concat());
    let set_loc = [&[op::SET_LOC][..], &0x40_2008_u32.to_le_bytes(), &[op::DEF_CFA_OFFSET, 8, 0]].concat();
    entry(&[&[0, 0, 0, 0][..], &0x40_2000_u32.to_le_bytes(), &16_u32.to_le_bytes(), &set_loc].concat());
    let section = FrameSection {
        kind: FrameSectionKind::DebugFrame,
        bytes: Data::from(bytes),
        address: 0,
        text: None,
        data: None,
        header: None,
    };
    let frames = CallFrames::new(section, Cpu::X86);
    let (esp, eip) = (crate::registers::x86::ESP, crate::registers::x86::EIP);
    for (address, offset) in [(0x40_1000, 4), (0x40_100f, 4), (0x40_2007, 4), (0x40_2008, 8)] {
        let row = frames.row_at(address).unwrap();
        assert_eq!((row.cfa, row.return_address), (CfaRule::RegisterOffset(esp, offset), eip), "{address:#x}");
        assert_eq!(row.rules, [(eip, Rule::Offset(-4))]);
    }
    assert_eq!(frames.row_at(0x40_1010), None);
}

#[test]
fn what_is_damaged_gives_no_row() {
    let good = two_functions();
    assert!(good.frames(Cpu::X64).row_at(CODE + 4).is_some());
    for length in 0..good.bytes.len() {
        let cut = EhFrame { bytes: good.bytes[..length].to_vec(), entries: Vec::new() };
        let frames = cut.frames(Cpu::X64);
        assert_eq!(frames.row_at(CODE + 4), None, "cut at {length}");
    }
    // A CFA by xmm0; a restored state that was never remembered; an entry that is its own CIE.
    let mut frames = EhFrame::new();
    let cie = x64_cie(&mut frames);
    frames.fde(cie, CODE, 0x10, &[], &[op::DEF_CFA, 17, 0]);
    frames.fde(cie, CODE + 0x10, 0x10, &[], &[op::RESTORE_STATE]);
    let own = frames.bytes.len();
    frames.fde(own, CODE + 0x20, 0x10, &[], &[]);
    let frames = frames.frames(Cpu::X64);
    assert!([0, 0x10, 0x20].iter().all(|offset| frames.row_at(CODE + offset).is_none()));
}

#[test]
fn what_is_damaged_costs_itself() {
    let mut frames = EhFrame::new();
    let broken = frames.entry(&[0, 0, 0, 0, 99, 0, 1, 0x78, 16, 0, 0, 0]); // version 99
    frames.fde(broken, CODE, 0x10, &[], &[]);
    frames.bytes.extend([0; 4]); // a terminator that was linked too early
    let cie = x64_cie(&mut frames);
    frames.fde(cie, CODE + 0x10, 0x10, &[], &[]);
    frames.fde(cie + 4, CODE + 0x20, 0x10, &[], &[]); // refers into the midst of one
    frames.fde(cie, CODE + 0x30, 0, &[], &[]);
    frames.fde(cie, CODE + 0x40, 0x10, &[], &[]);
    let frames = frames.frames(Cpu::X64);
    let found = [0, 0x10, 0x20, 0x30, 0x40].map(|offset| frames.row_at(CODE + offset).is_some());
    assert_eq!(found, [false, true, false, false, true]);
}

#[test]
fn random_damage_is_survived() {
    let good = two_functions();
    let header = good.header(SECTION + 0x1000);
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random
    };
    for _ in 0..1000 {
        let mut bytes = [&(header.len() as u16).to_le_bytes()[..], &header, &good.bytes].concat();
        for _ in 0..1 + next() % 4 {
            let at = next() as usize % bytes.len();
            bytes[at] = next() as u8;
        }
        crate::exercise::eh_frame(&bytes);
    }
}
