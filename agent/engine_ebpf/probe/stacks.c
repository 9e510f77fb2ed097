// The walk: every goroutine's record, its chain of frames by frame pointers, and its stack's bytes where they are wanted.
//
// A stack is copied straight to where its MEMORY record would be; if nobody wants it, the next record overwrites it.
// compiler/ir/raw.py and agent/walk.py say what the records mean.

INLINE u64 mixed(u64 hash, u64 value)
{
    hash = (hash ^ value) * 0x9e3779b97f4a7c15ULL;
    return hash ^ (hash >> 29);
}

// Adds a frame to the chain, which grows in STACKS behind the stacks that are there already. The outermost frame's
// caller has the frame pointer 0: relative to sp it would make every stack another one, so it is written as NO_FRAME.
INLINE void append_frame(u64 pc, u64 bp)
{
    u64 offset = bp ? bp - S->sp : NO_FRAME, at = S->stacks + 16 + 16 * S->entries;
    *(u64 *)BYTES(STACKS, at) = pc;
    *(u64 *)BYTES(STACKS, at + 8) = offset;
    S->hash = mixed(mixed(S->hash, pc), offset);
    u64 inside = bp >= S->sp && bp < S->high;
    if (chunk(pc - 1) & CHUNK_CALL) {
        S->first = smaller(S->first, S->entries);
        S->last = S->entries;
        if (inside && bp > S->reach)
            S->reach = bp;
    }
    if (inside && bp > S->outer)
        S->outer = bp;
    S->entries++;
    S->pc = pc;
    S->bp = bp;
}

// The stack's bytes go to where a MEMORY record would have them; where OUT is full, to SPARE, and no image is kept.
INLINE void begin_window(u64 task)
{
    u64 size = smaller(S->high - S->sp, WINDOW);
    S->window = S->sp;
    S->window_place = S->cursor + 16;
    if (S->cursor + 16 + WINDOW > C->out_limit)
        S->window_place = C->out_limit + HAND_SIZE;
    S->window_size = size;
    if (fetch(task, S->window_place, S->sp, size) < 0) {
        S->window_size = 0;
        S->flags |= FLAG_STACK_FAULT;
    }
}

// Copies more of the stack, towards `end` and then some; 0 where it cannot be read.
INLINE u64 extend_window(u64 task, u64 end)
{
    u64 have = S->window + S->window_size;
    u64 size = smaller(smaller(S->high, end > have + S->window_size ? end : have + S->window_size) - have, PIECE);
    u64 kept = S->window_place < C->out_limit;
    if (kept && S->window_place + S->window_size + PIECE + 8 > C->out_limit)
        kept = 0;
    if (!kept && (S->window_place < C->out_limit || S->window_size + PIECE > SPARE_SIZE)) {
        have = S->window = S->bp; // only the frame at hand matters now
        S->window_place = C->out_limit + HAND_SIZE;
        S->window_size = 0;
        size = smaller(S->high - have, PIECE);
    }
    if (fetch(task, S->window_place + S->window_size, have, size) < 0)
        return 0;
    S->window_size += size;
    return 1;
}

// Takes up the next goroutine; 0 where there is none to walk. Workers take turns at batches of the list.
INLINE u64 begin_goroutine(u64 task)
{
    u64 index = S->next, batch = (BLOCKS << BLOCK_SHIFT) + G_SIZE, m, tid;
    if (index % BATCH == 0) {
        u64 count = smaller(S->length - index, BATCH);
        if (copy_from_target((void *)BYTES(SCRATCH, batch), (count * 8) & 0x7ff, S->list + index * 8, task, 0) < 0) {
            S->lost_list += count;
            S->next = index + BATCH * S->workers;
            return 0;
        }
    }
    S->next = (index + 1) % BATCH ? index + 1 : index + 1 + BATCH * (S->workers - 1);
    S->g = *(u64 *)BYTES(SCRATCH, batch + 8 * (index % BATCH));
    if (fetch_g(task) < 0) {
        S->lost_list++;
        return 0;
    }
    u32 word = g_word(C->g_atomicstatus), status = word & ~GSCAN;
    if (status == 0 || status == 6 || status == 11)
        return 0;
    if (S->goroutines >= C->goroutines_limit) {
        S->lost_goroutines++;
        return 0;
    }
    S->low = g_word(C->g_stack_lo);
    S->high = g_word(C->g_stack_hi);
    m = g_word(C->g_m);
    tid = word_of(task, m, C->m_procid);
    find_start(task, status, m, tid);
    write_goroutine(task, word, m, tid);
    S->entries = S->outer = S->flags = S->hash = S->last = 0;
    S->first = ~0ULL;
    S->special = S->source == SOURCE_THREAD || status == RUNNABLE || status == RUNNING || status == PREEMPTED;
    S->walk = WALK_READY;
    S->window_size = 0;
    if (status == COPYSTACK || S->sp < S->low || S->sp >= S->high) {
        S->flags = FLAG_NO_STACK;
        return 1;
    }
    begin_window(task);
    S->outer = S->reach = S->sp;
    append_frame(S->pc, S->bp);
    S->walk = WALK_FRAMES;
    return 1;
}

INLINE void end_chain(void)
{
    if (S->entries < 2)
        S->special = 1;
    S->walk = S->special || S->first != ~0ULL ? WALK_IMAGE : WALK_READY;
}

INLINE u64 in_callback(u64 pc) { return pc >= C->callback_lo && pc < C->callback_hi; }

// From the frame at hand to its caller. Go code that C called goes on below runtime.cgocallback (see Callback in
// compiler/ir/program.py).
INLINE void next_frame(u64 task)
{
    u64 bp = S->bp, place, caller, pc;
    u32 bits = chunk(S->pc);
    if (bits & CHUNK_OUTERMOST)
        return end_chain();
    if (bp < S->sp || bp > S->high - 16) {
        if (S->special || S->entries < 2) // the decoder may know how to go on
            S->outer = smaller(S->high, S->outer + BROKEN);
        return end_chain();
    }
    if (S->entries >= C->frames) {
        S->flags |= FLAG_FRAMES_CUT;
        return end_chain();
    }
    u64 need = smaller(bp + 32, S->high);
    if (need > S->window + S->window_size) {
        if (!extend_window(task, need)) {
            S->flags |= FLAG_STACK_FAULT;
            end_chain();
        }
        return; // the next round has the bytes
    }
    if (bits & CHUNK_INTERRUPT)
        S->special = 1;
    place = S->window_place + bp - S->window;
    caller = word_at(place);
    pc = word_at(place + 8);
    if (in_callback(S->pc)) { // called by C, and that by cgocall
        caller = bp + 16 + C->callback_between + C->cgocall_size;
        pc = bp + 32 > S->high ? 0 : word_at(place + 16 + C->callback_between);
        if (pc < C->cgocall_lo || pc >= C->cgocall_hi)
            pc = 0;
    } else if (in_callback(pc)) { // whose frame pointer is C's
        caller = bp + 8 + C->callback_size;
    }
    if (!pc)
        return end_chain();
    append_frame(pc, caller);
    if (caller <= bp)
        end_chain();
}

// The image has the frames that are asked about, and all of them where the decoder may have to mend the chain.
INLINE u64 image_end(void) { return smaller(S->high, (S->special ? S->outer : S->reach) + 16 + C->above); }

// One round of bpf_loop: a frame, or a piece of the image that the frames did not need.
int walk_frame(struct run *run)
{
    if (S->walk == WALK_FRAMES) {
        next_frame(run->task);
        return 0;
    }
    if (S->walk != WALK_IMAGE)
        return 1;
    if (S->window != S->sp || S->window + S->window_size >= image_end()) {
        S->walk = WALK_READY;
        return 1;
    }
    if (!extend_window(run->task, image_end())) {
        S->flags |= FLAG_STACK_FAULT;
        S->walk = WALK_READY;
        return 1;
    }
    return S->copied > C->run_bytes;
}

// The id of the chain at hand: that of an equal one, or a new one, which keeps it. 0 is the empty stack.
INLINE u64 stack_id(void)
{
    u64 hash = S->hash | 1, size = 16 + 16 * S->entries, id = S->first_stack + (S->stacks >> 3);
    struct StackSlot *slot;
    if (!S->entries)
        return 0;
    for (u64 i = 0; i < PROBES; i++) {
        slot = ROW(STACK_SLOTS, StackSlot, (hash >> 20) + i);
        if (slot->hash == hash && slot->count == S->entries)
            return slot->id;
        if (!slot->hash)
            break;
    }
    if (S->stacks + size > C->stacks_limit) {
        S->flags |= FLAG_NO_STACK;
        S->lost_stacks++;
        return 0;
    }
    if (!slot->hash) {
        slot->hash = hash;
        slot->id = id;
        slot->count = S->entries;
    }
    *(u64 *)BYTES(STACKS, S->stacks) = KIND_STACK | ((size - 8) << 32);
    *(u64 *)BYTES(STACKS, S->stacks + 8) = id | (S->entries << 32);
    S->stacks += size;
    return id;
}

// Keeps the stack's bytes as a MEMORY record, if they are all there and in their place.
INLINE void keep_image(struct Image *image)
{
    u64 size = S->window_size;
    image->place = 0;
    if ((!S->special && S->first == ~0ULL) || !S->window_size)
        return;
    if (!S->special)
        size = smaller(size, image_end() - S->sp);
    if (S->window != S->sp || S->window_place != S->cursor + 16 || S->cursor + 16 + padded(size) > C->out_limit) {
        S->lost_budget++;
        return;
    }
    set_word(S->cursor, KIND_MEMORY | ((size + 8) << 32));
    set_word(S->cursor + 8, S->sp);
    image->place = S->window_place;
    image->size = size;
    image->first = S->special ? 0 : S->first;
    image->last = S->special ? S->entries - 1 : S->last;
    image->thread = S->thread;
    image->special = S->special;
    S->cursor += 16 + padded(size);
    S->flags |= FLAG_IMAGE;
}

INLINE void end_goroutine(void)
{
    struct GoroutineRow *record = ROW(GOROUTINES, GoroutineRow, S->goroutines);
    record->stack_id = stack_id();
    keep_image(ROW(IMAGES, Image, S->goroutines));
    record->flags = S->flags;
    S->frames_cut += (S->flags & FLAG_FRAMES_CUT) != 0;
    S->stacks_faulted += (S->flags & FLAG_STACK_FAULT) != 0;
    S->stacks_missing += (S->flags & FLAG_NO_STACK) != 0;
    S->goroutines++;
    S->walk = WALK_NONE;
}

// One goroutine, or as much of it as one step can do.
INLINE void stacks_step(struct run *run)
{
    if (S->walk == WALK_NONE) {
        if (S->next >= S->length) {
            S->phase = C->has_values || C->has_details ? PHASE_VALUES : PHASE_DONE;
            S->stacks_done_ns = clock_ns();
            return;
        }
        if (!begin_goroutine(run->task))
            return;
    }
    if (S->walk != WALK_READY)
        bpf_loop_over(64, (void *)ADDRESS_OF_walk_frame, run, 0);
    if (S->walk == WALK_READY)
        end_goroutine();
}
