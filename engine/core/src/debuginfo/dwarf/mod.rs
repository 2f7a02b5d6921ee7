//! DWARF, versions 2 to 5, entered by index: what an answer does not need is not read.
//!
//! | module | subject |
//! | --- | --- |
//! | `file`, `root` | sections of the file that it comes in; what a unit's first entry says |
//! | `index`, `ranges` | units by address |
//! | `unit`, `type_units` | functions of one unit; type units by signature |
//! | `entry`, `attributes` | entries by number, and from one to another; what an entry says |
//! | `names`, `spelling` | qualified names; which are the same |
//! | `inlines`, `lines` | inlined calls; line tables |
//! | `types`, `members` | types; what classes and enumerations consist of |
//! | `name_index`, `catalog`, `tables`, `globals` | types and variables by name: by the file's index, by ours; what is found |
//! | `variables`, `places`, `registers` | variables of functions, and where they live |
//! | `evaluate`, `call_sites` | places that are computed in a frame; what a caller has passed |
//! | `split` | units in `.dwo` and `.dwp` files |
//! | `symbols` | functions by name |
//!
//! Entries, lists and line programs are decoded by the crate `gimli`; `.debug_frame` is read by `crate::callframe`.
//! Source: DWARF Debugging Information Format, version 5.

mod attributes;
mod bounds;
mod call_sites;
mod catalog;
mod entry;
mod evaluate;
mod file;
mod globals;
mod index;
mod inlines;
pub mod kept;
mod lines;
mod members;
mod name_index;
mod names;
mod places;
mod ranges;
mod registers;
mod root;
mod spelling;
mod split;
mod symbols;
mod tables;
mod type_units;
mod types;
mod unit;
mod variables;

#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use gimli::{Section, SectionId};

use super::symbol_table::SymbolTable;
use super::{
    Bound, CallTarget, Computed, DataSymbol, DebugInfo, Enumerator, FrameData, Function, LineRow, Located, Machine,
    Member, Passed, Place, Scope, SourceLocation, Symbol, SymbolKind, TailCall, Type, TypeId, Variable,
};
use crate::address::Rva;
use crate::callframe::{CallFrames, FrameSection, FrameSectionKind};
use crate::cfi::CfiRow;
use crate::registers::Cpu;
use catalog::Catalog;
use entry::{Entry, Origin};
pub use file::DwarfFile;
use file::{File, Need, Problems};
use index::UnitIndex;
use inlines::Inline;
use lines::Lines;
use name_index::NameSections;
use split::SplitUnits;
pub use split::{Skeleton, SplitFiles};
use unit::{FunctionEntry, Unit};

/// Bytes of units that are kept for the next question.
const MOST_CACHED_BYTES: usize = 128 << 20;
/// Rows of lines after which a question's answer takes no more units in.
const MOST_LINE_ROWS: usize = 4 << 20;
/// What a function is called whose entry has no name.
const UNNAMED: &str = "(unnamed function)";

/// Debug information of one module, and the symbol table that comes with it.
pub struct Dwarf {
    main: File,
    cpu: Cpu,
    index: UnitIndex,
    /// Units that were asked about.
    units: Mutex<HashMap<(Origin, usize), Arc<Unit>>>,
    symbols: OnceLock<SymbolTable>,
    functions: OnceLock<Vec<Symbol>>,
    names: OnceLock<NameSections>,
    catalog: OnceLock<Catalog>,
    frames: OnceLock<CallFrames>,
    split: OnceLock<SplitUnits>,
    problems: Arc<Problems>,
}

/// A function and the unit that it belongs to.
struct Found {
    unit: Arc<Unit>,
    /// Index in the unit.
    function: usize,
    start: u32,
    end: u32,
}

impl Found {
    fn function(&self) -> &FunctionEntry {
        &self.unit.functions[self.function]
    }

    fn entry(&self) -> Entry {
        Entry { unit: self.unit.clone(), offset: self.function().entry }
    }
}

impl Dwarf {
    /// Debug information of `file`; `supplementary` is the file that `.gnu_debugaltlink` names. Reads nothing yet.
    pub fn new(file: Arc<dyn DwarfFile>, supplementary: Option<Arc<dyn DwarfFile>>) -> Dwarf {
        let problems = Arc::new(Problems::default());
        let supplementary = supplementary.map(|file| File::new(file, None, problems.clone()));
        Dwarf {
            cpu: file.cpu().unwrap_or(Cpu::X64),
            main: File::new(file, supplementary, problems.clone()),
            index: UnitIndex::default(),
            units: Mutex::default(),
            symbols: OnceLock::new(),
            functions: OnceLock::new(),
            names: OnceLock::new(),
            catalog: OnceLock::new(),
            frames: OnceLock::new(),
            split: OnceLock::new(),
            problems,
        }
    }

    /// Whether the file has any DWARF, beside its symbol table.
    pub fn has_entries(&self) -> bool {
        self.main.file().has_section(".debug_info")
    }

    /// The file that an origin tells, where that is not one of many.
    fn file(&self, origin: Origin) -> Option<&File> {
        match origin {
            Origin::Main | Origin::Types => Some(&self.main),
            Origin::Supplementary => self.main.supplementary(),
            Origin::DwoType | Origin::PackageType => None,
        }
    }

    /// A unit; that it is damaged is reported.
    fn unit(&self, origin: Origin, place: usize) -> Option<Arc<Unit>> {
        let cache = || self.units.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(unit) = cache().get(&(origin, place)) {
            return Some(unit.clone());
        }
        let report = |error| self.problems.report(format_args!("damaged debug information: a unit: {error}"));
        let unit = Arc::new(self.read_unit(origin, place)?.map_err(report).ok()?);
        let mut cache = cache();
        // Units grow with every question, so that they are measured again each time one joins them.
        if cache.values().map(|unit| unit.size_bytes()).sum::<usize>() > MOST_CACHED_BYTES {
            cache.clear();
        }
        cache.insert((origin, place), unit.clone());
        Some(unit)
    }

    fn read_unit(&self, origin: Origin, place: usize) -> Option<Result<Unit, gimli::Error>> {
        match origin {
            Origin::DwoType | Origin::PackageType => self.read_split_type_unit(origin, place),
            _ => Some(Unit::read(self.file(origin)?, origin, place, self.split.get(), &self.problems)),
        }
    }

    fn symbols(&self) -> &SymbolTable {
        self.symbols.get_or_init(|| self.main.file().symbols())
    }

    fn find(&self, rva: Rva) -> Option<Found> {
        let units = self.index.units_at(rva.0, &self.main, &self.problems);
        units.into_iter().find_map(|offset| {
            let unit = self.unit(Origin::Main, offset)?;
            let range = *unit.range_at(rva.0)?;
            Some(Found { unit, function: range.value as usize, start: range.start, end: range.end })
        })
    }

    fn function_name(&self, unit: &Arc<Unit>, function: &FunctionEntry) -> String {
        let name = function.name.get_or_init(|| {
            let name = self.qualified_name(unit, function.entry);
            // Its name may be in a supplementary file that is not there, and in the symbol table all the same.
            let start = || unit.ranges().starts_of(function.index).next();
            let linked = || Some(self.symbols().function_at(Rva(start()?))?.name);
            let name = name.or_else(linked).unwrap_or_else(|| UNNAMED.to_owned());
            unit.grow(name.len());
            name
        });
        name.clone()
    }

    fn lines<'a>(&self, unit: &'a Unit) -> &'a Lines {
        unit.lines.get_or_init(|| {
            let Some(offset) = unit.line_program() else { return Lines::default() };
            let Some(view) = unit.own_view(&self.main) else { return Lines::default() };
            let lines = Lines::read(&self.main, &view, offset).unwrap_or_else(|error| {
                self.problems.report(format_args!("damaged debug information: .debug_line: {error}"));
                Lines::default()
            });
            unit.grow(lines.size_bytes());
            lines
        })
    }

    fn line_at(&self, unit: &Unit, rva: Rva) -> Option<SourceLocation> {
        let lines = self.lines(unit);
        let row = lines.row_at(rva.0)?;
        lines.location(row.file.into(), row.line, unit, &self.main)
    }

    /// The scope of code that only the symbol table names: a function of assembly may have lines all the same.
    fn undescribed_scopes(&self, rva: Rva) -> Vec<Scope> {
        let mut scopes = self.symbols().scopes_at(rva);
        if let Some(scope) = scopes.last_mut() {
            let units = self.index.units_at(rva.0, &self.main, &self.problems);
            let units = units.into_iter().filter_map(|offset| self.unit(Origin::Main, offset));
            scope.location = units.filter_map(|unit| self.line_at(&unit, rva)).next();
        }
        scopes
    }
}

impl DebugInfo for Dwarf {
    fn function_at(&self, rva: Rva) -> Option<Function> {
        let Some(found) = self.find(rva) else { return self.symbols().function_at(rva) };
        let name = self.function_name(&found.unit, found.function());
        Some(Function { name, start: Rva(found.start), size_bytes: found.end - found.start, is_thunk: false })
    }

    fn scopes_at(&self, rva: Rva) -> Vec<Scope> {
        let Some(found) = self.find(rva) else { return self.undescribed_scopes(rva) };
        let function = found.function();
        let inlines = function.inlines.get_or_init(|| {
            let view = found.unit.view(Some(&self.main), Need::Entries);
            let inlines = view.map(|view| inlines::inlines_of(&self.main, &view, function.entry)).unwrap_or_default();
            found.unit.grow(inlines.iter().map(Inline::size_bytes).sum());
            inlines
        });
        let lines = self.lines(&found.unit);
        let mut location = self.line_at(&found.unit, rva);
        let mut scopes = Vec::new();
        for inline in inlines::chain_at(inlines, rva.0).into_iter().rev() {
            let name = inline.name.get_or_init(|| self.qualified_name(&found.unit, inline.entry));
            let call =
                inline.call_file.and_then(|file| lines.location(file, inline.call_line, &found.unit, &self.main));
            scopes.push(Scope {
                function: name.clone().unwrap_or_else(|| UNNAMED.to_owned()),
                location: std::mem::replace(&mut location, call),
                is_inlined: true,
                start: Rva(inline.range_at(rva.0).map_or(found.start, |range| range.0)),
            });
        }
        let name = self.function_name(&found.unit, function);
        scopes.push(Scope { function: name, location, is_inlined: false, start: Rva(found.start) });
        scopes
    }

    fn symbol_at(&self, rva: Rva) -> Option<Symbol> {
        // The symbol table need not be read where the debug information knows the function.
        let Some(found) = self.find(rva) else { return self.symbols().symbol_at(rva) };
        let name = self.function_name(&found.unit, found.function());
        let size_bytes = Some(found.end - found.start);
        Some(Symbol { name, rva: Rva(found.start), kind: SymbolKind::Function, size_bytes })
    }

    fn lines_in(&self, start: Rva, end: Rva) -> Vec<LineRow> {
        let mut rows = Vec::new();
        let mut programs = HashSet::new();
        // A row takes a byte at least: more rows than bytes are the same ones over and over.
        let mut budget = self.main.dwarf(Need::Entries).debug_line.reader().len().saturating_mul(2);
        for offset in self.index.units_in(start.0, end.0, &self.main, &self.problems) {
            let Some(unit) = self.unit(Origin::Main, offset) else { continue };
            // Units may share a line table.
            if !unit.line_program().is_some_and(|program| programs.insert(program.0)) {
                continue;
            }
            let lines = self.lines(&unit);
            let Some(left) = budget.checked_sub(lines.len()).filter(|_| rows.len() < MOST_LINE_ROWS) else {
                self.problems.report("too many lines for one question: some are left out");
                break;
            };
            budget = left;
            for row in lines.rows_in(start.0, end.0) {
                let location = lines.location(row.file.into(), row.line, &unit, &self.main);
                let (start, end, is_statement) = (Rva(row.start), Rva(row.end), row.is_statement);
                rows.extend(location.map(|location| LineRow { start, end, location, is_statement }));
            }
        }
        rows.sort_by_key(|row| row.start);
        rows
    }

    fn variables_at(&self, rva: Rva) -> Vec<Variable> {
        let Some(found) = self.find(rva) else { return Vec::new() };
        let Some(view) = found.unit.view(Some(&self.main), Need::Locations) else { return Vec::new() };
        let entry = Entry { unit: found.unit.clone(), offset: found.function().entry };
        variables::Question { dwarf: self, file: &self.main, view: &view, function: entry, rva: rva.0 }.variables()
    }

    fn bounds_at(&self, id: TypeId, rva: Rva) -> Vec<Option<Bound>> {
        self.computed_bounds(id, rva)
    }

    fn frame_data_at(&self, _rva: Rva) -> Option<FrameData> {
        None
    }

    fn cfi_at(&self, rva: Rva) -> Option<CfiRow> {
        let frames = self.frames.get_or_init(|| {
            let bytes = self.main.section(SectionId::DebugFrame);
            let kind = FrameSectionKind::DebugFrame;
            CallFrames::new(FrameSection { kind, bytes, address: 0, text: None, data: None, header: None }, self.cpu)
        });
        frames.row_at(rva.at(self.main.base()))
    }

    fn symbols_named(&self, name: &str) -> Vec<Symbol> {
        let named = self.symbols().symbols_named(name);
        if !named.is_empty() {
            return named;
        }
        self.all_functions().iter().filter(|symbol| symbol.name == name).cloned().collect()
    }

    fn symbols_matching(&self, accept: &mut dyn FnMut(&str) -> bool, limit: usize) -> Vec<Symbol> {
        let symbols = self.symbols();
        let mut found = symbols.symbols_matching(accept, limit);
        // A full symbol table has all functions with code; what dynamic linking left has few.
        if !symbols.is_full() {
            let known: HashSet<u32> = found.iter().map(|symbol| symbol.rva.0).collect();
            let functions = self.all_functions().iter().filter(|symbol| !known.contains(&symbol.rva.0));
            found.extend(functions.filter(|symbol| accept(&symbol.name)).take(limit).cloned());
            found.sort_by(|a, b| (a.rva, &a.name).cmp(&(b.rva, &b.name)));
            found.truncate(limit);
        }
        found
    }

    fn type_of(&self, id: TypeId) -> Option<Type> {
        self.described_type(id)
    }

    fn members_of(&self, id: TypeId) -> Vec<Member> {
        self.members(id)
    }

    fn enumerators_of(&self, id: TypeId) -> Vec<Enumerator> {
        self.enumerators(id)
    }

    fn types_named(&self, name: &str) -> Vec<TypeId> {
        self.types_with_name(name)
    }

    fn types_matching(&self, accept: &mut dyn FnMut(&str) -> bool, limit: usize) -> Vec<(String, TypeId)> {
        self.types_accepted(accept, limit)
    }

    fn function_type_at(&self, rva: Rva) -> Option<TypeId> {
        let function = self.function_entry_at(rva)?;
        self.id_of(&function.unit, function.offset)
    }

    fn data_named(&self, name: &str) -> Vec<DataSymbol> {
        self.data_with_name(name)
    }

    fn data_at(&self, rva: Rva) -> Option<DataSymbol> {
        self.data_below(rva)
    }

    fn evaluate(&self, computed: &Computed, machine: &dyn Machine) -> Located {
        self.computed(computed, machine)
    }

    fn call_site_value(&self, return_address: Rva, passed: Passed) -> Option<Place> {
        self.passed(return_address, passed)
    }

    fn call_target(&self, return_address: Rva) -> Option<CallTarget> {
        self.target(return_address)
    }

    fn tail_calls(&self, rva: Rva) -> Option<Vec<TailCall>> {
        self.last_calls(rva)
    }

    fn function_with_identity(&self, identity: &str) -> Option<Rva> {
        self.identified(identity)
    }

    fn function_identity(&self, rva: Rva) -> Option<String> {
        self.identity(self.function_entry_at(rva)?)
    }

    fn problems(&self) -> Vec<String> {
        self.problems.list()
    }
}
