"""The file that keeps things between runs: bounded, shared, and never the cause of an error or of other bytes."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from datasource.kept import Kept

MB = 1 << 20


def content(number: int, size: int = 100_000) -> tuple[bytes, bytes]:
    return f"head {number}".encode(), random.Random(number).randbytes(size)


def both(kept: Kept, number: int) -> tuple[bytes | None, bytes | None]:
    return kept.head(str(number)), kept.body(str(number))


def test_what_was_kept_last_stays_and_the_rest_goes(tmp_path: Path) -> None:
    kept = Kept(tmp_path / "new" / "kept.sqlite", MB)
    for number in range(20):
        kept.keep(str(number), *content(number))
    there = [number for number in range(20) if both(kept, number) == content(number)]
    assert there == list(range(10, 20))  # 10 of 100 kB and a head fit a MB
    assert [number for number in range(10) if kept.head(str(number)) is not None] == []
    assert (tmp_path / "new" / "kept.sqlite").stat().st_size < 1.2 * MB


def test_a_use_counts_as_much_as_keeping(tmp_path: Path) -> None:
    kept = Kept(tmp_path / "kept.sqlite", MB)
    for number in range(10):
        kept.keep(str(number), *content(number))
    with sqlite3.connect(tmp_path / "kept.sqlite") as connection:
        connection.execute("UPDATE kept SET used = used - 7200")
    connection.close()
    assert kept.body("0") is not None
    for number in range(10, 19):
        kept.keep(str(number), *content(number))
    assert both(kept, 0) == content(0)
    assert kept.body("1") is None


def test_what_is_larger_than_the_bound_is_not_kept(tmp_path: Path) -> None:
    kept = Kept(tmp_path / "kept.sqlite", MB)
    kept.keep("1", *content(1))
    kept.keep("2", *content(2, 2 * MB))
    assert kept.body("2") is None
    assert both(kept, 1) == content(1)


@pytest.mark.parametrize("bytes_", [b"", b"no database", b"SQLite format 3\0" + bytes(4096)])
def test_a_file_of_something_else_is_replaced(bytes_: bytes, tmp_path: Path) -> None:
    (tmp_path / "kept.sqlite").write_bytes(bytes_)
    kept = Kept(tmp_path / "kept.sqlite", MB)
    assert kept.body("1") is None
    kept.keep("1", *content(1))
    assert both(kept, 1) == content(1)


def test_a_file_of_another_layout_is_emptied(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "kept.sqlite") as connection:
        connection.execute("CREATE TABLE kept (key TEXT, head BLOB, body BLOB)")
        connection.execute("CREATE TABLE programs (key TEXT)")
    connection.close()
    kept = Kept(tmp_path / "kept.sqlite", MB)
    kept.keep("1", *content(1))
    assert both(kept, 1) == content(1)


def test_a_damaged_file_gives_the_same_bytes_or_none(tmp_path: Path) -> None:
    whole = tmp_path / "whole.sqlite"
    for number in range(5):
        Kept(whole, MB).keep(str(number), *content(number))
    sound, file = whole.read_bytes(), tmp_path / "kept.sqlite"
    for seed in range(60):
        dice, damaged = random.Random(seed), bytearray(sound)
        if seed % 3 == 0:
            del damaged[dice.randrange(len(damaged)) :]
        for _ in range(seed % 3 * 50):
            damaged[dice.randrange(4096 if seed % 2 else len(damaged))] = dice.randrange(256)
        file.write_bytes(damaged)
        kept = Kept(file, MB)
        for number in range(5):
            head, body = both(kept, number)
            assert head in (None, content(number)[0])
            assert body in (None, content(number)[1])
        kept.keep("new", *content(77))
        assert (kept.head("new"), kept.body("new")) in (content(77), (None, None)), seed


def test_no_place_to_keep_anything_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for kept in (Kept(tmp_path / "file" / "kept.sqlite", MB), Kept(tmp_path, MB)):
        kept.keep("1", *content(1))
        kept.change("1", lambda _: b"x")
        assert both(kept, 1) == (None, None)


def test_changes_by_many_processes_at_once_all_count(tmp_path: Path) -> None:
    program = (
        "import sys, json; from pathlib import Path; from datasource.kept import Kept\n"
        "kept = Kept(Path(sys.argv[1]), 1 << 20)\n"
        "for n in range(20): kept.change('all', lambda old: json.dumps([*json.loads(old or b'[]'), 1]).encode())\n"
    )
    file = tmp_path / "kept.sqlite"
    running = [subprocess.Popen([sys.executable, "-c", program, file]) for _ in range(4)]
    assert [each.wait() for each in running] == [0] * 4
    assert Kept(file, MB).head("all") == b"[" + b", ".join([b"1"] * 80) + b"]"


def test_a_writer_killed_at_any_time_leaves_what_was_there(tmp_path: Path) -> None:
    """SIGKILL amid writes of megabytes: what others kept is as it was, and the next writer is not held up."""
    file = tmp_path / "kept.sqlite"
    Kept(file, 20 * MB).keep("0", *content(0))
    program = (
        "import sys; from pathlib import Path; from datasource.kept import Kept\n"
        "kept = Kept(Path(sys.argv[1]), 20 << 20); print(flush=True)\n"
        "while True: kept.keep('large', b'large', bytes(4 << 20))\n"
    )
    dice = random.Random(1)
    for _ in range(8):
        with subprocess.Popen([sys.executable, "-c", program, file], stdout=subprocess.PIPE) as writer:
            assert writer.stdout is not None
            writer.stdout.readline()
            time.sleep(dice.random() * 0.05)
            os.kill(writer.pid, signal.SIGKILL)
        kept = Kept(file, 20 * MB)
        assert both(kept, 0) == content(0)
        assert kept.body("large") in (None, bytes(4 * MB))
        kept.keep("0", *content(0))
        assert both(kept, 0) == content(0)
