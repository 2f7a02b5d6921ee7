//! Kinds of address, and of memory that can be read by address.

use crate::registers::Cpu;

/// An offset from the base of a loaded image ("relative virtual address").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rva(pub u32);

impl Rva {
    /// The offset of `address` in a module at `base`, if it lies in the first 4 GiB from there.
    pub fn of(address: u64, base: u64) -> Option<Rva> {
        address.checked_sub(base).and_then(|offset| u32::try_from(offset).ok()).map(Rva)
    }

    /// The address in an image loaded at `base`.
    pub fn at(self, base: u64) -> u64 {
        base.wrapping_add(u64::from(self.0))
    }
}

/// Memory of the debugged program, by address.
pub trait ReadMemory {
    /// Copies bytes from `address` on into `buffer` and returns how many came before the first absent one.
    fn read(&self, address: u64, buffer: &mut [u8]) -> usize;

    /// The `u8` at `address`, if it is there.
    fn read_u8(&self, address: u64) -> Option<u8> {
        let mut bytes = [0; 1];
        (self.read(address, &mut bytes) == 1).then(|| bytes[0])
    }

    /// The `u16` at `address`, if all of it is there.
    fn read_u16(&self, address: u64) -> Option<u16> {
        let mut bytes = [0; 2];
        (self.read(address, &mut bytes) == 2).then(|| u16::from_le_bytes(bytes))
    }

    /// The `u32` at `address`, if all of it is there.
    fn read_u32(&self, address: u64) -> Option<u32> {
        let mut bytes = [0; 4];
        (self.read(address, &mut bytes) == 4).then(|| u32::from_le_bytes(bytes))
    }

    /// The `u64` at `address`, if all of it is there.
    fn read_u64(&self, address: u64) -> Option<u64> {
        let mut bytes = [0; 8];
        (self.read(address, &mut bytes) == 8).then(|| u64::from_le_bytes(bytes))
    }

    /// The `u128` at `address`, if all of it is there.
    fn read_u128(&self, address: u64) -> Option<u128> {
        let mut bytes = [0; 16];
        (self.read(address, &mut bytes) == 16).then(|| u128::from_le_bytes(bytes))
    }

    /// A pointer of `cpu`'s width at `address`, if all of it is there.
    fn read_pointer(&self, address: u64, cpu: Cpu) -> Option<u64> {
        match cpu.pointer_size_bytes() {
            4 => self.read_u32(address).map(u64::from),
            _ => self.read_u64(address),
        }
    }
}
