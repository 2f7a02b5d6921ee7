//! Operands as text and as data, instruction by instruction.

use super::*;

fn globals() -> Fake {
    Fake {
        symbols: vec![
            (0x40_1f00, 0x100, "main"),
            (0x40_3000, 4, "g_counter"),
            (0x40_3010, 0x10, "g_table"),
            (0x40_4000, 4, "__imp__Sleep@4"),
            (0x40_5000, 0x20, "??_C@_0O@ABCDEFGH@text@"),
            (0x40_5020, 0x20, "`string'"),
            (0x40_5040, 0x20, "banner"),
            (0xffff, 1, "low"),
        ],
        strings: vec![
            (0x40_5000, b"literal\0"),
            (0x40_5020, b"undecorated\0"),
            (0x40_5040, b"named text\0"),
            (0x40_5080, b"anonymous\0"),
            (0x40_50a0, b"w\0i\0d\0e\0\0\0"),
        ],
        locals: vec![
            (x86::EBP, -0x24, 0x20, "buffer"),
            (x86::EBP, 8, 4, "argument"),
            (x64::RSP, 0x20, 0x20, "buffer"),
            (x64::RBP, 0x10, 8, "saved"),
        ],
    }
}

#[test]
fn x86_operands() {
    for (hex, expected) in [
        // Targets of calls and jumps take any name.
        ("E8 FB 0E 00 00", "call main (0401F00h)"),
        ("74 02", "je 00401004"),
        ("E9 0F 0F 00 00", "jmp main+14h (0401F14h)"),
        ("E9 FF 0E 00 00", "jmp main+4 (0401F04h)"),
        ("0F 85 A4 0F 00 00", "jne main+0AAh (0401FAAh)"),
        // So does memory at a stated address.
        ("A1 00 30 40 00", "mov eax,dword ptr [g_counter (0403000h)]"),
        ("A1 14 30 40 00", "mov eax,dword ptr [g_table+4 (0403014h)]"),
        ("A1 00 90 40 00", "mov eax,dword ptr [0409000h]"),
        ("FF 15 00 40 40 00", "call dword ptr [__imp__Sleep@4 (0404000h)]"),
        ("66 C7 05 00 30 40 00 01 00", "mov word ptr [g_counter (0403000h)],1"),
        // Constants: only what begins exactly there, in the encoding of an address.
        ("68 00 30 40 00", "push offset g_counter (0403000h)"),
        ("68 14 30 40 00", "push 403014h"),
        ("B8 40 50 40 00", "mov eax,offset banner (0405040h)"),
        ("B8 00 50 40 00", "mov eax,offset string \"literal\" (0405000h)"),
        ("B8 20 50 40 00", "mov eax,offset string \"undecorated\" (0405020h)"),
        ("B8 80 50 40 00", "mov eax,offset string \"anonymous\" (0405080h)"),
        ("B8 A0 50 40 00", "mov eax,offset string L\"wide\" (04050A0h)"),
        ("B8 FF FF 00 00", "mov eax,0FFFFh"),
        ("25 00 30 40 00", "and eax,403000h"),
        ("6A 04", "push 4"),
        ("6A 10", "push 10h"),
        ("6A FF", "push 0FFFFFFFFh"),
        ("83 E4 F0", "and esp,0FFFFFFF0h"),
        // A literal that is read is named by its symbol only: four bytes of data must not become text.
        ("A1 00 50 40 00", "mov eax,dword ptr [string \"literal\" (0405000h)]"),
        ("A1 80 50 40 00", "mov eax,dword ptr [0405080h]"),
        // Locals.
        ("8B 45 08", "mov eax,dword ptr [argument]"),
        ("8B 45 E0", "mov eax,dword ptr [buffer+4]"),
        ("8B 45 EC", "mov eax,dword ptr [buffer+10h]"),
        ("8B 45 F8", "mov eax,dword ptr [buffer+1Ch]"),
        ("8B 45 FC", "mov eax,dword ptr [ebp-4]"),
        ("8D 4D DC", "lea ecx,[buffer]"),
        ("C6 44 05 DC 00", "mov byte ptr buffer[eax],0"),
        ("89 44 8D DC", "mov dword ptr buffer[ecx*4],eax"),
        // Tables.
        ("8B 04 85 10 30 40 00", "mov eax,dword ptr g_table (0403010h)[eax*4]"),
        ("FF 24 8D 10 1F 40 00", "jmp dword ptr main+10h (0401F10h)[ecx*4]"),
        ("8B 80 10 30 40 00", "mov eax,dword ptr g_table (0403010h)[eax]"),
        ("8B 80 14 30 40 00", "mov eax,dword ptr [eax+403014h]"),
        ("8B 04 85 00 90 40 00", "mov eax,dword ptr [eax*4+409000h]"),
        // Segments and string instructions.
        ("64 A1 00 00 00 00", "mov eax,dword ptr fs:[00000000h]"),
        ("64 89 25 18 00 00 00", "mov dword ptr fs:[00000018h],esp"),
        ("F3 AB", "rep stos dword ptr es:[edi]"),
        ("F3 A4", "rep movs byte ptr es:[edi],byte ptr [esi]"),
        ("64 AC", "lods byte ptr fs:[esi]"),
        ("F2 AE", "repne scas byte ptr es:[edi]"),
        ("66 A7", "cmps word ptr [esi],word ptr es:[edi]"),
        ("6E", "outs dx,byte ptr [esi]"),
        ("F0 0F C1 03", "lock xadd dword ptr [ebx],eax"),
        ("CC", "int 3"),
        ("C2 08 00", "ret 8"),
        ("DD D8", "fstp st(0)"),
    ] {
        assert_eq!(text(hex, Cpu::X86, &globals()), expected, "{hex}");
    }
}

#[test]
fn x64_operands() {
    for (hex, expected) in [
        ("8B 05 FA 1F 00 00", "mov eax,dword ptr [g_counter (0403000h)]"),
        ("48 8D 0D 79 40 00 00", "lea rcx,[string \"anonymous\" (0405080h)]"),
        ("48 8D 0D F9 0E 00 00", "lea rcx,[main (0401F00h)]"),
        ("48 B8 00 1F 40 00 00 00 00 00", "mov rax,offset main (0401F00h)"),
        // Half as wide as an address: a number.
        ("B8 00 1F 40 00", "mov eax,401F00h"),
        ("48 C7 C0 00 1F 40 00", "mov rax,401F00h"),
        ("48 8B 44 24 20", "mov rax,qword ptr [buffer]"),
        ("48 8B 44 24 48", "mov rax,qword ptr [rsp+48h]"),
        ("C6 44 04 20 00", "mov byte ptr buffer[rax],0"),
        ("48 89 44 CC 28", "mov qword ptr buffer+8[rcx*8],rax"),
        // An epilogue's stack pointer is no variable, and a 32-bit base no frame.
        ("48 8D 65 10", "lea rsp,[rbp+10h]"),
        ("48 8D 45 10", "lea rax,[saved]"),
        ("67 8B 44 24 20", "mov eax,dword ptr [esp+20h]"),
        ("65 48 8B 04 25 58 00 00 00", "mov rax,qword ptr gs:[58h]"),
        ("F3 AA", "rep stos byte ptr [rdi]"),
        ("F3 48 A5", "rep movs qword ptr [rdi],qword ptr [rsi]"),
        ("48 C7 44 24 48 FE FF FF FF", "mov qword ptr [rsp+48h],0FFFFFFFFFFFFFFFEh"),
        ("0F 1F 44 00 00", "nop dword ptr [rax+rax]"),
        ("48 63 C9", "movsxd rcx,ecx"),
        ("0F 29 74 24 40", "movaps xmmword ptr [rsp+40h],xmm6"),
        ("F3 0F 10 45 00", "movss xmm0,dword ptr [rbp]"),
    ] {
        assert_eq!(text(hex, Cpu::X64, &globals()), expected, "{hex}");
    }
}

#[test]
fn flow_and_target() {
    for (hex, flow, target) in [
        ("90", Flow::Next, None),
        ("E8 00 01 00 00", Flow::Call, Some(0x40_1105)),
        ("FF D0", Flow::Call, None),
        ("FF 15 00 00 00 00", Flow::Call, None),
        ("EB FE", Flow::Jump, Some(0x40_1000)),
        ("FF E0", Flow::Jump, None),
        ("75 10", Flow::Conditional, Some(0x40_1012)),
        ("E2 10", Flow::Conditional, Some(0x40_1012)),
        ("C7 F8 00 00 00 00", Flow::Conditional, Some(0x40_1006)),
        ("C6 F8 01", Flow::Next, None),
        ("C3", Flow::Return, None),
        ("48 CF", Flow::Return, None),
        ("CC", Flow::Interrupt, None),
        ("CD 29", Flow::Interrupt, None),
        ("0F 0B", Flow::Interrupt, None),
        ("0F 05", Flow::Interrupt, None),
    ] {
        let instruction = &all(&bytes(hex), 0x40_1000, Cpu::X64, &NoNames)[0];
        assert_eq!((instruction.flow, instruction.target), (flow, target), "{hex}");
    }
}

#[test]
fn facts_about_operands() {
    // mov byte ptr [rdx+rcx*4-8],ch
    let code = bytes("88 6C 8A F8");
    let instruction = &all(&code, 0, Cpu::X64, &NoNames)[0];
    let [memory, register] = &instruction.operand_list[..] else { panic!("{instruction:?}") };
    assert_eq!((memory.text.as_str(), memory.size_bytes, memory.access), ("byte ptr [rdx+rcx*4-8]", 1, Access::Write));
    let OperandKind::Memory(address) = &memory.kind else { panic!("{memory:?}") };
    assert_eq!(address.base.as_ref().and_then(NamedRegister::general), Some(x64::RDX));
    assert_eq!(address.index.as_ref().and_then(NamedRegister::general), Some(x64::RCX));
    assert_eq!((address.scale, address.displacement, address.segment), (4, -8, None));
    assert_eq!(instruction.memory_address(), None);
    let storage = Storage::General { register: x64::RCX, bit_offset: 8 };
    let expected = NamedRegister { name: "ch".to_owned(), size_bytes: 1, storage };
    assert_eq!((&register.kind, register.access), (&OperandKind::Register(expected), Access::Read));
}

#[test]
fn facts_about_addresses_and_constants() {
    let only = |hex, cpu| all(&bytes(hex), 0x40_1000, cpu, &globals()).remove(0);
    let relative = only("83 3D F9 1F 00 00 FF", Cpu::X64);
    assert_eq!(relative.memory_address(), Some(0x40_3000));
    assert_eq!(relative.operands, "dword ptr [g_counter (0403000h)],0FFFFFFFFh");
    let [memory, constant] = &relative.operand_list[..] else { panic!("{relative:?}") };
    let label = Label { name: "g_counter".to_owned(), offset: 0 };
    assert_eq!(memory.name, Some(Name::Symbol(label)));
    assert_eq!((&constant.kind, constant.size_bytes), (&OperandKind::Immediate(0xffff_ffff), 4));
    assert_eq!(only("A1 00 00 00 F0", Cpu::X86).memory_address(), Some(0xf000_0000));
    assert_eq!(only("64 A1 18 00 00 00", Cpu::X86).memory_address(), None);
    assert_eq!(only("8B 45 F8", Cpu::X86).memory_address(), None);
    let gather = only("C4 E2 6D 90 04 88", Cpu::X64);
    let OperandKind::Memory(address) = &gather.operand_list[1].kind else { panic!("{gather:?}") };
    assert_eq!(address.index.as_ref().map(|index| index.storage), Some(Storage::Vector(1)));
    let load_address = only("8D 45 F8", Cpu::X86);
    assert_eq!((load_address.operand_list[1].access, load_address.operand_list[1].size_bytes), (Access::None, 0));
}
