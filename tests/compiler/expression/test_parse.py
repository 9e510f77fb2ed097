"""Expressions: what each says, and the one sentence for what is none."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler.expression.operations import (
    AddressIn,
    Asserted,
    ContextKey,
    CountOf,
    Expression,
    FieldOf,
    IndexOf,
    PointedTo,
    SliceOf,
)
from compiler.expression.parse import ExpressionError, parse

GOOD: dict[str, tuple[str, tuple[Any, ...]]] = {
    "q": ("q", ()),
    " s . user . Name ": ("s", (FieldOf("user"), FieldOf("Name"))),
    "*p": ("p", (PointedTo(),)),
    "(*p).next.value": ("p", (PointedTo(), FieldOf("next"), FieldOf("value"))),
    "*s.p": ("s", (FieldOf("p"), PointedTo())),
    "q.Args[0]": ("q", (FieldOf("Args"), IndexOf(0))),
    "q.Args[:3]": ("q", (FieldOf("Args"), SliceOf(0, 3))),
    "a[2:]": ("a", (SliceOf(2, None),)),
    "a[:]": ("a", (SliceOf(0, None),)),
    "a[1:0x10]": ("a", (SliceOf(1, 16),)),
    'm["a]\\n\\"b"].y': ("m", (IndexOf('a]\n"b'), FieldOf("y"))),
    "m[`raw\\n`]": ("m", (IndexOf("raw\\n"),)),
    "m[-7]": ("m", (IndexOf(-7),)),
    "m[1_000]": ("m", (IndexOf(1000),)),
    "m[1.5e3]": ("m", (IndexOf(1500.0),)),
    "m['ż']": ("m", (IndexOf(0x17C),)),
    "m[true][false]": ("m", (IndexOf(True), IndexOf(False))),
    "len(q.Args)": ("q", (FieldOf("Args"), CountOf(False))),
    "cap(queue)": ("queue", (CountOf(True),)),
    "len": ("len", ()),
    "~r1.Name": ("~r1", (FieldOf("Name"),)),
    "err.(*net.OpError).Op": ("err", (Asserted("*net.OpError"), FieldOf("Op"))),
    'v.(map[string]struct{ a int })["k"]': ("v", (Asserted("map[string]struct{ a int }"), IndexOf("k"))),
    'ctx.Value("user").Name': ("ctx", (ContextKey(None, "user"), FieldOf("Name"))),
    "ctx.Value(main.userKey)": ("ctx", (ContextKey("main.userKey", None),)),
    "ctx.Value(main.userKey{})": ("ctx", (ContextKey("main.userKey", None),)),
    'ctx.Value( main.userKey("a)b") )': ("ctx", (ContextKey("main.userKey", "a)b"),)),
    "ctx.Value(*main.User)": ("ctx", (ContextKey("*main.User", None),)),
    "s.Value": ("s", (FieldOf("Value"),)),
    '"github.com/acme/shop/store".cache["x"]': ("github.com/acme/shop/store.cache", (IndexOf("x"),)),
    "p.next.__addr": ("p", (FieldOf("next"), AddressIn())),
}


@pytest.mark.parametrize("text", GOOD)
def test_it_says(text: str) -> None:
    root, operations = GOOD[text]
    found = parse(text)
    assert found == Expression(text, root, operations)
    assert [type(o.key) for o in found.operations if isinstance(o, IndexOf)] == [
        type(o.key) for o in operations if isinstance(o, IndexOf)
    ]


BAD = {
    "": 'a variable\'s name is missing at character 1 of ""',
    "a.": 'a field\'s name is missing at character 3 of "a."',
    "a..b": "a field's name is missing at character 3",
    "~r": '"~" is not understood at character 1',
    "a b": '"b" is not understood at character 3',
    "f()": '"(" is not understood at character 2',
    "a.String()": '"String" cannot be called: nothing runs in the process at character 3',
    "a[": "an index or key is missing at character 3",
    "a[i]": '"i" is no index or key at character 3',
    "a[1": 'a "]" is missing at character 4',
    "a[3:1]": "the range ends at 1, before 3 at character 5",
    "a[-1:]": "an index must be a number from 0 to 2147483647 at character 3",
    'a["x":]': "an index must be a number from 0 to",
    "a[1:x]": "an index must be a number from 0 to",
    "a[4294967296:]": "an index must be a number from 0 to",
    "a[007]": "007 is no Go literal at character 3",
    "a['ab']": "'ab' is not one character at character 3",
    'a["\\xff"]': "has bytes that are no text at character 3",
    'a["\\q"': 'a "]" is missing',
    "a.(": 'a ")" is missing at character 4',
    "a.()": "a type is missing at character 4",
    'a.("': "a text does not end at character 4",
    "a.(x]": 'a ")" is missing',
    "ctx.Value()": '"" is no context key at character 11',
    "ctx.Value(a b)": '"a b" is no context key',
    "ctx.Value(k(x))": '"x" is no literal',
    '"a/b"': "is not understood at character 1",
    '"a/b".': "a package variable's name is missing at character 7",
    "len(a": 'a ")" is missing at character 6',
    "(a": 'a ")" is missing at character 3',
    "(" * 60 + "a": "it is nested too deeply at character 52",
    "a" * 1001: "the expression is too long at character 1001",
}


@pytest.mark.parametrize("text", BAD)
def test_it_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError) as error:
        parse(text)
    assert BAD[text] in str(error.value)
    assert "; " in str(error.value)  # what to write instead


@given(st.text(alphabet="abc.*()[]:\"`'0x-1 \\_{}Valuelncp,\n", max_size=40))
def test_anything_parses_or_is_refused(text: str) -> None:
    try:
        found = parse(text)
    except ExpressionError:
        return
    assert found.root
    assert parse(text) == found
