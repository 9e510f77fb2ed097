"""What a machine needs to capture, each thing tried and not guessed."""

import os
import platform
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from agent.capabilities import NEEDED, missing
from compiler.ir.errors import FreezeframeError

KERNEL = (6, 1)
PATIENCE_NS = 1_000_000_000
BTF = Path("/sys/kernel/btf/vmlinux")


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that capturing needs: is it there, what was found, and what to do where it is not."""

    name: str
    ok: bool
    detail: str
    remedy: str


def checks() -> list[Check]:
    """All checks, in the order in which to mend them."""
    return [_architecture(), _kernel(), _privileges(), _btf(), _bcc(), _ptrace(), _ebpf()]


def _architecture() -> Check:
    machine = platform.machine()
    ok = sys.platform == "linux" and machine == "x86_64"
    return Check("machine", ok, f"{sys.platform} on {machine}", "capture on Linux, x86-64")


def _kernel() -> Check:
    release = platform.release()
    version = tuple(int("".join(c for c in part if c.isdigit()) or 0) for part in release.split(".")[:2])
    remedy = f"boot a kernel {KERNEL[0]}.{KERNEL[1]} or later (sleepable task iterators)"
    return Check("kernel", version >= KERNEL, release, remedy)


def _privileges() -> Check:
    lacking = missing()
    who = "root" if os.geteuid() == 0 else f"user {os.geteuid()}"
    detail = f"{who}, without {', '.join(lacking)}" if lacking else f"{who}, with all capabilities that are needed"
    return Check("privileges", not lacking, detail, f"run as root, or give the capabilities {', '.join(NEEDED)}")


def _btf() -> Check:
    ok = BTF.is_file()
    return Check("BTF", ok, str(BTF) if ok else f"{BTF} is missing", "boot a kernel with CONFIG_DEBUG_INFO_BTF=y")


def _bcc() -> Check:
    try:
        from agent.engine_ebpf.compiling import bcc_version

        return Check("bcc", True, f"version {bcc_version()}", "")
    except (FreezeframeError, ImportError, OSError) as error:
        return Check("bcc", False, str(error), "apt-get install python3-bpfcc, then make install")


def _ptrace() -> Check:
    """Stop a child of ours for a moment, which is not ours to trace as a parent would."""
    from agent.pause import paused

    return _tried("ptrace", lambda pid: _hold(paused, pid), "run as root, or with CAP_SYS_PTRACE")


def _hold(paused: Callable[..., object], pid: int) -> str:
    with paused(pid, PATIENCE_NS) as held:  # type: ignore[attr-defined]
        return f"a process with {len(held.threads)} thread stopped and released"


def _tried(name: str, attempt: Callable[[int], str], remedy: str) -> Check:
    """What becomes of `attempt` on a child process that waits."""
    try:
        child = subprocess.Popen(
            [sys.executable, "-c", "import time; print(flush=True); time.sleep(60)"], stdout=subprocess.PIPE
        )
    except OSError as error:
        return Check(name, False, f"cannot start a process to try it on: {error}", remedy)
    try:
        if child.stdout is not None:
            child.stdout.readline()
        return Check(name, True, attempt(child.pid), "")
    except (FreezeframeError, OSError) as error:
        return Check(name, False, str(error), remedy)
    finally:
        child.send_signal(signal.SIGKILL)
        child.communicate()


def _ebpf() -> Check:
    try:
        from agent.engine_ebpf.trial import try_out

        return Check("eBPF", True, try_out(), "")
    except (FreezeframeError, ImportError, OSError) as error:
        remedy = getattr(error, "remedy", "") or "mend what is listed above"
        return Check("eBPF", False, getattr(error, "what", str(error)), remedy)
