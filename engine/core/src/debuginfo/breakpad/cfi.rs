//! STACK CFI: rules for the caller's registers, as postfix expressions.
//!
//! An INIT record has the rules at the start of a range; the records behind it, in address order, change some of them.
//! A rule is a register's name and a colon, then an expression; `.cfa` and `.ra` stand for the canonical frame address
//! and the return address.

use std::collections::BTreeMap;

use super::records::{Words, cfi_init};
use crate::cfi::{CfaRule, CfiRow, Expression, Rule};
use crate::registers::{Cpu, Register};

/// Bytes of one range's records that are read.
const MOST_BYTES: usize = 1 << 20;

/// The row at `rva` of the range whose INIT record `text` begins with.
pub fn row(text: &[u8], rva: u32, cpu: Cpu) -> Option<CfiRow> {
    let text = &text[..text.len().min(MOST_BYTES)];
    let mut lines = text.split(|&byte| byte == b'\n');
    let init = lines.next()?;
    let (start, size) = cfi_init(init)?;
    if u64::from(rva).checked_sub(start)? >= size {
        return None;
    }
    let mut rules = BTreeMap::new();
    let mut words = Words(init.strip_prefix(b"STACK CFI INIT ")?);
    words.word()?;
    words.word()?;
    change(&mut rules, words);
    for line in lines {
        let Some(rest) = line.strip_prefix(b"STACK CFI ").filter(|rest| !rest.starts_with(b"INIT")) else { break };
        let mut words = Words(rest);
        match words.hex() {
            Some(address) if address <= u64::from(rva) => change(&mut rules, words),
            _ => break,
        }
    }
    row_of(&rules, cpu)
}

/// Takes the rules of one record over those before.
fn change<'a>(rules: &mut BTreeMap<&'a str, Vec<&'a str>>, mut words: Words<'a>) {
    let mut current: Option<&'a str> = None;
    while let Some(word) = words.word() {
        let Ok(word) = std::str::from_utf8(word) else { return };
        match (word.strip_suffix(':'), current) {
            (Some(name), _) => {
                current = Some(name);
                rules.insert(name, Vec::new());
            }
            (None, Some(name)) => rules.entry(name).or_default().push(word),
            (None, None) => return, // an expression of nothing
        }
    }
}

fn row_of(rules: &BTreeMap<&str, Vec<&str>>, cpu: Cpu) -> Option<CfiRow> {
    let cfa = match &rules.get(".cfa")?[..] {
        [register, offset, "+"] if named(register, cpu).is_some() => {
            CfaRule::RegisterOffset(named(register, cpu)?, offset.parse().ok()?)
        }
        [register] if named(register, cpu).is_some() => CfaRule::RegisterOffset(named(register, cpu)?, 0),
        expression => CfaRule::Expression(Expression::Postfix(expression.join(" "))),
    };
    let return_address = cpu.instruction_pointer();
    let mut found = vec![(return_address, rule(rules.get(".ra")?, cpu))];
    for (name, expression) in rules {
        if let Some(register) = named(name, cpu).filter(|register| *register != return_address) {
            found.push((register, rule(expression, cpu)));
        }
    }
    Some(CfiRow { cfa, rules: found, return_address, is_signal_frame: false })
}

fn rule(expression: &[&str], cpu: Cpu) -> Rule {
    let plain = match expression {
        [".undef"] => return Rule::Undefined,
        [".cfa"] => Some(Rule::ValueOffset(0)),
        [".cfa", offset, "+"] => offset.parse().ok().map(Rule::ValueOffset),
        [".cfa", "^"] => Some(Rule::Offset(0)),
        [".cfa", offset, "+", "^"] => offset.parse().ok().map(Rule::Offset),
        [register] => named(register, cpu).map(Rule::Register),
        _ => None,
    };
    plain.unwrap_or_else(|| Rule::ValueExpression(Expression::Postfix(expression.join(" "))))
}

/// A register by its name, which x86 writes with a dollar sign.
fn named(name: &str, cpu: Cpu) -> Option<Register> {
    let name = match (name.strip_prefix('$').unwrap_or(name), cpu) {
        ("x29", Cpu::Arm64) => "fp",
        ("x30", Cpu::Arm64) => "lr",
        (name, _) => name,
    };
    let index = cpu.register_names().iter().position(|known| *known == name)?;
    Some(Register(u8::try_from(index).ok()?))
}
