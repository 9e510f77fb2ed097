"""The command line's promises: forms, exit codes, and one clear sentence for every sort of bad input."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.programs import running

SPEC = ROOT / "examples/querydb/querydb.yaml"
FREEZEFRAME = str(ROOT / ".venv/bin/freezeframe")


@pytest.fixture(scope="module")
def pid(querydb: Path) -> Iterator[int]:
    """A querydb in position."""
    with running(querydb, "-load", "-sessions", 3, "-transactions", 2, "-blocked", 1, "-idle", 1) as target:
        yield target.pid


@pytest.fixture
def none(tmp_path: Path) -> Path:
    """A spec that collects nothing: stacks only."""
    path = tmp_path / "none.yaml"
    path.write_text("functions: []\n")
    return path


def run(*arguments: object, **options: Any) -> "subprocess.CompletedProcess[str]":
    done = subprocess.run(
        [FREEZEFRAME, *map(str, arguments)], capture_output=True, text=True, check=False, timeout=120, **options
    )
    assert "Traceback" not in done.stderr
    return done


def refused(code: int, sentence: str, *arguments: object) -> None:
    """The command fails with this exit code and exactly this sentence on stderr, and says nothing on stdout."""
    done = run(*arguments)
    assert (done.returncode, done.stderr.strip(), done.stdout) == (code, f"freezeframe: {sentence}", "")


def snapshot(pid: int, spec: Path, out: Path, *more: str) -> tuple[object, ...]:
    return ("snapshot", "--pid", pid, "--spec", spec, "--out", out, *more)


def test_a_table_that_could_not_be_derived_is_told(pid: int, tmp_path: Path) -> None:
    spec, out = tmp_path / "spec.yaml", tmp_path / "s.sqlite"
    spec.write_text("functions: []\ntables: {odd: SELECT uuid(status) AS x FROM goroutines}\n")
    what = "uuid() takes 16 bytes or the 36 characters of a UUID"
    assert f"  issue: table odd: {what}" in run(*snapshot(pid, spec, out)).stderr
    [issue] = json.loads(run(*snapshot(pid, spec, out, "--json")).stdout)["issues"]
    assert issue["item"] == "table odd"
    assert issue["message"].startswith(what)


def test_no_such_process(tmp_path: Path, none: Path) -> None:
    sentence = "there is no process 4194304; list the Go processes with: freezeframe processes"
    refused(2, sentence, *snapshot(4194304, none, tmp_path / "x.sqlite"))
    assert sorted(tmp_path.iterdir()) == [none]


def test_not_a_go_program(tmp_path: Path, none: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        done = run(*snapshot(child.pid, none, tmp_path / "x.sqlite"))
        child.communicate(b"\n")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"freezeframe: process {child.pid}")
    assert "is not a Go program" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_kernel_thread(tmp_path: Path, none: Path) -> None:
    sentence = "process 2 (kthreadd) is a kernel thread; list the Go processes with: freezeframe processes"
    refused(2, sentence, *snapshot(2, none, tmp_path / "x.sqlite"))


BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{','.join([f'*{before}'] * 9)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
BAD_SPECS = {
    "empty": ("", 'SPEC:1: the spec is empty; write at least "functions: []"'),
    "a list": ("- a\n", "SPEC:1: the spec is a list, not a mapping of keys"),
    "a text": ("hello\n", "SPEC:1: the spec is text, not a mapping of keys"),
    "binary": ("\x7fELF\x02\x01\x01\x00", "not text"),
    "a bomb": (BOMB + "functions: []\n", "alias"),
    "an unknown key": ("functions: []\nfunktions: []\n", 'SPEC:2: unknown key "funktions"; nearest: "functions"'),
    "a broken expression": ("functions:\n  - {function: main.f, collect: ['q..x']}\n", "a field's name is missing"),
    "not one SELECT": ("functions: []\ntables: {t: DROP TABLE frames}\n", "found DROP, only a SELECT may stand here"),
    "an unknown column": ("functions: []\ntables: {t: SELECT nope FROM frames}\n", 'unknown column "nope"'),
    "a circle": ("functions: []\ntables: {a: SELECT * FROM b, b: SELECT * FROM a}\n", "a -> b -> a"),
    "a built-in table": ("functions: []\ntables: {Frames: SELECT 1 AS x}\n", "Frames"),
    "a table twice": ("functions: [{function: main.f}, {function: main.F}]\n", "main.F"),
    "SQLite's own refusal": (
        "functions: []\ntables: {t: SELECT 1 FROM frames WHERE count(*) > 1}\n",
        "misuse of aggregate",
    ),
}


@pytest.mark.parametrize("what", BAD_SPECS)
def test_bad_specs(what: str, pid: int, tmp_path: Path) -> None:
    text, sentence = BAD_SPECS[what]
    spec = tmp_path / "SPEC"
    spec.write_bytes(text.encode())
    done = run(*snapshot(pid, spec, tmp_path / "x.sqlite"))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert sentence.replace("SPEC", str(spec)) in done.stderr
    assert sorted(tmp_path.iterdir()) == [spec]


def test_arithmetic_on_a_time_names_unix_ns(pid: int, tmp_path: Path) -> None:
    spec = tmp_path / "spec.yaml"
    spec.write_text(SPEC.read_text().replace("captured_at_ns - unix_ns(q->Start)", "captured_at_ns - q->Start"))
    done = run(*snapshot(pid, spec, tmp_path / "x.sqlite"))
    assert done.returncode == 2
    assert 'extra[1] "age_s": q->Start is a time' in done.stderr
    assert "write unix_ns(q->Start)" in done.stderr


@pytest.mark.parametrize(
    ("out", "sentence"),
    [
        ("missing/x.sqlite", "cannot write here: No such file or directory"),
        (".", "this is a directory; name a file to write"),
    ],
)
def test_an_out_path_that_cannot_be_written(out: str, sentence: str, pid: int, none: Path, tmp_path: Path) -> None:
    done = run(*snapshot(pid, none, tmp_path / out))
    assert (done.returncode, done.stdout) == (2, "")
    assert sentence in done.stderr


def test_a_spec_that_cannot_be_read(pid: int, tmp_path: Path) -> None:
    path = tmp_path / "nope.yaml"
    sentence = f"{path}: cannot read the spec: No such file or directory; name a readable YAML file"
    refused(2, sentence, *snapshot(pid, path, tmp_path / "x.sqlite"))


def test_a_misspelt_function_is_an_issue_and_the_rest_is_captured(pid: int, tmp_path: Path) -> None:
    spec, out = tmp_path / "spec.yaml", tmp_path / "x.sqlite"
    spec.write_text(
        "functions:\n"
        "  - {function: main.(*Session).exekute, collect: [q]}\n"
        "  - {function: main.(*Session).serve, table: sessions, collect: [{expr: s.id, as: id}, {expr: s.usr, as: u}, nix]}\n"
    )
    done = run(*snapshot(pid, spec, out, "--json"))
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    issues = {issue["item"]: issue for issue in report["processes"][0]["issues"]}
    assert issues["function main.(*Session).exekute"]["nearest"][0] == "main.(*Session).execute"
    assert issues["main.(*Session).serve: s.usr"]["nearest"][0] == "user"
    assert any("nix" in item for item in issues)
    assert report["tables"]["sessions"] == 4
    assert report["tables"]["main.(*Session).exekute"] == 0
    with closing(sqlite3.connect(out)) as connection:
        found = connection.execute("SELECT count(DISTINCT id), count(u), count(nix) FROM sessions").fetchall()
        reasons = connection.execute("SELECT column_name, reason, count(*) FROM absences GROUP BY 1, 2").fetchall()
    assert found == [(4, 0, 0)]
    assert reasons == [("nix", "issue", 4), ("u", "issue", 4)]


@pytest.fixture(scope="module")
def file(pid: int, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A snapshot file."""
    out = tmp_path_factory.mktemp("file") / "s.sqlite"
    done = run(*snapshot(pid, SPEC, out))
    assert done.returncode == 0, done.stderr
    return out


def test_sql_gives_rows_as_objects(file: Path) -> None:
    done = run("sql", file, "SELECT count(*) AS n, max(age_s) > 1 AS old FROM queries", "--json")
    assert json.loads(done.stdout) == [{"n": 3, "old": 1}]


@pytest.mark.parametrize(
    ("sql", "code", "sentence"),
    [
        ("DELETE FROM frames", 2, "found DELETE, only a SELECT may stand here"),
        ("SELECT 1; SELECT 2", 2, "more than one statement; write one SELECT"),
        ("SELECT nope FROM frames", 2, "no such column: nope"),
        ("SELECT * FROM nope", 2, "no such table: nope"),
        ("", 2, "the SQL is empty; write a SELECT"),
        ("PRAGMA user_version", 2, "found PRAGMA"),
        ("ATTACH 'x' AS y", 2, "found ATTACH"),
        ("SELECT load_extension('x')", 2, 'no function "load_extension" may be called here'),
        ("SELECT FROM", 2, "syntax error"),
    ],
)
def test_sql_that_is_refused(sql: str, code: int, sentence: str, file: Path) -> None:
    done = run("sql", file, sql)
    assert (done.returncode, done.stdout) == (code, "")
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1


def test_sql_on_what_is_no_snapshot(tmp_path: Path) -> None:
    remedy = "name a file made by freezeframe snapshot"
    refused(2, f"{SPEC}: this is not a snapshot file (SQLite); {remedy}", "sql", SPEC, "SELECT 1")
    refused(2, f"{tmp_path / 'no'}: no such file; {remedy}", "sql", tmp_path / "no", "SELECT 1")


def test_sql_never_writes(file: Path) -> None:
    before = file.read_bytes()
    run("sql", file, "SELECT * FROM frames")
    assert file.read_bytes() == before
    assert sorted(file.parent.iterdir()) == [file]


def test_compile_says_what_will_be_captured_where(querydb: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    first, second = (
        json.loads(run("compile", querydb, "--spec", SPEC, "--json", env=environment).stdout) for _ in range(2)
    )
    assert first["issues"] == []
    functions = {function["function"]: function for function in first["functions"]}
    execute = functions["main.(*Session).execute"]
    assert execute["table"] == "queries"
    assert [c["type"] for c in execute["columns"]] == ["*main.Query", "string"]
    assert all(int(instance["pc"], 16) < int(instance["end"], 16) for instance in execute["instances"])
    assert first["timings"]["cached"] is False
    assert second["timings"]["cached"] is True
    assert first["functions"] == second["functions"]
    assert {path.name for path in tmp_path.iterdir()} == {"freezeframe"}


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("/bin/ls", "/bin/ls: this is not a Go program (it has no Go build information); name a Go executable"),
        (str(SPEC), f"{SPEC}: this is not an executable (no ELF header); name a Go program built for Linux"),
        ("/nope", "/nope: cannot open it: No such file or directory; name a readable Go executable"),
    ],
)
def test_compile_on_what_is_no_go_program(path: str, sentence: str, none: Path) -> None:
    refused(2, sentence, "compile", path, "--spec", none)


def test_unknown_commands_and_options_exit_2() -> None:
    assert run("nope").returncode == 2
    assert run("snapshot").returncode == 2
    assert run("snapshot", "--pid", "abc").returncode == 2
    assert run("--help").returncode == 0


def test_doctor_finds_this_machine_able() -> None:
    done = run("doctor", "--json")
    checks = json.loads(done.stdout)
    assert {check["name"] for check in checks} >= {"kernel", "privileges", "BTF", "bcc", "ptrace", "eBPF"}
    assert [check for check in checks if not check["ok"]] == []
    assert done.returncode == 0


def test_doctor_names_what_is_missing() -> None:
    """Without any capability it says which are missing, and exits 1."""
    drop = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]
    done = subprocess.run([*drop, FREEZEFRAME, "doctor"], capture_output=True, text=True, check=False, timeout=120)
    assert "Traceback" not in done.stderr
    assert done.returncode == 1
    assert "FAIL privileges: root, without CAP_DAC_READ_SEARCH, CAP_SYS_PTRACE, CAP_PERFMON, CAP_BPF" in done.stdout
    assert (
        "remedy: run as root, or give the capabilities CAP_DAC_READ_SEARCH, CAP_SYS_PTRACE, CAP_PERFMON, CAP_BPF"
        in done.stdout
    )
    assert "this machine cannot capture yet" in done.stdout


def test_the_demo_once(tmp_path: Path) -> None:
    """`freezeframe demo --once` shows the table, exits 0 and leaves nothing behind."""
    done = run("demo", "--once", env={**os.environ, "TMPDIR": str(tmp_path)})
    assert done.returncode == 0, done.stderr
    assert "oldest queries: 23 run now" in done.stdout
    rows = [line for line in done.stdout.splitlines() if line.startswith("│")]
    assert "session 23" in rows[0]
    assert not list(tmp_path.glob("freezeframe-demo-*"))


def test_the_demo_ends_with_a_signal(tmp_path: Path) -> None:
    command = [FREEZEFRAME, "demo"]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as demo:
        assert demo.stdout is not None
        said = []
        for line in demo.stdout:
            said.append(line)
            if "Ctrl-C ends it" in line:
                break
        demo.send_signal(signal.SIGINT)
        said.append(demo.stdout.read())
        assert demo.wait(60) == 0, said
    assert not list(tmp_path.glob("freezeframe-demo-*"))


def test_a_pipe_that_nobody_writes_into_is_no_input(tmp_path: Path, none: Path) -> None:
    """Opening it would wait for ever."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    regular, unwritten = "it is no regular file", "it is a pipe into which nobody writes"
    program = f"{pipe}: cannot open it: {regular}; name a readable Go executable"
    refused(2, program, "compile", pipe, "--spec", none)
    refused(2, program, "functions", pipe, "main")
    refused(
        2, f"{pipe}: cannot read the spec: {unwritten}; name a readable YAML file", "compile", __file__, "--spec", pipe
    )
    config = f"{pipe}: the configuration file cannot be read: {unwritten}; name a readable file"
    refused(2, config, "agent", "--config", pipe)
    serve = ("serve", "--spec", none, "--agent", "http://127.0.0.1:1", "--token-file")
    refused(2, f"{pipe}: cannot read the token: {unwritten}; name a readable file", *serve, pipe)
    refused(2, f"{pipe}: this is not a file; name a file made by freezeframe snapshot", "sql", pipe, "SELECT 1")


def test_a_spec_may_come_out_of_a_pipe(querydb: Path, none: Path) -> None:
    """As the shell makes one of <(command); what was in it cannot be read twice."""
    command = f'"{FREEZEFRAME}" compile "{querydb}" --spec <(cat "{none}"; echo "tables: {{}}")'
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")


def test_snapshots_are_kept_in_a_folder(tmp_path: Path, none: Path) -> None:
    token = tmp_path / "token"
    token.write_text("a-token-that-is-long-enough")
    sentence = f"{none}: snapshots cannot be kept there: File exists; name a folder that can be written"
    serve = ("serve", "--spec", none, "--agent", "http://127.0.0.1:1", "--token-file", token)
    refused(2, sentence, *serve, "--data", none)
