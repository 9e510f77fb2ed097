"""Specs that an engineer would write for real servers: they compile, and every variable is accounted for."""

from collections.abc import Iterator

import pytest

from compiler.binary import Binary
from compiler.compile import compile_spec
from compiler.ir.program_codec import program_from_bytes, program_to_bytes
from compiler.spec import read_spec
from tests.servers.accounting import accounts, somewhere, spec_of_all, table
from tests.servers.servers import Server

pytestmark = pytest.mark.timeout(1800)


@pytest.fixture(scope="module")
def opened(server: Server) -> Iterator[Binary]:
    with Binary(server.build()) as found:
        yield found


def test_every_column_is_accounted_for(server: Server, opened: Binary) -> None:
    compiled = compile_spec(read_spec(server.spec.read_bytes(), server.spec.name), opened)
    assert program_from_bytes(program_to_bytes(compiled.program)) == compiled.program
    found = list(accounts(compiled))
    assert len(compiled.functions) >= 10
    assert all(report.instances for report in compiled.functions), [i.message for i in compiled.issues]
    assert [each.unexplained() for each in found if each.unexplained()] == []
    located = [each for each in found if each.located]
    assert len(located) > 0.9 * len(found), table([each for each in found if not each.located])


def test_every_variable_is_accounted_for(server: Server, opened: Binary) -> None:
    """All the variables of the spec's functions. One that is left out altogether has no place in the debug info either."""
    spec = read_spec(server.spec.read_bytes(), server.spec.name)
    functions = [each.function for each in spec.functions]
    compiled = compile_spec(read_spec(spec_of_all(opened, functions).encode(), "all.yaml"), opened)
    found = list(accounts(compiled))
    assert len(found) > 50
    assert [each.unexplained() for each in found if each.unexplained()] == []
    kept = {function: somewhere(opened, function) for function in functions}
    denied = [each for each in found if not each.located and each.reasons == {"optimized out"}]
    assert [each for each in denied if each.expression in kept[each.function]] == []
