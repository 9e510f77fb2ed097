"""How large a capture will be: asked before anything is prepared, and again before the process is stopped. Costs two reads."""

from agent.config import AgentLimits
from agent.engine import Target
from agent.memory import ProcessMemory
from agent.threads import AGAIN, status
from compiler.ir.errors import BadInput, CannotNow
from compiler.ir.program import Program
from compiler.ir.wire import Estimate

BASE_NS, THREAD_NS, GOROUTINE_NS, VALUES_NS = 300_000, 40_000, 1_000, 1_000
"""Of a pause: in any case, for each thread (to stop it, read its registers and let it go), for each goroutine's stack, and for
its values where some are collected. Measured on one machine; others differ by a factor of two."""
GOROUTINE_BYTES, VALUES_BYTES = 256, 2048


class TooLarge(BadInput):
    """A process that this agent may not capture, for its size."""

    http_status = 413


def estimate(target: Target, program: Program) -> Estimate:
    """As things are now. Goroutines that have ended count: the runtime keeps them, and they are looked at, too."""
    found = ProcessMemory(target.pid).read(program.runtime.allglen + target.bias, 8)
    if found is None:
        raise BadInput(
            "the capture program has wrong addresses: there is no list of goroutines", remedy="compile it again"
        )
    threads = status(f"/proc/{target.pid}/status").get("Threads")
    if threads is None:
        raise CannotNow(f"process {target.pid} has ended", remedy=AGAIN)
    return expected(int.from_bytes(found, "little"), int(threads), values=bool(program.sites))


def expected(goroutines: int, threads: int, *, values: bool) -> Estimate:
    """What so many cost."""
    each_ns, each_bytes = GOROUTINE_NS + values * VALUES_NS, GOROUTINE_BYTES + values * VALUES_BYTES
    pause_ns = BASE_NS + threads * THREAD_NS + goroutines * each_ns
    return Estimate(goroutines, threads, goroutines * each_bytes, round(pause_ns / 1e6, 3))


def check(pid: int, size: Estimate, limits: AgentLimits) -> None:
    """TooLarge where the process has more than the agent's configuration allows."""
    for name, count in (("goroutines", size.goroutines), ("threads", size.threads)):
        most = getattr(limits, name)
        if count > most:
            raise TooLarge(
                f"process {pid} has {count:,} {name}; this agent captures processes with at most {most:,}",
                remedy=f"raise limits.{name} in the agent's configuration, if the process may stand still for so long",
            )
