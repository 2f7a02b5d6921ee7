//! The engine of stillframe: bytes in, facts out.
//!
//! Floors inside the engine, each using only those above it in this list:
//!
//! | module | subject |
//! | --- | --- |
//! | [`data`], [`bytes`] | mapped files; a cursor that cannot read past its end |
//! | [`address`], [`registers`], [`cfi`] | kinds of address; a processor's register set with validity; rules for callers |
//! | [`callframe`] | DWARF's sections of call frame information, read into rules |
//! | [`image`], [`elf`], [`macho`], [`pe`], [`dump`], [`debuginfo`] | parsers, one folder per family of formats |
//! | [`memory`] | the address space of one dump: dump regions above proved images |
//! | [`unwind`], [`disasm`] | questions asked of that address space |
//! | [`locate`], [`tail_frames`] | where a variable is in one frame of a stack; frames that jumps have taken off it |
//!
//! Nothing here opens a network connection, reads configuration, prints, or decides policy.

pub mod address;
pub mod bytes;
pub mod callframe;
pub mod cfi;
pub mod data;
pub mod debuginfo;
mod digest;
pub mod disasm;
pub mod dump;
pub mod elf;
pub mod exercise;
pub mod image;
pub mod locate;
pub mod macho;
pub mod memory;
pub mod names;
pub mod pe;
pub mod process;
mod registered_tables;
pub mod registers;
#[cfg(test)]
mod shared_data;
mod tail_calls;
pub mod tail_frames;
pub mod unwind;
