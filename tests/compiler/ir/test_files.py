"""Input that is no plain file is refused or read, never waited for without end."""

import os
import threading
from pathlib import Path

import pytest

from compiler.ir.files import open_regular, open_text, read_text


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    return path


def test_a_program_is_a_regular_file(pipe: Path, tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_bytes(b"text")
    with open_regular(plain) as file:
        assert file.read() == b"text"
    for path in (pipe, Path("/dev/zero")):
        with pytest.raises(OSError, match="it is no regular file"):
            open_regular(path)
    with pytest.raises(IsADirectoryError):
        open_regular(tmp_path)


def test_a_pipe_into_which_nobody_writes_is_told(pipe: Path) -> None:
    with open_text(pipe) as file, pytest.raises(OSError, match="nobody writes"):
        read_text(file, 100)


def test_a_writer_is_waited_for(pipe: Path) -> None:
    """It has the pipe open, and writes in two parts."""
    with open_text(pipe) as file:
        writer = pipe.open("wb", buffering=0)

        def write() -> None:
            with writer:
                writer.write(b"one ")
                writer.write(b"two")

        late = threading.Timer(0.2, write)
        late.start()
        assert read_text(file, 100) == b"one two"
        late.join()


def test_no_more_is_read_than_is_wanted(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 50)
    for source, most in ((path, 10), (Path("/dev/zero"), 1000)):
        with open_text(source) as file:
            assert len(read_text(file, most)) == most
