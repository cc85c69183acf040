"""Which version of mlevents this is."""

import tomllib
from importlib import metadata
from pathlib import Path

import typer

CHECKOUT = Path(__file__).resolve().parents[2]


def read_version() -> str:
    """The version of the installed package; in a checkout the one that pyproject.toml names."""
    project = CHECKOUT / "pyproject.toml"
    if project.is_file():
        return str(tomllib.loads(project.read_text(encoding="utf-8"))["project"]["version"])
    return metadata.version("mlevents")


def print_version(wanted: bool) -> None:
    """Print the version and end the program, if wanted."""
    if wanted:
        typer.echo(f"mlevents {read_version()}")
        raise typer.Exit
