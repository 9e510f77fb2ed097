"""The instrument that measures pauses: it sees what it should, and compares like with like."""

import struct
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.engine_ebpf import EbpfEngine
from benchmarks import pausing
from benchmarks.pause import compiled
from benchmarks.pausetable import VALUES
from benchmarks.plot import lines
from benchmarks.standing import Standing, standing
from compiler.ir.raw import RawCapture
from tests.conftest import ROOT, build

GOROUTINES = 300


@pytest.fixture(scope="module")
def binary(go: Path, built: Path) -> Path:
    return build(go, ROOT / "benchmarks/targets/pause", built / "pause")


@pytest.fixture(scope="module")
def target(binary: Path) -> Iterator[Standing]:
    with standing(binary, GOROUTINES) as found:
        yield found


def test_clock_thread_sees_how_long_it_was_stopped(target: Standing) -> None:
    target.gap()
    with target.stopped():
        began = time.monotonic_ns()
        time.sleep(0.3)
        took = time.monotonic_ns() - began
    gap = target.gap()
    assert gap.total >= gap.longest >= took
    assert gap.began < began
    assert target.gap().longest < took  # each is told once


def test_capture_is_seen_and_has_every_object(target: Standing, binary: Path, tmp_path: Path) -> None:
    kept: list[RawCapture] = []
    program = compiled(binary)[VALUES]
    [sample] = pausing.measure(target, program, EbpfEngine(), 1, kept.append)
    assert sample.pause >= sample.parts["stacks"] + sample.parts["values"] > 0
    assert sample.facts["goroutines"] >= GOROUTINES
    target.child.ask(f"objects {tmp_path / 'objects'}")
    objects = (tmp_path / "objects").read_bytes()
    assert pausing.covered(kept[0], objects) == 1
    first, size = struct.unpack_from("<QQ", objects)
    assert pausing.covered(kept[0], struct.pack("<QQ", first + (1 << 40), size)) == 0


def test_floor_reads_the_same_bytes(target: Standing, go: Path, built: Path, tmp_path: Path) -> None:
    readv = build(go, ROOT / "benchmarks/targets/readv", built / "readv")
    target.child.ask(f"objects {tmp_path / 'objects'}")
    objects = (tmp_path / "objects").read_bytes()
    times, size = pausing.floor(target, readv, objects, tmp_path / "pieces", 3)
    assert len(times) == 3
    assert size == sum(size for _, size in struct.iter_unpack("<QQ", objects))


def test_picture_has_every_line() -> None:
    picture = lines(
        "t", "goroutines", "ms", [("ours", [(1e3, 2.0), (1e4, 20.0)]), ("<other>", [(1e3, 9.0)])], ours="ours"
    )
    assert picture.count("<polyline") == 2
    assert "&lt;other&gt;" in picture
