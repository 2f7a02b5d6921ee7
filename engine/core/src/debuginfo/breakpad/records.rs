//! Records: each reads itself from one line.
//!
//! Numbers are hexadecimal, but for numbers of lines, files and origins, which are decimal.

use crate::address::Rva;
use crate::debuginfo::{Symbol, SymbolKind};

/// Bytes of the records of one function that are read.
const MOST_BLOCK_BYTES: usize = 16 << 20;
/// Ranges of one INLINE record that are read.
const MOST_RANGES: usize = 4096;

/// Words of a line, one or more blanks apart.
#[derive(Clone)]
pub struct Words<'a>(pub &'a [u8]);

impl<'a> Words<'a> {
    /// The next word.
    pub fn word(&mut self) -> Option<&'a [u8]> {
        let start = self.0.iter().position(|byte| !is_blank(*byte))?;
        let rest = &self.0[start..];
        let end = rest.iter().position(|byte| is_blank(*byte)).unwrap_or(rest.len());
        self.0 = &rest[end..];
        Some(&rest[..end])
    }

    /// The next word as a hexadecimal number.
    pub fn hex(&mut self) -> Option<u64> {
        number(self.word()?, 16)
    }

    fn hex_u32(&mut self) -> Option<u32> {
        u32::try_from(self.hex()?).ok()
    }

    fn decimal(&mut self) -> Option<u32> {
        u32::try_from(number(self.word()?, 10)?).ok()
    }

    /// What is left, without the blanks before it.
    fn rest(self) -> &'a [u8] {
        let start = self.0.iter().position(|byte| !is_blank(*byte)).unwrap_or(self.0.len());
        &self.0[start..]
    }

    /// Passes over `m`: the linker folded several functions into this one.
    fn skip_multiple(&mut self) {
        let mut ahead = self.clone();
        if ahead.word() == Some(b"m") {
            *self = ahead;
        }
    }
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r')
}

fn number(word: &[u8], radix: u32) -> Option<u64> {
    // `from_str_radix` would take a sign.
    let text = std::str::from_utf8(word).ok().filter(|text| !text.starts_with('+'))?;
    u64::from_str_radix(text, radix).ok()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// `FUNC [m] address size parameter_size name`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FuncRecord<'a> {
    pub address: u64,
    pub size: u64,
    name: &'a [u8],
}

impl<'a> FuncRecord<'a> {
    pub fn read(line: &'a [u8]) -> Option<FuncRecord<'a>> {
        let mut words = Words(line.strip_prefix(b"FUNC ")?);
        words.skip_multiple();
        let (address, size) = (words.hex()?, words.hex()?);
        words.hex()?; // bytes of parameters
        Some(FuncRecord { address, size, name: words.rest() })
    }

    /// Folklore: dump_syms writes `<name omitted>` for functions whose name the debug information leaves out.
    pub fn name(&self) -> String {
        text(self.name)
    }

    pub fn symbol(&self) -> Option<Symbol> {
        let rva = Rva(u32::try_from(self.address).ok()?);
        let size_bytes = Some(u32::try_from(self.size).unwrap_or(u32::MAX).max(1));
        Some(Symbol { name: self.name(), rva, kind: SymbolKind::Function, size_bytes })
    }
}

/// `PUBLIC [m] address parameter_size name`.
pub struct PublicRecord<'a> {
    pub address: u64,
    name: &'a [u8],
}

impl<'a> PublicRecord<'a> {
    pub fn read(line: &'a [u8]) -> Option<PublicRecord<'a>> {
        let mut words = Words(line.strip_prefix(b"PUBLIC ")?);
        words.skip_multiple();
        let address = words.hex()?;
        words.hex()?;
        Some(PublicRecord { address, name: words.rest() })
    }

    pub fn name(&self) -> String {
        text(self.name)
    }

    pub fn symbol(&self) -> Option<Symbol> {
        let rva = Rva(u32::try_from(self.address).ok()?);
        Some(Symbol { name: self.name(), rva, kind: SymbolKind::PublicCode, size_bytes: None })
    }
}

/// `FILE number name` or `INLINE_ORIGIN number name`: the number.
pub fn record_number(line: &[u8], keyword: &[u8]) -> Option<u32> {
    Words(line.strip_prefix(keyword)?).decimal()
}

/// The name of such a record.
pub fn numbered_name<'a>(line: &'a [u8], keyword: &[u8]) -> Option<&'a [u8]> {
    let mut words = Words(line.strip_prefix(keyword)?);
    words.decimal()?;
    Some(words.rest())
}

/// `STACK WIN type rva size prologue epilogue parameters saved locals max_stack has_program program|uses_base_pointer`.
pub struct StackWin<'a> {
    pub address: u64,
    pub size: u64,
    pub prologue_bytes: u32,
    pub params_bytes: u32,
    pub saved_bytes: u32,
    pub locals_bytes: u32,
    pub program: Option<&'a [u8]>,
    pub uses_base_pointer: bool,
}

impl<'a> StackWin<'a> {
    pub fn read(line: &'a [u8]) -> Option<StackWin<'a>> {
        let mut words = Words(line.strip_prefix(b"STACK WIN ")?);
        words.word()?; // the type says less than has_program
        let (address, size, prologue_bytes) = (words.hex()?, words.hex()?, words.hex_u32()?);
        words.hex()?; // epilogue
        let (params_bytes, saved_bytes, locals_bytes) = (words.hex_u32()?, words.hex_u32()?, words.hex_u32()?);
        words.hex()?; // most stack
        let has_program = words.hex()? != 0;
        let rest = words.rest();
        Some(StackWin {
            address,
            size,
            prologue_bytes,
            params_bytes,
            saved_bytes,
            locals_bytes,
            program: has_program.then_some(rest),
            uses_base_pointer: !has_program && rest.starts_with(b"1"),
        })
    }
}

/// `STACK CFI INIT address size rules`: address and size.
pub fn cfi_init(line: &[u8]) -> Option<(u64, u64)> {
    let mut words = Words(line.strip_prefix(b"STACK CFI INIT ")?);
    Some((words.hex()?, words.hex()?))
}

/// `address size line file`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    pub address: u32,
    pub size: u32,
    pub line: u32,
    pub file: u32,
}

impl Line {
    fn read(line: &[u8]) -> Option<Line> {
        let mut words = Words(line);
        let (address, size) = (words.hex_u32()?, words.hex_u32()?);
        // Folklore: old dump_syms wrote negative numbers of lines for code that the compiler added.
        let number = words.word()?;
        let number = if number.starts_with(b"-") { 0 } else { u32::try_from(self::number(number, 10)?).ok()? };
        Some(Line { address, size, line: number, file: words.decimal()? })
    }

    pub fn end(&self) -> u32 {
        self.address.saturating_add(self.size)
    }
}

/// `INLINE nest_level call_line call_file origin [address size]+`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inline {
    pub nest_level: u32,
    pub call_line: u32,
    pub call_file: u32,
    pub origin: u32,
    /// Starts and ends.
    ranges: Vec<(u32, u32)>,
}

impl Inline {
    fn read(line: &[u8]) -> Option<Inline> {
        let mut words = Words(line.strip_prefix(b"INLINE ")?);
        let (nest_level, call_line) = (words.decimal()?, words.decimal()?);
        let (call_file, origin) = (words.decimal()?, words.decimal()?);
        let mut ranges = Vec::new();
        while let (Some(address), Some(size)) = (words.hex_u32(), words.hex_u32()) {
            if ranges.len() < MOST_RANGES {
                ranges.push((address, address.saturating_add(size)));
            }
        }
        Some(Inline { nest_level, call_line, call_file, origin, ranges })
    }

    fn covers(&self, rva: u32) -> bool {
        self.start_of_run(rva).is_some()
    }

    /// The start of its range that covers `rva`.
    pub fn start_of_run(&self, rva: u32) -> Option<u32> {
        self.ranges.iter().find(|(start, end)| *start <= rva && rva < *end).map(|(start, _)| *start)
    }
}

/// The records that follow a FUNC record.
#[derive(Debug, Default)]
pub struct Block<'a> {
    /// In the order of the file.
    pub lines: Vec<Line>,
    inlines: Vec<Inline>,
    _text: std::marker::PhantomData<&'a ()>,
}

impl<'a> Block<'a> {
    /// Reads the records behind the FUNC record that `text` begins with, up to a record of another kind.
    pub fn read(text: &'a [u8]) -> Block<'a> {
        let text = &text[..text.len().min(MOST_BLOCK_BYTES)];
        let mut block = Block::default();
        for line in text.split(|&byte| byte == b'\n').skip(1) {
            match line.first() {
                Some(b'I') if line.starts_with(b"INLINE ") => block.inlines.extend(Inline::read(line)),
                Some(byte)
                    if byte.is_ascii_hexdigit() && !line.starts_with(b"FUNC ") && !line.starts_with(b"FILE ") =>
                {
                    block.lines.extend(Line::read(line));
                }
                None | Some(b'\r') => {}
                _ => break,
            }
        }
        block
    }

    /// The line that covers `rva`: of overlapping ones the last in the file.
    pub fn line_at(&self, rva: u32) -> Option<&Line> {
        self.lines.iter().rev().find(|line| line.address <= rva && rva < line.end())
    }

    /// Inlined calls that cover `rva`, outermost first. A level that is missing ends the chain: what is called from
    /// nowhere cannot be placed.
    pub fn chain_at(&self, rva: u32) -> Vec<&Inline> {
        let mut covering: Vec<&Inline> = self.inlines.iter().filter(|inline| inline.covers(rva)).collect();
        covering.sort_by_key(|inline| inline.nest_level);
        let mut chain: Vec<&Inline> = Vec::new();
        for inline in covering {
            if inline.nest_level as usize == chain.len() {
                chain.push(inline);
            }
        }
        chain
    }
}
