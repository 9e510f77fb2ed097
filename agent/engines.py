"""Which engine runs a Program here. There is no silent fallback: who asks for eBPF gets eBPF or a clear error."""

from agent.engine import Engine
from compiler.ir.errors import BadInput, CannotNow

ENGINES = ("ebpf", "memory")
KEPT_S = 30
"""How long the maps of a capture are kept for the next one: as long as somebody looks at a dashboard that refreshes."""


def choose_engine(name: str, *, kept_s: float = 0, memory_mib: int = 2048) -> Engine:
    """The engine of that name. For `kept_s` seconds it keeps what a capture ran on, for the next one; then close it. Its captures
    in hand may take `memory_mib` together."""
    if name == "ebpf":
        return _ebpf(kept_s, memory_mib << 20)
    if name == "memory":
        from agent.engine_memory import MemoryEngine

        return MemoryEngine()
    raise BadInput(f'no engine "{name}"', remedy=f"choose one of: {', '.join(ENGINES)}")


def _ebpf(kept_s: float, memory: int) -> Engine:
    try:
        from agent.engine_ebpf import EbpfEngine
        from agent.engine_ebpf.kernel import Kernel
    except ImportError as error:
        raise CannotNow(
            f"the eBPF engine cannot be loaded: {error}",
            remedy="install python3-bpfcc and run `make install` again, or choose --engine memory",
        ) from None
    Kernel()  # says now, and not at the first capture, what this machine lacks
    engine: Engine = EbpfEngine(idle_s=kept_s, memory=memory)
    return engine
