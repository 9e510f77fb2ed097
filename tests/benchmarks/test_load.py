"""The load benchmark, briefly: requests are answered while snapshots are taken, and what it counts adds up."""

import argparse
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.load import Block, Scene, one_block, quantile, report, scene


@pytest.fixture(scope="module")
def running(go: Path, built: Path) -> Iterator[Scene]:
    given = argparse.Namespace(folder=built / "load", connections=4, sessions=100)
    with scene(given, go) as found:
        yield found


def test_no_request_fails_while_snapshots_are_taken(running: Scene) -> None:
    without, with_ = (one_block(running, snapshots, 2) for snapshots in (False, True))
    assert with_.errors == []
    assert len(with_.pauses) == len(with_.took) > 0 == len(without.took)
    for block in (without, with_):
        assert block.load["failures"] == 0, block.load["failure"]
        assert block.load["requests"] == sum(block.load["buckets"].values()) > 100
        assert 2 <= block.load["seconds"] < 20
    assert with_.cpu > without.cpu
    assert "throughput lost" in report([without, with_], 2)


def test_quantiles_are_of_all_blocks_together() -> None:
    blocks = [Block(False, {"buckets": {"0": 98}}), Block(False, {"buckets": {"142": 2}})]
    assert quantile(blocks, 0.5) == pytest.approx(0.001)
    assert quantile(blocks, 0.99) == pytest.approx(1.05**142 / 1000)
