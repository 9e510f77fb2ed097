"""The eBPF engine: bcc compiles one fixed program, data in maps drives it. Never writes to the target."""

from agent.engine_ebpf.engine import EbpfEngine

__all__ = ["EbpfEngine"]
