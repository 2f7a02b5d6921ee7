//! Debug information: functions, inlined calls, lines, variables and unwind records of one module, by address.
//!
//! Every format answers through [`DebugInfo`]; callers never ask which one it is.

pub mod breakpad;
pub mod dwarf;
pub mod file;
pub mod pdb;
mod place;
pub mod symbol_table;
mod types;

pub use place::{
    Bound, BoundValue, CallTarget, Computed, LOCAL_IDENTITY, Located, LocatedPiece, Machine, Missing, Passed, Piece,
    Place, TailCall,
};
pub use types::{
    BaseEncoding, Bits, ClassKind, DataSymbol, Enumerator, Member, MemberKind, PointerKind, Type, TypeId, TypeShape,
    VariantRole, VirtualBase,
};

use crate::address::Rva;
use crate::cfi::CfiRow;

/// A function (not an inlined call): the half-open range of addresses `[start, start + size_bytes)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// Qualified name as the debug information gives it, for example `geo::Rect::area`.
    pub name: String,
    /// First byte.
    pub start: Rva,
    /// Length; never 0.
    pub size_bytes: u32,
    /// Whether the record is a linker's or compiler's thunk.
    pub is_thunk: bool,
}

/// One level of the chain of calls at an address: an inlined call, or the function itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// Name of the function whose source this is.
    pub function: String,
    /// Where in that source the address lies (innermost), or where the next inner scope is called from.
    pub location: Option<SourceLocation>,
    /// Whether this is an inlined call.
    pub is_inlined: bool,
    /// Start of the scope: the function's first byte, or the first byte of the inlined range that covers the address.
    pub start: Rva,
}

/// A file and line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceLocation {
    /// Path as the compiler recorded it.
    pub file: SourceFile,
    /// 1-based.
    pub line: u32,
}

/// A source file as recorded by the compiler.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// The path, in the spelling of the building machine.
    pub path: String,
    /// The digest of the content, if recorded.
    pub checksum: Option<Checksum>,
}

/// A digest of a source file's content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Checksum {
    /// 16 bytes.
    Md5(Vec<u8>),
    /// 20 bytes.
    Sha1(Vec<u8>),
    /// 32 bytes.
    Sha256(Vec<u8>),
}

/// One row of a line table: the half-open range `[start, end)` belongs to `line` of `file`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineRow {
    /// First byte.
    pub start: Rva,
    /// One past the last byte.
    pub end: Rva,
    /// Source position.
    pub location: SourceLocation,
    /// Whether a statement begins here (as opposed to an expression in one).
    pub is_statement: bool,
}

/// A named address: a public symbol, an export, a global.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Symbol {
    /// As stored: decorated where the format stores decorated names.
    pub name: String,
    /// Where.
    pub rva: Rva,
    /// What kind of thing is there.
    pub kind: SymbolKind,
    /// Bytes, where the format records them.
    pub size_bytes: Option<u32>,
}

/// What a [`Symbol`] names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SymbolKind {
    /// Code, with its own debug record.
    Function,
    /// Code known only by its public symbol.
    PublicCode,
    /// Data known only by its public symbol.
    PublicData,
    /// A global or static variable.
    Variable,
}

/// A local variable or parameter that is in scope at an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// Source name; empty for an unnamed parameter.
    pub name: String,
    /// Whether it is a parameter.
    pub is_parameter: bool,
    /// Whether the compiler added it (`this` is one such).
    pub is_artificial: bool,
    /// Where it lives at the address asked about.
    pub place: Place,
    /// Its type.
    pub type_id: Option<TypeId>,
    /// How many inlined calls deep its scope is; 0 is the function itself.
    pub inline_depth: u32,
}

/// An x86 frame record: `FPO_DATA` or frame data (`FRAMEDATA`).
/// Source: LLVM `CodeView/DebugFrameDataSubsection.h`, Microsoft `cvinfo.h`; `FPO_DATA` in `winnt.h`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FrameData {
    /// First byte the record covers.
    pub start: Rva,
    /// Bytes it covers.
    pub size_bytes: u32,
    /// Bytes of locals.
    pub locals_bytes: u32,
    /// Bytes of parameters.
    pub params_bytes: u32,
    /// Bytes of saved registers.
    pub saved_registers_bytes: u16,
    /// Bytes of prologue.
    pub prologue_bytes: u16,
    /// What recovers the caller.
    pub rule: FrameRule,
}

/// How an x86 frame's caller is recovered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FrameRule {
    /// A postfix program such as `$T0 .raSearch = $eip $T0 ^ = $esp $T0 4 + =`.
    Program(String),
    /// An `FPO_DATA` record.
    Fpo {
        /// Whether EBP is saved by the function and free for other use.
        uses_base_pointer: bool,
        /// The kind of frame.
        kind: FpoKind,
    },
}

/// `FPO_DATA.cbFrame`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FpoKind {
    /// No frame pointer (0).
    Fpo,
    /// A trap frame (1).
    Trap,
    /// A task state segment (2).
    Tss,
    /// An EBP frame (3).
    NonFpo,
}

/// What every format of debug information answers. All answers are for one module and cost a look-up, not a parse
/// of the file. Damaged records give no answer, never a wrong one and never a panic.
pub trait DebugInfo: Send + Sync {
    /// The function whose range covers `rva`.
    fn function_at(&self, rva: Rva) -> Option<Function>;

    /// The chain of calls at `rva`, innermost first; the last is the function itself. Empty if no function covers it.
    fn scopes_at(&self, rva: Rva) -> Vec<Scope>;

    /// The named address nearest at or below `rva` in the same section, with the whole of its record.
    fn symbol_at(&self, rva: Rva) -> Option<Symbol>;

    /// Rows that overlap `[start, end)`, in address order.
    fn lines_in(&self, start: Rva, end: Rva) -> Vec<LineRow>;

    /// Variables in scope at `rva`, innermost scope first, in the order of their records.
    fn variables_at(&self, rva: Rva) -> Vec<Variable>;

    /// The x86 frame record that covers `rva`. Frame data wins over FPO; of several, the one that starts last.
    fn frame_data_at(&self, rva: Rva) -> Option<FrameData>;

    /// The call frame information that covers `rva`, of formats that have it.
    fn cfi_at(&self, _rva: Rva) -> Option<CfiRow> {
        None
    }

    /// Symbols with exactly this name (decorated, undecorated or qualified), in address order.
    fn symbols_named(&self, name: &str) -> Vec<Symbol>;

    /// Up to `limit` symbols whose name matches `accept`, in address order. This one reads all symbols.
    fn symbols_matching(&self, accept: &mut dyn FnMut(&str) -> bool, limit: usize) -> Vec<Symbol>;

    /// A type.
    fn type_of(&self, _id: TypeId) -> Option<Type> {
        None
    }

    /// The bounds of an array's dimensions that have to be computed in a frame that is at `rva`, the outermost first; None
    /// of those that have not.
    fn bounds_at(&self, _id: TypeId, _rva: Rva) -> Vec<Option<Bound>> {
        Vec::new()
    }

    /// What a class consists of, in the order of the source. Of a declaration: what its definition consists of, if that is
    /// found by name.
    fn members_of(&self, _id: TypeId) -> Vec<Member> {
        Vec::new()
    }

    /// The names of an enumeration's values, in the order of the source.
    fn enumerators_of(&self, _id: TypeId) -> Vec<Enumerator> {
        Vec::new()
    }

    /// Types with exactly this qualified name, definitions before declarations.
    fn types_named(&self, _name: &str) -> Vec<TypeId> {
        Vec::new()
    }

    /// Up to `limit` named types whose name matches `accept`, each name once. This one reads all types.
    fn types_matching(&self, _accept: &mut dyn FnMut(&str) -> bool, _limit: usize) -> Vec<(String, TypeId)> {
        Vec::new()
    }

    /// The type of the function whose range covers `rva`.
    fn function_type_at(&self, _rva: Rva) -> Option<TypeId> {
        None
    }

    /// Global and static variables and named constants with exactly this qualified name.
    fn data_named(&self, _name: &str) -> Vec<DataSymbol> {
        Vec::new()
    }

    /// The global or static variable that begins nearest at or below `rva` in the same section.
    fn data_at(&self, _rva: Rva) -> Option<DataSymbol> {
        None
    }

    /// Carries out an expression that this debug information gave as a place.
    fn evaluate(&self, _computed: &Computed, _machine: &dyn Machine) -> Located {
        Located::Absent(Missing::Expression)
    }

    /// Where the caller has what it passed in the call that returns to `return_address`.
    fn call_site_value(&self, _return_address: Rva, _passed: Passed) -> Option<Place> {
        None
    }

    /// Visualizers that the linker put in: name and bytes of each natvis file, by name.
    fn natvis_files(&self) -> Vec<(String, Vec<u8>)> {
        Vec::new()
    }

    /// Whom the call calls that returns to `return_address`, if the caller says so.
    fn call_target(&self, _return_address: Rva) -> Option<CallTarget> {
        None
    }

    /// All calls that the function covering `rva` may end with; None if the compiler does not say that these are all.
    fn tail_calls(&self, _rva: Rva) -> Option<Vec<TailCall>> {
        None
    }

    /// Where the only function begins that [`DebugInfo::function_identity`] tells so.
    fn function_with_identity(&self, _identity: &str) -> Option<Rva> {
        None
    }

    /// What [`CallTarget::Function`] says of calls to the function that covers `rva`.
    fn function_identity(&self, _rva: Rva) -> Option<String> {
        None
    }

    /// What was found damaged so far, one sentence each, in order of discovery.
    fn problems(&self) -> Vec<String>;
}
