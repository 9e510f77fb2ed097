// Counts every signal that reaches it, or sends them: signals count FILE, signals send PID NUMBER.
//
// Real-time signals are queued, so each must arrive exactly once, with the value that was sent; a signal of another kind may
// be pending once, so several may arrive as one. The counts are in FILE (struct counts), which is mapped into memory.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define VALUES (1 << 20)
#define NUMBERED (SIGRTMIN + 3)

struct counts {
    uint64_t progress, numbered, plain;
    uint8_t seen[VALUES];
};

static struct counts *counts;

static void on_numbered(int number, siginfo_t *info, void *context)
{
    (void)number, (void)context;
    __atomic_add_fetch(&counts->seen[info->si_value.sival_int % VALUES], 1, __ATOMIC_SEQ_CST);
    __atomic_add_fetch(&counts->numbered, 1, __ATOMIC_SEQ_CST);
}

static void on_plain(int number)
{
    (void)number;
    __atomic_add_fetch(&counts->plain, 1, __ATOMIC_SEQ_CST);
}

// One thread computes, the others wait in different system calls.
static void *work(void *kind)
{
    int ends[2];
    char byte;
    struct timespec second = {1, 0};
    if (pipe(ends))
        abort();
    for (;;) {
        if (kind == (void *)0)
            __atomic_add_fetch(&counts->progress, 1, __ATOMIC_SEQ_CST);
        else if (kind == (void *)1)
            nanosleep(&second, NULL);
        else if (read(ends[0], &byte, 1) >= 0)
            abort();
    }
    return NULL;
}

static int count(const char *file)
{
    int fd = open(file, O_RDWR | O_CREAT, 0600);
    if (fd < 0 || ftruncate(fd, sizeof(*counts)))
        return 1;
    counts = mmap(NULL, sizeof(*counts), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    struct sigaction numbered = {.sa_sigaction = on_numbered, .sa_flags = SA_SIGINFO | SA_RESTART};
    struct sigaction plain = {.sa_handler = on_plain, .sa_flags = SA_RESTART};
    sigaction(NUMBERED, &numbered, NULL);
    sigaction(SIGUSR1, &plain, NULL);
    for (intptr_t kind = 0; kind < 4; kind++) {
        pthread_t thread;
        pthread_create(&thread, NULL, work, (void *)kind);
    }
    puts("ready {}");
    fflush(stdout);
    return work((void *)1) != NULL;
}

// To the process, and in turn to each of its threads.
static int send_all(int pid, int number)
{
    char path[64];
    int tids[64], threads = 0, sent = 0;
    snprintf(path, sizeof(path), "/proc/%d/task", pid);
    DIR *folder = opendir(path);
    for (struct dirent *entry; folder && threads < 64 && (entry = readdir(folder));)
        if (entry->d_name[0] != '.')
            tids[threads++] = atoi(entry->d_name);
    while (sent < number) {
        siginfo_t info = {.si_signo = NUMBERED, .si_code = SI_QUEUE, .si_pid = getpid(), .si_uid = getuid()};
        info.si_value.sival_int = sent;
        long failed = sent % 2 ? syscall(SYS_rt_sigqueueinfo, pid, NUMBERED, &info)
                               : syscall(SYS_rt_tgsigqueueinfo, pid, tids[sent / 2 % threads], NUMBERED, &info);
        if (failed && errno != EAGAIN)
            return 1;
        if (failed)
            usleep(100); // as many are queued as may be
        else if (sent++ % 16 == 0)
            kill(pid, SIGUSR1);
    }
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 3 && !strcmp(argv[1], "count"))
        return count(argv[2]);
    if (argc == 4 && !strcmp(argv[1], "send"))
        return send_all(atoi(argv[2]), atoi(argv[3]));
    return 2;
}
