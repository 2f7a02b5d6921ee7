//! Frame-data programs: postfix text in which compilers tell how an x86 frame's caller is recovered, for example
//! `$T0 .raSearch = $eip $T0 ^ = $esp $T0 4 + = $ebp $T0 4 - ^ =`.
//!
//! Source: Microsoft, DIA SDK, "IDiaFrameData::get_program"; the programs that LLVM's `X86WinCOFFTargetStreamer` writes.

use std::collections::HashMap;

use thiserror::Error;

/// Tokens of a program that are executed.
const MOST_TOKENS: usize = 1024;
/// Values that may wait on the stack.
const DEEPEST_STACK: usize = 64;

/// Why a program gives no result.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(super) enum ProgramError {
    #[error("more than {MOST_TOKENS} tokens")]
    TooLong,
    #[error("more than {DEEPEST_STACK} values at once")]
    TooDeep,
    #[error("an operand is missing")]
    StackEmpty,
    #[error("unknown token {0:?}")]
    Unknown(String),
    #[error("no value for {0:?}")]
    NoValue(String),
    #[error("division by zero")]
    DivisionByZero,
    #[error("no memory at {0:#x}")]
    NoMemory(u32),
}

/// A name, or a number; names become values only when an operator wants one.
#[derive(Debug, Clone, Copy)]
enum Operand<'a> {
    Name(&'a str),
    Number(u32),
}

/// The values that a program reads and assigns: registers (`$eip`), temporaries (`$T0`), constants (`.cbLocals`).
pub(super) type Values<'a> = HashMap<&'a str, u32>;

/// Runs `program` over `values`; `memory` reads a word of the dumped process.
///
/// Arithmetic wraps at 32 bits; `/` and `%` are unsigned; `a b @` aligns `a` down to a multiple of `b`.
pub(super) fn run<'a>(
    program: &'a str,
    values: &mut Values<'a>,
    memory: &dyn Fn(u32) -> Option<u32>,
) -> Result<(), ProgramError> {
    let mut stack: Vec<Operand> = Vec::new();
    for (count, token) in tokens(program).enumerate() {
        if count == MOST_TOKENS {
            return Err(ProgramError::TooLong);
        }
        let result = match token {
            "=" => {
                let value = pop_value(&mut stack, values)?;
                match stack.pop().ok_or(ProgramError::StackEmpty)? {
                    Operand::Name(name) if name.starts_with('$') => values.insert(name, value),
                    other => return Err(ProgramError::Unknown(format!("{other:?} ="))),
                };
                continue;
            }
            "^" => {
                let address = pop_value(&mut stack, values)?;
                Operand::Number(memory(address).ok_or(ProgramError::NoMemory(address))?)
            }
            "+" | "-" | "*" | "/" | "%" | "@" => {
                let right = pop_value(&mut stack, values)?;
                let left = pop_value(&mut stack, values)?;
                Operand::Number(calculate(token, left, right)?)
            }
            _ => operand(token)?,
        };
        if stack.len() == DEEPEST_STACK {
            return Err(ProgramError::TooDeep);
        }
        stack.push(result);
    }
    Ok(())
}

/// The tokens of `program`. Folklore: Microsoft's compiler leaves out blanks after operators, as in
/// `$T0 $ebp 204 + =$eip $T0 4 + ^ =$ebp $T0 ^ = $esp $T0 8 + =`, so `=`, `^` and `@` are tokens wherever they stand.
fn tokens(program: &str) -> impl Iterator<Item = &str> {
    let is_operator = |part: &str| part.starts_with(['=', '^', '@']);
    program.split_ascii_whitespace().flat_map(move |word| {
        let mut rest = word;
        std::iter::from_fn(move || {
            let end = if is_operator(rest) { 1 } else { rest.find(['=', '^', '@']).unwrap_or(rest.len()) };
            let (token, after) = rest.split_at(end);
            rest = after;
            (!token.is_empty()).then_some(token)
        })
    })
}

fn operand(token: &str) -> Result<Operand<'_>, ProgramError> {
    if token.starts_with(['$', '.']) {
        return Ok(Operand::Name(token));
    }
    // Negative constants are written with a sign by some compilers.
    let number =
        token.parse::<i64>().ok().filter(|number| (i64::from(i32::MIN)..=i64::from(u32::MAX)).contains(number));
    number.map(|number| Operand::Number(number as u32)).ok_or_else(|| ProgramError::Unknown(token.to_owned()))
}

fn pop_value(stack: &mut Vec<Operand>, values: &Values) -> Result<u32, ProgramError> {
    match stack.pop().ok_or(ProgramError::StackEmpty)? {
        Operand::Number(number) => Ok(number),
        Operand::Name(name) => values.get(name).copied().ok_or_else(|| ProgramError::NoValue(name.to_owned())),
    }
}

fn calculate(operator: &str, left: u32, right: u32) -> Result<u32, ProgramError> {
    let divided = match operator {
        "+" => Some(left.wrapping_add(right)),
        "-" => Some(left.wrapping_sub(right)),
        "*" => Some(left.wrapping_mul(right)),
        "/" => left.checked_div(right),
        "%" => left.checked_rem(right),
        _ => left.checked_rem(right).map(|rest| left - rest),
    };
    divided.ok_or(ProgramError::DivisionByZero)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value_of(program: &str, name: &str) -> Result<Option<u32>, ProgramError> {
        let mut values = Values::from([("$esp", 0x1000), ("$ebp", 0x1020), (".raSearch", 0x1010), (".cbLocals", 8)]);
        run(program, &mut values, &|address| (address < 0x2000).then_some(address + 1))?;
        Ok(values.get(name).copied())
    }

    #[test]
    fn programs_are_calculated() {
        for (program, name, expected) in [
            ("$T0 .raSearch = $eip $T0 ^ =", "$eip", 0x1011),
            ("$T0 $ebp 4 + = $esp $T0 4 + =", "$esp", 0x1028),
            ("$T0 $ebp 3 - 8 @ =", "$T0", 0x1018),
            ("$T0 .cbLocals 3 * =", "$T0", 24),
            ("$T0 17 5 / =", "$T0", 3),
            ("$T0 17 5 % =", "$T0", 2),
            ("$T0 0 1 - =", "$T0", 0xffff_ffff),
            ("$T0 -4 =", "$T0", 0xffff_fffc),
            ("$T0 4294967295 1 + =", "$T0", 0),
            ("", "$esp", 0x1000),
            // As Microsoft's compiler wrote it for a function of a real PDB.
            ("$T0 $ebp 204 + =$eip $T0 4 + ^ =$ebp $T0 ^ = $esp $T0 8 + =", "$eip", 0x1020 + 204 + 4 + 1),
            ("$T0 $ebp 204 + =$eip $T0 4 + ^ =$ebp $T0 ^ = $esp $T0 8 + =", "$ebp", 0x1020 + 204 + 1),
            ("$T0 .raSearch ^=", "$T0", 0x1011),
        ] {
            assert_eq!(value_of(program, name), Ok(Some(expected)), "{program}");
        }
    }

    #[test]
    fn broken_programs_fail_with_a_reason() {
        for (program, error) in [
            ("$T0 1 0 / =", ProgramError::DivisionByZero),
            ("$T0 1 0 % =", ProgramError::DivisionByZero),
            ("$T0 1 0 @ =", ProgramError::DivisionByZero),
            ("$T0 $T9 =", ProgramError::NoValue("$T9".into())),
            ("=", ProgramError::StackEmpty),
            ("1 +", ProgramError::StackEmpty),
            ("$T0 0x10 =", ProgramError::Unknown("0x10".into())),
            ("$T0 4294967296 =", ProgramError::Unknown("4294967296".into())),
            ("$T0 8192 ^ =", ProgramError::NoMemory(8192)),
        ] {
            assert_eq!(value_of(program, "$T0"), Err(error), "{program}");
        }
        assert!(matches!(value_of("4 4 =", "$T0"), Err(ProgramError::Unknown(_))));
        assert_eq!(value_of(&"1 ".repeat(65), "$T0"), Err(ProgramError::TooDeep));
        assert_eq!(value_of(&"$T0 1 = ".repeat(400), "$T0"), Err(ProgramError::TooLong));
    }
}
