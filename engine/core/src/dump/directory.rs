//! The header and the stream directory: which streams a minidump has, by standard name.
//!
//! Source: Microsoft, minidumpapiset.h (MINIDUMP_HEADER, MINIDUMP_DIRECTORY, MINIDUMP_STREAM_TYPE); Breakpad,
//! minidump_format.h; Crashpad, minidump_extensions.h; Mozilla's types as in rust-minidump's minidump-common.

use std::borrow::Cow;

use thiserror::Error;

use crate::bytes::{Reader, Truncated, slice_at};

/// `MDMP`, little-endian.
const SIGNATURE: u32 = 0x504d_444d;
/// Bytes of a MINIDUMP_DIRECTORY.
const ENTRY_BYTES: u64 = 12;

/// Why a file cannot be opened as a dump.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DumpError {
    /// Nothing in it.
    #[error("the file is empty, not a minidump")]
    Empty,
    /// Another format, named where it is known.
    #[error("not a minidump: {0}")]
    NotAMinidump(&'static str),
    /// The header is cut off.
    #[error("not a whole minidump: the header is {0}")]
    Header(#[from] Truncated),
    /// An ELF file that is no core, or a core that is damaged at its root.
    #[error("{0}")]
    Core(String),
    /// The stream directory does not lie within the file.
    #[error(
        "not a whole minidump: its stream directory ({count} entries at offset {offset:#x}) lies beyond the end of the \
         file ({file_bytes} bytes)"
    )]
    Directory {
        /// Entries that the header claims.
        count: u32,
        /// Where the header says that they are.
        offset: u32,
        /// The size of the file.
        file_bytes: usize,
    },
}

/// What kind of file a dump is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Microsoft's, and what Breakpad and Crashpad write on all systems.
    Minidump,
    /// Linux' own.
    ElfCore,
}

/// The header's facts that are not positions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// When the dump was written, seconds since 1970, if it says.
    pub timestamp: Option<u32>,
    /// MINIDUMP_TYPE.
    pub flags: u64,
    /// The kind of file.
    pub format: Format,
}

/// One entry of the stream directory: `size_bytes` bytes from `offset` on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamEntry {
    /// Position in the directory.
    pub index: usize,
    /// The type as stored.
    pub kind: u32,
    /// The standard name of its type, or `Unknown(0x…)`.
    pub name: Cow<'static, str>,
    /// File offset.
    pub offset: u64,
    /// Bytes, as claimed.
    pub size_bytes: u64,
}

impl StreamEntry {
    /// Its bytes, or what is missing of them.
    pub fn bytes<'a>(&self, file: &'a [u8]) -> Result<&'a [u8], Truncated> {
        slice_at(file, self.offset, self.size_bytes)
    }
}

/// Reads the header and the directory. Entries are not looked into.
pub fn read_directory(file: &[u8]) -> Result<(Header, Vec<StreamEntry>), DumpError> {
    if file.is_empty() {
        return Err(DumpError::Empty);
    }
    if let Some(other) = other_format(file) {
        return Err(DumpError::NotAMinidump(other));
    }
    let mut input = Reader::new(file);
    input.skip(8)?; // signature; version, whose upper half belongs to the writer
    let count = input.u32()?;
    let offset = input.u32()?;
    input.skip(4)?; // checksum, unused
    let header = Header { timestamp: Some(input.u32()?), flags: input.u64()?, format: Format::Minidump };
    let directory = slice_at(file, u64::from(offset), u64::from(count) * ENTRY_BYTES)
        .map_err(|_| DumpError::Directory { count, offset, file_bytes: file.len() })?;
    let mut input = Reader::new(directory);
    let mut streams = Vec::with_capacity(count as usize);
    for index in 0..count as usize {
        let (kind, size_bytes, offset) = (input.u32()?, input.u32()?, input.u32()?);
        let name = stream_name(kind).map_or_else(|| format!("Unknown({kind:#010x})").into(), Cow::Borrowed);
        streams.push(StreamEntry { index, kind, name, offset: offset.into(), size_bytes: size_bytes.into() });
    }
    Ok((header, streams))
}

/// What the file seems to be if it is no minidump.
fn other_format(file: &[u8]) -> Option<&'static str> {
    const KNOWN: &[(&[u8], &str)] = &[
        (b"PMDM", "written by a big-endian machine (PMDM), which is not supported"),
        (b"PAGEDU64", "a Windows kernel dump (64-bit), which is not supported"),
        (b"PAGEDUMP", "a Windows kernel dump (32-bit), which is not supported"),
        (b"USERDU64", "an old Windows user dump (64-bit), which is not supported"),
        (b"USERDUMP", "an old Windows user dump, which is not supported"),
        (b"MZ", "a Windows program (PE image)"),
        (b"Microsoft C/C++ ", "a PDB"),
        (b"\x1f\x8b", "gzip data; unpack it first"),
        (b"\xfd7zXZ\x00", "xz data; unpack it first"),
        (b"\x28\xb5\x2f\xfd", "zstd data; unpack it first"),
        (b"BZh", "bzip2 data; unpack it first"),
        (b"PK\x03\x04", "a ZIP archive; unpack it first"),
        (b"MSCF", "a CAB archive; unpack it first"),
    ];
    if let Some(signature) = file.get(..4) {
        if signature == SIGNATURE.to_le_bytes() {
            return None;
        }
    } else if b"MDMP".starts_with(file) {
        return None; // truncated: the header's own error says more
    }
    let known = KNOWN.iter().find(|(magic, _)| file.starts_with(magic));
    Some(known.map_or("it does not begin with MDMP", |(_, name)| name))
}

/// The standard name of a stream type.
pub fn stream_name(kind: u32) -> Option<&'static str> {
    Some(match kind {
        kind::UNUSED => "Unused",
        1 => "Reserved0",
        2 => "Reserved1",
        kind::THREAD_LIST => "ThreadList",
        kind::MODULE_LIST => "ModuleList",
        kind::MEMORY_LIST => "MemoryList",
        kind::EXCEPTION => "Exception",
        kind::SYSTEM_INFO => "SystemInfo",
        kind::THREAD_EX_LIST => "ThreadExList",
        kind::MEMORY64_LIST => "Memory64List",
        kind::COMMENT_A => "CommentA",
        kind::COMMENT_W => "CommentW",
        kind::HANDLE_DATA => "HandleData",
        kind::FUNCTION_TABLE => "FunctionTable",
        kind::UNLOADED_MODULE_LIST => "UnloadedModuleList",
        kind::MISC_INFO => "MiscInfo",
        kind::MEMORY_INFO_LIST => "MemoryInfoList",
        kind::THREAD_INFO_LIST => "ThreadInfoList",
        18 => "HandleOperationList",
        19 => "Token",
        20 => "JavaScriptData",
        21 => "SystemMemoryInfo",
        22 => "ProcessVmCounters",
        23 => "IptTrace",
        kind::THREAD_NAMES => "ThreadNames",
        0x4767_0001 => "BreakpadInfo",
        0x4767_0002 => "Assertion",
        0x4767_0003 => "LinuxCpuInfo",
        0x4767_0004 => "LinuxProcStatus",
        0x4767_0005 => "LinuxLsbRelease",
        kind::LINUX_CMD_LINE => "LinuxCmdLine",
        0x4767_0007 => "LinuxEnviron",
        0x4767_0008 => "LinuxAuxv",
        kind::LINUX_MAPS => "LinuxMaps",
        0x4767_000a => "LinuxDsoDebug",
        0x4350_0001 => "CrashpadInfo",
        0x4d7a_0001 => "MozMacosCrashInfo",
        0x4d7a_0002 => "MozMacosBootargs",
        0x4d7a_0003 => "MozLinuxLimits",
        0x4d7a_0004 => "MozSoftErrors",
        _ => return None,
    })
}

/// Stream types that the engine reads.
#[allow(missing_docs)]
pub mod kind {
    pub const UNUSED: u32 = 0;
    pub const THREAD_LIST: u32 = 3;
    pub const MODULE_LIST: u32 = 4;
    pub const MEMORY_LIST: u32 = 5;
    pub const EXCEPTION: u32 = 6;
    pub const SYSTEM_INFO: u32 = 7;
    pub const THREAD_EX_LIST: u32 = 8;
    pub const MEMORY64_LIST: u32 = 9;
    pub const COMMENT_A: u32 = 10;
    pub const COMMENT_W: u32 = 11;
    pub const HANDLE_DATA: u32 = 12;
    pub const FUNCTION_TABLE: u32 = 13;
    pub const UNLOADED_MODULE_LIST: u32 = 14;
    pub const MISC_INFO: u32 = 15;
    pub const MEMORY_INFO_LIST: u32 = 16;
    pub const THREAD_INFO_LIST: u32 = 17;
    pub const THREAD_NAMES: u32 = 24;
    pub const LINUX_CMD_LINE: u32 = 0x4767_0006;
    pub const LINUX_MAPS: u32 = 0x4767_0009;
}
