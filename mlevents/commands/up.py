"""`up`: try your own rules at once, with everything that they need on this machine."""

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from importlib import metadata
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from mlevents.commands.command import (
    RULES,
    AsJson,
    EnvironmentName,
    RulesFile,
    command,
    exit_with_error,
    load_local_rules,
    print_json,
    print_line,
    read_settings,
)
from mlevents.commands.first_commands import print_things_to_try
from mlevents.commands.folder_lock import lock_folder
from mlevents.commands.init import make_files
from mlevents.commands.problem_text import print_problems
from mlevents.commands.rules_argument import RulesArgument, choose_rules
from mlevents.commands.running_sandbox import READY_FILE, find_ready_file
from mlevents.commands.sandbox_feed import follow_sandbox
from mlevents.commands.sandbox_process import (
    interrupt_on_signals,
    require_sandbox,
    start_sandbox,
    wait_until_up,
)
from mlevents.commands.version import CHECKOUT
from mlevents.errors import RulesError
from mlevents.rules.rule_folder import find_project
from mlevents.settings import find_default_rules

APP_FILES = ("function_app.py", "host.json")

Port = Annotated[int, typer.Option(min=0, max=65535, help="Port of the app; 0 takes a free one.")]
Speed = Annotated[float, typer.Option(min=0.001, help="How much faster than Azure every wait is.")]
UpReadyFile = Annotated[
    Path | None,
    typer.Option(
        "--ready-file",
        show_default=".mlevents/ready.json beside the rules",
        help="The file that receives the addresses.",
    ),
]
Real = Annotated[
    list[str] | None,
    typer.Option("--real", help="A setting whose real receiver gets messages; repeat it for others."),
]


@command("up")
def up(  # noqa: PLR0913, PLR0917 - a command's options are its function's parameters
    file: RulesArgument = None,
    rules: RulesFile = RULES,
    env: EnvironmentName = "",
    port: Port = 7071,
    speed: Speed = 60.0,
    ready_file: UpReadyFile = None,
    real: Real = None,
    as_json: AsJson = False,
) -> None:
    """Run your rules on a simulated Azure until interrupted; changed files are read again."""
    rules = choose_rules(file, rules)
    rules = find_default_rules(Path()) if rules == RULES else rules
    if not rules.exists():
        exit_with_error(f"{rules}: this rule file does not exist: name another, or run `mlevents init`")
    require_sandbox()
    project = find_project(rules)
    ready_file = ready_file or project / READY_FILE
    env = read_settings(rules, env).rule_environment
    options = ["--rules", str(rules), "--port", str(port), "--speed", str(speed), "--reload"]
    options += ["--ready-file", str(ready_file), "--app", str(_find_app(project))]
    options += [*(["--env", env] if env else []), *(part for name in real or () for part in ("--real", name))]
    try:
        with ExitStack() as stack:
            stack.enter_context(interrupt_on_signals())
            if not stack.enter_context(lock_folder(project / READY_FILE.parent / "lock")):
                exit_with_error(f"{project}: `mlevents up` already runs in this folder: stop it first")
            ready_file.unlink(missing_ok=True)
            _print_problems(rules, env)
            process = stack.enter_context(start_sandbox(options, print_line))
            _serve(process, ready_file, as_json)
    except OSError as error:
        _exit_unwritable(error, project)
    except KeyboardInterrupt:
        raise typer.Exit from None


def _exit_unwritable(error: OSError, project: Path) -> NoReturn:
    if isinstance(error, BrokenPipeError):  # standard output is closed
        raise error
    exit_with_error(f"{error.filename or project}: {error.strerror}: use a folder that can be written to")


def _serve(process: subprocess.Popen[str], ready_file: Path, as_json: bool) -> None:
    """Print what is running, and wait until it ends."""
    ready = wait_until_up(process, ready_file)
    if ready and as_json:
        print_json(ready)
    elif ready:
        for line in describe_sandbox(ready, ready_file):
            print_line(line)
        print_things_to_try(Path(ready["rules"]), ready["env"], _name_ready_file(ready_file))
        follow_sandbox(ready, lambda: process.poll() is not None)
    if code := process.wait():
        raise typer.Exit(code)


def describe_sandbox(ready: dict[str, Any], ready_file: Path) -> Iterator[str]:
    """The addresses for people, and which settings do not lead to where they lead on Azure."""
    yield "The sandbox is up: your rules on a simulated Azure. Ctrl-C stops it."
    yield f"  console     {ready['console']}"
    yield f"  app         {ready['functions']}"
    yield f"  inbox       {ready['inbox']}"
    yield f"  workspaces  {', '.join(ready['workspaces'])}"
    yield f"  addresses   {ready_file}"
    if names := sorted(ready["inbox_settings"]):
        yield f"Set to the sandbox's inbox: {', '.join(names)}. `--real NAME` uses your own receiver."


def _name_ready_file(ready_file: Path) -> list[str]:
    """The option that other commands need to find this sandbox; none where they find it themselves."""
    found = find_ready_file(Path.cwd())
    is_found = found is not None and found.resolve() == ready_file.resolve()
    return [] if is_found else ["--ready-file", str(ready_file.resolve())]


def _print_problems(rules: Path, env: str) -> None:
    """Print what is wrong in the rules: the sandbox starts all the same, and waits for a correction."""
    try:
        load_local_rules(rules, env=env)
    except RulesError as error:
        print_problems([(problem, "error") for problem in error.problems], err=True)
        print_line((f"{rules}: no rule runs until this is corrected", "bold red"))


def _find_app(project: Path) -> Path:
    """The folder of the Function App: the project's, that of this checkout, or one made for this purpose."""
    has_package = (project / "mlevents").is_dir() or _is_installed()
    if all((project / name).is_file() for name in APP_FILES) and has_package:
        return project
    if all((CHECKOUT / name).is_file() for name in APP_FILES):
        return CHECKOUT
    folder = project / READY_FILE.parent / "app"
    folder.mkdir(parents=True, exist_ok=True)
    files = make_files("sandbox")
    for name in APP_FILES:
        (folder / name).write_bytes(files[name])
    return folder


def _is_installed() -> bool:
    try:
        metadata.distribution("mlevents")
    except metadata.PackageNotFoundError:
        return False
    return True
