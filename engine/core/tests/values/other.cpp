// The other unit of the program: it defines what values.cpp only declares.

int elsewhere = 77;

struct Later {
    int late;
    short later;
};

Later kept = {1, 2};

extern "C" __attribute__((noinline)) int outside(int value) { return value + kept.late; }
