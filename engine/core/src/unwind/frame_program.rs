//! Postfix text: frame-data programs, in which compilers tell how an x86 frame's caller is recovered, for example
//! `$T0 .raSearch = $eip $T0 ^ = $esp $T0 4 + = $ebp $T0 4 - ^ =`, and the expressions of Breakpad's `STACK CFI`, for
//! example `.cfa -16 + ^`.
//!
//! Source: Microsoft, DIA SDK, "IDiaFrameData::get_program"; the programs that LLVM's `X86WinCOFFTargetStreamer` writes;
//! Breakpad, "Symbol file format", section "STACK CFI records".

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
    NoMemory(u64),
    #[error("an expression must leave one value")]
    Left,
}

/// A name, or a number; names become values only when an operator wants one.
#[derive(Debug, Clone, Copy)]
enum Operand<'a> {
    Name(&'a str),
    Number(u64),
}

/// The values that a program reads and assigns: registers (`$eip`), temporaries (`$T0`), constants (`.cbLocals`).
pub(super) type Values<'a> = HashMap<&'a str, u64>;

/// The machine for which a program is written.
#[derive(Clone, Copy)]
pub(super) struct Machine<'a> {
    /// Its largest word: arithmetic wraps there.
    pub largest_word: u64,
    /// Reads a word of the dumped process.
    pub memory: &'a dyn Fn(u64) -> Option<u64>,
}

/// Runs `program` over `values`.
///
/// Arithmetic wraps; `/` and `%` are unsigned; `a b @` aligns `a` down to a multiple of `b`.
pub(super) fn run<'a>(program: &'a str, values: &mut Values<'a>, machine: Machine) -> Result<(), ProgramError> {
    execute(program, values, machine).map(|_| ())
}

/// The value of an expression: what it leaves on the stack, which must be one value.
pub(super) fn evaluate<'a>(
    expression: &'a str,
    values: &mut Values<'a>,
    machine: Machine,
) -> Result<u64, ProgramError> {
    let mut stack = execute(expression, values, machine)?;
    let value = pop_value(&mut stack, values)?;
    if stack.is_empty() { Ok(value) } else { Err(ProgramError::Left) }
}

fn execute<'a>(program: &'a str, values: &mut Values<'a>, machine: Machine) -> Result<Vec<Operand<'a>>, ProgramError> {
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
                Operand::Number((machine.memory)(address).ok_or(ProgramError::NoMemory(address))?)
            }
            "+" | "-" | "*" | "/" | "%" | "@" => {
                let right = pop_value(&mut stack, values)?;
                let left = pop_value(&mut stack, values)?;
                Operand::Number(calculate(token, left, right)? & machine.largest_word)
            }
            _ => operand(token, machine.largest_word)?,
        };
        if stack.len() == DEEPEST_STACK {
            return Err(ProgramError::TooDeep);
        }
        stack.push(result);
    }
    Ok(stack)
}

/// The tokens of `program`. Folklore: Microsoft's compiler leaves out blanks after operators, as in
/// `$T0 $ebp 204 + =$eip $T0 4 + ^ =$ebp $T0 ^ = $esp $T0 8 + =`, so `=`, `^` and `@` are tokens wherever they stand.
pub(super) fn tokens(program: &str) -> impl Iterator<Item = &str> {
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

fn operand(token: &str, largest_word: u64) -> Result<Operand<'_>, ProgramError> {
    // Microsoft writes `$` before registers; Breakpad does so for x86 and x64 only.
    if token.starts_with(|first: char| matches!(first, '$' | '.' | '_') || first.is_ascii_alphabetic()) {
        return Ok(Operand::Name(token));
    }
    // Negative constants are written with a sign by some compilers.
    let largest = i128::from(largest_word);
    let number = token.parse::<i128>().ok().filter(|number| (-largest / 2 - 1..=largest).contains(number));
    let number = number.map(|number| Operand::Number(number as u64 & largest_word));
    number.ok_or_else(|| ProgramError::Unknown(token.to_owned()))
}

fn pop_value(stack: &mut Vec<Operand>, values: &Values) -> Result<u64, ProgramError> {
    match stack.pop().ok_or(ProgramError::StackEmpty)? {
        Operand::Number(number) => Ok(number),
        Operand::Name(name) => values.get(name).copied().ok_or_else(|| ProgramError::NoValue(name.to_owned())),
    }
}

fn calculate(operator: &str, left: u64, right: u64) -> Result<u64, ProgramError> {
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

    fn value_of(program: &str, name: &str) -> Result<Option<u64>, ProgramError> {
        let mut values = Values::from([("$esp", 0x1000), ("$ebp", 0x1020), (".raSearch", 0x1010), (".cbLocals", 8)]);
        let memory = |address| (address < 0x2000).then_some(address + 1);
        run(program, &mut values, Machine { largest_word: u32::MAX.into(), memory: &memory })?;
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
        assert_eq!(value_of("$T0 rax =", "$T0"), Err(ProgramError::NoValue("rax".into())));
        assert!(matches!(value_of("4 4 =", "$T0"), Err(ProgramError::Unknown(_))));
        assert_eq!(value_of(&"1 ".repeat(65), "$T0"), Err(ProgramError::TooDeep));
        assert_eq!(value_of(&"$T0 1 = ".repeat(400), "$T0"), Err(ProgramError::TooLong));
    }

    #[test]
    fn expressions_have_one_value_of_the_machines_width() {
        let mut values = Values::from([(".cfa", 0x7fff_0000_1000), ("x29", 0x7fff_0000_0f00), ("$rsp", 8)]);
        let memory = |address| (address == 0x7fff_0000_0ff0).then_some(u64::MAX);
        let machine = Machine { largest_word: u64::MAX, memory: &memory };
        for (expression, expected) in [
            (".cfa -16 + ^", Ok(u64::MAX)),
            (".cfa 16 -", Ok(0x7fff_0000_0ff0)),
            ("x29 16 +", Ok(0x7fff_0000_0f10)),
            ("$rsp 9 -", Ok(u64::MAX)),
            ("18446744073709551615", Ok(u64::MAX)),
            ("-1", Ok(u64::MAX)),
            ("-9223372036854775808", Ok(1 << 63)),
            ("18446744073709551616", Err(ProgramError::Unknown("18446744073709551616".into()))),
            ("1 2", Err(ProgramError::Left)),
            ("", Err(ProgramError::StackEmpty)),
            ("x30", Err(ProgramError::NoValue("x30".into()))),
            (".cfa ^", Err(ProgramError::NoMemory(0x7fff_0000_1000))),
        ] {
            assert_eq!(evaluate(expression, &mut values, machine), expected, "{expression}");
        }
    }
}
