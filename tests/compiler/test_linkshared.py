"""A program whose runtime is in a library of its own: with one Go only, for the library takes half a minute to build."""

import os
import subprocess
from pathlib import Path

import pytest

from compiler.binary import Binary
from compiler.compile import compile_spec
from compiler.dwarf.executable import BadBinary
from compiler.spec import read_spec

pytestmark = pytest.mark.timeout(600)


def test_a_program_without_a_runtime_of_its_own_is_refused_in_words(go: Path, tmp_path: Path) -> None:
    (tmp_path / "go.mod").write_text("module shared\n\ngo 1.21\n")
    (tmp_path / "main.go").write_text("package main\n\nfunc main() { println(1) }\n")
    packages = tmp_path / "packages"
    for arguments in (
        ("install", "-buildmode=shared", "-pkgdir", packages, "runtime/cgo", "runtime", "sync/atomic"),
        ("build", "-linkshared", "-pkgdir", packages, "-o", "shared", "."),
    ):
        environment = {**os.environ, "CGO_ENABLED": "1", "GOTOOLCHAIN": "local"}
        subprocess.run([go, *arguments], cwd=tmp_path, env=environment, check=True, capture_output=True)
    what = "no Go runtime of its own (linked with -linkshared): it cannot be captured; build it without -linkshared"
    with Binary(tmp_path / "shared") as binary:
        assert binary.no_debug_info == what
        with pytest.raises(BadBinary) as refused:
            compile_spec(read_spec(b"functions: []\n", "none.yaml"), binary)
    assert str(refused.value) == f"{tmp_path / 'shared'}: it has {what}"
