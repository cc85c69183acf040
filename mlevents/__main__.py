"""The command `mlevents`, which `python -m mlevents` runs too: check rules and explain events locally."""

import sys
from io import TextIOWrapper
from typing import Annotated

import typer

from mlevents.commands.command import EXIT_USAGE, command
from mlevents.commands.command_group import CommandGroup
from mlevents.commands.version import print_version

Version = Annotated[
    bool,
    typer.Option("--version", is_eager=True, callback=print_version, help="Print the version, and exit."),
]


def build_app() -> typer.Typer:
    """Every command, as one application."""
    app = typer.Typer(cls=CommandGroup, rich_markup_mode=None, pretty_exceptions_enable=False)
    app.callback(invoke_without_command=True)(describe)
    for name, function in command.items():
        app.command(name)(function)
    return app


def describe(context: typer.Context, _: Version = False) -> None:
    """Event-driven MLOps for Azure Machine Learning: look at your rules before they act."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help(), err=True)
        raise typer.Exit(EXIT_USAGE)


def main() -> None:
    """Run the command that is named on the command line."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    build_app()(prog_name="mlevents")


if __name__ == "__main__":
    main()
