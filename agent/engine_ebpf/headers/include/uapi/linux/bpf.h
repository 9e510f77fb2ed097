/* BCC brings its own copy. */
#include "/virtual/include/bcc/bpf.h"
