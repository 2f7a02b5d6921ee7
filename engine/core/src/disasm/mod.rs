//! Disassembly with names in place of addresses: x86 and x64 in the manner of Visual Studio (MASM syntax), ARM64 in
//! LLVM's syntax.
//!
//! [`disassemble`] turns bytes into [`Instruction`]s: text for people, facts about flow and operands for programs.
//! What lies at an address is the caller's knowledge, asked for through [`Names`]. Source lines and columns belong
//! to the front end.
//!
//! | module | subject |
//! | --- | --- |
//! | `instruction` | what is known about one decoded instruction |
//! | `forward`, [`backward`] | from bytes to instructions, from a start or up to an end |
//! | `names` | which addresses in an instruction may be named, and how a name is written |
//! | [`strings`] | string literals: what looks like one, and how it is quoted |
//! | `facts`, `text` | operands of x86 and x64 as data; as text |
//! | `arm64` | all of this for ARM64, with `names` and `strings` |
//!
//! Sources: Intel SDM volume 2 (by way of iced-x86); the listings of Visual Studio's disassembly window.

mod arm64;
pub mod backward;
mod facts;
mod forward;
mod instruction;
mod names;
pub mod strings;
mod text;

#[cfg(test)]
mod tests;

pub use backward::disassemble_before;
pub use forward::{Ended, Limit, Listing, UnsupportedCpu, disassemble};
pub use instruction::{Access, Flow, Instruction, Memory, NamedRegister, Operand, OperandKind, Segment, Storage};
pub use names::{Label, Name, Names, NoNames};
pub use strings::{Encoding, Literal};
