"""Compiling through one cache: by several processes at once, after damage, with another compiler, and always to the same bytes."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from compiler.binary import Binary
from compiler.compile import compile_spec
from compiler.ir.program_codec import program_to_bytes
from compiler.spec import read_spec
from datasource.cache import Cache
from datasource.compiling import compile_cached
from tests.conftest import ROOT, build

SPEC = ROOT / "examples/querydb/querydb.yaml"
COMPILE = """
import hashlib, sys
from pathlib import Path
from compiler.binary import Binary
from compiler.ir.program_codec import program_to_bytes
from compiler.spec import read_spec
from datasource.cache import Cache
from datasource.compiling import compile_cached
cache = Cache(Path(sys.argv[1]))
spec = read_spec(Path(sys.argv[3]).read_bytes(), "spec.yaml")
with Binary(Path(sys.argv[2]), cache) as binary:
    compiled, cached = compile_cached(cache, spec, binary, frozenset({1 << 40, 64}))
print(hashlib.sha256(program_to_bytes(compiled.program)).hexdigest(), cached)
"""


def compile_elsewhere(cache: Path, binary: Path, spec: Path = SPEC, seed: str = "0") -> "subprocess.Popen[str]":
    """In a process of its own: prints the hash of the Program and whether it came from the cache."""
    command = [sys.executable, "-c", COMPILE, str(cache), str(binary), str(spec)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": seed}
    )


def printed(process: "subprocess.Popen[str]") -> tuple[str, str]:
    out, _ = process.communicate()
    assert process.returncode == 0
    digest, cached = out.split()
    return digest, cached


@pytest.fixture(scope="module")
def scopes(go: Path, built: Path) -> Path:
    return build(go, ROOT / "tests/targets/scopes", built / "scopes-of-compiling")


def test_a_program_is_the_same_bytes_always(querydb: Path, tmp_path: Path) -> None:
    """Cold, with the index kept, kept whole; in this process and others; whatever the order of sets."""
    found = set()
    for number, seed in enumerate(("1", "2", "3")):
        cache = tmp_path / f"cache{number % 2}"
        digest, cached = printed(compile_elsewhere(cache, querydb, seed=seed))
        found.add(digest)
        assert cached == str(number == 2)
    other = tmp_path / "other.yaml"  # another spec to the cache, of the same meaning
    other.write_text(SPEC.read_text() + "\n# the index is kept, the Program is not\n")
    digest, cached = printed(compile_elsewhere(tmp_path / "cache0", querydb, other, seed="4"))
    found.add(digest)
    assert cached == "False"
    with Binary(querydb) as binary:
        program = compile_spec(read_spec(SPEC.read_bytes(), "spec.yaml"), binary, (64, 1 << 40)).program
    found.add(hashlib.sha256(program_to_bytes(program)).hexdigest())
    assert len(found) == 1


def test_all_names_are_kept_and_used(querydb: Path, tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    with Binary(querydb, cache) as binary:
        assert "main.main" in binary.index.functions
        assert cache.index(binary.build_id) is None  # one name is found without all of them
        table = binary.index.whole
        assert cache.index(binary.build_id) == table.to_bytes()
        table.functions.odd.append((b"main.notThere", 1))
        cache.keep_index(binary.build_id, table.to_bytes())
    with Binary(querydb, cache) as binary:
        assert binary.index.whole.functions["main.notThere"] == [1]
    with Binary(querydb, Cache(tmp_path, version="another compiler")) as binary:
        assert "main.notThere" not in binary.index.whole.functions


def test_what_another_compiler_made_is_not_used(querydb: Path, tmp_path: Path) -> None:
    spec = read_spec(SPEC.read_bytes(), "spec.yaml")
    with Binary(querydb) as binary:
        first = [compile_cached(Cache(tmp_path), spec, binary, frozenset())[1] for _ in range(2)]
        other = [compile_cached(Cache(tmp_path, version="other"), spec, binary, frozenset())[1] for _ in range(2)]
    assert (first, other) == ([False, True], [False, True])


@pytest.mark.parametrize("damage", [b"", b"not a database", None])
def test_a_damaged_cache_is_made_anew(damage: bytes | None, querydb: Path, tmp_path: Path) -> None:
    digest, _ = printed(compile_elsewhere(tmp_path, querydb))
    file = tmp_path / "compiled.sqlite"
    sound = file.read_bytes()
    file.write_bytes(sound[: len(sound) // 2] if damage is None else damage)
    assert printed(compile_elsewhere(tmp_path, querydb)) == (digest, "False")
    assert printed(compile_elsewhere(tmp_path, querydb)) == (digest, "True")


def test_processes_share_one_cache(querydb: Path, scopes: Path, tmp_path: Path) -> None:
    """The same and different binaries at once, from an empty cache on, twice: each gets what it gets alone."""
    binaries = [querydb, scopes, querydb, scopes, querydb]
    alone = [printed(compile_elsewhere(tmp_path / f"alone{n}", each))[0] for n, each in enumerate(binaries[:2])] * 3
    together = tmp_path / "together"
    cold = [printed(each) for each in [compile_elsewhere(together, binary) for binary in binaries]]
    warm = [printed(each) for each in [compile_elsewhere(together, binary) for binary in binaries]]
    assert [digest for digest, _ in cold] == [digest for digest, _ in warm] == alone[: len(binaries)]
    assert [cached for _, cached in warm] == ["True"] * len(binaries)


def test_types_met_by_interfaces_add_up(tmp_path: Path) -> None:
    Cache(tmp_path).remember_types("id", frozenset({1, 2}))
    Cache(tmp_path).remember_types("id", frozenset({2, 3}))
    Cache(tmp_path).remember_types("other", frozenset())
    assert Cache(tmp_path).runtime_types("id") == {1, 2, 3}
    assert Cache(tmp_path).runtime_types("other") == frozenset()


def told(binary: Path, spec: Path, cache: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "freezeframe", "compile", binary, "--spec", spec, "--json"],
        capture_output=True, text=True, check=True, cwd=ROOT, env={**os.environ, "XDG_CACHE_HOME": str(cache)},
    )  # fmt: skip
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_the_command_says_the_same_from_the_cache(querydb: Path, tmp_path: Path) -> None:
    spec = tmp_path / "spec.yaml"
    spec.write_text(
        "functions:\n  - {function: main.main, collect: [nothere]}\n  - {function: main.mian, collect: [x]}\n"
    )
    first, second = told(querydb, spec, tmp_path), told(querydb, spec, tmp_path)
    assert (first.pop("timings")["cached"], second.pop("timings")["cached"]) == (False, True)
    assert first == second
    assert len(first["issues"]) == 2
