"""What generic code's pointers point to: told by its dictionaries where they agree, left open where they do not."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from compiler.binary import Binary
from compiler.compile import compile_spec
from compiler.dwarf.dictionaries import split_name
from compiler.ir.program import ByDictionary, Located, Missing
from compiler.spec import read_spec
from tests.conftest import ROOT, build


@pytest.fixture(scope="module")
def zoo(go: Path, built: Path) -> Iterator[Binary]:
    with Binary(build(go, ROOT / "tests/targets/zoo", built / "zoo")) as binary:
        yield binary


def types(binary: Binary, function: str, level: int = 0) -> dict[str, set[str]]:
    """The type names of a function's variables, over all its copies at a level of inlining."""
    found: dict[str, set[str]] = {}
    for instance in binary.functions.instances(function):
        for variable in instance.variables if instance.level == level else ():
            found.setdefault(variable.name, set()).add(binary.types.name(variable.type))
    return found


def test_the_only_pointer_that_a_copy_serves_is_known(zoo: Binary) -> None:
    held = types(zoo, "main.Box[go.shape.*uint8].held")
    assert (held["b"], held["extra"]) == ({"main.Box[*main.point]"}, {"*main.point"})
    owned = types(zoo, "main.ownedBy[go.shape.string,go.shape.*uint8]")
    assert owned["t"] == {"*main.tree[string,*main.node]"}


def test_one_of_several_pointers_is_left_open(zoo: Binary) -> None:
    shared = types(zoo, "main.shared[go.shape.*uint8]")
    assert (shared["v"], shared["list"]) == ({"go.shape.*uint8"}, {"[]go.shape.*uint8"})


def pointee(binary: Binary, function: str, name: str) -> tuple[str, str | None]:
    """The printed type of a variable, and what it points to."""
    [instance] = [each for each in binary.functions.instances(function) if not each.level]
    [variable] = [each for each in instance.variables if each.name == name]
    target = binary.types.pointee(variable.type)
    return binary.types.printed(variable.type), None if target is None else binary.types.name(target)


def test_a_shape_that_names_what_it_points_to_is_taken_at_its_word(zoo: Binary) -> None:
    """Of comparable, of types and of *T Go compiles for each pointer on its own."""
    assert pointee(zoo, "main.united[go.shape.*main.point]", "v") == ("*main.point", "main.point")
    assert pointee(zoo, "main.united[go.shape.*main.node]", "v") == ("*main.node", "main.node")
    nested = "main.behind[go.shape.*go.shape.struct { L int; R int },go.shape.struct { L int; R int }]"
    assert pointee(zoo, nested, "p") == ("*struct { L int; R int }", "go.shape.struct { L int; R int }")
    unknown = "main.behind[go.shape.*go.shape.*uint8,go.shape.*uint8]"
    assert pointee(zoo, unknown, "p") == ("*go.shape.*uint8", "go.shape.*uint8")
    assert pointee(zoo, unknown, "v") == ("go.shape.*uint8", None)


def test_an_expression_goes_on_from_it(zoo: Binary) -> None:
    collect = ["v.X", "list[0].X", 'm["k"].X', "*v"]
    spec = {"functions": [{"function": "main.united[go.shape.*main.point]", "table": "t", "collect": collect}]}
    assert compile_spec(read_spec(json.dumps(spec), "spec.yaml"), zoo).issues == ()


def test_what_it_may_be_is_told_by_dictionary(zoo: Binary) -> None:
    [instance] = [each for each in zoo.functions.instances("main.shared[go.shape.*uint8]") if not each.level]
    for name, mark in (("v", ""), ("list", "[]"), ("m", "map[string]")):
        [variable] = [each for each in instance.variables if each.name == name]
        found = {address: zoo.types.name(offset) for address, offset in variable.choices}
        dictionaries = {f"main..dict.shared[{each}]": f"{mark}{each}" for each in ("*main.point", "*main.node")}
        symbols = {symbol: zoo.executable.symbol(symbol) for symbol in dictionaries}
        assert found == {symbols[symbol][0]: each for symbol, each in dictionaries.items()}  # type: ignore[index]


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        ("main.behind[go.shape.*go.shape.*uint8,go.shape.*uint8]", "main..dict.behind[**main.{0},*main.{0}]"),
        ("main.behindLast[go.shape.*uint8,go.shape.*go.shape.*uint8]", "main..dict.behindLast[*main.{0},**main.{0}]"),
    ],
)
def test_a_shape_within_a_shape_is_told_too(zoo: Binary, function: str, arguments: str) -> None:
    [instance] = [each for each in zoo.functions.instances(function) if not each.level]
    [p] = [each for each in instance.variables if each.name == "p"]
    places = {name: zoo.executable.symbol(arguments.format(name)) for name in ("twig", "point")}
    expected = {place[0]: f"**main.{name}" for name, place in places.items() if place is not None}
    assert len(expected) == len(places)
    assert {address: zoo.types.name(offset) for address, offset in p.choices} == expected


def test_what_fits_some_of_the_types_is_no_issue(zoo: Binary) -> None:
    """Of the two that v may be, one has an X; where no dictionary is kept, it is absent, and not for an issue."""
    spec = {"functions": [{"function": "main.shared[go.shape.*uint8]", "table": "t", "collect": ["v.X"]}]}
    compiled = compile_spec(read_spec(json.dumps(spec), "spec.yaml"), zoo)
    assert compiled.issues == ()
    places = {place for site in compiled.program.sites for place in site.places}
    assert any(isinstance(place, Located) for place in places)
    assert "issue" not in {place.reason for place in places if isinstance(place, Missing)}
    chosen = [access for access in compiled.program.accesses if isinstance(access, ByDictionary)]
    assert [(access.text, len(access.choices)) for access in chosen] == [("v.X", 1)]


def test_inlined_code_is_left_open_for_it_needs_no_dictionary(zoo: Binary) -> None:
    inlined = types(zoo, "main.peeked[go.shape.*uint8]", level=1)
    assert inlined.get("v", {"go.shape.*uint8"}) == {"go.shape.*uint8"}


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("main.Map[int,*main.T]", ("main.Map", ("int", "*main.T"), "")),
        ("main.(*Box[go.shape.*uint8]).add", ("main.Box", ("go.shape.*uint8",), ").add")),
        ("main.F[func(int, string),map[a.B[c,d]]e]", ("main.F", ("func(int, string)", "map[a.B[c,d]]e"), "")),
        ("main.F[struct { A int; B [2]x }].func1", ("main.F", ("struct { A int; B [2]x }",), ".func1")),
        ("main.(*T).M[a.B[c,d]]", ("main.T).M", ("a.B[c,d]",), "")),
        ("main.(*Box[*main.T]).Fold[int,[]string]", ("main.Box).Fold", ("*main.T", "int", "[]string"), "")),
        ("main..dict.Box[map[int]string].Fold[[]int]", ("main..dict.Box.Fold", ("map[int]string", "[]int"), "")),
        ("main.plain", ("main.plain", (), "")),
        ("main.F[", ("main.F[", (), "")),
    ],
)
def test_names_are_taken_apart(name: str, parts: tuple[str, tuple[str, ...], str]) -> None:
    assert split_name(name) == parts
