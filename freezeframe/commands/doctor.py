"""`freezeframe doctor`: whether this machine can capture, item by item, with the remedy for what is missing."""

import json
import sys
from dataclasses import asdict

import click


@click.command()
@click.option("--json", "as_json", is_flag=True, help="As a JSON list.")
def command(as_json: bool) -> None:
    """Say whether this machine can capture, and what is missing. Exit 1 where it cannot."""
    from freezeframe.checks import checks

    found = checks()
    if as_json:
        click.echo(json.dumps([asdict(check) for check in found]))
    else:
        for check in found:
            mark = click.style("ok  ", fg="green") if check.ok else click.style("FAIL", fg="red", bold=True)
            click.echo(f"{mark} {check.name}: {check.detail}")
            if not check.ok:
                click.echo(f"     remedy: {check.remedy}")
        good = all(check.ok for check in found)
        click.echo("this machine can capture" if good else "this machine cannot capture yet")
    if not all(check.ok for check in found):
        sys.exit(1)
