// From a goroutine's frames to the values that its columns begin with; they are put to work, or into the queue.
//
// Where a frame's CFA is not certain, every guess is followed: the decoder knows the right one (agent/roots.py).

#define HAND (C->out_limit)
#define GUESSES 8
#define CFA_GUESSES 3

// What hangs on the goroutine itself, for later: its labels, and what it waits for (see Details in compiler/ir/program.py).
INLINE void follow_details(struct GoroutineRow *record)
{
    u32 status = record->status & ~GSCAN, reason = record->waitreason;
    if (!C->has_details)
        return;
    if (record->labels && C->labels != (u32)NO_TYPE)
        enqueue(record->labels, C->labels, MAX_WAITS);
    if (record->waiting && (status == WAITING || status == LEAKED))
        enqueue(record->waiting, reason < 64 && (C->selects >> reason & 1) ? C->selecting : C->waiter, MAX_WAITS);
}

// The next goroutine: its details, and its frames if it has an image.
INLINE void next_goroutine(void)
{
    struct Image *image = ROW(IMAGES, Image, S->turn);
    struct GoroutineRow *record = ROW(GOROUTINES, GoroutineRow, S->turn);
    S->image = 0;
    if (S->turn >= S->goroutines)
        return;
    S->turn++;
    follow_details(record);
    if (!C->has_values || !image->place)
        return;
    S->image = image->place;
    S->image_size = image->size;
    S->image_thread = image->thread;
    S->image_special = image->special;
    S->image_low = record->stack_lo;
    S->image_high = record->stack_hi;
    S->chain_sp = record->sp;
    S->chain = record->stack_id ? (record->stack_id - S->first_stack) << 3 : 0;
    S->entry = image->first;
    S->image_last = image->last;
    S->guess = 0;
}

INLINE u64 chain_pc(u64 entry) { return *(u64 *)BYTES(STACKS, S->chain + 16 + 16 * entry); }
INLINE u64 chain_bp(u64 entry) { return *(u64 *)BYTES(STACKS, S->chain + 24 + 16 * entry) + S->chain_sp; }

// A word of the image; 0 outside of it.
INLINE u64 image_word(u64 address)
{
    u64 at = address - S->chain_sp;
    if (S->image_size < 8 || at > S->image_size - 8)
        return 0;
    return word_at(S->image + at);
}

// Sets out on the roots at this PC, if there are any.
INLINE void find_roots(u64 pc, u64 exact, u64 cfa)
{
    u64 base, row;
    struct IntervalRow *found;
    if (!exact)
        pc--;
    if (!(chunk(pc) & (exact ? CHUNK_EXACT : CHUNK_CALL)))
        return;
    base = exact ? C->exact_base : C->calls_base;
    row = search(base, exact ? C->exact_half : C->calls_half, pc);
    found = ROW(INTERVALS, IntervalRow, base + row);
    if (key_of(base, row) > pc || pc >= found->hi)
        return;
    S->cfa = cfa;
    S->root = found->first;
    S->root_end = found->end;
}

// One look at one frame. A frame that a signal or a preemption may have stopped anywhere gets several: its PC is exact
// or not, its CFA is where its frame pointer says or right above SP, and a caller may be missing from the chain.
INLINE void frame_step(void)
{
    u64 entry = S->entry, guess = S->guess, pc = chain_pc(entry), cfa = chain_bp(entry) + 16, exact = 0;
    u64 uncertain = entry ? (chunk(chain_pc(entry - 1)) & CHUNK_INTERRUPT) : S->image_special;
    if (uncertain) {
        u64 sp = entry ? chain_bp(entry - 1) + 16 : S->chain_sp;
        if (guess >= 2 * CFA_GUESSES) {
            pc = image_word(sp + (guess == 2 * CFA_GUESSES ? 0 : 8));
        } else {
            exact = guess < CFA_GUESSES;
            if (guess % CFA_GUESSES)
                cfa = sp + 8 * (guess % CFA_GUESSES);
        }
    }
    S->guess = guess + 1;
    if (!uncertain || S->guess >= GUESSES) {
        S->guess = 0;
        S->entry = entry + 1;
    }
    S->at_entry = entry;
    find_roots(pc, exact, cfa);
}

// The bytes of a frame's slot: in the image, or copied; 0 where it is outside of the stack.
INLINE u64 slot_place(u64 task, u64 address, u64 size)
{
    u64 at = address - S->chain_sp;
    if (size <= S->image_size && at <= S->image_size - size)
        return S->image + at;
    if (address < S->image_low || address > S->image_high - size)
        return 0;
    return copy_memory(task, address, size);
}

// Brings a piece into HAND, where the root is put together and the one before it still lies.
INLINE void take_piece(u64 task, struct RootRow *row)
{
    u64 to = HAND + row->at, address = row->value, place = 0;
    if (row->kind == ROOTKIND_NOTHING)
        return set_word(to, 0);
    if (row->kind == ROOTKIND_REGISTER) {
        u64 known = S->at_entry == 0 && S->image_special && S->image_thread != (u32)~0U;
        u64 number = row->type < 17 ? row->type : 16;
        set_word(to, known ? thread_row(S->image_thread)->registers[number] : 0);
        return;
    }
    if (row->kind == ROOTKIND_STACK) {
        address += S->cfa;
        place = slot_place(task, address, row->size);
    } else {
        place = copy_memory(task, address, row->size);
    }
    if (!place)
        set_word(to, 0);
    else if (row->size <= 8)
        set_word(to, word_at(place));
    else
        fetch(task, to, address, row->size);
}

// RANGE: some elements of a slice or string, as far as its length reaches.
INLINE void push_range(struct RootRow *row, u64 header)
{
    u64 address = word_at(header), length = sane(word_at(header + 8)), from = (u32)row->value;
    u64 count = (u64)row->value >> 32;
    if (address && length > from)
        push_content(WORKKIND_CONTENT, address + from * row->size, row->type, smaller(length - from, count), row->size,
                     C->depth);
}

// One instruction of a root (RootKind). Each Deref leads to a level of its own: `addresses` has where its object is, and
// `places` where in OUT that object would begin, of which only spans are there.
INLINE void root_step(u64 task)
{
    struct RootRow *row = ROW(ROOTS, RootRow, S->root);
    u32 kind = row->kind, level = row->level & (LEVELS - 1);
    u64 *place = &S->places[level], *address = &S->addresses[level], at = row->at, found;
    S->root++;
    if (kind == ROOTKIND_VALUE)
        return push_elements(row->type, *place + at, 1, 8, C->depth + row->value);
    if (kind == ROOTKIND_QUEUE)
        return enqueue(*address + at, row->type, C->depth + row->value);
    if (kind == ROOTKIND_RANGE)
        return push_range(row, *place + at);
    if (kind == ROOTKIND_STACK || kind == ROOTKIND_REGISTER || kind == ROOTKIND_ADDRESS || kind == ROOTKIND_NOTHING)
        return take_piece(task, row);
    if (kind == ROOTKIND_DEREF) {
        found = word_at(S->places[(level - 1) & (LEVELS - 1)] + at);
        *address = found;
    } else if (kind == ROOTKIND_CHOICE) {
        found = word_at(*place + at) == (u64)row->value;
    } else if (kind == ROOTKIND_SPAN) {
        found = seen(*address + at, row->type, 1, 0) ? 0 : copy_memory(task, *address + at, row->size);
        *place = found - at;
    } else {
        if (kind == ROOTKIND_WHOLE_STACK)
            found = slot_place(task, S->cfa + row->value, row->size);
        else if (kind == ROOTKIND_WHOLE_ADDRESS)
            found = copy_memory(task, row->value, row->size);
        else
            found = HAND;
        *place = found;
    }
    if (!found)
        S->root = row->next; // there is nothing there, it was followed before, or it is of another type
}
