"""Who an executable is, from real binaries, cut ones and noise."""

import contextlib
import io
import random
import re
import struct
import subprocess
from pathlib import Path

import pytest

from compiler.ir.build_id import BinaryIdentity, NotAnExecutable, read_identity
from compiler.ir.errors import BadInput
from tests.conftest import ROOT, build


@pytest.fixture(scope="module")
def stripped(go: Path, built: Path) -> Path:
    """Without sections that name anything, without a build id."""
    return build(go, ROOT / "tests/targets/busy", built / "busy-stripped", "-ldflags=-s -w -buildid=")


def test_go_binary_has_go_s_build_id_and_version(busy_binary: Path) -> None:
    with busy_binary.open("rb") as file:
        found = read_identity(file)
    assert re.fullmatch(r"[\w-]+/[\w-]+/[\w-]+/[\w-]+", found.build_id)
    assert found.go_version is not None
    assert re.match(r"go1\.\d+", found.go_version)
    assert (found.is_go, found.machine, found.relocatable, found.load_address) == (True, "amd64", False, 0x400000)
    assert found.load_address < found.entry


def test_stripped_go_binary_without_build_id_is_named_by_its_bytes(stripped: Path) -> None:
    with stripped.open("rb") as file:
        found = read_identity(file)
    assert re.fullmatch(r"sha256:[0-9a-f]{64}", found.build_id)
    assert found.is_go
    changed = bytearray(stripped.read_bytes())
    changed[found.entry - found.load_address] ^= 1
    assert read_identity(io.BytesIO(changed)).build_id != found.build_id


def test_a_build_id_that_somebody_chose_tells_no_binaries_apart(go: Path, built: Path) -> None:
    """Bazel gives all that it builds the same one."""
    binary = build(go, ROOT / "tests/targets/busy", built / "busy-redacted", "-ldflags=-buildid=redacted")
    with binary.open("rb") as file:
        found = read_identity(file)
    assert re.fullmatch(r"redacted/sha256:[0-9a-f]{64}", found.build_id)
    changed = bytearray(binary.read_bytes())
    changed[found.entry - found.load_address] ^= 1
    assert read_identity(io.BytesIO(changed)).build_id != found.build_id


GO_LIBRARY = """package main

import "C"

//export Answer
func Answer() C.int { return 42 }

func main() {}
"""
C_PROGRAM = """extern int Answer(void);
int puts(const char *);
int main(void) { puts("MESSAGE"); return Answer(); }
"""


def test_two_c_programs_with_one_archive_of_go_s_are_told_apart(go: Path, tmp_path: Path) -> None:
    """Both have the archive's build id, and their code is at other places."""
    (tmp_path / "main.go").write_text(GO_LIBRARY)
    (tmp_path / "go.mod").write_text("module answer\n\ngo 1.21\n")
    archive = build(go, tmp_path, tmp_path / "answer.a", "-buildmode=c-archive", cgo=True)

    def linked(name: str, build_id: str) -> Path:
        source, program = tmp_path / f"{name}.c", tmp_path / name
        source.write_text(C_PROGRAM.replace("MESSAGE", name))
        subprocess.run(
            ["gcc", f"-Wl,--build-id={build_id}", "-o", str(program), str(source), str(archive), "-lpthread"],
            check=True,
        )
        return program

    for build_id in ("none", "0xabcdef", "sha1"):
        one, two = (_identity(linked(name, build_id)) for name in ("one", "two"))
        assert one.build_id != two.build_id, build_id
        assert (one.is_go, two.is_go) == (True, True)
    program = linked("one", "sha1")
    whole = _identity(program)
    subprocess.run(["strip", str(program)], check=True)
    assert _identity(program).build_id == whole.build_id


def _identity(path: Path) -> BinaryIdentity:
    with path.open("rb") as file:
        return read_identity(file)


def test_position_independent_binary(go: Path, built: Path) -> None:
    binary = build(go, ROOT / "tests/targets/memory", built / "movable", "-buildmode=pie")
    with binary.open("rb") as file:
        assert read_identity(file).relocatable


def test_program_that_is_not_go_has_the_gnu_build_id() -> None:
    with Path("/bin/ls").open("rb") as file:
        found = read_identity(file)
    assert re.fullmatch(r"[0-9a-f]{40}", found.build_id)
    assert (found.is_go, found.go_version) == (False, None)


def test_version_behind_pointers_as_before_go_1_18() -> None:
    """A small ELF made by hand: one writable segment with the build information, a string header and the string."""
    text = b"go1.17.13"
    header = 64 + 56
    at = -(-header // 16) * 16
    segment = b"\xff Go buildinf:" + bytes([8, 0]) + struct.pack("<QQ", 0x1000 + 32, 0)
    segment += struct.pack("<QQ", 0x1000 + 48, len(text)) + text
    elf = (
        b"\x7fELF\x02\x01\x01"
        + bytes(9)
        + struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, 0x1000, 64, 0, 0, 64, 56, 1, 64, 0, 0)
    )
    load = struct.pack("<IIQQQQQQ", 1, 6, at, 0x1000, 0x1000, len(segment), len(segment), 16)
    found = read_identity(io.BytesIO((elf + load).ljust(at, b"\0") + segment))
    assert (found.go_version, found.is_go) == ("go1.17.13", True)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "this file is empty; name a complete Go program"),
        (b"\x7fELF", "this file ends within its header; name a complete Go program"),
        (b"#!/bin/sh\n" * 20, "this is not an executable (no ELF header); name a Go program built for Linux"),
        (
            b"\x7fELF\x01\x01" + bytes(99),
            "this is not a 64-bit little-endian executable; name a program of this machine",
        ),
    ],
)
def test_what_is_no_executable_says_so(content: bytes, message: str) -> None:
    with pytest.raises(NotAnExecutable) as refused:
        read_identity(io.BytesIO(content))
    assert str(refused.value) == message


def test_cut_anywhere_it_is_an_identity_or_one_clear_error(stripped: Path) -> None:
    whole = stripped.read_bytes()
    for end in [*range(0, 8192, 5), *range(8192, len(whole), 50_021)]:
        with pytest.raises(BadInput) as refused:  # without a build id every byte counts
            read_identity(io.BytesIO(whole[:end]))
        assert re.fullmatch(r"[a-z][^\n]{10,120}; [^\n]{10,60}", str(refused.value))


def test_changed_headers_are_an_identity_or_one_clear_error(busy_binary: Path) -> None:
    head = busy_binary.read_bytes()[:65536]
    noise = random.Random(7)
    for _ in range(2000):
        changed = bytearray(head)
        for _ in range(noise.randrange(1, 20)):
            changed[noise.randrange(4096)] = noise.randrange(256)
        with contextlib.suppress(BadInput):
            assert read_identity(io.BytesIO(changed)).build_id
