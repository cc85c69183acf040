"""What commands share: their registry, their options, and their output."""

import json
import os
import socket
import ssl
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, NoReturn
from urllib.error import HTTPError, URLError

import typer
from rich.text import Text

from mlevents.commands.problem_formats import problem_json
from mlevents.commands.problem_text import print_problems
from mlevents.commands.terminal import escape_text, print_text
from mlevents.errors import ConfigError, Problem, RulesError
from mlevents.registry import Registry
from mlevents.rules.environment_file import add_environment_settings
from mlevents.rules.extensions import load_extensions
from mlevents.rules.file import load_rules
from mlevents.rules.local_settings import read_local_settings
from mlevents.rules.model import Rules
from mlevents.services.sdk_errors import clean_text
from mlevents.settings import Settings, find_default_rules

EXIT_PROBLEMS = 1
EXIT_USAGE = 2

command = Registry[Callable[..., None]]("command", "mlevents.commands")

RulesFile = Annotated[
    Path, typer.Option("--rules", envvar="MLEVENTS_RULES", help="The rule file, or a folder of rule files.")
]
EnvironmentName = Annotated[
    str,
    typer.Option("--env", envvar="MLEVENTS_ENV", help="The environment: environments/NAME.yaml is applied."),
]
AllEnvironments = Annotated[
    bool, typer.Option("--all-environments", help="The rules, then in each of environments/*.yaml.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document, for programs.")]
RULES = Path("rules.yaml")


class JsonOutput:
    """Whether standard output still has to get the one JSON document that the command line asks for."""

    def __init__(self) -> None:
        self.is_due = False

    def start(self, words: Sequence[str]) -> None:
        """Begin a command with this command line, which may be wrong."""
        self.is_due = "--json" in words or "--format json" in " ".join(words).replace("=", " ")


json_output = JsonOutput()


def print_line(*parts: str | tuple[str, str], err: bool = False) -> None:
    """Print one line, on standard error if asked; a part may be a pair of its text and its style.

    Styles are shown on a terminal only, and never where the environment says NO_COLOR. A terminal gets lines
    of its width, broken between words; a pipe gets one line, which programs can read.
    """
    print_text(Text.assemble(*map(_visible, parts)), err=err)


def print_json(document: Any) -> None:
    """Print one JSON document, in ASCII, so that any terminal can print it."""
    json_output.is_due = False
    typer.echo(write_json(document))


def write_json(document: Any) -> str:
    """The text of a JSON document, in the one form that commands print."""
    return json.dumps(document, indent=2)


def exit_with_error(text: str, code: int = EXIT_USAGE, problems: Sequence[Problem] = ()) -> NoReturn:
    """Print the reason on standard error, as every command does, and exit with this code.

    Problems of a file are printed before it. With `--json` a document has both, if none was printed yet.
    """
    print_problems([(problem, "error") for problem in problems], err=True)
    for line in text.splitlines():
        print_text(Text.assemble(("Error: ", "red"), escape_text(line)), err=True)
    if json_output.is_due:
        found = [problem_json(problem, "error") for problem in problems]
        print_json({"error": escape_text(text)} | ({"problems": found} if found else {}))
    raise typer.Exit(code)


def check_address(text: str) -> None:
    """Exit where a text is not the address of an app."""
    if not text.startswith(("http://", "https://")):
        exit_with_error(f"'{clean_text(text)}' is not an address: begin with http:// or https://")


def describe_connection_error(error: Exception) -> str:
    """Why an app gave no answer, in words: urllib wraps the error of the connection into its own."""
    reason = error.reason if isinstance(error, URLError) and not isinstance(error, HTTPError) else error
    match reason:
        case ConnectionRefusedError():
            return "nothing listens at this address"
        case TimeoutError():
            return "no answer in time"
        case socket.gaierror():
            return "this host does not exist"
        case ssl.SSLCertVerificationError():
            return f"its certificate is not trusted: {reason.verify_message}"
        case OSError(strerror=str() as text) if not isinstance(reason, HTTPError):
            return text.lower()
    return clean_text(str(reason))


def read_settings(rules: Path, env: str = "") -> Settings:
    """The settings of this process in an environment, else those of `local.settings.json`.

    Exits if one cannot be used.
    """
    try:
        values = {**read_local_settings(rules), **os.environ}
        settings = Settings.read(values | {"MLEVENTS_ENV": env or values.get("MLEVENTS_ENV", "")})
    except ConfigError as error:
        exit_with_error(str(error))
    return add_environment_settings(settings, rules)


def load_local_rules(path: Path, load: Callable[..., Rules] = load_rules, env: str = "") -> Rules:
    """The rules for a look at them on any machine; raises RulesError; exits if there is no such file.

    App settings that are not set here are warnings: the running app may have them.
    """
    path = find_default_rules(Path()) if path == RULES else path
    if not path.exists():
        exit_with_error(f"{path}: this rule file does not exist: name another with --rules")
    return load(path, read_settings(path, env), require_settings=False)


def load_extensions_or_exit(path: Path) -> None:
    """Load the extensions beside the rules, which need not exist; exits with every problem in them."""
    try:
        load_extensions(path)
    except RulesError as error:
        text = "correct the extensions: `mlevents check` prints their problems"
        exit_with_error(text, problems=error.problems)


def load_rules_or_exit(path: Path, env: str = "") -> Rules:
    """The rules; exits with every problem on standard error if there are any."""
    try:
        return load_local_rules(path, env=env)
    except RulesError as error:
        text = f"{path}: correct the rule file: `mlevents check` prints its problems"
        exit_with_error(text, problems=error.problems)


def _visible(part: str | tuple[str, str]) -> str | tuple[str, str]:
    return escape_text(part) if isinstance(part, str) else (escape_text(part[0]), part[1])
