//! One unit: its functions by address, and the scopes that names are made of.
//!
//! The tree of entries is walked once; of it is kept where functions and named scopes are. What a function holds is
//! read when it is asked for.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use gimli::constants as dw;
use gimli::{Abbreviations, AttributeValue, EntriesRaw, UnitHeader, UnitOffset, UnitType};

use super::call_sites::CallSite;
use super::entry::Origin;
use super::file::{File, Need, Problems, Slice, UnitAt};
use super::index::range_budget;
use super::inlines::Inline;
use super::lines::Lines;
use super::ranges::{RangeMap, Ranged};
use super::root::{Extent, Root};
use super::split::SplitUnits;
use crate::debuginfo::TypeId;

/// Longest text of an attribute that is shown whole.
pub const MOST_TEXT_BYTES: usize = 4096;

/// What is said of units that are skeletons of others.
const SPLIT: &str = "some debug information is in .dwo files, which are not there";

/// A unit that was read.
pub struct Unit {
    /// Where it is looked for.
    pub origin: Origin,
    /// Which one it is there; of [`Origin::Main`] where it, or its skeleton, begins in `.debug_info`.
    pub place: usize,
    /// The unit, or its skeleton, in the file that its origin tells; none of a type unit in another file.
    own: Option<Part>,
    /// The unit in a file of split units.
    split: Option<(Arc<File>, Part)>,
    /// The directory it was compiled in.
    pub directory: Option<String>,
    /// Functions with code.
    pub functions: Vec<FunctionEntry>,
    ranges: RangeMap<u32>,
    scopes: Vec<NamedScope>,
    /// Its line table, when it was asked for.
    pub lines: OnceLock<Lines>,
    /// By the first entry of a function its index, when it was asked for; None of entries that several lead to.
    pub by_first_entry: OnceLock<HashMap<TypeId, Option<u32>>>,
    grown_bytes: AtomicUsize,
}

/// A unit's place in a file, and what is needed to read it there.
struct Part {
    at: UnitAt,
    root: Root,
    abbreviations: Arc<Abbreviations>,
}

/// A subprogram with code.
pub struct FunctionEntry {
    /// Its index in the unit.
    pub index: u32,
    /// Where its entry is in the unit.
    pub entry: UnitOffset,
    /// Its qualified name, when it was asked for.
    pub name: OnceLock<String>,
    /// Calls that were inlined into it, when they were asked for.
    pub inlines: OnceLock<Vec<Inline>>,
    /// Calls that it makes, when they were asked for.
    pub calls: OnceLock<Vec<CallSite>>,
}

/// An entry with children whose name qualifies theirs.
#[derive(Debug, Clone, Copy)]
struct NamedScope {
    start: usize,
    end: usize,
    parent: Option<u32>,
}

/// A unit with the sections that it is read from.
pub struct View<'a> {
    /// The sections.
    pub dwarf: gimli::Dwarf<Slice<'a>>,
    /// The unit.
    pub unit: gimli::Unit<Slice<'a>>,
    file: &'a File,
}

impl<'a> View<'a> {
    /// The text of an attribute; beyond [`MOST_TEXT_BYTES`] it is cut, and ends in `…`. Names of Boost.Spirit's functions
    /// are that long.
    pub fn text(&self, value: AttributeValue<Slice<'a>>) -> Option<String> {
        let text = self.whole_text(value)?;
        let mut shown = String::from_utf8_lossy(&text[..text.len().min(MOST_TEXT_BYTES)]).into_owned();
        if text.len() > MOST_TEXT_BYTES {
            shown.push('…');
        }
        Some(shown)
    }

    /// Bytes of the text of an attribute, at most [`MOST_TEXT_BYTES`].
    pub fn text_bytes(&self, value: AttributeValue<Slice<'a>>) -> Option<&'a [u8]> {
        let text = self.whole_text(value)?;
        text.get(..text.len().min(MOST_TEXT_BYTES))
    }

    fn whole_text(&self, value: AttributeValue<Slice<'a>>) -> Option<&'a [u8]> {
        match value {
            AttributeValue::DebugStrRefSup(offset) => self.file.supplementary()?.string(offset),
            value => Some(self.dwarf.attr_string(&self.unit, value).ok()?.slice()),
        }
    }

    /// The file.
    pub fn file(&self) -> &'a File {
        self.file
    }
}

impl Part {
    /// The part that begins there, and the directory that it was compiled in.
    fn read(file: &File, at: UnitAt, skeleton: Option<&Root>) -> Result<(Part, Option<String>), gimli::Error> {
        let dwarf = file.dwarf(Need::Entries);
        let header = file.header(&dwarf, at)?;
        let abbreviations = file.abbreviations(&dwarf, &header)?;
        let (root, _, directory) = Root::read(&dwarf, &header, &abbreviations, skeleton)?;
        let view = View { unit: root.unit(header, abbreviations.clone()), dwarf, file };
        let directory = directory.and_then(|value| view.text(value));
        Ok((Part { at, root, abbreviations }, directory))
    }

    fn view<'a>(&self, file: &'a File, need: Need) -> Result<View<'a>, gimli::Error> {
        let dwarf = file.dwarf(need);
        let header: UnitHeader<Slice<'a>> = file.header(&dwarf, self.at)?;
        Ok(View { unit: self.root.unit(header, self.abbreviations.clone()), dwarf, file })
    }
}

impl Unit {
    /// Reads a unit, a split one from where `split` has it. What comes after a damaged entry is left out, and reported.
    pub fn read(
        file: &File,
        origin: Origin,
        place: usize,
        split: Option<&SplitUnits>,
        problems: &Arc<Problems>,
    ) -> Result<Unit, gimli::Error> {
        let mut unit = Unit::open(file, origin, place, split, problems)?;
        unit.walk(file, problems)?;
        Ok(unit)
    }

    /// A unit whose functions and scopes are not known.
    pub fn open(
        file: &File,
        origin: Origin,
        place: usize,
        split: Option<&SplitUnits>,
        problems: &Arc<Problems>,
    ) -> Result<Unit, gimli::Error> {
        let at = if origin == Origin::Types { UnitAt::Types(place) } else { UnitAt::Info(place) };
        let (own, directory) = Part::read(file, at, None)?;
        let is_skeleton = own.root.is_split && origin == Origin::Main;
        let found = own.root.dwo_id.filter(|_| is_skeleton).and_then(|id| split?.find(place, id, problems));
        if is_skeleton && found.is_none() {
            problems.report(SPLIT);
        }
        let split = match found {
            Some((split, offset)) => {
                let (part, _) = Part::read(&split, UnitAt::Info(offset), Some(&own.root))?;
                Some((split, part))
            }
            None => None,
        };
        Ok(Unit { directory, split, ..Unit::of(origin, place, Some(own)) })
    }

    /// Reads a type unit of a file of split units.
    pub fn read_types(
        file: Arc<File>,
        at: UnitAt,
        origin: Origin,
        place: usize,
        problems: &Problems,
    ) -> Result<Unit, gimli::Error> {
        let (part, _) = Part::read(&file, at, None)?;
        let mut unit = Unit { split: Some((file.clone(), part)), ..Unit::of(origin, place, None) };
        unit.walk(&file, problems)?;
        Ok(unit)
    }

    fn of(origin: Origin, place: usize, own: Option<Part>) -> Unit {
        Unit {
            origin,
            place,
            own,
            split: None,
            directory: None,
            functions: Vec::new(),
            ranges: RangeMap::new(Vec::new()),
            scopes: Vec::new(),
            lines: OnceLock::new(),
            by_first_entry: OnceLock::new(),
            grown_bytes: AtomicUsize::new(0),
        }
    }

    fn walk(&mut self, file: &File, problems: &Problems) -> Result<(), gimli::Error> {
        if let Some((file, part)) = self.part(Some(file)) {
            (self.functions, self.ranges, self.scopes) = walk(file, part, problems)?;
        }
        Ok(())
    }

    /// What the unit is read from; `file` is the one that its origin tells.
    fn part<'a>(&'a self, file: Option<&'a File>) -> Option<(&'a File, &'a Part)> {
        let split = self.split.as_ref().map(|(file, part)| (&**file, part));
        split.or_else(|| Some((file?, self.own.as_ref()?)))
    }

    /// The unit and its sections, to read entries; `file` is the one that its origin tells.
    pub fn view<'a>(&'a self, file: Option<&'a File>, need: Need) -> Option<View<'a>> {
        let (file, part) = self.part(file)?;
        part.view(file, need).ok()
    }

    /// The unit, or its skeleton, in the file itself: what has lines.
    pub fn own_view<'a>(&self, file: &'a File) -> Option<View<'a>> {
        self.own.as_ref()?.view(file, Need::Entries).ok()
    }

    /// Whether entries are in another file.
    pub fn is_split(&self) -> bool {
        self.split.is_some()
    }

    /// The other file that entries are in.
    pub fn other_file(&self) -> Option<&Arc<File>> {
        self.split.as_ref().map(|(file, _)| file)
    }

    /// Of a split type unit: where its type is.
    pub fn type_offset(&self) -> Option<UnitOffset> {
        match self.view(None, Need::Entries)?.unit.header.type_() {
            UnitType::Type { type_offset, .. } | UnitType::SplitType { type_offset, .. } => Some(type_offset),
            _ => None,
        }
    }

    /// Its line program.
    pub fn line_program(&self) -> Option<gimli::DebugLineOffset> {
        self.own.as_ref()?.root.line_program
    }

    /// The range that covers `rva`; its value is the index of the function.
    pub fn range_at(&self, rva: u32) -> Option<&Ranged<u32>> {
        self.ranges.covering(rva).next()
    }

    /// Where each function begins.
    pub fn ranges(&self) -> &RangeMap<u32> {
        &self.ranges
    }

    /// Entries around the one at `entry` whose names qualify it, innermost first.
    pub fn scopes_around(&self, entry: UnitOffset) -> impl Iterator<Item = UnitOffset> + '_ {
        let after = self.scopes.partition_point(|scope| scope.start < entry.0);
        let mut next = after.checked_sub(1);
        std::iter::from_fn(move || {
            let scope = self.scopes.get(next?)?;
            next = scope.parent.map(|parent| parent as usize);
            Some(scope)
        })
        .filter(move |scope| entry.0 < scope.end)
        .map(|scope| UnitOffset(scope.start))
    }

    /// Adds to its size what was read since.
    pub fn grow(&self, size_bytes: usize) {
        self.grown_bytes.fetch_add(size_bytes, Ordering::Relaxed);
    }

    /// Roughly how much memory it takes.
    pub fn size_bytes(&self) -> usize {
        let functions = self.functions.len() * (size_of::<FunctionEntry>() + size_of::<Ranged<u32>>());
        let grown = self.grown_bytes.load(Ordering::Relaxed);
        functions + self.scopes.len() * size_of::<NamedScope>() + grown + 4096
    }
}

/// Functions of a unit, their ranges, and named scopes. Ends at a damaged entry.
fn walk(file: &File, part: &Part, problems: &Problems) -> Result<Walked, gimli::Error> {
    let view = part.view(file, Need::Entries)?;
    let mut walk = Walk {
        file,
        view: &view,
        budget: range_budget(&view.dwarf),
        functions: Vec::new(),
        ranges: Vec::new(),
        scopes: Vec::new(),
    };
    if let Err(error) = walk.run(&part.abbreviations) {
        let (UnitAt::Info(offset) | UnitAt::Types(offset)) = part.at;
        problems.report(format_args!("damaged debug information: the unit at {offset:#x}: {error}"));
    }
    Ok((walk.functions, RangeMap::new(walk.ranges), walk.scopes))
}

type Walked = (Vec<FunctionEntry>, RangeMap<u32>, Vec<NamedScope>);

/// The walk over a unit's entries.
struct Walk<'a> {
    file: &'a File,
    view: &'a View<'a>,
    budget: usize,
    functions: Vec<FunctionEntry>,
    ranges: Vec<Ranged<u32>>,
    scopes: Vec<NamedScope>,
}

impl<'a> Walk<'a> {
    fn run(&mut self, abbreviations: &Abbreviations) -> Result<(), gimli::Error> {
        let mut entries = self.view.unit.header.entries_raw(abbreviations, None)?;
        let result = self.entries(&mut entries);
        // Scopes that a damaged entry left open end where the unit does.
        let end = entries.next_offset().0;
        for scope in self.scopes.iter_mut().filter(|scope| scope.end == 0) {
            scope.end = end;
        }
        result
    }

    fn entries(&mut self, entries: &mut EntriesRaw<'_, Slice<'a>>) -> Result<(), gimli::Error> {
        // Scopes that are open, with the depth of their entries.
        let mut open: Vec<(isize, u32)> = Vec::new();
        while !entries.is_empty() {
            let (offset, depth) = (entries.next_offset(), entries.next_depth());
            let Some(abbreviation) = entries.read_abbreviation()? else {
                if let Some((_, scope)) = open.pop_if(|(of, _)| *of == depth - 1) {
                    self.scopes[scope as usize].end = offset.0;
                }
                if entries.next_depth() <= 0 {
                    break;
                }
                continue;
            };
            if abbreviation.has_children() && qualifies(abbreviation.tag()) {
                open.push((depth, self.scopes.len() as u32));
                let parent = open.iter().rev().nth(1).map(|(_, scope)| *scope);
                self.scopes.push(NamedScope { start: offset.0, end: 0, parent });
            }
            if abbreviation.tag() != dw::DW_TAG_subprogram {
                entries.skip_attributes(abbreviation.attributes())?;
                continue;
            }
            let mut extent = Extent::default();
            for &specification in abbreviation.attributes() {
                let attribute = entries.read_attribute(specification)?;
                extent.add(attribute.name(), &attribute.value());
            }
            if !extent.is_empty() {
                self.function(offset, &extent)?;
            }
        }
        Ok(())
    }

    fn function(&mut self, entry: UnitOffset, extent: &Extent<'a>) -> Result<(), gimli::Error> {
        let ranges = extent.ranges(self.file, &self.view.dwarf, &self.view.unit, &mut self.budget)?;
        if !ranges.is_empty() {
            let value = self.functions.len() as u32;
            self.functions.push(FunctionEntry {
                index: value,
                entry,
                name: OnceLock::new(),
                inlines: OnceLock::new(),
                calls: OnceLock::new(),
            });
            self.ranges.extend(ranges.into_iter().map(|(start, end)| Ranged { start, end, value }));
        }
        Ok(())
    }
}

/// Whether names of what is inside are qualified by the name of such an entry.
pub fn qualifies(tag: gimli::DwTag) -> bool {
    matches!(
        tag,
        dw::DW_TAG_namespace
            | dw::DW_TAG_module
            | dw::DW_TAG_class_type
            | dw::DW_TAG_structure_type
            | dw::DW_TAG_union_type
            | dw::DW_TAG_interface_type
            | dw::DW_TAG_enumeration_type
            | dw::DW_TAG_subprogram
    )
}
