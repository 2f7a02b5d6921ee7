#include <stdio.h>

int main()
{
    const auto message = "Hello World!\n";
    printf(message);
    return 0;
}
