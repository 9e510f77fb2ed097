"""The demo: builds querydb, starts it with an agent and the data source, takes a snapshot, shows the oldest queries."""

import json
import os
import secrets
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

import requests
from rich.console import Console

from agent.ending import endings
from compiler.ir.errors import CannotNow
from freezeframe.show import print_rows

ROOT = Path(__file__).resolve().parent.parent
QUERYDB = ROOT / "examples" / "querydb"
SPEC = QUERYDB / "querydb.yaml"
RED_ABOVE_S = 30.0
READY_S = 60
SHOWN_ROWS = 12


def run(*, once: bool, engine: str) -> None:
    """Run the demo; with `once` it ends after the table, else on Ctrl-C. Whatever it started is ended with it."""
    console = Console()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="freezeframe-demo-")))
        with console.status("building the demo service (Go)"):
            binary = _build(folder)
        console.print("built querydb, a little SQL server")
        with console.status("starting querydb, an agent and the data source"):
            service = _start(stack, [str(binary), "-load"], {})
            token = folder / "token"
            token.touch(0o600)
            token.write_text(secrets.token_hex(32))
            command = [sys.executable, "-m", "freezeframe"]
            agent_arguments = ["agent", "--port", "0", "--token-file", str(token), "--engine", engine]
            agent = _start(stack, [*command, *agent_arguments], {})
            serve_arguments = ["serve", "--port", "0", "--token-file", str(token), "--data", str(folder / "snapshots")]
            serve_arguments += ["--spec", str(_own_spec(folder, binary)), "--agent", f"http://{agent['address']}"]
            source = _start(stack, [*command, *serve_arguments], {})
        console.print(f"querydb (pid {service['pid']}) runs {service['sessions']} queries")
        with console.status("taking a snapshot"):
            taken = _post(f"{source['url']}/api/v1/snapshots", {})
        _show(console, source["url"], taken["snapshot_id"])
        _say(console, service, agent, source, folder, taken["snapshot_id"])
        if not once:
            _wait(console)


def _build(folder: Path) -> Path:
    binary = folder / "querydb"
    built = subprocess.run(
        [ROOT / "scripts" / "go", "build", "-C", QUERYDB, "-o", binary, "."],
        capture_output=True,
        text=True,
        check=False,
    )
    if built.returncode:
        raise CannotNow(f"the demo service does not build: {built.stderr.strip()}", remedy="run make install")
    return binary


def _own_spec(folder: Path, binary: Path) -> Path:
    """The demo's spec, for this querydb only (another may run), in a copy that may be saved over."""
    own = folder / SPEC.name
    own.write_text(SPEC.read_text().replace('"*/querydb"', json.dumps(str(binary.resolve()))))
    return own


def _start(stack: ExitStack, command: list[str], extra: dict[str, str]) -> dict[str, Any]:
    """Start a program that ends with the demo; what it says on its line `ready {...}`."""
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, **extra},
        start_new_session=True,
    )
    stack.enter_context(_ended(process))
    errors: list[str] = []
    _drain(process.stderr, errors)
    overdue = threading.Timer(READY_S, process.kill)
    overdue.start()
    try:
        for line in process.stdout or ():
            if line.startswith("ready "):
                _drain(process.stdout, [])
                ready: dict[str, Any] = json.loads(line.removeprefix("ready "))
                return ready
    finally:
        overdue.cancel()
    process.wait()
    said = " ".join(errors[-3:]).strip() or f"exit code {process.returncode}"
    raise CannotNow(f"{Path(command[0]).name} did not start: {said}", remedy="see what it says: freezeframe doctor")


def _drain(stream: IO[str] | None, into: list[str]) -> None:
    """Keep reading what a program says, so that it never waits for us."""

    def read() -> None:
        for line in stream or ():
            into.append(line.rstrip())
            del into[:-50]

    threading.Thread(target=read, daemon=True).start()


@contextmanager
def _ended(process: "subprocess.Popen[str]") -> Iterator[None]:
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _post(url: str, body: dict[str, Any]) -> Any:
    answer = requests.post(url, json=body, timeout=120)
    if answer.status_code >= 400:
        raise CannotNow(answer.json().get("message", answer.reason), where=url)
    return answer.json()


def _show(console: Console, url: str, snapshot_id: str) -> None:
    query = {"targets": [{"refId": "A", "target": "oldest_queries", "payload": {"snapshot": snapshot_id}}]}
    [table] = _post(f"{url}/query", query)
    names = [column["text"] for column in table["columns"]]
    shown = [index for index, name in enumerate(names) if name != "snapshot_id"]
    rows = [[row[index] for index in shown] for row in table["rows"]]
    title = f"oldest queries: {len(rows)} run now, those over {RED_ABOVE_S:g} s in red"
    console.print()
    columns = [names[index] for index in shown]
    print_rows(columns, rows[:SHOWN_ROWS], title=title, red_above=("age_s", RED_ABOVE_S), console=console)
    if len(rows) > SHOWN_ROWS:
        console.print(f"... and {len(rows) - SHOWN_ROWS} younger ones")


def _say(
    console: Console,
    service: dict[str, Any],
    agent: dict[str, Any],
    source: dict[str, Any],
    folder: Path,
    snapshot_id: str,
) -> None:
    file = folder / "snapshots" / f"{snapshot_id}.sqlite"
    [process] = _post(f"{source['url']}/query", {"targets": [{"target": "processes"}]})
    row = dict(zip((c["text"] for c in process["columns"]), process["rows"][0], strict=True))
    console.print(
        f"\n{row['goroutines']} goroutines, {row['frames']} frames; querydb stood still for "
        f"[bold]{row['pause_ms']:.2f} ms[/bold] (engine {row['engine']})"
    )
    console.print(f"  querydb      SQL {service['sql']}, debug http://{service['debug']}/debug/stack")
    console.print(f"  agent        http://{agent['address']}")
    console.print(f"  data source  {source['url']}  (Grafana: simPod JSON data source with this URL)")
    console.print(f"  snapshot     {file}")
    console.print("what to open next:")
    console.print(f'  .venv/bin/freezeframe sql {file} "SELECT * FROM blocked_queries"', soft_wrap=True)
    console.print("  dashboards/provisioning/ for Grafana: the dashboard Oldest queries", soft_wrap=True)


def _wait(console: Console) -> None:
    with endings() as wait_for_the_end:
        console.print("\n[bold]Ctrl-C ends it.[/bold]")
        wait_for_the_end()
    console.print("ending")
