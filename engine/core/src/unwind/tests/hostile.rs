//! Input that lies: cycles, absurd sizes, and anything at all. A walk ends, in frames that lie above each other.

use super::*;
use crate::cfi::{CfaRule, Expression, Rule};
use crate::debuginfo::{FpoKind, FrameRule};
use crate::registers::{arm64, x64, x86};

const BASE: u64 = 0x10_4000_0000 >> 8 << 8;

/// A generator of numbers (xorshift), so that a failure can be repeated.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.next() as u8).collect()
    }
}

fn entries(values: &[u32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

fn x64_walk(directory: Vec<u8>, xdata: Vec<u8>, stack: Vec<u8>, registers: &[(Register, u64)]) -> Walk {
    let mut process = FakeProcess::default();
    let code = code(0x1000, &[(0x100, &[0xff, 0xd0]), (0x200, &[0xe8, 0, 0, 0, 0]), (0x300, &[0x5b, 0xc3])]);
    let image = FakeImage {
        sections: vec![(0x1000, code, true), (0x4000, xdata, false)],
        exception_directory: directory,
        ..Default::default()
    };
    process.module(BASE, Asked::Yes(image), Asked::No);
    process.memory.insert(STACK, stack);
    let mut context = context(Cpu::X64, &[(x64::RSP, STACK), (x64::RIP, BASE + 0x1080)]);
    registers.iter().for_each(|&(register, value)| context.set(register, value));
    let walk = walk(&process, &context, 64);
    check(&walk);
    walk
}

/// What holds of every walk.
fn check(walk: &Walk) {
    assert!(walk.frames.len() <= 64);
    for pair in walk.frames.windows(2) {
        let (inner, outer) = (&pair[0], &pair[1]);
        let is_leaf = inner.is_exact() && inner.registers.cpu().link_register().is_some();
        let (below, above) = (inner.registers.stack_pointer(), outer.registers.stack_pointer());
        assert!(outer.is_exact() || above > below || is_leaf && above == below);
        assert!(outer.registers.instruction_pointer().is_some());
    }
}

#[test]
fn chains_and_redirections_in_a_circle_end() {
    let stack = vec![0; 0x100];
    // Chained to itself; redirected to itself.
    let mut chained = vec![1 | 4 << 3, 0, 0, 0];
    chained.extend(entries(&[0x1000, 0x2000, 0x4000]));
    let walk = x64_walk(entries(&[0x1000, 0x2000, 0x4000]), chained, stack.clone(), &[]);
    assert_eq!(walk.end, WalkEnd::Done(Stop::NoCaller));
    let walk = x64_walk(entries(&[0x1000, 0x2000, 0x4001]), entries(&[0x1000, 0x2000, 0x4001]), stack, &[]);
    assert_eq!(walk.end, WalkEnd::Done(Stop::NoCaller));
}

#[test]
fn a_huge_frame_is_missing_memory() {
    // UWOP_ALLOC_LARGE of 0xfffffff8 bytes, twice.
    let large = [4, 0x11, 0xf8, 0xff, 0xff, 0xff];
    let xdata = [&[1, 4, 6, 0][..], &large, &large].concat();
    let walk = x64_walk(entries(&[0x1000, 0x2000, 0x4000]), xdata, vec![0; 0x100], &[]);
    assert_eq!(walk.end, WalkEnd::Done(Stop::NoMemory(STACK + 2 * 0xffff_fff8)));
}

#[test]
fn a_machine_frame_that_leads_to_itself_is_a_loop() {
    let frame = [BASE + 0x1080, 0x33, 0, STACK, 0x2b];
    let stack = frame.iter().flat_map(|word| word.to_le_bytes()).collect();
    let walk = x64_walk(entries(&[0x1000, 0x2000, 0x4000]), vec![1, 0, 1, 0, 0, 0x0a, 0, 0], stack, &[]);
    assert_eq!((walk.frames.len(), walk.end), (1, WalkEnd::Done(Stop::Loop)));
}

#[test]
fn registers_at_the_edge_of_the_address_space_do_not_overflow() {
    for value in [0, 1, u64::MAX, u64::MAX - 7, 1 << 63, 0xffff_ffff] {
        for directory in [entries(&[0x1000, 0x2000, 0x4000]), entries(&[0x5000, 0x6000, 0x4000]), Vec::new()] {
            let xdata = vec![1, 4, 3, 0x35, 4, 0x03, 2, 0x52, 1, 0x50, 0, 0];
            let registers = [(x64::RSP, value), (x64::RBP, value)];
            x64_walk(directory.clone(), xdata.clone(), vec![0; 0x40], &registers);
            x64_walk(directory, xdata, vec![0; 0x40], &[(x64::RIP, value), (x64::RBP, value)]);
        }
    }
}

#[test]
fn random_unwind_information_and_stacks_end() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for _ in 0..3000 {
        let mut directory = entries(&[0x1000, 0x1400, 0x4000, 0x1400, 0x2000, 0x4040]);
        if random.below(4) == 0 {
            let at = random.below(directory.len() as u64) as usize;
            directory[at] = random.next() as u8;
        }
        let mut xdata = random.bytes(0x200);
        xdata[0] = 1 + random.below(2) as u8 + 8 * random.below(8) as u8;
        xdata[0x40] = 1 + random.below(2) as u8;
        // Words are stack or code addresses more often than chance has it.
        let stack = (0..64).flat_map(|_| {
            let word = match random.below(4) {
                0 => STACK + random.below(0x220),
                1 => BASE + 0x1000 + random.below(0x1000),
                2 => BASE + [0x1102, 0x1205][random.below(2) as usize],
                _ => random.next(),
            };
            word.to_le_bytes()
        });
        let stack = stack.collect();
        let (frame, ip) = (STACK + random.below(0x200), BASE + 0x1000 + random.below(0x1000));
        x64_walk(directory, xdata, stack, &[(x64::RBP, frame), (x64::RIP, ip)]);
    }
}

#[test]
fn random_frame_records_end() {
    let mut random = Random(0x0123_4567_89ab_cdef);
    let words = [
        "$T0",
        "$T1",
        ".raSearch",
        ".raSearchStart",
        "$eip",
        "$esp",
        "$ebp",
        "$ebx",
        ".cbLocals",
        ".cbParams",
        "4",
        "0",
        "-1",
        "4294967295",
        "^",
        "=",
        "+",
        "-",
        "*",
        "/",
        "%",
        "@",
        "$",
        ".",
        "x",
        "^=",
    ];
    for _ in 0..3000 {
        let count = random.below(24);
        let text: Vec<&str> = (0..count).map(|_| words[random.below(words.len() as u64) as usize]).collect();
        let prefix = ["", "$T0 .raSearch = $eip $T0 ^ = $esp $T0 4 + = "][random.below(2) as usize];
        let rule = match random.below(4) {
            0 => FrameRule::Fpo {
                uses_base_pointer: random.below(2) == 0,
                kind: [FpoKind::Fpo, FpoKind::NonFpo, FpoKind::Trap][random.below(3) as usize],
            },
            _ => FrameRule::Program(format!("{prefix}{}", text.join(" "))),
        };
        let data = FrameData {
            start: Rva(0x1000),
            size_bytes: 0x1000,
            locals_bytes: [0, 8, u32::MAX][random.below(3) as usize],
            params_bytes: [0, 4, u32::MAX][random.below(3) as usize],
            saved_registers_bytes: [0, 4, 16, u16::MAX][random.below(4) as usize],
            prologue_bytes: 0,
            rule,
        };
        let base = 0x40_0000;
        let code = code(0x1000, &[(0x100, &[0xff, 0xd0]), (0x200, &[0xe8, 0, 0, 0, 0]), (0x300, &[0x5b, 0xc3])]);
        let image = FakeImage { sections: vec![(0x1000, code, true)], ..FakeImage::default() };
        let mut process = FakeProcess::default();
        let debug = FakeDebugInfo { frame_data: vec![data], functions: vec![(0x1000, 0x2000)], ..Default::default() };
        process.module(base, Asked::Yes(image), Asked::Yes(debug));
        let stack: Vec<u64> = (0..64)
            .map(|_| match random.below(3) {
                0 => STACK + random.below(0x120),
                1 => base + [0x1102, 0x1205, 0x1100][random.below(3) as usize],
                _ => random.next(),
            })
            .collect();
        process.words(STACK, 4, &stack);
        let ip = base + 0x1000 + random.below(0x1000);
        let registers = [(x86::ESP, STACK), (x86::EBP, STACK + random.below(0x100)), (x86::EIP, ip)];
        check(&walk(&process, &context(Cpu::X86, &registers), 64));
    }
}

#[test]
fn random_arm64_information_and_stacks_end() {
    let mut random = Random(0xfeed_beef_0bad_cafe);
    for _ in 0..2000 {
        let mut directory = Vec::new();
        for start in [0x1000, 0x1400, 0x1800] {
            // A record in `.xdata`, packed data, or anything.
            let word = [0x4000 + (random.below(0x40) as u32 * 4), random.next() as u32 & !3 | 1, random.next() as u32];
            directory.extend(entries(&[start, word[random.below(3) as usize]]));
        }
        let mut xdata = random.bytes(0x300);
        // Records of version 0 come more often than by chance.
        (0..0x100).step_by(4).for_each(|at| xdata[at + 2] &= 0xf3);
        let code = (0..0x400_u32).flat_map(|index| {
            let word = [0xd503_201f, 0x9400_0000 | index, 0xd63f_0100, 0xd65f_03c0, random.next() as u32];
            word[random.below(5) as usize].to_le_bytes()
        });
        let sections = vec![(0x1000, code.collect(), true), (0x4000, xdata, false)];
        let mut process = FakeProcess::default();
        let image = FakeImage { sections, exception_directory: directory, ..FakeImage::default() };
        process.module(BASE, Asked::Yes(image), Asked::No);
        let stack: Vec<u64> = (0..128)
            .map(|_| match random.below(3) {
                0 => STACK + random.below(0x400),
                1 => BASE + 0x1000 + random.below(0x400) * 4,
                _ => random.next(),
            })
            .collect();
        process.words(STACK, 8, &stack);
        let mut context = context(Cpu::Arm64, &[]);
        for index in 0..33 {
            let value =
                if random.below(2) == 0 { STACK + random.below(0x400) } else { BASE + 0x1000 + random.below(0x1000) };
            context.set(Register(index), value);
        }
        context.set(arm64::SP, STACK + random.below(0x200));
        context.set(arm64::PC, BASE + 0x1000 + random.below(0x1000));
        check(&walk(&process, &context, 64));
    }
}

#[test]
fn random_rows_and_expressions_end() {
    let mut random = Random(0x5eed_0f0e_0d0c_0b0a);
    let words = [
        ".cfa",
        "$rsp",
        "rbp",
        "x29",
        "8",
        "-16",
        "^",
        "+",
        "-",
        "*",
        "/",
        "%",
        "@",
        "=",
        "",
        "$",
        "18446744073709551615",
    ];
    for round in 0..3000 {
        let cpu = [Cpu::X86, Cpu::X64, Cpu::Arm64, Cpu::Arm][round % 4];
        let registers = cpu.register_names().len() as u64;
        let expression = |random: &mut Random| match random.below(2) {
            // Literals, registers and arithmetic (0x10 to 0x9f) come more often than by chance.
            0 => Expression::Dwarf((0..random.below(12)).map(|_| (0x06 + random.below(0xa0)) as u8).collect()),
            _ => {
                let text = (0..random.below(8)).map(|_| words[random.below(words.len() as u64) as usize]);
                Expression::Postfix(text.collect::<Vec<_>>().join(" "))
            }
        };
        let offset = |random: &mut Random| [0, -8, 16, i64::MIN, i64::MAX][random.below(5) as usize];
        let mut row = || CfiRow {
            cfa: match random.below(3) {
                0 => CfaRule::Expression(expression(&mut random)),
                _ => CfaRule::RegisterOffset(Register(random.below(registers) as u8), offset(&mut random)),
            },
            rules: (0..random.below(registers) as u8)
                .map(|register| {
                    let rule = match random.below(8) {
                        0 => Rule::Undefined,
                        1 => Rule::SameValue,
                        2 => Rule::ValueOffset(offset(&mut random)),
                        3 => Rule::Register(Register(random.below(256) as u8)),
                        4 => Rule::Expression(expression(&mut random)),
                        5 => Rule::ValueExpression(expression(&mut random)),
                        _ => Rule::Offset(offset(&mut random)),
                    };
                    (Register(register), rule)
                })
                .collect(),
            return_address: Register(random.below(registers) as u8),
            is_signal_frame: random.below(4) == 0,
        };
        let rows = vec![(0x1000..0x1800, row()), (0x1800..0x2000, row())];
        let mut process = FakeProcess { is_system_v: true, ..FakeProcess::default() };
        let sections = vec![(0x1000, code(0x1000, &[(0x100, &[0xff, 0xd0])]), true)];
        process.module(0x40_0000, Asked::Yes(FakeImage { sections, rows, ..FakeImage::default() }), Asked::No);
        let stack: Vec<u64> = (0..64)
            .map(|_| if random.below(2) == 0 { STACK + random.below(0x200) } else { 0x40_1000 + random.below(0x1000) })
            .collect();
        process.words(STACK, cpu.pointer_size_bytes(), &stack);
        let mut context = context(cpu, &[]);
        (0..registers).for_each(|index| context.set(Register(index as u8), STACK + random.below(0x200)));
        context.set(cpu.instruction_pointer(), 0x40_1000 + random.below(0x1000));
        check(&walk(&process, &context, 64));
    }
}
