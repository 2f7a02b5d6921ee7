//! A symbol table alone: what is known of a module without, or beside, debug information.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::OnceLock;

use super::{DebugInfo, FrameData, Function, LineRow, Scope, Symbol, SymbolKind, Variable};
use crate::address::Rva;
use crate::data::Data;
use crate::elf::{self, Binding, Elf, ElfSymbol, SymbolType};
use crate::macho::{MachO, MachSymbol};
use crate::names::{display_name, may_display_as};
use crate::pe::{Pe, PeSymbol, SymbolName};
use crate::registers::Cpu;

/// Longest name that is shown whole.
const MOST_NAME_BYTES: usize = 8 << 10;
/// Symbols before an address that may reach over those after them.
const MOST_NESTED: usize = 64;

/// Named addresses of one module, whatever format they come from.
pub struct SymbolTable {
    /// In address order; of several at one address the best comes first.
    entries: Vec<SymbolEntry>,
    names: Data,
    /// Where sections begin and end, in order.
    limits: Vec<Rva>,
    is_full: bool,
    thread_locals: ThreadLocals,
    functions_by_name: OnceLock<HashMap<u64, Option<u32>>>,
}

/// Offsets of thread-local variables in the block of their module, by name; None of names that several have.
type ThreadLocals = HashMap<Box<[u8]>, Option<u64>>;

/// A named address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SymbolEntry {
    /// Where.
    pub rva: Rva,
    /// Bytes; 0 if that is not known: it then reaches to the next symbol.
    pub size_bytes: u32,
    /// Offset of its name in the names.
    pub name: u32,
    /// Whether it is code.
    pub is_code: bool,
    /// Which of several at one address is shown: the lowest.
    pub rank: u8,
}

/// Loaded sections in address order: where each begins and ends, and whether it holds code.
struct Sections(Vec<(Rva, Rva, bool)>);

impl Sections {
    fn new(sections: impl Iterator<Item = (Rva, Rva, bool)>) -> Sections {
        let mut sections: Vec<_> = sections.collect();
        sections.sort();
        Sections(sections)
    }

    fn is_code_at(&self, rva: Rva) -> bool {
        let after = self.0.partition_point(|section| section.0 <= rva);
        self.0[..after].last().is_some_and(|section| section.2 && rva < section.1)
    }

    fn limits(&self) -> impl Iterator<Item = Rva> + '_ {
        self.0.iter().flat_map(|section| [section.0, section.1])
    }
}

fn thread_locals(table: &elf::SymbolTable) -> ThreadLocals {
    let mut found = ThreadLocals::new();
    let is_shared = |symbol: &ElfSymbol| symbol.is_defined && symbol.binding != Binding::Local;
    for symbol in table.iter().filter(|symbol| symbol.kind == SymbolType::ThreadLocal && is_shared(symbol)) {
        let Some(name) = table.names.get(symbol.name as usize..) else { continue };
        let length = memchr::memchr(0, name).unwrap_or(name.len()).min(MOST_NAME_BYTES);
        let offset = found.entry(name[..length].into()).or_insert(Some(symbol.value));
        *offset = offset.filter(|&value| value == symbol.value);
    }
    found
}

impl SymbolTable {
    /// A table of `entries`, whose names are in `names`, each ended by a NUL. `limits` are where sections begin and
    /// end: no symbol without a size reaches over one.
    pub fn new(mut entries: Vec<SymbolEntry>, names: Data, mut limits: Vec<Rva>) -> SymbolTable {
        entries.sort_by_key(|entry| (entry.rva, entry.rank, Reverse(entry.size_bytes)));
        limits.sort();
        limits.dedup();
        let (thread_locals, functions_by_name) = (HashMap::new(), OnceLock::new());
        SymbolTable { entries, names, limits, is_full: true, thread_locals, functions_by_name }
    }

    /// Where a thread-local variable that other modules see is in the block of the module's variables.
    pub fn thread_local(&self, name: &[u8]) -> Option<u64> {
        *self.thread_locals.get(name)?
    }

    /// Whether a section begins or ends behind `start`, at or below `rva`.
    pub fn is_limit_between(&self, start: Rva, rva: Rva) -> bool {
        let next = self.limits.get(self.limits.partition_point(|&limit| limit <= start));
        next.is_some_and(|&limit| limit <= rva)
    }

    /// The symbol table of an ELF file: `.symtab`, else `.dynsym`. Empty if the file has neither.
    pub fn of_elf(elf: &Elf) -> SymbolTable {
        let Some(table) = elf.symbol_table() else {
            return SymbolTable::new(Vec::new(), Data::from(Vec::new()), Vec::new());
        };
        let loaded = elf.sections().iter().filter(|section| section.vaddr != 0 && section.size_bytes != 0);
        let sections = Sections::new(loaded.filter_map(|section| {
            let end = section.vaddr.checked_add(section.size_bytes)?;
            Some((elf.rva(section.vaddr)?, elf.rva(end)?, section.is_executable()))
        }));
        let entry = |symbol: ElfSymbol| {
            let rva = elf.rva(symbol.value).filter(|_| symbol.is_defined)?;
            let is_code = match symbol.kind {
                SymbolType::Function | SymbolType::IndirectFunction => true,
                SymbolType::Object => false,
                SymbolType::None => sections.is_code_at(rva),
                SymbolType::ThreadLocal | SymbolType::Other(_) => return None,
            };
            // `$x`, `$d`: ARM's marks of where code and data begin.
            if matches!(table.names.get(symbol.name as usize), None | Some(0 | b'$')) {
                return None;
            }
            let rank = u8::from(symbol.kind == SymbolType::None) * 4 + symbol.binding as u8;
            let size_bytes = u32::try_from(symbol.size_bytes).unwrap_or(u32::MAX);
            Some(SymbolEntry { rva, size_bytes, name: symbol.name, is_code, rank })
        };
        let entries = table.iter().filter_map(entry).collect();
        let limits = sections.limits().collect();
        let thread_locals = thread_locals(&table);
        SymbolTable {
            is_full: !table.is_dynamic,
            thread_locals,
            ..SymbolTable::new(entries, table.names.clone(), limits)
        }
    }

    /// The symbol table of a Mach-O file. A function reaches no further than to where the next one starts, even if that
    /// has no name.
    pub fn of_macho(macho: &MachO) -> SymbolTable {
        let Some(table) = macho.symbol_table() else {
            return SymbolTable::new(Vec::new(), Data::from(Vec::new()), Vec::new());
        };
        let sections = Sections::new(macho.sections().iter().filter_map(|section| {
            let end = section.vmaddr.checked_add(section.size_bytes)?;
            Some((macho.rva(section.vmaddr)?, macho.rva(end)?, section.is_executable()))
        }));
        let mut has_local = false;
        let entry = |symbol: MachSymbol| {
            has_local |= !symbol.is_external;
            // Compilers put an underscore before the names of sources.
            let name = symbol.name.saturating_add(u32::from(table.names.get(symbol.name as usize) == Some(&b'_')));
            if matches!(table.names.get(name as usize), None | Some(0)) {
                return None;
            }
            let (rva, rank) = (macho.rva(symbol.value)?, u8::from(!symbol.is_external));
            Some(SymbolEntry { rva, size_bytes: 0, name, is_code: sections.is_code_at(rva), rank })
        };
        let entries = table.iter().filter_map(entry).collect();
        let limits = sections.limits().chain(macho.function_starts()).collect();
        SymbolTable { is_full: has_local, ..SymbolTable::new(entries, table.names.clone(), limits) }
    }

    /// The COFF symbol table of a PE file. Empty if there is none.
    pub fn of_pe(pe: &Pe) -> SymbolTable {
        let Some(table) = pe.symbol_table() else {
            return SymbolTable::new(Vec::new(), Data::from(Vec::new()), Vec::new());
        };
        let sections = Sections::new(pe.sections().iter().filter_map(|section| {
            let end = section.rva.0.checked_add(section.size_bytes())?;
            Some((section.rva, Rva(end), section.is_executable()))
        }));
        // Short names are in the records; here they join the long ones.
        let mut names = [table.strings, &[0]].concat();
        let has_underscore = pe.cpu() == Some(Cpu::X86);
        let mut entry = |symbol: PeSymbol| {
            let name = match symbol.name {
                SymbolName::Long(offset) => offset,
                SymbolName::Short(short) => {
                    let offset = u32::try_from(names.len()).ok()?;
                    names.extend(short);
                    names.push(0);
                    offset
                }
            };
            let underscore = has_underscore && names.get(name as usize) == Some(&b'_');
            let name = name.checked_add(u32::from(underscore))?;
            // `.text`: a section, not what is in it.
            if matches!(names.get(name as usize), None | Some(0 | b'.')) {
                return None;
            }
            let is_code = symbol.is_function || sections.is_code_at(symbol.rva);
            let rank = u8::from(!symbol.is_function) * 2 + u8::from(!symbol.is_external);
            Some(SymbolEntry { rva: symbol.rva, size_bytes: 0, name, is_code, rank })
        };
        let entries = table.iter().filter_map(&mut entry).collect();
        SymbolTable::new(entries, Data::from(names), sections.limits().collect())
    }

    /// Whether it has all functions of the module, and not only those that others link to.
    pub fn is_full(&self) -> bool {
        self.is_full && !self.entries.is_empty()
    }

    /// The function that covers `rva`: one that says that it does, else the nearest that does not say how long it is.
    pub fn function_entry_at(&self, rva: Rva) -> Option<(&SymbolEntry, u32)> {
        let after = self.entries.partition_point(|entry| entry.rva <= rva);
        let near =
            || self.entries[..after].iter().enumerate().rev().take(MOST_NESTED).filter(|(_, entry)| entry.is_code);
        let covers = |entry: &SymbolEntry| rva.0 - entry.rva.0 < entry.size_bytes;
        let sized = near().find(|(_, entry)| covers(entry));
        let (index, entry) = match sized {
            Some(found) => found,
            None => near().find(|(_, entry)| entry.size_bytes == 0).filter(|(_, entry)| rva < self.reach(entry))?,
        };
        // The best name of those that begin at the same address and cover it too.
        let first = self.entries[..index].partition_point(|other| other.rva < entry.rva);
        let same = |other: &&SymbolEntry| other.is_code && (covers(other) == covers(entry));
        let best = self.entries[first..=index].iter().take(MOST_NESTED).find(same).unwrap_or(entry);
        let size_bytes = if best.size_bytes == 0 { self.reach(best).0 - best.rva.0 } else { best.size_bytes };
        Some((best, size_bytes))
    }

    /// How far a symbol without size reaches: to the next one, or the end of the section.
    fn reach(&self, entry: &SymbolEntry) -> Rva {
        let next = self.entries.partition_point(|other| other.rva <= entry.rva);
        let next = self.entries.get(next).map(|other| other.rva);
        let limit = self.limits.get(self.limits.partition_point(|&limit| limit <= entry.rva)).copied();
        match (next, limit) {
            (Some(next), Some(limit)) => next.min(limit),
            (next, limit) => next.or(limit).unwrap_or(Rva(entry.rva.0.saturating_add(1))),
        }
    }

    /// A symbol's name, without the version that older linkers append (`memcpy@@GLIBC_2.14`).
    fn raw_name(&self, entry: &SymbolEntry) -> &[u8] {
        let rest = self.names.get(entry.name as usize..).unwrap_or_default();
        let rest = &rest[..rest.len().min(MOST_NAME_BYTES)];
        let name = &rest[..rest.iter().position(|&byte| byte == 0).unwrap_or(rest.len())];
        match name.iter().position(|&byte| byte == b'@') {
            Some(version) if version > 0 => &name[..version],
            _ => name,
        }
    }

    fn name(&self, entry: &SymbolEntry) -> String {
        String::from_utf8_lossy(self.raw_name(entry)).into_owned()
    }

    fn symbol(&self, entry: &SymbolEntry) -> Symbol {
        Symbol {
            name: self.name(entry),
            rva: entry.rva,
            kind: if entry.is_code { SymbolKind::PublicCode } else { SymbolKind::PublicData },
            size_bytes: (entry.size_bytes != 0).then_some(entry.size_bytes),
        }
    }

    /// Where the function begins that the linker knows by this name; None if several are, or if the compiler has made
    /// others of it: `f.isra.0`, `f.constprop.0`.
    pub fn function_named(&self, name: &str) -> Option<Rva> {
        let by_name = self.functions_by_name.get_or_init(|| self.index_functions());
        let entry = self.entries.get(*by_name.get(&hash(name.as_bytes()))?.as_ref()? as usize)?;
        (self.raw_name(entry) == name.as_bytes()).then_some(entry.rva)
    }

    /// For each name's hash the index of its entry; None where no function alone has it.
    fn index_functions(&self) -> HashMap<u64, Option<u32>> {
        let mut by_name = HashMap::new();
        for (index, entry) in self.entries.iter().enumerate().filter(|(_, entry)| entry.is_code) {
            let name = self.raw_name(entry);
            let other = by_name.insert(hash(name), u32::try_from(index).ok());
            let other = other.map(|it| it.and_then(|index| self.entries.get(index as usize)));
            let is_alone = other.is_none_or(|other| other.is_some_and(|other| other.rva == entry.rva));
            if !is_alone {
                by_name.insert(hash(name), None);
            }
        }
        for entry in self.entries.iter().filter(|entry| entry.is_code) {
            let name = self.raw_name(entry);
            if let Some(dot) = memchr::memchr(b'.', name)
                && !name[dot..].starts_with(b".cold")
            {
                by_name.insert(hash(&name[..dot]), None);
            }
        }
        by_name
    }

    fn is_named(&self, entry: &SymbolEntry, name: &str) -> bool {
        let raw = self.raw_name(entry);
        raw == name.as_bytes() || may_display_as(raw, name) && display_name(&String::from_utf8_lossy(raw)) == name
    }
}

fn hash(name: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    hasher.finish()
}

impl DebugInfo for SymbolTable {
    fn function_at(&self, rva: Rva) -> Option<Function> {
        let (entry, size_bytes) = self.function_entry_at(rva)?;
        let name = display_name(&self.name(entry)).into_owned();
        Some(Function { name, start: entry.rva, size_bytes, is_thunk: false })
    }

    fn scopes_at(&self, rva: Rva) -> Vec<Scope> {
        let function = self.function_at(rva).into_iter();
        let scope = |it: Function| Scope { function: it.name, location: None, is_inlined: false, start: it.start };
        function.map(scope).collect()
    }

    fn symbol_at(&self, rva: Rva) -> Option<Symbol> {
        let after = self.entries.partition_point(|entry| entry.rva <= rva);
        let nearest = self.entries[..after].last()?;
        let limit = self.limits[self.limits.partition_point(|&limit| limit <= nearest.rva)..].first();
        if limit.is_some_and(|&limit| limit <= rva) {
            return None;
        }
        let first = self.entries[..after].partition_point(|entry| entry.rva < nearest.rva);
        self.entries.get(first).map(|entry| self.symbol(entry))
    }

    fn lines_in(&self, _start: Rva, _end: Rva) -> Vec<LineRow> {
        Vec::new()
    }

    fn variables_at(&self, _rva: Rva) -> Vec<Variable> {
        Vec::new()
    }

    fn frame_data_at(&self, _rva: Rva) -> Option<FrameData> {
        None
    }

    fn symbols_named(&self, name: &str) -> Vec<Symbol> {
        let named = self.entries.iter().filter(|entry| self.is_named(entry, name));
        named.map(|entry| self.symbol(entry)).collect()
    }

    fn symbols_matching(&self, accept: &mut dyn FnMut(&str) -> bool, limit: usize) -> Vec<Symbol> {
        let mut accepted = self.entries.iter().filter(|entry| accept(&String::from_utf8_lossy(self.raw_name(entry))));
        accepted.by_ref().take(limit).map(|entry| self.symbol(entry)).collect()
    }

    fn problems(&self) -> Vec<String> {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(symbols: &[(&str, u32, bool)]) -> SymbolTable {
        let mut names = vec![0];
        let entries = symbols.iter().map(|&(name, rva, is_code)| {
            let start = names.len() as u32;
            names.extend(name.bytes().chain([0]));
            SymbolEntry { rva: Rva(rva), size_bytes: 4, name: start, is_code, rank: 0 }
        });
        let entries = entries.collect();
        SymbolTable::new(entries, Data::from(names), Vec::new())
    }

    #[test]
    fn a_function_is_named_if_it_alone_is() {
        let table = table(&[
            ("alone", 0x10, true),
            ("alone.cold", 0x90, true),
            ("alias@@V1", 0x10, true),
            ("twice", 0x20, true),
            ("twice", 0x30, true),
            ("same", 0x40, true),
            ("same", 0x40, true),
            ("data", 0x50, false),
            ("split", 0x60, true),
            ("split.isra.0", 0x70, true),
        ]);
        let found = ["alone", "alias", "same", "split.isra.0"].map(|name| table.function_named(name));
        assert_eq!(found, [0x10, 0x10, 0x40, 0x70].map(|rva| Some(Rva(rva))));
        assert_eq!(["twice", "data", "split", "none", ""].map(|name| table.function_named(name)), [None; 5]);
    }
}
