// take_dump FOLDER PROGRAM WHERE OUT: runs a Windows program until the instruction at the RVA (hexadecimal) WHERE, or
// until it crashes if that is `crash`, and writes a normal minidump (MiniDumpNormal) of it there. The program runs as
// C:\FOLDER\PROGRAM, with no environment of its own, so that neither the dump's module list nor its stack tells of the
// machine on which it was taken.
// Exit code: 0 if the dump was written.

#include <windows.h>
#include <dbghelp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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
    BYTE *stop; // NULL: at the crash
    BYTE other; // what is to stand there next: INT3, or the code that it replaced
};

static int fail(const char *what)
{
    fprintf(stderr, "take_dump: %s failed: error %lu\n", what, GetLastError());
    return 1;
}

/// Copies the program to C:\FOLDER and starts it there under this debugger.
static BOOL start(const char *name, const char *program, PROCESS_INFORMATION *process)
{
    static wchar_t no_environment[] = L"\0";
    wchar_t folder[MAX_PATH];
    wchar_t source[MAX_PATH];
    wchar_t path[MAX_PATH];
    STARTUPINFOW startup = { .cb = sizeof startup };

    swprintf(source, MAX_PATH, L"%hs", program);
    swprintf(folder, MAX_PATH, L"C:\\%hs", name);
    swprintf(path, MAX_PATH, L"C:\\%hs\\%hs", name, program);
    CreateDirectoryW(folder, NULL);
    return CopyFileW(source, path, FALSE)
        && CreateProcessW(path, path, NULL, NULL, FALSE, DEBUG_ONLY_THIS_PROCESS | CREATE_UNICODE_ENVIRONMENT,
                          no_environment, folder, &startup, process);
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

/// Takes the breakpoint out again: code and instruction pointer are as if it had never been there.
static BOOL step_back(struct target *target, CONTEXT *context)
{
    context->INSTRUCTION_POINTER = (ULONG_PTR)target->stop;
    return exchange(target) && SetThreadContext(target->process.hThread, context);
}

/// Writes the dump of the stopped program.
static BOOL dump(struct target *target, EXCEPTION_RECORD *exception, const char *out)
{
    CONTEXT context = { .ContextFlags = CONTEXT_ALL };
    EXCEPTION_POINTERS pointers = { exception, &context };
    MINIDUMP_EXCEPTION_INFORMATION information = { target->process.dwThreadId, &pointers, FALSE };

    if (!GetThreadContext(target->process.hThread, &context))
        return FALSE;
    if (target->stop && !step_back(target, &context))
        return FALSE;
    HANDLE file = CreateFileA(out, GENERIC_READ | GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, 0, NULL);
    if (file == INVALID_HANDLE_VALUE)
        return FALSE;
    BOOL written = MiniDumpWriteDump(target->process.hProcess, target->process.dwProcessId, file, MiniDumpNormal,
                                     &information, NULL, NULL);
    CloseHandle(file);
    return written;
}

/// Answers one exception of the program. Sets `*code` and returns FALSE if it was the one that is waited for.
static BOOL answer(struct target *target, const DEBUG_EVENT *event, const char *out, int *code)
{
    EXCEPTION_RECORD exception = event->u.Exception.ExceptionRecord;
    BOOL loader = exception.ExceptionCode == EXCEPTION_BREAKPOINT || exception.ExceptionCode == WOW64_BREAKPOINT;

    if (target->stop ? exception.ExceptionAddress == target->stop : !loader) {
        *code = dump(target, &exception, out) ? 0 : fail("writing the dump");
        TerminateProcess(target->process.hProcess, 0);
        return FALSE;
    }
    ContinueDebugEvent(event->dwProcessId, event->dwThreadId, loader ? DBG_CONTINUE : DBG_EXCEPTION_NOT_HANDLED);
    return TRUE;
}

int main(int argc, char **argv)
{
    struct target target = { .other = INT3 };
    DEBUG_EVENT event;
    int code = 1;

    if (argc != 5) {
        fprintf(stderr, "usage: take_dump FOLDER PROGRAM RVA|crash OUT\n");
        return 2;
    }
    if (!start(argv[1], argv[2], &target.process))
        return fail("starting the program");
    while (WaitForDebugEvent(&event, WAIT_MILLISECONDS)) {
        if (event.dwDebugEventCode == EXCEPTION_DEBUG_EVENT) {
            if (!answer(&target, &event, argv[4], &code))
                return code;
            continue;
        }
        if (event.dwDebugEventCode == CREATE_PROCESS_DEBUG_EVENT && strcmp(argv[3], "crash")) {
            target.stop = (BYTE *)event.u.CreateProcessInfo.lpBaseOfImage + strtoul(argv[3], NULL, 16);
            if (!exchange(&target))
                return fail("setting the breakpoint");
        } else if (event.dwDebugEventCode == EXIT_PROCESS_DEBUG_EVENT) {
            fprintf(stderr, "take_dump: the program ended before it came to %s\n", argv[3]);
            return 1;
        }
        ContinueDebugEvent(event.dwProcessId, event.dwThreadId, DBG_CONTINUE);
    }
    return fail("waiting for the program");
}
