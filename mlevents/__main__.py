"""The command `mlevents`, which `python -m mlevents` runs too: check rules and explain events locally."""

import sys
from io import TextIOWrapper
from typing import Annotated

import typer

from mlevents.commands.command import EXIT_USAGE, command
from mlevents.commands.version import print_version
from mlevents.errors import MleventsError
from mlevents.rules.extensions import report_extension_faults

Version = Annotated[
    bool,
    typer.Option("--version", is_eager=True, callback=print_version, help="Print the version, and exit."),
]


def build_app() -> typer.Typer:
    """Every command, as one application."""
    app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False)
    app.callback()(describe)
    for name, function in command.items():
        app.command(name)(function)
    return app


def describe(version: Version = False) -> None:
    """Event-driven MLOps for Azure Machine Learning: look at your rules before they act."""


def main() -> None:
    """Run the command that is named on the command line."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        with report_extension_faults():
            build_app()(prog_name="mlevents")
    except MleventsError as error:
        typer.echo(f"Error: {error}", err=True)
        sys.exit(EXIT_USAGE)


if __name__ == "__main__":
    main()
