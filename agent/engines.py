"""Which engine runs a Program here. There is no silent fallback: who asks for eBPF gets eBPF or a clear error."""

from agent.engine import Engine
from compiler.ir.errors import BadInput, CannotNow

ENGINES = ("ebpf", "memory")


def choose_engine(name: str) -> Engine:
    """The engine of that name; bcc is imported only where eBPF is asked for."""
    if name == "ebpf":
        return _ebpf()
    if name == "memory":
        from agent.engine_memory import MemoryEngine

        return MemoryEngine()
    raise BadInput(f'no engine "{name}"', remedy=f"choose one of: {', '.join(ENGINES)}")


def _ebpf() -> Engine:
    try:
        from agent.engine_ebpf import EbpfEngine
    except ImportError as error:
        raise CannotNow(
            f"the eBPF engine cannot be loaded: {error}",
            remedy="install python3-bpfcc and run `make install` again, or choose --engine memory",
        ) from None
    engine: Engine = EbpfEngine()
    return engine
