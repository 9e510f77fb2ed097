"""`freezeframe snapshot --pid PID --spec SPEC.yaml --out FILE.sqlite`: capture a process of this machine, without any service."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from freezeframe.local import LocalSnapshot


@click.command()
@click.option("--pid", type=int, required=True, help="The process.")
@click.option("--spec", "spec_file", type=click.Path(path_type=Path), required=True, help="What to collect (YAML).")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The SQLite file to write.")
@click.option("--engine", default="ebpf", show_default=True, help="ebpf, or memory (plain reading, much slower).")
@click.option(
    "--debug", type=click.Path(path_type=Path), multiple=True, help="Debug info kept apart: a file or folder."
)
@click.option("--json", "as_json", is_flag=True, help="Say what was captured as one JSON object.")
def command(pid: int, spec_file: Path, out: Path, engine: str, debug: tuple[Path, ...], as_json: bool) -> None:
    """Capture one process of this machine into a SQLite file (root)."""
    from datasource.store.read import spec_issues, table_rows
    from datasource.store.write import check_writable
    from freezeframe.local import snapshot
    from freezeframe.specs import load_spec

    spec = load_spec(spec_file)
    check_writable(out)
    taken = snapshot(pid, spec, out, engine, debug)
    tables, issues = table_rows(out), spec_issues(out)
    if as_json:
        told = [{"item": item, "message": message} for item, message in issues]
        report = {"snapshot": taken.snapshot_id, "processes": [_process(taken)], "tables": tables, "issues": told}
        click.echo(json.dumps(report, ensure_ascii=False))
    else:
        _tell(taken, tables, issues, out)


def _process(found: "LocalSnapshot") -> dict[str, Any]:
    capture, compiled = found.taken.capture, found.taken.compiled
    header = capture.header
    return {
        "pid": header.pid,
        "host": found.host,
        "build_id": header.build_id,
        "go_version": compiled.program.go_version,
        "goroutines": len(capture.goroutines),
        "frames": sum(len(goroutine.frames) for goroutine in capture.goroutines),
        "pause_ms": header.pause.total / 1e6,
        "bytes": len(found.taken.raw.records),
        "engine": header.engine,
        "issues": [asdict(issue) for issue in compiled.issues],
        "losses": [asdict(loss) for loss in capture.losses],
    }


def _tell(found: "LocalSnapshot", tables: dict[str, int], issues: Sequence[tuple[str, str]], out: Path) -> None:
    from freezeframe.told import issue_line

    process = _process(found)
    click.echo(
        f"{out}: {process['goroutines']} goroutines, {process['frames']} frames of process {process['pid']} "
        f"({process['go_version']}), which stood still for {process['pause_ms']:.2f} ms"
    )
    for issue in found.taken.compiled.issues:
        click.echo(f"  {issue_line(issue.message, issue.nearest)}", err=True)
    for item, message in issues:
        click.echo(f"  {issue_line(f'{item}: {message}', ())}", err=True)
    for loss in process["losses"]:
        click.echo(f"  loss: {loss['count']} {loss['detail']} ({loss['kind']})", err=True)
    click.echo("  " + ", ".join(f"{name} {count}" for name, count in tables.items()))
    click.echo(f'  ask it: freezeframe sql {out} "SELECT * FROM goroutines"')
