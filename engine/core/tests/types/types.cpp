// Types of every kind, and variables that a compiler puts in parts or in constants. See build.sh.

namespace {
struct Hidden { int secret; };
}
namespace outer {
struct Top { virtual ~Top(); long long top; };
struct Left : virtual Top { int left; };
struct Right : virtual Top { int right; };
struct Bottom : Left, Right { int bottom; };
enum class Wide : unsigned long long { Small = 1, Huge = 0xffffffffffffffff };
enum Signed { Minus = -1, Least = -2147483647 - 1, Plus = 1000 };
}
using Callback = int (*)(const char *format, ...);
typedef struct { int x, y; } Unnamed;
struct Later;

struct Everything {
    union {
        int whole;
        char parts[4];
    };
    const char *volatile text;
    int &reference;
    Unnamed &&rvalue;
    int Unnamed::*data_member;
    int (Everything::*function_member)(short) const;
    Callback callback;
    Later *later;
    char32_t rows[2][3];
    const unsigned short constants[5];
    bool flag : 1;
    int narrow : 5;
    decltype(nullptr) nothing;
    long number;
    wchar_t letter;
    char8_t octet;
    unsigned char byte;
    signed char tiny;
    float single;
    static int shared;
    static void f(int, double);
    typedef long Nested;
    Nested last;
};

int Everything::shared = 3;
outer::Bottom *bottom;
Everything *everything;
outer::Wide wide = outer::Wide::Huge;
outer::Signed sign = outer::Minus;
Hidden hidden = {7};
const Unnamed *pair;
thread_local short slot_before = 1;
thread_local long slot = 2;
static const long limit = 70000;

outer::Top::~Top() {}
void Everything::f(int, double) {}

int counted(int step)
{
    static int count = 5;
    struct Local { int step; } local = {step};
    count += local.step;
    return count + (step > limit);
}

extern "C" int _fltused = 0, _tls_index = 0;
extern "C" int start()
{
    hidden.secret += counted(2);
    return hidden.secret + slot + slot_before + (int)wide + sign + (bottom ? bottom->bottom : 0)
        + (everything ? everything->narrow : 0) + (pair ? pair->y : 0);
}
void operator delete(void *, unsigned long long) noexcept {}
