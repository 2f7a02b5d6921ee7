//! A processor's registers with validity: what a frame's unwinder could not recover is invalid, not zero.

/// A processor architecture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cpu {
    /// 32-bit x86.
    X86,
    /// x86-64.
    X64,
    /// 64-bit ARM.
    Arm64,
    /// 32-bit ARM, its Thumb instructions included.
    Arm,
}

/// A register's index in its processor's table, see [`Cpu::register_names`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Register(pub u8);

/// Indices of x86 registers: the hardware's encoding, then the instruction pointer and flags.
#[allow(missing_docs)]
pub mod x86 {
    use super::Register;
    pub const EAX: Register = Register(0);
    pub const ECX: Register = Register(1);
    pub const EDX: Register = Register(2);
    pub const EBX: Register = Register(3);
    pub const ESP: Register = Register(4);
    pub const EBP: Register = Register(5);
    pub const ESI: Register = Register(6);
    pub const EDI: Register = Register(7);
    pub const EIP: Register = Register(8);
    pub const EFLAGS: Register = Register(9);
}

/// Indices of x64 registers: the hardware's encoding, which PE unwind codes use too, then the instruction
/// pointer and flags. XMM registers are in the vector file.
#[allow(missing_docs)]
pub mod x64 {
    use super::Register;
    pub const RAX: Register = Register(0);
    pub const RCX: Register = Register(1);
    pub const RDX: Register = Register(2);
    pub const RBX: Register = Register(3);
    pub const RSP: Register = Register(4);
    pub const RBP: Register = Register(5);
    pub const RSI: Register = Register(6);
    pub const RDI: Register = Register(7);
    pub const R8: Register = Register(8);
    pub const R12: Register = Register(12);
    pub const R15: Register = Register(15);
    pub const RIP: Register = Register(16);
    pub const RFLAGS: Register = Register(17);
}

/// Indices of ARM64 registers: x0 to x28, then these. V registers are in the vector file.
#[allow(missing_docs)]
pub mod arm64 {
    use super::Register;
    pub const X19: Register = Register(19);
    pub const FP: Register = Register(29);
    pub const LR: Register = Register(30);
    pub const SP: Register = Register(31);
    pub const PC: Register = Register(32);
    pub const CPSR: Register = Register(33);
}

/// Indices of ARM registers: the hardware's encoding (R0 to R15), then the flags. D registers are in the vector file.
#[allow(missing_docs)]
pub mod arm {
    use super::Register;
    pub const R0: Register = Register(0);
    pub const R4: Register = Register(4);
    /// The frame pointer of Thumb code.
    pub const R7: Register = Register(7);
    /// R11, the frame pointer of ARM code.
    pub const FP: Register = Register(11);
    pub const SP: Register = Register(13);
    pub const LR: Register = Register(14);
    pub const PC: Register = Register(15);
    pub const CPSR: Register = Register(16);
    /// The bit of CPSR that says that Thumb instructions are executed.
    pub const CPSR_THUMB: u64 = 0x20;
    /// The bit of a pointer to code that says the same of the code there.
    pub const THUMB_BIT: u64 = 1;
}

const X86_NAMES: [&str; 10] = ["eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi", "eip", "eflags"];
const X64_NAMES: [&str; 18] = [
    "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
    "rip", "eflags",
];
const ARM64_NAMES: [&str; 34] = [
    "x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16", "x17",
    "x18", "x19", "x20", "x21", "x22", "x23", "x24", "x25", "x26", "x27", "x28", "fp", "lr", "sp", "pc", "cpsr",
];
const ARM_NAMES: [&str; 17] =
    ["r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "fp", "r12", "sp", "lr", "pc", "cpsr"];

impl Cpu {
    /// The name that minidump-stackwalk uses.
    pub fn name(self) -> &'static str {
        match self {
            Cpu::X86 => "x86",
            Cpu::X64 => "amd64",
            Cpu::Arm64 => "arm64",
            Cpu::Arm => "arm",
        }
    }

    /// Names of the general registers, by [`Register`] index.
    pub fn register_names(self) -> &'static [&'static str] {
        match self {
            Cpu::X86 => &X86_NAMES,
            Cpu::X64 => &X64_NAMES,
            Cpu::Arm64 => &ARM64_NAMES,
            Cpu::Arm => &ARM_NAMES,
        }
    }

    /// The register that call frame information in text calls `name`: ours with or without `$` (`$rsp`, `rsp`), on ARM64
    /// also `x29` and `x30`, on ARM `r11` and `r13` to `r15`.
    pub fn register_named(self, name: &str) -> Option<Register> {
        let name = name.strip_prefix('$').unwrap_or(name);
        let name = match (self, name) {
            (Cpu::Arm64, "x29") => "fp",
            (Cpu::Arm64, "x30") => "lr",
            (Cpu::Arm, "r11") => "fp",
            (Cpu::Arm, "r13") => "sp",
            (Cpu::Arm, "r14") => "lr",
            (Cpu::Arm, "r15") => "pc",
            _ => name,
        };
        let index = self.register_names().iter().position(|&ours| ours == name)?;
        Some(Register(index as u8))
    }

    /// How many vector registers a [`RegisterSet`] keeps (XMM, V or D).
    pub fn vector_count(self) -> usize {
        match self {
            Cpu::X86 => 8,
            Cpu::X64 => 16,
            Cpu::Arm64 | Cpu::Arm => 32,
        }
    }

    /// 4 or 8.
    pub fn pointer_size_bytes(self) -> usize {
        match self {
            Cpu::X86 | Cpu::Arm => 4,
            Cpu::X64 | Cpu::Arm64 => 8,
        }
    }

    /// The register that holds the address of the next instruction.
    pub fn instruction_pointer(self) -> Register {
        match self {
            Cpu::X86 => x86::EIP,
            Cpu::X64 => x64::RIP,
            Cpu::Arm64 => arm64::PC,
            Cpu::Arm => arm::PC,
        }
    }

    /// The register into which a call puts the return address; None where calls push it.
    pub fn link_register(self) -> Option<Register> {
        match self {
            Cpu::X86 | Cpu::X64 => None,
            Cpu::Arm64 => Some(arm64::LR),
            Cpu::Arm => Some(arm::LR),
        }
    }

    /// The stack pointer.
    pub fn stack_pointer(self) -> Register {
        match self {
            Cpu::X86 => x86::ESP,
            Cpu::X64 => x64::RSP,
            Cpu::Arm64 => arm64::SP,
            Cpu::Arm => arm::SP,
        }
    }

    /// The register that the ABI suggests as frame pointer.
    pub fn frame_pointer(self) -> Register {
        match self {
            Cpu::X86 => x86::EBP,
            Cpu::X64 => x64::RBP,
            Cpu::Arm64 => arm64::FP,
            Cpu::Arm => arm::FP,
        }
    }

    /// The address in a pointer to code: without the bit by which ARM's say which state the code is of.
    pub fn code_address(self, pointer: u64) -> u64 {
        if self == Cpu::Arm { pointer & !arm::THUMB_BIT } else { pointer }
    }

    /// The bits that a register can hold. The lowest of ARM's program counter is none of them: where it is set in an
    /// address that is jumped to, it goes to CPSR and says that Thumb instructions follow (Arm Architecture Reference
    /// Manual, ARMv7-A, section A2.3.2).
    fn bits_of(self, register: Register) -> u64 {
        match self {
            Cpu::X64 | Cpu::Arm64 => u64::MAX,
            Cpu::Arm if register == arm::PC => u64::from(u32::MAX) & !arm::THUMB_BIT,
            Cpu::X86 | Cpu::Arm => u32::MAX.into(),
        }
    }
}

/// The registers of one frame; each is valid or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisterSet {
    cpu: Cpu,
    values: [u64; 34],
    valid: u64,
    vectors: [u128; 32],
    vectors_valid: u32,
}

impl RegisterSet {
    /// A set in which nothing is valid.
    pub fn new(cpu: Cpu) -> RegisterSet {
        RegisterSet { cpu, values: [0; 34], valid: 0, vectors: [0; 32], vectors_valid: 0 }
    }

    /// The processor.
    pub fn cpu(&self) -> Cpu {
        self.cpu
    }

    /// The register's value, if it is known in this frame.
    pub fn get(&self, register: Register) -> Option<u64> {
        let known = register.0 < 34 && self.valid & (1 << register.0) != 0;
        known.then(|| self.values[usize::from(register.0)])
    }

    /// Makes `register` known. On x86 and ARM the value is cut to 32 bits, and ARM's PC is made even; an index outside the table is ignored.
    pub fn set(&mut self, register: Register, value: u64) {
        if usize::from(register.0) < self.cpu.register_names().len() {
            self.values[usize::from(register.0)] = value & self.cpu.bits_of(register);
            self.valid |= 1 << register.0;
        }
    }

    /// Makes `register` unknown.
    pub fn forget(&mut self, register: Register) {
        if register.0 < 34 {
            self.values[usize::from(register.0)] = 0;
            self.valid &= !(1 << register.0);
        }
    }

    /// A vector register's value, if known.
    pub fn vector(&self, index: usize) -> Option<u128> {
        (index < self.cpu.vector_count() && self.vectors_valid & (1 << index) != 0).then(|| self.vectors[index])
    }

    /// Makes a vector register known; an index outside the file is ignored.
    pub fn set_vector(&mut self, index: usize, value: u128) {
        if index < self.cpu.vector_count() {
            self.vectors[index] = value;
            self.vectors_valid |= 1 << index;
        }
    }

    /// Makes a vector register unknown.
    pub fn forget_vector(&mut self, index: usize) {
        if index < 32 {
            self.vectors[index] = 0;
            self.vectors_valid &= !(1 << index);
        }
    }

    /// The address of the next instruction, if known.
    pub fn instruction_pointer(&self) -> Option<u64> {
        self.get(self.cpu.instruction_pointer())
    }

    /// The stack pointer, if known.
    pub fn stack_pointer(&self) -> Option<u64> {
        self.get(self.cpu.stack_pointer())
    }

    /// The ABI's frame pointer, if known.
    pub fn frame_pointer(&self) -> Option<u64> {
        self.get(self.cpu.frame_pointer())
    }

    /// Each general register in table order, by name; `None` where unknown.
    pub fn named(&self) -> impl Iterator<Item = (&'static str, Option<u64>)> + '_ {
        let names = self.cpu.register_names().iter().enumerate();
        names.map(|(index, &name)| (name, self.get(Register(index as u8))))
    }
}
