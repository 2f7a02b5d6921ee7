//! Cores assembled by hand from the layout in Linux' headers.

use super::super::Dump;
use super::*;
use crate::registers::{Cpu, Register, arm, arm64, x64, x86};

const STACK: u64 = 0x7ffd_0000_0000;
const IMAGE: u64 = 0x5555_0000_0000;
const DYNAMIC_LIBRARY: u64 = 0x7f00_0000_0000;

/// A core of one processor, with notes and memory.
struct Built {
    machine: u16,
    is_64: bool,
    notes: Vec<u8>,
    /// Address, flags, bytes.
    memory: Vec<(u64, u32, Vec<u8>)>,
}

fn words(values: &[u64], width: usize) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()[..width].to_vec()).collect()
}

impl Built {
    fn new(machine: u16) -> Built {
        Built { machine, is_64: ![3, 8, 40].contains(&machine), notes: Vec::new(), memory: Vec::new() }
    }

    fn width(&self) -> usize {
        if self.is_64 { 8 } else { 4 }
    }

    fn note(&mut self, kind: u32, descriptor: &[u8]) -> &mut Built {
        self.notes.extend(words(&[5, descriptor.len() as u64, kind.into()], 4));
        self.notes.extend(b"CORE\0\0\0\0");
        self.notes.extend(descriptor);
        self.notes.resize(self.notes.len().next_multiple_of(4), 0);
        self
    }

    /// NT_PRSTATUS with registers in the system's order.
    fn thread(&mut self, id: u32, signal: u16, registers: &[u64]) -> &mut Built {
        let (pid, start) = if self.is_64 { (32, 112) } else { (24, 72) };
        let mut status = vec![0; start];
        status[12..14].copy_from_slice(&signal.to_le_bytes());
        status[pid..pid + 4].copy_from_slice(&id.to_le_bytes());
        status.extend(words(registers, self.width()));
        self.note(note::PRSTATUS, &status)
    }

    fn files(&mut self, files: &[(u64, u64, u64, &str)]) -> &mut Built {
        let mut descriptor = words(&[files.len() as u64, 0x1000], self.width());
        for (start, end, page, _) in files {
            descriptor.extend(words(&[*start, *end, *page], self.width()));
        }
        for (.., name) in files {
            descriptor.extend(name.as_bytes());
            descriptor.push(0);
        }
        self.note(note::FILE, &descriptor)
    }

    fn bytes(&self) -> Vec<u8> {
        let (header, entry) = if self.is_64 { (64, 56) } else { (52, 32) };
        let count = 1 + self.memory.len();
        let mut file = vec![0x7f, b'E', b'L', b'F', if self.is_64 { 2 } else { 1 }, 1, 1];
        file.resize(16, 0);
        file.extend(words(&[4, self.machine.into()], 2)); // ET_CORE
        file.extend(words(&[1], 4));
        file.extend(words(&[0, header, 0], self.width()));
        file.extend(words(&[0], 4));
        file.extend(words(&[header, entry, count as u64, 0, 0, 0], 2));
        let mut offset = header + entry * count as u64;
        let mut segment = |kind: u64, flags: u64, address: u64, size: u64| {
            if self.is_64 {
                file.extend(words(&[kind, flags], 4));
                file.extend(words(&[offset, address, 0, size, size, 4], 8));
            } else {
                file.extend(words(&[kind, offset, address, 0, size, size, flags, 4], 4));
            }
            offset += size;
        };
        segment(4, 0, 0, self.notes.len() as u64);
        for (address, flags, bytes) in &self.memory {
            segment(1, u64::from(*flags), *address, bytes.len() as u64);
        }
        file.extend(&self.notes);
        self.memory.iter().for_each(|(.., bytes)| file.extend(bytes));
        file
    }

    fn open(&self) -> Dump {
        Dump::open(Data::from(self.bytes())).unwrap()
    }
}

/// The first page of an image whose build-id is 20 times `byte`.
fn image_head(byte: u8) -> Vec<u8> {
    let mut notes = words(&[4, 20, 3], 4);
    notes.extend(b"GNU\0");
    notes.extend([byte; 20]);
    let mut head = Built { notes, ..Built::new(62) }.bytes();
    head[16] = 3; // ET_DYN
    // Its note lies where the file has it.
    let offset = u64::from_le_bytes(head[72..80].try_into().unwrap());
    head[80..88].copy_from_slice(&offset.to_le_bytes());
    head.resize(0x1000, 0);
    head
}

/// 27 registers of x64: each holds its position, but for the stack pointer.
fn x64_registers() -> Vec<u64> {
    (0..27).map(|index| if index == 19 { STACK + 0x100 } else { 0x1000 + index }).collect()
}

#[test]
fn registers_are_those_of_user_regs_struct() {
    let mut core = Built::new(62);
    let mut floating_point = vec![0; 512];
    floating_point[160 + 16..160 + 20].copy_from_slice(&[1, 2, 3, 4]);
    core.thread(7, 11, &x64_registers()).note(note::FPREGSET, &floating_point).thread(8, 0, &x64_registers());
    core.memory.push((STACK, READABLE | WRITABLE, vec![0; 0x200]));
    let dump = core.open();
    let set = dump.thread_context(0).unwrap().unwrap();
    // sys/user.h: r15 first, then …, rax the eleventh, rdi the fifteenth, rip the seventeenth.
    for (register, value) in [(x64::R15, 0x1000), (x64::RAX, 0x100a), (x64::RDI, 0x100e), (x64::RIP, 0x1010)] {
        assert_eq!(set.get(register), Some(value));
    }
    assert_eq!(set.vector(1), Some(0x0403_0201));
    assert_eq!(dump.thread_context(1).unwrap().unwrap().vector(1), None);
    assert_eq!(dump.threads().iter().map(|thread| thread.id).collect::<Vec<_>>(), [7, 8]);
    assert_eq!(dump.threads()[0].stack_start, STACK + 0x100);
    assert_eq!(dump.threads()[0].stack.size_bytes, 0x100);
}

#[test]
fn other_processors_have_their_own_order() {
    let mut core = Built::new(183);
    let dump = core.thread(1, 0, &(0..34).collect::<Vec<_>>()).open();
    let set = dump.thread_context(0).unwrap().unwrap();
    assert_eq!((set.get(Register(19)), set.get(arm64::SP), set.get(arm64::PC)), (Some(19), Some(31), Some(32)));
    let mut core = Built::new(3);
    let dump = core.thread(1, 0, &(0..17).collect::<Vec<_>>()).open();
    let set = dump.thread_context(0).unwrap().unwrap();
    assert_eq!((set.get(x86::EBX), set.get(x86::EIP), set.get(x86::ESP)), (Some(0), Some(12), Some(15)));
    assert_eq!(dump.threads()[0].id, 1);
    // asm/ptrace.h of ARM: r0 to r15, cpsr, ORIG_r0.
    let mut core = Built::new(40);
    let dump = core.thread(9, 0, &(100..118).collect::<Vec<_>>()).open();
    let set = dump.thread_context(0).unwrap().unwrap();
    assert_eq!((set.cpu(), dump.threads()[0].id), (Cpu::Arm, 9));
    let expected = [(arm::R0, 100), (arm::R7, 107), (arm::FP, 111), (arm::SP, 113), (arm::LR, 114), (arm::CPSR, 116)];
    for (register, value) in expected {
        assert_eq!(set.get(register), Some(value), "{register:?}");
    }
    // 115 with the bit of Thumb taken off.
    assert_eq!(set.instruction_pointer(), Some(114));
}

#[test]
fn processors_without_registers_are_named() {
    // elf.h, EM_MIPS, EM_PPC64, EM_RISCV; a number that nobody has.
    for (machine, name) in [(8, Some("mips")), (21, Some("ppc64")), (243, Some("riscv64")), (0x7777, None)] {
        let mut core = Built::new(machine);
        let dump = core.thread(7, 11, &[0; 64]).open();
        assert_eq!(dump.system().map(SystemInfo::cpu_name).as_deref(), name);
        assert_eq!((dump.cpu(), dump.context(0), dump.threads()[0].id), (None, None, 7));
        assert_eq!(dump.exception().map(|exception| exception.code), Some(11));
    }
}

#[test]
fn a_big_endian_core_is_refused_in_words() {
    let mut bytes = Built::new(21).thread(7, 11, &[]).bytes();
    bytes[5] = 2; // ELFDATA2MSB
    let refusal = Dump::open(Data::from(bytes)).err().unwrap().to_string();
    assert_eq!(refusal, "an ELF file that is not supported: a big-endian file");
}

#[test]
fn the_signal_is_that_of_siginfo() {
    let info = [words(&[11, 0, 1, 0], 4), words(&[0xdead_0000], 8)].concat();
    let mut core = Built::new(62);
    let dump = core.thread(7, 11, &x64_registers()).note(note::SIGINFO, &info).open();
    let exception = dump.exception().unwrap();
    assert_eq!((exception.thread_id, exception.code, exception.flags), (7, 11, 1));
    assert_eq!(exception.address, 0xdead_0000);
    assert!(dump.context(0).is_some());
    // `kill`: where an address would be there is the sender.
    let info = [words(&[11, 0, 0, 0], 4), words(&[0xdead_0000], 8)].concat();
    let mut core = Built::new(62);
    assert_eq!(core.thread(7, 11, &x64_registers()).note(note::SIGINFO, &info).open().exception().unwrap().address, 0);
    let mut core = Built::new(62);
    assert_eq!(core.thread(7, 6, &x64_registers()).open().exception().unwrap().code, 6);
    for signal in [0, 19] {
        let mut core = Built::new(62);
        assert_eq!(core.thread(7, signal, &x64_registers()).open().exception(), None);
    }
}

#[test]
fn mapped_images_are_modules_and_other_files_are_not() {
    let mut core = Built::new(62);
    core.thread(7, 0, &x64_registers()).files(&[
        (IMAGE, IMAGE + 0x1000, 0, "/opt/app"),
        (IMAGE + 0x1000, IMAGE + 0x3000, 1, "/opt/app"),
        (DYNAMIC_LIBRARY, DYNAMIC_LIBRARY + 0x1000, 0, "/usr/lib/locale-archive"),
        (DYNAMIC_LIBRARY + 0x1_0000, DYNAMIC_LIBRARY + 0x1_1000, 0, "/usr/lib/unseen.so"),
        (DYNAMIC_LIBRARY + 0x1_1000, DYNAMIC_LIBRARY + 0x1_2000, 1, "/usr/lib/unseen.so"),
    ]);
    core.memory = vec![
        (IMAGE, READABLE, image_head(0xab)),
        (DYNAMIC_LIBRARY, READABLE, vec![0x20; 0x1000]),
        (DYNAMIC_LIBRARY + 0x1_1000, READABLE | EXECUTABLE, Vec::new()),
    ];
    let dump = core.open();
    let facts: Vec<_> =
        dump.modules().iter().map(|module| (module.name.as_str(), module.base, module.size_bytes)).collect();
    assert_eq!(facts, [("/opt/app", IMAGE, 0x3000), ("/usr/lib/unseen.so", DYNAMIC_LIBRARY + 0x1_0000, 0x2000)]);
    assert_eq!(dump.modules()[0].codeview, [&b"LEpB"[..], &[0xab; 20]].concat());
    assert_eq!(dump.modules()[1].codeview, b"");
}

#[test]
fn the_vdso_is_a_module() {
    let vdso = 0x7ffd_1111_0000;
    let mut core = Built::new(62);
    core.thread(7, 0, &x64_registers()).note(note::AUXV, &words(&[3, 0, VDSO_ENTRY, vdso, 0, 0], 8));
    core.memory.push((vdso, READABLE | EXECUTABLE, image_head(1)));
    let dump = core.open();
    assert_eq!((dump.modules()[0].name.as_str(), dump.modules()[0].base), ("linux-vdso.so.1", vdso));
}

/// AT_SYSINFO_EHDR of elf.h.
const VDSO_ENTRY: u64 = 33;

#[test]
fn what_is_no_core_or_is_cut_off_is_refused_or_costs_only_itself() {
    let mut core = Built::new(62);
    core.thread(7, 11, &x64_registers());
    core.memory.push((STACK, READABLE, vec![7; 0x200]));
    let mut bytes = core.bytes();
    for length in 0..bytes.len() {
        if let Ok(dump) = Dump::open(Data::from(bytes[..length].to_vec())) {
            dump.read_all();
            let _ = (dump.context(0), dump.problems());
        }
    }
    let dump = Dump::open(Data::from(bytes[..bytes.len() - 0x80].to_vec())).ok().unwrap();
    assert_eq!(dump.memory().ranges()[0].size_bytes, 0x180);
    assert_eq!(dump.problems()[0].1, "the file is cut off: it lacks bytes of 1 of 1 ranges of memory");
    bytes[16] = 2; // ET_EXEC
    let refusal = Dump::open(Data::from(bytes)).err().unwrap().to_string();
    assert_eq!(refusal, "not a dump: an ELF file that is no core");
}
