"""The eBPF objects of this machine: which there are, and which of them no living process holds."""

import ctypes
import errno
import os
import re
from contextlib import suppress
from pathlib import Path
from typing import Final

SYS_BPF: Final = 321
NEXT_ID: Final = {"prog": 11, "map": 12, "link": 31}
"""bpf(2) commands: BPF_PROG_GET_NEXT_ID, BPF_MAP_GET_NEXT_ID, BPF_LINK_GET_NEXT_ID."""

OBJECT: Final = re.compile(r"^(prog|map|link)_id:\s*(\d+)", re.MULTILINE)

BpfObject = tuple[str, int]
"""Kind and id."""


def bpf_objects() -> set[BpfObject]:
    """All programs, maps and links in the kernel. Needs root."""
    return {(kind, number) for kind, command in NEXT_ID.items() for number in _ids(command)}


def held_objects(pid: str = "[0-9]*") -> set[BpfObject]:
    """Those that some process has open, or the one given."""
    found = set()
    for link in Path("/proc").glob(f"{pid}/fd/*"):
        with suppress(OSError):  # it has ended, or closed that one
            if str(link.readlink()).startswith("anon_inode:bpf"):
                text = (link.parent.parent / "fdinfo" / link.name).read_text()
                found |= {(kind, int(number)) for kind, number in OBJECT.findall(text)}
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
