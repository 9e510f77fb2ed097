"""The function table against Go's own addr2line and nm."""

import subprocess
from pathlib import Path

import pytest

from compiler.binary import Binary
from compiler.code.functable import FUNC
from compiler.code.pclntab import printed_name

pytestmark = pytest.mark.every_go


def test_functions_files_and_lines_are_those_of_addr2line(querydb: Path, go: Path) -> None:
    with Binary(querydb) as binary:
        functions = binary.pclntab.functions()
        wanted = [name for name in sorted(functions) if name.startswith(("main.", "net.", "runtime.g"))]
        pcs = [lo + step for name in wanted for lo, hi in functions[name] for step in range(0, hi - lo, 37)]
        assert len(pcs) > 5000
        asked = "".join(f"{pc:#x}\n" for pc in pcs)
        done = subprocess.run(
            [go, "tool", "addr2line", querydb], input=asked, capture_output=True, text=True, check=True
        )
        answers = done.stdout.splitlines()
        for pc, name, place in zip(pcs, answers[0::2], answers[1::2], strict=True):
            found = binary.pclntab.function(pc)
            assert found is not None
            assert found.name == name, hex(pc)
            if found.line:  # else it is code that the compiler added
                assert f"{found.file}:{found.line}" == place, hex(pc)


def test_entries_are_those_of_nm(querydb: Path, go: Path) -> None:
    done = subprocess.run([go, "tool", "nm", querydb], capture_output=True, text=True, check=True)
    symbols = {
        line.split(None, 2)[2]: int(line.split()[0], 16) for line in done.stdout.splitlines() if " T main." in line
    }
    assert len(symbols) > 100
    with Binary(querydb) as binary:
        functions = binary.pclntab.functions()
        for name, address in symbols.items():
            assert address in [lo for lo, _ in functions[name]]


def test_names_as_tracebacks_print_them() -> None:
    assert printed_name("main.Map[go.shape.int,go.shape.string]") == "main.Map[...]"
    assert printed_name("main.(*Box[go.shape.int]).Get.func1") == "main.(*Box[...]).Get.func1"
    assert (
        printed_name("main.Box[go.shape.[]int].Fold[go.shape.map[string][]int].func1")
        == "main.Box[...].Fold[...].func1"
    )
    assert printed_name("runtime.gopanic") == "panic"
    assert printed_name("main.main") == "main.main"


def test_a_damaged_table_costs_the_names_that_it_lost_and_nothing_else(querydb: Path, tmp_path: Path) -> None:
    """Every offset in the record of main.main leads behind the end of the file: of its name, and of its tables by PC."""
    with Binary(querydb) as binary:
        table, functions = binary.pclntab, binary.pclntab.functions()
        pc, _ = functions["main.main"][0]
        record = table._functions + table._offsets[table.index_of(pc) or 0]
        at = querydb.read_bytes().index(table._data[record : record + FUNC.size])
    damaged = bytearray(querydb.read_bytes())
    far = (0x7FFFFF00).to_bytes(4, "little")
    damaged[at + 4 : at + 8], damaged[at + 16 : at + 28] = far, 3 * far  # nameOff; pcsp, pcfile, pcln
    file = tmp_path / "damaged"
    file.write_bytes(damaged)
    with Binary(file) as binary:
        (frame,) = binary.pclntab.frames(pc)
        assert (frame.function, frame.file, frame.line) == ("?", "?", 0)
        assert binary.pclntab.function(pc) == frame
        assert binary.pclntab.frame_size(pc) is None
        others = {name: found[0][0] for name, found in functions.items() if name.startswith("main.(")}
        assert len(others) > 10
        assert [found.name for lo in others.values() if (found := binary.pclntab.function(lo))] == list(others)
