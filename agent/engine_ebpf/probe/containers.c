// What is inside of maps, tries and channels. go/src/internal/runtime/maps, go/src/runtime/{map,chan}.go and
// go/src/internal/sync/hashtriemap.go have the layouts; the offsets come from the Program.

#define SLOTS 8
#define SAME_SIZE_GROW 8
#define DIRECTORY_PIECE 512 // pointers to tables that are copied in one go: the first few have what the limit asks for

INLINE struct Layout *layout_of(struct Work *work)
{
    return ROW(LAYOUTS, Layout, ROW(TYPES, TypeRow, work->type)->layout);
}

// WAITERS: the sudog at hand; then the next.
INLINE void waiters_step(struct Work *work, u64 task)
{
    struct Layout *layout = layout_of(work);
    u64 place = copy_memory(task, work->address, layout->waiter_size);
    work->address = place ? word_at(place + layout->waiter_next) : 0;
    work->left--;
    if (!work->address || !work->left)
        S->top--;
}

// A channel's buffer is a ring: what is in it are up to two spans. Who waits at it is copied after that.
INLINE void open_chan(struct Work *work, struct Layout *layout, u64 header)
{
    u64 capacity = sane(word_at(header + layout->length)), buffer = word_at(header + layout->pointer);
    u64 shown = smaller(smaller(capacity, sane(word_at(header + layout->count))), C->slice_items), first, straight;
    u32 depth = work->depth, type = work->type;
    S->top--;
    if (layout->waiter_size) {
        push_content(WORKKIND_WAITERS, word_at(header + layout->receivers), type, C->slice_items, 1, 0);
        push_content(WORKKIND_WAITERS, word_at(header + layout->senders), type, C->slice_items, 1, 0);
    }
    if (!shown)
        return;
    first = word_at(header + layout->first) % capacity;
    straight = smaller(shown, capacity - first);
    push_content(WORKKIND_CONTENT, buffer, layout->value, shown - straight, layout->elem_size, depth);
    push_content(WORKKIND_CONTENT, buffer + first * layout->elem_size, layout->value, straight, layout->elem_size, depth);
}

// TRIE: the node at `node` in OUT has children. Its level is `chain`; the root's work at `old` in WORK has what all share:
// how many entries are `wanted`, and at how many nodes one may look (`batch`).
INLINE void set_children(struct Work *work, struct Layout *layout, u64 node, u64 level, u64 root)
{
    work->kind = WORKKIND_TRIE;
    work->place = node + layout->pointer;
    work->left = layout->length;
    work->address = 0;
    work->chain = level;
    work->old = root;
}

// TRIE: one more node, which is an entry or has children of its own.
INLINE void trie_step(struct Work *work, u64 task)
{
    struct Layout *layout = layout_of(work);
    struct Work *root = work_at(work->old), *inner;
    u64 address = work->address, head = smaller(layout->header_size, layout->group_size), place, is_entry, size;
    if (!root->wanted || !root->batch || (!address && !work->left)) {
        S->top--;
        return;
    }
    if (!address) {
        address = word_at(work->place);
        work->place += 8;
        work->left--;
        if (!address)
            return;
    }
    root->batch--;
    work->address = 0;
    place = copy_memory(task, address, head);
    is_entry = place ? byte_at(place + layout->flags) : 0;
    size = is_entry ? layout->group_size : layout->header_size;
    if (place && size > head)
        place = copy_memory(task, address, size);
    if (!place)
        return;
    if (is_entry) {
        root->wanted--;
        work->address = word_at(place + layout->overflow); // one more of the same hash
        if (layout->value_follows)
            push_elements(layout->value, place + layout->value_at, 1, 8, work->depth);
        if (layout->key_follows)
            push_elements(layout->key, place + layout->key_at, 1, 8, larger(work->depth, layout->key_depth));
        return;
    }
    if (work->chain >= MAX_LEVELS)
        return;
    inner = push(WORKKIND_TRIE, work->type, work->depth);
    if (inner)
        set_children(inner, layout, place, work->chain + 1, work->old);
}

// CONTAINER: copy the header; then it is worked at as its kind demands.
INLINE void container_step(struct Work *work, u64 task)
{
    struct Layout *layout = layout_of(work);
    u64 header = copy_memory(task, work->address, layout->header_size), bits;
    u32 maps = layout->kind == LAYOUTKIND_SWISS || layout->kind == LAYOUTKIND_HASH;
    if (!header || (maps && !word_at(header + layout->count))) {
        S->top--;
        return;
    }
    if (layout->kind == LAYOUTKIND_CHAN)
        return open_chan(work, layout, header);
    if (layout->kind == LAYOUTKIND_TRIE) {
        work->wanted = layout->scan ? layout->scan : C->map_entries;
        work->batch = MAX_GROUPS;
        return set_children(work, layout, header, 0, S->top - 1);
    }
    work->wanted = smaller(layout->scan ? layout->scan : C->map_entries, sane(word_at(header + layout->count)));
    work->batch = work->slot = work->chain = work->old = work->last = work->directory_left = 0;
    work->address = word_at(header + layout->pointer);
    if (layout->kind == LAYOUTKIND_HASH) {
        bits = byte_at(header + layout->length);
        work->kind = WORKKIND_HASH;
        work->left = smaller(1ULL << (bits < 32 ? bits : 32), MAX_GROUPS);
        work->directory = word_at(header + layout->old);
        work->directory_left = byte_at(header + layout->flags) & SAME_SIZE_GROW ? work->left : work->left >> 1;
        if (!work->directory_left)
            work->directory_left = 1;
        return;
    }
    work->kind = WORKKIND_SWISS;
    work->left = 1; // a small map has one group and no tables
    bits = smaller(sane(word_at(header + layout->length)), MAX_DIRECTORY);
    if (!bits)
        return;
    work->left = 0;
    work->directory = work->address;
    work->directory_left = bits;
}

// Whether a key may be the one that is looked for.
INLINE u64 passes(struct Layout *layout, u64 key)
{
    u64 value = word_at(key + layout->filter_at), wanted = layout->filter_low | (u64)layout->filter_high << 32;
    u64 unused = 64 - 8 * layout->filter_size;
    return value << (unused & 63) == wanted << (unused & 63);
}

// The next slot of the group or bucket at hand: its key and its value, if it is full.
INLINE void slot_step(struct Work *work, struct Layout *layout)
{
    u64 place = work->place, slot = work->slot;
    u32 control = byte_at(place + slot), depth = work->depth;
    u64 full = layout->kind == LAYOUTKIND_SWISS ? control < 0x80 : control >= 5;
    work->slot = slot + 1;
    if (slot + 1 >= SLOTS) {
        work->slot = 0;
        work->batch--;
        work->place += layout->group_size;
        if (layout->kind == LAYOUTKIND_HASH)
            work->chain = word_at(place + layout->overflow);
    }
    if (!full || !work->wanted)
        return;
    work->wanted--;
    if (layout->filter_size && !passes(layout, place + layout->key_at + slot * layout->key_stride))
        return;
    if (layout->value_follows)
        push_elements(layout->value, place + layout->value_at + slot * layout->value_stride, 1, 8, depth);
    if (layout->key_follows)
        push_elements(layout->key, place + layout->key_at + slot * layout->key_stride, 1, 8, larger(depth, layout->key_depth));
}

// SWISS: `batch` groups at `place` are copied, `left` groups at `address` are not. Then come the tables: `chain` pointers to
// them at `old` are copied, `directory_left` at `directory` are not.
INLINE void swiss_step(struct Work *work, u64 task)
{
    struct Layout *layout = layout_of(work);
    u64 count, place, table;
    if (!work->wanted) {
        S->top--;
    } else if (work->batch) {
        slot_step(work, layout);
    } else if (work->left) {
        count = smaller(smaller(work->left, layout->together), (work->wanted >> 3) + 1);
        place = copy_memory(task, work->address, count * layout->group_size);
        work->address += count * layout->group_size;
        work->left = place ? work->left - count : 0;
        work->place = place;
        work->batch = place ? count : 0;
    } else if (work->chain) {
        table = word_at(work->old);
        work->old += 8;
        work->chain--;
        if (table == work->last || !table)
            return; // a table stands in the directory several times in a row
        work->last = table;
        place = copy_memory(task, table, layout->table_size);
        if (!place)
            return;
        work->address = word_at(place + layout->groups_data);
        work->left = smaller(sane(word_at(place + layout->groups_mask) + 1), MAX_GROUPS);
    } else if (work->directory_left) {
        count = smaller(work->directory_left, DIRECTORY_PIECE);
        work->old = copy_memory(task, work->directory, count * 8);
        work->chain = work->old ? count : 0;
        work->directory += count * 8;
        work->directory_left = work->old ? work->directory_left - count : 0;
    } else {
        S->top--;
    }
}

// HASH: the bucket at `place` is copied if `batch`; next its chain, then `left` buckets at `address`, then the old ones.
INLINE void hash_step(struct Work *work, u64 task)
{
    struct Layout *layout = layout_of(work);
    u64 place, address, first = 0;
    u32 top;
    if (!work->wanted) {
        S->top--;
        return;
    }
    if (work->batch) {
        slot_step(work, layout);
        return;
    }
    if (work->chain && work->last < MAX_CHAIN) {
        address = work->chain;
        work->last++;
    } else if (work->left) {
        address = work->address;
        work->address += layout->group_size;
        work->left--;
        work->last = 0;
        first = 1;
    } else {
        work->address = work->directory; // buckets that are not moved yet
        work->left = work->directory ? work->directory_left : 0;
        work->directory = work->chain = 0;
        work->old = 1;
        if (!work->left)
            S->top--;
        return;
    }
    work->chain = 0;
    place = copy_memory(task, address, layout->group_size);
    if (!place) {
        if (first)
            work->left = 0; // all of them lie in one piece: this is no map
        return;
    }
    top = byte_at(place);
    if (work->old && top >= 2 && top <= 4)
        return; // evacuated
    work->place = place;
    work->batch = 1;
}
