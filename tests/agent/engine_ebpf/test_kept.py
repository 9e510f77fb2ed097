"""The compiled probe in its file: used when it is right, made anew when anything about it is not."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from agent.engine_ebpf import kept
from agent.engine_ebpf.kept import cache_folder, compiled_probe

MADE: Mapping[str, bytes] = {"main": b"\1\2", "other": b"\3"}


class Compiler:
    """Stands for the child that compiles: counts."""

    functions = MADE
    runs = 0

    def __call__(self) -> "Compiler":
        self.runs += 1
        return self


@pytest.fixture
def compiler(monkeypatch: pytest.MonkeyPatch) -> Compiler:
    made = Compiler()
    monkeypatch.setattr(kept, "compile_probe", made)
    return made


def test_it_is_compiled_once(tmp_path: Path, compiler: Compiler) -> None:
    folder = tmp_path / "cache"
    assert [compiled_probe(folder) for _ in range(3)] == [MADE] * 3
    assert compiler.runs == 1
    assert folder.stat().st_mode & 0o777 == 0o700
    assert [file.stat().st_mode & 0o777 for file in folder.iterdir()] == [0o600]


@pytest.mark.parametrize("damage", ["cut", "bit", "empty", "writable", "writable folder", "gone"])
def test_what_is_not_right_is_made_anew(tmp_path: Path, compiler: Compiler, damage: str) -> None:
    folder = tmp_path / "cache"
    compiled_probe(folder)
    (file,) = folder.iterdir()
    content = file.read_bytes()
    match damage:
        case "cut":
            file.write_bytes(content[:-3])
        case "bit":
            file.write_bytes(content.replace(b"0102", b"0103"))
        case "empty":
            file.write_bytes(b"")
        case "writable":
            file.chmod(0o622)
        case "writable folder":
            folder.chmod(0o777)
        case "gone":
            file.unlink()
    assert compiled_probe(folder) == MADE
    assert compiler.runs == 2


@pytest.mark.parametrize("folder", [Path("/proc/self"), Path("/dev/null"), None])
def test_without_a_place_it_is_compiled_each_time(folder: Path | None, compiler: Compiler) -> None:
    assert [compiled_probe(folder) for _ in range(2)] == [MADE] * 2
    assert compiler.runs == 2


def test_where_it_is_kept() -> None:
    assert cache_folder({"CACHE_DIRECTORY": "/var/cache/a:/var/cache/b", "HOME": "/root"}) == Path("/var/cache/a")
    assert cache_folder({"XDG_CACHE_HOME": "/x", "HOME": "/root"}) == Path("/x/freezeframe")
    assert cache_folder({"HOME": "/root"}) == Path("/root/.cache/freezeframe")
    assert cache_folder({}) is None
