"""The command line's grammar: its commands, each imported when it runs."""

import sys

import click

COMMANDS = {
    "agent": "Run the agent that captures this machine's Go processes",
    "compile": "Show what a spec will capture of a binary, and where it is",
    "demo": "Start a demo service, capture it and show its oldest queries",
    "doctor": "Say whether this machine can capture, and what is missing",
    "functions": "List the functions of a binary that a spec can name",
    "processes": "List the Go processes of this machine",
    "serve": "Run the data source that Grafana asks",
    "snapshot": "Capture one process of this machine into a SQLite file",
    "sql": "Ask a snapshot file one SELECT",
    "variables": "List what a spec can collect of a function",
}
"""Name to help text; each command lives in a module of its name, which is imported only when it runs."""


class _Lazy(click.Group):
    """A group whose commands are imported when they run, so that help is instant."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        module = __import__(f"freezeframe.commands.{cmd_name}", fromlist=["command"])
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(sorted(COMMANDS.items()))


@click.command(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option("0.1.0", prog_name="freezeframe")
def cli() -> None:
    """Freezeframe: every goroutine of a running Go service, with the variables you asked for, as SQL tables."""


def run() -> None:
    """Do what the command line says; exits with 2 where it cannot be understood."""
    try:
        cli.main(standalone_mode=False)
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except click.Abort:
        raise KeyboardInterrupt from None
