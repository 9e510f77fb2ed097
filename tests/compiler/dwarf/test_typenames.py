"""Types' names as Go's own %T prints them, from the names that its linker gives them."""

import pytest

from compiler.dwarf.gotypes import printed_type

PRINTED = {
    "github.com/acme/shop.Cart": "shop.Cart",
    "gopkg.in/yaml%2ev3.Node": "yaml.v3.Node",
    "main.local·1": "main.local",
    "main.Box[main.local·1]": "main.Box[main.local·1]",
    "go.shape.struct { main.a int }": "struct { a int }",
    "*struct { main._ int; Box = main.Box[int] }": "*struct { _ int; main.Box[int] }",
    "struct { *main.s; main.b int; main.S; io.Reader }": "struct { *main.s; b int; main.S; io.Reader }",
    r'struct { main.s "t"; A int "json:\"a; main.b c\"" }': r'struct { main.s "t"; A int "json:\"a; main.b c\"" }',
    "main.Box[struct { main.a int }]": "main.Box[struct { main.a int }]",
    "struct { main.b []struct { main.c int }; main.d [3]main.T }": "struct { b []struct { c int }; d [3]main.T }",
    "map[struct { a/b.k int }]struct { a/b.v a/b.T }": "map[struct { k int }]struct { v b.T }",
    "struct { main.ü int; main.i interface { A() int; main.x() } }": "struct { ü int; i interface { A() int; main.x() } }",
    "struct { main.f func(int, a/b.T) (struct { main.q int }, error) }": "struct { f func(int, b.T) (struct { q int }, error) }",
}


@pytest.mark.parametrize(("linked", "printed"), PRINTED.items())
def test_a_type_is_printed_as_go_prints_it(linked: str, printed: str) -> None:
    assert printed_type(linked) == printed
