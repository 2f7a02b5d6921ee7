//! Unwind tables that a process registered at run time, over the memory that its dump holds.

use std::sync::{Arc, OnceLock};

use crate::address::Rva;
use crate::dump::Dump;
use crate::dump::function_tables::FunctionTable;
use crate::registers::Cpu;
use crate::unwind::{PlacedTables, UnwindTables};

/// Tables below an address that may reach over those after them.
const MOST_NESTED: usize = 64;

/// All tables of one dump.
pub struct RegisteredTables {
    dump: Arc<Dump>,
    /// In the order of their lowest addresses.
    tables: OnceLock<Vec<RegisteredTable>>,
}

/// One of them, by its index in the dump.
struct RegisteredTable {
    dump: Arc<Dump>,
    index: usize,
}

impl RegisteredTables {
    /// Reads nothing yet.
    pub fn new(dump: Arc<Dump>) -> RegisteredTables {
        RegisteredTables { dump, tables: OnceLock::new() }
    }

    /// The table of the functions around `address`.
    pub fn at(&self, address: u64) -> Option<PlacedTables<'_>> {
        let tables = self.tables.get_or_init(|| self.read());
        let after = tables.partition_point(|table| table.record().minimum <= address);
        let covering = tables[..after].iter().rev().take(MOST_NESTED).find(|table| address < table.record().maximum)?;
        let record = covering.record();
        let size_bytes = record.maximum.checked_sub(record.base)?;
        Some(PlacedTables { base: record.base, size_bytes, tables: covering })
    }

    fn read(&self) -> Vec<RegisteredTable> {
        let entry_bytes = match self.dump.cpu() {
            Some(Cpu::X64) => 12,
            Some(Cpu::Arm64) => 8,
            _ => return Vec::new(),
        };
        let records = self.dump.function_tables();
        let usable = (0..records.len()).filter(|&index| records[index].entry_bytes == entry_bytes);
        let mut tables: Vec<_> = usable.map(|index| RegisteredTable { dump: self.dump.clone(), index }).collect();
        tables.sort_by_key(|table| table.record().minimum);
        tables
    }
}

impl RegisteredTable {
    fn record(&self) -> &FunctionTable {
        &self.dump.function_tables()[self.index]
    }
}

impl UnwindTables for RegisteredTable {
    fn exception_directory(&self) -> &[u8] {
        &self.record().entries
    }

    /// What the dump holds from there on: compilers at run time put unwind information beside the code.
    fn bytes_from(&self, rva: Rva) -> &[u8] {
        let Some(address) = self.record().base.checked_add(rva.0.into()) else { return &[] };
        let range = self.dump.memory().from(address).first().filter(|range| range.address <= address);
        let bytes = range.and_then(|range| {
            let start = usize::try_from(range.offset.checked_add(address - range.address)?).ok()?;
            let end = usize::try_from(range.offset.checked_add(range.size_bytes)?).ok()?;
            self.dump.data().get(start..end)
        });
        bytes.unwrap_or_default()
    }

    fn is_executable(&self, rva: Rva) -> bool {
        let record = self.record();
        let address = record.base.checked_add(rva.0.into());
        address.is_some_and(|address| record.minimum <= address && address < record.maximum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dump::tests::{File, system_info, words};
    use crate::memory::AddressSpace;
    use crate::process::Process;
    use crate::registers::{Register, RegisterSet, arm64, x64};
    use crate::unwind::{Stop, Trust, Walk, WalkEnd, walk};

    /// Where the code lies that was made at run time, of two functions; 0x200 calls 0x100.
    const BASE: u64 = 0x1_2345_0000;
    const FUNCTION: u64 = BASE + 0x108;
    const RETURN: u64 = BASE + 0x210;
    const STACK: u64 = 0x10_0000;

    /// A dump of that code, with a table of functions that it registered, and of a stack.
    fn process(architecture: u16, entry_bytes: u32, entries: &[u32], code: &[u8], stack: &[u64]) -> Process {
        let mut file = File::default();
        file.stream(7, &system_info(architecture));
        let count = entries.len() as u32 * 4 / entry_bytes;
        let table = [
            words(&[24, 32, 8, entry_bytes, 1, 0]),
            [BASE + 0x100, BASE + 0x300, BASE].iter().flat_map(|it| it.to_le_bytes()).collect(),
            words(&[count, 0, 0xdead, 0xdead]),
            words(entries),
        ];
        file.stream(13, &table.concat());
        let stack: Vec<u8> = stack.iter().flat_map(|word| word.to_le_bytes()).collect();
        let ranges = [(BASE, code.to_vec()), (STACK, stack)].map(|(address, bytes)| {
            let place = words(&[bytes.len() as u32, file.place(&bytes)]);
            [address.to_le_bytes().to_vec(), place].concat()
        });
        file.stream(5, &[words(&[2]), ranges.concat()].concat());
        Process::new(AddressSpace::new(Arc::new(file.open())))
    }

    fn walk_from(process: &Process, cpu: Cpu, values: &[(Register, u64)]) -> Walk {
        let mut context = RegisterSet::new(cpu);
        values.iter().for_each(|&(register, value)| context.set(register, value));
        walk(process, &context, 10)
    }

    /// The stack pointer in the second frame, which must be the caller and the last.
    #[track_caller]
    fn caller_sp(walk: &Walk) -> u64 {
        assert_eq!((walk.frames.len(), walk.end), (2, WalkEnd::Done(Stop::EndOfStack)));
        let frame = &walk.frames[1];
        assert_eq!((frame.trust, frame.module), (Trust::Cfi, None));
        assert_eq!(frame.registers.instruction_pointer(), Some(RETURN));
        frame.registers.stack_pointer().unwrap()
    }

    /// Code on x64: `nop`, but for a call of the function that ends at the return address; unwind information at 0x10.
    fn x64_code(unwind_info: &[u8]) -> Vec<u8> {
        let mut code = vec![0x90; 0x300];
        code[0x20b..0x210].copy_from_slice(&[0xe8, 0xf0, 0xfe, 0xff, 0xff]);
        code[0x10..0x10 + unwind_info.len()].copy_from_slice(unwind_info);
        code
    }

    #[test]
    fn frames_of_code_made_at_run_time_on_x64() {
        // Unsorted; the prologue of both is `sub rsp, 0x28`: UWOP_ALLOC_SMALL in UNWIND_INFO version 1.
        let entries = [0x200, 0x240, 0x10, 0x100, 0x140, 0x10];
        let code = x64_code(&[1, 4, 1, 0, 4, 0x42, 0, 0]);
        let stack = [1, 2, 3, 4, 5, RETURN, 1, 2, 3, 4, 5, 0, 0];
        let registers = [(x64::RIP, FUNCTION), (x64::RSP, STACK), (x64::RBP, 0xdead)];
        let walk = walk_from(&process(9, 12, &entries, &code, &stack), Cpu::X64, &registers);
        assert_eq!(caller_sp(&walk), STACK + 0x30);
        // Nothing is made up where the entries are another processor's, or the dump lacks what they point to.
        let other = walk_from(&process(9, 8, &entries, &code, &stack), Cpu::X64, &registers);
        assert!(other.frames.iter().skip(1).all(|frame| frame.trust < Trust::Cfi));
        let entries = [0x100, 0x140, 0x1000, 0x200, 0x240, 0x1000];
        let without = walk_from(&process(9, 12, &entries, &code, &stack), Cpu::X64, &registers);
        assert!(without.frames.iter().skip(1).all(|frame| frame.trust < Trust::Cfi));
    }

    #[test]
    fn frames_of_code_made_at_run_time_on_arm64() {
        // Packed unwind data: 0x40 bytes of code, `stp x29, lr, [sp, #-0x20]!` and `mov x29, sp` (CR 3).
        let packed = 1 | 0x10 << 2 | 3 << 21 | 2 << 23;
        let mut code: Vec<u8> = words(&[0xd503_201f; 0xc0]); // nop
        code[0x20c..0x210].copy_from_slice(&(0x9400_0000_u32 | (0x3ff_ffff & -67_i32 as u32)).to_le_bytes()); // bl 0x100
        let stack = [STACK + 0x20, RETURN, 3, 4, 0, 0, 3, 4];
        let registers = [(arm64::PC, FUNCTION), (arm64::SP, STACK), (arm64::FP, STACK)];
        let process = process(12, 8, &[0x100, packed, 0x200, packed], &code, &stack);
        assert_eq!(caller_sp(&walk_from(&process, Cpu::Arm64, &registers)), STACK + 0x20);
    }

    #[test]
    fn tables_answer_for_their_own_addresses() {
        let process = process(9, 12, &[0x100, 0x140, 0x10], &x64_code(&[]), &[0]);
        let tables = RegisteredTables::new(process.space.dump().clone());
        for (address, is_found) in [(0xff, false), (0x100, true), (0x2ff, true), (0x300, false)] {
            assert_eq!(tables.at(BASE + address).is_some(), is_found, "{address:#x}");
        }
        let found = tables.at(BASE + 0x100).unwrap();
        assert_eq!((found.base, found.size_bytes), (BASE, 0x300));
        assert!(found.tables.is_executable(Rva(0x100)) && !found.tables.is_executable(Rva(0x10)));
        assert_eq!(found.tables.bytes_from(Rva(0x20b))[..5], [0xe8, 0xf0, 0xfe, 0xff, 0xff]);
        assert_eq!(found.tables.bytes_from(Rva(0x300)), []);
    }
}
