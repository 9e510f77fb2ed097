"""Debug info that is compressed or not, unpacked when it is asked for or ahead of that, says the same."""

import json
import re
import subprocess
from pathlib import Path

import pytest
import zstandard
from elftools.elf.elffile import ELFFile

from compiler.binary import Binary
from compiler.compile import Compiled, compile_spec
from compiler.dwarf.elf import SHF_COMPRESSED
from compiler.dwarf.executable import AHEAD, BadBinary, Executable
from compiler.dwarf.sections import COMPRESSION, ZSTD, BadSection, read_section
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
    def compiled(path: Path) -> Compiled:
        with Binary(path) as binary:
            return compile_spec(read_spec(json.dumps(SPEC), "spec.yaml"), binary)

    def built(name: str, *flags: str) -> Path:
        return build(go, ROOT / "tests/targets/names", tmp_path / name, *flags)

    plain = compiled(uncompressed := built("plain", "-ldflags=-compressdwarf=false"))
    zstd = tmp_path / "zstd"
    subprocess.run(["objcopy", "--compress-debug-sections=zstd", uncompressed, zstd], check=True)
    with zstd.open("rb") as file:
        section = ELFFile(file).get_section_by_name(".debug_info")
        assert section is not None
        file.seek(section["sh_offset"])
        assert file.read(4) == b"\2\0\0\0"  # ELFCOMPRESS_ZSTD
    for packed in (compiled(built("packed")), compiled(zstd)):
        assert packed.issues == plain.issues == ()
        assert packed.program.sites == plain.program.sites
    assert len({site.lo for site in plain.program.sites if site.level}) > 3


TEXT = bytes(range(256)) * 100


def zstd_section(folder: Path, packed: bytes, said: int) -> bytes:
    """What a section with this content is read as."""
    file = folder / "section"
    file.write_bytes(COMPRESSION.pack(ZSTD, 0, said, 1) + packed)
    with file.open("rb") as opened:
        return bytes(read_section(opened, SHF_COMPRESSED, 0, file.stat().st_size).view)


def test_a_section_of_several_frames(tmp_path: Path) -> None:
    packed = zstandard.compress(TEXT[:9000]) + zstandard.compress(TEXT[9000:])
    assert zstd_section(tmp_path, packed, len(TEXT)) == TEXT


@pytest.mark.parametrize(
    ("packed", "said"),
    [
        (zstandard.compress(TEXT), len(TEXT) + 1),
        (zstandard.compress(TEXT), len(TEXT) - 1),
        (zstandard.compress(TEXT)[:-9], len(TEXT)),
        (b"no zstd at all", 100),
        (zstandard.compress(TEXT) + b"more", len(TEXT)),
        (zstandard.compress(bytes(64 << 20)), 64 << 20),
        (zstandard.compress(bytes(64 << 20)), 1 << 10),
    ],
)
def test_zstd_that_does_not_hold_what_it_says(tmp_path: Path, packed: bytes, said: int) -> None:
    with pytest.raises(BadSection, match="is damaged: "):
        zstd_section(tmp_path, packed, said)
