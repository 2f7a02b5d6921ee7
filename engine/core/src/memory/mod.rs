//! The address space of one dump: captured memory above proved images.
//!
//! Every byte has one source. Captured bytes always win. A proved image fills what the dump left out, but only from
//! headers and non-writable sections, and not where the loader writes: what a writable byte held at run time is unknown,
//! and its initial value would be a guess.

mod search;
#[cfg(test)]
mod tests;

use std::sync::{Arc, OnceLock};

use crate::address::{ReadMemory, Rva};
use crate::data::Data;
use crate::dump::Dump;
use crate::dump::memory::MemoryRange;
use crate::image::proof::comparable;
use crate::image::{self, Image, Proof, prove};

/// Bytes that are read at a time.
const CHUNK_BYTES: usize = 1 << 20;

/// What is known of a module's file.
pub enum File<T> {
    /// Nobody has looked for it.
    NotAsked,
    /// It was sought in vain, or found and refused.
    Missing,
    /// Here it is.
    Here(T),
}

impl<T> File<T> {
    /// The file, if it is here.
    pub fn here(&self) -> Option<&T> {
        match self {
            File::Here(file) => Some(file),
            _ => None,
        }
    }
}

/// Where the bytes of a range come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Captured.
    Dump {
        /// File offset of the first byte.
        offset: u64,
    },
    /// Filled in from a proved image.
    Image {
        /// The module.
        module: usize,
        /// RVA of the first byte.
        rva: Rva,
        /// Whether all of it are relocated words.
        relocated: bool,
    },
    /// Nobody knows.
    Absent {
        /// The module that covers the range.
        module: Option<usize>,
        /// Why.
        reason: Absence,
    },
}

/// Why bytes are absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absence {
    /// The address space was free there.
    Free,
    /// The dump does not hold it and no module covers it.
    NotInDump,
    /// In a writable section, so that the image cannot tell.
    WritableSection,
    /// The loader writes there, so that the image cannot tell.
    LoaderWritten,
    /// Nobody has looked for the module's image.
    ImageNotAsked,
    /// The module's image was not found, or was refused.
    ImageMissing,
    /// Between sections, or lost from a file that was cut off.
    NotInImage,
}

/// A range with one source: `[address, address + size_bytes)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// First address.
    pub address: u64,
    /// Bytes; never 0.
    pub size_bytes: u64,
    /// Where they come from.
    pub source: Source,
}

/// See the module's documentation.
pub struct AddressSpace {
    dump: Arc<Dump>,
    images: Vec<File<Arc<dyn Image>>>,
    captured: Vec<OnceLock<Option<Arc<dyn Image>>>>,
    /// Modules by base: `(base, end, index)`.
    modules: Vec<(u64, u64, usize)>,
}

impl AddressSpace {
    /// The space of `dump`, without images yet.
    pub fn new(dump: Arc<Dump>) -> AddressSpace {
        let range = |(index, module): (usize, &crate::dump::modules::Module)| {
            (module.base, module.base.saturating_add(module.size_bytes.into()), index)
        };
        let mut modules: Vec<_> = dump.modules().iter().enumerate().map(range).collect();
        modules.sort_unstable();
        let images = modules.iter().map(|_| File::NotAsked).collect();
        let captured = modules.iter().map(|_| OnceLock::new()).collect();
        AddressSpace { dump, images, captured, modules }
    }

    /// The dump below.
    pub fn dump(&self) -> &Arc<Dump> {
        &self.dump
    }

    /// Compares `image` with the module's key and with what the dump holds. None if there is no such module.
    pub fn prove(&self, module: usize, image: &dyn Image) -> Option<Proof> {
        let module = self.dump.modules().get(module)?;
        Some(prove(image, module, self.dump.data(), self.dump.memory()))
    }

    /// Lets `image` answer for `module`, or declares that there is none.
    pub fn set_image(&mut self, module: usize, image: Option<Arc<dyn Image>>) {
        if let Some(slot) = self.images.get_mut(module) {
            *slot = image.map_or(File::Missing, File::Here);
        }
    }

    /// The image of a module.
    pub fn image(&self, module: usize) -> &File<Arc<dyn Image>> {
        self.images.get(module).unwrap_or(&File::Missing)
    }

    /// The module's image as the dump itself holds it, if it holds all of it, as dumps with all memory do. Its tables
    /// (unwind information, exports, identity) are those of the process, so that no file has to be found for them.
    pub fn captured_image(&self, module: usize) -> Option<&Arc<dyn Image>> {
        let read = || {
            let record = self.dump.modules().get(module)?;
            let data = self.captured_part(record.base, record.size_bytes.into())?;
            image::open_mapped(data, record)
        };
        self.captured.get(module)?.get_or_init(read).as_ref()
    }

    /// The part of the file that holds `[address, address + size)`, if all of it lies there in one piece: neighbours
    /// in memory are neighbours in the file where a dump holds all memory.
    fn captured_part(&self, address: u64, size: u64) -> Option<Data> {
        let ranges = self.dump.memory().from(address);
        let first = ranges.first().filter(|range| range.address <= address)?;
        let place = |range: &MemoryRange| range.offset.wrapping_sub(range.address);
        let mut end = first.address;
        for range in ranges.iter().take_while(|range| range.address < address.saturating_add(size)) {
            if range.address != end || place(range) != place(first) {
                return None;
            }
            end = range.end();
        }
        (end >= address.checked_add(size)?).then_some(())?;
        self.dump.data().part(first.offset + (address - first.address), size)
    }

    /// The image that has the module's tables: the dump's own, else a proved file.
    pub fn tables(&self, module: usize) -> File<&dyn Image> {
        match (self.captured_image(module), self.image(module)) {
            (Some(image), _) => File::Here(image.as_ref()),
            (None, File::Here(image)) => File::Here(image.as_ref()),
            (None, File::Missing) => File::Missing,
            (None, File::NotAsked) => File::NotAsked,
        }
    }

    /// The module that covers `address`: index, base, size. Of overlapping ones that which begins last.
    pub fn module_at(&self, address: u64) -> Option<(usize, u64, u64)> {
        let after = self.modules.partition_point(|(base, ..)| *base <= address);
        let covering = self.modules[..after].iter().rev().take(8).find(|(_, end, _)| address < *end);
        covering.map(|&(base, end, index)| (index, base, end - base))
    }

    /// Whether `address` may be executed; None if neither an image nor the dump's list of regions says.
    pub fn is_executable(&self, address: u64) -> Option<bool> {
        if let Some((index, base, _)) = self.module_at(address)
            && let File::Here(image) = self.tables(index)
        {
            let section = Rva::of(address, base).and_then(|rva| image.section_at(rva));
            return Some(section.is_some_and(|section| section.executable));
        }
        let regions = self.dump.regions();
        let region = region_at(regions, address)?;
        Some(region.is_executable())
    }

    /// The sources of `[address, address + size)`, in address order and without gaps; cut off at the end of the
    /// address space.
    pub fn provenance(&self, address: u64, size: u64) -> Vec<Span> {
        let mut spans = Vec::new();
        let end = address.saturating_add(size);
        let mut at = address;
        for range in self.dump.memory().from(address).iter().take_while(|range| range.address < end) {
            if at < range.address {
                self.below(at, range.address, &mut spans);
                at = range.address;
            }
            let stop = range.end().min(end);
            let offset = range.offset + (at - range.address);
            push(&mut spans, at, stop, Source::Dump { offset });
            at = stop;
        }
        if at < end {
            self.below(at, end, &mut spans);
        }
        spans
    }

    /// Sources of a range of which the dump holds nothing.
    fn below(&self, start: u64, end: u64, spans: &mut Vec<Span>) {
        let mut at = start;
        while at < end {
            match self.module_at(at) {
                Some((index, base, size)) => {
                    let stop = base.saturating_add(size).min(end).min(self.next_module_base(at));
                    self.in_module(index, base, at, stop, spans);
                    at = stop;
                }
                None => {
                    let stop = self.next_module_base(at).min(end);
                    self.outside_modules(at, stop, spans);
                    at = stop;
                }
            }
        }
    }

    fn next_module_base(&self, address: u64) -> u64 {
        let after = self.modules.partition_point(|(base, ..)| *base <= address);
        self.modules.get(after).map_or(u64::MAX, |(base, ..)| *base)
    }

    /// Splits a range outside of modules into what was free and what was not saved.
    fn outside_modules(&self, start: u64, end: u64, spans: &mut Vec<Span>) {
        let regions = self.dump.regions();
        let mut at = start;
        while at < end {
            let (reason, stop) = match region_at(regions, at) {
                Some(region) => {
                    let reason = if region.is_free() { Absence::Free } else { Absence::NotInDump };
                    (reason, region.base.saturating_add(region.size_bytes).min(end))
                }
                None => {
                    let next = regions.partition_point(|region| region.base <= at);
                    (Absence::NotInDump, regions.get(next).map_or(end, |region| region.base.min(end)))
                }
            };
            push(spans, at, stop, Source::Absent { module: None, reason });
            at = stop;
        }
    }

    fn in_module(&self, index: usize, base: u64, start: u64, end: u64, spans: &mut Vec<Span>) {
        let absent = |reason| Source::Absent { module: Some(index), reason };
        let image = match self.image(index) {
            File::Here(image) => image.as_ref(),
            File::NotAsked => return push(spans, start, end, absent(Absence::ImageNotAsked)),
            File::Missing => return push(spans, start, end, absent(Absence::ImageMissing)),
        };
        let mut at = start;
        for piece in comparable(image, start - base..end - base) {
            let (piece_start, piece_end) = (base + piece.start, base + piece.end);
            if piece_end <= at {
                continue; // sections of a damaged image may overlap
            }
            let piece_start = piece_start.max(at);
            self.unfilled(index, image, base, at, piece_start, spans);
            filled(index, image, base, piece_start, piece_end, spans);
            at = piece_end;
        }
        self.unfilled(index, image, base, at, end, spans);
    }

    /// Why an image does not fill `[start, end)`.
    fn unfilled(&self, index: usize, image: &dyn Image, base: u64, start: u64, end: u64, spans: &mut Vec<Span>) {
        let mut at = start;
        while at < end {
            let rva = at - base;
            let section = u32::try_from(rva).ok().and_then(|rva| image.section_at(Rva(rva)));
            let (reason, stop) = match section {
                Some(section) if section.writable => (Absence::WritableSection, base + section.end()),
                Some(section) => (Absence::LoaderWritten, base + section.end()),
                None if rva < u64::from(image.headers_bytes()) => {
                    (Absence::LoaderWritten, base + u64::from(image.headers_bytes()))
                }
                None => {
                    let next = image.sections().partition_point(|section| u64::from(section.rva.0) <= rva);
                    let stop = image.sections().get(next).map_or(end, |section| base + u64::from(section.rva.0));
                    (Absence::NotInImage, stop)
                }
            };
            let stop = stop.min(end).max(at + 1);
            push(spans, at, stop, Source::Absent { module: Some(index), reason });
            at = stop;
        }
    }
}

/// Spans of a range that an image fills: relocated words apart from the rest, lost bytes absent.
fn filled(module: usize, image: &dyn Image, base: u64, start: u64, end: u64, spans: &mut Vec<Span>) {
    let rva = |address: u64| Rva((address - base) as u32);
    let held = match image.section_at(rva(start)) {
        Some(section) if section.lost_bytes == 0 => end,
        Some(_) | None => end.min(start + image.raw_from(rva(start)).len() as u64),
    };
    let mut at = start;
    for word in image.relocated_words(rva(start), (held - start) as u32, base) {
        let (word_start, word_end) = ((base + word.start).max(at), base + word.end);
        push(spans, at, word_start, Source::Image { module, rva: rva(at), relocated: false });
        push(spans, word_start, word_end, Source::Image { module, rva: rva(word_start), relocated: true });
        at = at.max(word_end);
    }
    push(spans, at, held, Source::Image { module, rva: rva(at), relocated: false });
    push(spans, held, end, Source::Absent { module: Some(module), reason: Absence::NotInImage });
}

fn push(spans: &mut Vec<Span>, start: u64, end: u64, source: Source) {
    if start < end {
        spans.push(Span { address: start, size_bytes: end - start, source });
    }
}

fn region_at(
    regions: &[crate::dump::memory::MemoryRegion],
    address: u64,
) -> Option<&crate::dump::memory::MemoryRegion> {
    let after = regions.partition_point(|region| region.base <= address);
    let region = regions[..after].last()?;
    (address - region.base < region.size_bytes).then_some(region)
}

impl ReadMemory for AddressSpace {
    fn read(&self, address: u64, buffer: &mut [u8]) -> usize {
        let mut done = 0;
        while done < buffer.len() {
            let Some(at) = address.checked_add(done as u64) else { break };
            let size = match self.dump.memory().from(at).first() {
                Some(range) if range.address <= at => self.read_captured(range, at, &mut buffer[done..]),
                next => {
                    let gap = next.map_or(u64::MAX, |range| range.address - at).min((buffer.len() - done) as u64);
                    self.read_image(at, &mut buffer[done..done + gap as usize])
                }
            };
            if size == 0 {
                break;
            }
            done += size;
        }
        done
    }
}

impl AddressSpace {
    /// Up to `size` bytes from `address` on, up to the first absent one. Memory is taken as bytes are found, not as they
    /// are asked for.
    pub fn bytes(&self, address: u64, size: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        while bytes.len() < size {
            let start = bytes.len();
            let Some(at) = address.checked_add(start as u64) else { break };
            bytes.resize(size.min(start + CHUNK_BYTES), 0);
            let read = self.read(at, &mut bytes[start..]);
            if start + read < bytes.len() {
                bytes.truncate(start + read);
                break;
            }
        }
        bytes
    }

    /// The section of the module's image that covers `address`, or `headers`.
    pub fn section_name(&self, address: u64) -> Option<String> {
        let (index, base, _) = self.module_at(address)?;
        let File::Here(image) = self.tables(index) else { return None };
        let rva = Rva::of(address, base)?;
        image.section_name(rva).map(std::borrow::Cow::into_owned)
    }

    fn read_captured(&self, range: &MemoryRange, address: u64, buffer: &mut [u8]) -> usize {
        let skipped = address - range.address;
        let size = (range.size_bytes - skipped).min(buffer.len() as u64) as usize;
        let offset = (range.offset + skipped) as usize;
        match self.dump.data().get(offset..offset + size) {
            Some(bytes) => {
                buffer[..size].copy_from_slice(bytes);
                size
            }
            None => 0,
        }
    }

    fn read_image(&self, address: u64, buffer: &mut [u8]) -> usize {
        let Some((index, base, size)) = self.module_at(address) else { return 0 };
        let (File::Here(image), Some(rva)) = (self.image(index), Rva::of(address, base)) else { return 0 };
        let image = image.as_ref();
        let end = (u64::from(rva.0) + buffer.len() as u64).min(size);
        match comparable(image, u64::from(rva.0)..end).first() {
            Some(piece) if piece.start == u64::from(rva.0) => {
                image.read_mapped(rva, base, &mut buffer[..(piece.end - piece.start) as usize])
            }
            _ => 0,
        }
    }
}
