"""A snapshot of one process of this machine, without any service: the same steps that the service takes with agents."""

import platform
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from agent.capture import arm
from agent.engine import Engine
from agent.engines import choose_engine
from agent.processes import Processes
from compiler.binary import Binary
from compiler.compiled import Compiled
from compiler.dwarf.debugfile import DebugFiles
from compiler.ir.program import Program
from compiler.ir.raw import RawCapture
from compiler.spec import Spec
from datasource.cache import Cache, cache_directory
from datasource.compiling import compile_cached
from datasource.store.write import Captured, new_snapshot_id, write_snapshot
from datasource.take import Taken, take


@dataclass(frozen=True, slots=True)
class LocalSnapshot:
    """What was taken and where it is."""

    snapshot_id: str
    host: str
    taken: Taken


def snapshot(pid: int, spec: Spec, out: Path, engine_name: str, debug: Sequence[Path] = ()) -> LocalSnapshot:
    """Capture `pid` into the file `out`. `debug`: files and folders that may have debug info that was stripped off."""
    process, _ = Processes().identify(pid)
    engine = choose_engine(engine_name)
    cache = Cache(cache_directory())
    exe = Path(f"/proc/{pid}/exe")  # it is mapped, so it stays readable should the process end
    with Binary(exe, cache, DebugFiles(debug)) as binary:
        known = cache.runtime_types(process.build_id)

        def compile_with(types: frozenset[int]) -> Compiled:
            return compile_cached(cache, spec, binary, types)[0]

        taken = take(binary, compile_with, lambda program: _fire(pid, program, engine), known)
        cache.remember_types(process.build_id, frozenset(taken.types) - known)
    taken_at = taken.capture.header.captured_at_ns
    found = LocalSnapshot(new_snapshot_id(taken_at), platform.node(), taken)
    name = spec.program_for(process.exe) or process.program
    compiled = taken.compiled
    captured = Captured(found.host, name, process.exe, compiled.program, taken.capture, compiled.issues, compiled.enums)
    write_snapshot(out, spec, [captured], taken_at_ns=taken_at, snapshot_id=found.snapshot_id)
    return found


def _fire(pid: int, program: Program, engine: Engine) -> RawCapture:
    with arm(pid, program, engine) as armed:
        return armed.fire()
