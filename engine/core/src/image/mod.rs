//! PE images: sections, relocations, exports, identity; and the proof that one is what a dump was taken of.

mod exports;
pub mod pe;
pub mod proof;
mod relocations;

#[cfg(test)]
pub(crate) mod tests;

pub use pe::{ImageError, PeImage, Section};
pub use proof::{Difference, Proof, prove};
