// The target's memory, and OUT: what is copied of it, as the records that go to the decoder.
//
// The target is only ever read. A map is reached by its address, which the loader puts in place of SYMBOL(); every index
// is masked with the map's size, so no value in a table or in the target can lead outside.

#define SYMBOL(mark) ({ u64 _value; asm("%0 = " TEXT(mark) " ll" : "=r"(_value)); _value; })
#define TEXT(mark) TEXT_OF(mark)
#define TEXT_OF(mark) #mark
#define INLINE static inline __attribute__((always_inline))

#define ROW(NAME, type, index) ((struct type *)(NAME + ((index) & NAME##_MASK) * sizeof(struct type)))
#define BYTES(NAME, index) (NAME + ((index) & NAME##_MASK))
#define S ((struct State *)STATE)
#define C ((struct Config *)CONFIG)

static long (*bpf_loop_over)(u32 count, void *callback, void *context, u64 flags) = (void *)181;
static u64 (*clock_ns)(void) = (void *)5; // CLOCK_MONOTONIC
static long (*copy_from_target)(void *to, u32 size, u64 address, u64 task, u64 flags) = (void *)191;

// What the callbacks of bpf_loop share: the target's task.
struct run {
    u64 task;
};

INLINE u64 word_at(u64 place) { return *(u64 *)BYTES(OUT, place); }
INLINE u32 byte_at(u64 place) { return *(u8 *)BYTES(OUT, place); }
INLINE void set_word(u64 place, u64 value) { *(u64 *)BYTES(OUT, place) = value; }
INLINE u64 smaller(u64 a, u64 b) { return a < b ? a : b; }
INLINE u64 larger(u64 a, u64 b) { return a > b ? a : b; }
INLINE u64 padded(u64 size) { return (size + 7) & ~7ULL; }
INLINE u64 sane(u64 length) { return length < MAX_LENGTH ? length : 0; }

// Copies up to PIECE bytes to `place` in OUT without a record; 0, or less where they cannot be read.
INLINE long fetch(u64 task, u64 place, u64 address, u64 size)
{
    S->copied += size;
    return copy_from_target((void *)BYTES(OUT, place), size & (LARGEST_COPY - 1), address, task, 0);
}

INLINE void note_fault(u64 address, u64 size)
{
    u64 at = S->cursor;
    S->faults++;
    if (at + 24 > C->out_limit) {
        S->lost_budget++;
        return;
    }
    set_word(at, KIND_FAULT | (16ULL << 32));
    set_word(at + 8, address);
    set_word(at + 16, (u32)size);
    S->cursor = at + 24;
}

// Begins a MEMORY record that will have `size` bytes; where they go, or 0 where there is no room.
INLINE u64 begin_memory(u64 address, u64 size)
{
    u64 at = S->cursor;
    if (size > C->out_limit || at + 16 + padded(size) > C->out_limit) {
        S->lost_budget++;
        return 0;
    }
    set_word(at, KIND_MEMORY | ((size + 8) << 32));
    set_word(at + 8, address);
    set_word(at + 16 + (size & ~7ULL), 0);
    return at + 16;
}

// Copies these up to PIECE bytes as a MEMORY record of their own; where they are, or 0.
INLINE u64 copy_exactly(u64 task, u64 address, u64 size)
{
    u64 place = begin_memory(address, size);
    if (!place)
        return 0;
    if (fetch(task, place, address, size) < 0) {
        note_fault(address, size);
        return 0;
    }
    S->cursor = place + padded(size);
    return place;
}

// Copies an object of up to PIECE bytes; where its bytes are, or 0. Small objects share pages: the second one of a page
// brings the whole page, as a MEMORY record, and what else is wanted of it costs no copy. A page of which one object is wanted
// is not worth it, and once the pages have had their share of OUT, none is.
INLINE u64 copy_memory(u64 task, u64 address, u64 size)
{
    u64 page = address >> PAGE_SHIFT, inside = address & (PAGE - 1), bucket, place = 0;
    if (inside + size > PAGE)
        return copy_exactly(task, address, size);
    bucket = ((page * 0x9e3779b97f4a7c15ULL) >> 36) << 2;
    struct PageRow *row = ROW(PAGES, PageRow, bucket + (page & 3)); // what a full bucket gives up
    for (u64 i = 0; i < 4; i++) {
        struct PageRow *known = ROW(PAGES, PageRow, bucket + i);
        if (!known->page || known->page == page) {
            row = known;
            break;
        }
    }
    if (row->page == page) {
        place = row->place;
        if (!place && S->page_bytes + PAGE <= C->page_bytes) {
            place = copy_exactly(task, address - inside, PAGE);
            row->place = place;
            S->page_bytes += PAGE;
        }
    } else {
        row->page = page;
        row->place = 0;
    }
    return place ? place + inside : copy_exactly(task, address, size);
}

// The last row of a sorted table in KEYS that is not greater than `key` (row 0 if all are). Without branches, so that
// the verifier has one path: each step adds `step` or nothing.
INLINE u64 search(u64 base, u64 half, u64 key)
{
    u64 row = 0, step = half;
    for (int i = 0; i < SEARCH_STEPS; i++) {
        u64 at = *(u64 *)(KEYS + ((base + row + step) & KEYS_MASK) * 8);
        row += step & (0 - ((at - key - 1) >> 63));
        step >>= 1;
    }
    return row;
}

INLINE u64 key_of(u64 base, u64 row) { return *(u64 *)(KEYS + ((base + row) & KEYS_MASK) * 8); }

// What is in the text around a PC: Chunk bits.
INLINE u32 chunk(u64 pc)
{
    u64 index = (pc - C->chunk_base) >> CHUNK_SHIFT;
    if (index >= C->chunks)
        return 0;
    return *(u8 *)BYTES(CHUNKS, index);
}
