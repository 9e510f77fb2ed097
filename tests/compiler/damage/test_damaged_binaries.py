"""Whatever an executable holds, compiling it ends soon, in little memory, with a Program, an issue or one clear sentence."""

import re
import struct
import subprocess
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compiler.binary import Binary
from compiler.compile import compile_spec
from compiler.dwarf.executable import BadBinary
from compiler.naming.catalog import list_functions
from compiler.spec import read_spec
from compiler.variables import list_variables
from tests.bounded import Bounded, bounded
from tests.compiler.damage.elf import COMPRESSION, SAID, Compressed, Cut, Damage, Flip, Put, applied, damages, regions
from tests.conftest import ROOT, build

SPEC = ROOT / "tests/goldens/ledger.yaml"
MEMORY_MIB, SECONDS = 1536, 10
BUILDS = {
    "plain": ("-ldflags=-compressdwarf=false",),
    "compressed": (),
    "PIE": ("-buildmode=pie", "-ldflags=-compressdwarf=false"),
    "stripped": ("-ldflags=-s -w",),
}
AIMED = (
    "ELF header", "program headers", "section headers", ".debug_abbrev", ".debug_info", ".debug_loclists", ".debug_loc",
    ".debug_rnglists", ".debug_ranges", ".debug_addr", ".gopclntab", ".go.module", ".noptrdata", ".go.buildinfo",
    ".note.go.buildid", ".symtab", ".strtab", ".rela.dyn", ".rela", ".rodata", ".typelink", ".data.rel.ro",
)  # fmt: skip

Judge = Callable[[bytes], str]


@pytest.fixture(scope="module", params=BUILDS)
def whole(request: pytest.FixtureRequest, go: Path, built: Path) -> Path:
    name = request.param
    return build(go, ROOT / "tests/targets/ledger", built / f"ledger {name}", "-trimpath", *BUILDS[name])


@pytest.fixture(scope="module")
def compile_all() -> Iterator[Bounded]:
    function = "tests.compiler.damage.compiling:compile_all"
    with bounded(function, memory_mib=MEMORY_MIB, seconds=SECONDS) as found:
        yield found


@pytest.fixture
def judge(compile_all: Bounded, tmp_path: Path) -> Judge:
    """Compiles the bytes as an executable; "" or the one sentence that names the file. Anything else fails the test."""
    file = tmp_path / "damaged"

    def judged(data: bytes) -> str:
        file.write_bytes(data)
        outcome = compile_all(str(file), str(SPEC))
        assert outcome.how in ("returned", "refused"), f"{outcome.how}: {outcome.what}"
        if outcome.how == "returned":
            return ""
        assert str(outcome.what).startswith(f"{file}: "), outcome.what
        assert "\n" not in outcome.what
        return str(outcome.what)

    return judged


@pytest.mark.timeout(3600)
def test_damage_of_any_kind(whole: Path, judge: Judge, fuzz: int) -> None:
    data = whole.read_bytes()
    found = {name: region for name, region in regions(data).items() if name in AIMED}
    assert judge(data) == ""  # stripped too: then it has stacks, and an issue says why there are no variables
    ends = set()

    @settings(max_examples=75 * fuzz, deadline=None, derandomize=fuzz == 1, suppress_health_check=list(HealthCheck))
    @given(damages(found, len(data)))
    def run(wanted: tuple[Damage, ...]) -> None:
        ends.add(judge(applied(data, wanted)))

    run()
    assert len(ends) > 5


@pytest.mark.timeout(3600)
def test_debug_info_damaged_before_it_is_compressed(go: Path, built: Path, judge: Judge) -> None:
    """As one that is not compressed, packed again: damage that a checksum does not find."""
    plain = build(
        go, ROOT / "tests/targets/ledger", built / "ledger packed", "-ldflags=-compressdwarf=false"
    ).read_bytes()
    region = regions(plain)[".debug_info"]
    for size in (0, 1, 11, 12, 4096):
        content = zlib.compress(plain[region.start : region.start + size])
        packed = COMPRESSION.pack(1, 0, size, 1) + content
        judge(_section(plain, ".debug_info", packed, compressed=True))


def _section(data: bytes, name: str, content: bytes, *, compressed: bool) -> bytes:
    """The file with other content in a section."""
    region, damaged = regions(data)[name], bytearray(data)
    assert region.header_at is not None
    struct.pack_into("<Q", damaged, region.header_at + 8, 0x800 if compressed else 0)
    struct.pack_into("<QQ", damaged, region.header_at + 24, len(data), len(content))
    return bytes(damaged + content)


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("section", [".debug_info", ".debug_abbrev", ".gopclntab", ".symtab"])
def test_sections_that_lie_about_their_size(section: str, go: Path, built: Path, judge: Judge) -> None:
    flags = ("-trimpath", "-ldflags=-compressdwarf=false")
    data = build(go, ROOT / "tests/targets/ledger", built / "ledger lies", *flags).read_bytes()
    region = regions(data)[section]
    for said in SAID:
        judge(applied(data, (Compressed(region, said, 16 << 20),)))
    bomb = judge(applied(data, (Compressed(region, 1 << 30, 1 << 30),)))
    assert f"section {section} is damaged" in bomb or section == ".symtab"
    assert "cannot hold the 1073741824 that they say they do" in bomb or section == ".symtab"
    judge(applied(data, (Compressed(region, 1 << 20, 1 << 30),)))


@pytest.mark.parametrize("noise", [bytes(1 << 16), b"\x01\x11\x01" * 20000, b"\xff" * (1 << 16)])
@pytest.mark.parametrize("section", [".debug_abbrev", ".debug_info"])
def test_garbage_is_not_taken_for_no_debug_info(
    section: str, noise: bytes, go: Path, built: Path, judge: Judge
) -> None:
    flags = ("-trimpath", "-ldflags=-compressdwarf=false")
    data = build(go, ROOT / "tests/targets/ledger", built / "ledger garbage", *flags).read_bytes()
    region = regions(data)[section]
    said = judge(applied(data, (Put(region.start, noise[: region.end - region.start]),)))
    assert "its debug info is damaged: " in said


def test_units_behind_damage_are_not_lost_in_silence(go: Path, built: Path, judge: Judge) -> None:
    flags = ("-trimpath", "-ldflags=-compressdwarf=false")
    data = build(go, ROOT / "tests/targets/ledger", built / "ledger half", *flags).read_bytes()
    region = regions(data)[".debug_info"]
    (length,) = struct.unpack_from("<I", data, region.start)
    second = region.start + 4 + length
    said = judge(applied(data, (Put(second, b"\xfe" * 64),)))
    assert f"its debug info is damaged: no unit begins at offset {4 + length:#x}" in said


@pytest.mark.parametrize(
    ("whole", "swapped", "told"),
    [
        (rb"\x13\x0b(.{1,12}?)\x25\x08", b"\x25\x0b\\1\x13\x08", "what compiled it is not told by a text"),
        (rb"\x12([\x01\x0f])\x40\x0a", b"\x40\\1\x12\x0a", "where code ends is not told by a number"),
    ],
    ids=["DW_AT_producer and DW_AT_language", "DW_AT_high_pc and DW_AT_frame_base"],
)
def test_attributes_that_have_each_others_forms(
    whole: bytes, swapped: bytes, told: str, go: Path, built: Path, tmp_path: Path
) -> None:
    """Everything is as long as before, but a number stands for a text, or bytes stand for a number."""
    flags = ("-trimpath", "-ldflags=-compressdwarf=false")
    data = build(go, ROOT / "tests/targets/ledger", built / "ledger swaps", *flags).read_bytes()
    region = regions(data)[".debug_abbrev"]
    table = data[region.start : region.end]
    file = tmp_path / "swapped"
    file.write_bytes(applied(data, (Put(region.start, re.sub(whole, swapped, table, flags=re.DOTALL)),)))
    with Binary(file) as binary:
        issues = compile_spec(read_spec(SPEC.read_bytes(), SPEC.name), binary).issues
        assert f"the debug info of main.post cannot be read: ValueError: {told}" in [each.message for each in issues]
        with pytest.raises(BadBinary, match=f"its debug info is damaged: {told}"):
            list_variables(binary, "main.post", 1)


def test_a_segment_where_no_process_has_memory_is_told(whole: Path, judge: Judge) -> None:
    data = bytearray(whole.read_bytes())
    (headers,) = struct.unpack_from("<Q", data, 0x20)
    starts = range(headers, headers + 0x38 * struct.unpack_from("<H", data, 0x38)[0], 0x38)
    first = next(at for at in starts if struct.unpack_from("<I", data, at) == (1,))  # PT_LOAD
    data[first + 0x16] ^= 1  # of its address
    assert "its first segment is loaded at 0x1" in judge(bytes(data))


def test_code_where_the_executable_has_none_is_told(go: Path, built: Path, tmp_path: Path) -> None:
    """Every address of code is as far from its place as the bit says: nothing would ever run there."""
    flags = ("-trimpath", "-ldflags=-compressdwarf=false")
    data = build(go, ROOT / "tests/targets/ledger", built / "ledger moved", *flags).read_bytes()
    region, file = regions(data)[".debug_addr"], tmp_path / "moved"
    for bit in (40, 62):
        flips = [Flip(at + bit // 8, bit % 8) for at in range(region.start + 8, region.end - 7, 8)]
        file.write_bytes(applied(data, tuple(flips)))
        with Binary(file) as binary:
            compiled = compile_spec(read_spec(SPEC.read_bytes(), SPEC.name), binary)
        assert [each.instances for each in compiled.functions] == [()] * len(compiled.functions)
        told = [each.message for each in compiled.issues if each.message.endswith(", where the executable has none")]
        assert len(told) == len(compiled.functions), compiled.issues


def test_a_name_that_is_no_text_is_none(go: Path, built: Path, tmp_path: Path) -> None:
    """Functions that are inlined somewhere have DW_AT_name and DW_AT_inline the other way round."""
    flags = ("-trimpath", "-ldflags=-compressdwarf=false")
    data = build(go, ROOT / "tests/targets/ledger", built / "ledger nameless", *flags).read_bytes()
    region = regions(data)[".debug_abbrev"]
    table, file = data[region.start : region.end], tmp_path / "nameless"
    damaged = table.replace(b"\x03\x08\x20\x0b", b"\x20\x08\x03\x0b")
    assert damaged != table
    file.write_bytes(applied(data, (Put(region.start, damaged),)))
    with Binary(file) as binary:
        names = [each.name for each in list_functions(binary, "main.*", 50).functions]
        assert "main.post" in names
        assert "main.fee" not in names
        issues = compile_spec(read_spec(SPEC.read_bytes(), SPEC.name), binary).issues
        assert 'no function "main.fee" in this binary' in [each.message for each in issues]


def test_functions_of_damaged_debug_info_are_refused_in_one_sentence(go: Path, built: Path, tmp_path: Path) -> None:
    flags = ("-trimpath", "-ldflags=-compressdwarf=false")
    data = build(go, ROOT / "tests/targets/ledger", built / "ledger ranges", *flags).read_bytes()
    found = regions(data)
    region = found.get(".debug_rnglists") or found[".debug_ranges"]
    file = tmp_path / "damaged"
    file.write_bytes(applied(data, (Put(region.start, b"\xfe" * (region.end - region.start)),)))
    with Binary(file) as binary, pytest.raises(BadBinary, match="its debug info is damaged: "):
        list_functions(binary, "main.*", 50)


@pytest.mark.timeout(3600)
def test_an_executable_that_ends_anywhere(whole: Path, judge: Judge) -> None:
    data = whole.read_bytes()
    found = regions(data)
    sizes = {
        0,
        1,
        63,
        64,
        65,
        *(region.start for region in found.values()),
        *(region.end - 1 for region in found.values()),
    }
    for size in sorted(size for size in sizes if size < len(data)):
        judge(applied(data, (Cut(size),)))


@given(noise=st.binary(max_size=4096))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_noise_behind_an_elf_header(noise: bytes, judge: Judge) -> None:
    assert judge(noise)
    assert judge(b"\x7fELF\2\1\1" + noise)


def test_the_command_says_one_sentence(whole: Path, tmp_path: Path) -> None:
    data, damaged = whole.read_bytes(), tmp_path / "damaged"
    found = regions(data)
    cases = [
        applied(data, (Cut(100_000),)),
        applied(data, (Put(found[".gopclntab"].start if ".gopclntab" in found else 64, bytes(4096)),)),
        applied(data, (Put(found["section headers"].start, b"\xff" * 4096),)),
        b"",
        b"#!/bin/sh\n",
    ]
    for case in cases:
        damaged.write_bytes(case)
        command = [str(ROOT / ".venv/bin/freezeframe"), "compile", str(damaged), "--spec", str(SPEC)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 2, done.stdout + done.stderr
        assert done.stderr.startswith(f"freezeframe: {damaged}: ")
        assert done.stderr.count("\n") == 1
        assert done.stdout == ""
