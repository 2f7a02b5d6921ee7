//! Mach-O files: images, as they are in files and in memory, and debug information.

use std::sync::Arc;

use super::{MOST, RVAS, debug_info};
use crate::address::Rva;
use crate::data::Data;
use crate::debuginfo::file::DebugFile;
use crate::image::{Image, MachImage};
use crate::macho::MachO;
use crate::registers::Cpu;
use crate::unwind::UnwindTables;

/// Opens a Mach-O file, or each of those in a universal one, and asks for everything in it.
pub fn macho(bytes: &[u8]) {
    let data = Data::from(bytes.to_vec());
    for cpu in [None, Some(Cpu::X64), Some(Cpu::Arm64)] {
        let Ok(file) = MachO::open(data.clone(), cpu) else { continue };
        let _ = (file.kind(), file.uuid(), file.install_name(), file.base(), file.segments().len());
        for section in file.sections().iter().take(2 * MOST) {
            let _ = (section.full_name(), file.section_bytes(section).is_ok(), file.rva(section.vmaddr));
        }
        debug_info(DebugFile::of_macho(Arc::new(file)).info.as_ref());
        if let Ok(image) = MachImage::open(data.clone(), cpu) {
            ask(&image);
        }
        // A file that is not universal is the same for all.
        if !bytes.starts_with(&[0xca, 0xfe]) {
            break;
        }
    }
    if let Ok(image) = MachImage::open_mapped(data) {
        ask(&image);
    }
}

fn ask(image: &MachImage) {
    let file = image.macho();
    let starts = file.function_starts().into_iter().take(MOST);
    let sections = file.sections().iter().take(MOST).filter_map(|section| file.rva(section.vmaddr));
    let mut buffer = [0; 64];
    for rva in starts.chain(sections).chain(RVAS.map(Rva)) {
        for rva in [rva, Rva(rva.0.saturating_add(4)), Rva(rva.0.saturating_add(0x29))] {
            let _ = (image.cfi_at(rva), image.section_name(rva), image.export_at(rva), image.is_executable(rva));
            image.read_mapped(rva, image.linked_base(), &mut buffer);
        }
    }
    let _ = (image.key(), image.cpu(), image.loader_written().len());
}
