// The program: a task iterator whose every run takes some steps. All it remembers between two runs is in the maps.

struct bpf_iter__task {
    u64 meta;
    u64 task;
};

INLINE void start_step(u64 task)
{
    u64 length = 0, list = 0;
    long failed = copy_from_target(&length, 8, C->allglen, task, 0);
    failed |= copy_from_target(&list, 8, C->allgptr, task, 0);
    S->length = failed ? 0 : length;
    S->list = list;
    S->lost_list += failed != 0;
    S->next = BATCH * S->worker;
    S->phase = PHASE_STACKS;
}

// The work at hand: an operation of an element, and at once the contents that it finds.
INLINE void work_step(u64 task)
{
    struct Work *work = work_at(S->top - 1);
    if (work->kind == WORKKIND_ELEMENTS) {
        elements_step(work, task);
        if (!S->top)
            return;
        work = work_at(S->top - 1);
        if (work->kind != WORKKIND_CONTENT)
            return;
    }
    u32 kind = work->kind;
    if (kind == WORKKIND_CONTENT)
        content_step(work, task);
    else if (kind == WORKKIND_COPY)
        copy_step(work, task);
    else if (kind == WORKKIND_CONTAINER)
        container_step(work, task);
    else if (kind == WORKKIND_SWISS)
        swiss_step(work, task);
    else if (kind == WORKKIND_WAITERS)
        waiters_step(work, task);
    else if (kind == WORKKIND_TRIE)
        trie_step(work, task);
    else
        hash_step(work, task);
}

// What to do next: the work at hand before new roots, new roots before the queue unless that is filling up.
INLINE void values_step(u64 task)
{
    u64 queued = S->tail - S->head, roots = S->image || S->turn < S->goroutines;
    if (!S->top) {
        if (S->root < S->root_end)
            return root_step(task);
        if (!queued || (roots && queued <= C->pressure)) {
            if (S->image && S->entry <= S->image_last)
                frame_step();
            else if (roots)
                next_goroutine();
            else
                S->phase = PHASE_DONE;
            return;
        }
        dequeue();
    }
    if (S->top)
        work_step(task);
}

// One round of bpf_loop; 1 ends the run.
int take_step(struct run *run)
{
    u64 phase = S->phase;
    if (phase == PHASE_STACKS) {
        stacks_step(run);
    } else if (phase == PHASE_VALUES) {
        values_step(run->task);
    } else if (phase == PHASE_START) {
        start_step(run->task);
    } else {
        return 1;
    }
    return S->copied > C->run_bytes;
}

int bpf_iter__task(struct bpf_iter__task *context)
{
    struct run run = {context->task};
    if (!run.task)
        return 0;
    S->copied = 0;
    S->runs++;
    bpf_loop_over(C->steps, (void *)ADDRESS_OF_take_step, &run, 0);
    return 1; // read() gives EAGAIN, and the next read() runs this again on the same task
}
