"""Runs a program as the agent's systemd unit would: these system calls alone, and no memory that is written and then run.

python -m tests.agent.sandbox PROGRAM ARGUMENTS...

What the unit's names of groups stand for, systemd-analyze tells; libseccomp, which systemd stands on, installs the filter.
"""

import ctypes
import errno
import os
import subprocess
import sys
from collections.abc import Iterable

from tests.agent.unit import read_unit

SCMP_ACT_ALLOW = 0x7FFF0000
SCMP_ACT_ERRNO = 0x00050000
PR_SET_NO_NEW_PRIVS = 38
PR_SET_MDWE = 65
"""Linux 6.3; what MemoryDenyWriteExecute asks for."""


def allowed(lines: list[str]) -> set[str]:
    """The system calls that the unit's lines SystemCallFilter= leave."""
    names: set[str] = set()
    for line in lines:
        expanded = {name for word in line.removeprefix("~").split() for name in _expand(word)}
        names = names - expanded if line.startswith("~") else names | expanded
    return names


def _expand(word: str) -> set[str]:
    if not word.startswith("@"):
        return {word}
    done = subprocess.run(["systemd-analyze", "syscall-filter", word], capture_output=True, text=True, check=True)
    members = [line.strip() for line in done.stdout.splitlines()[1:]]
    return {name for each in members if each and not each.startswith("#") for name in _expand(each)}


def install(names: Iterable[str], action: int, otherwise: int) -> None:
    """From here on there is one action for these system calls, and another for all others."""
    library = ctypes.CDLL("libseccomp.so.2")
    library.seccomp_init.restype = ctypes.c_void_p
    library.seccomp_init.argtypes = [ctypes.c_uint32]
    library.seccomp_rule_add.argtypes = [ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int, ctypes.c_uint]
    library.seccomp_load.argtypes = [ctypes.c_void_p]
    context = library.seccomp_init(otherwise)
    for name in sorted(names):
        number = library.seccomp_syscall_resolve_name(name.encode())
        if number >= 0:  # else this machine has no such call
            assert library.seccomp_rule_add(context, action, number, 0) == 0, name
    assert library.seccomp_load(context) == 0


def no_new_privileges() -> ctypes.CDLL:
    """What the kernel wants before it takes a filter; the C library."""
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
    return libc


def main() -> None:
    names = allowed(read_unit()["SystemCallFilter"])
    libc = no_new_privileges()
    if read_unit()["MemoryDenyWriteExecute"] == ["yes"] and libc.prctl(PR_SET_MDWE, 1, 0, 0, 0) != 0:
        assert ctypes.get_errno() == errno.EINVAL, "a kernel before 6.3 does not know it"
    install(names, SCMP_ACT_ALLOW, SCMP_ACT_ERRNO | errno.EPERM)
    os.execv(sys.argv[1], sys.argv[1:])


if __name__ == "__main__":
    main()
