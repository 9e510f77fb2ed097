"""Types and package variables by the names that people write, in a binary whose packages are not all named by their paths."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from compiler.binary import Binary
from compiler.expression.writtennames import WrittenNames
from tests.conftest import ROOT, build

NODE = "example.com/yaml%2ev3.Node"
TYPES = {
    "yaml.Node": [NODE],
    "yaml.v3.Node": [NODE],
    "example.com/yaml.v3.Node": [NODE],
    NODE: [NODE],
    "*yaml.Decoder": ["*example.com/yaml%2ev3.Decoder"],
    "*example.com/yaml.v3.Decoder": ["*example.com/yaml%2ev3.Decoder"],
    "**yaml.Decoder": [],
    "Node": [],
    "node.Node": [],
    "[]byte": ["[]uint8"],
    "map[string]any": ["map[string]interface {}"],
    "map[string]interface{}": ["map[string]interface {}"],
    "*atomic.Pointer[main.value]": [],
    "runtime.g": ["runtime.g"],
    "abi.Type": ["internal/abi.Type"],
    "int": ["int"],
    "main.local": ["main.local·1"],
    "main.local·1": ["main.local·1"],
}


@pytest.fixture(scope="module")
def binary(go: Path, built: Path) -> Iterator[Binary]:
    with Binary(build(go, ROOT / "tests/targets/names", built / "names")) as opened:
        yield opened


@pytest.mark.parametrize("written", TYPES)
def test_types(binary: Binary, written: str) -> None:
    found = WrittenNames(binary.index.types, binary.types).find(written)
    assert [name for name, _ in found] == TYPES[written]
    assert all(offset in binary.index.types[name] for name, offset in found)


def test_package_variables(binary: Binary) -> None:
    found = WrittenNames(binary.index.globals, binary.types).find("poll.ErrFileClosing")
    assert [name for name, _ in found] == ["internal/poll.ErrFileClosing"]


def test_nearest(binary: Binary) -> None:
    types = WrittenNames(binary.index.types, binary.types)
    assert "*abi.Type" in types.nearest("*abi.Typ")
    assert "*yaml.Decoder" in types.nearest("*yml.Decoder")
    assert types.nearest("nothing.like_this") == ()
    assert types.nearest("main.locl")[0] == "main.local"  # a type within a function


def test_types_are_printed_as_go_prints_them(binary: Binary) -> None:
    assert binary.types.printed_name(f"map[string]*{NODE}") == "map[string]*yaml.Node"
    assert binary.types.printed_name(f"func({NODE}, ...net/url.URL) error") == "func(yaml.Node, ...url.URL) error"
    assert binary.types.printed_name("go.shape.int") == "int"


@pytest.mark.parametrize(
    ("linked", "printed"),
    [
        ("main.local·1", "main.local"),
        ("map[main.local·1]*main.local·12", "map[main.local]*main.local"),
        ("func(int, [8]main.local·1) []main.local·2", "func(int, [8]main.local) []main.local"),
        ("main.Box[main.local·1]", "main.Box[main.local·1]"),
        ("[]main.bitmap[map[string]main.local·1,int]", "[]main.bitmap[map[string]main.local·1,int]"),
        ("struct { A main.local·1; B main.Box[[]main.local·1]; C main.local·3 }",
         "struct { A main.local; B main.Box[[]main.local·1]; C main.local }"),
    ],
)  # fmt: skip
def test_types_within_functions_are_printed_as_go_prints_them(binary: Binary, linked: str, printed: str) -> None:
    assert binary.types.printed_name(linked) == printed
