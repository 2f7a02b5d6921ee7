//! Inflated sections and the catalog, kept in a folder that the caller names: what was expensive once is mapped from then
//! on.
//!
//! Distributions compress debug information, and inflating a few hundred megabytes takes longer than everything that
//! is then asked of them. A kept section is named by the file's build-id, the section, and its sizes before and after;
//! it is written aside and renamed when it is whole. A folder that cannot be written to costs time and nothing else.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::file::DwarfFile;
use crate::data::Data;
use crate::debuginfo::symbol_table::SymbolTable;
use crate::elf::Elf;
use crate::registers::Cpu;

/// Smaller sections are inflated faster than they are looked for.
const SMALLEST_BYTES: u64 = 1 << 20;

/// An ELF file whose inflated sections are kept.
pub struct KeptSections {
    elf: Arc<Elf>,
    /// Folder, and how the names of the file's sections begin.
    folder: PathBuf,
    prefix: String,
}

impl KeptSections {
    /// Keeps the sections of `elf` in `folder`; None if the file has no build-id to name them by.
    pub fn new(elf: Arc<Elf>, folder: &Path) -> Option<KeptSections> {
        let prefix = elf.build_id()?.iter().map(|byte| format!("{byte:02x}")).collect();
        Some(KeptSections { elf, folder: folder.to_owned(), prefix })
    }

    /// Where a section is kept, and how long it is; None if it is not compressed, or small.
    fn place(&self, name: &str) -> Option<(PathBuf, u64)> {
        let section = self.elf.section_named(name)?;
        let size = self.elf.inflated_bytes(section).filter(|&size| size >= SMALLEST_BYTES)?;
        let name = name.trim_start_matches('.');
        let file = format!("{}-{name}-{:x}-{size:x}.section", self.prefix, section.size_bytes);
        Some((self.folder.join(file), size))
    }
}

impl KeptSections {
    /// Inflates a section to `place`. Nothing of it is held in memory.
    fn inflate_to(&self, name: &str, place: &Path) -> Option<()> {
        let section = self.elf.section_named(name)?;
        write_whole(place, |output| self.elf.inflate_into(section, output))
    }

    /// Where something else than a section is kept; None of a file that is so small that it is faster made again.
    fn index_place(&self, name: &str) -> Option<PathBuf> {
        let entries = self.elf.section_named(".debug_info")?;
        let size = self.elf.inflated_bytes(entries).unwrap_or(entries.size_bytes);
        (size >= SMALLEST_BYTES).then(|| self.folder.join(format!("{}-{name}.index", self.prefix)))
    }
}

/// Writes a file aside, and renames it when it is whole: others may look at the same time.
fn write_whole(place: &Path, write: impl FnOnce(&mut File) -> bool) -> Option<()> {
    let aside = place.with_extension(format!("{}.new", std::process::id()));
    let mut output = File::create(&aside).ok()?;
    let whole = write(&mut output);
    drop(output);
    if whole && std::fs::rename(&aside, place).is_ok() {
        return Some(());
    }
    let _ = std::fs::remove_file(&aside);
    None
}

impl DwarfFile for KeptSections {
    fn section(&self, name: &str) -> Result<Option<Data>, String> {
        let plainly = || DwarfFile::section(&*self.elf, name);
        let Some((place, size)) = self.place(name) else { return plainly() };
        let kept = || Data::map(&place).ok().filter(|kept| kept.len() as u64 == size);
        match kept().or_else(|| self.inflate_to(name, &place).and_then(|()| kept())) {
            Some(kept) => Ok(Some(kept)),
            None => plainly(),
        }
    }

    fn has_section(&self, name: &str) -> bool {
        self.elf.has_debug_section(name)
    }

    fn base(&self) -> u64 {
        self.elf.base()
    }

    fn cpu(&self) -> Option<Cpu> {
        self.elf.cpu()
    }

    fn symbols(&self) -> SymbolTable {
        SymbolTable::of_elf(&self.elf)
    }

    fn kept(&self, name: &str) -> Option<Data> {
        Data::map(&self.index_place(name)?).ok()
    }

    fn keep(&self, name: &str, content: &[u8]) {
        let _ = self.index_place(name).and_then(|at| write_whole(&at, |output| output.write_all(content).is_ok()));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    /// An ELF64 file with a build-id and one section, `.debug_info`, stored as zlib.
    fn compressed(content: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(content).unwrap();
        let stored = [
            &1u32.to_le_bytes()[..],
            &[0; 4],
            &(content.len() as u64).to_le_bytes(),
            &1u64.to_le_bytes(),
            &encoder.finish().unwrap(),
        ]
        .concat();
        let note =
            [&4u32.to_le_bytes()[..], &4u32.to_le_bytes(), &3u32.to_le_bytes(), b"GNU\0", &[1, 2, 3, 4]].concat();
        let names = b"\0.debug_info\0.note\0.shstrtab\0".to_vec();
        let mut file = vec![0; 64];
        file[..7].copy_from_slice(&[0x7f, b'E', b'L', b'F', 2, 1, 1]);
        file[16] = 3;
        file[18] = 62;
        file[20] = 1;
        let mut headers = vec![0; 64];
        for (name, kind, flags, content) in [(1u32, 1u32, 0x800u64, &stored), (13, 7, 0, &note), (19, 3, 0, &names)] {
            headers.extend(name.to_le_bytes());
            headers.extend(kind.to_le_bytes());
            headers.extend(flags.to_le_bytes());
            headers.extend(0u64.to_le_bytes());
            headers.extend((file.len() as u64).to_le_bytes());
            headers.extend((content.len() as u64).to_le_bytes());
            headers.extend([0; 8]);
            headers.extend(4u64.to_le_bytes());
            headers.extend([0; 8]);
            file.extend(content);
        }
        let offset = file.len() as u64;
        file[40..48].copy_from_slice(&offset.to_le_bytes());
        file[52] = 64;
        file[58] = 64;
        file[60] = 4;
        file[62] = 3;
        file.extend(headers);
        file
    }

    #[test]
    fn a_large_section_is_inflated_once() {
        let content: Vec<u8> = (0..2 << 20).map(|index: u32| (index >> 7) as u8).collect();
        let elf = Arc::new(Elf::open(Data::from(compressed(&content))).unwrap());
        let folder = std::env::temp_dir().join(format!("stillframe-kept-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let file = KeptSections::new(elf.clone(), &folder).unwrap();
        assert_eq!(&file.section(".debug_info").unwrap().unwrap()[..], &content[..]);
        let kept: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(kept.len(), 1);
        assert!(kept[0].file_name().unwrap().to_str().unwrap().starts_with("01020304-debug_info-"));
        file.keep("catalog", b"tables");
        assert_eq!(file.kept("catalog").as_deref(), Some(b"tables".as_slice()));
        assert!(folder.join("01020304-catalog.index").is_file());
        // What is kept is what answers: the second time nothing is inflated.
        let mut other = content.clone();
        other[0] = 0xee;
        std::fs::write(&kept[0], &other).unwrap();
        assert_eq!(file.section(".debug_info").unwrap().unwrap()[0], 0xee);
        // One that is not whole is not believed.
        std::fs::write(&kept[0], &other[1..]).unwrap();
        assert_eq!(&file.section(".debug_info").unwrap().unwrap()[..], &content[..]);
        std::fs::remove_dir_all(&folder).unwrap();
        file.keep("catalog", b"tables");
        assert!(file.kept("catalog").is_none());
        assert_eq!(&file.section(".debug_info").unwrap().unwrap()[..], &content[..]);
    }
}
