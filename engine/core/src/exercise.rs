//! Asking every question of untrusted bytes: what the tests of damaged files and the fuzz targets share.
//!
//! Each function must return, in time and memory that its input bounds; what it answers does not matter.

mod apple;
mod unwinding;
mod values;

pub use apple::macho;
pub use unwinding::{eh_frame, unwind_arm, unwind_arm64, unwind_x64, unwind_x86};
pub use values::values;

use std::sync::Arc;

use crate::address::Rva;
use crate::data::Data;
use crate::debuginfo::breakpad::BreakpadSymbols;
use crate::debuginfo::dwarf::{Dwarf, SplitFiles};
use crate::debuginfo::pdb::Pdb;
use crate::debuginfo::symbol_table::SymbolTable;
use crate::debuginfo::{DebugInfo, Passed, TypeId};
use crate::disasm::{Limit, NoNames, disassemble, disassemble_before};
use crate::dump::Dump;
use crate::elf::Elf;
use crate::image::{self, PeImage};
use crate::memory::AddressSpace;
use crate::names::display_name;
use crate::process::Process;
use crate::registers::{Cpu, Register};
use crate::unwind::walk;

/// Most of a list that is looked at one by one: a damaged file may claim many.
const MOST: usize = 16;
/// RVAs that are asked about.
const RVAS: [u32; 12] = [0, 1, 0xfff, 0x1000, 0x1018, 0x10d2, 0x1253, 0x1934, 0x1944, 0x7b30, 0x7fff_ffff, u32::MAX];

/// Opens a minidump and asks for everything in it.
pub fn dump(bytes: &[u8]) {
    if let Some(process) = open_dump(bytes) {
        ask_process(&process);
    }
}

/// Opens an image and asks for everything in it.
pub fn image(bytes: &[u8]) {
    let Ok(image) = image::open(Data::from(bytes.to_vec())) else { return };
    let _ = (image.codeview(), image.is_reproducible(), image.loader_written(), image.cpu());
    let mut buffer = [0; 64];
    for rva in RVAS.map(Rva) {
        for base in [image.linked_base(), image.linked_base().wrapping_add(0x1_2340_0000), 0] {
            image.read_mapped(rva, base, &mut buffer);
            image.relocated_words(rva, 64, base);
        }
        let _ = (image.section_at(rva), image.export_at(rva), image.section_name(rva), image.cfi_at(rva));
    }
    if let Some(file) = image.own_debug_info(None).filter(|_| bytes.starts_with(b"MZ")) {
        debug_info(&*file.info);
    }
}

/// Opens a Breakpad symbol file and asks every question of it; then once more, by an index of what the file was before
/// its middle changed.
pub fn breakpad(bytes: &[u8]) {
    const END_BYTES: usize = 1024;
    let open = |bytes: &[u8], index| BreakpadSymbols::open(Data::from(bytes.to_vec()), index);
    let Ok(symbols) = open(bytes, None) else { return };
    let _ = (symbols.identity(), symbols.cpu());
    debug_info(&symbols);
    let mut changed = bytes.to_vec();
    if let Some(middle) = changed.get_mut(END_BYTES..bytes.len().saturating_sub(END_BYTES)) {
        middle.rotate_left(middle.len() / 3);
    }
    if let Ok(symbols) = open(&changed, Some(symbols.index_bytes())) {
        debug_info(&symbols);
        let _ = symbols.uses_stored_index();
    }
}

/// Opens a PDB and asks every question of it.
pub fn pdb(bytes: &[u8]) {
    if let Ok(pdb) = Pdb::open(Data::from(bytes.to_vec())) {
        let _ = (pdb.identity().age, pdb.cpu(), pdb.is_fastlink());
        debug_info(&pdb);
        for id in (0x1000..0x1040).map(TypeId) {
            let _ = (pdb.type_of(id), pdb.members_of(id).len(), pdb.enumerators_of(id).len());
        }
    }
}

/// Opens an ELF file and asks for everything in it.
pub fn elf(bytes: &[u8]) {
    let Ok(elf) = Elf::open(Data::from(bytes.to_vec())) else { return };
    let _ = (elf.cpu(), elf.base(), elf.sections_error(), elf.build_id(), elf.soname());
    let _ = (elf.debug_link(), elf.debug_alt_link(), elf.notes().count());
    for segment in elf.segments().iter().take(MOST) {
        let _ = (elf.segment_bytes(segment).len(), elf.bytes_at(segment.vaddr), elf.rva(segment.vaddr));
    }
    for section in elf.sections().iter().take(2 * MOST) {
        let _ = (elf.section_name(section).len(), elf.section_bytes(section).is_ok());
    }
    debug_info(&SymbolTable::of_elf(&elf));
}

/// Opens an ELF file with DWARF, which is its own supplementary file too, and asks every question of it.
pub fn dwarf(bytes: &[u8]) {
    let Ok(elf) = Elf::open(Data::from(bytes.to_vec())) else { return };
    let elf = Arc::new(elf);
    let dwarf = Dwarf::new(elf.clone(), Some(elf));
    debug_info(&dwarf);
    values(&dwarf);
    for symbol in dwarf.symbols_matching(&mut |_| true, MOST) {
        let rva = Rva(symbol.rva.0.saturating_add(8));
        let _ = (dwarf.scopes_at(rva), dwarf.variables_at(rva), dwarf.symbol_at(rva));
    }
    dwarf.problems();
}

/// Opens an ELF file with a package of split DWARF, and asks every question of it.
pub fn split_dwarf(bytes: &[u8], package: &[u8]) {
    let Ok(elf) = Elf::open(Data::from(bytes.to_vec())) else { return };
    let dwarf = Dwarf::new(Arc::new(elf), None);
    dwarf.skeletons();
    dwarf.attach(SplitFiles { package: Some(Data::from(package.to_vec())), ..SplitFiles::default() });
    debug_info(&dwarf);
    values(&dwarf);
    for symbol in dwarf.symbols_matching(&mut |_| true, MOST) {
        let rva = Rva(symbol.rva.0.saturating_add(8));
        let _ = (dwarf.scopes_at(rva), dwarf.variables_at(rva), dwarf.symbol_at(rva));
    }
    dwarf.problems();
}

/// Asks every question of debug information.
pub fn debug_info(debug: &dyn DebugInfo) {
    for rva in RVAS.map(Rva) {
        let _ = (debug.function_at(rva), debug.scopes_at(rva), debug.symbol_at(rva));
        let _ = (debug.variables_at(rva), debug.frame_data_at(rva), debug.cfi_at(rva));
        debug.lines_in(rva, Rva(rva.0.saturating_add(0x40)));
    }
    debug.lines_in(Rva(0), Rva(u32::MAX));
    debug.natvis_files();
    for symbol in debug.symbols_matching(&mut |_| true, MOST) {
        debug.symbols_named(&symbol.name);
    }
    debug.symbols_named("main");
    types_and_data(debug);
    debug.problems();
}

/// Asks for types, what they are made of, and variables of the module.
fn types_and_data(debug: &dyn DebugInfo) {
    let mut ids: Vec<TypeId> = [0, 3, 0x74, 0x103, 0x1000, 0x1001, 0x1005, 0x1012, 1 << 32, 2 << 32 | 0x1005, u64::MAX]
        .map(TypeId)
        .into_iter()
        .chain(RVAS.map(Rva).into_iter().filter_map(|rva| debug.function_type_at(rva)))
        .collect();
    for rva in RVAS.map(Rva) {
        ids.extend(debug.variables_at(rva).into_iter().take(MOST).filter_map(|variable| variable.type_id));
        ids.extend(debug.data_at(rva).and_then(|data| data.type_id));
        let _ = debug.call_site_value(rva, Passed::Register(Register(0)));
    }
    for (name, id) in debug.types_matching(&mut |_| true, MOST) {
        ids.push(id);
        debug.types_named(&name);
        debug.data_named(&name);
    }
    for name in ["char", "a::b::c", "main::value", "_fltused"] {
        ids.extend(debug.types_named(name).into_iter().take(MOST));
        ids.extend(debug.data_named(name).into_iter().take(MOST).filter_map(|data| data.type_id));
    }
    for id in ids {
        let _ = (debug.type_of(id), debug.enumerators_of(id));
        for member in debug.members_of(id).into_iter().take(MOST) {
            let _ = member.type_id.and_then(|id| debug.type_of(id));
        }
    }
}

/// Opens a dump, an image and a PDB, believes that they belong together, and shows the program.
pub fn program(dump: &[u8], image: &[u8], pdb: &[u8]) {
    let Some(mut process) = open_dump(dump) else { return };
    if let Ok(image) = PeImage::open(Data::from(image.to_vec())) {
        let _ = process.space.prove(0, &image);
        process.space.set_image(0, Some(Arc::new(image)));
    }
    if let Ok(pdb) = Pdb::open(Data::from(pdb.to_vec())) {
        process.set_debug_info(0, Some(Arc::new(pdb)));
    }
    ask_process(&process);
}

/// Disassembles code, forwards and backwards, for all processors that can be.
pub fn code(bytes: &[u8]) {
    for cpu in [Cpu::X86, Cpu::X64, Cpu::Arm64] {
        let _ = disassemble(bytes, 0x1000, cpu, Limit::Count(bytes.len()), &NoNames);
        let _ = disassemble_before(bytes, 0x1000, cpu, MOST, &[0xffe], &NoNames);
    }
}

/// Undecorates a name.
pub fn name(bytes: &[u8]) {
    display_name(&String::from_utf8_lossy(bytes));
}

fn open_dump(bytes: &[u8]) -> Option<Process> {
    let dump = Arc::new(Dump::open(Data::from(bytes.to_vec())).ok()?);
    dump.read_all();
    for index in 0..dump.streams().len().min(MOST) {
        let _ = dump.stream_bytes(index);
    }
    let mut process = Process::new(AddressSpace::new(dump));
    for module in 1..process.space.dump().modules().len() {
        process.space.set_image(module, None);
        process.set_debug_info(module, None);
    }
    Some(process)
}

fn ask_process(process: &Process) {
    let dump = process.space.dump().clone();
    for thread in 0..dump.threads().len().min(MOST) {
        let Some(registers) = dump.context(thread) else { continue };
        walk(process, &registers, 64);
        if let (Some(address), Some(cpu @ (Cpu::X86 | Cpu::X64 | Cpu::Arm64))) =
            (registers.instruction_pointer(), dump.cpu())
        {
            let code = process.space.bytes(address, 64);
            let _ = disassemble(&code, address, cpu, Limit::Count(8), process);
        }
    }
    let ranges = dump.memory().ranges().iter().take(MOST).map(|range| range.address);
    let modules = dump.modules().iter().take(MOST).map(|module| module.base);
    for address in ranges.chain(modules).chain([0, u64::MAX - 8]) {
        for start in [address, address.wrapping_sub(8), address.wrapping_add(0x1930)] {
            process.space.provenance(start, 0x2000);
            process.space.bytes(start, 0x2000);
            process.space.is_executable(start);
        }
    }
}
