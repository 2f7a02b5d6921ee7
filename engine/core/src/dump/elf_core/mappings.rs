//! NT_FILE: which files are mapped where; and which of them are images.
//!
//! Source: Linux, `fill_files_note` in `fs/binfmt_elf.c`: count, size of a page, then for each mapping its start, its
//! end and its offset in pages, then the names, each ended by a NUL, in the same order.

use super::{EXECUTABLE, ElfCore, note};
use crate::address::ReadMemory;
use crate::bytes::{Reader, Truncated};
use crate::data::Data;
use crate::dump::Facts;
use crate::dump::memory::MemoryIndex;
use crate::dump::modules::Module;
use crate::elf::{Elf, segment_kind};

/// Mappings that are read.
const MOST_MAPPINGS: usize = 1 << 20;
/// Bytes of an image's start that are looked at: its header, its program headers, usually its notes.
const HEAD_BYTES: usize = 0x4000;
/// Longest run of notes that is looked at.
const MOST_NOTE_BYTES: u64 = 0x1_0000;
/// AT_SYSINFO_EHDR: where the vDSO is.
const VDSO: u64 = 33;
const VDSO_NAME: &str = "linux-vdso.so.1";

/// A part of a file that is mapped.
struct Mapping<'a> {
    start: u64,
    end: u64,
    /// In pages.
    offset: u64,
    path: &'a [u8],
}

/// The images that are mapped, in address order, and the vDSO.
pub fn modules(core: &ElfCore) -> Vec<Module> {
    let mut modules = Vec::new();
    let mappings = core.core_note(note::FILE).map(|note| read(&note.descriptor, core.is_64())).unwrap_or_default();
    let mut rest = &mappings[..];
    while let [first, ..] = rest {
        // The same file again from its start is another module (`dlmopen` loads a library twice), unless the first one's
        // own headers say that it reaches further: small programs have all of their segments in one page of the file.
        let end = mapped_head(core, first.start).map_or(0, |head| image_end(&head, first.start));
        let belongs = |it: &&Mapping<'_>| it.path == first.path && (it.offset > 0 || it.start < end);
        let size = 1 + rest[1..].iter().take_while(belongs).count();
        if first.offset == 0
            && let Some(module) = module(core, &rest[..size])
        {
            modules.push(module);
        }
        rest = &rest[size..];
    }
    if let Some(base) = core.auxiliary(VDSO)
        && let Some(segment) = core.loaded().find(|segment| segment.vaddr == base)
        && let Ok(size) = u32::try_from(segment.memory_size_bytes)
    {
        modules.push(new_module(core, VDSO_NAME.to_owned(), base, size));
        modules.sort_by_key(|module| module.base);
    }
    modules
}

fn read(note: &[u8], is_64: bool) -> Vec<Mapping<'_>> {
    let word = |input: &mut Reader<'_>| if is_64 { input.u64() } else { input.u32().map(u64::from) };
    let header = |input: &mut Reader<'_>| -> Result<u64, Truncated> {
        let count = word(input)?;
        word(input)?; // bytes of a page
        Ok(count)
    };
    let mut input = Reader::new(note);
    let Ok(count) = header(&mut input) else { return Vec::new() };
    let count = usize::try_from(count).unwrap_or(usize::MAX).min(MOST_MAPPINGS);
    let record_bytes = if is_64 { 24 } else { 12 };
    let Ok(records) = input.take(count.saturating_mul(record_bytes)) else { return Vec::new() };
    let mut mappings = Vec::with_capacity(count);
    for record in records.chunks_exact(record_bytes) {
        let mut record = Reader::new(record);
        let (Ok(start), Ok(end), Ok(offset)) = (word(&mut record), word(&mut record), word(&mut record)) else { break };
        let Ok(path) = input.c_string() else { break };
        if start < end {
            mappings.push(Mapping { start, end, offset, path });
        }
    }
    mappings.sort_by_key(|mapping| mapping.start);
    mappings
}

/// The module that these mappings of one file are, if it is an image: its captured start says so, or, where that was
/// not captured, that some of it may be executed.
fn module(core: &ElfCore, mappings: &[Mapping<'_>]) -> Option<Module> {
    let (first, last) = (mappings.first()?, mappings.last()?);
    let mut magic = [0; 4];
    let is_image = match Captured(core).read(first.start, &mut magic) {
        4 => &magic == b"\x7fELF",
        _ => core.loaded().any(|segment| {
            segment.flags & EXECUTABLE != 0
                && mappings.iter().any(|mapping| mapping.start <= segment.vaddr && segment.vaddr < mapping.end)
        }),
    };
    let size = u32::try_from(last.end - first.start).ok()?;
    is_image.then(|| new_module(core, String::from_utf8_lossy(first.path).into_owned(), first.start, size))
}

fn new_module(core: &ElfCore, name: String, base: u64, size_bytes: u32) -> Module {
    // Breakpad's record for a build-id: `BpEL`.
    let codeview = build_id(core, base).map(|id| [b"LEpB", &id[..]].concat()).unwrap_or_default();
    Module { name, base, size_bytes, time_date_stamp: 0, check_sum: 0, version: None, codeview }
}

/// The headers of the image at `base`, if the core holds them.
fn mapped_head(core: &ElfCore, base: u64) -> Option<Elf> {
    Elf::open(Data::from(captured(core, base, HEAD_BYTES))).ok()
}

/// Where an image at `base` ends, by its program headers.
fn image_end(elf: &Elf, base: u64) -> u64 {
    let loaded = elf.segments().iter().filter(|segment| segment.kind == segment_kind::LOAD);
    let ends = loaded.map(|segment| segment.vaddr.saturating_add(segment.memory_size_bytes));
    base.saturating_add(ends.max().unwrap_or(0).saturating_sub(elf.base()))
}

/// Up to `size` bytes of captured memory.
fn captured(core: &ElfCore, address: u64, size: usize) -> Vec<u8> {
    let mut bytes = vec![0; size];
    let held = Captured(core).read(address, &mut bytes);
    bytes.truncate(held);
    bytes
}

/// The build-id of the image at `base`, as far as the core holds what leads to it.
fn build_id(core: &ElfCore, base: u64) -> Option<Vec<u8>> {
    let elf = mapped_head(core, base)?;
    let notes = elf.segments().iter().filter(|segment| segment.kind == segment_kind::NOTE).take(16);
    notes.into_iter().find_map(|segment| {
        let address = base.checked_add(segment.vaddr.checked_sub(elf.base())?)?;
        let bytes = captured(core, address, segment.memory_size_bytes.min(MOST_NOTE_BYTES) as usize);
        crate::elf::build_id_in(Data::from(bytes), segment.alignment)
    })
}

/// The core's own memory, without images.
struct Captured<'a>(&'a ElfCore);

impl ReadMemory for Captured<'_> {
    fn read(&self, address: u64, buffer: &mut [u8]) -> usize {
        let index: &MemoryIndex = self.0.memory();
        let mut done = 0;
        for range in index.from(address) {
            let Some(at) = address.checked_add(done as u64).filter(|&at| range.address <= at) else { break };
            let offset = range.offset + (at - range.address);
            let size = (range.end() - at).min((buffer.len() - done) as u64);
            let Some(bytes) = self.0.data().part(offset, size) else { break };
            buffer[done..done + bytes.len()].copy_from_slice(&bytes);
            done += bytes.len();
            if done == buffer.len() {
                break;
            }
        }
        done
    }
}
