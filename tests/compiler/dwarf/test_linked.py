"""Names as Go's linker has them, taken apart."""

import pytest

from compiler.dwarf.linked import dictionary_position, pieces


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("main.run", ("main.run",)),
        ("main.Map[int,[]string]", ("main.Map", "int,[]string", "")),
        ("main.(*Box[map[int][]string]).Get.func1", ("main.(*Box", "map[int][]string", ").Get.func1")),
        ("main.(*T).Turn[[]int]", ("main.(*T).Turn", "[]int", "")),
        ("main.(*Box[[]int]).Fold[[2]a.B[c]]-range1", ("main.(*Box", "[]int", ").Fold", "[2]a.B[c]", "-range1")),
        ("main.Map[", ("main.Map[",)),
        ("main.Map][", ("main.Map][",)),
        ('main.Map[struct { A int "][" }]', ("main.Map", 'struct { A int "', "", '" }', "")),
    ],
)
def test_type_arguments(name: str, parts: tuple[str, ...]) -> None:
    assert pieces(name) == parts


@pytest.mark.parametrize(
    ("name", "position"),
    [
        ("main.run", None),
        ("main.(*T).M", None),
        ("main.Map[int]", 0),
        ("gopkg.in/yaml%2ev3.Map[a.b/c.D]", 0),
        ("main.func1[int]", 0),
        ("main.Box[int].Get", 1),
        ("main.(*Box[int]).Get", 1),
        ("main.T.Turn[int]", 1),
        ("main.(*T).Turn[int]", 1),
        ("main.(*Box[int]).Fold[string]", 1),
        ("main.Map[int].func1", None),
        ("main.(*Box[int]).Fold[string].func2.1", None),
        ("main.(*Box[int]).Fold[string]-range1", None),
        ("main.Map[int].gowrap1", None),
    ],
)
def test_where_the_dictionary_is_passed(name: str, position: int | None) -> None:
    assert dictionary_position(name) == position
