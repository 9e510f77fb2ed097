"""Explanations: the calls of machine code, and what the command line says of a spec."""

import json
import os
import re
import subprocess
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from compiler.binary import Binary
from compiler.code.calls import call_ends
from compiler.explain import callable_at
from tests.conftest import ROOT, build

SPEC = """
functions:
  - {function: main.plain, table: plain, collect: [label, count, {expr: nothing, as: none}]}
  - {function: main.small, table: small, collect: [label]}
  - {function: "main.(*server).*", table: server, collect: [s.name]}
"""


@pytest.fixture(scope="module", params=["", "-gcflags=all=-N -l"])
def binary(request: pytest.FixtureRequest, go: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    flags = [request.param] if request.param else []
    return build(go, ROOT / "tests/targets/names", tmp_path_factory.mktemp("explain") / "names", *flags)


def disassembled(go: Path, binary: Path, calls: str) -> set[int]:
    """Addresses of the last byte of each call, by Go's own disassembler; not into the middle of duffzero, which calls nothing."""
    environment = {**os.environ, "GOTOOLCHAIN": "local"}
    command = [str(go), "tool", "objdump", "-s", r"^(main|encoding/json|sync|runtime)\.", str(binary)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    found = re.findall(rf"^\s+\S+\s+0x([0-9a-f]+)\s+([0-9a-f]+)\s+(?:{calls}) (?!0x)", done.stdout, re.MULTILINE)
    return {int(address, 16) + len(code) // 2 - 1 for address, code in found}


@pytest.mark.parametrize(("arch", "calls"), [("amd64", "CALL"), ("arm64", "CALL|BL")])
def test_no_call_is_missed(go: Path, tmp_path: Path, arch: str, calls: str) -> None:
    built = build(go, ROOT / "tests/targets/names", tmp_path / "names", arch=arch)
    truth = disassembled(go, built, calls)
    assert len(truth) > 1000
    with Binary(built) as opened:
        found = set()
        for name, ranges in opened.pclntab.functions().items():
            if re.match(r"(main|encoding/json|sync|runtime)\.", name):
                for lo, hi in ranges:
                    code = opened.executable.read(lo, hi - lo)
                    assert code is not None
                    found |= set(call_ends(code, lo, arch, partial(callable_at, opened)))
    assert not truth - found
    assert len(found - truth) < len(truth) / 20


def run(*arguments: object) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [str(ROOT / ".venv/bin/freezeframe"), *map(str, arguments)], capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("spec") / "spec.yaml"
    path.write_text(SPEC)
    return path


def test_what_is_printed(binary: Path, spec: Path) -> None:
    done = run("compile", binary, "--spec", spec, "--explain")
    assert done.returncode == 0, done.stderr
    text = done.stdout.replace(f"{ROOT}/tests/targets/names/", "")
    lines = text.splitlines()
    assert lines[0] == "main.plain -> table plain"
    assert re.fullmatch(r"  main\.plain, main\.go:38-39, code at 0x[0-9a-f]+-0x[0-9a-f]+", lines[1])
    assert lines[2:4] == ["    label string", "      lines 38-39  in the caller's frame, at the CFA"]
    assert lines[4] == "    count int"
    assert re.fullmatch(r"      lines 38-39  at address 0x[0-9a-f]+", lines[5])
    assert lines[6] == "    none: nothing (not in this binary)"
    assert lines[7].startswith("      lines 38-39  absent: issue (the binary has nothing of this name")
    assert "  main.(*server).Serve.func1.1, closures.go:21-22, code at 0x" in text
    assert (
        'issue: no variable "nothing" in main.plain (misspelt, or the compiler kept it nowhere); nearest: label'
        in lines
    )
    assert lines[-1].startswith("CFA: ")
    inlined = "    inlined in main.callsSmall at main.go:59"
    assert (inlined in lines) is ("  main.small, main.go:53-53, " in text)
    assert (inlined in lines) is ("  main.small, main.go:52-53, " not in text)


def test_the_same_as_json(binary: Path, spec: Path) -> None:
    report = json.loads(run("compile", binary, "--spec", spec, "--explain", "--json").stdout)
    plain, small, server = report["functions"]
    [copy] = plain["copies"]
    assert (copy["function"], copy["lines"], copy["inlined_in"]) == ("main.plain", [38, 39], [])
    [place] = copy["columns"][0]["places"]
    assert (place["words"], place["lines"]) == ("in the caller's frame, at the CFA", [[38, 39]])
    assert all(re.fullmatch("0x[0-9a-f]+", pc) for pcs in place["pcs"] for pc in pcs)
    assert {each["function"] for each in server["copies"]} >= {"main.(*server).Serve", "main.(*server).Serve.func1"}
    assert len(small["copies"]) == 1


def test_goroutines_on_a_cpu(binary: Path, spec: Path) -> None:
    def words(*more: str) -> list[Any]:
        report = json.loads(run("compile", binary, "--spec", spec, "--explain", "--json", *more).stdout)
        return [place["words"] for place in report["functions"][0]["copies"][0]["columns"][0]["places"]]

    assert not any("register" in each for each in words())
    register = "bytes 0-7 in register rax (only for a goroutine on a CPU) and bytes 8-15 in register rbx"
    assert any(each.startswith((register, "absent: not declared")) for each in words("--exact"))


def test_exact_without_explain(binary: Path, spec: Path) -> None:
    done = run("compile", binary, "--spec", spec, "--exact")
    assert done.returncode == 2
    assert done.stderr == "freezeframe: --exact says how to explain; give it together with --explain\n"
