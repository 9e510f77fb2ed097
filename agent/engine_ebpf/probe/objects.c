// From one copied object to what it leads to. Contents (strings, slices, maps, channels) are followed at once, on the
// WORK stack, so that a header is never without them; pointees wait in QUEUE, so that all of one depth come before the next.

INLINE struct Work *work_at(u64 index) { return ROW(WORK, Work, index); }

// A new piece of work on top of the others, or 0 where there are too many within each other.
INLINE struct Work *push(u32 kind, u32 type, u32 depth)
{
    struct Work *work;
    if (S->top >= WORK_DEPTH) {
        S->lost_queue++;
        return 0;
    }
    work = work_at(S->top++);
    work->kind = kind;
    work->type = type;
    work->depth = depth;
    return work;
}

// `left` elements of `type` that lie at `place` in OUT.
INLINE void set_elements(struct Work *work, u32 type, u64 place, u64 left, u64 stride)
{
    struct TypeRow *row = ROW(TYPES, TypeRow, type);
    work->kind = WORKKIND_ELEMENTS;
    work->type = type;
    work->place = place;
    work->left = left;
    work->stride = stride;
    work->op = row->first_op;
    work->op_end = row->op_end;
}

INLINE void push_elements(u32 type, u64 place, u64 left, u64 stride, u32 depth)
{
    struct TypeRow *row = ROW(TYPES, TypeRow, type);
    struct Work *work;
    if (row->first_op == row->op_end || !left)
        return;
    work = push(WORKKIND_ELEMENTS, type, depth);
    if (work)
        set_elements(work, type, place, left, stride);
}

// `left` elements at `address`, not copied yet: CONTENT, or one CONTAINER.
INLINE void push_content(u32 kind, u64 address, u32 type, u64 left, u64 stride, u32 depth)
{
    struct Work *work;
    if (!address || !left || !stride)
        return;
    work = push(kind, type, depth);
    if (!work)
        return;
    work->address = address;
    work->left = left;
    work->stride = stride;
}

// Whether as many elements at this address were followed at least as deep; if not, they are from now on. More elements
// less deep and fewer elements deeper are kept apart: neither makes up for the other.
INLINE u64 seen(u64 address, u32 type, u64 count, u64 depth)
{
    u64 hash = (address ^ ((u64)type << 40)) * 0x9e3779b97f4a7c15ULL, bucket = (hash >> 24) << 2;
    struct SeenRow *row = ROW(SEEN, SeenRow, bucket + (hash >> 62)); // what a full bucket gives up: it is copied twice
    for (u64 i = 0; i < 4; i++) {
        struct SeenRow *known = ROW(SEEN, SeenRow, bucket + i);
        if (!known->address) {
            row = known;
            break;
        }
        if (known->address != address || known->type != type)
            continue;
        if (known->count >= count && known->depth >= depth)
            return 1;
        if (known->count <= count && known->depth <= depth) {
            row = known;
            break;
        }
    }
    row->address = address;
    row->type = type;
    row->count = count;
    row->depth = depth;
    return 0;
}

// A pointee, for later.
INLINE void enqueue(u64 address, u32 type, u32 depth)
{
    struct TypeRow *row = ROW(TYPES, TypeRow, type);
    struct Queued *queued;
    if (!address || !row->stride || !row->items || seen(address, row->item, row->items, depth))
        return;
    if (S->tail - S->head > QUEUE_MASK) {
        S->lost_queue++;
        return;
    }
    queued = ROW(QUEUE, Queued, S->tail++);
    queued->address = address;
    queued->type = type;
    queued->depth = depth;
}

// The next object of the queue.
INLINE void dequeue(void)
{
    struct Queued *queued = ROW(QUEUE, Queued, S->head++);
    struct TypeRow *row = ROW(TYPES, TypeRow, queued->type);
    push_content(WORKKIND_CONTENT, queued->address, row->item, row->items, row->stride, queued->depth);
}

// CONTENT: copy the elements, in one go if they are small; then they are ELEMENTS.
INLINE void content_step(struct Work *work, u64 task)
{
    u64 size = work->left * work->stride, place;
    S->top--;
    if (size <= PIECE) {
        place = copy_memory(task, work->address, size);
    } else {
        place = begin_memory(work->address, size);
        if (place) {
            set_word(place - 16, KIND_MEMORY | (8ULL << 32));
            S->top++;
            S->cursor = place;
            work->kind = WORKKIND_COPY;
            work->place = place;
            work->batch = size;
        }
        return;
    }
    if (!place || work->type == BYTES_TYPE)
        return;
    set_elements(work, work->type, place, work->left, work->stride);
    if (work->op != work->op_end)
        S->top++;
}

// COPY: one more piece. The record's length always says how much is there, so that it is sound at any time.
INLINE void copy_step(struct Work *work, u64 task)
{
    u64 size = smaller(work->batch, PIECE), done = S->cursor - work->place;
    if (fetch(task, S->cursor, work->address + done, size) < 0) {
        S->top--;
        S->cursor = done ? work->place + done : work->place - 16;
        note_fault(work->address + done, work->batch);
        return;
    }
    done += size;
    work->batch -= size;
    set_word(work->place - 16, KIND_MEMORY | ((done + 8) << 32));
    S->cursor = work->place + done;
    if (work->batch)
        return;
    S->cursor = work->place + padded(done);
    S->top--;
    if (work->type == BYTES_TYPE)
        return;
    set_elements(work, work->type, work->place, work->left, work->stride);
    if (work->op != work->op_end)
        S->top++;
}

// The word at `base` + `offset`; what lies between is copied too. A few recent ones are remembered: many goroutines have
// the same itabs, and a goroutine's frames the same variables.
INLINE u64 copied_word(u64 task, u64 base, u64 offset)
{
    u64 address = base + offset, place, value;
    struct WordRow *row = ROW(WORDS, WordRow, (address * 0x9e3779b97f4a7c15ULL) >> 40);
    if (row->address == address)
        return row->value;
    place = copy_memory(task, base, (offset & (PIECE - 1)) + 8);
    if (!place)
        return 0;
    value = word_at(place + offset);
    row->address = address;
    row->value = value;
    return value;
}

// Whether a value of the type leads to what one pointer points to, and no further.
INLINE u64 is_pointer(u32 type)
{
    struct TypeRow *row = ROW(TYPES, TypeRow, type);
    return row->op_end - row->first_op == 1 && ROW(OPS, Op, row->first_op)->kind == OPKIND_POINTER;
}

// {type or itab, data} at `place`: its value is followed if the Program knows the type. See chase.held_depth for the depth.
INLINE void follow_interface(u64 task, u64 place, struct Op *op, u32 depth)
{
    u64 type = word_at(place), row, offset;
    u32 is_free = op->type;
    struct DynamicRow *dynamic;
    if (!type)
        return;
    if (op->kind == OPKIND_INTERFACE)
        type = copied_word(task, type, op->number);
    if (!type || (!depth && !is_free))
        return;
    offset = type - C->types_base;
    row = search(C->dynamic_base, C->dynamic_half, offset);
    if (key_of(C->dynamic_base, row) != offset)
        return;
    dynamic = ROW(DYNAMIC, DynamicRow, row);
    if (!is_free)
        depth--;
    else if (dynamic->direct && is_pointer(dynamic->type))
        depth++;
    if (dynamic->direct)
        push_elements(dynamic->type, place + 8, 1, 8, depth);
    else
        enqueue(word_at(place + 8), dynamic->type, depth);
}

// What one operation of a type leads to, its element being at `base`.
INLINE void follow(u64 task, struct Op *op, u64 base, u32 depth)
{
    u64 place = base + op->at, address = word_at(place), count = 0, stride = 1;
    u32 type = BYTES_TYPE, kind = op->kind, content = WORKKIND_CONTENT;
    if (kind == OPKIND_ANY || kind == OPKIND_INTERFACE)
        return follow_interface(task, place, op, depth);
    if (kind == OPKIND_ARRAY)
        return push_elements(op->type, place, op->number, ROW(TYPES, TypeRow, op->type)->size, depth);
    if (!address)
        return;
    if (kind == OPKIND_POINTER) {
        if (depth)
            enqueue(address, op->type, depth - 1);
        return;
    }
    if (kind == OPKIND_STRING || kind == OPKIND_BYTES) {
        count = smaller(sane(word_at(place + 8)), C->string_bytes);
        depth = 0;
    } else if (kind == OPKIND_SLICE) {
        count = smaller(sane(word_at(place + 8)), C->slice_items);
        stride = op->number;
        type = op->type;
    } else if (kind == OPKIND_BOX) {
        count = 1;
        stride = op->number;
        type = op->type;
    } else if (kind == OPKIND_FUNC) {
        count = 8;
        depth = 0;
    } else { // OPKIND_CONTAINER
        count = 1;
        type = op->type;
        content = WORKKIND_CONTAINER;
    }
    if (count && !seen(address, type, count, depth))
        push_content(content, address, type, count, stride, depth);
}

// ELEMENTS: one operation of one element.
INLINE void elements_step(struct Work *work, u64 task)
{
    u64 place = work->place;
    struct Op *op = ROW(OPS, Op, work->op);
    u32 depth = work->depth;
    work->op++;
    if (work->op >= work->op_end) {
        struct TypeRow *row = ROW(TYPES, TypeRow, work->type);
        work->op = row->first_op;
        work->place += work->stride;
        work->left--;
        if (!work->left)
            S->top--;
    }
    follow(task, op, place, depth);
}
