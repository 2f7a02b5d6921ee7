//! `STACK CFI`: call frame information.
//!
//! `STACK CFI INIT address size rules` gives the rules at the start of a range; the `STACK CFI address rules` that follow
//! change some of them from their address on. Rules are `name: expression name: expression …`, where no token of an
//! expression ends in a colon. Source: Breakpad, "Symbol file format", section "STACK CFI records".

use super::index::Table;
use super::lookup::{Answer, Records};
use super::text::{Fields, lines_from, name};
use crate::cfi::{CfaRule, CfiRow, Expression, Rule};
use crate::registers::{Cpu, Register};

/// Longest expression that is kept; its interpreter runs fewer tokens.
const MOST_EXPRESSION_BYTES: usize = 16 << 10;

impl Records<'_> {
    /// The rules at `rva`. `None` also if there is none for the canonical frame address or the return address: such
    /// records are to be ignored, says the documentation.
    pub fn cfi_at(self, rva: u32, cpu: Cpu) -> Answer<Option<CfiRow>> {
        let Some((init, _, rules)) = self.stack_at(Table::Cfi, rva)? else { return Ok(None) };
        let mut changes: Vec<(u32, &[u8])> = Vec::new();
        for (_, line) in lines_from(self.text, init).skip(1) {
            let Some(mut fields) = Fields::after(line, "STACK CFI") else { break };
            // `INIT` is no number.
            let Some(address) = fields.hex32() else { break };
            if address <= rva {
                changes.push((address, fields.rest()));
            }
        }
        // They come in order of address; where they do not, that order is meant.
        changes.sort_by_key(|(address, _)| *address);
        let mut columns = Columns { cpu, cfa: None, return_address: None, registers: Vec::new() };
        columns.apply(rules.rest());
        for (_, rules) in changes {
            columns.apply(rules);
        }
        Ok(columns.row())
    }
}

/// The rules in force, as text.
struct Columns<'a> {
    cpu: Cpu,
    cfa: Option<&'a [u8]>,
    return_address: Option<&'a [u8]>,
    registers: Vec<(Register, &'a [u8])>,
}

impl<'a> Columns<'a> {
    fn apply(&mut self, rules: &'a [u8]) {
        let mut rest = rules;
        while let Some((column, expression, next)) = split_rule(rest) {
            match column {
                b".cfa" => self.cfa = Some(expression),
                b".ra" => self.return_address = Some(expression),
                _ => {
                    // Registers that we do not know (vectors, flags) are not recovered.
                    if let Some(register) = self.register(column) {
                        self.registers.retain(|(known, _)| *known != register);
                        self.registers.push((register, expression));
                    }
                }
            }
            rest = next;
        }
    }

    fn register(&self, text: &[u8]) -> Option<Register> {
        self.cpu.register_named(std::str::from_utf8(text).ok()?)
    }

    fn row(&self) -> Option<CfiRow> {
        let ip = self.cpu.instruction_pointer();
        let return_address = self.cpu.link_register().unwrap_or(ip);
        let rule_of = |wanted| self.registers.iter().find(|(register, _)| *register == wanted).map(|(_, it)| *it);
        // Folklore: the documentation's own example has `$eip: .cfa 4 - ^` in place of `.ra`.
        let ra = self.return_address.or_else(|| rule_of(ip))?;
        let mut rules = vec![(return_address, self.rule(return_address, ra))];
        for &(register, expression) in &self.registers {
            if register != return_address && register != ip {
                rules.push((register, self.rule(register, expression)));
            }
        }
        let cfa = self.cfa_rule(self.cfa?)?;
        Some(CfiRow { cfa, rules, return_address, is_signal_frame: false })
    }

    fn cfa_rule(&self, expression: &[u8]) -> Option<CfaRule> {
        let form = Form::of(expression);
        match (form.base.and_then(|base| self.register(base)), form.is_loaded) {
            (Some(register), false) => Some(CfaRule::RegisterOffset(register, form.offset)),
            _ if expression.is_empty() || expression == b".undef" => None,
            _ => Some(CfaRule::Expression(postfix(expression))),
        }
    }

    /// The rule that an expression stands for, in the plainest form.
    fn rule(&self, register: Register, expression: &[u8]) -> Rule {
        let form = Form::of(expression);
        match form.base {
            Some(b".cfa") if form.is_loaded => return Rule::Offset(form.offset),
            Some(b".cfa") => return Rule::ValueOffset(form.offset),
            Some(b".undef") => return Rule::Undefined,
            Some(name) if !form.is_loaded && form.offset == 0 => {
                if let Some(other) = self.register(name) {
                    return if other == register { Rule::SameValue } else { Rule::Register(other) };
                }
            }
            _ if expression.is_empty() => return Rule::Undefined,
            _ => {}
        }
        Rule::ValueExpression(postfix(expression))
    }
}

fn postfix(expression: &[u8]) -> Expression {
    Expression::Postfix(name(expression, MOST_EXPRESSION_BYTES))
}

/// `base`, `base 8 +`, `base 8 -`, each with or without `^`, which loads from there; without a base any other form.
#[derive(Default)]
struct Form<'a> {
    base: Option<&'a [u8]>,
    offset: i64,
    is_loaded: bool,
}

impl Form<'_> {
    fn of(expression: &[u8]) -> Form<'_> {
        let mut fields = Fields::of(expression);
        let (base, mut left) = (fields.word(), fields.clone());
        if base.is_some_and(|base| base.first().is_none_or(|byte| byte.is_ascii_digit() || *byte == b'-')) {
            return Form::default();
        }
        let offset = fields.decimal().zip(fields.word()).and_then(|(number, operator)| match operator {
            b"+" => Some(number),
            b"-" => number.checked_neg(),
            _ => None,
        });
        if offset.is_some() {
            left = fields;
        }
        let offset = offset.unwrap_or(0);
        match left.rest() {
            b"" => Form { base, offset, is_loaded: false },
            b"^" => Form { base, offset, is_loaded: true },
            _ => Form::default(),
        }
    }
}

/// The first rule: its column, its expression, and what follows.
fn split_rule(rules: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let mut fields = Fields::of(rules);
    let column = loop {
        // What stands before the first column belongs to none.
        if let Some(column) = fields.word()?.strip_suffix(b":") {
            break column;
        }
    };
    let rest = fields.clone().rest();
    let mut end = rest.len();
    let mut ahead = Fields::of(rest);
    while let Some(word) = ahead.word() {
        if word.ends_with(b":") {
            end = rest.len() - ahead.clone().left() - word.len();
            break;
        }
    }
    Some((column, rest[..end].trim_ascii(), &rest[end..]))
}
