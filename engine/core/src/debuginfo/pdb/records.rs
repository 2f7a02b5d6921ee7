//! CodeView symbol records: a length, a kind, and what the kind says.
//!
//! Source: Microsoft, microsoft-pdb, cvinfo.h; LLVM, CodeViewSymbols.def and SymbolRecord.h.

use crate::bytes::{Reader, Truncated};

/// Kinds of symbol records.
#[allow(missing_docs)]
pub mod kind {
    pub const S_END: u16 = 0x0006;
    pub const S_FRAMEPROC: u16 = 0x1012;
    pub const S_THUNK32: u16 = 0x1102;
    pub const S_BLOCK32: u16 = 0x1103;
    pub const S_REGISTER: u16 = 0x1106;
    pub const S_CONSTANT: u16 = 0x1107;
    pub const S_UDT: u16 = 0x1108;
    pub const S_BPREL32: u16 = 0x110b;
    pub const S_LDATA32: u16 = 0x110c;
    pub const S_GDATA32: u16 = 0x110d;
    pub const S_PUB32: u16 = 0x110e;
    pub const S_LPROC32: u16 = 0x110f;
    pub const S_GPROC32: u16 = 0x1110;
    pub const S_REGREL32: u16 = 0x1111;
    pub const S_LTHREAD32: u16 = 0x1112;
    pub const S_GTHREAD32: u16 = 0x1113;
    pub const S_PROCREF: u16 = 0x1125;
    pub const S_LPROCREF: u16 = 0x1127;
    pub const S_SEPCODE: u16 = 0x1132;
    pub const S_LOCAL: u16 = 0x113e;
    pub const S_DEFRANGE_REGISTER: u16 = 0x1141;
    pub const S_DEFRANGE_FRAMEPOINTER_REL: u16 = 0x1142;
    pub const S_DEFRANGE_SUBFIELD_REGISTER: u16 = 0x1143;
    pub const S_DEFRANGE_FRAMEPOINTER_REL_FULL_SCOPE: u16 = 0x1144;
    pub const S_DEFRANGE_REGISTER_REL: u16 = 0x1145;
    pub const S_LPROC32_ID: u16 = 0x1146;
    pub const S_GPROC32_ID: u16 = 0x1147;
    pub const S_INLINESITE: u16 = 0x114d;
    pub const S_INLINESITE_END: u16 = 0x114e;
    pub const S_PROC_ID_END: u16 = 0x114f;
    pub const S_FILESTATIC: u16 = 0x1153;
    pub const S_LPROC32_DPC: u16 = 0x1155;
    pub const S_LPROC32_DPC_ID: u16 = 0x1156;
    pub const S_INLINESITE2: u16 = 0x115d;
    pub const S_DEFRANGE_REGISTER_REL_INDIR: u16 = 0x1177;
}

/// One record.
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    /// Offset of its length field.
    pub offset: usize,
    /// Its kind.
    pub kind: u16,
    /// What follows the kind.
    pub data: &'a [u8],
    /// Offset of the next record.
    pub next: usize,
}

/// The record at `offset` of a stream of symbols.
pub fn record_at(symbols: &[u8], offset: usize) -> Option<Record<'_>> {
    let mut input = Reader::at(symbols, offset).ok()?;
    let size = usize::from(input.u16().ok()?);
    let body = input.take(size).ok()?;
    let (kind, data) = body.split_first_chunk::<2>()?;
    Some(Record { offset, kind: u16::from_le_bytes(*kind), data, next: offset + 2 + size })
}

impl Record<'_> {
    /// A procedure: S_GPROC32 and its kin.
    pub fn is_procedure(&self) -> bool {
        matches!(
            self.kind,
            kind::S_GPROC32
                | kind::S_LPROC32
                | kind::S_GPROC32_ID
                | kind::S_LPROC32_ID
                | kind::S_LPROC32_DPC
                | kind::S_LPROC32_DPC_ID
        )
    }

    /// Begins a scope, which an end record closes. The second field of each is the offset of that record.
    pub fn opens_scope(&self) -> bool {
        self.is_procedure()
            || matches!(
                self.kind,
                kind::S_THUNK32 | kind::S_BLOCK32 | kind::S_INLINESITE | kind::S_INLINESITE2 | kind::S_SEPCODE
            )
    }

    /// Ends a scope.
    pub fn closes_scope(&self) -> bool {
        matches!(self.kind, kind::S_END | kind::S_INLINESITE_END | kind::S_PROC_ID_END)
    }

    /// S_UDT: the index of a type, and its other name.
    pub fn typedef(&self) -> Option<(u32, String)> {
        let mut input = Reader::new(self.data);
        let index = input.u32().ok().filter(|_| self.kind == kind::S_UDT)?;
        Some((index, text(&mut input)))
    }

    /// A global's or static's, or a public symbol's or a reference's: the part before the name has 10 bytes.
    pub fn placed(&self) -> Result<Placed, Truncated> {
        let mut input = Reader::new(self.data);
        let (first, offset, section) = (input.u32()?, input.u32()?, input.u16()?);
        Ok(Placed { first, offset, section, name: text(&mut input) })
    }
}

/// A symbol with a section and an offset.
#[derive(Debug, Clone)]
pub struct Placed {
    /// Of public symbols: flags; of data: the type; of references: a checksum.
    pub first: u32,
    /// Offset in the section; of references: of the record in its module's symbols.
    pub offset: u32,
    /// 1-based section; of references: 1-based module.
    pub section: u16,
    /// Name.
    pub name: String,
}

/// The name at the end of a record: up to its NUL, or all that is left.
pub fn text(input: &mut Reader<'_>) -> String {
    let bytes = input.clone().c_string().unwrap_or_else(|_| input.rest());
    String::from_utf8_lossy(bytes).into_owned()
}
