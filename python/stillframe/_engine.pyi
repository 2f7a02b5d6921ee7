"""The engine: bytes in, facts out.

This stub is the whole contract between Python and Rust. The engine maps files, parses, unwinds and disassembles; it
never searches for a file, never prints, never decides. Work that takes time releases the GIL. Objects are immutable
unless a method says that it attaches something. Addresses and sizes are in bytes; ranges include their start and
exclude their end; indices count from 0 in the order of the dump.
"""

from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Literal, TypeAlias, final

Cpu: TypeAlias = Literal["x86", "amd64", "arm64", "arm"]
Trust: TypeAlias = Literal["context", "cfi", "tail_call", "frame_pointer", "scan"]

IS_OPTIMISED: bool
"""Whether the engine was built with optimisation; figures of any other build mean nothing."""

class EngineError(Exception):
    """A file is not what it was opened as, or is damaged at its root. One line: what, where."""

# --- dump files -----------------------------------------------------------------------------------------------------

@final
class Stream:
    """One part of the file: an entry of a minidump's stream directory, or a note of a core."""

    index: int
    type: int
    """The stream type as stored."""
    name: str
    """Standard name (`ThreadList`, `LinuxMaps`…), or `Unknown(0x…)`."""
    offset: int
    """File offset."""
    size_bytes: int
    problem: str | None
    """Why the stream, or a part of it, could not be read; only streams that someone has asked for are known here.
    `DumpFile.check` asks for all."""

@final
class SystemInfo:
    """Stream SystemInfo (7)."""

    cpu: str
    """A `Cpu`; another of which no registers are read (`ppc`, `ppc64`, `mips`, `mips64`, `sparc`, `riscv`, `riscv64`,
    `ia64`); or `unknown(N)`. As in minidump-stackwalk."""
    cpu_info: str | None
    """Vendor, family, model, stepping, as in minidump-stackwalk."""
    cpu_count: int
    os: str
    """`Windows NT`, `Linux`, `Mac OS X`…, or `unknown(0x…)`."""
    os_version: str
    """`major.minor.build`."""
    csd_version: str
    """Service pack or kernel description; may be empty."""

@final
class Pdb70:
    """A CodeView record of a module, or of an image's debug directory."""

    path: str
    """As recorded; may be a bare name."""
    guid: bytes
    """16 bytes in file order."""
    age: int
    debug_id: str
    """GUID as 32 upper-case hex digits, then the age in hex without leading zeros."""

@final
class ModuleRecord:
    """One module of stream ModuleList (4)."""

    index: int
    name: str
    """Path as recorded."""
    base: int
    size_bytes: int
    time_date_stamp: int
    check_sum: int
    version: str | None
    """File version `a.b.c.d` of VS_FIXEDFILEINFO, if present."""
    pdb: Pdb70 | None
    build_id: bytes | None
    """ELF build-id of a Breakpad `BpEL` record."""
    codeview: bytes
    """The raw CodeView record, empty if none."""

@final
class UnloadedModuleRecord:
    """One module of stream UnloadedModuleList (14)."""

    name: str
    base: int
    size_bytes: int
    time_date_stamp: int
    check_sum: int

@final
class ThreadRecord:
    """One thread of stream ThreadList (3) or ThreadExList (8), with its name (24) and info (17)."""

    index: int
    id: int
    name: str | None
    suspend_count: int
    priority_class: int
    priority: int
    teb: int
    stack_start: int
    stack_size_bytes: int
    create_time: int | None
    """100 ns units since 1601, as are all three times."""
    kernel_time: int | None
    user_time: int | None
    start_address: int | None

@final
class ExceptionRecord:
    """Stream Exception (6)."""

    thread_id: int
    code: int
    flags: int
    address: int
    nested_record: int
    parameters: list[int]

@final
class MemoryRange:
    """A range of memory whose bytes the dump holds."""

    address: int
    size_bytes: int
    offset: int
    """File offset of the first byte."""

@final
class MemoryRegion:
    """One entry of stream MemoryInfoList (16); values of VirtualQuery."""

    base: int
    allocation_base: int
    allocation_protect: int
    size_bytes: int
    state: int
    protect: int
    type: int

@final
class MiscInfo:
    """Stream MiscInfo (15); fields that its version lacks or its flags disown are None."""

    process_id: int | None
    process_create_time: int | None
    """Seconds since 1970."""
    process_user_time: int | None
    """Seconds."""
    process_kernel_time: int | None
    """Seconds."""
    build_string: str | None

@final
class HandleRecord:
    """One handle of stream HandleData (12)."""

    handle: int
    type_name: str | None
    object_name: str | None
    attributes: int
    granted_access: int
    handle_count: int
    pointer_count: int

@final
class Registers:
    """A register set with validity: what is not known in a frame is None, never 0."""

    cpu: Cpu
    names: list[str]
    """All general registers, in the processor's order."""
    instruction_pointer: int | None
    stack_pointer: int | None
    frame_pointer: int | None
    def get(self, name: str) -> int | None:
        """Value of a general register (`rip`, `eflags`…) or a vector register (`xmm6`, 128 bits).

        :raises KeyError: if the processor has no such register.
        """
    def known(self) -> dict[str, int]:
        """Known general registers, in the processor's order."""
    def known_vectors(self) -> dict[str, int]:
        """Known vector registers."""

@final
class DumpFile:
    """A minidump or an ELF core, entered by index. Opening reads the header and the directory, nothing else."""

    @staticmethod
    def open(path: str | PathLike[str]) -> DumpFile:
        """:raises OSError: if the file cannot be opened. :raises EngineError: if it is not a dump."""
    @staticmethod
    def from_bytes(data: bytes) -> DumpFile:
        """:raises EngineError: if it is not a dump."""
    format: Literal["minidump", "elf_core"]
    size_bytes: int
    timestamp: int | None
    """Seconds since 1970, if the file says."""
    flags: int
    """MINIDUMP_TYPE."""
    streams: list[Stream]
    system: SystemInfo | None
    misc: MiscInfo | None
    modules: list[ModuleRecord]
    unloaded_modules: list[UnloadedModuleRecord]
    threads: list[ThreadRecord]
    exception: ExceptionRecord | None
    memory_ranges: list[MemoryRange]
    """In address order, without overlap."""
    memory_regions: list[MemoryRegion]
    handles: list[HandleRecord]
    comments: list[str]
    command_line: str | None
    """What the process was started with, where a stream or note says."""
    def stream_bytes(self, index: int) -> bytes:
        """The bytes of the stream with this index, as far as the file holds them. :raises IndexError:"""
    def context(self, thread: int) -> Registers | None:
        """Registers of the thread with this index; of the crashed thread, those of the exception."""
    def thread_context(self, thread: int) -> Registers | None:
        """Registers of the thread list alone, which in the crashed thread are those of the dump's writer."""
    def check(self) -> list[str]:
        """Reads every stream and returns what is broken, one sentence each: which stream, why."""

# --- images ---------------------------------------------------------------------------------------------------------

@final
class Section:
    """A section of an image."""

    name: str
    rva: int
    size_bytes: int
    readable: bool
    writable: bool
    executable: bool

@final
class ImageFile:
    """An image: PE, ELF or Mach-O."""

    @staticmethod
    def open(path: str | PathLike[str], cpu: str | None = None) -> ImageFile:
        """:raises OSError: if the file cannot be opened. :raises EngineError: if it is no image."""
    cpu: Cpu | None
    key: str
    """What tells one build from another, in words: `TimeDateStamp 5F000001 SizeOfImage 0x14000`, `build-id …`."""
    linked_base: int
    """The address that it was linked for: that of RVA 0."""
    sections: list[Section]
    pdb: Pdb70 | None
    build_id: bytes | None
    """Of ELF images."""
    uuid: bytes | None
    """Of Mach-O images: `LC_UUID`, 16 bytes."""
    debug_link: str | None
    """`.gnu_debuglink` of ELF images: the name of the file with the debug information."""
    def own_debug_info(self, keep: str | PathLike[str] | None = None) -> DebugFile | None:
        """What an ELF image, or a PE image of GNU's tools, knows of itself: DWARF, or its symbol table. None of other
        images. `keep` as in `DebugFile.open`.
        """
    is_reproducible: bool
    """Whether TimeDateStamp is a hash rather than a time."""
    def export_at(self, rva: int) -> SymbolRecord | None:
        """The export nearest at or below `rva` in its section."""

@final
class DifferingRange:
    """Bytes of a non-writable section that the dump and the image hold differently."""

    address: int
    size_bytes: int
    expected: bytes
    """As the image has them, after relocation; at most 16 bytes."""
    found: bytes
    """As the dump has them; at most 16 bytes."""
    section: str

@final
class Proof:
    """What was compared between an image and a dump, and what came out."""

    accepted: bool
    """The key is equal and no compared byte differs."""
    key_matches: bool
    key_name: str | None
    """What the key consists of: `TimeDateStamp and SizeOfImage`, `build-id`; None if the dump has none."""
    expected_key: str
    found_key: str
    compared_bytes: int
    compared_pages: int
    differing_pages: int
    differing_bytes: int
    differing: list[DifferingRange]
    """In address order; the first 64."""

# --- debug information ----------------------------------------------------------------------------------------------

@final
class SourceFile:
    path: str
    """As the compiler recorded it."""
    checksum_kind: Literal["md5", "sha1", "sha256"] | None
    checksum: bytes | None

@final
class SourceLocation:
    file: SourceFile
    line: int

@final
class FunctionRecord:
    name: str
    rva: int
    size_bytes: int
    is_thunk: bool

@final
class ScopeRecord:
    """One level of the chain of calls at an address; innermost first, the function itself last."""

    function: str
    location: SourceLocation | None
    is_inlined: bool
    rva: int

@final
class SymbolRecord:
    name: str
    """As stored (decorated names stay decorated)."""
    display_name: str
    """Undecorated, without argument lists."""
    rva: int
    kind: Literal["function", "public_code", "public_data", "variable", "export"]
    size_bytes: int | None

@final
class LineRow:
    rva: int
    end_rva: int
    location: SourceLocation
    is_statement: bool

@final
class VariableRecord:
    """A variable in scope at an address, or a global one."""

    name: str
    """Empty for a parameter without a name; qualified for a global variable."""
    is_parameter: bool
    is_artificial: bool
    """The compiler added it; `this` is one such."""
    type_id: int | None
    """Of its type, for the `DebugFile` that gave it; None for `void` or where it is not recorded."""
    inline_depth: int
    place: Literal[
        "register",
        "register_relative",
        "register_indirect",
        "cfa_relative",
        "virtual_frame_relative",
        "static",
        "thread_local",
        "constant",
        "pieces",
        "computed",
        "optimized_away",
    ]
    """In `Space.locate` it becomes an address, a register or bytes."""
    register: str | None
    offset: int | None
    """Of relative places: bytes; of `static`: the RVA; of `thread_local`: in the thread's block."""

@final
class Located:
    """Where a variable is in one frame."""

    kind: Literal["memory", "register", "thread_local", "value", "pieces", "absent"]
    address: int | None
    """Of `memory`; of `thread_local` the offset in the thread's block of the module's storage; where `missing` is
    `memory`, the first byte that is absent."""
    register: str | None
    """Of `register`, and where `missing` is `register`."""
    first_byte: int
    """Of `register`: where in it the variable begins (1 for AH, BH, CH, DH)."""
    data: bytes | None
    """Of `value`: little-endian; may be shorter or longer than the variable."""
    pieces: list[LocatedPiece]
    missing: Literal["optimized_away", "register", "frame_base", "memory", "entry_value", "expression"] | None

@final
class LocatedPiece:
    """A part of a variable."""

    offset_bits: int
    """In the variable, from its first byte's least significant bit."""
    size_bits: int | None
    """None: all the rest."""
    located: Located

@final
class TypeRecord:
    """A type. Other types are named by their ids; None stands for `void`."""

    name: str
    """Qualified, as the format has it; empty where the program gave none (pointers, arrays, unnamed classes)."""
    size_bytes: int | None
    kind: Literal[
        "void",
        "base",
        "pointer",
        "reference",
        "rvalue_reference",
        "member_pointer",
        "modified",
        "typedef",
        "array",
        "class",
        "struct",
        "union",
        "interface",
        "enum",
        "function",
    ]
    encoding: (
        Literal[
            "boolean",
            "signed",
            "unsigned",
            "float",
            "complex",
            "signed_character",
            "unsigned_character",
            "unicode",
            "hresult",
            "null",
            "unknown",
        ]
        | None
    )
    """Of `base`."""
    target: int | None
    """What is pointed to, modified, named again or returned; an array's element; an enumeration's integer type."""
    class_id: int | None
    """Of member pointers, and of member functions that take `this`."""
    is_const: bool
    is_volatile: bool
    is_declaration: bool
    counts: list[int | None]
    """Of `array`: elements of each dimension, the outermost first; None: not recorded."""
    parameters: list[int]
    """Of `function`, without `this`."""
    is_variadic: bool

@final
class MemberRecord:
    """Something that a class consists of."""

    name: str
    """Empty for an unnamed structure or union; of a base class its qualified name."""
    type_id: int | None
    kind: Literal["field", "base", "virtual_base", "static", "nested_type"]
    offset_bytes: int | None
    """Of `field` and `base`, in the object. Of `virtual_base` with `table_index`: of the vbtable pointer in the object;
    without: of the word that holds the base's offset, from where the object's vtable pointer leads (Itanium C++ ABI
    2.5.2)."""
    bits: tuple[int, int] | None
    """Of a bit-field: its lowest bit in the little-endian number at `offset_bytes`, and how many."""
    table_index: int | None
    """Of Microsoft's `virtual_base`: the entry (4 bytes, signed, from the pointer's place) in the vbtable."""
    is_artificial: bool
    """The compiler added it: a vtable pointer."""
    variant: Literal["always", "discriminant", "when", "otherwise"]
    """Of tagged unions, such as enumerations of Rust: `discriminant` tells which alternative is there, that is the one
    whose members are there `when` it has certain values, or `otherwise`."""
    discriminants: list[tuple[int, int]]
    """Of `when`: the ranges of those values, whose ends count."""

@final
class DebugFile:
    """A PDB, an ELF or Mach-O file with DWARF or a symbol table, or a Breakpad symbol file; entered by index."""

    @staticmethod
    def open(
        path: str | PathLike[str],
        helper: str | PathLike[str] | None = None,
        keep: str | PathLike[str] | None = None,
        cpu: str | None = None,
    ) -> DebugFile:
        """`helper` is the file that `alt_link` names, or what `index_bytes` gave once for a Breakpad symbol file.
        `keep` is a folder for inflated sections of ELF files, which are then mapped the next time. `cpu` chooses the
        part of a universal Mach-O file.

        :raises OSError: if the file cannot be opened. :raises EngineError: if it holds no debug information.
        """
    format: Literal["pdb", "dwarf", "symbols", "breakpad"]
    """`symbols`: a symbol table alone."""
    guid: bytes | None
    age: int | None
    """The age that counts (DBI stream, else info stream)."""
    debug_id: str | None
    """Of PDBs and Breakpad symbol files: GUID and age."""
    build_id: bytes | None
    """Of an ELF file."""
    uuid: bytes | None
    """Of a Mach-O file, such as that of a dSYM bundle: `LC_UUID`, 16 bytes."""
    alt_link: tuple[str, bytes] | None
    """`.gnu_debugaltlink`: path and build-id of the file that holds what several debug files have in common."""
    def skeletons(self) -> list[tuple[str, str | None, int]]:
        """Units of split DWARF, whose entries are in `.dwo` files: the file's name as the compiler wrote it, the
        directory that it is relative to, and the DWO id. Looks at every unit if there are any.
        """
    def attach_split(
        self, files: Mapping[int, str | PathLike[str]], package: str | PathLike[str] | None = None
    ) -> None:
        """Lets units be read from `.dwo` files, by DWO id, or a package of them (`.dwp`). Before any question is asked;
        once. A `.dwo` file is opened when it is needed; one without that id is not believed, and told by `problems`.

        :raises OSError: if the package cannot be opened.
        """
    def uses_helper_as_index(self) -> bool:
        """Of a Breakpad symbol file: whether the index that was given belongs to it and is whole."""
    def index_bytes(self) -> bytes | None:
        """Of a Breakpad symbol file: what makes its first answer cheap when it is opened again; makes it if need be."""
    is_stripped_of_symbols: bool
    """FASTLINK: the symbols are in the object files, not here."""
    def function_at(self, rva: int) -> FunctionRecord | None: ...
    def scopes_at(self, rva: int) -> list[ScopeRecord]: ...
    def symbol_at(self, rva: int) -> SymbolRecord | None:
        """The named address nearest at or below `rva` in its section."""
    def lines_in(self, start: int, end: int) -> list[LineRow]: ...
    def variables_at(self, rva: int) -> list[VariableRecord]: ...
    def type_of(self, type_id: int) -> TypeRecord | None: ...
    def members_of(self, type_id: int) -> list[MemberRecord]:
        """In the order of the source. Of a declaration: those of its definition, if that is found by name."""
    def enumerators_of(self, type_id: int) -> list[tuple[str, int]]: ...
    def types_named(self, name: str) -> list[int]:
        """Types with exactly this qualified name, definitions before declarations."""
    def types_matching(self, pattern: str, limit: int) -> list[tuple[str, int]]:
        """Named types, each name once, that match `pattern`, case-insensitively, with `*` and `?`; reads all types."""
    def function_type_at(self, rva: int) -> int | None:
        """The type of the function that covers `rva`."""
    def data_named(self, name: str) -> list[VariableRecord]:
        """Global and static variables and named constants with exactly this qualified name."""
    def data_at(self, rva: int) -> VariableRecord | None:
        """The global or static variable that begins nearest at or below `rva` in its section."""
    def symbols_named(self, name: str) -> list[SymbolRecord]: ...
    def symbols_matching(self, pattern: str, limit: int) -> list[SymbolRecord]:
        """Symbols whose display name matches `pattern`, case-insensitively, with `*` and `?`; reads all symbols."""
    def natvis_files(self) -> list[tuple[str, bytes]]:
        """Visualizers that the linker put into a PDB: name and text of each file, by name."""
    def problems(self) -> list[str]:
        """What was found damaged so far."""

# --- the address space and its questions ----------------------------------------------------------------------------

@final
class Span:
    """A range of addresses with one source."""

    address: int
    size_bytes: int
    source: Literal["dump", "image", "absent"]
    relocated: bool
    """`image`: whether bytes of it were relocated."""
    offset: int | None
    """`dump`: file offset; `image`: RVA."""
    module: int | None
    """`image`, and `absent` where a module covers the range: its index."""
    section: str | None
    reason: (
        Literal[
            "free",
            "not_in_dump",
            "writable_section",
            "loader_written",
            "image_not_asked",
            "image_missing",
            "not_in_image",
        ]
        | None
    )
    """`absent`: why. `image_not_asked`: nobody has attached the module's image or said that there is none."""

@final
class FrameRecord:
    registers: Registers
    trust: Trust
    instruction: int
    """The instruction pointer: in a caller, the return address."""
    lookup_address: int
    """The address to look up: in a caller, inside the call instruction."""
    module: int | None
    cfa: int | None
    """The canonical frame address, if the caller was found by anything better than a scan."""
    virtual_frame: int | None
    """`$T0` of an x86 frame with frame data."""

@final
class Walk:
    """A walk so far. Either `wants` names a file that would help, or `stop` says why the walk is over."""

    frames: list[FrameRecord]
    stop: Literal["end_of_stack", "no_memory", "no_caller", "loop", "limit"] | None
    stop_address: int | None
    """`no_memory`: the first absent byte."""
    wants: tuple[Literal["image", "debug_info"], int] | None
    """What, and the index of the module."""

@final
class Operand:
    """One operand as shown."""

    kind: Literal["register", "immediate", "memory", "branch"]
    text: str
    name: str | None
    """The name that `text` shows in place of a number."""
    size_bytes: int
    """Bytes that the instruction moves or uses; 0 where there is no such number (`lea`)."""
    access: Literal["none", "read", "write", "read_write"]
    register: str | None
    value: int | None
    """`immediate` and `branch`: the value; `memory`: the displacement, or the whole address if it stands alone."""
    segment: Literal["fs", "gs"] | None
    base: str | None
    index: str | None
    is_index_signed: bool
    """The index, a register of 32 bits, is extended with its sign."""
    scale: int

@final
class Instruction:
    address: int
    data: bytes
    mnemonic: str
    operands: str
    """All operands as Visual Studio shows them, those of ARM64 as LLVM does, with names in place of addresses."""
    flow: Literal["next", "call", "conditional", "jump", "return", "interrupt", "invalid"]
    target: int | None
    """Of a direct call or jump."""
    operand_list: list[Operand]

@final
class Space:
    """The address space of a dump: its memory above the images that were proved.

    Everything that is asked for and that a file would answer is reported as wanted: the caller finds the file,
    attaches it or declares it missing, and asks again.
    """

    def __init__(self, dump: DumpFile) -> None: ...
    def prove(self, module: int, image: ImageFile) -> Proof:
        """Compares the image's key, and every non-writable byte that the dump also holds."""
    def attach_image(self, module: int, image: ImageFile) -> None:
        """Lets read-only sections of `image` answer for `module`. The caller has looked at the proof."""
    def captured_image(self, module: int) -> ImageFile | None:
        """The module's image as the dump itself holds it, if it holds all of it; its tables answer for the module."""
    def attach_debug_file(self, module: int, debug: DebugFile) -> None: ...
    def declare_missing(self, what: Literal["image", "debug_info"], module: int) -> None:
        """There is none: do not ask again."""
    def module_at(self, address: int) -> int | None: ...
    def read(self, address: int, size: int) -> bytes:
        """Bytes from `address` on, up to the first absent one."""
    def search(self, pattern: bytes, start: int, end: int, alignment: int, limit: int) -> list[int]:
        """The first addresses in [`start`, `end`) at which `pattern` begins, in what the dump holds and in the images
        that are attached. At most 4096 bytes, and 1,048,576 addresses.
        """
    def provenance(self, address: int, size: int) -> list[Span]:
        """Spans in address order that cover the range without gap."""
    def walk(self, registers: Registers, limit: int = 1024) -> Walk: ...
    def with_tail_calls(self, frames: Sequence[FrameRecord]) -> list[FrameRecord]:
        """The stack again, with frames of functions that ended by jumping to the next inner one, as far as the debug
        files attached so far tell them. These frames have no place on the stack: no stack pointer, no frame base.
        """
    def locate(self, frames: Sequence[FrameRecord], of: VariableRecord) -> Located:
        """Where a variable of the first frame is; the other frames are those that called it, in order. The variable is
        one that the debug file of that frame's module gave for its `lookup_address`, or a global one of it.
        """
    def array_counts(self, frames: Sequence[FrameRecord], type_id: int) -> list[int | None]:
        """Elements of each dimension of an array that its debug information computes in the first frame, whose module's
        type it is: arrays of variable length. None of other dimensions, and where it cannot be computed.
        """
    def disassemble(self, address: int, *, count: int | None = None, end: int | None = None) -> list[Instruction]:
        """Instructions from `address` on: `count` of them, or up to `end`; fewer where bytes are absent.

        Names in operands come from the files attached so far: attach those of the modules that `Operand.value` and
        `Instruction.target` point to and ask again for all names.
        """
