//! Call frame information: how to find a caller's registers at one address, whatever format said so.
//!
//! DWARF's `.eh_frame` and `.debug_frame`, Breakpad's `STACK CFI`, and Mach-O's compact unwind encodings all come down
//! to one row of rules; what evaluates rows is in `unwind`.
//!
//! Source: DWARF 5, section 6.4.1, "Structure of Call Frame Information".

use crate::registers::Register;

/// The rules at one address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CfiRow {
    /// The canonical frame address: by convention the stack pointer of the caller after the return.
    pub cfa: CfaRule,
    /// Rules of registers, each at most once. One without a rule is preserved if the ABI says so, else unknown.
    pub rules: Vec<(Register, Rule)>,
    /// The register whose rule gives the caller's instruction pointer (x64: RIP; ARM64: LR).
    pub return_address: Register,
    /// Whether the frame is that of a signal's trampoline: its caller was interrupted and did not call.
    pub is_signal_frame: bool,
}

/// Where the canonical frame address comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CfaRule {
    /// A register's value plus an offset.
    RegisterOffset(Register, i64),
    /// The value of an expression.
    Expression(Expression),
}

/// How one register of the caller is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rule {
    /// It cannot be found. Of the return address: there is no caller.
    Undefined,
    /// It has the value that it has in this frame.
    SameValue,
    /// It was saved at the canonical frame address plus this offset.
    Offset(i64),
    /// It is the canonical frame address plus this offset.
    ValueOffset(i64),
    /// It is in another register.
    Register(Register),
    /// It was saved where this expression points.
    Expression(Expression),
    /// It is the value of this expression.
    ValueExpression(Expression),
}

/// A computation over the registers and the memory of the frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expression {
    /// DWARF operations, which use DWARF's register numbers; the canonical frame address is pushed first, except where
    /// the expression computes it.
    Dwarf(Vec<u8>),
    /// Breakpad's postfix: `.cfa -16 + ^`, with registers by name (`$rsp`, `rsp`).
    Postfix(String),
}
