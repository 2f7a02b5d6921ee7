//! All types and variables by name, of all units: for what no index of the file tells.
//!
//! Every unit is walked once. Of a name its hash is kept; the entry that it leads to tells whether it was meant.

use std::collections::HashMap;
use std::sync::Arc;

use gimli::constants as dw;
use gimli::{AttributeValue, EntriesRaw, Section, UnitOffset};

use super::entry::Origin;
use super::file::{File, Need, Slice, UnitAt, headers};
use super::name_index::{Wanted, is_wanted};
use super::names::unnamed;
use super::places::{Placing, is_shared};
use super::spelling::Spelling;
use super::split::SplitUnits;
use super::tables::{self, Record, Sizes, Table};
use super::unit::{Unit, View, qualifies};
use super::{Dwarf, UNNAMED};
use crate::data::Data;
use crate::debuginfo::TypeId;

/// What the kept catalog is called.
const KEPT_NAME: &str = "catalog";
/// Entries that are kept.
const MOST_RECORDS: usize = 1 << 24;
/// Entries that are kept of one name and rank: every unit that includes a header has its types.
const MOST_ALIKE: u8 = 8;
/// Nesting of entries that is followed.
const DEEPEST: usize = 256;

/// What comes first of several types with one name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rank {
    /// A class, an enumeration, a fundamental type.
    Definition,
    /// Another name for a type.
    Typedef,
    /// A class or enumeration that is defined elsewhere.
    Declaration,
}

impl Rank {
    /// Of an entry with this tag.
    pub fn of(tag: gimli::DwTag, is_declaration: bool) -> Rank {
        match tag {
            _ if is_declaration => Rank::Declaration,
            dw::DW_TAG_typedef | dw::DW_TAG_template_alias => Rank::Typedef,
            _ => Rank::Definition,
        }
    }
}

/// Types and variables of all units.
#[derive(Default)]
pub struct Catalog {
    types: Table,
    data: Table,
    /// Variables with a fixed address, by it.
    places: Table,
}

impl Catalog {
    /// Types that may have this name, definitions first.
    pub fn types_like(&self, name: &str) -> impl Iterator<Item = TypeId> + '_ {
        like(&self.types, name)
    }

    /// Variables that may have this name.
    pub fn data_like(&self, name: &str) -> impl Iterator<Item = TypeId> + '_ {
        like(&self.data, name)
    }

    /// The best type of each name, in the order of the file.
    pub fn first_types(&self) -> Vec<TypeId> {
        let mut firsts: Vec<TypeId> = self.types.firsts().map(|record| record.id).collect();
        firsts.sort();
        firsts
    }

    /// The variable that begins nearest at or below an address, and where.
    pub fn data_at(&self, rva: u32) -> Option<(u32, TypeId)> {
        let found = self.places.at_or_below(rva.into())?;
        Some((found.key as u32, found.id))
    }

    fn read(data: &Data, sizes: Sizes) -> Option<Catalog> {
        let [types, data, places] = tables::read(data, sizes)?;
        Some(Catalog { types, data, places })
    }
}

fn like<'a>(records: &'a Table, name: &str) -> impl Iterator<Item = TypeId> + use<'a> {
    records.with_key(Spelling::EMPTY.and(name.as_bytes()).number()).map(|record| record.id)
}

/// What was found so far.
#[derive(Default)]
struct Found {
    types: Vec<Record>,
    data: Vec<Record>,
    places: Vec<Record>,
}

/// An entry with children that is open.
struct Open {
    depth: isize,
    scope: Scope,
    /// Whether it is a function, or in one.
    in_function: bool,
}

/// What names are qualified with.
#[derive(Debug, Clone, Copy)]
enum Scope {
    Known(Spelling),
    /// By the name of this entry: of a function, most of which hold nothing to be found, or one that is said elsewhere.
    Of(UnitOffset),
}

/// What is read of an entry.
#[derive(Default)]
struct Naming<'a> {
    name: Option<&'a [u8]>,
    reference: Option<AttributeValue<Slice<'a>>>,
    is_declaration: bool,
    location: Option<AttributeValue<Slice<'a>>>,
    has_constant: bool,
    is_external: bool,
    linkage_name: Option<&'a [u8]>,
}

/// Walking all units.
struct Collect<'a> {
    dwarf: &'a Dwarf,
    found: Found,
    /// How many are kept of each name and rank.
    kept: HashMap<(u64, Rank), u8>,
    /// Bytes of names that may still be hashed.
    text_budget: usize,
}

impl Dwarf {
    /// The catalog, which is made when it is first asked for, and kept.
    pub(super) fn catalog(&self) -> &Catalog {
        self.catalog.get_or_init(|| {
            let entries = |file: &File| file.dwarf(Need::Entries).debug_info.reader().len() as u64;
            let shared = if self.main.has_supplementary() { self.main.supplementary() } else { None };
            let sizes = (entries(&self.main), shared.map_or(0, entries));
            // What is in other files than these two is not what their identity tells.
            let may_be_kept = self.split.get().is_none();
            let kept = self.main.file().kept(KEPT_NAME).filter(|_| may_be_kept);
            if let Some(catalog) = kept.and_then(|kept| Catalog::read(&kept, sizes)) {
                return catalog;
            }
            let bytes = self.collect(sizes);
            if may_be_kept {
                self.main.file().keep(KEPT_NAME, &bytes);
            }
            Catalog::read(&Data::from(bytes), sizes).unwrap_or_default()
        })
    }

    /// Walks all units.
    fn collect(&self, sizes: Sizes) -> Vec<u8> {
        let text_budget = (sizes.0 as usize).saturating_mul(64).saturating_add(1 << 26);
        let mut collect = Collect { dwarf: self, found: Found::default(), kept: HashMap::new(), text_budget };
        if collect.files().is_none() {
            self.problems.report("not all types and variables can be found by name: there are too many");
        }
        let Found { mut types, mut data, mut places } = collect.found;
        tables::encode([&mut types, &mut data, &mut places], sizes)
    }
}

impl<'a> Collect<'a> {
    /// None if there was too much.
    fn files(&mut self) -> Option<()> {
        self.file(Origin::Main, &self.dwarf.main)?;
        self.package_types()?;
        if self.dwarf.main.has_supplementary() {
            self.file(Origin::Supplementary, self.dwarf.main.supplementary()?)?;
        }
        Some(())
    }

    fn file(&mut self, origin: Origin, file: &'a File) -> Option<()> {
        let view = file.dwarf(Need::Entries);
        // Units share tables of abbreviations or have their own, so that all of them are read about once.
        let mut abbreviation_bytes = view.debug_abbrev.reader().len().saturating_mul(8);
        for header in headers(&view, &self.dwarf.problems) {
            let Some(offset) = header.debug_info_offset() else { continue };
            abbreviation_bytes = abbreviation_bytes.checked_sub(file.new_abbreviation_bytes(&view, &header))?;
            let split = self.dwarf.split.get();
            let Ok(unit) = Unit::open(file, origin, offset.0, split, &self.dwarf.problems) else { continue };
            let unit = Arc::new(unit);
            self.walk(&unit, Some(file))?;
            self.dwo_types(&unit)?;
        }
        if origin == Origin::Main {
            for at in file.type_units().iter() {
                let UnitAt::Types(place) = at else { continue };
                let unit = Unit::open(file, Origin::Types, place, None, &self.dwarf.problems);
                let Ok(unit) = unit else { continue };
                self.walk(&Arc::new(unit), Some(file))?;
            }
        }
        Some(())
    }

    /// Type units of the `.dwo` file that a unit's entries are in.
    fn dwo_types(&mut self, unit: &Unit) -> Option<()> {
        let Some(file) = unit.other_file() else { return Some(()) };
        for index in 0..file.type_units().len() {
            let place = self.dwarf.dwo_type_place(unit, index);
            let Some(unit) = place.and_then(|place| self.dwarf.unit(Origin::DwoType, place)) else { break };
            self.walk(&unit, None)?;
        }
        Some(())
    }

    fn package_types(&mut self) -> Option<()> {
        for row in 1..=self.dwarf.split.get().map_or(0, SplitUnits::package_rows) {
            let Some(unit) = self.dwarf.unit(Origin::PackageType, row) else { continue };
            self.walk(&unit, None)?;
        }
        Some(())
    }

    /// Reads one unit, whose origin tells `file`.
    fn walk(&mut self, unit: &Arc<Unit>, file: Option<&File>) -> Option<()> {
        let Some(view) = unit.view(file, Need::Entries) else { return Some(()) };
        let mut walk = Walk { collect: self, unit, view: &view, named: HashMap::new(), is_full: false };
        // Damage was reported when the unit was read for its functions, or will be.
        let _ = walk.run();
        (!walk.is_full).then_some(())
    }

    /// None if there are too many.
    fn add_type(&mut self, name: Spelling, rank: Rank, id: Option<TypeId>) -> Option<()> {
        let hash = name.number();
        let kept = self.kept.entry((hash, rank)).or_insert(0);
        if *kept >= MOST_ALIKE {
            return Some(());
        }
        *kept += 1;
        self.found.types.extend(id.map(|id| Record { key: hash, rank: rank as u8, id }));
        (self.found.types.len() < MOST_RECORDS).then_some(())
    }

    fn add_data(&mut self, name: Spelling, id: Option<TypeId>, rva: Option<u32>) -> Option<()> {
        let Some(id) = id else { return Some(()) };
        self.found.data.push(Record { key: name.number(), rank: 0, id });
        self.found.places.extend(rva.map(|rva| Record { key: rva.into(), rank: 0, id }));
        (self.found.data.len() < MOST_RECORDS).then_some(())
    }
}

/// The walk over one unit.
struct Walk<'w, 'a> {
    collect: &'w mut Collect<'a>,
    unit: &'w Arc<Unit>,
    view: &'w View<'w>,
    /// What declarations are called that definitions may refer to.
    named: HashMap<usize, Spelling>,
    is_full: bool,
}

impl<'w> Walk<'w, '_> {
    fn run(&mut self) -> Result<(), gimli::Error> {
        let mut entries = self.view.unit.entries_raw(None)?;
        let mut open: Vec<Open> = Vec::new();
        while !entries.is_empty() && !self.is_full {
            let (offset, depth) = (entries.next_offset(), entries.next_depth());
            let Some(abbreviation) = entries.read_abbreviation()? else {
                if entries.next_depth() <= 0 {
                    break;
                }
                continue;
            };
            while open.pop_if(|scope| scope.depth >= depth).is_some() {}
            let tag = abbreviation.tag();
            let in_function = open.last().is_some_and(|open| open.in_function);
            let qualifies = qualifies(tag) && abbreviation.has_children() && open.len() < DEEPEST;
            if tag == dw::DW_TAG_subprogram || !qualifies && !may_be_found(abbreviation, in_function) {
                entries.skip_attributes(abbreviation.attributes())?;
                if qualifies {
                    open.push(Open { depth, scope: Scope::Of(offset), in_function: true });
                }
                continue;
            }
            let naming = self.naming(&mut entries, abbreviation)?;
            if in_function && !is_found_in_function(tag, &naming) {
                if qualifies {
                    open.push(Open { depth, scope: Scope::Of(offset), in_function });
                }
                continue;
            }
            let scope = self.known(open.last_mut());
            self.is_full |= self.add(offset, tag, &naming, scope).is_none();
            if qualifies {
                let scope = self.scope(offset, tag, &naming, scope);
                open.push(Open { depth, scope, in_function });
            }
        }
        Ok(())
    }

    fn naming(
        &mut self,
        entries: &mut EntriesRaw<'_, Slice<'w>>,
        abbreviation: &gimli::Abbreviation,
    ) -> Result<Naming<'w>, gimli::Error> {
        let mut naming = Naming::default();
        for &specification in abbreviation.attributes() {
            let attribute = entries.read_attribute(specification)?;
            match attribute.name() {
                dw::DW_AT_name => naming.name = self.view.text_bytes(attribute.value()),
                dw::DW_AT_specification | dw::DW_AT_abstract_origin | dw::DW_AT_signature => {
                    naming.reference = Some(attribute.value());
                }
                dw::DW_AT_declaration => naming.is_declaration = true,
                dw::DW_AT_location => naming.location = Some(attribute.value()),
                dw::DW_AT_const_value => naming.has_constant = true,
                dw::DW_AT_external => naming.is_external = true,
                dw::DW_AT_linkage_name => naming.linkage_name = self.view.text_bytes(attribute.value()),
                _ => {}
            }
        }
        let text_bytes = naming.name.map_or(0, <[u8]>::len);
        self.collect.text_budget = self.collect.text_budget.saturating_sub(text_bytes);
        self.is_full |= self.collect.text_budget == 0;
        Ok(naming)
    }

    /// What the names of an entry's children are qualified with.
    fn scope(&self, offset: UnitOffset, tag: gimli::DwTag, naming: &Naming<'_>, around: Spelling) -> Scope {
        match (naming.reference, self.declared(naming)) {
            (Some(_), Some(declared)) => Scope::Known(declared.and(b"::")),
            (Some(_), None) => Scope::Of(offset),
            (None, _) => {
                let name = naming.name.unwrap_or_else(|| unnamed(tag).as_bytes());
                Scope::Known(around.and(name).and(b"::"))
            }
        }
    }

    /// What the declaration that an entry refers to is called, if it came before.
    fn declared(&self, naming: &Naming<'_>) -> Option<Spelling> {
        match naming.reference? {
            AttributeValue::UnitRef(declaration) => self.named.get(&declaration.0).copied(),
            _ => None,
        }
    }

    /// What names in an open entry are qualified with.
    fn known(&self, open: Option<&mut Open>) -> Spelling {
        let Some(open) = open else { return Spelling::EMPTY };
        let spelling = match open.scope {
            Scope::Known(spelling) => spelling,
            Scope::Of(offset) => {
                let name = self.collect.dwarf.qualified_name(&self.walked(), offset);
                Spelling::EMPTY.and(name.as_deref().unwrap_or(UNNAMED).as_bytes()).and(b"::")
            }
        };
        open.scope = Scope::Known(spelling);
        spelling
    }

    /// The unit with its scopes, which names need.
    fn walked(&self) -> Arc<Unit> {
        let read = self.collect.dwarf.unit(self.unit.origin, self.unit.place);
        read.unwrap_or_else(|| self.unit.clone())
    }

    /// Adds an entry if it is something to be found. None if there was too much.
    fn add(&mut self, offset: UnitOffset, tag: gimli::DwTag, naming: &Naming<'w>, scope: Spelling) -> Option<()> {
        let id = || self.collect.dwarf.id_of(self.unit, offset);
        if is_wanted(tag, Wanted::Type) {
            // One without name is found through what has its type; of one whose content is in a type unit, that is.
            let Some(name) = naming.name else { return Some(()) };
            let rank = Rank::of(tag, naming.is_declaration);
            // (gcc puts the definition of a type unit outside of the namespace, in which it leaves a declaration.)
            let spelling = self.declared(naming).unwrap_or_else(|| scope.and(name));
            if naming.is_declaration {
                self.named.insert(offset.0, spelling);
            }
            return self.collect.add_type(spelling, rank, id());
        }
        if !is_wanted(tag, Wanted::Data) {
            return Some(());
        }
        let is_placed = naming.location.is_some() || naming.has_constant || self.is_thread_local(naming);
        if tag == dw::DW_TAG_member && !naming.is_declaration && !is_placed {
            return Some(());
        }
        let Some(spelling) = self.data_name(offset, naming, scope, is_placed) else { return Some(()) };
        if naming.is_declaration {
            self.named.insert(offset.0, spelling);
        }
        if !is_placed {
            return Some(());
        }
        let placing = Placing::new(self.collect.dwarf, self.unit, self.view);
        let rva = naming.location.and_then(|location| placing.fixed(location));
        self.collect.add_data(spelling, id(), rva)
    }

    /// Whether a definition without a location is that of a thread-local variable, by the symbol table. (The definition of
    /// a static member has its linkage name, but leaves to the declaration who sees it.)
    fn is_thread_local(&self, naming: &Naming<'w>) -> bool {
        let is_shared = naming.is_external || naming.reference.is_some();
        let name = naming.linkage_name.or(naming.name).filter(|_| is_shared && !naming.is_declaration);
        name.is_some_and(|name| self.collect.dwarf.symbols().thread_local(name).is_some())
    }

    fn data_name(&self, offset: UnitOffset, naming: &Naming<'w>, scope: Spelling, is_placed: bool) -> Option<Spelling> {
        match (naming.name, naming.reference) {
            (Some(name), None) => Some(scope.and(name)),
            (_, Some(_)) => self.declared(naming).or_else(|| {
                let name = self.collect.dwarf.qualified_name(&self.walked(), offset).filter(|_| is_placed)?;
                Some(Spelling::EMPTY.and(name.as_bytes()))
            }),
            (None, None) => None,
        }
    }
}

/// Whether an entry with this abbreviation can be something to be found: most are not, and need not be read.
fn may_be_found(abbreviation: &gimli::Abbreviation, in_function: bool) -> bool {
    let has = |name| abbreviation.attributes().iter().any(|it| it.name() == name);
    match abbreviation.tag() {
        dw::DW_TAG_member => has(dw::DW_AT_declaration) || has(dw::DW_AT_const_value),
        // Of the variables of functions those count that all calls share: they have one location, and no list of them.
        dw::DW_TAG_variable if in_function => abbreviation.attributes().iter().any(|it| {
            let is_list = matches!(it.form(), dw::DW_FORM_sec_offset | dw::DW_FORM_loclistx | dw::DW_FORM_data4);
            it.name() == dw::DW_AT_location && !is_list
        }),
        tag => is_wanted(tag, Wanted::Data) || is_wanted(tag, Wanted::Type) && has(dw::DW_AT_name),
    }
}

/// Whether something in a function is to be found: a type with a name, or a variable that all calls share.
fn is_found_in_function(tag: gimli::DwTag, naming: &Naming<'_>) -> bool {
    match is_wanted(tag, Wanted::Data) {
        true => naming.location.as_ref().is_some_and(is_shared),
        false => naming.name.is_some(),
    }
}
