"""`freezeframe demo`: a demo service, an agent and a data source on this machine, a snapshot, and its oldest queries."""

import click


@click.command()
@click.option("--once", is_flag=True, help="Show the table and end.")
@click.option("--engine", default="ebpf", show_default=True, help="ebpf, or memory (plain reading, much slower).")
def command(once: bool, engine: str) -> None:
    """Start a demo service, capture it and show its oldest queries."""
    from freezeframe.demo import run

    run(once=once, engine=engine)
