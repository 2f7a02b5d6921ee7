//! Encodings as `as` of the GNU binutils assembles them (`-march=armv7-a -mfpu=vfpv3`).

use super::Meaning::*;
use super::*;

#[test]
fn arm_instructions_are_told_apart() {
    for (text, word, expected) in [
        ("bl .+0x100", 0xeb00_003e, Call(0x1100)),
        ("bl .-8", 0xebff_fffc, Call(0xff8)),
        ("blne .+0x20", 0x1b00_0006, Call(0x1020)),
        ("blx .+0x102", 0xfb00_003e, Call(0x1102 | THUMB_BIT)),
        ("blx r3", 0xe12f_ff33, IndirectCall),
        ("bx lr", 0xe12f_ff1e, Return),
        ("mov pc, lr", 0xe1a0_f00e, Return),
        ("bx r3", 0xe12f_ff13, IndirectJump),
        ("mov pc, r3", 0xe1a0_f003, IndirectJump),
        ("ldr pc, [r3]", 0xe593_f000, IndirectJump),
        ("ldr pc, [ip, #0x10]!", 0xe5bc_f010, IndirectJump),
        ("bxeq lr", 0x012f_ff1e, Conditional),
        ("b .+0x20", 0xea00_0006, Jump(0x1020)),
        ("beq .+0x20", 0x0a00_0006, Conditional),
        ("push {r4, lr}", 0xe92d_4010, MovesStack(-8)),
        ("push {r4-fp, lr}", 0xe92d_4ff0, MovesStack(-36)),
        ("push {lr}", 0xe52d_e004, MovesStack(-4)),
        ("push {r0}", 0xe52d_0004, MovesStack(-4)),
        ("vpush {d8, d9}", 0xed2d_8b04, MovesStack(-16)),
        ("sub sp, sp, #0x400", 0xe24d_db01, MovesStack(-0x400)),
        ("add sp, sp, #12", 0xe28d_d00c, MovesStack(12)),
        ("subne sp, sp, #8", 0x124d_d008, ChangesLinkOrStack),
        ("sub sp, fp, #4", 0xe24b_d004, ChangesLinkOrStack),
        ("pop {r4, pc}", 0xe8bd_8010, ChangesLinkOrStack),
        ("pop {r4, lr}", 0xe8bd_4010, ChangesLinkOrStack),
        ("vpop {d8, d9}", 0xecbd_8b04, ChangesLinkOrStack),
        ("mov lr, pc", 0xe1a0_e00f, ChangesLinkOrStack),
        ("mov lr, r0", 0xe1a0_e000, ChangesLinkOrStack),
        ("pop {lr}", 0xe49d_e004, ChangesLinkOrStack),
        ("str r0, [sp, #-8]!", 0xe52d_0008, ChangesLinkOrStack),
        ("strd r0, r1, [sp, #-8]!", 0xe16d_00f8, ChangesLinkOrStack),
        ("mul lr, r0, r1", 0xe00e_0190, ChangesLinkOrStack),
        ("ldm r0, {r1, lr}", 0xe890_4002, ChangesLinkOrStack),
        ("mrs lr, cpsr", 0xe10f_e000, ChangesLinkOrStack),
        ("add fp, sp, #4", 0xe28d_b004, Other),
        ("mov r0, lr", 0xe1a0_000e, Other),
        ("cmp sp, r0", 0xe15d_0000, Other),
        ("str lr, [sp, #4]", 0xe58d_e004, Other),
        ("mul r0, r1, r2", 0xe000_0291, Other),
        ("ldrd r0, r1, [sp, #8]", 0xe1cd_00d8, Other),
        ("ldm sp, {r1, r2}", 0xe89d_0006, Other),
        ("svc #0", 0xef00_0000, Other),
        ("nop", 0xe320_f000, Other),
        ("movw r0, #0x1234", 0xe301_0234, Other),
        ("dmb ish", 0xf57f_f05b, Other),
    ] {
        assert_eq!(arm(word, 0x1000), expected, "{text}");
    }
}

#[test]
fn short_thumb_instructions_are_told_apart() {
    for (text, half, expected) in [
        ("blx r3", 0x4798, IndirectCall),
        ("bx lr", 0x4770, Return),
        ("mov pc, lr", 0x46f7, Return),
        ("bx r3", 0x4718, IndirectJump),
        ("bx pc", 0x4778, IndirectJump),
        ("b .+0x20", 0xe00e, Jump(0x1021)),
        ("beq .+0x20", 0xd00e, Conditional),
        ("cbz r0, .+8", 0xb110, Conditional),
        ("cbnz r0, .+8", 0xb910, Conditional),
        ("it eq", 0xbf08, Conditional),
        ("push {r4, lr}", 0xb510, MovesStack(-8)),
        ("push {r4-r7, lr}", 0xb5f0, MovesStack(-20)),
        ("push {r4}", 0xb410, MovesStack(-4)),
        ("pop {r4}", 0xbc10, MovesStack(4)),
        ("pop {r4, pc}", 0xbd10, ChangesLinkOrStack),
        ("sub sp, #16", 0xb084, MovesStack(-16)),
        ("add sp, #16", 0xb004, MovesStack(16)),
        ("mov sp, r7", 0x46bd, ChangesLinkOrStack),
        ("mov lr, r0", 0x4686, ChangesLinkOrStack),
        ("add r7, sp, #12", 0xaf03, Other),
        ("mov r7, sp", 0x466f, Other),
        ("mov r0, lr", 0x4670, Other),
        ("cmp lr, r0", 0x4586, Other),
        ("add r8, r1", 0x4488, Other),
        ("nop", 0xbf00, Other),
        ("svc #0", 0xdf00, Other),
        ("bkpt #0", 0xbe00, Breakpoint),
        ("udf #0", 0xde00, Breakpoint),
    ] {
        assert_eq!(thumb(half, 0x1000), expected, "{text}");
    }
}

#[test]
fn long_thumb_instructions_are_told_apart() {
    for (text, first, second, expected) in [
        ("bl .+0x100", 0xf000, 0xf87e, Call(0x20_1101)),
        ("bl .-8", 0xf7ff, 0xfffa, Call(0x20_0ff9)),
        ("bl .-0x200000", 0xf5ff, 0xfffe, Call(0x1001)),
        ("blx .+0x100", 0xf000, 0xe87e, Call(0x20_1100)),
        ("b.w .+0x20", 0xf000, 0xb80e, Jump(0x20_1021)),
        ("beq.w .+0x2000", 0xf001, 0x87fe, Conditional),
        ("push.w {r4, r8, lr}", 0xe92d, 0x4110, MovesStack(-12)),
        ("push.w {r8}", 0xf84d, 0x8d04, MovesStack(-4)),
        ("push.w {lr}", 0xf84d, 0xed04, MovesStack(-4)),
        ("vpush {d8, d9}", 0xed2d, 0x8b04, MovesStack(-16)),
        ("sub.w sp, sp, #0x400", 0xf5ad, 0x6d80, MovesStack(-0x400)),
        ("sub.w sp, sp, #0x1040", 0xf5ad, 0x5d82, MovesStack(-0x1040)),
        ("subw sp, sp, #0x234", 0xf2ad, 0x2d34, MovesStack(-0x234)),
        ("add.w sp, sp, #0x400", 0xf50d, 0x6d80, MovesStack(0x400)),
        ("addw sp, sp, #0x234", 0xf20d, 0x2d34, MovesStack(0x234)),
        ("pop.w {r4, r8, pc}", 0xe8bd, 0x8110, ChangesLinkOrStack),
        ("pop.w {r4, r8}", 0xe8bd, 0x0110, ChangesLinkOrStack),
        ("vpop {d8, d9}", 0xecbd, 0x8b04, ChangesLinkOrStack),
        ("ldr lr, [sp], #4", 0xf85d, 0xeb04, ChangesLinkOrStack),
        ("ldr.w r0, [sp], #4", 0xf85d, 0x0b04, ChangesLinkOrStack),
        ("strd r0, r1, [sp, #-8]!", 0xe96d, 0x0102, ChangesLinkOrStack),
        ("ldm.w r0, {r1, lr}", 0xe890, 0x4002, ChangesLinkOrStack),
        ("mrs lr, cpsr", 0xf3ef, 0x8e00, ChangesLinkOrStack),
        ("ldr.w pc, [r3]", 0xf8d3, 0xf000, IndirectJump),
        ("tbb [pc, r0]", 0xe8df, 0xf000, IndirectJump),
        ("ldrd r0, r1, [sp, #8]", 0xe9dd, 0x0102, Other),
        ("stm.w sp, {r0, r1, r8}", 0xe88d, 0x0103, Other),
        ("movw r0, #0x1234", 0xf241, 0x2034, Other),
        ("mov.w r0, #0xff00", 0xf44f, 0x407f, Other),
        ("dmb ish", 0xf3bf, 0x8f5b, Other),
        ("nop.w", 0xf3af, 0x8000, Other),
    ] {
        assert_eq!(wide_thumb(first, second, 0x20_1000), expected, "{text}");
    }
}
