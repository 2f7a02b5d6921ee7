// What a C runtime does before and after main, as far as this program needs it.

void __stdcall ExitProcess(unsigned code);

int main(void);

int mainCRTStartup(void)
{
    int result = main();
    ExitProcess(result);
    return result;
}
