"""Tries the eBPF engine out without a capture: is bcc there, does the probe compile, does the verifier take it."""

import os

from agent.engine import Target
from agent.engine_ebpf.engine import EbpfEngine
from compiler.ir.limits import Limits
from compiler.ir.program import GoRuntime, PcRange, Program


def try_out() -> str:
    """Load the probe for this very process, which is not captured. CannotNow says what stands in the way."""
    count = EbpfEngine().rehearse(Target(os.getpid(), 0, 0), _NOTHING)
    return f"the probe compiles, and the verifier takes its {count} instructions"


_NOTHING = Program(
    build_id="",
    go_version="",
    arch="amd64",
    runtime=GoRuntime(
        text=PcRange(0, 1),
        load_address=0,
        allglen=0,
        allgptr=0,
        types_base=0,
        g_size=512,
        g_stack_lo=0,
        g_stack_hi=8,
        g_m=48,
        g_sched_sp=56,
        g_sched_pc=64,
        g_sched_bp=96,
        g_syscallsp=104,
        g_syscallpc=112,
        g_syscallbp=120,
        g_atomicstatus=144,
        g_goid=152,
        g_waitsince=168,
        g_waitreason=176,
        g_parent_goid=280,
        g_gopc=288,
        g_startpc=304,
        g_labels=352,
        g_waiting=320,
        g_lockedm=400,
        m_id=200,
        m_procid=64,
        m_gsignal=72,
        m_vdso_sp=80,
        m_vdso_pc=88,
        syscall_frames=(),
        interrupts=(),
        outermost=(),
        wait_reasons=(),
    ),
    limits=Limits(),
)
"""A Program of a binary with nothing in it."""
