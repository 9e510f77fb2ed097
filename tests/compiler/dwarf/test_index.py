"""The index made by one expression is the index that elftools gives by reading every DIE."""

import contextlib
import random
from pathlib import Path
from typing import Any, cast

import pytest
from elftools.elf.elffile import ELFFile

from compiler.binary import Binary
from compiler.compile import compile_spec
from compiler.dwarf.executable import BadBinary
from compiler.dwarf.names import MAX_SOUGHT
from compiler.dwarf.scanner import GO_RUNTIME_TYPE, TYPE_TAGS, Scanner
from compiler.dwarf.table import Table
from compiler.ir.errors import FreezeframeError
from compiler.spec import read_spec
from tests.conftest import ROOT, build

pytestmark = pytest.mark.every_version


def by_elftools(path: Path) -> tuple[dict[str, list[int]], dict[str, list[int]], dict[str, list[int]], dict[int, int]]:
    """(functions, globals, types, runtime types) by iterating over all DIEs."""
    functions: dict[str, list[int]] = {}
    globals_: dict[str, list[int]] = {}
    types: dict[str, list[int]] = {}
    runtime_types: dict[int, int] = {}
    with path.open("rb") as file:
        info = ELFFile(file).get_dwarf_info(relocate_dwarf_sections=False)
        for unit in info.iter_CUs():
            if unit.get_top_DIE().attributes["DW_AT_language"].value != 0x16:
                continue
            for die in unit.iter_DIEs():
                name = die.attributes.get("DW_AT_name")
                kind = {"DW_TAG_subprogram": functions}.get(str(die.tag), types if die.tag in TYPE_TAGS else None)
                kind = globals_ if die.tag == "DW_TAG_variable" and "DW_AT_external" in die.attributes else kind
                is_parameter = name is not None and name.value.startswith(b".param")
                if kind is not None and name is not None and not is_parameter:
                    kind.setdefault(name.value.decode(), []).append(die.offset)
                attributes = cast(dict[object, Any], die.attributes)
                runtime_type = getattr(attributes.get(GO_RUNTIME_TYPE), "value", 0)
                if runtime_type:
                    runtime_types[runtime_type] = die.offset
    return functions, globals_, types, runtime_types


def assert_finds(path: Path, functions: dict[str, list[int]], globals_: dict[str, list[int]]) -> None:
    """Looking for names one by one, or together, finds what there is."""
    several = sorted(functions)[len(functions) // 2 :][: MAX_SOUGHT // 2]
    with Binary(path) as binary:
        index = binary.index
        index.expect(["main.notThere", "main.notThereEither", *several[1:]])
        assert {name: index.functions[name] for name in several} == {name: functions[name] for name in several}
        assert "main.notThere" not in index.functions
        assert all(index.description(name) in functions[name] for name in sorted(functions)[:: len(functions) // 16])
        assert index.description("main.notThere") is None
        some = sorted(globals_)[:: len(globals_) // 16]
        assert {name: index.globals[name] for name in some} == {name: globals_[name] for name in some}
        assert "main.notThere" not in index.globals
        assert "whole" not in vars(index)


def assert_equals_elftools(path: Path) -> None:
    functions, globals_, types, runtime_types = by_elftools(path)
    assert_finds(path, functions, globals_)
    with Binary(path) as binary:
        index = binary.index
        sought = random.Random(7).sample(sorted(functions), MAX_SOUGHT - 1)
        assert {name: index.functions[name] for name in sought} == {name: functions[name] for name in sought}
        assert {name: index.types[name] for name in sorted(types)[::7]} == dict(sorted(types.items())[::7])
        assert "main.notThere" not in index.functions
        assert "main.notThere" not in index.types
        assert dict(index.types) == types
        assert index.runtime_types == runtime_types
        assert "whole" not in vars(index)  # of all this only the units were read in which the names are
        assert dict(index.functions) == functions
        assert dict(index.globals) == globals_
        table = index.whole
        assert (dict(table.types), table.runtime_types) == (types, runtime_types)
        assert len(table.subprograms) == len(set(table.subprograms)) > len(functions) // 2
        assert list(table.subprograms) == sorted(table.subprograms)
        within = [offset + 1 for offset in table.subprograms]
        assert [index.subprogram_before(offset) for offset in within] == list(table.subprograms)


def shape_of(path: Path) -> tuple[set[int], bool, bool]:
    """(DWARF versions of its Go units, whether it has other units, whether it is position independent)."""
    with Binary(path) as binary:
        units = [(unit, binary.info.is_go(unit)) for unit in binary.info.units]
        assert binary.index.whole.slow_units == 0
        versions = {unit.version for unit, is_go in units if is_go}
        return versions, not all(is_go for _, is_go in units), binary.executable.identity.relocatable


@pytest.mark.timeout(600)
def test_index_equals_elftools_own_iteration(querydb: Path) -> None:
    assert shape_of(querydb)[0] <= {4, 5}
    assert_equals_elftools(querydb)


@pytest.mark.timeout(600)
def test_so_it_does_with_units_of_c_in_between(go: Path, tmp_path: Path) -> None:
    mixed = build(go, ROOT / "tests/targets/mixed", tmp_path / "mixed", "-ldflags=-linkmode=external", cgo=True)
    _, foreign, _ = shape_of(mixed)
    assert foreign
    assert_equals_elftools(mixed)


@pytest.mark.timeout(600)
def test_so_it_does_of_a_position_independent_one(go: Path, tmp_path: Path) -> None:
    movable = build(go, ROOT / "tests/targets/scopes", tmp_path / "movable", "-buildmode=pie")
    _, _, relocatable = shape_of(movable)
    assert relocatable
    assert_equals_elftools(movable)


@pytest.mark.timeout(600)
def test_so_it_does_in_either_version_of_dwarf(
    go: Path, querydb: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Go writes DWARF 5 from 1.25 on, and version 4 if told to; before, version 4 alone."""
    path = querydb
    if shape_of(querydb)[0] == {5}:
        monkeypatch.setenv("GOEXPERIMENT", "nodwarf5")
        path = build(go, ROOT / "tests/targets/scopes", tmp_path / "older")
    assert shape_of(path)[0] == {4}
    assert_equals_elftools(path)


@pytest.mark.timeout(600)
def test_a_unit_that_does_not_fit_is_read_slowly(go: Path, tmp_path: Path) -> None:
    """One code is spelled with two bytes, as LEB128 allows and nobody does; the name behind it makes room for that."""
    path = build(go, ROOT / "tests/targets/scopes", tmp_path / "odd", "-ldflags=-compressdwarf=false")
    with Binary(path) as binary:
        (main,) = binary.index.functions["main.main"]
        code = binary.info.bytes[main]
    with path.open("r+b") as file:
        section = ELFFile(file).get_section_by_name(".debug_info")
        assert section is not None
        file.seek(section["sh_offset"] + main)
        file.write(bytes([code | 0x80, 0]))
    with Binary(path) as binary:
        assert binary.index.functions["ain.main"] == [main]
        assert "main.main" not in binary.index.functions
        assert binary.index.whole.slow_units == 1
    assert_equals_elftools(path)


def test_all_units_can_be_read_slowly(querydb: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With every unit refused by the expression the index is the same."""
    with Binary(querydb) as binary:
        fast = binary.index.whole
    monkeypatch.setattr(Scanner, "scan", lambda *_: None)
    with Binary(querydb) as binary:
        assert binary.index.functions["main.main"] == fast.functions["main.main"]
        slow = binary.index.whole
        assert slow.slow_units > 50
    assert dict(slow.functions) == dict(fast.functions)
    assert slow.runtime_types == fast.runtime_types
    assert slow.globals.keys() == fast.globals.keys()


@pytest.mark.parametrize("keep", [0, 1, 64, 4096, 100_000, 1_000_000])
def test_a_cut_binary_is_one_clear_error(keep: int, querydb: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut"
    cut.write_bytes(querydb.read_bytes()[:keep])
    with pytest.raises(BadBinary) as found:
        Binary(cut).index.whole  # noqa: B018
    assert str(cut) in str(found.value)


def test_a_damaged_binary_is_an_error_or_an_issue(tmp_path: Path, go: Path) -> None:
    """Bytes changed at random: one clear error, or issues, or nothing amiss; nothing else, and soon."""
    plain = build(go, ROOT / "examples/querydb", tmp_path / "plain", "-ldflags=-compressdwarf=false").read_bytes()
    spec = read_spec((ROOT / "examples/querydb/querydb.yaml").read_bytes(), "querydb.yaml")
    damaged = tmp_path / "damaged"
    for seed in range(25):
        dice, data = random.Random(seed), bytearray(plain)
        reach = dice.choice([4096, len(data)])
        for _ in range(dice.choice([1, 20, 2000])):
            data[dice.randrange(reach)] = dice.randrange(256)
        damaged.write_bytes(data)
        with contextlib.suppress(FreezeframeError), Binary(damaged) as binary:
            compile_spec(spec, binary)


def test_a_table_survives_packing(querydb: Path) -> None:
    with Binary(querydb) as binary:
        table, section = binary.index.whole, binary.info.section
        table.functions.odd.append((b"main.odd", 77))
        data = table.to_bytes()
        again = Table.from_bytes(data, section)
        assert again is not None
        assert again.to_bytes() == data
        assert again.functions["main.odd"] == [77]
        assert (again.functions, again.types, again.globals) == (table.functions, table.types, table.globals)
        assert again.runtime_types == table.runtime_types
        for damaged in (b"", data[:3], data[:100], data[:-1], data[:50] + bytes([data[50] ^ 1]) + data[51:]):
            assert Table.from_bytes(damaged, section) is None


def test_more_names_than_any_binary_has_are_damage(querydb: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether all units are read or only those that are asked for."""
    monkeypatch.setattr("compiler.dwarf.index.MAX_DIES", 100)
    with Binary(querydb) as binary:
        with pytest.raises(BadBinary, match="names more than 100 things"):
            binary.index.functions.get("main.main")
        with pytest.raises(BadBinary, match="names more than 100 things"):
            _ = binary.index.whole
