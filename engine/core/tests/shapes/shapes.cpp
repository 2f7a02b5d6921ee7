// A program whose debug information the tests of ELF and DWARF read. It needs no library; see build.sh.

namespace geo {

struct Rect {
    int width, height;
    int area() const;
};

int Rect::area() const {
    return width * height;
}

template <typename T> T twice(T value) {
    return value + value;
}

template int twice<int>(int);

} // namespace geo

int counter = 3;

namespace {

inline __attribute__((always_inline)) void poke(volatile int *where, int value) {
    int doubled = value * 2;
    *where = doubled; // writes
}

__attribute__((noinline)) int crash(const geo::Rect &rect) {
    int sum = rect.area();
    for (int step = 0; step < counter; ++step) {
        int part = geo::twice(step);
        sum += part; // loops
    }
    poke(nullptr, sum); // pokes
    return sum;
}

} // namespace

extern "C" void _start() {
    geo::Rect rect = {6, 7};
    counter = crash(rect); // calls
    for (;;) {
    }
}
