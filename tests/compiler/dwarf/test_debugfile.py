"""Debug info kept apart from a stripped executable: found by build id, and as good as its own."""

import os
import subprocess
from pathlib import Path

import pytest

from compiler.binary import Binary
from compiler.compile import compile_spec
from compiler.dwarf.debugfile import DebugFiles
from compiler.ir.errors import BadInput
from compiler.ir.program_codec import program_to_bytes
from compiler.spec import read_spec
from tests.conftest import ROOT, build

SPEC = ROOT / "tests/goldens/ledger.yaml"


@pytest.fixture(scope="module")
def whole(go: Path, built: Path) -> Path:
    return build(go, ROOT / "tests/targets/ledger", built / "ledger-whole")


@pytest.fixture(scope="module")
def stripped(whole: Path) -> Path:
    return _objcopy("--strip-all", whole, whole.with_name("ledger-stripped"))


@pytest.fixture(scope="module")
def debug(whole: Path) -> Path:
    return _objcopy("--only-keep-debug", whole, whole.with_name("ledger.debug"))


def _objcopy(what: str, source: Path, to: Path) -> Path:
    subprocess.run(["objcopy", what, source, to], check=True)
    return to


def program(binary: Path, *places: Path) -> bytes:
    with Binary(binary, debug_files=DebugFiles(places)) as opened:
        return program_to_bytes(compile_spec(read_spec(SPEC.read_bytes(), SPEC.name), opened).program)


def test_a_program_is_the_same_with_the_debug_info_apart(whole: Path, stripped: Path, debug: Path) -> None:
    assert program(stripped) != program(whole)
    assert program(stripped, debug) == program(whole)
    assert program(stripped, whole) == program(whole)
    with Binary(stripped, debug_files=DebugFiles([debug])) as opened, Binary(whole) as other:
        assert opened.executable.identity.compiled_as == other.executable.identity.compiled_as


def test_debug_info_that_was_compressed_in_the_old_way_is_not_said_to_be_stripped(whole: Path, tmp_path: Path) -> None:
    plain = _objcopy("--decompress-debug-sections", whole, tmp_path / "plain")
    old = _objcopy("--compress-debug-sections=zlib-gnu", plain, tmp_path / "old")
    with Binary(old) as opened:
        assert opened.no_debug_info == (
            "its debug info is compressed in the old way (.zdebug_info): stacks only; "
            "unpack it with: objcopy --decompress-debug-sections"
        )
    assert program(_objcopy("--decompress-debug-sections", old, tmp_path / "unpacked")) == program(whole)


def test_a_debug_place_that_is_no_file_or_folder_is_refused(stripped: Path, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(BadInput, match="this is neither a file nor a folder"):
        program(stripped, pipe)


def test_it_is_found_in_a_folder_by_any_name(whole: Path, stripped: Path, debug: Path, tmp_path: Path) -> None:
    (tmp_path / "another").write_bytes(b"no ELF file")
    with Binary(stripped) as opened:
        note = opened.executable.section(".note.gnu.build-id")
    named = [tmp_path / "by name" / "of any name"]
    if note is not None:
        gnu_id = note[16:].hex()
        named.append(tmp_path / "usr" / ".build-id" / gnu_id[:2] / f"{gnu_id[2:]}.debug")
    for path in named:
        path.parent.mkdir(parents=True)
        path.symlink_to(debug)
    assert program(stripped, tmp_path, tmp_path / "by name") == program(whole)
    assert (program(stripped, tmp_path / "usr") == program(whole)) == (note is not None)


def test_a_file_of_another_build_is_refused(stripped: Path, querydb: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="not the debug info of the binary"):
        program(stripped, querydb)
    with pytest.raises(BadInput, match="not the debug info of the binary"):
        program(stripped, stripped)  # the right build id, and nothing in it
    with pytest.raises(BadInput, match="no such file"):
        program(stripped, tmp_path / "nowhere")
    assert program(stripped, querydb.parent / "..", tmp_path) == program(stripped)  # folders may lack it


def test_a_binary_with_debug_info_needs_no_other(whole: Path, querydb: Path) -> None:
    assert program(whole, querydb) == program(whole)


def test_a_damaged_debug_file_is_one_clear_error(stripped: Path, debug: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.debug"
    content = debug.read_bytes()
    for size in (len(content) // 2, len(content) * 9 // 10, 5000, 100):
        cut.write_bytes(content[:size])
        with pytest.raises(BadInput):
            program(stripped, cut)
