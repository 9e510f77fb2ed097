// One goroutine's runtime.g: where its innermost frame is, and its GOROUTINE record.
//
// The copy of the runtime.g is in SCRATCH; where its fields are comes from the Program.

#define GSCAN 0x1000
#define RUNNABLE 1
#define RUNNING 2
#define SYSCALL 3
#define WAITING 4
#define COPYSTACK 8
#define PREEMPTED 9
#define LEAKED 10
#define RBP 6
#define RSP 7
#define RIP 16

// Brings the runtime.g at S->g to SCRATCH + S->g_place; less than 0 where it cannot be read.
//
// Go keeps them side by side, 17 in a span of 8 KiB. A few such blocks are remembered, each in the place that its address gives
// it; like a page, a block is copied whole when its second goroutine is met.
INLINE long fetch_g(u64 task)
{
    u64 block = S->g >> BLOCK_SHIFT, inside = S->g & (BLOCK - 1), slot = block & (BLOCKS - 1);
    struct Block *held = &S->blocks[slot];
    S->g_place = slot << BLOCK_SHIFT;
    if (held->block == block && inside + C->g_size <= BLOCK) {
        if (held->whole || copy_from_target((void *)BYTES(SCRATCH, S->g_place), BLOCK, S->g - inside, task, 0) == 0) {
            S->copied += held->whole ? 0 : BLOCK;
            held->whole = 1;
            S->g_place += inside;
            return 0;
        }
    }
    held->block = block;
    held->whole = 0;
    S->g_place = BLOCKS << BLOCK_SHIFT;
    S->copied += C->g_size;
    return copy_from_target((void *)BYTES(SCRATCH, S->g_place), C->g_size & (G_SIZE - 1), S->g, task, 0);
}

// A field of the runtime.g in SCRATCH; `at` comes from the Program.
INLINE u64 g_word(u32 at) { return *(u64 *)BYTES(SCRATCH, S->g_place + at); }

INLINE struct ThreadRow *thread_row(u64 index) { return ROW(THREADS, ThreadRow, index); }

// Row of the thread's registers, ~0 where there are none.
INLINE u64 find_thread(u64 tid)
{
    if (!tid)
        return ~0ULL;
    for (u64 i = 0; i < PROBES; i++)
        if (thread_row(tid + i)->tid == tid)
            return (tid + i) & THREADS_MASK;
    return ~0ULL;
}

// Go up to 1.22 saves no frame pointer when it enters a system call: the first frame's is 16 bytes below its CFA.
INLINE u64 syscall_bp(u64 pc, u64 sp, u64 otherwise)
{
    u64 row = search(C->syscalls_base, C->syscalls_half, pc);
    struct IntervalRow *found = ROW(INTERVALS, IntervalRow, C->syscalls_base + row);
    if (key_of(C->syscalls_base, row) > pc || pc >= found->hi)
        return otherwise;
    return sp + found->first + 8 - 16;
}

// A word of the runtime.m or runtime.g at `base`; 0 where there is none.
INLINE u64 word_of(u64 task, u64 base, u32 at)
{
    u64 value = 0;
    if (base)
        copy_from_target(&value, 8, base + at, task, 0);
    return value;
}

// The thread of a running goroutine is on another stack. Into the kernel's vdso (time.Now) it was called from the frame
// that the runtime.m tells; its frame pointer was saved by runtime.nanotime1 or its like. On a signal's stack, nothing says
// where the goroutine is. Else the runtime itself saved where it left off.
INLINE void start_elsewhere(u64 task, u64 m, u64 thread_sp)
{
    u64 sp = word_of(task, m, C->m_vdso_sp), signal;
    if (sp >= S->low + 16 && sp < S->high) {
        S->sp = sp;
        S->pc = word_of(task, m, C->m_vdso_pc);
        S->bp = word_of(task, sp - 16, 0);
        return;
    }
    signal = word_of(task, m, C->m_gsignal);
    if (thread_sp >= word_of(task, signal, C->g_stack_lo) && thread_sp < word_of(task, signal, C->g_stack_hi))
        S->pc = S->sp = S->bp = 0;
}

// Where the goroutine's innermost frame is: sets pc, sp, bp, source and thread.
INLINE void find_start(u64 task, u32 status, u64 m, u64 tid)
{
    u64 syscallsp = g_word(C->g_syscallsp), row;
    S->pc = g_word(C->g_sched_pc);
    S->sp = g_word(C->g_sched_sp);
    S->bp = g_word(C->g_sched_bp);
    S->source = SOURCE_SCHED;
    S->thread = ~0ULL;
    if (status != RUNNING && status != SYSCALL)
        return;
    if (status == SYSCALL && syscallsp) {
        S->pc = g_word(C->g_syscallpc);
        S->sp = syscallsp;
        S->bp = C->has_syscallbp ? g_word(C->g_syscallbp) : syscall_bp(S->pc, syscallsp, S->bp);
        S->source = SOURCE_SYSCALL;
        return;
    }
    row = find_thread(tid);
    if (row == ~0ULL)
        return;
    struct ThreadRow *thread = thread_row(row);
    u64 sp = thread->registers[RSP], pc = thread->registers[RIP];
    if (sp < S->low || sp >= S->high || pc < C->text_lo || pc >= C->text_hi)
        return start_elsewhere(task, m, sp);
    S->pc = pc;
    S->sp = sp;
    S->bp = thread->registers[RBP];
    S->source = SOURCE_THREAD;
    S->thread = row;
}

INLINE void write_goroutine(u64 task, u32 status, u64 m, u64 tid)
{
    struct GoroutineRow *record = ROW(GOROUTINES, GoroutineRow, S->goroutines);
    record->kind = KIND_GOROUTINE;
    record->length = sizeof(*record) - 8;
    record->g = S->g;
    record->goid = g_word(C->g_goid);
    record->parent_goid = C->has_parent_goid ? g_word(C->g_parent_goid) : 0;
    record->gopc = g_word(C->g_gopc);
    record->startpc = g_word(C->g_startpc);
    record->waitsince = g_word(C->g_waitsince);
    record->m = m;
    record->tid = tid;
    record->stack_lo = S->low;
    record->stack_hi = S->high;
    record->pc = S->pc;
    record->sp = S->sp;
    record->bp = S->bp;
    record->waiting = g_word(C->g_waiting);
    record->labels = g_word(C->g_labels);
    record->m_id = word_of(task, m, C->m_id);
    record->locked_tid = word_of(task, g_word(C->g_lockedm), C->m_procid);
    record->status = status;
    record->waitreason = g_word(C->g_waitreason) & 0xff;
    record->source = S->source;
    record->zero = 0;
}
