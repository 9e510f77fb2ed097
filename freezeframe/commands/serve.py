"""`freezeframe serve`: the data source that Grafana asks, under gunicorn."""

from pathlib import Path

import click

MAX_TOKEN = 1 << 16
"""Bytes of a file that are read for one."""


@click.command()
@click.option("--spec", "spec_file", type=click.Path(path_type=Path), required=True, help="The team's spec (YAML).")
@click.option("--agent", "agents", multiple=True, help="An agent's URL; give it once for each.")
@click.option("--token-file", type=click.Path(path_type=Path), help="File with the agents' token.")
@click.option("--agent-ca", type=click.Path(path_type=Path), help="CA of the agents' certificates (PEM).")
@click.option("--agent-cert", type=click.Path(path_type=Path), help="Our certificate, for agents that ask for one.")
@click.option("--agent-key", type=click.Path(path_type=Path), help="The key of --agent-cert.")
@click.option(
    "--debug", type=click.Path(path_type=Path), multiple=True, help="Debug info kept apart: a file or folder."
)
@click.option("--data", type=click.Path(path_type=Path), default=Path("snapshots"), show_default=True, help="Folder.")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8470, show_default=True)
@click.option("--access-token-file", type=click.Path(path_type=Path), help="File with the token Grafana must send.")
def command(  # noqa: PLR0913, PLR0917  one for each option
    spec_file: Path,
    agents: tuple[str, ...],
    token_file: Path | None,
    agent_ca: Path | None,
    agent_cert: Path | None,
    agent_key: Path | None,
    debug: tuple[Path, ...],
    data: Path,
    host: str,
    port: int,
    access_token_file: Path | None,
) -> None:
    """Run the data source."""
    from compiler.ir.errors import BadInput
    from datasource.agents import Agent, Trust
    from freezeframe.serving import build_app, run

    if not agents:
        raise BadInput("no agent is named", remedy="give --agent http://127.0.0.1:7431 (and --token-file)")
    access = None if access_token_file is None else read_token(access_token_file)
    token, trust = read_token(token_file), Trust(agent_ca, agent_cert, agent_key)
    app = build_app(spec_file, [Agent(url, token, trust) for url in agents], data, access, debug)
    run(app, host, port)


def read_token(path: Path | None) -> str:
    """The token in a file, or in FREEZEFRAME_TOKEN."""
    import os

    from compiler.ir.errors import BadInput
    from compiler.ir.files import open_text, read_text

    if path is None:
        token = os.environ.get("FREEZEFRAME_TOKEN", "")
        where, remedy = "FREEZEFRAME_TOKEN", "name a file with --token-file, or set FREEZEFRAME_TOKEN"
    else:
        where, remedy = str(path), "write the token into the file"
        try:
            with open_text(path) as file:
                token = read_text(file, MAX_TOKEN).decode().strip()
        except OSError as error:
            what = f"cannot read the token: {error.strerror}"
            raise BadInput(what, where=where, remedy="name a readable file") from None
        except UnicodeDecodeError:
            raise BadInput("the token is not text", where=where, remedy=remedy) from None
    if not token:
        raise BadInput("the token is empty", where=where, remedy=remedy)
    return token
