"""Debug info that is not compressed is read where it lies in the file, and says the same."""

import json
from pathlib import Path

from compiler.binary import Binary
from compiler.compile import Compiled, compile_spec
from compiler.spec import read_spec
from tests.conftest import ROOT, build

SPEC = {"functions": [{"function": "main.*", "table": "t", "collect": ["label", "n", "s.name"]}]}


def test_compressed_and_not(go: Path, tmp_path: Path) -> None:
    def compiled(name: str, *flags: str) -> Compiled:
        with Binary(build(go, ROOT / "tests/targets/names", tmp_path / name, *flags)) as binary:
            return compile_spec(read_spec(json.dumps(SPEC), "spec.yaml"), binary)

    packed, plain = compiled("packed"), compiled("plain", "-ldflags=-compressdwarf=false")
    assert packed.issues == plain.issues == ()
    assert packed.program.sites == plain.program.sites
    assert len({site.lo for site in plain.program.sites if site.level}) > 3
