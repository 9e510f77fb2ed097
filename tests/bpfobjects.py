"""The eBPF objects of this machine: which there are, and which of them no living process holds."""

import ctypes
import errno
import os
import re
from pathlib import Path
from typing import Final

SYS_BPF: Final = 321
NEXT_ID: Final = {"prog": 11, "map": 12, "link": 31}
"""bpf(2) commands: BPF_PROG_GET_NEXT_ID, BPF_MAP_GET_NEXT_ID, BPF_LINK_GET_NEXT_ID."""

BpfObject = tuple[str, int]
"""Kind and id."""


def bpf_objects() -> set[BpfObject]:
    """All programs, maps and links in the kernel. Needs root."""
    return {(kind, number) for kind, command in NEXT_ID.items() for number in _ids(command)}


def held_objects() -> set[BpfObject]:
    """Those that some process has open."""
    found = set()
    for info in Path("/proc").glob("[0-9]*/fdinfo"):
        try:
            names = [fd for fd in os.listdir(info) if os.readlink(info.parent / "fd" / fd).startswith("anon_inode:bpf")]  # noqa: PTH115, PTH208
            texts = [(info / fd).read_text() for fd in names]
        except OSError:  # it has ended, or closed that one
            continue
        for text in texts:
            found |= {(kind, int(number)) for kind, number in re.findall(r"^(prog|map|link)_id:\s*(\d+)", text, re.M)}
    return found


def _ids(command: int) -> list[int]:
    libc = ctypes.CDLL(None, use_errno=True)
    found: list[int] = []
    attributes = (ctypes.c_uint32 * 4)()
    while True:
        attributes[0] = found[-1] if found else 0
        if libc.syscall(SYS_BPF, command, attributes, ctypes.sizeof(attributes)) < 0:
            code = ctypes.get_errno()
            if code != errno.ENOENT:
                raise OSError(code, os.strerror(code))
            return found
        found.append(int(attributes[1]))
