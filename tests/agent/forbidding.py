"""Runs a program that the kernel kills when it makes one system call.

python -m tests.agent.forbidding CALL PROGRAM ARGUMENTS...
"""

import os
import sys

from tests.agent.sandbox import SCMP_ACT_ALLOW, install, no_new_privileges

SCMP_ACT_KILL_PROCESS = 0x80000000

if __name__ == "__main__":
    no_new_privileges()
    install({sys.argv[1]}, SCMP_ACT_KILL_PROCESS, SCMP_ACT_ALLOW)
    os.execv(sys.argv[2], sys.argv[2:])
