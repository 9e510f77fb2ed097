"""The capabilities (capabilities(7)) that capturing needs. Exactly these: a test drops all others, and then each of them."""

from pathlib import Path
from types import MappingProxyType

NEEDED = MappingProxyType(
    {
        "CAP_DAC_READ_SEARCH": "to read what other users closed to us: their programs, and /proc/PID/auxv",
        "CAP_SYS_PTRACE": "to see, stop and read processes of other users",
        "CAP_PERFMON": "to load a probe that reads memory",
        "CAP_BPF": "to make the probe's maps, and load it",
    }
)
"""Name to what it is for."""
EBPF = ("CAP_PERFMON", "CAP_BPF")
"""What the eBPF engine cannot do without, whosever process it is. They were parts of CAP_SYS_ADMIN, which still grants them."""
_BITS = MappingProxyType({"CAP_DAC_READ_SEARCH": 2, "CAP_SYS_PTRACE": 19, "CAP_PERFMON": 38, "CAP_BPF": 39})
_SYS_ADMIN = 21


def missing(status: Path = Path("/proc/thread-self/status")) -> tuple[str, ...]:
    """Those of NEEDED that this thread has not in effect."""
    line = next(line for line in status.read_text().splitlines() if line.startswith("CapEff:"))
    effective = int(line.split()[1], 16)
    granted = EBPF if effective >> _SYS_ADMIN & 1 else ()
    return tuple(name for name in NEEDED if not effective >> _BITS[name] & 1 and name not in granted)


def remedy(*wanted: str) -> str:
    """What to do where the kernel refused something that needs the `wanted` capabilities: names those that are missing."""
    lacking = [name for name in wanted if name in missing()]
    if not lacking:
        return "the capabilities are there: a seccomp profile, a user namespace or kernel.yama.ptrace_scope=3 may forbid it"
    return "run as root, or with " + " and ".join(f"{name} ({NEEDED[name]})" for name in lacking)
