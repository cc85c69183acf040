"""`python -m mlevents`: check rules, explain events, compile filters, on your own machine."""

import sys
from io import TextIOWrapper

import typer

from mlevents.commands.command import command


def build_app() -> typer.Typer:
    """Every command, as one application."""
    app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
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
    build_app()(prog_name="python -m mlevents")


if __name__ == "__main__":
    main()
