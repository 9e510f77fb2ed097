"""The door to the kernel: make maps, load, attach. It goes through libbcc_bpf, the small part of bcc that has no compiler.

bcc's own `BPF` class can neither load a sleepable program nor one with callbacks; the library that it rests on can.
"""

import ctypes
import errno
import os
import platform
from pathlib import Path
from typing import Any

from agent.capabilities import EBPF, missing, remedy
from agent.engine_ebpf.bytecode import Linked
from agent.engine_ebpf.compiling import INSTALL
from agent.engine_ebpf.layout import MAIN
from compiler.ir.errors import CannotNow

KERNEL_FLOOR = (6, 1)
"""bpf_iter for one task came with 6.1; bpf_copy_from_user_task with 5.18, bpf_loop with 5.17."""
LIBRARY = "libbcc_bpf.so.0"

BPF_BTF_LOAD = 18
BPF_MAP_TYPE_ARRAY = 2
BPF_PROG_TYPE_TRACING = 26
BPF_TRACE_ITER = 28
BPF_F_SLEEPABLE = 1 << 4
BPF_F_MMAPABLE = 1 << 10
SYS_BPF = 321
LOG_BYTES = 1 << 20
LOG_LINES = 12


class _LoadOptions(ctypes.Structure):
    """libbpf's struct bpf_prog_load_opts (libbpf 1.0 and later)."""

    _fields_ = [
        ("sz", ctypes.c_size_t),
        ("attempts", ctypes.c_int),
        ("expected_attach_type", ctypes.c_int),
        *((name, ctypes.c_uint32) for name in ("prog_btf_fd", "prog_flags", "prog_ifindex", "kern_version")),
        *((name, ctypes.c_uint32) for name in ("attach_btf_id", "attach_prog_fd", "attach_btf_obj_fd")),
        ("fd_array", ctypes.c_void_p),
        ("func_info", ctypes.c_char_p),
        ("func_info_cnt", ctypes.c_uint32),
        ("func_info_rec_size", ctypes.c_uint32),
        ("line_info", ctypes.c_void_p),
        ("line_info_cnt", ctypes.c_uint32),
        ("line_info_rec_size", ctypes.c_uint32),
        ("log_level", ctypes.c_uint32),
        ("log_size", ctypes.c_uint32),
        ("log_buf", ctypes.c_char_p),
    ]


class Kernel:
    """What this machine's kernel and libbcc do for us. CannotNow where they cannot, with the reason."""

    def __init__(self, release: str = "") -> None:
        release = release or platform.release()
        if _version(release) < KERNEL_FLOOR:
            raise CannotNow(
                f"kernel {release} is too old for the eBPF engine",
                remedy="it needs Linux 6.1 or later (Debian 12 has it)",
            )
        if not Path("/sys/kernel/btf/vmlinux").exists():
            raise CannotNow("this kernel has no BTF", remedy="it needs one built with CONFIG_DEBUG_INFO_BTF=y")
        try:
            self._lib: Any = ctypes.CDLL(LIBRARY, use_errno=True)
        except OSError as error:
            raise CannotNow(f"bcc's library cannot be loaded: {error}", remedy=INSTALL) from None
        self._lib.bcc_prog_load_xattr.argtypes = [
            ctypes.c_int, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_void_p,
            ctypes.c_int, ctypes.c_char_p, ctypes.c_uint, ctypes.c_bool,
        ]  # fmt: skip

    def create_array(self, name: str, size: int) -> int:
        """A map of one value of `size` bytes that can be mapped into memory, all zeros; its file descriptor."""
        ctypes.set_errno(0)
        fd: int = self._lib.bcc_create_map(BPF_MAP_TYPE_ARRAY, name.encode(), 4, size, 1, BPF_F_MMAPABLE)
        if fd < 0:
            raise _refusal(f"the kernel gives no memory map of {size} bytes", ctypes.get_errno())
        return fd

    def load_btf(self, blob: bytes) -> int:
        """The file descriptor of our own BTF."""
        keep = ctypes.create_string_buffer(blob, len(blob))
        attributes = (ctypes.c_uint64 * 4)(ctypes.addressof(keep), 0, len(blob), 0)
        libc = ctypes.CDLL(None, use_errno=True)
        fd: int = libc.syscall(SYS_BPF, BPF_BTF_LOAD, attributes, ctypes.sizeof(attributes))
        if fd < 0:
            raise _refusal("the kernel refuses the probe's type information", ctypes.get_errno())
        return fd

    def load(self, linked: Linked, btf_fd: int) -> int:
        """Have the verifier check the program; the loaded program's file descriptor."""
        options = _LoadOptions(
            sz=ctypes.sizeof(_LoadOptions),
            expected_attach_type=BPF_TRACE_ITER,
            prog_btf_fd=btf_fd,
            prog_flags=BPF_F_SLEEPABLE,
            func_info=linked.functions,
            func_info_cnt=linked.function_count,
            func_info_rec_size=8,
        )
        log = ctypes.create_string_buffer(LOG_BYTES)
        ctypes.set_errno(0)
        fd: int = self._lib.bcc_prog_load_xattr(
            BPF_PROG_TYPE_TRACING, MAIN.encode(), b"GPL", linked.instructions, ctypes.byref(options),
            len(linked.instructions), log, LOG_BYTES, True,
        )  # fmt: skip
        if fd < 0:
            code = ctypes.get_errno()
            lines = log.value.decode(errors="replace").strip().splitlines()[-LOG_LINES:]
            raise _refusal("the kernel's verifier refuses the probe", code, "\n".join(lines))
        return fd

    def attach(self, program_fd: int, pid: int) -> tuple[int, int]:
        """(link, iterator) file descriptors of the program on the main thread of `pid`."""
        info = (ctypes.c_uint32 * 3)(pid, 0, 0)
        ctypes.set_errno(0)
        link_fd: int = self._lib.bcc_iter_attach(program_fd, info, ctypes.sizeof(info))
        if link_fd < 0:
            raise _refusal(f"the probe cannot be attached to process {pid}", ctypes.get_errno())
        iterator_fd: int = self._lib.bcc_iter_create(link_fd)
        if iterator_fd < 0:
            code = ctypes.get_errno()
            os.close(link_fd)
            raise _refusal(f"the probe cannot be attached to process {pid}", code)
        return link_fd, iterator_fd

    def verified_instructions(self, program_fd: int) -> int:
        """How many instructions the verifier looked at (bpf_prog_info.verified_insns)."""
        buffer = ctypes.create_string_buffer(256)
        size = ctypes.c_uint32(len(buffer))
        if self._lib.bpf_obj_get_info(program_fd, buffer, ctypes.byref(size)) < 0:
            return 0
        return int.from_bytes(buffer.raw[216:220], "little")


def _version(release: str) -> tuple[int, ...]:
    return tuple(int(part) for part in release.split("-", maxsplit=1)[0].split(".")[:2] if part.isdigit())


def _refusal(what: str, code: int, log: str = "") -> CannotNow:
    reason = os.strerror(code) if code else "no reason given"
    if code == errno.EPERM or (code == errno.EACCES and missing()):
        return CannotNow(f"{what}: {reason}", remedy=remedy(*EBPF))
    if code == errno.ENOMEM:
        return CannotNow(f"{what}: {reason}", remedy="free memory, or lower limits.process_bytes")
    if code == errno.ESRCH:
        return CannotNow(f"{what}: {reason}", remedy="it has ended; choose another")
    detail = f"{reason}; the end of its log:\n{log}" if log else reason
    return CannotNow(f"{what}: {detail}", remedy="capture with the memory engine meanwhile, and report this")
