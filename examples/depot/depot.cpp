// Loads a van and plans its tour. The last parcel was booked without an address, which add_stop does not expect.

enum class Priority : unsigned char { Economy, Standard, Express = 7 };

struct Position {
    double latitude;
    double longitude;
};

struct Address {
    const char *street;
    const wchar_t *town;
    Position position;
};

template <typename T, int Capacity>
class Sequence {
public:
    void push(T item) { m_items[m_size++] = item; }
    int size() const { return m_size; }
    T operator[](int index) const { return m_items[index]; }

private:
    T m_items[Capacity];
    int m_size = 0;
};

class Item {
public:
    Item(unsigned number, const char *label) : m_number(number), m_label(label) {}
    virtual int grams() const = 0;
    virtual const Address *destination() const = 0;

protected:
    unsigned m_number;
    const char *m_label;
};

class Letter : public Item {
public:
    Letter(unsigned number, const char *label, const Address *to) : Item(number, label), m_to(to) {}
    int grams() const override { return 20; }
    const Address *destination() const override { return m_to; }

private:
    const Address *m_to;
};

class Parcel : public Item {
public:
    struct Size {
        unsigned width : 10, height : 10, depth : 10; // in millimetres
        unsigned is_fragile : 1;
    };

    Parcel(unsigned number, const char *label, const Address *to, int grams, Size size, Priority priority)
        : Item(number, label), m_to(to), m_grams(grams), m_size(size), m_priority(priority)
    {
    }
    int grams() const override { return m_grams; }
    const Address *destination() const override { return m_to; }

private:
    const Address *m_to;
    int m_grams;
    Size m_size;
    Priority m_priority;
};

struct Stop {
    const Address *address;
    int grams;
    Stop *next;
};

struct Tour {
    Stop *first = nullptr;
    Stop *last = nullptr;
    double northernmost = -90;
};

static int g_loaded_grams = 0;

static void add_stop(Tour &tour, Stop &stop, const Item &item)
{
    const Address *to = item.destination();
    stop = {to, item.grams(), nullptr};
    double latitude = to->position.latitude;
    if (latitude > tour.northernmost)
        tour.northernmost = latitude;
    (tour.last ? tour.last->next : tour.first) = &stop;
    tour.last = &stop;
    g_loaded_grams += stop.grams;
}

// Not inlined, so that an optimiser does not know what is loaded.
__attribute__((noinline)) void plan(Tour &tour, const Sequence<const Item *, 8> &load, Stop *stops)
{
    for (int index = 0; index < load.size(); index++)
        add_stop(tour, stops[index], *load[index]);
}

int main()
{
    const Address mill = {"Mill Lane 3", L"Kolding", {55.4904, 9.4722}};
    const Address quay = {"Long Quay 12", L"Ærøskøbing", {54.8886, 10.4114}};
    const Letter letter(1, "invoice", &quay);
    const Parcel lamp(2, "lamp", &mill, 1850, {300, 420, 310, 1}, Priority::Express);
    const Parcel books(3, "books", nullptr, 7200, {400, 250, 300, 0}, Priority::Economy);
    Sequence<const Item *, 8> load;
    load.push(&letter);
    load.push(&lamp);
    load.push(&books);
    Stop stops[8];
    Tour tour;
    plan(tour, load, stops);
    return tour.last->grams;
}

// What a C++ runtime would bring.
extern "C" {
int _fltused = 1; // says that the program computes with floating point
void *memset(void *to, int byte, unsigned long long count)
{
    for (unsigned long long at = 0; at < count; at++)
        static_cast<volatile char *>(to)[at] = static_cast<char>(byte);
    return to;
}
void *memcpy(void *to, const void *from, unsigned long long count)
{
    for (unsigned long long at = 0; at < count; at++)
        static_cast<volatile char *>(to)[at] = static_cast<const char *>(from)[at];
    return to;
}
void _purecall() {}          // of Microsoft's compiler
void __cxa_pure_virtual() {} // of the others
#ifdef __MINGW32__
void __main() {}
#endif
void ExitProcess(unsigned code);

int mainCRTStartup()
{
    int result = main();
    ExitProcess(static_cast<unsigned>(result));
    return result;
}
}
