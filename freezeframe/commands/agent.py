"""`freezeframe agent`: the program that captures this machine's Go processes, for a data source to ask."""

from pathlib import Path

import click


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=7431, show_default=True, help="0: any free one.")
@click.option(
    "--token-file", type=click.Path(path_type=Path), help="File with the token; else FREEZEFRAME_AGENT_TOKEN."
)
@click.option("--engine", default="ebpf", show_default=True, help="ebpf, or memory (plain reading, much slower).")
def command(host: str, port: int, token_file: Path | None, engine: str) -> None:
    """Run the agent (root)."""
    from agent.main import run

    run(host=host, port=port, token_file=token_file, engine=engine)
