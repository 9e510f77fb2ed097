"""Binaries for arm64 compile to Programs, checked without such a machine: against Go's ABI, .debug_frame, and amd64."""

from pathlib import Path

import pytest
from elftools.dwarf.callframe import FDE, CFARule
from elftools.elf.elffile import ELFFile

from compiler.binary import Binary
from compiler.compile import compile_spec
from compiler.dwarf.locations import Known, PlaceFinder, read_locations
from compiler.ir.program import AtCfa, InRegister, Located
from compiler.spec import read_spec
from tests.conftest import ROOT, build

pytestmark = pytest.mark.timeout(600)

SPEC = ROOT / "examples/querydb/querydb.yaml"
STACK_POINTERS = {"amd64": 7, "arm64": 31}
RECEIVER_AND_QUERY = {"amd64": (0, 5), "arm64": (0, 3)}
"""The first and the fourth word, a context between them (cmd/compile/abi-internal.md): RAX, RDI; R0, R3."""


@pytest.fixture(scope="module", params=["amd64", "arm64"])
def binary(request: pytest.FixtureRequest, go: Path, built: Path) -> Path:
    return build(go, ROOT / "examples/querydb", built / f"querydb-{request.param}", arch=request.param)


def test_arguments_are_in_the_registers_of_go_s_abi(binary: Path) -> None:
    text = b"functions: [{function: main.(*Session).execute, collect: [s, {expr: q, as: query}]}]"
    with Binary(binary) as opened:
        compiled = compile_spec(read_spec(text, "spec.yaml"), opened)
        arch = opened.executable.arch
    assert compiled.issues == ()
    assert compiled.program.arch == arch
    entry = min(site.lo for site in compiled.program.sites)
    [site] = [each for each in compiled.program.sites if each.exact and each.lo <= entry < each.hi]
    expected = RECEIVER_AND_QUERY[arch]
    found = [place.pieces for place in site.places if isinstance(place, Located)]
    assert found == [(InRegister(0, 8, number),) for number in expected]


def test_the_demo_s_spec_compiles_without_issues(binary: Path) -> None:
    with Binary(binary) as opened:
        compiled = compile_spec(read_spec(SPEC.read_bytes(), SPEC.name), opened)
    assert compiled.issues == ()
    located = [p for site in compiled.program.sites for p in site.places if isinstance(p, Located)]
    assert len(located) > 20
    assert any(isinstance(piece, AtCfa) for place in located for piece in place.pieces)


def test_frames_end_where_debug_frame_says(binary: Path) -> None:
    """The CFA is the stack pointer, the frame's size, and what a call pushes."""
    with Binary(binary) as opened, binary.open("rb") as file:
        pushed, stack_pointer = opened.executable.machine.pushed, STACK_POINTERS[opened.executable.arch]
        wanted = {lo for name, places in opened.pclntab.functions().items() if name[:5] == "main." for lo, _ in places}
        checked = 0
        for entry in ELFFile(file).get_dwarf_info().CFI_entries():
            if not isinstance(entry, FDE) or entry["initial_location"] not in wanted:
                continue
            for row in entry.get_decoded().table:
                rule = row["cfa"]
                assert isinstance(rule, CFARule)
                assert rule.reg == stack_pointer
                size = opened.pclntab.frame_size(row["pc"])
                assert size is not None
                assert rule.offset == size + pushed, hex(row["pc"])
                checked += 1
    assert checked > 500


def test_the_collector_s_maps_are_read_at_the_right_words(go: Path, built: Path) -> None:
    """Which pointers are alive depends little on the machine; one word beside, every second one would be dead."""
    shares = []
    for arch in ("amd64", "arm64"):
        with Binary(build(go, ROOT / "examples/querydb", built / f"querydb-{arch}", arch=arch)) as opened:
            for arguments in (False, True):
                alive, dead = _counted(opened, arguments=arguments)
                assert alive + dead > 500
                shares.append(dead / (alive + dead))
    assert shares[0] == pytest.approx(shares[2], abs=0.05)
    assert shares[1] == pytest.approx(shares[3], abs=0.05)


def _counted(binary: Binary, *, arguments: bool) -> tuple[int, int]:
    """Pointers on the stack at calls, alive and dead, in the callers' frames or in their own."""
    counts = [0, 0]
    names = [name for name in binary.index.functions if name.startswith("main.")]
    for instance in (each for name in names for each in binary.functions.instances(name) if not each.level):
        lo, hi = instance.ranges[0]
        for variable in instance.variables:
            locations = read_locations(binary.info, variable.die, binary.types.shape(variable.type))
            if locations.constant or not binary.stack_maps.pointers(variable.type):
                continue
            finder = PlaceFinder(locations)
            for pc in binary.stack_maps.edges(lo, hi):
                found = finder.at_call(pc)
                slots = [p.offset for p in found.pieces if isinstance(p, AtCfa)] if isinstance(found, Known) else []
                if slots and isinstance(found, Known) and (min(slots) >= 0) is arguments:
                    counts[bool(binary.stack_maps.dead(pc, variable.type, found.pieces))] += 1
    return counts[0], counts[1]
