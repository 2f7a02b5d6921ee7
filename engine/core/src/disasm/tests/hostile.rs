//! Bytes that are no code, at addresses that are none, with names for everything.

use super::*;

/// Names every address and every place in a frame.
struct Everything;

impl Names for Everything {
    fn symbol(&self, address: u64) -> Option<Label> {
        Some(Label { name: "symbol".to_owned(), offset: address % 3 })
    }

    fn string(&self, _address: u64) -> Option<Literal> {
        Some(Literal { text: "\u{202e}\x1b[31m\"".to_owned(), encoding: Encoding::Wide, is_complete: false })
    }

    fn local(&self, _pc: u64, _register: Register, displacement: i64) -> Option<Label> {
        Some(Label { name: "local".to_owned(), offset: displacement as u64 })
    }
}

/// A xorshift generator: the same bytes in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.next() as u8).collect()
    }
}

/// Forward and backward; each listing covers its bytes without gap or overlap.
fn check(code: &[u8], address: u64, cpu: Cpu) {
    for names in [&NoNames as &dyn Names, &Everything] {
        let listing = disassemble(code, address, cpu, Limit::Count(usize::MAX), names).unwrap();
        let mut covered = 0;
        for instruction in &listing.instructions {
            assert_eq!(instruction.address, address.wrapping_add(covered as u64));
            assert_eq!(instruction.bytes, code[covered..covered + instruction.bytes.len()]);
            assert!(!instruction.operands.contains(['\x1b', '\u{202e}']));
            covered += instruction.bytes.len();
        }
        assert_eq!(listing.ended, Ended::OutOfBytes(address.wrapping_add(covered as u64)));
        assert!(code.len() - covered < 15);
    }
    let end = address.wrapping_add(code.len() as u64);
    for count in [1, 7, usize::MAX] {
        let listing = disassemble_before(code, end, cpu, count, &[address, address.wrapping_add(3)], &NoNames).unwrap();
        assert!(listing.instructions.len() <= count);
        let last = listing.instructions.last();
        assert!(last.is_none_or(|last| last.next_address() == end));
    }
}

#[test]
fn random_bytes_of_every_length() {
    let mut random = Random(0x9f_1934);
    for round in 0..2000 {
        let code = random.bytes(round % 64);
        let address = [0, 0x9f_1934, 0x7ff6_009f_1000, u64::MAX - 20, u64::from(u32::MAX) - 20][round % 5];
        for cpu in [Cpu::X86, Cpu::X64, Cpu::Arm64] {
            check(&code, address, cpu);
        }
    }
}

/// The upper half of a word says what it does: each with several lower halves.
#[test]
fn every_upper_half_of_an_arm64_word() {
    let mut random = Random(0x9f_1934);
    for upper in 0..=u16::MAX {
        let words = [0, u16::MAX, random.next() as u16, random.next() as u16].map(|lower| [lower, upper]);
        let code: Vec<u8> = words.iter().flatten().flat_map(|half| half.to_le_bytes()).collect();
        let listing = disassemble(&code, 0x40_1000, Cpu::Arm64, Limit::Count(4), &Everything).unwrap();
        assert_eq!(listing.instructions.len(), 4, "{upper:04x}");
    }
}

#[test]
fn every_opcode_behind_every_prefix() {
    let mut random = Random(0x140_0000);
    let prefixes = ["", "66", "67", "F0", "F2", "F3", "2E", "64", "65", "66 67", "48", "4F", "66 F3 48", "0F", "0F 38"];
    let vector = ["0F 3A", "C5 F8", "C4 E2 7D", "62 F1 7C 48", "62 F2 FD 2F", "8F E8 78", "C4 E3 F9"];
    for prefix in prefixes.into_iter().chain(vector) {
        for opcode in 0..=255 {
            let mut code = bytes(prefix);
            code.push(opcode);
            code.extend(random.bytes(14));
            for cpu in [Cpu::X86, Cpu::X64] {
                check(&code, 0x40_1000, cpu);
            }
        }
    }
}
