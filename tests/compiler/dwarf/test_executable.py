"""What a file says of a process's memory: only what nothing can write is told to be the same in every process."""

from pathlib import Path

import pytest

from compiler.binary import Binary
from tests.conftest import ROOT, build

MODES = {"plain": (), "PIE": ("-buildmode=pie",)}


@pytest.mark.parametrize("mode", MODES)
def test_only_read_only_data_is_constant(go: Path, tmp_path: Path, mode: str) -> None:
    with Binary(build(go, ROOT / "tests/targets/clock", tmp_path / "clock", *MODES[mode])) as binary:
        executable = binary.executable
        version = executable.symbol("runtime.buildVersion")
        assert version is not None
        assert executable.read(*version) is not None
        assert executable.constant(*version) is None, "a variable may be assigned to"
        text = executable.pointer(version[0])
        assert text is not None
        assert executable.constant(text, len(binary.go_version)) == binary.go_version.encode()
        counter = executable.symbol("runtime.allglen")
        assert counter is not None
        assert executable.constant(*counter) is None, "it is not in the file"
        relocated = executable.section_address(".data.rel.ro")
        assert (relocated is not None) == (mode == "PIE")
        assert relocated is None or executable.constant(relocated, 8) is None, "the loader writes to it"
        end = executable.load_address
        while executable.constant(end, 4096) is not None:
            end += 4096
        assert executable.constant(end - 8, 4096) is None, "not all of it is read-only data"
