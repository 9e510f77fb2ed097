"""`freezeframe processes`: the Go processes of this machine."""

import json
from dataclasses import asdict

import click


@click.command()
@click.option("--json", "as_json", is_flag=True, help="As a JSON list.")
def command(as_json: bool) -> None:
    """List the Go processes of this machine."""
    from agent.processes import Processes
    from freezeframe.show import print_rows

    found = Processes().list()
    if as_json:
        click.echo(json.dumps([asdict(process) for process in found]))
    else:
        rows = [(p.pid, p.program, p.go_version, p.container_pid, p.exe) for p in found]
        print_rows(("pid", "program", "go_version", "container_pid", "exe"), rows)
