//! ARM64 instruction words, as far as return addresses and stack pointers go.
//!
//! Source: Arm Architecture Reference Manual for A-profile, section C4.1, "A64 instruction set encoding".

use super::Process;
use super::code_bytes::read_code;

const LINK: u32 = 30;
const STACK: u32 = 31;

/// What an instruction means to an unwinder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// `bl`: a call of this address.
    Call(u64),
    /// `blr`, with or without authentication: a call through a register.
    IndirectCall,
    /// `ret`, with or without authentication, by the link register.
    Return,
    /// `b` to this address.
    Jump(u64),
    /// `br`, with or without authentication: a jump through a register.
    IndirectJump,
    /// A branch that may not be taken.
    Conditional,
    /// `brk`.
    Breakpoint,
    /// The stack pointer moves by this many bytes.
    MovesStack(i64),
    /// It may change the link register or the stack pointer in a way that is not followed.
    ChangesLinkOrStack,
    /// Anything else.
    Other,
}

/// The instruction at `address`, if it can be read.
pub(super) fn meaning_at(process: &dyn Process, address: u64) -> Option<Meaning> {
    let mut bytes = [0; 4];
    let is_there = address.is_multiple_of(4) && read_code(process, address, &mut bytes) == 4;
    is_there.then(|| meaning(u32::from_le_bytes(bytes), address))
}

/// What `word` at `address` means.
pub(super) fn meaning(word: u32, address: u64) -> Meaning {
    // Bits 28 to 25 tell the groups apart.
    match (word >> 25) & 0xf {
        0b1000 | 0b1001 => immediate(word),
        0b1010 | 0b1011 => branch(word, address),
        0b0100 | 0b0110 | 0b1100 | 0b1110 => load_or_store(word),
        _ if word & 31 == LINK => Meaning::ChangesLinkOrStack,
        _ => Meaning::Other,
    }
}

fn branch(word: u32, address: u64) -> Meaning {
    let target = || address.wrapping_add_signed(signed(word & 0x03ff_ffff, 26) * 4);
    match word {
        _ if word & 0xfc00_0000 == 0x9400_0000 => Meaning::Call(target()),
        _ if word & 0xfc00_0000 == 0x1400_0000 => Meaning::Jump(target()),
        // Bit 24 and bits 11 and 10 choose the kind of authentication.
        _ if word & 0xfeff_f000 == 0xd63f_0000 => Meaning::IndirectCall,
        _ if word & 0xfeff_f000 == 0xd61f_0000 => Meaning::IndirectJump,
        0xd65f_03c0 | 0xd65f_0bff | 0xd65f_0fff => Meaning::Return,
        _ if word & 0xffe0_001f == 0xd420_0000 => Meaning::Breakpoint,
        // `svc`; hints, among them those that sign and check the link register, whose address part they keep.
        _ if word & 0xffe0_001f == 0xd400_0001 || word & 0xffff_f01f == 0xd503_201f => Meaning::Other,
        _ if word & 0xff00_0000 == 0x5400_0000 || word & 0x7c00_0000 == 0x3400_0000 => Meaning::Conditional,
        // Barriers; `mrs` and `msr` (their register is in the low bits).
        _ if word & 0xffc0_0000 == 0xd500_0000 && word & 31 != LINK => Meaning::Other,
        _ => Meaning::ChangesLinkOrStack,
    }
}

fn immediate(word: u32) -> Meaning {
    let (target, source) = (word & 31, (word >> 5) & 31);
    let sets_flags = word & (1 << 29) != 0;
    // `add sp, sp, #n` and `sub sp, sp, #n`, n perhaps shifted by 12.
    if word & 0xbf80_0000 == 0x9100_0000 && !sets_flags && (target, source) == (STACK, STACK) {
        let bytes = i64::from((word >> 10) & 0xfff) << if word & (1 << 22) != 0 { 12 } else { 0 };
        return Meaning::MovesStack(if word & (1 << 30) != 0 { -bytes } else { bytes });
    }
    // Register 31 is the stack pointer only where no flags are set.
    if target == LINK || target == STACK && !sets_flags { Meaning::ChangesLinkOrStack } else { Meaning::Other }
}

fn load_or_store(word: u32) -> Meaning {
    let (first, base, second) = (word & 31, (word >> 5) & 31, (word >> 10) & 31);
    let is_pair = word & 0x3800_0000 == 0x2800_0000;
    let is_single = word & 0x3a00_0000 == 0x3800_0000;
    let is_load = word & (1 << 22) != 0;
    if is_load && (first == LINK || is_pair && second == LINK) {
        return Meaning::ChangesLinkOrStack;
    }
    if base != STACK {
        return Meaning::Other;
    }
    if is_pair && word & (1 << 23) != 0 {
        // Pre- and post-indexed pairs. The offset counts registers: of 4 or 8 bytes, or vectors of 4 to 16.
        let is_vector = word & (1 << 26) != 0;
        let size = if is_vector { 4 << (word >> 30) } else { 4 << (word >> 31) };
        return Meaning::MovesStack(signed((word >> 15) & 0x7f, 7) * size);
    }
    let is_unscaled = word & (1 << 24) == 0 && word & (1 << 21) == 0;
    if is_single && is_unscaled && word & (1 << 10) != 0 {
        // Pre- and post-indexed registers.
        return Meaning::MovesStack(signed((word >> 12) & 0x1ff, 9));
    }
    if is_pair || is_single || word & 0x3b00_0000 == 0x3900_0000 { Meaning::Other } else { Meaning::ChangesLinkOrStack }
}

/// The signed number in the low `bits` of `value`.
fn signed(value: u32, bits: u32) -> i64 {
    let shift = 32 - bits;
    i64::from(((value << shift) as i32) >> shift)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Encodings as `llvm-mc --triple=aarch64 --show-encoding` gives them.
    #[test]
    fn instructions_are_told_apart() {
        use Meaning::*;
        for (text, word, expected) in [
            ("bl #0x100", 0x9400_0040, Call(0x1100)),
            ("bl #-8", 0x97ff_fffe, Call(0xff8)),
            ("b #0x20", 0x1400_0008, Jump(0x1020)),
            ("blr x8", 0xd63f_0100, IndirectCall),
            ("blraa x8, x9", 0xd73f_0909, IndirectCall),
            ("blraaz x8", 0xd63f_091f, IndirectCall),
            ("br x16", 0xd61f_0200, IndirectJump),
            ("braa x16, x17", 0xd71f_0a11, IndirectJump),
            ("ret", 0xd65f_03c0, Return),
            ("retab", 0xd65f_0fff, Return),
            ("ret x1", 0xd65f_0020, ChangesLinkOrStack),
            ("cbz x0, #8", 0xb400_0040, Conditional),
            ("tbnz w0, #3, #8", 0x3718_0040, Conditional),
            ("b.eq #8", 0x5400_0040, Conditional),
            ("brk #0xf000", 0xd43e_0000, Breakpoint),
            ("svc #0", 0xd400_0001, Other),
            ("nop", 0xd503_201f, Other),
            ("paciasp", 0xd503_233f, Other),
            ("sub sp, sp, #0x20", 0xd100_83ff, MovesStack(-0x20)),
            ("add sp, sp, #1, lsl #12", 0x9140_07ff, MovesStack(0x1000)),
            ("mov sp, x29", 0x9100_03bf, ChangesLinkOrStack),
            ("mov x29, sp", 0x9100_03fd, Other),
            ("cmp x0, #1", 0xf100_041f, Other),
            ("stp x29, x30, [sp, #-16]!", 0xa9bf_7bfd, MovesStack(-16)),
            ("ldp x29, x30, [sp], #16", 0xa8c1_7bfd, ChangesLinkOrStack),
            ("ldp x19, x20, [sp], #32", 0xa8c2_53f3, MovesStack(32)),
            ("stp d8, d9, [sp, #-32]!", 0x6dbe_27e8, MovesStack(-32)),
            ("stp x19, x20, [sp, #16]", 0xa901_53f3, Other),
            ("str x30, [sp, #-16]!", 0xf81f_0ffe, MovesStack(-16)),
            ("ldr x30, [sp], #16", 0xf841_07fe, ChangesLinkOrStack),
            ("ldr x0, [sp, #8]", 0xf940_07e0, Other),
            ("str w8, [x9]", 0xb900_0128, Other),
            ("mov x30, x0", 0xaa00_03fe, ChangesLinkOrStack),
            ("add x0, x1, x2", 0x8b02_0020, Other),
        ] {
            assert_eq!(meaning(word, 0x1000), expected, "{text}");
        }
    }
}
