// hello.cpp for 64-bit Windows: the twin of hello32.S, with the same low halves of addresses. The image is linked at
// 0x00007FF6009F0000, and this file is first in .text (0x1000) and in .rdata (0x7000).

#include "debug.inc"

.text
.intel_syntax noprefix
.org 0xcc, 0xcc                         // int3, as linkers fill

global_function ExitProcess
ExitProcess:                            // 0x00007FF6009F10CC
    jmp     qword ptr [rip + __imp_ExitProcess]
exit_process_end:

global_function printf
printf:                                 // 0x00007FF6009F10D2
    jmp     qword ptr [rip + __imp_printf]
printf_end:

.org 0x930, 0xcc
global_function main
.seh_proc main
main:                                   // 0x00007FF6009F1930
    .cv_func_id 0
    .cv_file 1 "C:\\hello\\hello.cpp" HELLO_CPP_SHA256 3
    .cv_loc 0 1 4 0                     // {
    sub     rsp, 0x38
    .seh_stackalloc 0x38
    .seh_endprologue
main_body:
    .cv_loc 0 1 5 0                     // const auto message = "Hello World!\n";
    lea     rax, [rip + "??_C@_0O@NFOCKKMG@Hello?5World?$CB?6?$AA@"]
    mov     qword ptr [rsp + 0x20], rax
    .cv_loc 0 1 6 0                     // printf(message);
    mov     rcx, qword ptr [rsp + 0x20]
    call    printf
    .cv_loc 0 1 7 0                     // return 0;
    xor     eax, eax
main_epilogue:
    .cv_loc 0 1 8 0                     // }
    add     rsp, 0x38
    ret
main_end:
.seh_endproc
.att_syntax

.section .rdata,"dr"
.org 0xb30
.globl "??_C@_0O@NFOCKKMG@Hello?5World?$CB?6?$AA@"
"??_C@_0O@NFOCKKMG@Hello?5World?$CB?6?$AA@":    // 0x00007FF6009F7B30, under the name that compilers give this literal
    .asciz  "Hello World!\n"

.bss                                    // room between .text and .rdata, takes no space in the file
    .zero   0x5000

.section .debug$S,"dr"
.p2align 2
.long 4                                 // CV_SIGNATURE_C13
object_records "C:\\hello\\hello64.obj", 0xd0
begin_main main, main_end - main, main_body - main, main_epilogue - main, 0x38, 0, 0x14000
begin_record S_REGREL32
    .long   0x20
    .long   T_MESSAGE
    .short  335                         // CV_AMD64_RSP
    .asciz  "message"
end_record
end_main
thunk_record ExitProcess, exit_process_end - ExitProcess
thunk_record printf, printf_end - printf
.cv_linetable 0, main, main_end
.cv_filechecksums
.cv_stringtable

type_records 0x1040c                    // 64-bit pointer, const, 8 bytes
