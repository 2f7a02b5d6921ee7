// A program whose debug information has one of everything that types, members and variables are made of. It needs no
// library and does nothing useful; see build.sh.

using size_type = decltype(sizeof(0));

namespace geo {

struct Point {
    int x, y;
};

class Shape {
public:
    virtual ~Shape();
    virtual int area() const { return 0; }
    static int made;
    static const int sides = 4;
    enum Colour : unsigned char { red = 1, green = 200 };

protected:
    int id = 3;
    Colour colour = green;
};

class Solid : public virtual Shape, public Point {
public:
    int depth = 9;
};

template <typename T, int count> struct Box {
    T items[count];
    struct Tag {
        T *first;
    };
    Tag tag;
};

typedef Box<Point, 2> Pair;

int Shape::made = 12;
Shape::~Shape() { made--; }

} // namespace geo

struct Flags {
    unsigned first : 3;
    signed second : 5;
    unsigned long long wide : 40;
    bool on : 1;
    unsigned char plain;
    unsigned last : 12;
};

struct __attribute__((packed)) Packed {
    unsigned char head;
    unsigned first : 7;
    unsigned crossing : 30;
    unsigned short tail;
};

union Number {
    long long whole;
    double real;
    struct {
        unsigned low, high;
    };
    unsigned bit : 1;
};

enum Signed { minus = -5, zero, large = 200 };
enum class Wide : unsigned long long { top = 0xffffffffffffffffull };
enum Forward : short;

struct Declared; // defined nowhere
struct Later;    // defined in other.cpp

using Handler = int (*)(const char *text, ...);
using Method = int (geo::Shape::*)() const;

struct Everything {
    bool flag;
    char letter;
    signed char small;
    unsigned char byte;
    wchar_t wide;
    char16_t utf16;
    char32_t utf32;
    float single;
    double number;
    long double extended;
    decltype(nullptr) null;
    const volatile int *const pointer;
    int &reference;
    int &&moved;
    int geo::Point::*member;
    Method method;
    Handler handler;
    int grid[2][3];
    Declared *declared;
    Later *later;
    geo::Pair pair;
    Signed sign;
    Wide top;
    Forward forward;
    void *anything;
    __int128 huge;
    int none[0];
    int open[];
};

static int hidden = 5;
thread_local int slot = 9;
const int answer = 42;
constexpr double ratio = 0.5;
Everything *everything;
geo::Pair pair;
Flags flags;
Packed packed;
Number number;
geo::Solid solid;
enum { nameless = 7 } unnamed;

extern "C" int outside(int value);
extern int elsewhere;

namespace {
struct Local {
    int a;
} local;
} // namespace

static inline __attribute__((always_inline)) int twice(int value) {
    const int two = 2;
    static int calls = 0;
    calls++;
    return value * two;
}

__attribute__((noinline)) int work(geo::Point point, const Flags *given, int count) {
    extern int elsewhere;
    struct Inner {
        int kept;
    } inner = {count};
    static Inner shared = {4};
    int grown[count];
    grown[0] = twice(point.x);
    shared.kept += outside(inner.kept);
    return grown[0] + shared.kept + given->second + elsewhere + hidden;
}

extern "C" void _start() {
    local.a = work({1, 2}, &flags, 3) + slot + answer + static_cast<int>(ratio);
    everything = nullptr;
    for (;;) {
    }
}

void *operator new(size_type) { return nullptr; }
void operator delete(void *, size_type) noexcept {}
extern "C" {
void __cxa_pure_virtual() {}
void *__dso_handle;
int __cxa_atexit(void (*)(void *), void *, void *) { return 0; }
}
