//! Lines of functions, and their inlined calls.

use std::collections::{BTreeMap, HashMap, btree_map, hash_map};

use super::index::Table;
use super::lookup::{Answer, Found, Records};
use super::records::{InlineRecord, LineRecord};
use super::spans::{Span, without_overlap};
use super::text::lines_from;
use crate::address::Rva;
use crate::debuginfo::{LineRow, Scope, SourceFile, SourceLocation};

/// Inlined calls within each other that are followed.
const MOST_LEVELS: usize = 128;
/// Line numbers by which Microsoft's compilers say that code has no source, or should not be stepped into; dumpers pass
/// them on.
const NO_SOURCE: [i64; 2] = [0xf0_0f00, 0xfe_efee];

/// The lines of the text that belong to a function: up to the next `FUNC` or `PUBLIC`, after which the documentation
/// allows no line of this one, and the first `STACK` or `MODULE`, after which no dumper writes any. Other records may stand
/// in between, and those that nobody knows.
fn block(text: &[u8], function: u64) -> impl Iterator<Item = (u64, &[u8])> {
    let ends = |line: &[u8]| [&b"FUNC"[..], b"PUBLIC", b"STACK", b"MODULE"].iter().any(|word| line.starts_with(word));
    lines_from(text, function).skip(1).take_while(move |(_, line)| !ends(line))
}

/// The line records of a function that `wanted` accepts, without overlap among each other: nothing in the format keeps
/// one from reaching over others, or beyond the function. One that resumes after another comes twice.
fn rows_in(text: &[u8], function: u64, wanted: impl Fn(&LineRecord) -> bool) -> Vec<LineRecord> {
    let records = block(text, function).filter_map(|(_, line)| LineRecord::parse(line));
    let records: Vec<LineRecord> = records.filter(wanted).collect();
    let span = |(index, row): (usize, &LineRecord)| Span { start: row.start, end: row.end, record: index as u64 };
    let spans = without_overlap(records.iter().enumerate().map(span).collect());
    let row =
        |span: &Span| Some(LineRecord { start: span.start, end: span.end, ..*records.get(span.record as usize)? });
    spans.iter().filter_map(row).collect()
}

/// The line number as others know it, if there is one.
fn line_number(line: i64) -> Option<u32> {
    u32::try_from(line).ok().filter(|&it| it > 0 && !NO_SOURCE.contains(&line))
}

/// An inlined call that covers an address.
#[derive(Clone, Copy)]
struct Site {
    start: u32,
    call_line: i64,
    call_file: Option<i64>,
    origin: u32,
}

/// The inlined calls at an address, outermost first.
struct Sites {
    chain: Vec<Site>,
    /// Whether a level is missing, and there is one beyond it.
    is_broken: bool,
}

fn sites_at(text: &[u8], found: &Found, rva: u32) -> Sites {
    let mut levels: BTreeMap<u32, Site> = BTreeMap::new();
    for record in block(text, found.offset).filter_map(|(_, line)| InlineRecord::parse(line)) {
        for (start, _) in record.ranges().filter(|&(start, end)| start <= rva && rva < end) {
            let InlineRecord { call_line, call_file, origin, .. } = record;
            let site = Site { start: start.max(found.record.start), call_line, call_file, origin };
            let kept = levels.entry(record.level).or_insert(site);
            if kept.start < site.start {
                *kept = site;
            }
        }
    }
    let chain: Vec<Site> = (0..MOST_LEVELS as u32).map_while(|level| levels.get(&level).copied()).collect();
    Sites { is_broken: chain.len() < levels.len(), chain }
}

impl Records<'_> {
    /// A position in the source; `None` where there is no line, or no file under that number.
    fn location(self, line: i64, file: i64) -> Answer<Option<SourceLocation>> {
        let Some(line) = line_number(line) else { return Ok(None) };
        Ok(self.file(file)?.map(|file| SourceLocation { file, line }))
    }

    /// The chain of calls at `rva`; see [`DebugInfo::scopes_at`](crate::debuginfo::DebugInfo::scopes_at).
    ///
    /// Where levels skip (0, then 2), who calls the deeper one is not known: the chain ends before the gap, and the line
    /// at the address, which is one of the deeper function, is not given to another.
    pub fn scopes_at(self, rva: u32) -> Answer<Vec<Scope>> {
        let Some(found) = self.code_at(rva)? else { return Ok(Vec::new()) };
        let has_lines = found.record.is_function;
        let mut location = None;
        let mut scopes = Vec::new();
        if has_lines {
            let rows = rows_in(self.text, found.offset, |row| row.start <= rva && rva < row.end);
            let row = rows.into_iter().find(|row| row.start <= rva && rva < row.end);
            let sites = sites_at(self.text, &found, rva);
            if let Some(row) = row.filter(|_| !sites.is_broken) {
                location = self.location(row.line, row.file)?;
            }
            for (level, site) in sites.chain.iter().enumerate().rev() {
                let origin = self.origin(site.origin)?;
                let caller = level.checked_sub(1).and_then(|level| sites.chain.get(level));
                let function = origin.map_or_else(|| format!("inlined function {}", site.origin), |(name, _)| name);
                scopes.push(Scope { function, location, is_inlined: true, start: Rva(site.start) });
                let file = match (site.call_file, caller) {
                    (Some(file), _) => Some(file),
                    // The older form: the file of the function that calls, if that is told.
                    (None, Some(caller)) => self.origin(caller.origin)?.and_then(|(_, file)| file),
                    (None, None) => row.map(|row| row.file),
                };
                location = file.map_or(Ok(None), |file| self.location(site.call_line, file))?;
            }
        }
        let function = self.shown(&found)?;
        scopes.push(Scope { function: function.name, location, is_inlined: false, start: function.start });
        Ok(scopes)
    }

    /// Rows that overlap `[start, end)`, in address order. Where functions overlap, only rows of the one in force.
    pub fn lines_in(self, start: u32, end: u32) -> Answer<Vec<LineRow>> {
        let mut files: HashMap<i64, Option<SourceFile>> = HashMap::new();
        let mut rows = Vec::new();
        for (function, known) in self.functions_in(start, end)? {
            let mut parts = &known.parts[..];
            for row in rows_in(self.text, function, |_| true) {
                while parts.first().is_some_and(|part| part.1 <= row.start) {
                    parts = &parts[1..];
                }
                let Some(line) = line_number(row.line) else { continue };
                for part in parts.iter().take_while(|part| part.0 < row.end) {
                    let (from, to) = (row.start.max(part.0), row.end.min(part.1));
                    if to <= start || end <= from {
                        continue;
                    }
                    let file = match files.entry(row.file) {
                        hash_map::Entry::Occupied(known) => known.into_mut(),
                        hash_map::Entry::Vacant(unknown) => unknown.insert(self.file(row.file)?),
                    };
                    let location = file.clone().map(|file| SourceLocation { file, line });
                    let row = |location| LineRow { start: Rva(from), end: Rva(to), location, is_statement: true };
                    rows.extend(location.map(row));
                }
            }
        }
        rows.sort_by_key(|row| row.start);
        Ok(rows)
    }

    /// Functions that are in force somewhere in `[start, end)`, by offset of their record.
    fn functions_in(self, start: u32, end: u32) -> Answer<BTreeMap<u64, InForce>> {
        let mut functions: BTreeMap<u64, InForce> = BTreeMap::new();
        let first = self.index.at_or_below(Table::Functions, start).unwrap_or(0);
        let mut entries = self.index.from(Table::Functions, first).peekable();
        while let Some(entry) = entries.next_if(|entry| entry.key < end) {
            let known = match functions.entry(entry.record) {
                btree_map::Entry::Occupied(known) => known.into_mut(),
                // A record is parsed once, however often its function resumes.
                btree_map::Entry::Vacant(unknown) => {
                    let found = self.function(entry)?;
                    unknown.insert(InForce { end: found.end, parts: Vec::new() })
                }
            };
            let to = entries.peek().map_or(known.end, |next| known.end.min(next.key));
            if start < to {
                known.parts.push((entry.key, to));
            }
        }
        Ok(functions)
    }
}

/// Where a function is in force.
struct InForce {
    /// One past its last byte.
    end: u32,
    /// Half-open ranges, in order.
    parts: Vec<(u32, u32)>,
}
