//! Letters of augmentation strings that carry no data and do not matter here, but that the reader refuses.
//!
//! Situation: ARM64 code built with `-mbranch-protection=pac-ret+b-key` has CIEs with the augmentation `zRB`: its return
//! addresses are signed with the second key. `G` says that stack memory is tagged. Neither changes a rule, so the letters
//! are taken out of a copy of the section, whose entries keep their places.
//!
//! Source: DWARF for the Arm 64-bit Architecture, section 4.5; LLVM, "Memory Tagging in the stack".

use super::FrameSectionKind;
use super::entries::{Entry, entries};
use crate::bytes::{Reader, Truncated};

const IGNORED: [u8; 2] = *b"BG";

/// A copy of the section without those letters. What is damaged stays as it is.
pub(super) fn simplified(section: &[u8], kind: FrameSectionKind) -> Vec<u8> {
    let mut copy = section.to_vec();
    for entry in entries(section).filter(|entry| !entry.is_64 && entry.is_common(kind)) {
        if let Ok(Some(simple)) = simplified_entry(&entry) {
            copy[entry.content_offset..entry.content_offset + simple.len()].copy_from_slice(&simple);
        }
    }
    copy
}

/// The same entry with a shorter augmentation, filled up with `DW_CFA_nop`; `None` if there is nothing to do.
fn simplified_entry(entry: &Entry) -> Result<Option<Vec<u8>>, Truncated> {
    let content = entry.content;
    let mut input = Reader::new(content);
    input.skip(4 + 1)?; // identifier, version
    let start = input.offset();
    let augmentation = input.c_string()?;
    if !augmentation.iter().any(|letter| IGNORED.contains(letter)) {
        return Ok(None);
    }
    let mut simple = content[..start].to_vec();
    simple.extend(augmentation.iter().filter(|letter| !IGNORED.contains(letter)));
    simple.push(0);
    simple.extend(input.rest());
    simple.resize(content.len(), 0);
    Ok(Some(simple))
}
