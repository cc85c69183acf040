"""`python -m mlevents`: check rules, explain events, compile filters, on your own machine."""

import sys
from io import TextIOWrapper

import typer

from mlevents.commands.command import EXIT_USAGE, command
from mlevents.errors import MleventsError


def build_app() -> typer.Typer:
    """Every command, as one application."""
    app = typer.Typer(
        no_args_is_help=True, rich_markup_mode=None, add_completion=False, pretty_exceptions_enable=False
    )
    app.callback()(print_help)
    for name, function in command.items():
        app.command(name)(function)
    return app


def print_help() -> None:
    """Event-driven MLOps for Azure Machine Learning: look at your rules before they act."""


def main() -> None:
    """Run the command that is named on the command line."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        build_app()(prog_name="python -m mlevents")
    except MleventsError as error:
        typer.echo(f"Error: {error}", err=True)
        sys.exit(EXIT_USAGE)


if __name__ == "__main__":
    main()
