//! All functions by name: for files whose symbol table was removed, or does not hold what is asked for.
//!
//! Reads every unit, once.

use gimli::{Section, UnitType};

use super::Dwarf;
use super::entry::Origin;
use super::file::{Need, headers};
use super::unit::Unit;
use crate::address::Rva;
use crate::debuginfo::{Symbol, SymbolKind};
use std::sync::Arc;

/// Bytes of names that are kept.
const MOST_NAME_BYTES: usize = 1 << 30;

impl Dwarf {
    /// Functions of all units, in address order.
    pub(super) fn all_functions(&self) -> &[Symbol] {
        self.functions.get_or_init(|| {
            let mut symbols = self.read_all_functions();
            symbols.sort_by(|a, b| (a.rva, &a.name).cmp(&(b.rva, &b.name)));
            symbols.dedup();
            symbols
        })
    }

    fn read_all_functions(&self) -> Vec<Symbol> {
        let dwarf = self.main.dwarf(Need::Entries);
        let mut symbols = Vec::new();
        let mut name_bytes = 0;
        // Units share tables of abbreviations or have their own, so that all of them are read about once.
        let mut abbreviation_bytes = dwarf.debug_abbrev.reader().len().saturating_mul(8);
        for header in headers(&dwarf, &self.problems) {
            let Some(offset) = header.debug_info_offset() else { continue };
            if matches!(header.type_(), UnitType::Type { .. } | UnitType::SplitType { .. }) {
                continue;
            }
            let cost = self.main.new_abbreviation_bytes(&dwarf, &header);
            let Some(left) = abbreviation_bytes.checked_sub(cost) else { break };
            abbreviation_bytes = left;
            let Some(Ok(unit)) = self.read_unit(Origin::Main, offset.0) else { continue };
            name_bytes += self.add_functions(&Arc::new(unit), &mut symbols);
            if name_bytes > MOST_NAME_BYTES {
                self.problems.report("not all functions can be found by name: there are too many");
                break;
            }
        }
        symbols
    }

    /// Adds the functions of a unit; how many bytes their names have.
    fn add_functions(&self, unit: &Arc<Unit>, symbols: &mut Vec<Symbol>) -> usize {
        let mut name_bytes = 0;
        for range in unit.ranges().overlapping(0, u32::MAX) {
            let Some(function) = unit.functions.get(range.value as usize) else { continue };
            let name = self.function_name(unit, function);
            name_bytes += name.len();
            let size_bytes = Some(range.end - range.start);
            symbols.push(Symbol { name, rva: Rva(range.start), kind: SymbolKind::Function, size_bytes });
        }
        name_bytes
    }
}
