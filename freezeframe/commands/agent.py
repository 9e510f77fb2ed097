"""`freezeframe agent`: the program that captures this machine's Go processes, for a data source to ask."""

from pathlib import Path

import click


@click.command()
@click.option("--config", "file", type=click.Path(path_type=Path), help="TOML file; the options here win over it.")
@click.option("--host", help="Where to listen; 127.0.0.1 unless told otherwise.")
@click.option("--port", type=click.IntRange(0, 65535), help="7431 unless told otherwise; 0: any free one.")
@click.option(
    "--token-file", type=click.Path(path_type=Path), help="File with the token; else FREEZEFRAME_AGENT_TOKEN."
)
@click.option("--engine", help="ebpf (the default), or memory (plain reading, much slower).")
def command(file: Path | None, **options: object) -> None:
    """Run the agent (root, or the few capabilities that README.md names)."""
    from dataclasses import replace

    from agent.config import AgentConfig
    from agent.config_file import read_config
    from agent.main import run

    config = AgentConfig() if file is None else read_config(file)
    given = {name: value for name, value in options.items() if value is not None}
    run(replace(config, **given), origin="" if file is None else str(file))  # type: ignore[arg-type]
