//! Flow, and operands as data, of ARM64. Encodings are those of llvm-mc 19; what is read and written is what the Arm
//! Architecture Reference Manual, section C6, says of each instruction.

use super::*;
use crate::registers::arm64;

#[test]
fn flow_and_target() {
    for (hex, flow, target) in [
        ("1F 20 03 D5", Flow::Next, None),
        ("40 00 00 94", Flow::Call, Some(0x40_1100)),
        ("20 01 3F D6", Flow::Call, None),
        ("00 00 00 14", Flow::Jump, Some(0x40_1000)),
        ("FF FF FF 17", Flow::Jump, Some(0x40_0ffc)),
        ("00 01 1F D6", Flow::Jump, None),
        ("00 08 00 54", Flow::Conditional, Some(0x40_1100)),
        ("08 08 00 B4", Flow::Conditional, Some(0x40_1100)),
        ("08 08 18 37", Flow::Conditional, Some(0x40_1100)),
        ("C0 03 5F D6", Flow::Return, None),
        ("FF 0B 5F D6", Flow::Return, None),
        ("00 00 3E D4", Flow::Interrupt, None),
        ("01 00 00 D4", Flow::Interrupt, None),
        ("00 00 00 00", Flow::Interrupt, None),
        // adr and a literal have an address, but go nowhere.
        ("00 00 01 10", Flow::Next, None),
        ("80 00 01 58", Flow::Next, None),
        // Reserved: udf with bits above its constant, a shift of a 32-bit register by 49 bits, a mask of no bits.
        ("04 10 00 20", Flow::Invalid, None),
        ("FF FF FF FF", Flow::Invalid, None),
        ("9B 6C CA 32", Flow::Invalid, None),
        ("19 C7 4A 2A", Flow::Invalid, None),
    ] {
        let instruction = &all(&bytes(hex), 0x40_1000, Cpu::Arm64, &NoNames)[0];
        assert_eq!((instruction.flow, instruction.target), (flow, target), "{hex}");
        assert_eq!((instruction.bytes.len(), flow == Flow::Invalid), (4, instruction.mnemonic == "(bad)"));
    }
}

/// Registers and memory as `text/bytes/access`.
#[test]
fn what_is_read_and_written() {
    let letter = |access| match access {
        Access::None => "-",
        Access::Read => "r",
        Access::Write => "w",
        Access::ReadWrite => "rw",
    };
    for (hex, expected) in [
        ("20 08 40 F9", "x0/8/w [x1, #0x10]/8/r"),
        ("E0 0F 00 B9", "w0/4/r [sp, #0xc]/4/w"),
        ("FD 7B BE A9", "x29/8/r x30/8/r [sp, #-0x20]!/16/w"),
        ("20 D8 A2 B8", "x0/8/w [x1, w2, sxtw #2]/4/r"),
        ("40 04 40 69", "x0/8/w x1/8/w [x2]/8/r"),
        ("2B 15 40 38", "w11/4/w [x9], #0x1/1/r"),
        ("20 D0 1F 59", "w0/4/r [x1, #-0x3]/2/w"),
        ("20 08 C0 3D", "q0/16/w [x1, #0x20]/16/r"),
        ("00 88 DF 4C", "v0/16/w v1/16/w [x0], #32/32/r"),
        ("00 90 40 0D", "v0/16/rw [x0]/4/r"),
        ("00 C8 40 4D", "v0/16/w [x0]/4/r"),
        ("00 00 80 F9", "[x0]/0/-"),
        ("80 00 01 58", "x0/8/w 0x403010/8/r"),
        ("41 FC 00 C8", "w0/4/w x1/8/r [x2]/8/w"),
        ("41 00 E0 B8", "w0/4/r w1/4/w [x2]/4/rw"),
        ("41 80 20 38", "w0/4/r w1/4/w [x2]/1/rw"),
        ("3F 00 20 B8", "w0/4/r [x1]/4/rw"),
        ("41 FC E0 C8", "x0/8/rw x1/8/r [x2]/8/rw"),
        ("82 7C 20 48", "x0/8/rw x1/8/rw x2/8/r x3/8/r [x4]/16/rw"),
        ("1F 01 09 6B", "w8/4/r w9/4/r"),
        ("04 18 43 FA", "x0/8/r"),
        ("20 00 E0 F2", "x0/8/rw"),
        ("20 1C 0C 4E", "v0.s[1]/16/rw w1/4/r"),
        ("20 48 28 4E", "v0.16b/16/rw v1.16b/16/r"),
        ("04 41 29 8B", "x4/8/w x8/8/r w9, uxtw/4/r"),
        ("14 44 1B D5", "x20/8/r"),
        ("20 74 0B D5", "x0/8/r"),
        ("20 01 3F D6", "x9/8/r"),
        ("08 08 00 B4", "x8/8/r"),
        ("E8 07 9F 1A", "w8/4/w"),
    ] {
        let instruction = all(&bytes(hex), 0x40_1000, Cpu::Arm64, &NoNames).remove(0);
        let shown: Vec<String> = instruction
            .operand_list
            .iter()
            .filter(|operand| matches!(operand.kind, OperandKind::Register(_) | OperandKind::Memory(_)))
            .map(|operand| format!("{}/{}/{}", operand.text, operand.size_bytes, letter(operand.access)))
            .collect();
        assert_eq!(shown.join(" "), expected, "{instruction:?}");
    }
}

fn operands(hex: &str) -> Vec<Operand> {
    all(&bytes(hex), 0x40_1000, Cpu::Arm64, &NoNames).remove(0).operand_list
}

fn general(register: Register) -> Storage {
    Storage::General { register, bit_offset: 0 }
}

#[test]
fn addresses_of_memory() {
    // ldrsw x0, [x1, w2, sxtw #2]
    let indexed = operands("20 D8 A2 B8");
    let OperandKind::Memory(memory) = &indexed[1].kind else { panic!("{indexed:?}") };
    assert_eq!(memory.base.as_ref().map(|base| base.storage), Some(general(Register(1))));
    assert_eq!(memory.index.as_ref().map(|index| (index.size_bytes, index.storage)), Some((4, general(Register(2)))));
    assert_eq!((memory.scale, memory.is_index_signed, memory.displacement), (4, true, 0));
    // stp x29, x30, [sp, #-0x20]! moves the base first, ldp x29, x30, [sp], #0x20 afterwards.
    for (hex, displacement) in [("FD 7B BE A9", -0x20), ("FD 7B C2 A8", 0)] {
        let moved = operands(hex);
        let OperandKind::Memory(memory) = &moved[2].kind else { panic!("{moved:?}") };
        assert_eq!((memory.displacement, memory.scale, memory.absolute_address()), (displacement, 1, None));
        assert_eq!(memory.base.as_ref().and_then(NamedRegister::general), Some(arm64::SP));
    }
    // str q0, [x0, w1, uxtw #4]: the largest scale.
    let scaled = operands("00 58 A1 3C");
    let OperandKind::Memory(memory) = &scaled[1].kind else { panic!("{scaled:?}") };
    assert_eq!((memory.scale, memory.is_index_signed), (16, false));
    // ldr x0, 0x403010
    assert_eq!(all(&bytes("80 00 01 58"), 0x40_1000, Cpu::Arm64, &NoNames)[0].memory_address(), Some(0x40_3010));
}

#[test]
fn registers_and_constants() {
    for (hex, number, name, storage) in [
        ("E8 03 1F 2A", 1, "wzr", Storage::Elsewhere),
        ("FD 03 00 91", 0, "x29", general(arm64::FP)),
        ("20 3C 18 4E", 1, "v1", Storage::Vector(1)),
        ("08 20 60 1E", 0, "d0", Storage::Vector(0)),
    ] {
        let operands = operands(hex);
        let OperandKind::Register(register) = &operands[number].kind else { panic!("{operands:?}") };
        assert_eq!((register.name.as_str(), register.storage), (name, storage));
    }
    for (hex, number, value) in [
        ("20 04 40 91", 2, 0x1000),
        ("E0 FF BF 52", 1, 0xffff_0000),
        ("00 00 80 92", 1, u64::MAX),
        ("10 00 00 D0", 1, 0x40_3000),
    ] {
        assert_eq!(operands(hex)[number].kind, OperandKind::Immediate(value), "{hex}");
    }
    assert_eq!(operands("40 00 00 94")[0].kind, OperandKind::Branch(0x40_1100));
}
