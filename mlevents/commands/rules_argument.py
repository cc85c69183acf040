"""The rule file as an argument, `mlevents check rules.yaml`, which means the same as `--rules`."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from mlevents.commands.command import RULES, exit_with_error

RulesArgument = Annotated[
    Path | None,
    typer.Argument(metavar="RULES", show_default=False, help="The rule file or folder; the same as --rules."),
]


def choose_rules(argument: Path | None, option: Path, environment: Mapping[str, str] = os.environ) -> Path:
    """The argument, else the value of `--rules`; exits when the command line has both and they differ.

    The option may also have its default or the value of MLEVENTS_RULES: the argument overrides these.
    """
    if argument is None:
        return option
    by_default = (RULES, Path(environment.get("MLEVENTS_RULES") or RULES), argument)
    if option not in by_default:
        exit_with_error(f"the rules are '{argument}' and --rules '{option}': name them once")
    return argument
