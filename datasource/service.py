"""Takes snapshots: which processes, compile, arm all, fire all, decode, store. One at a time; who asks meanwhile shares it."""

import hashlib
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from compiler.binary import Binary
from compiler.dwarf.debugfile import DebugFiles
from compiler.ir.build_id import read_identity
from compiler.ir.errors import BadInput, CannotNow, FreezeframeError
from compiler.ir.files import open_regular
from compiler.ir.program import Program
from compiler.ir.raw import RawCapture
from compiler.ir.wire import GoProcess
from compiler.spec import Spec, read_spec
from datasource.agents import Agent
from datasource.cache import Cache, hash_of
from datasource.compiling import compiler_of
from datasource.snapshots import SnapshotFile, Snapshots
from datasource.store.derive import rehearse
from datasource.store.write import Captured, Failed, new_snapshot_id, write_snapshot
from datasource.take import Taken, take

AGENTS_AT_ONCE = 32


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A process to capture, and the program of the spec that it is."""

    agent: Agent
    host: str
    process: GoProcess
    program: str
    whole_at: Agent | None
    """An agent that has its executable with debug info: this one, or one that it was stripped from."""


class SpecFile:
    """The team's spec: a file, read when it changes, replaced only by a spec that is right."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._read: tuple[int, Spec] | None = None

    def get(self) -> Spec:
        """The spec as the file has it now."""
        with self._lock:
            try:
                changed = self._path.stat().st_mtime_ns
                if self._read is None or self._read[0] != changed:
                    with open_regular(self._path) as file:
                        spec = read_spec(file.read(), self._path.name)
                    rehearse(spec)
                    self._read = (changed, spec)
            except OSError as error:
                what = f"cannot read the spec: {error.strerror}"
                raise CannotNow(what, where=str(self._path), remedy="save a spec") from None
            return self._read[1]

    def save(self, text: bytes) -> Spec:
        """Replace the spec; SpecError (and the old spec stays) where the new one is wrong."""
        spec = read_spec(text, self._path.name)
        rehearse(spec)
        aside = self._path.with_name(f".{self._path.name}.part")
        with self._lock:
            aside.write_bytes(text)
            aside.replace(self._path)
            self._read = None
        return spec


class Service:
    """Everything that answering needs: the spec, the agents, the snapshots."""

    def __init__(
        self,
        spec: SpecFile,
        agents: Sequence[Agent],
        snapshots: Snapshots,
        cache: Cache,
        binaries: Path,
        debug_files: DebugFiles | None = None,
    ) -> None:
        self.spec = spec
        self.snapshots = snapshots
        self.agents = tuple(agents)
        self._cache = cache
        self._binaries, self._debug_files = binaries, debug_files
        self._taking = threading.Lock()

    def snapshot(self, wanted: str, max_age_s: float | None) -> SnapshotFile:
        """The snapshot that a query means: by id, the newest, or a new one where the newest is older than `max_age_s`."""
        if max_age_s is None or wanted != "latest":
            return self.snapshots.find(wanted)
        asked = time.time_ns()
        with self._taking:
            newest = self.snapshots.latest()
            oldest_wanted = min(asked, time.time_ns() - int(max_age_s * 1e9)) if max_age_s > 0 else asked
            # A capture that began after we asked is ours too: panels of one refresh share one snapshot.
            if newest is not None and newest.taken_at_ns >= oldest_wanted:
                return newest
            return self._take()

    def processes(self) -> list[tuple[Agent, str, GoProcess]]:
        """(agent, host, process) of every Go process that an agent lists. CannotNow where no agent answers."""
        found: list[tuple[Agent, str, GoProcess]] = []
        errors: list[FreezeframeError] = []
        for agent in self.agents:
            try:
                listed = agent.processes()
                found += [(agent, listed.host, process) for process in listed.processes]
            except FreezeframeError as error:
                errors.append(error)
        if errors and len(errors) == len(self.agents):
            raise errors[0]
        return found

    def _take(self) -> SnapshotFile:
        spec = self.spec.get()
        wanted = self._wanted(spec)
        with ThreadPoolExecutor(min(AGENTS_AT_ONCE, len(wanted))) as pool:
            outcomes = list(pool.map(lambda each: self._capture(each, spec), wanted))
        captured = [each for each in outcomes if isinstance(each, Captured)]
        failed = [each for each in outcomes if isinstance(each, Failed)]
        if not captured:
            raise CannotNow(failed[0].message, remedy="see what the agent says")
        taken_at = min(each.capture.header.captured_at_ns for each in captured)
        snapshot_id = new_snapshot_id(taken_at)
        path = self.snapshots.path(snapshot_id)
        write_snapshot(path, spec, captured, taken_at_ns=taken_at, snapshot_id=snapshot_id, failed=failed)
        return SnapshotFile(snapshot_id, path)

    def _wanted(self, spec: Spec) -> list[_Wanted]:
        """The processes that the spec's programs name; all of them where it names none."""
        found = []
        running = self.processes()
        whole_at = {process.build_id: agent for agent, _, process in running if process.debug_info}
        for agent, host, process in running:
            program = spec.program_for(process.exe)
            if program is not None or not spec.programs:
                whole = whole_at.get(process.build_id)
                found.append(_Wanted(agent, host, process, program or process.program, whole))
        if not found:
            rules = ", ".join(f"{rule.name}: {rule.exe}" for rule in spec.programs) or "no rule"
            raise CannotNow(
                f"no running process matches the spec's programs ({rules})", remedy="start it, or mend the rule"
            )
        return found

    def _capture(self, wanted: _Wanted, spec: Spec) -> Captured | Failed:
        process = wanted.process
        try:
            with Binary(self._binary(wanted), self._cache, self._debug_files) as binary:
                known = self._cache.runtime_types(process.build_id)
                compile_with = compiler_of(self._cache, spec, binary)
                taken = take(binary, compile_with, lambda program: _fire(wanted, program, hash_of(spec.text)), known)
            self._cache.remember_types(process.build_id, taken.types - known)
        except FreezeframeError as error:
            if isinstance(error, BadInput) and error.where.startswith(spec.origin):
                raise  # the spec itself is wrong for this binary (arithmetic on a time): nobody's capture would be right
            return Failed(wanted.host, process.pid, wanted.program, str(error))
        return _filed(wanted, taken)

    def _binary(self, wanted: _Wanted) -> Path:
        """The process's executable, streamed from its agent the first time its build id is met.

        One that was stripped has the build id of what it was stripped from. Whichever comes first, the one with debug info
        serves for both.
        """
        build_id = wanted.process.build_id
        whole = self._binaries / hashlib.sha256(build_id.encode()).hexdigest()
        stripped = whole.with_suffix(".stripped")
        if whole.exists():
            return whole
        if stripped.exists() and wanted.whole_at is None:
            return stripped
        self._binaries.mkdir(parents=True, exist_ok=True, mode=0o700)
        aside = whole.with_suffix(f".{threading.get_ident()}.part")
        try:
            (wanted.whole_at or wanted.agent).fetch_binary(build_id, aside)
            with aside.open("rb") as file:
                path = whole if read_identity(file).debug_info else stripped
            aside.replace(path)
        finally:
            aside.unlink(missing_ok=True)
        return path


def _fire(wanted: _Wanted, program: Program, spec: str) -> RawCapture:
    armed: AbstractContextManager[str] = wanted.agent.armed(wanted.process.pid, program, spec)
    with armed as number:
        return wanted.agent.fire(number)


def _filed(wanted: _Wanted, taken: Taken) -> Captured:
    compiled = taken.compiled
    process = wanted.process
    return Captured(
        wanted.host,
        wanted.program,
        process.exe,
        compiled.program,
        taken.capture,
        compiled.issues,
        compiled.enums,
        process.command_line,
        {each.name: each.value for each in process.environment},
    )
