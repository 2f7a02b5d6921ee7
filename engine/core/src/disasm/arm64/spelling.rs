//! Where the decoder's text is not LLVM's, and where it is wrong.

use yaxpeax_arm::armv8::a64::{Instruction as Decoded, Opcode, Operand as DecodedOperand, SizeCode};

/// An instruction in text.
pub(super) struct Spelled {
    pub mnemonic: String,
    pub operands: Vec<String>,
}

/// Mnemonics whose constants are written in decimal digits: numbers of bits, degrees.
const DECIMAL: [&str; 12] =
    ["lsl", "lsr", "asr", "ubfx", "sbfx", "ubfiz", "sbfiz", "bfi", "bfxil", "bfc", "fcadd", "fcmla"];
/// Mnemonics whose constant 0 is written without `0x`.
const BARE_ZERO: [&str; 9] = ["cmeq", "cmge", "cmgt", "cmle", "cmlt", "svc", "hvc", "smc", "brk"];
/// Hints with a name of their own that the decoder gives by number.
const HINTS: [(&str, &str, Option<&str>); 5] = [
    ("#0x6", "dgh", None),
    ("#0x20", "bti", None),
    ("#0x22", "bti", Some("c")),
    ("#0x24", "bti", Some("j")),
    ("#0x26", "bti", Some("jc")),
];
/// Maintenance of caches that applications may do: the operands of `sys` before the register, mnemonic, operation.
///
/// Source: Arm Architecture Reference Manual, section C5.3.
const MAINTENANCE: [([&str; 4], &str, &str); 6] = [
    (["#0x3", "c7", "c4", "#0x1"], "dc", "zva"),
    (["#0x3", "c7", "c10", "#0x1"], "dc", "cvac"),
    (["#0x3", "c7", "c11", "#0x1"], "dc", "cvau"),
    (["#0x3", "c7", "c12", "#0x1"], "dc", "cvap"),
    (["#0x3", "c7", "c14", "#0x1"], "dc", "civac"),
    (["#0x3", "c7", "c5", "#0x1"], "ic", "ivau"),
];

/// What LLVM writes for `decoded`, which was made of `word` at `address` and which the decoder writes as `spelled`.
pub(super) fn correct(spelled: Spelled, decoded: &Decoded, word: u32, address: u64) -> Spelled {
    let Spelled { mnemonic, mut operands } = alias(spelled);
    for (index, text) in operands.iter_mut().enumerate() {
        if let Some(correct) = decoded.operands.get(index).and_then(|operand| of_operand(operand, text, &mnemonic)) {
            *text = correct;
        } else if let Some(correct) = of_text(text, &mnemonic, word, address) {
            *text = correct;
        }
    }
    match decoded.opcode {
        Opcode::MOVZ | Opcode::MOVN | Opcode::ORR if mnemonic == "mov" => give_sign(&mut operands, decoded),
        Opcode::MSR => restore_register(&mut operands, word),
        _ => restore_extension(&mut operands, word),
    }
    Spelled { mnemonic, operands }
}

/// Aliases that the decoder does not know.
fn alias(spelled: Spelled) -> Spelled {
    let Spelled { mnemonic, operands } = spelled;
    let of = |mnemonic: &str, operands: Vec<String>| Spelled { mnemonic: mnemonic.to_owned(), operands };
    match (mnemonic.as_str(), operands.as_slice()) {
        ("hint", [number]) => match HINTS.iter().find(|(known, ..)| known == number) {
            Some((_, name, target)) => of(name, target.iter().map(|&target| target.to_owned()).collect()),
            None => of("hint", operands),
        },
        ("sys", [fields @ .., register]) => match MAINTENANCE.iter().find(|(known, ..)| fields == known) {
            Some((_, name, operation)) => of(name, vec![(*operation).to_owned(), register.clone()]),
            None => of("sys", operands),
        },
        // All of its bits are set unless somebody means otherwise.
        ("clrex", [all]) if all == "#0xf" => of("clrex", Vec::new()),
        _ => Spelled { mnemonic, operands },
    }
}

/// An operand that the decoder's data tells more of than its text; `text` is kept if there is none.
fn of_operand(operand: &DecodedOperand, text: &str, mnemonic: &str) -> Option<String> {
    match operand {
        DecodedOperand::ImmediateDouble(value) if mnemonic == "fmov" => Some(format!("#{value:.8}")),
        DecodedOperand::SystemReg(encoding) => Some(system_register(*encoding)),
        DecodedOperand::PrefetchOp(_) if text.starts_with("0x") => Some(format!("#{text}")),
        _ => None,
    }
}

fn of_text(text: &str, mnemonic: &str, word: u32, address: u64) -> Option<String> {
    if let Some(distance) = text.strip_prefix('$') {
        let base = if mnemonic == "adrp" { address & !0xfff } else { address };
        return Some(format!("{:#x}", base.wrapping_add(distance_bytes(distance) as u64)));
    }
    if text == "#0x0" && BARE_ZERO.contains(&mnemonic) {
        return Some("#0".to_owned());
    }
    if text.starts_with("#0x") && DECIMAL.contains(&mnemonic) {
        return in_decimal(text);
    }
    if [", lsr", ", asr", ", ror"].iter().any(|shift| text.ends_with(shift)) {
        return Some(format!("{text} #0"));
    }
    // `ld1 {v0.16b}, [x0], #16`: transfers of groups write how far they move the base in decimal digits.
    let is_group = word & 0xbe00_0000 == 0x0c00_0000;
    if let Some((place, distance)) = text.split_once("], ").filter(|_| is_group)
        && let Some(decimal) = in_decimal(distance)
    {
        return Some(format!("{place}], {decimal}"));
    }
    // Of a byte, the index is shifted by nothing; that is written only if this bit says so.
    let is_shift_encoded = word >> 12 & 1 == 1;
    text.strip_suffix(" #0]").filter(|_| !is_shift_encoded).map(|start| format!("{start}]"))
}

/// `#16` of `#0x10`.
fn in_decimal(text: &str) -> Option<String> {
    let value = u64::from_str_radix(text.strip_prefix("#0x")?, 16).ok()?;
    Some(format!("#{value}"))
}

/// `+0x10`, `-0x10`.
fn distance_bytes(text: &str) -> i64 {
    let digits = text.trim_start_matches(['+', '-']).trim_start_matches("0x");
    let value = i64::from_str_radix(digits, 16).unwrap_or(0);
    if text.starts_with('-') { value.wrapping_neg() } else { value }
}

/// The constant of a `mov` has the sign that it has in its register's width.
fn give_sign(operands: &mut [String], decoded: &Decoded) {
    let [_, constant] = operands else { return };
    let Some(value) = constant.strip_prefix("#0x").and_then(|digits| u64::from_str_radix(digits, 16).ok()) else {
        return;
    };
    let is_half = matches!(
        decoded.operands[0],
        DecodedOperand::Register(SizeCode::W, _) | DecodedOperand::RegisterOrSP(SizeCode::W, _)
    );
    let value = if is_half { i64::from(value as i32) } else { value as i64 };
    let sign = if value < 0 { "-" } else { "" };
    *constant = format!("#{sign}{:#x}", value.unsigned_abs());
}

/// The decoder reads four of the five bits of the register that `msr` takes: `msr FPCR, x20` came out as `x4`.
fn restore_register(operands: &mut [String], word: u32) {
    if let [_, register] = operands
        && register.starts_with('x')
    {
        *register = match word & 31 {
            31 => "xzr".to_owned(),
            number => format!("x{number}"),
        };
    }
}

/// The decoder takes `uxtw` and `uxtx` for `lsl`, which they are only beside the stack pointer.
///
/// Source: Arm Architecture Reference Manual, `ADD (extended register)`, `CMP (extended register)`.
fn restore_extension(operands: &mut [String], word: u32) {
    let is_extended_register = word >> 21 & 0xff == 0b0101_1001;
    let (is_64_bits, sets_flags) = (word >> 31 == 1, word >> 29 & 1 == 1);
    let extension = match word >> 13 & 7 {
        0b010 => "uxtw",
        0b011 => "uxtx",
        _ => return,
    };
    let stack_pointer = 31;
    let uses_stack_pointer = word >> 5 & 31 == stack_pointer || (word & 31 == stack_pointer && !sets_flags);
    let is_lsl = uses_stack_pointer && is_64_bits == (extension == "uxtx");
    let Some(last) = operands.last_mut().filter(|_| is_extended_register && !is_lsl) else { return };
    let register = last.split(',').next().unwrap_or_default().to_owned();
    *last = match word >> 10 & 7 {
        0 => format!("{register}, {extension}"),
        amount => format!("{register}, {extension} #{amount}"),
    };
}

/// A system register: those that applications use by name, the others by their fields, `S3_0_C4_C2_2`.
///
/// Source: Arm Architecture Reference Manual, section D19 (encodings of `MRS`), of which `encoding` holds op0's last
/// bit, op1, CRn, CRm and op2.
fn system_register(encoding: u16) -> String {
    let name = match encoding {
        0x4000 => "MIDR_EL1",
        0x4005 => "MPIDR_EL1",
        0x4212 => "CurrentEL",
        0x5801 => "CTR_EL0",
        0x5807 => "DCZID_EL0",
        0x5a10 => "NZCV",
        0x5a20 => "FPCR",
        0x5a21 => "FPSR",
        0x5e82 => "TPIDR_EL0",
        0x5e83 => "TPIDRRO_EL0",
        0x5f00 => "CNTFRQ_EL0",
        0x5f01 => "CNTPCT_EL0",
        0x5f02 => "CNTVCT_EL0",
        0x5ce8 => "PMCCNTR_EL0",
        _ => {
            let field = |shift: u16, bits: u16| encoding >> shift & ((1 << bits) - 1);
            let (op0, op1, crn) = (2 + field(14, 1), field(11, 3), field(7, 4));
            return format!("S{op0}_{op1}_C{crn}_C{}_{}", field(3, 4), field(0, 3));
        }
    };
    name.to_owned()
}
