"""A binary without debug info against its twin that has it: what is read from code and data is what debug info says."""

import json
import os
import struct
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from compiler.binary import Binary
from compiler.compile import Compiled, compile_spec
from compiler.dwarf.executable import BadBinary
from compiler.ir.frames import Issue
from compiler.ir.program import Missing
from compiler.runtime import read_runtime
from compiler.spec import read_spec
from tests.compiler.bare import SECTIONS_AT, SIZES_AT, bare
from tests.conftest import ROOT, build

pytestmark = [pytest.mark.every_version, pytest.mark.timeout(600)]

ISSUE = Issue(
    "debug info",
    "no debug info (stripped, or linked with -ldflags=-w): stacks only; "
    "give the file that has it (--debug), or build without -s and -w",
)
SPEC = ROOT / "examples/querydb/querydb.yaml"
VARIANTS = {
    "plain": ((), "amd64"),
    "pie": (("-buildmode=pie",), "amd64"),
    "arm64": ((), "arm64"),
}


@pytest.fixture(scope="module", params=VARIANTS)
def twins(request: pytest.FixtureRequest, go: Path, built: Path) -> tuple[Path, Path]:
    """A binary with all that debug info tells, and itself without."""
    flags, arch = VARIANTS[request.param]
    whole = build(go, ROOT / "tests/targets/bodies", built / f"twin-{request.param}", *flags, arch=arch)
    return whole, bare(whole, built / f"bare-{request.param}")


def test_the_runtime_is_where_debug_info_says(twins: tuple[Path, Path]) -> None:
    with Binary(twins[0]) as whole, Binary(twins[1]) as robbed:
        assert whole.no_debug_info is None
        assert robbed.no_debug_info == ISSUE.message
        assert robbed.executable.symbol("runtime.allglen") is None
        assert read_runtime(robbed) == read_runtime(whole)
        assert len(read_runtime(robbed).wait_reasons) > 30


def test_copies_of_functions_are_where_debug_info_says(twins: tuple[Path, Path]) -> None:
    with Binary(twins[0]) as whole, Binary(twins[1]) as robbed:
        names = [n for n in whole.index.functions if n.startswith(("main.", "sync.", "sync/atomic.", "strconv."))]
        copies = inlined = 0
        for name in names:
            if robbed.functions.is_wrapper(name):  # of which debug info does not always tell that it is one
                continue
            expected = [(each.level, _joined(each.ranges)) for each in whole.functions.instances(name)]
            found = [(each.level, each.ranges) for each in robbed.functions.instances(name)]
            assert sorted(found) == sorted(expected), name
            copies += len(found)
            inlined += sum(level > 0 for level, _ in found)
        assert copies > 100
        assert inlined > 20


def _joined(ranges: tuple[tuple[int, int], ...]) -> tuple[tuple[int, int], ...]:
    found: list[tuple[int, int]] = []
    for lo, hi in sorted(each for each in ranges if each[0] < each[1]):
        if found and found[-1][1] == lo:
            found[-1] = (found[-1][0], hi)
        else:
            found.append((lo, hi))
    return tuple(found)


def _compiled(path: Path) -> Compiled:
    with Binary(path) as binary:
        return compile_spec(read_spec(SPEC.read_bytes(), SPEC.name), binary)


def test_one_issue_says_why_and_every_frame_still_has_its_row(querydb: Path, tmp_path: Path) -> None:
    whole, robbed = _compiled(querydb), _compiled(bare(querydb, tmp_path / "bare"))
    assert whole.issues == ()
    assert robbed.issues == (ISSUE,)
    at_calls = {place for site in robbed.program.sites if not site.exact for place in site.places}
    assert at_calls == {Missing("no debug info")}
    assert all(isinstance(place, Missing) for site in robbed.program.sites for place in site.places)
    asked = tuple(each for each in whole.program.tables if each.table)  # the others are for waits
    assert robbed.program.tables == asked
    assert {site.function for site in robbed.program.sites} == set(range(len(asked)))
    assert whole.program.tables[: len(asked)] == asked


def test_a_function_that_is_not_there_is_an_issue_of_its_own(querydb: Path, tmp_path: Path) -> None:
    spec = read_spec(b"functions: [{function: main.(*Session).servee, collect: [s]}]", "spec.yaml")
    with Binary(bare(querydb, tmp_path / "bare")) as binary:
        issues = compile_spec(spec, binary).issues
    assert issues[0] == ISSUE
    assert issues[1].message == 'no function "main.(*Session).servee" in this binary'
    assert "main.(*Session).serve" in issues[1].nearest


def test_what_is_kept_of_a_binary_is_not_taken_for_its_stripped_copy(querydb: Path, tmp_path: Path) -> None:
    robbed = bare(querydb, tmp_path / "bare")
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    for binary, issues in ((querydb, 0), (robbed, 1), (querydb, 0), (robbed, 1)):
        command = map(str, (ROOT / ".venv/bin/freezeframe", "compile", binary, "--spec", SPEC, "--json"))
        done = subprocess.run([*command], env=environment, capture_output=True, text=True, check=True)
        assert len(json.loads(done.stdout)["issues"]) == issues


@pytest.mark.parametrize("flags", ["-s", "-w", "-s -w"])
def test_what_the_linker_strips_is_found_again(flags: str, go: Path, tmp_path: Path) -> None:
    stripped = build(go, ROOT / "tests/targets/busy", tmp_path / "stripped", f"-ldflags={flags}")
    whole = build(go, ROOT / "tests/targets/busy", tmp_path / "whole")
    with Binary(stripped) as binary, Binary(whole) as twin:
        assert binary.no_debug_info == ISSUE.message
        found, expected = read_runtime(binary), read_runtime(twin)
        assert found.wait_reasons == expected.wait_reasons
        assert (found.g_goid, found.g_sched_pc, found.m_procid) == (
            expected.g_goid,
            expected.g_sched_pc,
            expected.m_procid,
        )


def test_symbols_tell_what_debug_info_does_not(querydb: Path, tmp_path: Path) -> None:
    with Binary(querydb) as whole, Binary(bare(querydb, tmp_path / "bare", symbols=True)) as robbed:
        assert robbed.executable.symbol("runtime.allglen") is not None
        assert read_runtime(robbed) == read_runtime(whole)


def test_code_that_does_not_agree_is_refused(querydb: Path, tmp_path: Path) -> None:
    """Where the list of goroutines is must not be guessed: here the code that reads its length reads something else."""
    robbed = bare(querydb, tmp_path / "bare")
    with Binary(robbed) as binary:
        start, _ = binary.functions.instances("runtime.atomicAllG")[0].ranges[0]
        code = binary.executable.read(start, 64)
    assert code is not None
    assert robbed.read_bytes().count(code) == 1
    robbed.write_bytes(robbed.read_bytes().replace(code, bytes(64)))
    with Binary(robbed) as binary, pytest.raises(BadBinary, match=r"lack the runtime's variables runtime\.allglen"):
        read_runtime(binary)


def test_lost_section_headers_are_one_clear_error(querydb: Path, tmp_path: Path) -> None:
    code = bytearray(querydb.read_bytes())
    struct.pack_into("<Q", code, SECTIONS_AT, 0)
    struct.pack_into("<HHH", code, SIZES_AT, 0, 0, 0)
    (tmp_path / "headless").write_bytes(code)
    with pytest.raises(BadBinary, match="its section headers are lost"):
        _compiled(tmp_path / "headless")


def test_made_up_names_have_stacks_by_these(go: Path, tmp_path: Path) -> None:
    """As garble leaves a program: stripped, and with a mark of its own at the beginning of the function table."""
    binary = build(go, ROOT / "tests/targets/ledger", tmp_path / "ledger", "-ldflags=-s -w")
    code = bytearray(binary.read_bytes())
    with binary.open("rb") as file:
        table = ELFFile(file).get_section_by_name(".gopclntab")
        assert table is not None
        code[table["sh_offset"] : table["sh_offset"] + 4] = b"\xd7\x71\xa1\x2f"
    made_up = tmp_path / "made up"
    made_up.write_bytes(code)
    plain, found = _compiled(binary), _compiled(made_up)
    assert replace(found.program, build_id="") == replace(plain.program, build_id="")
    [issue] = [each for each in found.issues if each.item == "debug info"]
    assert "as garble leaves them: stacks only, by these names; garble reverse translates them" in issue.message
    atomic = code.index(b"\0runtime.atomicAllG\0")
    code[atomic + 1 : atomic + 18] = b"runtime.?.?.?.?.?"
    made_up.write_bytes(code)
    with pytest.raises(BadBinary, match="its functions have lost their names") as refused:
        _compiled(made_up)
    assert refused.value.remedy == "build it without garble's -tiny"


def test_a_packed_program_is_one_clear_error(tmp_path: Path, querydb: Path) -> None:
    """As UPX leaves one: what it packed is no section and no table any more, its mark is behind the headers."""
    code = bytearray(querydb.read_bytes()[:0x1000])
    struct.pack_into("<Q", code, SECTIONS_AT, 0)
    struct.pack_into("<HHH", code, SIZES_AT, 0, 0, 0)
    code[0x400:0x404] = b"UPX!"
    (tmp_path / "packed").write_bytes(code)
    command = map(str, (ROOT / ".venv/bin/freezeframe", "compile", tmp_path / "packed", "--spec", SPEC))
    done = subprocess.run([*command], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "it is packed by UPX" in done.stderr
    assert "upx -d" in done.stderr


def test_a_package_compiled_without_debug_info_is_told_once(go: Path, tmp_path: Path) -> None:
    binary = build(go, ROOT / "tests/targets/busy", tmp_path / "bare", "-gcflags=-dwarf=false")
    text = "functions: [{function: main.countSignals, table: t, collect: [seen, n]}]"
    with Binary(binary) as opened:
        compiled = compile_spec(read_spec(text.encode(), "x.yaml"), opened)
    how = "its package was compiled with -gcflags=-dwarf=false; build it without"
    assert compiled.issues == (Issue("function main.countSignals", f"no variables of main.countSignals: {how}", 1),)
    places = [place for site in compiled.program.sites if not site.function for place in site.places]
    assert {place.reason for place in places if isinstance(place, Missing)} == {"issue", "not declared"}
    assert all(isinstance(place, Missing) for place in places)
