"""What may be written for a function, as text alone."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.dwarf.linked import split_name
from compiler.naming.patterns import bracketed, given_arguments, parse_pattern, written_name

NAMES = (
    "main.run",
    "main.run.func1",
    "main.(*S).Serve",
    "main.(*S).Serve.func2.1",
    "main.T.M",
    "main.Map[go.shape.int,go.shape.*uint8]",
    "main.Map[go.shape.int,go.shape.*uint8].func1",
    "main.(*List[go.shape.string]).Push",
    "main.each-range1",
    "gopkg.in/yaml%2ev3.(*Decoder).Decode",
    "gopkg.in/yaml.v3",
    "acme.org/shop/store.New",
    "acme.org/shop/store%2ev2.New",
    "acme.org/shop/store/disk.New",
    "acme.org/shop/store.(*Disk).Sync.deferwrap1",
    "net/http.(*Server).Serve",
)


@pytest.mark.parametrize(
    ("pattern", "several", "found"),
    [
        ("main.run", False, ["main.run"]),
        ("main.(*S).Serve", False, ["main.(*S).Serve"]),
        ("main.(*S).*", True, ["main.(*S).Serve", "main.(*S).Serve.func2.1"]),
        ("main.(**).Serve", True, ["main.(*S).Serve"]),
        ("main.(*S*).Push", True, []),
        ("main.run*", True, ["main.run", "main.run.func1"]),
        ("main.*.func1", True, ["main.run.func1", "main.Map[go.shape.int,go.shape.*uint8].func1"]),
        ("main.Map[...]", False, ["main.Map[go.shape.int,go.shape.*uint8]"]),
        ("main.Map[...].func1", False, ["main.Map[go.shape.int,go.shape.*uint8].func1"]),
        ("main.(*List[...]).Push", False, ["main.(*List[go.shape.string]).Push"]),
        ("main.(*List[...]).*", True, ["main.(*List[go.shape.string]).Push"]),
        ("gopkg.in/yaml.v3.(*Decoder).Decode", False, ["gopkg.in/yaml%2ev3.(*Decoder).Decode"]),
        ("gopkg.in/yaml%2ev3.(*Decoder).Decode", False, ["gopkg.in/yaml%2ev3.(*Decoder).Decode"]),
        ("gopkg.in/yaml.v3.*", True, ["gopkg.in/yaml%2ev3.(*Decoder).Decode"]),
        ("gopkg.in/yaml.v3.(*Dec*", True, ["gopkg.in/yaml%2ev3.(*Decoder).Decode"]),
        ("acme.org/shop/store.*", True, ["acme.org/shop/store.New", "acme.org/shop/store.(*Disk).Sync.deferwrap1"]),
        ("acme.org/shop/store.v2.*", True, ["acme.org/shop/store%2ev2.New"]),
        ("acme.org/shop/*.New", True, [name for name in NAMES if name.endswith("New")]),
        ("*.Serve", True, ["main.(*S).Serve", "net/http.(*Server).Serve"]),
        ("*", True, list(NAMES)),
        ("main.Map[*", True, [name for name in NAMES if name.startswith("main.Map")]),
        ("main.Map[", False, []),
        ("", False, []),
    ],
)
def test_patterns(pattern: str, several: bool, found: list[str]) -> None:
    parsed = parse_pattern(pattern)
    assert parsed.several is several
    lines = "\n" + "\n".join(NAMES) + "\n"
    assert [match[0][1:] for match in re.finditer(parsed.expression(), lines)] == found


def test_a_star_in_brackets_is_a_pointer() -> None:
    parsed = parse_pattern("main.Map[string,*main.T].func1")
    assert not parsed.several
    assert parsed.arguments == ("string,*main.T",)


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("main.run", "main.run"),
        ("main.Map[go.shape.struct { a.b/c.D int }].func1", "main.Map[...].func1"),
        ("main.(*List[go.shape.int]).Push", "main.(*List[...]).Push"),
        ("a.b/c%2ed.(*List[go.shape.int]).Fold[go.shape.[]string]", "a.b/c.d.(*List[...]).Fold[...]"),
        ("gopkg.in/yaml%2ev3.(*Decoder).Decode", "gopkg.in/yaml.v3.(*Decoder).Decode"),
        ("a.org/caf%c3%a9.F", "a.org/café.F"),
        ("a.org/odd%ff.F", "a.org/oddÿ.F"),
        ("runtime.gopanic", "runtime.gopanic"),
        ("memmove", "memmove"),
    ],
)
def test_names_as_they_are_written(name: str, written: str) -> None:
    assert written_name(name) == written


def test_type_arguments_are_split_where_go_does() -> None:
    arguments = "map[string]func(int, bool) error,struct { A, B int }, [4]a.T[int,string],chan<- int"
    assert given_arguments(arguments) == (
        "map[string]func(int, bool) error", "struct { A, B int }", "[4]a.T[int,string]", "chan<- int",
    )  # fmt: skip
    assert bracketed(f"main.F[{arguments}].func1.G[int].2") == (arguments, "int")
    assert split_name("a.org/b/c.(*T[x/y.Z]).M") == ("a.org/b/c", "(*T[x/y.Z]).M")


@given(st.text(alphabet="ab.*[](){},%/2e", max_size=30))
def test_any_text_is_a_pattern_and_a_name_finds_itself(text: str) -> None:
    parsed = parse_pattern(text)
    lines = f"\n{text}\n"
    assert re.search(parsed.expression(), lines)
    assert isinstance(written_name(text), str)


@pytest.mark.timeout(5)
def test_many_stars_take_no_time() -> None:
    expression = parse_pattern("*a" * 200 + "b").expression()
    assert re.search(expression, "\n" + "a" * 5000 + "\n") is None
