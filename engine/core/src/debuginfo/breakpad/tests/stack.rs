//! `STACK` records. Expected values: the documentation's examples, and the meaning that it gives to each field.

use super::*;
use crate::cfi::{CfaRule, Expression, Rule};
use crate::debuginfo::{FpoKind, FrameRule};
use crate::registers::{Register, arm64, x64, x86};

fn module(arch: &str, records: &str) -> BreakpadSymbols {
    open(&format!("MODULE Linux {arch} 000000000000000000000000000000000 a\n{records}"))
}

#[test]
fn frame_data_with_a_program() {
    let symbols = module("x86", "STACK WIN 4 2170 14 1 2 30 4 5c 70 1 $eip 4 + ^ = $esp $ebp 8 + = $ebp $ebp ^ =\n");
    let data = symbols.frame_data_at(Rva(0x2183)).unwrap();
    assert_eq!((data.start, data.size_bytes, data.prologue_bytes), (Rva(0x2170), 0x14, 1));
    assert_eq!((data.params_bytes, data.saved_registers_bytes, data.locals_bytes), (0x30, 4, 0x5c));
    assert_eq!(data.rule, FrameRule::Program("$eip 4 + ^ = $esp $ebp 8 + = $ebp $ebp ^ =".into()));
    assert_eq!((symbols.frame_data_at(Rva(0x216f)), symbols.frame_data_at(Rva(0x2184))), (None, None));
}

#[test]
fn frame_records_without_a_program_and_those_that_are_not_used() {
    let symbols = module(
        "x86",
        "STACK WIN 0 1000 100 0 0 8 4 0 0 0 1\nSTACK WIN 0 1200 10 0 0 0 0 0 0 0 0\nSTACK WIN 4 1010 10 0 0 0 0 0 0 1 $T0\n\
         STACK WIN 4 1014 4 0 0 0 0 0 0 1 $T1\nSTACK WIN 3 1300 10 0 0 0 0 0 0 0 0\nSTACK WIN 4 1014\n",
    );
    let rule = |rva| symbols.frame_data_at(Rva(rva)).map(|data| data.rule);
    let fpo = |uses_base_pointer| Some(FrameRule::Fpo { uses_base_pointer, kind: FpoKind::Fpo });
    let program = |text: &str| Some(FrameRule::Program(text.into()));
    assert_eq!((rule(0x1000), rule(0x1200), rule(0x1300)), (fpo(true), fpo(false), None));
    assert_eq!(
        (rule(0x1013), rule(0x1014), rule(0x1018), rule(0x1020)),
        (program("$T0"), program("$T1"), program("$T0"), fpo(true))
    );
    assert_eq!(symbols.problems().len(), 1);
}

#[test]
fn rules_change_within_their_range() {
    let symbols = module(
        "x86_64",
        "STACK CFI INIT 1000 20 .cfa: $rsp 8 + .ra: .cfa -8 + ^\nSTACK CFI 1001 .cfa: $rsp 16 + $rbp: .cfa -16 + ^\n\
         STACK CFI 1004 .cfa: $rbp 16 +\nSTACK CFI 101f $rbp: $rbp .cfa: rsp 8 +\nSTACK CFI INIT 1020 1 .cfa: $rsp 24 + .ra: .cfa 8 - ^\n",
    );
    let row = |rva| symbols.cfi_at(Rva(rva)).unwrap();
    let at = CfaRule::RegisterOffset;
    let ra = (x64::RIP, Rule::Offset(-8));
    let saved = (x64::RBP, Rule::Offset(-16));
    for (rva, cfa, rules) in [
        (0x1000, at(x64::RSP, 8), vec![ra.clone()]),
        (0x1001, at(x64::RSP, 16), vec![ra.clone(), saved.clone()]),
        (0x101e, at(x64::RBP, 16), vec![ra.clone(), saved]),
        (0x101f, at(x64::RSP, 8), vec![ra.clone(), (x64::RBP, Rule::SameValue)]),
        (0x1020, at(x64::RSP, 24), vec![ra]),
    ] {
        let found = row(rva);
        assert_eq!((found.cfa, found.rules), (cfa, rules), "{rva:#x}");
        assert_eq!((found.return_address, found.is_signal_frame), (x64::RIP, false));
    }
    assert_eq!((symbols.cfi_at(Rva(0xfff)), symbols.cfi_at(Rva(0x1021))), (None, None));
}

#[test]
fn forms_of_rules() {
    let value = |text: &str| Rule::ValueExpression(Expression::Postfix(text.into()));
    for (text, rule) in [
        (".cfa -16 + ^", Rule::Offset(-16)),
        (".cfa 16 - ^", Rule::Offset(-16)),
        (".cfa ^", Rule::Offset(0)),
        (".cfa 8 +", Rule::ValueOffset(8)),
        (".cfa", Rule::ValueOffset(0)),
        ("$rbx", Rule::SameValue),
        ("rcx", Rule::Register(x64::RCX)),
        (".undef", Rule::Undefined),
        ("", Rule::Undefined),
        ("$rsp 8 + ^", value("$rsp 8 + ^")),
        (".cfa 8 * ^", value(".cfa 8 * ^")),
        (".cfa -16 + ^ 1 +", value(".cfa -16 + ^ 1 +")),
        ("$rbx 8 +", value("$rbx 8 +")),
        ("17", value("17")),
        (".cfa -9223372036854775808 - ^", value(".cfa -9223372036854775808 - ^")),
        ("$unknown", value("$unknown")),
    ] {
        let symbols = module(
            "x86_64",
            &format!("STACK CFI INIT 0 1 .cfa: $rsp 8 + $rbx: {text} .ra: .cfa -8 + ^ $xmm6: .cfa 8 +\n"),
        );
        let rules = symbols.cfi_at(Rva(0)).unwrap().rules;
        assert_eq!(rules, [(x64::RIP, Rule::Offset(-8)), (x64::RBX, rule)], "{text}");
    }
}

#[test]
fn forms_of_the_canonical_frame_address() {
    let at = |register, offset| Some(CfaRule::RegisterOffset(register, offset));
    let computed = |text: &str| Some(CfaRule::Expression(Expression::Postfix(text.into())));
    for (text, cfa) in [
        ("$rsp 8 +", at(x64::RSP, 8)),
        ("rsp 8 +", at(x64::RSP, 8)),
        ("$rsp 8 -", at(x64::RSP, -8)),
        ("$r12", at(Register(12), 0)),
        ("$rbp -16 + ^", computed("$rbp -16 + ^")),
        ("$rsp $rax +", computed("$rsp $rax +")),
        ("", None),
        (".undef", None),
    ] {
        let symbols = module("x86_64", &format!("STACK CFI INIT 0 1 .cfa: {text} .ra: .cfa -8 + ^\n"));
        assert_eq!(symbols.cfi_at(Rva(0)).map(|row| row.cfa), cfa, "{text}");
    }
}

#[test]
fn registers_of_the_other_processors() {
    // The documentation's first example; `$eip` stands for `.ra`.
    let symbols = module(
        "x86",
        "STACK CFI INIT 804c4b0 40 .cfa: $esp 4 + $eip: .cfa 4 - ^\nSTACK CFI 804c4b1 .cfa: $esp 8 + $ebp: .cfa 8 - ^\n",
    );
    let row = symbols.cfi_at(Rva(0x804_c4b1)).unwrap();
    assert_eq!(row.cfa, CfaRule::RegisterOffset(x86::ESP, 8));
    assert_eq!(row.rules, [(x86::EIP, Rule::Offset(-4)), (x86::EBP, Rule::Offset(-8))]);
    let symbols = module(
        "arm64",
        "STACK CFI INIT 0 8 .cfa: sp 0 + .ra: x30\nSTACK CFI 4 .cfa: sp 32 + .ra: .cfa -24 + ^ x29: .cfa -32 + ^ x19: .cfa -16 + ^ x30: .cfa -24 + ^\n",
    );
    let row = symbols.cfi_at(Rva(0)).unwrap();
    assert_eq!((row.cfa, row.return_address), (CfaRule::RegisterOffset(arm64::SP, 0), arm64::LR));
    assert_eq!(row.rules, [(arm64::LR, Rule::SameValue)]);
    let rules = symbols.cfi_at(Rva(4)).unwrap().rules;
    assert_eq!(
        rules,
        [(arm64::LR, Rule::Offset(-24)), (arm64::FP, Rule::Offset(-32)), (arm64::X19, Rule::Offset(-16))]
    );
    assert_eq!(module("ppc", "STACK CFI INIT 0 8 .cfa: r1 .ra: lr\n").cfi_at(Rva(0)), None);
}

#[test]
fn rules_that_are_not_complete_are_ignored() {
    for rules in ["", ".cfa: $rsp 8 +", ".ra: .cfa -8 + ^", "$rsp 8 + .ra: .cfa -8 + ^"] {
        assert_eq!(module("x86_64", &format!("STACK CFI INIT 0 1 {rules}\n")).cfi_at(Rva(0)), None, "{rules}");
    }
}
