"""Which version of mlevents this is."""

import json
import tomllib
from importlib import metadata
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import typer

CHECKOUT = Path(__file__).resolve().parents[2]


def read_version() -> str:
    """The version of the installed package; in a checkout the one that pyproject.toml names."""
    project = CHECKOUT / "pyproject.toml"
    if project.is_file():
        return str(tomllib.loads(project.read_text(encoding="utf-8"))["project"]["version"])
    return metadata.version("mlevents")


def find_source() -> Path | None:
    """Where this package is from: the checkout, or what pip installed by its path; None for an index.

    Source of the file: packaging.python.org, "Recording the Direct URL Origin of installed distributions".
    """
    if (CHECKOUT / "pyproject.toml").is_file():
        return CHECKOUT
    written = metadata.distribution("mlevents").read_text("direct_url.json") or "{}"
    url = urlsplit(json.loads(written).get("url", ""))
    return Path(url2pathname(url.path)) if url.scheme == "file" else None


def print_version(wanted: bool) -> None:
    """Print the version and end the program, if wanted."""
    if wanted:
        typer.echo(f"mlevents {read_version()}")
        raise typer.Exit
