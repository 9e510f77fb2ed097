//go:build cgo

#include <unistd.h>
#include "_cgo_export.h"

struct depth {
    long level;
    const char *text;
};

static long entered;

long blocked(void) {
    return __atomic_load_n(&entered, __ATOMIC_SEQ_CST);
}

void block_in_c(int fd) {
    struct depth here = {1, "in C"};
    char byte;
    __atomic_add_fetch(&entered, here.level, __ATOMIC_SEQ_CST);
    while (read(fd, &byte, 1) != 0) {
    }
}

void through_c(long id) {
    struct depth here = {2, "through C"};
    backInGo(id + here.level - 2);
}
