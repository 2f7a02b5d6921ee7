//! ARM64. The expected text is that of llvm-objdump 19 and of `llvm-mc-19 -disassemble -triple=aarch64 -mattr=+v8.5a`,
//! with names put in; groups of registers are written without spaces inside the braces.

use super::*;
use crate::registers::arm64;

#[test]
fn text_as_llvm_writes_it() {
    for (hex, expected) in [
        ("3F 23 03 D5", "paciasp"),
        ("5F 24 03 D5", "bti c"),
        ("1F 24 03 D5", "bti"),
        ("BF 3B 03 D5", "dmb ish"),
        ("9F 3F 03 D5", "dsb sy"),
        ("DF 3F 03 D5", "isb"),
        ("5F 3F 03 D5", "clrex"),
        ("1F 20 03 D5", "nop"),
        ("40 D0 3B D5", "mrs x0, TPIDR_EL0"),
        ("A0 44 3B D5", "mrs x0, S3_3_C4_C4_5"),
        ("14 44 1B D5", "msr FPCR, x20"),
        ("1F 42 1B D5", "msr NZCV, xzr"),
        ("01 00 00 D4", "svc #0"),
        ("00 00 3E D4", "brk #0xf000"),
        ("00 00 00 00", "udf #0x0"),
        ("1F 26 03 D5", "hint #0x30"),
        ("20 74 0B D5", "dc zva, x0"),
        ("25 75 0B D5", "ic ivau, x5"),
        ("41 00 E0 B8", "ldaddal w0, w1, [x2]"),
        ("3F 00 20 B8", "stadd w0, [x1]"),
        ("41 FC E0 C8", "casal x0, x1, [x2]"),
        ("82 7C 20 48", "casp x0, x1, x2, x3, [x4]"),
        ("20 08 40 F9", "ldr x0, [x1, #0x10]"),
        ("20 00 40 F9", "ldr x0, [x1]"),
        ("20 08 C0 3D", "ldr q0, [x1, #0x20]"),
        ("FD 7B C2 A8", "ldp x29, x30, [sp], #0x20"),
        ("FD 7B BE A9", "stp x29, x30, [sp, #-0x20]!"),
        ("09 C1 1F B8", "stur w9, [x8, #-0x4]"),
        ("20 D8 A2 B8", "ldrsw x0, [x1, w2, sxtw #2]"),
        ("00 78 21 F8", "str x0, [x0, x1, lsl #3]"),
        ("20 C8 62 38", "ldrb w0, [x1, w2, sxtw]"),
        ("2B 15 40 38", "ldrb w11, [x9], #0x1"),
        ("00 00 80 F9", "prfm pldl1keep, [x0]"),
        ("A6 60 9B F8", "prfum #0x6, [x5, #-0x4a]"),
        ("00 90 40 0D", "ld1 {v0.s}[1], [x0]"),
        ("00 88 DF 4C", "ld2 {v0.4s, v1.4s}, [x0], #32"),
        ("00 70 81 4C", "st1 {v0.16b}, [x0], x1"),
        ("41 FC 00 C8", "stlxr w0, x1, [x2]"),
        ("20 1C 0C 4E", "mov v0.s[1], w1"),
        ("20 3C 18 4E", "mov x0, v1.d[1]"),
        ("08 20 60 1E", "fcmp d0, #0.0"),
        ("00 10 7C 1E", "fmov d0, #-0.50000000"),
        ("00 10 2E 1E", "fmov s0, #1.00000000"),
        ("20 24 00 4F", "movi v0.4s, #0x1, lsl #8"),
        ("20 98 A0 4E", "cmeq v0.4s, v1.4s, #0"),
        ("20 54 23 4F", "shl v0.4s, v1.4s, #0x3"),
        ("41 F5 85 2E", "fcadd v1.2s, v10.2s, v5.2s, #270"),
        ("08 79 1F 53", "lsl w8, w8, #1"),
        ("30 FD 7F D3", "lsr x16, x9, #63"),
        ("B6 7E 08 13", "asr w22, w21, #8"),
        ("20 14 C1 93", "ror x0, x1, #0x5"),
        ("20 14 C2 93", "extr x0, x1, x2, #0x5"),
        ("10 0E 42 D3", "ubfx x16, x16, #2, #2"),
        ("00 1D 18 33", "bfi w0, w8, #8, #8"),
        ("E9 07 5A B3", "bfc x9, #38, #2"),
        ("13 6B 02 33", "bfxil w19, w24, #2, #25"),
        ("A9 7E 7F 93", "sbfiz x9, x21, #1, #32"),
        ("03 7D 40 93", "sxtw x3, w8"),
        ("28 1C 00 53", "uxtb w8, w1"),
        ("E0 03 01 AA", "mov x0, x1"),
        ("FD 03 00 91", "mov x29, sp"),
        ("49 01 80 52", "mov w9, #0xa"),
        ("E0 FF BF 52", "mov w0, #-0x10000"),
        ("E9 0B 01 32", "mov w9, #-0x7ffffffd"),
        ("00 00 80 92", "mov x0, #-0x1"),
        ("E0 F3 01 B2", "mov x0, #-0x5555555555555556"),
        ("20 00 E0 F2", "movk x0, #0x1, lsl #48"),
        ("20 1C 40 92", "and x0, x1, #0xff"),
        ("20 04 40 91", "add x0, x1, #0x1, lsl #12"),
        ("04 41 29 8B", "add x4, x8, w9, uxtw"),
        ("E0 63 21 8B", "add x0, sp, x1"),
        ("E0 4B 21 8B", "add x0, sp, w1, uxtw #2"),
        ("9F 41 2A EB", "cmp x12, w10, uxtw"),
        ("1F C0 21 EB", "cmp x0, w1, sxtw"),
        ("1F 01 09 6B", "cmp w8, w9"),
        ("1F 05 00 31", "cmn w8, #0x1"),
        ("5F 04 7D F2", "tst x2, #0x18"),
        ("E0 03 01 CB", "neg x0, x1"),
        ("E0 03 21 2A", "mvn w0, w1"),
        ("A7 02 5D AA", "orr x7, x21, x29, lsr #0"),
        ("08 7D 09 1B", "mul w8, w8, w9"),
        ("49 7C 28 9B", "smull x9, w2, w8"),
        ("E8 07 9F 1A", "cset w8, ne"),
        ("08 15 88 1A", "cinc w8, w8, eq"),
        ("F0 33 90 9A", "csel x16, xzr, x16, lo"),
        ("04 18 43 FA", "ccmp x0, #0x3, #0x4, ne"),
        ("FF 0B 5F D6", "retaa"),
        ("C0 03 5F D6", "ret"),
        ("00 01 1F D6", "br x8"),
        ("20 01 3F D6", "blr x9"),
    ] {
        assert_eq!(text(hex, Cpu::Arm64, &NoNames), expected, "{hex}");
    }
}

/// `main` as clang builds it for Windows.
#[test]
fn the_hello_world_of_arm64() {
    let code = bytes(
        "FF C3 00 D1  FE 13 00 F9  E8 03 1F 2A  E8 0F 00 B9  E8 1F 00 B9  08 00 00 B0  08 01 00 91  E8 0B 00 F9
         E0 0B 40 F9  08 00 00 B0  08 65 40 F9  00 01 3F D6  E0 0F 40 B9  FE 13 40 F9  FF C3 00 91  C0 03 5F D6",
    );
    let names = Fake {
        symbols: vec![(0x1_4000_1000, 0x40, "main"), (0x1_4000_20c8, 8, "__imp_printf")],
        strings: vec![(0x1_4000_2000, b"Hello World!\n\0")],
        locals: vec![(arm64::SP, 0x10, 8, "message")],
    };
    let expected = r#"
0000000140001000 FF C3 00 D1          sub         sp, sp, #0x30
0000000140001004 FE 13 00 F9          str         x30, [sp, #0x20]
0000000140001008 E8 03 1F 2A          mov         w8, wzr
000000014000100C E8 0F 00 B9          str         w8, [sp, #0xc]
0000000140001010 E8 1F 00 B9          str         w8, [sp, #0x1c]
0000000140001014 08 00 00 B0          adrp        x8, 0x140002000
0000000140001018 08 01 00 91          add         x8, x8, string "Hello World!\n" (0x140002000)
000000014000101C E8 0B 00 F9          str         x8, [message]
0000000140001020 E0 0B 40 F9          ldr         x0, [message]
0000000140001024 08 00 00 B0          adrp        x8, 0x140002000
0000000140001028 08 65 40 F9          ldr         x8, [x8, __imp_printf (0x1400020c8)]
000000014000102C 00 01 3F D6          blr         x8
0000000140001030 E0 0F 40 B9          ldr         w0, [sp, #0xc]
0000000140001034 FE 13 40 F9          ldr         x30, [sp, #0x20]
0000000140001038 FF C3 00 91          add         sp, sp, #0x30
000000014000103C C0 03 5F D6          ret
"#;
    assert_eq!(lines(&all(&code, 0x1_4000_1000, Cpu::Arm64, &names), 16), expected.trim_start());
}

#[test]
fn names_of_addresses() {
    let names = Fake {
        symbols: vec![(0x40_1f00, 0x100, "main"), (0x40_3000, 4, "g_counter"), (0x40_3010, 0x10, "g_table")],
        strings: vec![(0x40_5080, b"anonymous\0")],
        locals: vec![(arm64::FP, -0x24, 0x20, "buffer"), (arm64::SP, 0x10, 8, "argument")],
    };
    for (hex, expected) in [
        ("C0 03 00 94", "bl main (0x401f00)"),
        ("C5 03 00 94", "bl main+0x14 (0x401f14)"),
        ("00 10 00 94", "bl 0x405000"),
        ("00 78 00 54", "b.eq main (0x401f00)"),
        ("08 78 00 34", "cbz w8, main (0x401f00)"),
        ("08 78 18 36", "tbz w8, #0x3, main (0x401f00)"),
        // A page has no name.
        ("00 00 01 10", "adr x0, g_counter (0x403000)"),
        ("00 04 02 10", "adr x0, string \"anonymous\" (0x405080)"),
        ("10 00 00 D0", "adrp x16, 0x403000"),
        ("80 00 01 58", "ldr x0, g_table (0x403010)"),
        ("80 00 00 58", "ldr x0, 0x401010"),
        // The second half alone says nothing.
        ("00 04 00 91", "add x0, x0, #0x1"),
        // Locals: where the base is not moved, and no register is added to it.
        ("E8 0B 40 F9", "ldr x8, [argument]"),
        ("E8 17 40 B9", "ldr w8, [argument+0x4]"),
        ("A8 C3 1D B8", "stur w8, [buffer]"),
        ("E8 17 40 F9", "ldr x8, [sp, #0x28]"),
        ("E8 0F 41 F8", "ldr x8, [sp, #0x10]!"),
        ("E8 07 41 F8", "ldr x8, [sp], #0x10"),
        ("E8 6B 61 F8", "ldr x8, [sp, x1]"),
    ] {
        assert_eq!(text(hex, Cpu::Arm64, &names), expected, "{hex}");
    }
}

/// `adrp x8, 0x403000`, then something, then what may be the second half of the address.
#[test]
fn the_second_half_of_an_address_is_named() {
    let names = Fake {
        symbols: vec![(0x40_3000, 4, "g_counter"), (0x40_3010, 0x10, "g_table")],
        strings: vec![(0x40_3080, b"anonymous\0")],
        ..Fake::default()
    };
    for (between, last, expected) in [
        ("", "00 41 00 91", "add x0, x8, g_table (0x403010)"),
        ("", "00 01 02 91", "add x0, x8, string \"anonymous\" (0x403080)"),
        ("", "00 11 40 B9", "ldr w0, [x8, g_table (0x403010)]"),
        ("", "00 15 00 B9", "str w0, [x8, g_table+0x4 (0x403014)]"),
        ("", "00 01 40 B9", "ldr w0, [x8, g_counter (0x403000)]"),
        // Eight bytes that are read must not turn into text, and half a register is no address.
        ("", "00 41 40 F9", "ldr x0, [x8, #0x80]"),
        ("", "00 41 00 11", "add w0, w8, #0x10"),
        // add x8, x8, #0x10: the sum is known as well.
        ("08 41 00 91", "00 05 40 B9", "ldr w0, [x8, g_table+0x4 (0x403014)]"),
        // mov x8, x1; add x8, x8, x1; ldr w0, [x8], #4; ldr x8, [sp]: no longer the page.
        ("E8 03 01 AA", "00 41 00 91", "add x0, x8, #0x10"),
        ("08 01 01 8B", "00 41 00 91", "add x0, x8, #0x10"),
        ("00 45 40 B8", "00 41 00 91", "add x0, x8, #0x10"),
        ("E8 03 40 F9", "00 41 00 91", "add x0, x8, #0x10"),
        // bl; br x1; ret; no instruction: what follows is another's.
        ("00 00 00 94", "00 41 00 91", "add x0, x8, #0x10"),
        ("20 00 1F D6", "00 41 00 91", "add x0, x8, #0x10"),
        ("C0 03 5F D6", "00 41 00 91", "add x0, x8, #0x10"),
        ("FF FF FF FF", "00 41 00 91", "add x0, x8, #0x10"),
        // cbz x1, ...; cmp x8, x1; str x8, [sp]: a conditional jump and reading change nothing.
        ("41 00 00 B4", "00 41 00 91", "add x0, x8, g_table (0x403010)"),
        ("1F 01 01 EB", "00 41 00 91", "add x0, x8, g_table (0x403010)"),
        ("E8 03 00 F9", "00 41 00 91", "add x0, x8, g_table (0x403010)"),
    ] {
        let code = bytes(&format!("08 00 00 D0 {between} {last}"));
        let instructions = all(&code, 0x40_1000, Cpu::Arm64, &names);
        let last = instructions.last().unwrap();
        assert_eq!(format!("{} {}", last.mnemonic, last.operands), expected, "{between}");
    }
}

#[test]
fn backwards_by_fours() {
    // adrp x8; nop; ldr w0, [x8, #0x10]; ret
    let code = bytes("08 00 00 D0  1F 20 03 D5  00 11 40 B9  C0 03 5F D6");
    let names = Fake { symbols: vec![(0x40_3010, 4, "g_table")], ..Fake::default() };
    let load = "ldr w0, [x8, g_table (0x403010)]";
    let end = 0x40_1010;
    for (available, count, expected, ended) in [
        (16, 2, vec![load, "ret "], Ended::Limit),
        (16, 4, vec!["adrp x8, 0x403000", "nop ", load, "ret "], Ended::Limit),
        (16, 0, vec![], Ended::Limit),
        (7, 2, vec!["ret "], Ended::OutOfBytes(0x40_100c)),
        (3, 2, vec![], Ended::OutOfBytes(0x40_1010)),
    ] {
        let before = &code[code.len() - available..];
        let listing = disassemble_before(before, end, Cpu::Arm64, count, &[], &names).unwrap();
        let shown: Vec<String> =
            listing.instructions.iter().map(|one| format!("{} {}", one.mnemonic, one.operands)).collect();
        assert_eq!((shown, listing.ended), (expected.iter().map(|&line| line.to_owned()).collect(), ended));
        assert!(listing.instructions.last().is_none_or(|last| last.next_address() == end));
    }
}

#[test]
fn the_end_of_the_bytes_of_arm64_is_told() {
    let code = bytes("1F 20 03 D5  C0 03 5F D6");
    for (length, limit, count, ended) in [
        (8, Limit::Count(2), 2, Ended::Limit),
        (8, Limit::Count(3), 2, Ended::OutOfBytes(0x1008)),
        (7, Limit::Count(2), 1, Ended::OutOfBytes(0x1004)),
        (0, Limit::Count(1), 0, Ended::OutOfBytes(0x1000)),
        (8, Limit::End(0x1008), 2, Ended::Limit),
        (8, Limit::End(0x1004), 1, Ended::Limit),
        (8, Limit::End(0x100c), 2, Ended::OutOfBytes(0x1008)),
    ] {
        let listing = disassemble(&code[..length], 0x1000, Cpu::Arm64, limit, &NoNames).unwrap();
        assert_eq!((listing.instructions.len(), listing.ended), (count, ended), "{length} {limit:?}");
    }
}
