"""Which processes of this machine are Go programs, and what is said of those that are not."""

import os
import shutil
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest

from agent.listing import CUT, MOST, Listing
from agent.processes import Processes
from compiler.ir.errors import BadInput, CannotNow
from compiler.ir.wire import GoProcess, Variable
from tests.agent.conftest import Busy
from tests.compiler.bare import SECTIONS_AT, SIZES_AT
from tests.conftest import ROOT, build
from tests.programs import StartTarget, running

LIST = "; list the Go processes with: freezeframe processes"


def test_go_process_is_listed_with_what_names_it(busy: Busy, busy_binary: Path) -> None:
    found = {process.pid: process for process in Processes().list()}
    mine = found[busy.pid]
    assert (mine.exe, mine.program, mine.architecture) == (str(busy_binary), "busy", "amd64")
    assert (mine.go_version or "").startswith("go1.")
    assert abs(mine.started_at_ns / 1e9 - time.time()) < 60
    assert os.getpid() not in found
    assert list(found) == sorted(found)


def test_process_whose_file_was_replaced_is_still_what_it_was(
    busy_binary: Path, tmp_path: Path, start_target: StartTarget
) -> None:
    binary = tmp_path / "busy"
    shutil.copy(busy_binary, binary)
    target = start_target(binary)
    processes = Processes()
    before = processes.identify(target.pid)
    binary.unlink()
    binary.write_text("something else")
    assert processes.identify(target.pid) == before
    assert before[0] in processes.list()


def test_command_lines_and_variables_are_told_only_where_they_are_asked_for(
    busy_binary: Path, start_target: StartTarget
) -> None:
    environment = {"POD_NAME": "shop-7", "SECRET": "s3cret", "LONG": "x" * 5000}
    target = start_target(busy_binary, "-x=a b", "", env={**os.environ, **environment})

    def told(listing: Listing | None) -> GoProcess:
        return next(each for each in Processes(listing=listing).list() if each.pid == target.pid)

    silent = told(None)
    assert (silent.command_line, silent.environment) == (None, ())
    some = told(Listing(environment=("POD_NAME", "NONE")))
    assert (some.command_line, some.environment) == (None, (Variable("POD_NAME", "shop-7"),))
    much = told(Listing(command_lines=True, environment=("LONG", "POD_NAME")))
    assert much.command_line == f"{busy_binary} '-x=a b' ''"
    assert [each.name for each in much.environment] == ["LONG", "POD_NAME"]
    assert much.environment[0].value == "x" * (MOST - len(CUT)) + CUT
    assert b"s3cret" not in much.to_json()


def test_holder_of_a_binary(busy: Busy) -> None:
    processes = Processes()
    build_id = processes.identify(busy.pid)[0].build_id
    assert processes.holder(build_id) is not None
    assert processes.holder("none/such") is None


def test_what_cannot_be_captured_says_why() -> None:
    ended = subprocess.Popen(["true"])
    while f"{ended.pid} (true) Z" not in Path(f"/proc/{ended.pid}/stat").read_text():
        pass
    cases = {
        2: "process 2 (kthreadd) is a kernel thread",
        ended.pid: f"process {ended.pid} (true) is a zombie: it has ended and waits for its parent",
        os.getpid(): f"process {os.getpid()} ({Path('/proc/self/comm').read_text().strip()}) is not a Go program",
    }
    for pid, what in cases.items():
        with pytest.raises(BadInput) as refused:
            Processes().identify(pid)
        assert str(refused.value) == what + LIST
    ended.wait()
    with pytest.raises(BadInput) as refused:
        Processes().identify(ended.pid)
    assert str(refused.value) == f"there is no process {ended.pid}" + LIST


def test_a_packed_program_is_named_so(busy_binary: Path, tmp_path: Path, start_target: StartTarget) -> None:
    """As UPX leaves one: without sections, its mark behind the headers."""
    code = bytearray(busy_binary.read_bytes())
    struct.pack_into("<Q", code, SECTIONS_AT, 0)
    struct.pack_into("<HHH", code, SIZES_AT, 0, 0, 0)
    unused = code.index(bytes(64), 0x200)
    assert unused < 0x1000
    code[unused : unused + 4] = b"UPX!"
    packed = tmp_path / "packed"
    packed.write_bytes(code)
    packed.chmod(0o755)
    target = start_target(packed)
    assert target.pid not in [each.pid for each in Processes().list()]
    with pytest.raises(BadInput) as refused:
        Processes().identify(target.pid)
    expected = f"the program of process {target.pid} (packed) is packed by UPX; unpack it (upx -d), or do not pack it"
    assert str(refused.value) == expected


def test_a_go_library_in_another_program_is_named(go: Path, tmp_path: Path) -> None:
    library = build(go, ROOT / "tests/targets/mixed", tmp_path / "library.so", "-buildmode=c-shared", cgo=True)
    host = "import ctypes, signal, sys; ctypes.CDLL(sys.argv[1]); print('ready {}', flush=True); signal.pause()"
    with running(sys.executable, "-c", host, library) as target, pytest.raises(BadInput) as refused:
        Processes().identify(target.pid)
    assert f"is not a Go program; the Go library that it loaded ({library}) cannot be captured" in str(refused.value)


def test_process_of_someone_else_is_skipped_in_the_list_and_refused_by_pid(tmp_path: Path) -> None:
    """A made-up /proc whose exe link may not be followed, as another user's looks to one without the capability."""
    folder = tmp_path / "77"
    folder.mkdir()
    (tmp_path / "stat").write_text("cpu 1\nbtime 1000\n")
    (folder / "stat").write_text("77 (a) b) S " + " ".join(["0"] * 18) + " 5 0 0\n")
    (folder / "exe").symlink_to("/proc/1/root/nothing")
    assert Processes(tmp_path).list() == ()
    with pytest.raises(CannotNow):
        Processes(tmp_path).identify(77)
