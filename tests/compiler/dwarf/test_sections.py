"""Debug info that is compressed or not, unpacked when it is asked for or ahead of that, says the same."""

import json
import re
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from compiler.binary import Binary
from compiler.compile import Compiled, compile_spec
from compiler.dwarf.executable import AHEAD, BadBinary, Executable
from compiler.spec import read_spec
from tests.conftest import ROOT, build

SPEC = {"functions": [{"function": "main.*", "table": "t", "collect": ["label", "n", "s.name"]}]}


def test_unpacked_ahead(go: Path, tmp_path: Path) -> None:
    path = build(go, ROOT / "tests/targets/names", tmp_path / "packed")
    with Executable(path) as asked, Executable(path) as ahead:
        ahead.unpack_ahead()
        names = [name for name in AHEAD if asked.section(name) is not None]
        assert set(names) >= {".debug_info", ".debug_loclists", ".debug_rnglists"}
        for name in names:
            assert ahead.section(name) == asked.section(name)
    with Executable(path) as closed_at_once:
        closed_at_once.unpack_ahead()


def test_what_cannot_be_unpacked_is_told_to_whoever_asks(go: Path, tmp_path: Path) -> None:
    path = build(go, ROOT / "tests/targets/names", tmp_path / "packed")
    with path.open("r+b") as file:
        section = ELFFile(file).get_section_by_name(".debug_loclists")
        assert section is not None
        file.seek(section["sh_offset"] + section["sh_size"] // 2)
        file.write(b"\xff" * 100)
    with Executable(path) as damaged:
        damaged.unpack_ahead()
        assert damaged.section(".debug_info")
        for _ in range(2):
            with pytest.raises(BadBinary, match=re.escape(f"{path}: its section .debug_loclists is damaged: ")):
                damaged.section(".debug_loclists")


def test_compressed_and_not(go: Path, tmp_path: Path) -> None:
    def compiled(name: str, *flags: str) -> Compiled:
        with Binary(build(go, ROOT / "tests/targets/names", tmp_path / name, *flags)) as binary:
            return compile_spec(read_spec(json.dumps(SPEC), "spec.yaml"), binary)

    packed, plain = compiled("packed"), compiled("plain", "-ldflags=-compressdwarf=false")
    assert packed.issues == plain.issues == ()
    assert packed.program.sites == plain.program.sites
    assert len({site.lo for site in plain.program.sites if site.level}) > 3
