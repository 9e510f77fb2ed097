"""Parts of a package are what they are in the whole of it."""

import subprocess
import sys

import pytest

from compiler.code.parts import parts_of


def told(code: str) -> str:
    """What a new interpreter prints."""
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def test_the_rest_of_the_disassembler_is_not_imported() -> None:
    assert (
        told("import sys, compiler.code.x86; print('iced_x86.Code' in sys.modules, 'iced_x86' in sys.modules)")
        == "False False"
    )


@pytest.mark.parametrize("order", ["iced_x86, compiler.code.x86", "compiler.code.x86, iced_x86"])
def test_whoever_imports_all_of_it_has_the_same(order: str) -> None:
    same = "x86.Decoder is iced_x86.Decoder, x86.Register is iced_x86.Register, iced_x86.Code.NOPD > 0"
    assert told(f"import {order}\nfrom compiler.code import x86\nprint({same})") == "True True True"


def test_what_is_missing_is_told_by_its_name() -> None:
    with pytest.raises(ModuleNotFoundError, match="no_such_package"), parts_of("no_such_package"):
        import no_such_package  # type: ignore[import-not-found] # noqa: F401
