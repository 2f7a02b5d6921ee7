//! Streams assembled by hand, from the structures' documented layouts.

mod processors;
mod truncated;

use super::memory::{MemoryIndex, MemoryRange};
use super::modules::CodeView;
use super::*;
use crate::registers::{x64, x86};

/// A minidump file in the making: streams and other bytes, placed one after the other behind the header.
#[derive(Default)]
pub(crate) struct File {
    body: Vec<u8>,
    directory: Vec<(u32, u32, u32)>,
}

/// Bytes of the header and of room for 8 directory entries.
const BODY_OFFSET: u32 = 32 + 8 * 12;

impl File {
    pub fn place(&mut self, bytes: &[u8]) -> u32 {
        let offset = BODY_OFFSET + self.body.len() as u32;
        self.body.extend_from_slice(bytes);
        offset
    }

    pub fn stream(&mut self, kind: u32, bytes: &[u8]) -> &mut File {
        let offset = self.place(bytes);
        self.directory.push((kind, bytes.len() as u32, offset));
        self
    }

    fn string(&mut self, text: &str) -> u32 {
        let units: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let mut bytes = (units.len() as u32).to_le_bytes().to_vec();
        bytes.extend(units);
        bytes.extend([0, 0]);
        self.place(&bytes)
    }

    fn bytes(&self) -> Vec<u8> {
        let mut file = b"MDMP\x93\xa7\0\0".to_vec();
        file.extend(words(&[self.directory.len() as u32, 32, 0, 0x5f5e_1000]));
        file.extend(2u64.to_le_bytes());
        for (kind, size, offset) in &self.directory {
            file.extend(words(&[*kind, *size, *offset]));
        }
        file.resize(BODY_OFFSET as usize, 0);
        file.extend(&self.body);
        file
    }

    pub fn open(&self) -> Dump {
        Dump::open(Data::from(self.bytes())).unwrap()
    }
}

pub(crate) fn words(values: &[u32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

pub(crate) fn system_info(architecture: u16) -> Vec<u8> {
    let mut bytes = architecture.to_le_bytes().to_vec();
    bytes.resize(56, 0);
    bytes
}

fn refusal(bytes: &[u8]) -> String {
    match Dump::open(Data::from(bytes.to_vec())) {
        Ok(_) => panic!("opened"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn files_that_are_no_minidumps_are_refused_in_words() {
    assert_eq!(refusal(b""), "the file is empty, not a minidump");
    assert_eq!(refusal(b"hello"), "not a minidump: it does not begin with MDMP");
    assert!(refusal(b"\x7fELF\x02\x01").contains("ELF"), "{}", refusal(b"\x7fELF\x02\x01"));
    assert!(refusal(b"PMDM\0\0\0\0").contains("big-endian"));
    assert!(refusal(b"MD").contains("header"));
    let mut file = File::default().stream(7, &[1]).bytes();
    file[8..12].copy_from_slice(&0x1000_0000u32.to_le_bytes());
    assert!(refusal(&file).contains("268435456 entries at offset 0x20"));
}

#[test]
fn known_and_unknown_streams_are_listed_and_keep_their_bytes() {
    let mut file = File::default();
    let dump = file.stream(0x1234_5678, b"mine").stream(0x4767_0009, b"maps").open();
    let names: Vec<String> = dump.streams().iter().map(|entry| entry.name.to_string()).collect();
    assert_eq!(names, ["Unknown(0x12345678)", "LinuxMaps"]);
    assert_eq!(dump.stream_bytes(0), Some(&b"mine"[..]));
    assert_eq!(dump.stream_bytes(2), None);
    assert_eq!((dump.header().timestamp, dump.header().flags), (Some(0x5f5e_1000), 2));
}

#[test]
fn a_stream_beyond_the_end_of_the_file_costs_only_itself() {
    let mut file = File::default();
    file.stream(7, &system_info(9)).stream(4, &words(&[0]));
    file.directory[1].2 = 0xffff_0000;
    let dump = file.open();
    assert_eq!(dump.modules(), []);
    assert_eq!(dump.cpu(), Some(Cpu::X64));
    let problems = dump.problems();
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].1.contains("beyond the end of the file"), "{problems:?}");
    assert_eq!(problems[0].0, 1);
}

#[test]
fn a_list_that_is_shorter_than_it_says_keeps_what_is_there() {
    let mut stream = words(&[3]);
    stream.extend(vec![0; 48 + 10]); // of three threads one and a bit
    let mut file = File::default();
    let dump = file.stream(3, &stream).open();
    assert_eq!(dump.threads().len(), 1);
    assert_eq!(dump.problems()[0].1, "it is truncated at offset 0x4: 144 bytes needed, 58 left");
}

#[test]
fn records_may_be_aligned_to_eight_bytes() {
    let mut stream = words(&[1, 0]); // count, padding
    let mut module = vec![0; 108];
    module[..8].copy_from_slice(&0x40_0000u64.to_le_bytes());
    stream.extend(module);
    let mut file = File::default();
    let dump = file.stream(4, &stream).open();
    assert_eq!(dump.modules()[0].base, 0x40_0000);
    assert_eq!(dump.problems(), []);
}

#[test]
fn a_module_has_its_name_version_and_pdb() {
    let mut file = File::default();
    let name = file.string("C:\\app\\caf\u{e9}.exe");
    let mut record = b"RSDS".to_vec();
    record.extend(1..=16);
    record.extend(7u32.to_le_bytes());
    record.extend(b"app.pdb\0");
    let codeview = file.place(&record);
    let mut module = 0x1_4000_0000u64.to_le_bytes().to_vec();
    module.extend(words(&[0x8000, 0xabcd, 0x5f00_0000, name]));
    module.extend(words(&[0xfeef_04bd, 0, 0x0001_0002, 0x0003_0004]));
    module.resize(24 + 52, 0);
    module.extend(words(&[record.len() as u32, codeview]));
    module.resize(108, 0);
    let mut stream = words(&[1]);
    stream.extend(module);
    let dump = file.stream(4, &stream).open();
    let module = &dump.modules()[0];
    assert_eq!(module.name, "C:\\app\\caf\u{e9}.exe");
    assert_eq!((module.size_bytes, module.check_sum, module.time_date_stamp), (0x8000, 0xabcd, 0x5f00_0000));
    assert_eq!(module.version, Some([1, 2, 3, 4]));
    let guid = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];
    assert_eq!(module.identity(), CodeView::Pdb70 { guid, age: 7, path: "app.pdb".to_owned() });
}

#[test]
fn codeview_records_of_every_kind() {
    let nb10 = [b"NB10".to_vec(), words(&[0, 0x1234, 2]), b"old.pdb\0".to_vec()].concat();
    assert_eq!(CodeView::parse(&nb10), CodeView::Pdb20 { signature: 0x1234, age: 2, path: "old.pdb".to_owned() });
    // 0x4270454c, stored little-endian
    assert_eq!(CodeView::parse(b"LEpB\xab\xcd"), CodeView::BuildId(vec![0xab, 0xcd]));
    for record in [&b""[..], b"RSDS", b"RSDS\0\0\0", b"????????????????????????"] {
        assert_eq!(CodeView::parse(record), CodeView::None);
    }
}

fn range(address: u64, size_bytes: u64, offset: u64) -> MemoryRange {
    MemoryRange { address, size_bytes, offset }
}

#[test]
fn of_overlapping_memory_the_range_listed_first_wins() {
    //                    100 ........ 110 ........ 120 ........ 130
    // A (offset 1000)     |------------------------|
    // B (offset 2000)                  |------------------------|
    // C (offset 3000)          within A: 108..10c
    let (a, b, c) = (range(0x100, 0x20, 1000), range(0x110, 0x20, 2000), range(0x108, 4, 3000));
    let index = MemoryIndex::new(vec![a, b, c]);
    assert_eq!(index.ranges(), [a, range(0x120, 0x10, 2016)]);
    let index = MemoryIndex::new(vec![c, b, a]);
    assert_eq!(index.ranges(), [range(0x100, 8, 1000), c, range(0x10c, 4, 1012), b]);
    let twice = MemoryIndex::new(vec![a, a]);
    assert_eq!(twice.ranges(), [a]);
    let touching = MemoryIndex::new(vec![range(0x110, 0x10, 5), range(0x100, 0x10, 9)]);
    assert_eq!(touching.ranges(), [range(0x100, 0x10, 9), range(0x110, 0x10, 5)]);
}

#[test]
fn the_index_finds_the_range_that_covers_or_follows() {
    let index = MemoryIndex::new(vec![range(0x100, 0x10, 0), range(0x200, 0x10, 0)]);
    for (address, expected) in [
        (0, Some(0x100)),
        (0x100, Some(0x100)),
        (0x10f, Some(0x100)),
        (0x110, Some(0x200)),
        (0x20f, Some(0x200)),
        (0x210, None),
    ] {
        assert_eq!(index.from(address).first().map(|range| range.address), expected, "{address:#x}");
    }
}

#[test]
fn memory64_ranges_follow_each_other_and_end_where_the_file_ends() {
    let mut file = File::default();
    let data = file.place(b"aaaabbbbcc");
    let mut stream = [3u64, u64::from(data)].map(u64::to_le_bytes).concat();
    for (address, size) in [(0x1000u64, 4u64), (0x2000, 4), (0x3000, u64::MAX)] {
        stream.extend(address.to_le_bytes());
        stream.extend(size.to_le_bytes());
    }
    let dump = file.stream(9, &stream).open();
    let ranges = dump.memory().ranges();
    assert_eq!(ranges[..2], [range(0x1000, 4, data.into()), range(0x2000, 4, u64::from(data) + 4)]);
    // The last goes on to the end of the file: the two bytes that follow, and the stream itself.
    assert_eq!(ranges[2].offset + ranges[2].size_bytes, dump.data().len() as u64);
}

/// An x64 CONTEXT with flags, RSP, RBX, RIP and XMM6.
fn context_x64(flags: u32) -> Vec<u8> {
    let mut context = vec![0; 1232];
    context[0x30..0x34].copy_from_slice(&flags.to_le_bytes());
    for (offset, value) in [(0x90, 0xb0b0u64), (0x98, 0x7fff_0000), (0xf8, 0x1_4000_1234)] {
        context[offset..offset + 8].copy_from_slice(&value.to_le_bytes());
    }
    context[0x1a0 + 6 * 16] = 6;
    context
}

#[test]
fn registers_that_the_flags_disown_are_unknown() {
    let all = context::registers(&context_x64(0x10_000b), Cpu::X64).unwrap();
    assert_eq!(all.get(x64::RSP), Some(0x7fff_0000));
    assert_eq!(all.get(x64::RBX), Some(0xb0b0));
    assert_eq!(all.vector(6), Some(6));
    let control = context::registers(&context_x64(0x10_0001), Cpu::X64).unwrap();
    assert_eq!(control.instruction_pointer(), Some(0x1_4000_1234));
    assert_eq!(control.get(x64::RBX), None);
    assert_eq!(control.vector(6), None);
    let problem = context::registers(&context_x64(0x10_0008), Cpu::X64).unwrap_err();
    assert!(problem.to_string().contains("no instruction pointer"));
}

#[test]
fn flags_without_any_group_are_those_of_breakpad_for_macos() {
    let registers = context::registers(&context_x64(0x10_0000), Cpu::X64).unwrap();
    assert_eq!(registers.get(x64::RSP), Some(0x7fff_0000));
    assert_eq!(registers.get(x64::RBX), Some(0xb0b0));
}

#[test]
fn an_x86_context_may_end_before_its_extended_registers() {
    let mut context = vec![0; 204];
    context[..4].copy_from_slice(&0x1_003fu32.to_le_bytes());
    for (offset, value) in [(0xa0, 0x51u32), (0xb4, 0xeb), (0xb8, 0x9f_10d2), (0xc4, 0x50_fd70)] {
        context[offset..offset + 4].copy_from_slice(&value.to_le_bytes());
    }
    let registers = context::registers(&context, Cpu::X86).unwrap();
    assert_eq!(registers.instruction_pointer(), Some(0x9f_10d2));
    assert_eq!((registers.get(x86::ESI), registers.get(x86::EBP)), (Some(0x51), Some(0xeb)));
    assert_eq!((registers.get(x86::ESP), registers.vector(0)), (Some(0x50_fd70), None));
    assert!(context::registers(&context[..100], Cpu::X86).is_err());
}

#[test]
fn the_thread_that_crashed_has_the_registers_of_the_exception() {
    let mut file = File::default();
    let (mut own, raised) = (context_x64(0x10_000b), context_x64(0x10_000b));
    own[0xf8] = 0x99;
    let (own, raised) = (file.place(&own), file.place(&raised));
    let mut threads = words(&[2]);
    for id in [7, 8] {
        threads.extend(words(&[id, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1232, own]));
    }
    let mut exception = words(&[8, 0, 0xc000_0005, 0, 0, 0, 0x4000_1234, 1, 2, 0]);
    exception.resize(40 + 15 * 8, 0);
    exception.extend(words(&[1232, raised]));
    let dump = file.stream(7, &system_info(9)).stream(3, &threads).stream(6, &exception).open();
    assert_eq!(dump.context(0).unwrap().instruction_pointer(), Some(0x1_4000_1299));
    assert_eq!(dump.context(1).unwrap().instruction_pointer(), Some(0x1_4000_1234));
    assert_eq!(dump.exception().unwrap().parameters, [0, 0]);
}

#[test]
fn an_exception_that_claims_too_many_parameters_has_fifteen() {
    let mut exception = words(&[8, 0, 0xc000_0005, 0, 0, 0, 0, 0, u32::MAX, 0]);
    exception.resize(168, 0);
    let mut file = File::default();
    assert_eq!(file.stream(6, &exception).open().exception().unwrap().parameters.len(), 15);
}

#[test]
fn misc_info_of_the_first_version_has_no_more_than_it_says() {
    let mut file = File::default();
    let dump = file.stream(15, &words(&[24, 1, 4242, 9, 9, 9])).open();
    let misc = dump.misc().unwrap();
    assert_eq!((misc.process_id, misc.process_create_time, misc.build_string.as_deref()), (Some(4242), None, None));
}

#[test]
fn a_list_cannot_take_more_memory_than_the_file_explains() {
    // 100,000 thread names that all are one string of 60,000 bytes: 6 GB if each were taken.
    let mut file = vec![b'a'; 70_000];
    file[16..20].copy_from_slice(&60_000u32.to_le_bytes());
    let count = 100_000u32;
    let mut stream = count.to_le_bytes().to_vec();
    for id in 0..count {
        stream.extend([id.to_le_bytes(), 16u32.to_le_bytes(), [0; 4]].concat());
    }
    let records = super::threads::thread_names(&file, &stream);
    let taken: usize = records.good.iter().map(|(_, name)| name.len()).sum();
    assert!(!records.good.is_empty() && taken < 4 << 20, "{taken}");
    assert!(records.problem.is_some());
}
