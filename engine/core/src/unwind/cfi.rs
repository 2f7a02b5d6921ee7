//! Callers by call frame information: a row of rules, carried out.
//!
//! Source: DWARF 5, section 6.4.1, "Structure of Call Frame Information"; section 6.4.4, "Call Frame Calling Address".

use super::frame_program::{self, Machine, Values};
use super::step::{Caller, Halt, Position, Step};
use super::{Stop, Trust, dwarf_expression};
use crate::cfi::{CfaRule, CfiRow, Expression, Rule};
use crate::registers::{Register, RegisterSet};

/// The caller by the rules of `row`. `None` if they cannot be carried out, or lead to what is no code.
pub(super) fn caller(position: &Position, row: &CfiRow) -> Step {
    let Some(cfa) = canonical_frame_address(position, &row.cfa) else { return Ok(None) };
    if cfa < position.sp && !row.is_signal_frame {
        return Ok(None);
    }
    let frame = Frame { position, cfa };
    let Some(ip) = frame.return_address(row)? else { return Ok(None) };
    let mut registers = frame.preserved(row);
    for (register, rule) in &row.rules {
        match frame.value(*register, rule) {
            Some(value) => registers.set(*register, value),
            None => registers.forget(*register),
        }
    }
    let stack_pointer = position.cpu().stack_pointer();
    let has_rule = row.rules.iter().any(|(register, _)| *register == stack_pointer);
    let sp = if has_rule { registers.stack_pointer() } else { Some(cfa) };
    let Some(sp) = sp else { return Ok(None) };
    if row.is_signal_frame {
        registers.set(position.cpu().instruction_pointer(), ip & position.process.code_address_mask());
        registers.set(stack_pointer, sp);
        return Ok(Some(Caller { cfa: Some(cfa), ..Caller::interrupted(registers, Trust::Cfi) }));
    }
    if let Some(link) = position.cpu().link_register() {
        // What the link register held when the function was called, its caller may have changed since; taken for a
        // return address once more, it would lead in a circle.
        registers.forget(link);
    }
    let caller = position.caller(registers, ip, sp, Trust::Cfi)?;
    Ok(caller.map(|caller| Caller { cfa: Some(cfa), ..caller }))
}

/// The canonical frame address by a row's rule for it.
pub(super) fn canonical_frame_address(position: &Position, rule: &CfaRule) -> Option<u64> {
    let cfa = match rule {
        CfaRule::RegisterOffset(register, offset) => {
            position.frame.registers.get(*register)?.wrapping_add_signed(*offset)
        }
        CfaRule::Expression(expression) => evaluate(position, expression, None)?,
    };
    Some(cfa & position.largest_word())
}

/// The frame whose registers are sought, with its canonical frame address.
struct Frame<'a> {
    position: &'a Position<'a>,
    cfa: u64,
}

impl Frame<'_> {
    /// The return address; `None` if the rules do not tell. One that is declared undefined ends the stack, one that the
    /// dump lacks the walk.
    fn return_address(&self, row: &CfiRow) -> Result<Option<u64>, Halt> {
        let register = row.return_address;
        let rule = row.rules.iter().find(|(ruled, _)| *ruled == register).map(|(_, rule)| rule);
        match rule {
            Some(Rule::Undefined) => Err(Halt::Stop(Stop::EndOfStack)),
            Some(Rule::Offset(offset)) => {
                let slot = self.at(*offset);
                match self.position.word(slot) {
                    // Any other absent address comes of a wild register.
                    Err(halt) if self.position.is_near_above(slot) => Err(halt),
                    word => Ok(word.ok()),
                }
            }
            Some(rule) => Ok(self.value(register, rule)),
            // A link register that was not saved yet. The instruction pointer itself is no return address.
            None if register == self.position.cpu().instruction_pointer() => Ok(None),
            None => Ok(self.position.frame.registers.get(register)),
        }
    }

    /// What a caller has without any rule: what functions preserve. An interrupted function was not asked to preserve
    /// anything; what the trampoline's rules do not mention is unknown.
    fn preserved(&self, row: &CfiRow) -> RegisterSet {
        if row.is_signal_frame {
            return RegisterSet::new(self.position.cpu());
        }
        self.position.preserved_registers()
    }

    /// The caller's value of `register`.
    fn value(&self, register: Register, rule: &Rule) -> Option<u64> {
        let cpu = self.position.cpu();
        let word = |address| self.position.process.read_pointer(address, cpu);
        match rule {
            Rule::Undefined => None,
            Rule::SameValue => self.position.frame.registers.get(register),
            Rule::Offset(offset) => word(self.at(*offset)),
            Rule::ValueOffset(offset) => Some(self.at(*offset)),
            Rule::Register(other) => self.position.frame.registers.get(*other),
            Rule::Expression(expression) => word(evaluate(self.position, expression, Some(self.cfa))?),
            Rule::ValueExpression(expression) => evaluate(self.position, expression, Some(self.cfa)),
        }
    }

    fn at(&self, offset: i64) -> u64 {
        self.cfa.wrapping_add_signed(offset) & self.position.largest_word()
    }
}

/// The value of an expression; `cfa` except where the expression computes it.
fn evaluate(position: &Position, expression: &Expression, cfa: Option<u64>) -> Option<u64> {
    match expression {
        Expression::Dwarf(operations) => dwarf_expression::evaluate(position, operations, cfa),
        Expression::Postfix(text) => postfix(position, text, cfa),
    }
}

fn postfix(position: &Position, text: &str, cfa: Option<u64>) -> Option<u64> {
    let cpu = position.cpu();
    let mut values = Values::new();
    for token in frame_program::tokens(text) {
        let value = match token {
            ".cfa" => cfa,
            name => cpu.register_named(name).and_then(|register| position.frame.registers.get(register)),
        };
        value.and_then(|value| values.insert(token, value));
    }
    let memory = |address| position.process.read_pointer(address, cpu);
    let machine = Machine { largest_word: position.largest_word(), memory: &memory };
    frame_program::evaluate(text, &mut values, machine).ok()
}
