"""The rule file as an argument, `mlevents check rules.yaml`, which means the same as `--rules`."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from mlevents.commands.command import RULES, exit_with_error
from mlevents.commands.event_file import ENDINGS

RulesArgument = Annotated[
    Path | None,
    typer.Argument(metavar="RULES", show_default=False, help="The rule file or folder; the same as --rules."),
]


RULE_ENDINGS = (".yaml", ".yml")


def split_rules(arguments: Sequence[str], option: Path) -> tuple[list[str], Path]:
    """The files of events among the arguments, and the rules: an argument that is a rule file or folder.

    Exits when the command line names two.
    """
    named = [Path(one) for one in arguments if _is_rules(Path(one))]
    if len(named) > 1:
        exit_with_error(f"the rules are '{named[0]}' and '{named[1]}': name them once")
    events = [one for one in arguments if Path(one) not in named]
    return events, choose_rules(named[0] if named else None, option)


def _is_rules(path: Path) -> bool:
    """Whether this is a YAML file, or a folder of such files: events are JSON."""
    if not path.is_dir():
        return path.suffix in RULE_ENDINGS
    endings = {one.suffix for one in path.iterdir()}
    return bool(endings & {*RULE_ENDINGS}) and not endings & {*ENDINGS}


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
