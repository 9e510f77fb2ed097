"""Golden Programs: what the compiler makes of a small program, as text, for one Go version and build mode a file.

`pytest tests/test_goldens.py --rewrite-goldens` writes them anew; then read the difference before it is committed.
"""

import difflib
import os
import subprocess
from pathlib import Path

import pytest

from compiler.binary import Binary
from compiler.compile import compile_spec
from compiler.spec import read_spec
from tests.conftest import ROOT
from tests.golden import Golden

FOLDER = ROOT / "tests/goldens"
MODES = {"plain": "", "N": "-gcflags=all=-N -l", "PIE": "-buildmode=pie"}
KEPT = [("1.21.13", "plain"), ("1.24.11", "plain"), ("1.27.3", "plain"), ("1.27.3", "N"), ("1.27.3", "PIE")]
"""Go versions and modes with a file: the slice of the matrix that CI runs."""
PROGRAM = "ledger"
pytestmark = pytest.mark.timeout(600)


def golden(go: Path, mode: str, folder: Path) -> str:
    """The Program of PROGRAM built by a Go, as text. The build knows nothing of where it is done."""
    binary = folder / PROGRAM
    environment = {
        **os.environ,
        "CGO_ENABLED": "0",
        "GOTOOLCHAIN": "local",
        "GOFLAGS": "",
        "GOAMD64": "v1",
        "GOARCH": "amd64",
    }
    flags = ["-trimpath", "-buildvcs=false", *filter(None, [MODES[mode]])]
    done = subprocess.run(
        [str(go), "build", *flags, "-o", str(binary), "."],
        cwd=ROOT / "tests/targets" / PROGRAM, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    spec = FOLDER / f"{PROGRAM}.yaml"
    with Binary(binary) as opened:
        return Golden(compile_spec(read_spec(spec.read_bytes(), spec.name), opened), opened).text()


@pytest.mark.parametrize(("version", "mode"), KEPT, ids=lambda each: each)
def test_the_program_is_the_kept_one(version: str, mode: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    go = subprocess.run(
        [ROOT / "scripts/toolchain", version], capture_output=True, text=True, check=True
    ).stdout.strip()
    text = golden(Path(go), mode, tmp_path)
    file = FOLDER / f"{PROGRAM}-go{version}{'' if mode == 'plain' else f'-{mode}'}.txt"
    if request.config.getoption("--rewrite-goldens"):
        file.write_text(text)
    kept = file.read_text().splitlines() if file.exists() else []
    difference = list(difflib.unified_diff(kept, text.splitlines(), file.name, "now", lineterm="", n=1))
    assert not difference, "\n".join(
        [*difference[:100], "read it; if it is meant: pytest tests/test_goldens.py --rewrite-goldens"]
    )


@pytest.mark.every_version
def test_the_program_is_the_same_wherever_it_is_built(go: Path, tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "a longer name of a folder").mkdir()
    first = golden(go, "plain", tmp_path / "here")
    assert golden(go, "plain", tmp_path / "a longer name of a folder") == first
    assert str(ROOT) not in first
