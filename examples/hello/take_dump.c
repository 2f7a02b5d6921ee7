// take_dump PROGRAM RVA OUT: runs a Windows program until the instruction at RVA (hexadecimal), and writes a normal
// minidump (MiniDumpNormal) of it there. The program runs as C:\hello\PROGRAM, with no environment of its own, so
// that neither the dump's module list nor its stack tells of the machine on which it was taken.
// Exit code: 0 if the dump was written.

#include <windows.h>
#include <dbghelp.h>
#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>

static const DWORD WAIT_MILLISECONDS = 60000;
static const BYTE INT3 = 0xcc;
static const DWORD WOW64_BREAKPOINT = 0x4000001f; // what the loader of a 32-bit program raises

#ifdef _WIN64
#define INSTRUCTION_POINTER Rip
#else
#define INSTRUCTION_POINTER Eip
#endif

/// The debugged program and the instruction at which it is to stop.
struct target {
    PROCESS_INFORMATION process;
    BYTE *stop;
    BYTE other; // what is to stand there next: INT3, or the code that it replaced
};

static int fail(const char *what)
{
    fprintf(stderr, "take_dump: %s failed: error %lu\n", what, GetLastError());
    return 1;
}

/// Copies the program to C:\hello and starts it there under this debugger.
static BOOL start(const char *program, PROCESS_INFORMATION *process)
{
    static wchar_t no_environment[] = L"\0";
    wchar_t source[MAX_PATH];
    wchar_t path[MAX_PATH];
    STARTUPINFOW startup = { .cb = sizeof startup };

    swprintf(source, MAX_PATH, L"%hs", program);
    swprintf(path, MAX_PATH, L"C:\\hello\\%hs", program);
    CreateDirectoryW(L"C:\\hello", NULL);
    return CopyFileW(source, path, FALSE)
        && CreateProcessW(path, path, NULL, NULL, FALSE, DEBUG_ONLY_THIS_PROCESS | CREATE_UNICODE_ENVIRONMENT,
                          no_environment, L"C:\\hello", &startup, process);
}

/// Exchanges the byte at the stop with the other one.
static BOOL exchange(struct target *target)
{
    DWORD protection;
    BYTE current;
    HANDLE process = target->process.hProcess;

    BOOL done = VirtualProtectEx(process, target->stop, 1, PAGE_EXECUTE_READWRITE, &protection)
        && ReadProcessMemory(process, target->stop, &current, 1, NULL)
        && WriteProcessMemory(process, target->stop, &target->other, 1, NULL)
        && VirtualProtectEx(process, target->stop, 1, protection, &protection);
    target->other = current;
    return done;
}

/// Writes the dump of the stopped program, with its code and instruction pointer as if there were no breakpoint.
static BOOL dump(struct target *target, EXCEPTION_RECORD *exception, const char *out)
{
    CONTEXT context = { .ContextFlags = CONTEXT_ALL };
    EXCEPTION_POINTERS pointers = { exception, &context };
    MINIDUMP_EXCEPTION_INFORMATION information = { target->process.dwThreadId, &pointers, FALSE };

    if (!exchange(target) || !GetThreadContext(target->process.hThread, &context))
        return FALSE;
    context.INSTRUCTION_POINTER = (ULONG_PTR)target->stop;
    if (!SetThreadContext(target->process.hThread, &context))
        return FALSE;
    HANDLE file = CreateFileA(out, GENERIC_READ | GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, 0, NULL);
    if (file == INVALID_HANDLE_VALUE)
        return FALSE;
    BOOL written = MiniDumpWriteDump(target->process.hProcess, target->process.dwProcessId, file, MiniDumpNormal,
                                     &information, NULL, NULL);
    CloseHandle(file);
    return written;
}

/// Answers one exception of the program. Sets `*code` and returns FALSE if it was the breakpoint.
static BOOL answer(struct target *target, const DEBUG_EVENT *event, const char *out, int *code)
{
    EXCEPTION_RECORD exception = event->u.Exception.ExceptionRecord;

    if (exception.ExceptionAddress == target->stop) {
        *code = dump(target, &exception, out) ? 0 : fail("writing the dump");
        TerminateProcess(target->process.hProcess, 0);
        return FALSE;
    }
    BOOL loader = exception.ExceptionCode == EXCEPTION_BREAKPOINT || exception.ExceptionCode == WOW64_BREAKPOINT;
    ContinueDebugEvent(event->dwProcessId, event->dwThreadId, loader ? DBG_CONTINUE : DBG_EXCEPTION_NOT_HANDLED);
    return TRUE;
}

int main(int argc, char **argv)
{
    struct target target = { .other = INT3 };
    DEBUG_EVENT event;
    int code = 1;

    if (argc != 4) {
        fprintf(stderr, "usage: take_dump PROGRAM RVA OUT\n");
        return 2;
    }
    if (!start(argv[1], &target.process))
        return fail("starting the program");
    while (WaitForDebugEvent(&event, WAIT_MILLISECONDS)) {
        if (event.dwDebugEventCode == EXCEPTION_DEBUG_EVENT) {
            if (!answer(&target, &event, argv[3], &code))
                return code;
            continue;
        }
        if (event.dwDebugEventCode == CREATE_PROCESS_DEBUG_EVENT) {
            target.stop = (BYTE *)event.u.CreateProcessInfo.lpBaseOfImage + strtoul(argv[2], NULL, 16);
            if (!exchange(&target))
                return fail("setting the breakpoint");
        } else if (event.dwDebugEventCode == EXIT_PROCESS_DEBUG_EVENT) {
            fprintf(stderr, "take_dump: the program ended before it came to RVA %s\n", argv[2]);
            return 1;
        }
        ContinueDebugEvent(event.dwProcessId, event.dwThreadId, DBG_CONTINUE);
    }
    return fail("waiting for the program");
}
