/* What BCC's prelude expects to be configured. */
#define CONFIG_BPF_SYSCALL 1
#define __user
#define notrace
