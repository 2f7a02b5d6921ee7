//! Expected text of x86 and x64 is that of Visual Studio's disassembly window; bytes and lengths of the programs are llvm-objdump's.

mod arm64;
mod arm64_operands;
mod backward;
mod hostile;
mod operands;

use super::*;
use crate::registers::{Cpu, Register, x64, x86};

/// Names from tables.
#[derive(Default)]
struct Fake {
    /// Start, size, name.
    symbols: Vec<(u64, u64, &'static str)>,
    strings: Vec<(u64, &'static [u8])>,
    /// Register, displacement, size, name.
    locals: Vec<(Register, i64, i64, &'static str)>,
}

impl Names for Fake {
    fn symbol(&self, address: u64) -> Option<Label> {
        let holds = |&&(start, size, _): &&(u64, u64, &str)| (start..start + size).contains(&address);
        let &(start, _, name) = self.symbols.iter().find(holds)?;
        Some(Label { name: name.to_owned(), offset: address - start })
    }

    fn string(&self, address: u64) -> Option<Literal> {
        let (_, bytes) = self.strings.iter().find(|(start, _)| *start == address)?;
        strings::looks_like_text(bytes)
    }

    fn local(&self, _pc: u64, register: Register, displacement: i64) -> Option<Label> {
        let (_, start, _, name) = self
            .locals
            .iter()
            .find(|(base, start, size, _)| *base == register && (*start..start + size).contains(&displacement))?;
        Some(Label { name: (*name).to_owned(), offset: (displacement - start) as u64 })
    }
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits: String = hex.split_whitespace().collect();
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

fn all(code: &[u8], address: u64, cpu: Cpu, names: &dyn Names) -> Vec<Instruction> {
    disassemble(code, address, cpu, Limit::Count(usize::MAX), names).unwrap().instructions
}

/// The one instruction of `hex` as `mnemonic operands`.
fn text(hex: &str, cpu: Cpu, names: &dyn Names) -> String {
    let code = bytes(hex);
    let instructions = all(&code, 0x40_1000, cpu, names);
    assert_eq!(instructions.len(), 1, "{hex}");
    assert_eq!(instructions[0].bytes, code);
    format!("{} {}", instructions[0].mnemonic, instructions[0].operands).trim_end().to_owned()
}

/// As a front end writes it.
fn lines(instructions: &[Instruction], digits: usize) -> String {
    let line = |instruction: &Instruction| {
        let bytes: Vec<String> = instruction.bytes.iter().map(|byte| format!("{byte:02X}")).collect();
        let text = format!("{:<12}{}", instruction.mnemonic, instruction.operands);
        format!("{:0digits$X} {:<20} {}\n", instruction.address, bytes.join(" "), text.trim_end())
    };
    instructions.iter().map(line).collect()
}

#[test]
fn the_hello_world_of_32_bits() {
    let code = bytes("C7 45 F8 30 7B 9F 00  8B 45 F8  50  E8 8E F7 FF FF  83 C4 04");
    let names = Fake {
        symbols: vec![(0x9f_10d2, 5, "_printf"), (0x9f_1930, 0x40, "main")],
        strings: vec![(0x9f_7b30, b"Hello World!\n\0")],
        locals: vec![(x86::EBP, -8, 4, "message")],
    };
    let expected = r#"
009F1934 C7 45 F8 30 7B 9F 00 mov         dword ptr [message],offset string "Hello World!\n" (09F7B30h)
009F193B 8B 45 F8             mov         eax,dword ptr [message]
009F193E 50                   push        eax
009F193F E8 8E F7 FF FF       call        _printf (09F10D2h)
009F1944 83 C4 04             add         esp,4
"#;
    let listing = disassemble(&code, 0x9f_1934, Cpu::X86, Limit::Count(5), &names).unwrap();
    assert_eq!(lines(&listing.instructions, 8), expected.trim_start());
    assert_eq!(listing.ended, Ended::Limit);
}

/// `main` and `mainCRTStartup` as clang builds them, at another base.
#[test]
fn the_hello_world_of_64_bits() {
    let code = bytes(
        "48 83 EC 38  C7 44 24 34 00 00 00 00  48 8D 05 ED 0F 00 00  48 89 44 24 28  48 8B 4C 24 28
         48 8B 05 9C 10 00 00  FF D0  31 C0  48 83 C4 38  C3  0F 1F 00
         48 83 EC 28  E8 C7 FF FF FF  89 44 24 24  8B 4C 24 24  FF 15 69 10 00 00",
    );
    let names = Fake {
        symbols: vec![
            (0x7ff6_009f_1000, 0x2d, "main"),
            (0x7ff6_009f_20b0, 8, "__imp_ExitProcess"),
            (0x7ff6_009f_20c0, 8, "__imp_printf"),
        ],
        strings: vec![(0x7ff6_009f_2000, b"Hello World!\n\0")],
        locals: vec![(x64::RSP, 0x28, 8, "message")],
    };
    let expected = r#"
00007FF6009F1000 48 83 EC 38          sub         rsp,38h
00007FF6009F1004 C7 44 24 34 00 00 00 00 mov         dword ptr [rsp+34h],0
00007FF6009F100C 48 8D 05 ED 0F 00 00 lea         rax,[string "Hello World!\n" (07FF6009F2000h)]
00007FF6009F1013 48 89 44 24 28       mov         qword ptr [message],rax
00007FF6009F1018 48 8B 4C 24 28       mov         rcx,qword ptr [message]
00007FF6009F101D 48 8B 05 9C 10 00 00 mov         rax,qword ptr [__imp_printf (07FF6009F20C0h)]
00007FF6009F1024 FF D0                call        rax
00007FF6009F1026 31 C0                xor         eax,eax
00007FF6009F1028 48 83 C4 38          add         rsp,38h
00007FF6009F102C C3                   ret
00007FF6009F102D 0F 1F 00             nop         dword ptr [rax]
00007FF6009F1030 48 83 EC 28          sub         rsp,28h
00007FF6009F1034 E8 C7 FF FF FF       call        main (07FF6009F1000h)
00007FF6009F1039 89 44 24 24          mov         dword ptr [rsp+24h],eax
00007FF6009F103D 8B 4C 24 24          mov         ecx,dword ptr [rsp+24h]
00007FF6009F1041 FF 15 69 10 00 00    call        qword ptr [__imp_ExitProcess (07FF6009F20B0h)]
"#;
    assert_eq!(lines(&all(&code, 0x7ff6_009f_1000, Cpu::X64, &names), 16), expected.trim_start());
}

#[test]
fn a_limit_by_address_counts_starts() {
    let code = bytes("50  E8 00 00 00 00  C3");
    for (end, count) in [(0x1000, 0), (0x1001, 1), (0x1002, 2), (0x1006, 2), (0x1007, 3)] {
        let listing = disassemble(&code, 0x1000, Cpu::X86, Limit::End(end), &NoNames).unwrap();
        assert_eq!((listing.instructions.len(), listing.ended), (count, Ended::Limit), "{end:#x}");
    }
}

#[test]
fn a_byte_that_begins_no_instruction_is_one_entry() {
    // 06 was `push es`, which x64 does not have.
    let instructions = all(&bytes("06 90"), 0x1000, Cpu::X64, &NoNames);
    let shown: Vec<_> =
        instructions.iter().map(|one| (one.address, one.mnemonic.as_str(), one.bytes.len(), one.flow)).collect();
    assert_eq!(shown, [(0x1000, "(bad)", 1, Flow::Invalid), (0x1001, "nop", 1, Flow::Next)]);
}

#[test]
fn the_end_of_the_bytes_is_told() {
    let code = bytes("50  E8 00 00 00 00");
    for (length, count, ended) in [
        (0, 0, Ended::OutOfBytes(0x1000)),
        (1, 1, Ended::OutOfBytes(0x1001)),
        (5, 1, Ended::OutOfBytes(0x1001)),
        (6, 2, Ended::OutOfBytes(0x1006)),
    ] {
        let listing = disassemble(&code[..length], 0x1000, Cpu::X86, Limit::Count(9), &NoNames).unwrap();
        assert_eq!((listing.instructions.len(), listing.ended), (count, ended), "{length}");
    }
}

#[test]
fn other_processors_are_refused() {
    let refused = disassemble(&[0; 4], 0, Cpu::Arm, Limit::Count(1), &NoNames);
    assert_eq!(refused, Err(UnsupportedCpu(Cpu::Arm)));
}
