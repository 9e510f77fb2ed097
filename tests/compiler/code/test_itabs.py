"""Which types are converted to which interfaces, by the linker's own tables, in a real binary of whatever Go version."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from compiler.binary import Binary
from compiler.compile import compile_spec
from compiler.spec import read_spec
from tests.conftest import ROOT, build

pytestmark = pytest.mark.every_go

CHAINED = b"functions: [{function: main.chained, table: t, collect: [c.err, c.ctx]}]"
INVITED = b"functions: [{function: main.chained, table: t, collect: [c.kinds]}]"


@pytest.fixture(scope="module")
def zoo(go: Path, built: Path) -> Iterator[Binary]:
    with Binary(build(go, ROOT / "tests/targets/zoo", built / "zoo")) as binary:
        yield binary


def implementers(binary: Binary, interface: str) -> tuple[int, ...]:
    [found] = {binary.types.runtime_type(die) for die in binary.index.types[interface]} - {None, 0}
    return binary.implementers[found or 0]


def held(binary: Binary, interface: str) -> set[str]:
    """What an interface may hold, by name."""
    dies = [binary.index.runtime_types.get(offset) for offset in implementers(binary, interface)]
    return {binary.types.name(die) for die in dies if die is not None}


def test_the_types_that_the_code_makes_errors_and_contexts_of(zoo: Binary) -> None:
    assert {"main.fault", "main.single", "main.code", "*errors.errorString", "*io/fs.PathError"} <= held(zoo, "error")
    assert {"main.tagged", "*main.own", "*context.valueCtx", "*context.cancelCtx"} <= held(zoo, "context.Context")
    assert "main.fault" not in held(zoo, "context.Context")


def test_they_are_those_that_the_linker_names(zoo: Binary) -> None:
    """Up to Go 1.26 each itab has a symbol; since then only the walk from one to the next finds them."""
    strings = zoo.executable.section(".strtab") or b""
    for interface in ("error", "context.Context", "net.Conn", "io.Reader"):
        names = {
            each.decode()
            for each in re.findall(rb"\0go:itab\.([^\0]*)," + re.escape(interface.encode()) + rb"(?=\0)", strings)
        }
        assert not names or held(zoo, interface) <= names
        assert not names or len(implementers(zoo, interface)) == len(names)


def test_the_first_program_describes_what_errors_and_contexts_may_hold(zoo: Binary) -> None:
    compiled = compile_spec(read_spec(CHAINED, "chained"), zoo)
    names = {compiled.program.types[each.type].name for each in compiled.program.dynamic_types}
    assert {"main.fault", "main.single", "main.tagged", "*main.own"} <= names


def test_what_no_column_leads_to_is_not_described(zoo: Binary) -> None:
    compiled = compile_spec(read_spec(INVITED, "invited"), zoo)
    names = {compiled.program.types[each.type].name for each in compiled.program.dynamic_types}
    assert not {"main.fault", "*main.own"} & names
