"""Malformed specs of every sort: each gets its one error, word for word."""

import pytest

from compiler.spec import SpecError, read_spec
from compiler.spec.tree import MAX_BYTES

HEAD = "functions:\n- function: main.f\n  table: t\n  collect: [q, {expr: s.user.Name, as: user}]\n"
BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join(['*' + before] * 10)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)

NOT_YAML = {
    "": '1: the spec is empty; write at least "functions: []"',
    "# only a comment\n": '1: the spec is empty; write at least "functions: []"',
    "---\n...\n": '1: the spec is empty; write at least "functions: []"',
    "- functions\n": '1: the spec is a list, not a mapping of keys; write at least "functions: []"',
    "\n\nhello": '3: the spec is text, not a mapping of keys; write at least "functions: []"',
    "42": '1: the spec is the number 42, not a mapping of keys; write at least "functions: []"',
    "functions: []\n---\nfunctions: []\n": (
        '2: there is a second document; remove the line "---" and what is below it'
    ),
    "functions:\n\t- function: main.f\n": (
        "2: this is not YAML: found character that cannot start any token; indent with spaces, not tabs"
    ),
    "functions: []\nfunctions: []\n": '2: the key "functions" stands here twice, first on line 1; remove one',
    "functions: !!python/object:os.system [x]\n": (
        "1: the tag !!python/object:os.system is not allowed in a spec; remove or quote it"
    ),
    "functions:\n- function: main.f\n  collect: [*p]\n": (
        '3: the alias *p has no anchor &p before it; quote it if it is an expression: "*p"'
    ),
    "functions: &f [*f]\n": "1: the alias *f holds itself; write it out",
    "functions: []\n" + BOMB: "6: the spec grows to more than 50000 values; use fewer aliases",
    "[" * 5000: "1: nested more than 20 deep; a spec needs six levels",
    "functions: []\n? [a]\n: b\n": (
        '2: a key must be a name; quote a text that holds ": " or " #", or begins with one of *&!|>%@`[]{}\'"'
    ),
    "functions: [\n": (
        "2: this is not YAML: did not find expected node content; "
        'quote a text that holds ": " or " #", or begins with one of *&!|>%@`[]{}\'"'
    ),
    "functions:\n- function: main.f\n  collect: [{expr: q.Args[0], as: first}]\n": (
        "3: this is not YAML: did not find expected ',' or '}'; "
        'within {...} and [...] quote a text that holds one of ,[]{} (as in {expr: "q.Args[0]", as: first}), and close each'
    ),
    "functions:\n- function: main.f\n  collect: [q, m[7]]\n": (
        "3: this is not YAML: did not find expected ',' or ']'; "
        'within {...} and [...] quote a text that holds one of ,[]{} (as in {expr: "q.Args[0]", as: first}), and close each'
    ),
    "functions: []\nx: \0": "2: this is not text: it holds the character U+0000; write the spec as YAML text",
    "functions: \ud800": "1: this is not text: it holds half a character",
    b"\x7fELF\x02\x01\n\xff\xfe": (
        "2: this is not text: byte 7 (0xff) is not UTF-8; write the spec as YAML text in UTF-8"
    ),
}

WRONG_SHAPE = {
    "limits: {}\n": '1: the key "functions" is missing; write at least "functions: []"',
    "functions: []\ntabels: {}\n": '2: unknown key "tabels"; nearest: "tables"',
    "functions: []\n<<: {}\n": ('2: unknown key "<<"; there are: functions, limits, links, programs, tables, types'),
    "functions: {}\n": "1: functions: must be a list, but is a mapping; write a list",
    "functions:\n": "1: functions: must be a list, but is empty; write a list",
    "functions:\n- main.f\n": "2: functions[0]: must be a mapping, but is text; write a mapping",
    "functions:\n- table: t\n": '2: functions[0]: the key "function" is missing; add it',
    "functions:\n- function: 5\n": "2: functions[0].function: must be text, but is the number 5; quote it",
    "functions:\n- function: ''\n": "2: functions[0].function: must not be empty; write it or remove the key",
    "functions:\n- function: main.f\n  collect:\n  - q\n  - exp: s\n    as: t\n": (
        '5: functions[0].collect[1]: unknown key "exp"; nearest: "expr"'
    ),
    "functions:\n- function: main.f\n  collect: [q, 7]\n": (
        "3: functions[0].collect[1]: must be text or a mapping, but is the number 7; quote it"
    ),
    "functions:\n- function: main.f\n  collect: [{as: x}]\n": (
        '3: functions[0].collect[0]: the key "expr" is missing; add it'
    ),
    "functions:\n- function: main.f\n  extra: [{name: x, expr: true}]\n": (
        "3: functions[0].extra[0].expr: must be text, but is true or false; quote it"
    ),
    "functions: []\nlimits: {pause_ms: 0}\n": (
        "2: limits: pause_ms is 0, but must be an integer from 1 to 60000; write a number within the bounds"
    ),
    "functions: []\nlimits: {string_bytes: many}\n": (
        "2: limits.string_bytes: must be a whole number, but is text; write a whole number"
    ),
    "functions: []\nlimits:\n  string_byte: 1\n": '3: limits: unknown key "string_byte"; nearest: "string_bytes"',
    "functions:\n- function: main.f\n  limits: {pause_ms: 5}\n": (
        '3: functions[0].limits: "pause_ms" is a limit of the whole spec; move it to `limits` at the top level'
    ),
    "functions: []\nprograms: {querydb: '*/querydb'}\n": (
        "2: programs.querydb: must be a mapping, but is text; write a mapping"
    ),
    "functions: []\ntables:\n  t: 5\n": "3: tables.t: must be text or a mapping, but is the number 5; quote it",
    "functions: []\nlinks: [{from: a, from_columns: [], to: b, to_columns: [x]}]\n": (
        "2: links[0].from_columns: must not be an empty list; name at least one"
    ),
    "functions: []\nlinks: [{from: a, from_columns: [x, y], to: b, to_columns: [x]}]\n": (
        "2: links[0]: 2 from_columns are linked to 1 to_columns; name as many of each"
    ),
    # The first by line, of several.
    "limits: {pause_ms: 0}\nfunctions:\n- {}\nx: 1\n": (
        "1: limits: pause_ms is 0, but must be an integer from 1 to 60000; write a number within the bounds"
    ),
}

WRONG_NAMES = {
    "functions:\n- function: main.f\n- function: main.f\n": (
        '3: functions[1]: the table "main.f" is there twice, first as functions[0] on line 2; '
        "give it another name with `table`"
    ),
    HEAD + "tables: {T: SELECT 1 AS one}\n": (
        '5: tables.T: the table "T" is there twice, first as functions[0] on line 2; give it another name'
    ),
    "functions:\n- {function: main.f, table: Goroutines}\n": (
        '2: functions[0]: the table name "Goroutines" is a built-in one; give it another name with `table`'
    ),
    "functions:\n- function: main.(*S).*\n  collect: [s]\n": (
        '2: functions[0]: "main.(*S).*" stands for several functions, so their table needs a name of its own; '
        "add `table: NAME`"
    ),
    "functions: []\ntables: {sqlite_stat: SELECT 1 AS one}\n": (
        '2: tables.sqlite_stat: the table name "sqlite_stat" is a built-in one; give it another name'
    ),
    "functions: []\ntables: {'a\\0b': SELECT 1 AS one, \"x\\n\": SELECT 2 AS two}\n": (
        "2: tables.x\n: the table name 'x\\n' holds a character that cannot be printed; give it another name"
    ),
    HEAD + "  extra: [{name: USER, expr: '1'}]\n": (
        '5: functions[0].extra[0] "USER": the column "USER" is already functions[0].collect[1] on line 4; name it otherwise'
    ),
    "functions:\n- function: main.f\n  collect: [q, Line]\n": (
        '3: functions[0].collect[1]: the column "Line" is already a built-in column of every function table; '
        "name it otherwise: {expr: ..., as: NAME}"
    ),
    HEAD + "links: [{from: tt, from_columns: [q], to: t, to_columns: [q]}]\n": (
        '5: links[0]: `from` names an unknown table "tt"; nearest: "t"'
    ),
    HEAD + "links: [{from: t, from_columns: [q], to: T, to_columns: [uset]}]\n": (
        '5: links[0]: `to_columns` names an unknown column "uset" of "t"; nearest: "user"'
    ),
}


def extra(expr: str) -> str:
    return HEAD + "  extra:\n  - name: x\n    expr: " + repr(expr) + "\n"


def table(sql: str) -> str:
    return HEAD + "tables:\n  d: " + repr(sql) + "\n"


EXTRA = '6: functions[0].extra[0] "x": '
WRONG_TYPES = {
    "functions: []\ntypes:\n- type: main.T\n": '3: types[0]: the key "collect" is missing; add it',
    "functions: []\ntypes:\n- type: main.T\n  collect: []\n": (
        "4: types[0].collect: must not be an empty list; name at least one"
    ),
    "functions: []\ntypes:\n- typ: main.T\n  collect: [a]\n": '3: types[0]: unknown key "typ"; nearest: "type"',
    "functions: []\ntypes:\n- {type: main.T, collect: [a]}\n- {type: '*main.T', collect: [b]}\n": (
        '4: types[1]: the type "main.T" is there twice, first on line 3; collect it all in one place'
    ),
    "functions: []\ntypes:\n- type: main.T\n  collect:\n  - a\n  - {expr: b, as: a}\n": (
        '6: types[0].collect[1]: the name "a" is already taken on line 5; name it otherwise: {expr: ..., as: NAME}'
    ),
    "functions: []\ntypes:\n- type: main.T\n  collect: [{expr: b, as: $addr}]\n": (
        '4: types[0].collect[0]: the name "$addr" begins with "$", as only marks do; name it otherwise: {expr: ..., as: NAME}'
    ),
}

WRONG_SQL = {
    extra("q->"): EXTRA + 'syntax error near "->"',
    extra("(q"): EXTRA + 'syntax error: "(" is never closed; close it',
    extra("q + usr"): EXTRA + 'unknown column "usr"; nearest: "user"',
    extra('user = "bob"'): EXTRA + "unknown column \"bob\"; for a text write 'bob'; there are: "
    "build_id, captured_at_ns, command_line, container_pid, cpu, created_by, created_by_file, created_by_line, depth, "
    "engine, environment, exe and 24 more",
    extra("x"): EXTRA
    + 'unknown column "x"; there are: build_id, captured_at_ns, command_line, container_pid, cpu, created_by, '
    "created_by_file, created_by_line, depth, engine, environment, exe and 24 more",
    extra("count(*)"): EXTRA + "an extra column cannot aggregate over rows; make a derived table under `tables`",
    extra("max(depth)"): EXTRA + "an extra column cannot aggregate over rows; make a derived table under `tables`",
    extra("(SELECT 1)"): EXTRA + "an extra column cannot hold a subquery; make a derived table under `tables`",
    extra("rank() OVER ()"): EXTRA
    + "an extra column cannot look at other rows with OVER; make a derived table under `tables`",
    extra("q, user"): EXTRA + "2 expressions where one belongs; make one extra column of each",
    extra("q AS y"): EXTRA + "the expression names itself with AS; the column's name is its `name`",
    extra("q FROM t"): EXTRA + "the expression is no scalar SQL expression; make a derived table under `tables`",
    extra("q; DROP TABLE t"): EXTRA + "more than one statement; write one SELECT",
    extra("t.q"): EXTRA
    + '"t.q" names a table, an extra column sees only its own row; write "q" alone, or t->q for a JSON path',
    extra("unix_n(q)"): EXTRA + 'no function "unix_n" may be called here; nearest: "unix_ns"',
    extra("load_extension('x')"): EXTRA
    + 'no function "load_extension" may be called here; there are: abs, acos, acosh, address, ago, asin, asinh, '
    "atan, atan2, atanh, avg, bare and 99 more",
    extra("enum_name(status)"): EXTRA
    + "enum_name() takes a collected column or a path in one; write enum_name(column) or enum_name(column->field)",
    extra("uuid(q, user)"): EXTRA + "uuid() takes one argument, got 2; write uuid(q->ID)",
    extra("q->__addr.x"): EXTRA + "__addr is the address itself, nothing can follow it; end the path there; "
    'a field of that name is written "__addr", in quotes',
    extra("uuid(q)").replace("[q,", "[{expr: q, limits: {string_bytes: 39}},"): (
        "4: functions[0].collect[0]: string_bytes: 39 cuts texts to a length that uuid() would take for a whole id; "
        "make it 40 or more"
    ),
    table("SELECT Uuid(q) AS x FROM t") + "limits: {string_bytes: 16}\n": (
        "4: functions[0].collect[0]: string_bytes: 16 cuts texts to a length that uuid() would take for a whole id; "
        "make it 40 or more"
    ),
    table(
        "SELECT enum_name(status) AS x FROM goroutines"
    ): "6: tables.d: enum_name() takes a column of a function table, "
    "or a path in one: which it is, is not evident here at line 1, column 8 of the SQL; "
    "make an extra column of it where the value is collected",
    table("SELECT ago(origin) AS x FROM snapshot JOIN spec"): "6: tables.d: ago() does not know here which capture is "
    "meant at line 1, column 8 of the SQL; write ago(time, captured_at_ns) with the captured_at_ns of the row's process",
    extra("?"): EXTRA + "the parameter ? has no value here; write the value",
    table("DELETE FROM t"): "6: tables.d: found DELETE, only a SELECT may stand here; "
    "write one SELECT (WITH before it and UNION inside it are fine)",
    table("SELECT 1; SELECT 2"): "6: tables.d: more than one statement; write one SELECT",
    table("PRAGMA table_info(t)"): "6: tables.d: found PRAGMA, only a SELECT may stand here; "
    "write one SELECT (WITH before it and UNION inside it are fine)",
    table("WITH x AS (SELECT 1) DELETE FROM t"): "6: tables.d: found DELETE, only a SELECT may stand here; "
    "write one SELECT (WITH before it and UNION inside it are fine)",
    table("SELECT FROM t"): '6: tables.d: syntax error near "SELECT"; an expression must follow',
    table("SELECT a b c FROM t"): '6: tables.d: syntax error near "c"',
    table("SELECT q FROM tt"): '6: tables.d: unknown table "tt"; nearest: "t"',
    table("SELECT t.usr FROM t"): '6: tables.d: unknown column "usr" of "t"; nearest: "user"',
    table("SELECT goroutine_id FROM t JOIN frames f ON t.depth = f.depth"): (
        '6: tables.d: column "goroutine_id" is ambiguous; write t.goroutine_id or f.goroutine_id'
    ),
    table("SELECT t.depth, f.depth FROM t JOIN frames f USING (line)"): (
        '6: tables.d: the column "depth" is there 2 times; name the columns, and give one another name with AS'
    ),
    table("SELECT d.one FROM d"): "6: tables.d: a cycle of derived tables: d -> d; let none read itself",
    HEAD + "tables:\n  a: SELECT x FROM c\n  b: SELECT x FROM a\n  c: SELECT x FROM b\n": (
        "6: tables.a: a cycle of derived tables: a -> c -> b -> a; let none read itself"
    ),
    # A table that reads a broken one is not blamed; the broken one is, though it comes later.
    HEAD + "tables:\n  a: SELECT x FROM b\n  b: SELECT usr AS x FROM t\n": (
        '7: tables.b: unknown column "usr"; nearest: "user"'
    ),
}

WRONG_EXPRESSIONS = {
    "functions:\n- function: main.f\n  collect:\n  - q\n  - s..x\n": "5: functions[0].collect[1]: ",
    "functions:\n- function: main.f\n  collect: ['a b']\n": "3: functions[0].collect[0]: ",
}


@pytest.mark.parametrize(
    ("text", "message"),
    [*NOT_YAML.items(), *WRONG_SHAPE.items(), *WRONG_NAMES.items(), *WRONG_TYPES.items(), *WRONG_SQL.items()],
)
def test_one_error_word_for_word(text: str | bytes, message: str) -> None:
    with pytest.raises(SpecError) as caught:
        read_spec(text, "SPEC.yaml")
    assert str(caught.value) == f"SPEC.yaml:{message}"
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(("text", "start"), WRONG_EXPRESSIONS.items())
def test_a_broken_expression_is_named_with_its_line(text: str, start: str) -> None:
    with pytest.raises(SpecError) as caught:
        read_spec(text, "SPEC.yaml")
    assert str(caught.value).startswith(f"SPEC.yaml:{start}")


def test_a_file_that_is_too_large_is_not_even_parsed() -> None:
    with pytest.raises(SpecError) as caught:
        read_spec(b"#" * (MAX_BYTES + 1), "big.yaml")
    assert str(caught.value) == (
        "big.yaml: the spec has 1048577 bytes, more than 1048576; is this the right file? split it if it is"
    )
