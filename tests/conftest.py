"""Fixtures that every test may use, and the leak detectors that watch every test."""

import gc
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests import leaks
from tests.house import House, standing
from tests.programs import StartTarget, Target, running

ROOT = Path(__file__).resolve().parent.parent


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--fuzz", type=int, default=1, help="How many times as many random cases; from 2 on they are new ones."
    )

    parser.addoption("--rewrite-goldens", action="store_true", help="Write the golden Programs anew (tests/goldens).")
    parser.addoption("--servers", action="store_true", help="Build and try the large servers, too (etcd, CoreDNS).")


def pytest_configure() -> None:
    leaks.mark_children()
    # By itself hypothesis fails a case of 200 ms; on a busy machine any may take that long. What hangs meets pytest's timeout.
    settings.register_profile("busy", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("busy")


@pytest.fixture(autouse=True)
def no_leaks() -> Iterator[None]:
    """Fail the test that leaves a process, a stopped target, an eBPF object or an open snapshot behind.

    What fixtures of a wider scope hold was there before, and stays theirs to clean up.
    """
    processes, files = leaks.our_processes(), leaks.our_open_files()
    yield
    left = leaks.left_behind(processes)
    assert not left, "left running or stopped: " + ", ".join(map(str, left))
    if leaks.our_open_files() - files:
        gc.collect()
    still_open = leaks.our_open_files() - files
    assert not still_open, f"left open: {sorted(still_open)}"


@pytest.fixture(scope="session")
def fuzz(request: pytest.FixtureRequest) -> int:
    """The factor of `--fuzz`."""
    return int(request.config.getoption("--fuzz"))


@pytest.fixture(scope="session")
def go() -> Path:
    """The go command that the project uses, or the one that FREEZEFRAME_TEST_GO names (to try another Go version)."""
    if os.environ.get("FREEZEFRAME_TEST_GO"):
        return Path(os.environ["FREEZEFRAME_TEST_GO"])
    found = subprocess.run([ROOT / "scripts/go", "--path"], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    return Path(found.stdout.strip())


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder for Go programs built in this session."""
    return tmp_path_factory.mktemp("built")


@pytest.fixture(scope="session")
def querydb(go: Path, built: Path) -> Path:
    """The demo service, built once a session from examples/querydb."""
    return build(go, ROOT / "examples/querydb", built / "querydb")


@pytest.fixture(scope="session")
def house(querydb: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """An agent and a data source over two querydb processes, started once."""
    with standing(querydb, tmp_path_factory.mktemp("house")) as found:
        yield found


def version_of(go: Path) -> tuple[int, ...]:
    """Such as (1, 27)."""
    said = subprocess.run([go, "env", "GOVERSION"], capture_output=True, text=True, check=True).stdout
    return tuple(map(int, re.findall(r"\d+", said)[:2]))


def build(go: Path, module: Path, binary: Path, *flags: str, arch: str = "amd64", cgo: bool = False) -> Path:
    """Build the Go program of one module; without cgo, unless it is asked for, so that no C compiler is needed."""
    environment = {**os.environ, "CGO_ENABLED": str(int(cgo)), "GOARCH": arch, "GOTOOLCHAIN": "local"}
    more = os.environ.get("FREEZEFRAME_TEST_GOFLAGS", "").split(";")
    done = subprocess.run(
        [go, "build", *flags, *filter(None, more), "-o", binary, "."],
        cwd=module, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"go build in {module}: {done.stderr}"
    return binary


@pytest.fixture
def start_target() -> Iterator[StartTarget]:
    """`start_target(binary, *args)` starts a program, waits for its `ready {...}` line, and kills it after the test."""
    with ExitStack() as stack:

        def start(binary: Path | str, *args: object, **options: Any) -> Target:
            return stack.enter_context(running(binary, *args, **options))

        yield start
