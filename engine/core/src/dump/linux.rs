//! What Linux says of a process in text: `/proc/PID/maps` and `/proc/PID/cmdline`.
//!
//! Source: proc_pid_maps(5), proc_pid_cmdline(5).

use super::memory::MemoryRegion;

/// Regions that are read; a process may have 65,530 (`vm.max_map_count`), and more where that was raised.
const MOST_REGIONS: usize = 1 << 20;
const MEM_COMMIT: u32 = 0x1000;
const MEM_PRIVATE: u32 = 0x2_0000;
const MEM_MAPPED: u32 = 0x4_0000;

/// The regions of a `maps` file, in address order. Lines that are damaged are left out.
pub fn regions(maps: &[u8]) -> Vec<MemoryRegion> {
    let lines = maps.split(|&byte| byte == b'\n').take(MOST_REGIONS);
    let mut regions: Vec<MemoryRegion> = lines.filter_map(|line| region(std::str::from_utf8(line).ok()?)).collect();
    regions.sort_by_key(|region| region.base);
    regions
}

/// One line: `7f0c1a000000-7f0c1a021000 rw-p 00000000 00:00 0   [heap]`.
fn region(line: &str) -> Option<MemoryRegion> {
    let mut words = line.split_ascii_whitespace();
    let (start, end) = words.next()?.split_once('-')?;
    let (base, end) = (u64::from_str_radix(start, 16).ok()?, u64::from_str_radix(end, 16).ok()?);
    let permissions = words.next()?.as_bytes();
    let &[read, write, execute, sharing] = permissions else { return None };
    let size_bytes = end.checked_sub(base).filter(|&size| size > 0)?;
    let protect = protection(read == b'r', write == b'w', execute == b'x');
    let kind = if sharing == b's' { MEM_MAPPED } else { MEM_PRIVATE };
    Some(mapped(base, size_bytes, protect, kind))
}

/// The arguments of a `cmdline` file, which are separated by NULs, as one line.
pub fn arguments(cmdline: &[u8]) -> String {
    String::from_utf8_lossy(cmdline).trim_end_matches('\0').replace('\0', " ")
}

/// A region that is there.
pub fn mapped(base: u64, size_bytes: u64, protect: u32, kind: u32) -> MemoryRegion {
    MemoryRegion {
        base,
        allocation_base: base,
        allocation_protect: protect,
        size_bytes,
        state: MEM_COMMIT,
        protect,
        kind,
    }
}

/// A private region with the permissions of a segment.
pub fn private(base: u64, size_bytes: u64, protect: u32) -> MemoryRegion {
    mapped(base, size_bytes, protect, MEM_PRIVATE)
}

/// Permissions as one of Windows' PAGE_… constants, which is what regions are described by.
pub fn protection(read: bool, write: bool, execute: bool) -> u32 {
    match (read, write, execute) {
        (false, false, false) => 0x01, // PAGE_NOACCESS
        (true, false, false) => 0x02,  // PAGE_READONLY
        (_, true, false) => 0x04,      // PAGE_READWRITE
        (false, false, true) => 0x10,  // PAGE_EXECUTE
        (true, false, true) => 0x20,   // PAGE_EXECUTE_READ
        (_, true, true) => 0x40,       // PAGE_EXECUTE_READWRITE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_maps_are_regions() {
        let maps = b"7f0000001000-7f0000003000 r-xp 00001000 08:01 42  /usr/lib/libc.so.6\n\
            55d000000000-55d000021000 rw-p 00000000 00:00 0          [heap]\n\
            nonsense\n7f0000009000-7f0000008000 r--p 0 0:0 0\n7f0000005000-7f0000006000 r--s 0 0:0 7 /dev/shm/x y\n";
        let found = regions(maps);
        let facts: Vec<_> = found.iter().map(|it| (it.base, it.size_bytes, it.protect, it.kind)).collect();
        // In address order; PAGE_READWRITE 4, PAGE_EXECUTE_READ 0x20, PAGE_READONLY 2 (winnt.h).
        assert_eq!(
            facts,
            [
                (0x55d0_0000_0000, 0x2_1000, 0x04, MEM_PRIVATE),
                (0x7f00_0000_1000, 0x2000, 0x20, MEM_PRIVATE),
                (0x7f00_0000_5000, 0x1000, 0x02, MEM_MAPPED),
            ]
        );
        assert!(found[1].is_executable() && !found[0].is_executable());
    }
}
