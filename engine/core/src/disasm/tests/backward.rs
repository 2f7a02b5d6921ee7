//! The start of an instruction sequence is found from its end.

use super::*;

/// `main` of a small program for Windows x64 built by clang, with the offsets that llvm-objdump gives its instructions.
const MAIN: &str = "48 83 EC 38  C7 44 24 34 00 00 00 00  48 8D 05 ED 0F 00 00  48 89 44 24 28  48 8B 4C 24 28
    48 8B 05 9C 10 00 00  FF D0  31 C0  48 83 C4 38  C3  0F 1F 00";
const STARTS: [u64; 11] = [0, 4, 0xc, 0x13, 0x18, 0x1d, 0x24, 0x26, 0x28, 0x2c, 0x2d];

fn before(code: &[u8], address: u64, count: usize, anchors: &[u64]) -> (Vec<u64>, Ended) {
    let listing = disassemble_before(code, address, Cpu::X64, count, anchors, &NoNames).unwrap();
    (listing.instructions.iter().map(|instruction| instruction.address).collect(), listing.ended)
}

#[test]
fn without_anchors_the_most_trodden_path_is_taken() {
    let code = bytes(MAIN);
    for end in 1..STARTS.len() {
        for count in 1..=end {
            let expected = (STARTS[end - count..end].to_vec(), Ended::Limit);
            assert_eq!(
                before(&code[..STARTS[end] as usize], STARTS[end], count, &[]),
                expected,
                "{count} before {end}"
            );
        }
    }
}

#[test]
fn an_anchor_decides_where_bytes_are_ambiguous() {
    // `B8 90 90 90 90` is one `mov` or, entered one byte later, four `nop`: voting cannot know better.
    let code = bytes("B8 90 90 90 90  B8 90 90 90 90");
    assert_eq!(before(&code, 0x100a, 2, &[0x1000]), (vec![0x1000, 0x1005], Ended::Limit));
    assert_eq!(before(&code, 0x100a, 2, &[0x1005, 0x1001]), (vec![0x1004, 0x1005], Ended::Limit));
    // Anchors outside the bytes, and those that do not lead to the end, are passed over: `01 02  03 04` at 0x1007 is
    // one instruction and the beginning of another.
    let code = bytes("90 90 90 90 90 90  E8 01 02 03 04");
    for anchors in [&[0x1007, 0x100b, 0xfff][..], &[0x1000, 0x1007, 0x1009]] {
        assert_eq!(before(&code, 0x100b, 2, anchors), (vec![0x1005, 0x1006], Ended::Limit), "{anchors:x?}");
    }
}

#[test]
fn where_no_more_lead_there_the_list_is_short() {
    assert_eq!(before(&[], 0x1000, 3, &[]), (vec![], Ended::OutOfBytes(0x1000)));
    assert_eq!(before(&bytes("90 90"), 0x1002, 3, &[]), (vec![0x1000, 0x1001], Ended::OutOfBytes(0x1000)));
    // 06 begins no x64 instruction and ends none here.
    assert_eq!(before(&bytes("90 06"), 0x1002, 3, &[0x1000]), (vec![], Ended::OutOfBytes(0x1002)));
    assert_eq!(before(&bytes("90 90"), 0x1002, 0, &[]), (vec![], Ended::Limit));
}
