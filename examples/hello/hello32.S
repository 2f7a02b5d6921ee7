// hello.cpp for 32-bit Windows, as an unoptimised build of it reads. Written as assembly because addresses and bytes
// are fixed: the image is linked at 0x009F0000, and this file is first in .text (0x1000) and in .rdata (0x7000).

#include "debug.inc"

.set "@feat.00", 1                      // no exception handlers that /safeseh would have to know
.globl "@feat.00"

.text
.intel_syntax noprefix
.org 0xcc, 0xcc                         // int3, as linkers fill

global_function _ExitProcess@4
.cv_fpo_proc _ExitProcess@4 4
_ExitProcess@4:                         // 0x009F10CC
    jmp     dword ptr [__imp__ExitProcess@4]
    .cv_fpo_endproc
exit_process_end:

global_function _printf
.cv_fpo_proc _printf 0
_printf:                                // 0x009F10D2
    jmp     dword ptr [__imp__printf]
    .cv_fpo_endproc
printf_end:

.org 0x916, 0xcc
global_function _main
_main:                                  // 0x009F1916
    .cv_func_id 0
    .cv_file 1 "C:\\hello\\hello.cpp" HELLO_CPP_SHA256 3
    .cv_loc 0 1 4 0                     // {
    .cv_fpo_proc _main 0
    push    ebp
    .cv_fpo_pushreg ebp
    mov     ebp, esp
    .cv_fpo_setframe ebp
    sub     esp, 0xcc
    .cv_fpo_stackalloc 0xcc
    push    ebx
    .cv_fpo_pushreg ebx
    push    esi
    .cv_fpo_pushreg esi
    push    edi
    .cv_fpo_pushreg edi
    .cv_fpo_endprologue
    lea     edi, [ebp - 0xcc]           // fill the locals with 0xCC, so that use before assignment shows
    mov     ecx, 0x33
    mov     eax, 0xcccccccc
    rep stosd
main_body:
    .cv_loc 0 1 5 0                     // const auto message = "Hello World!\n";
    mov     dword ptr [ebp - 8], offset "??_C@_0O@NFOCKKMG@Hello?5World?$CB?6?$AA@"
    .cv_loc 0 1 6 0                     // printf(message);
    mov     eax, dword ptr [ebp - 8]
    push    eax
    call    _printf
    add     esp, 4
    .cv_loc 0 1 7 0                     // return 0;
    xor     eax, eax
main_epilogue:
    .cv_loc 0 1 8 0                     // }
    pop     edi
    pop     esi
    pop     ebx
    mov     esp, ebp
    pop     ebp
    ret
    .cv_fpo_endproc
main_end:
.att_syntax

.section .rdata,"dr"
.org 0xb30
.globl "??_C@_0O@NFOCKKMG@Hello?5World?$CB?6?$AA@"
"??_C@_0O@NFOCKKMG@Hello?5World?$CB?6?$AA@":    // 0x009F7B30, under the name that compilers give this literal
    .asciz  "Hello World!\n"

.bss                                    // room between .text and .rdata, takes no space in the file
    .zero   0x5000

.section .debug$S,"dr"
.p2align 2
.long 4                                 // CV_SIGNATURE_C13
object_records "C:\\hello\\hello.obj", 0x07
.cv_fpo_data _main
.cv_fpo_data _printf
.cv_fpo_data _ExitProcess@4
begin_main _main, main_end - _main, main_body - _main, main_epilogue - _main, 0xcc, 12, 0x28000
begin_record S_BPREL32
    .long   -8
    .long   T_MESSAGE
    .asciz  "message"
end_record
end_main
thunk_record _ExitProcess@4, exit_process_end - _ExitProcess@4
thunk_record _printf, printf_end - _printf
.cv_linetable 0, _main, main_end
.cv_filechecksums
.cv_stringtable

type_records 0x840a                     // near pointer, const, 4 bytes
