"""What a binary can be asked for: its functions and a function's variables, by the command line."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from compiler.naming.catalog import kind_of
from tests.conftest import ROOT, build

FLAGS = {"optimized": (), "-N -l": ("-gcflags=all=-N -l",)}


@pytest.fixture(scope="module", params=FLAGS)
def binary(request: pytest.FixtureRequest, go: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("catalog")
    return build(go, ROOT / "tests/targets/names", folder / str(request.param), *FLAGS[request.param])


@pytest.fixture(scope="module")
def scopes(go: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(go, ROOT / "tests/targets/scopes", tmp_path_factory.mktemp("scopes") / "scopes", *FLAGS["-N -l"])


def run(*arguments: object) -> "subprocess.CompletedProcess[str]":
    command = [str(ROOT / ".venv/bin/freezeframe"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def found(*arguments: object) -> Any:
    done = run(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def functions(binary: Path, pattern: str, *more: object) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in found("functions", binary, pattern, *more)["functions"]}


def variables(binary: Path, function: str, *more: object) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in found("variables", binary, function, *more)["variables"]}


@pytest.mark.parametrize(
    ("linked", "kind"),
    [
        ("main.run", "function"),
        ("main.init", "function"),
        ("main.init.0", "function"),
        ("main.init.0.func1", "closure"),
        ("main.run.func1", "closure"),
        ("main.run.func2.1", "closure"),
        ("main.counted.1", "closure"),
        ("main.glob..func1", "closure"),
        ("main.ranges-range1", "closure"),
        ("main.run.gowrap1", "closure"),
        ("main.run.deferwrap2", "closure"),
        ("main.(*S).Serve", "method"),
        ("main.T.M", "method"),
        ("main.T.M-fm", "method"),
        ("main.T.func1st", "method"),
        ("main.Map[go.shape.int]", "function"),
        ("main.(*List[go.shape.int]).Push", "method"),
        ("main.List[go.shape.int].Each.func1", "closure"),
        ("main.(*S).Turn[go.shape.int]", "method"),
        ("main.List[go.shape.int].Fold[go.shape.[]string]", "method"),
        ("main.List[go.shape.int].Fold[go.shape.[]string].func1", "closure"),
        ("gopkg.in/yaml%2ev3.Marshal", "function"),
        ("a.b/c.d/e.F", "function"),
    ],
)
def test_kinds(linked: str, kind: str) -> None:
    assert kind_of(linked) == kind


def test_functions_by_a_part_of_the_name(binary: Path) -> None:
    assert {"main.(*server).Serve", "main.(*server).Serve.func1.1"} <= set(functions(binary, "SERVER.serve"))
    assert set(functions(binary, "yaml.v3.(*dec")) == {
        "example.com/yaml.v3.(*Decoder).Decode",
        "example.com/yaml.v3.(*Decoder).Each",
        "example.com/yaml.v3.(*Decoder).Each.func1",
    }


def test_functions_by_a_pattern_are_those_that_a_spec_would_mean(binary: Path) -> None:
    assert set(functions(binary, "main.(*server).*")) == {
        "main.(*server).Serve",
        "main.(*server).Serve.func1",
        "main.(*server).Serve.func1.1",
    }
    assert set(functions(binary, "main.plain")) == {"main.plain"}


def test_generic_functions_tell_their_shapes(binary: Path) -> None:
    [keyed] = functions(binary, "main.keyed[...]").values()
    assert (keyed["kind"], len(keyed["shapes"]), keyed["copies"], keyed["hidden"]) == ("function", 9, 9, False)
    assert "go.shape.int,go.shape.string" in keyed["shapes"]
    [push] = functions(binary, "main.(*list[...]).Push").values()
    assert (push["kind"], push["shapes"]) == ("method", ["go.shape.int", "go.shape.string", "go.shape.uint8"])


def test_wrappers_are_marked_and_come_last(binary: Path) -> None:
    listed = found("functions", binary, "value.value")["functions"]
    assert [(each["name"], each["hidden"]) for each in listed] == [
        ("main.value.Value", False),
        ("main.(*value).Value", True),
        ("main.value.Value-fm", True),
    ]


def test_copies_are_counted(binary: Path) -> None:
    [small] = functions(binary, "main.small").values()
    optimized = binary.name == "optimized"
    assert (small["copies"], small["inlined"], small["more"]) == ((0, 1, False) if optimized else (1, 0, False))
    lock = functions(binary, "sync.(*Mutex).Lock")["sync.(*Mutex).Lock"]
    assert (lock["inlined"] > 0) is optimized
    printed = run("functions", binary, "main.small").stdout
    assert ("function, inlined only" in printed) is optimized


def test_what_the_limit_leaves_out_is_said(binary: Path) -> None:
    everything = found("functions", binary, "main.*", "--limit", 1000)
    assert everything["more"] == 0
    some = found("functions", binary, "main.*", "--limit", 5)
    assert len(some["functions"]) == 5
    assert some["more"] == len(everything["functions"]) - 5
    last = run("functions", binary, "main.*", "--limit", "5").stdout.splitlines()[-1]
    assert last == f"and {some['more']} more; narrow the pattern, or raise --limit"


def test_variables_of_a_method(binary: Path) -> None:
    listed = found("variables", binary, "main.value.Value")
    assert (listed["function"], listed["linked"], listed["copies"]) == ("main.value.Value", ["main.value.Value"], 1)
    assert listed["file"].endswith("names/methods.go")
    receiver, label = listed["variables"]
    assert (receiver["name"], receiver["type"], receiver["kind"], receiver["line"]) == (
        "v",
        "main.value",
        "receiver",
        8,
    )
    assert receiver["parts"] == [{"expr": "v.name", "type": "string", "parts": []}]
    assert (label["name"], label["type"], label["kind"], label["parts"]) == ("label", "string", "parameter", [])
    assert [8, 9] in label["lines"]


def test_variables_of_closures_and_generics(binary: Path) -> None:
    captured = variables(binary, "main.(*server).Serve.func1.1")["s"]
    assert captured["type"] == "*main.server"
    assert [part["expr"] for part in captured["parts"]] == ["s.name"]
    items = variables(binary, "main.(*list[int]).Push")
    assert (items["item"]["type"], items["l"]["type"]) == ("int", "*main.list[int]")
    assert set(items) == {"l", "label", "item"}
    shapes = [
        each["type"] for each in found("variables", binary, "main.keyed[...]")["variables"] if each["name"] == "key"
    ]
    assert sorted(shapes) == ["int", "string"]


def test_parts_as_deep_as_is_asked(scopes: Path) -> None:
    def expressions(parts: list[dict[str, Any]]) -> list[str]:
        return [each for part in parts for each in (part["expr"], *expressions(part["parts"]))]

    flat, one, two = (variables(scopes, "main.fields", "--depth", depth)["it"]["parts"] for depth in (0, 1, 2))
    assert flat == []
    assert expressions(one) == ["it.base", "it.setting", "it.name"]
    assert expressions(two) == [
        "it.base", "it.base.ID", "it.setting", "it.setting.Name", "it.setting.Level", "it.setting.inner", "it.name",
    ]  # fmt: skip


def test_types_are_called_by_their_packages_own_names(binary: Path) -> None:
    """Not by the last element of the package's path, as neither Go nor a snapshot does."""
    assert variables(binary, "example.com/yaml.v3.(*Decoder).Decode")["d"]["type"] == "*yaml.Decoder"


def test_shadowed_variables_are_told_apart_by_their_lines(scopes: Path) -> None:
    listed = found("variables", scopes, "main.shadow")["variables"]
    shadowing = [each for each in listed if each["name"] == "n"]
    assert [each["type"] for each in shadowing] == ["int", "int", "string"]
    assert [each["line"] for each in shadowing] == sorted({each["line"] for each in shadowing})
    assert all(first > each["line"] for each in shadowing for first, _ in each["lines"])
    assert all(each["lines"] for each in shadowing)


def test_what_is_printed_of_variables(scopes: Path) -> None:
    lines = run("variables", scopes, "main.before").stdout.splitlines()
    assert lines[0].startswith("main.before, ")
    assert lines[0].endswith(", 1 copy of its code")
    [later] = [line for line in lines if line.startswith("│ later ")]
    assert "int" in later
    assert "local" in later
    results = [line for line in lines if "~r0" in line]
    assert all("result, cannot be asked for" in line for line in results)


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (("functions", "plian"), 'no function is called or matches "plian"; search for a shorter part of its name'),
        (("functions", "main.plian"), 'no function is called or matches "main.plian"; nearest: main.plain'),
        (("variables", "main.keyd"), 'no function "main.keyd" in this binary; nearest: main.keyed[...]'),
        (("variables", "main.p*"), '"main.p*" stands for 3 functions; name one, such as main.park'),
        (
            ("variables", "main.value.Value-fm"),
            '"main.value.Value-fm" is a wrapper that Go\'s compiler made, and no traceback shows it; nearest: main.value.Value',
        ),
    ],
)
def test_bad_input_is_one_sentence(binary: Path, arguments: tuple[str, str], what: str) -> None:
    command, asked = arguments
    done = run(command, binary, asked)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"freezeframe: {binary}: {what}")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("command", ["functions", "variables"])
def test_no_binary_at_all(tmp_path: Path, command: str) -> None:
    done = run(command, tmp_path / "none", "main.main")
    assert done.returncode == 2
    assert (
        done.stderr
        == f"freezeframe: {tmp_path}/none: cannot open it: No such file or directory; name a readable Go executable\n"
    )


def test_a_stripped_binary_has_functions_and_no_variables(go: Path, tmp_path: Path) -> None:
    stripped = build(go, ROOT / "tests/targets/names", tmp_path / "stripped", "-ldflags=-s -w")
    assert functions(stripped, "main.(*server).*")["main.(*server).Serve"]["copies"] == 1
    done = run("variables", stripped, "main.plain")
    assert done.returncode == 2
    assert done.stderr.startswith(f"freezeframe: {stripped}: it has no debug info (stripped, ")
