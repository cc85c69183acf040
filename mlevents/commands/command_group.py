"""The commands as one program: every error of it has one form, and none is a traceback."""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from traceback import extract_tb
from typing import Any

import typer
from typer.core import TyperGroup

from mlevents.commands.command import EXIT_PROBLEMS, exit_with_error, json_output
from mlevents.errors import MleventsError
from mlevents.rules.extensions import report_extension_faults
from mlevents.services.sdk_errors import clean_text


class CommandGroup(TyperGroup):
    """Runs one command; an error is a line on standard error, and with `--json` a document as well."""

    def main(self, args: Sequence[str] | None = None, *rest: Any, **options: Any) -> Any:
        words = sys.argv[1:] if args is None else list(args)
        json_output.start(words)
        try:
            with _exit_on_errors():
                code = super().main(args, *rest, **options | {"standalone_mode": False})
        except typer.Exit as end:
            code = end.exit_code
        except BrokenPipeError:
            _discard_output()
            code = EXIT_PROBLEMS
        sys.exit(code or 0)


@contextmanager
def _exit_on_errors() -> Iterator[None]:
    """The boundary of the program: every exception becomes a line and an exit code."""
    try:
        with report_extension_faults():
            yield
    except (typer.Exit, BrokenPipeError):
        raise
    except typer.Abort:
        exit_with_error("the input ended: run the command again", EXIT_PROBLEMS)
    except typer.TyperException as error:
        exit_with_error(_describe_usage(error))
    except MleventsError as error:
        exit_with_error(str(error))
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        exit_with_error(f"{place}{error.strerror or error}: correct this, then run the command again")
    except Exception as error:  # noqa: BLE001 - the boundary of the program
        exit_with_error(_describe_fault(error), EXIT_PROBLEMS)


def _describe_usage(error: typer.TyperException) -> str:
    """What is wrong on the command line, in one line, and where the right words are."""
    context = getattr(error, "ctx", None)
    written = error.format_message() if hasattr(error, "format_message") else str(error)
    text = " ".join(written.split())
    end = "" if text.endswith((".", "?")) else "."
    return f"{text}{end} See `{context.command_path if context else 'mlevents'} --help`"


def _describe_fault(error: Exception) -> str:
    place = extract_tb(error.__traceback__)[-1]
    text = clean_text(f"{type(error).__name__}: {error}".partition("\n")[0])
    return f"a fault in mlevents, at {Path(place.filename).name}:{place.lineno}: {text}: report this line"


def _discard_output() -> None:
    """Nobody reads what is still in the buffers: Python would complain when it ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for number in (1, 2):
        os.dup2(nowhere, number)
