//! Making an index: one pass over the text, in which lines and inlined calls are passed over.

use memchr::memchr_iter;

use super::index::{self, Entry, MOST_TEXT_BYTES, TABLES, Table};
use super::names::{is_decorated, without_arguments};
use super::records::{NumberedRecord, StackRange, SymbolRecord};
use super::spans::{Span, without_overlap};
use super::text::{Fields, without_end};

/// Makes the index of `text`. Time and memory are linear in its size, but for sorting.
pub fn build(text: &[u8]) -> Vec<u8> {
    let known = &text[..text.len().min(MOST_TEXT_BYTES as usize)];
    let mut found = Found::default();
    let mut start = 0;
    for end in memchr_iter(b'\n', known).chain([known.len()]) {
        // Lines and inlined calls, by far the most, are told from the others by two letters.
        if let [b'F' | b'P', b'U' | b'I', ..] | [b'S', b'T', ..] | [b'I', b'N', ..] = known[start..end] {
            found.record(start as u64, without_end(&known[start..end]));
        }
        start = end + 1;
    }
    let (damaged, first_damaged) = (found.damaged, found.first_damaged);
    index::write(text, &found.tables(), damaged, first_damaged)
}

/// A `FUNC` or `PUBLIC`, in the order of [`Table::Symbols`].
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct SymbolAt {
    start: u32,
    rank: u8,
    record: u64,
}

const SIZED: u8 = 0;
const UNSIZED: u8 = 1;
const PUBLIC: u8 = 2;

#[derive(Default)]
struct Found {
    symbols: Vec<SymbolAt>,
    functions: Vec<Span>,
    frame_data: Vec<Span>,
    fpo: Vec<Span>,
    cfi: Vec<Span>,
    files: Vec<Entry>,
    origins: Vec<Entry>,
    names: Vec<Entry>,
    decorated: Vec<Entry>,
    damaged: u64,
    first_damaged: u64,
}

impl Found {
    fn record(&mut self, offset: u64, line: &[u8]) {
        let understood = match line {
            [b'F', b'U', b'N', b'C', b' ' | b'\t', ..] | [b'P', b'U', b'B', ..] => self.symbol(offset, line),
            [b'S', b'T', b'A', b'C', b'K', ..] => self.stack(offset, line),
            [b'F', b'I', b'L', b'E', b' ' | b'\t', ..] => {
                let record = NumberedRecord::file(line);
                record.map(|record| self.files.push(Entry { key: record.number, record: offset })).is_some()
            }
            _ if line.starts_with(b"INLINE_ORIGIN") => {
                let record = NumberedRecord::origin(line);
                record.map(|record| self.origins.push(Entry { key: record.number, record: offset })).is_some()
            }
            _ => true,
        };
        if !understood {
            if self.damaged == 0 {
                self.first_damaged = offset;
            }
            self.damaged += 1;
        }
    }

    fn symbol(&mut self, offset: u64, line: &[u8]) -> bool {
        let Some(symbol) = SymbolRecord::parse(line) else { return false };
        let rank = match (symbol.is_function, symbol.size_bytes) {
            (true, 0) => UNSIZED,
            (true, _) => SIZED,
            (false, _) => PUBLIC,
        };
        if rank == SIZED {
            self.functions.push(Span { start: symbol.start, end: symbol.end(), record: offset });
        }
        self.symbols.push(SymbolAt { start: symbol.start, rank, record: offset });
        let plain = without_arguments(symbol.name);
        self.names.push(Entry { key: index::name_key(plain), record: offset });
        if is_decorated(symbol.name) {
            self.decorated.push(Entry { key: symbol.start, record: offset });
        }
        true
    }

    fn stack(&mut self, offset: u64, line: &[u8]) -> bool {
        let Some((range, _)) = StackRange::parse(line) else {
            // What changes rules within a range, and types of `STACK WIN` that are not used.
            let starts_range = ["STACK CFI INIT", "STACK WIN 4", "STACK WIN 0"];
            return starts_range.iter().all(|front| Fields::after(line, front).is_none());
        };
        let spans = match range.table {
            Table::FrameData => &mut self.frame_data,
            Table::Fpo => &mut self.fpo,
            _ => &mut self.cfi,
        };
        spans.push(Span { start: range.start, end: range.end, record: offset });
        true
    }

    fn tables(mut self) -> [Vec<Entry>; TABLES] {
        self.symbols.sort_unstable();
        let functions = with_unsized(without_overlap(self.functions), &self.symbols);
        let symbols = self.symbols.iter().map(|it| Entry { key: it.start, record: it.record }).collect();
        for table in [&mut self.files, &mut self.origins, &mut self.names, &mut self.decorated] {
            table.sort_unstable_by_key(|entry| (entry.key, entry.record));
        }
        let mut tables: [Vec<Entry>; TABLES] = Default::default();
        tables[Table::Functions as usize] = entries(&functions);
        tables[Table::Symbols as usize] = symbols;
        tables[Table::FrameData as usize] = entries(&without_overlap(self.frame_data));
        tables[Table::Fpo as usize] = entries(&without_overlap(self.fpo));
        tables[Table::Cfi as usize] = entries(&without_overlap(self.cfi));
        tables[Table::Files as usize] = self.files;
        tables[Table::Origins as usize] = self.origins;
        tables[Table::Names as usize] = self.names;
        tables[Table::Decorated as usize] = self.decorated;
        tables
    }
}

fn entries(spans: &[Span]) -> Vec<Entry> {
    spans.iter().map(|span| Entry { key: span.start, record: span.record }).collect()
}

/// Adds the functions without a size that lie in no other one; they reach to the next symbol.
fn with_unsized(sized: Vec<Span>, symbols: &[SymbolAt]) -> Vec<Span> {
    let mut all = Vec::with_capacity(sized.len());
    let mut unsized_ones = symbols.iter().filter(|symbol| symbol.rank == UNSIZED).peekable();
    let mut reached = 0;
    for span in sized.into_iter().chain([Span { start: u32::MAX, end: u32::MAX, record: 0 }]) {
        while let Some(symbol) = unsized_ones.next_if(|symbol| symbol.start < span.start) {
            if symbol.start >= reached {
                all.push(Span { start: symbol.start, end: symbol.start, record: symbol.record });
                reached = symbol.start + 1; // of several at one address the first
            }
        }
        reached = reached.max(span.end);
        all.push(span);
    }
    all.pop();
    all
}
