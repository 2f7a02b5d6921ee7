// Functions with frames of many kinds: few and many saved registers, small and large stacks, with and without frame
// pointer. Every function has a compact encoding and an entry in __debug_frame, which must say the same; see build.sh.

extern "C" {
__attribute__((noinline)) long sink(long *where, long a, long b, long c, long d, long e, long f) {
    *where += a;
    asm volatile("" : : "r"(where), "r"(b), "r"(c), "r"(d), "r"(e), "r"(f) : "memory");
    return *where;
}

__attribute__((noinline)) double sink_doubles(double a, double b) {
    asm volatile("");
    return a + b;
}

long leaf(long a, long b) {
    return a * b + 1;
}

long leaf_with_stack(long a) {
    volatile long buffer[24];
    buffer[a & 7] = a;
    return buffer[(a + 1) & 7];
}

long one(long a) {
    return sink(&a, 1, 0, 0, 0, 0, 0) + a;
}

long two(long a, long b) {
    return sink(&a, b, 0, 0, 0, 0, 0) + sink(&b, a, 1, 0, 0, 0, 0) + b;
}

long many(long a, long b, long c, long d, long e, long f) {
    long sum = 0;
    for (long i = 0; i < a; ++i) {
        sum += sink(&sum, a + i, b, c, d, e, f) * b + c * d - e * f;
    }
    return sum;
}

long large(long a, long b, long c) {
    long buffer[1000];
    for (long i = 0; i < a; ++i) {
        buffer[i] = sink(buffer, i, b, c, 0, 0, 0);
    }
    return buffer[b];
}

double doubles(double a, double b, double c, double d) {
    double x = sink_doubles(a, b), y = sink_doubles(c, d);
    return sink_doubles(x * a, y * b) + c * d * x;
}

long dynamic(long a, long b) {
    long *buffer = static_cast<long *>(__builtin_alloca(a * 8));
    return sink(buffer, a, b, 0, 0, 0, 0) + b;
}
}
