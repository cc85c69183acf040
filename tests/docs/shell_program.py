"""What a program of the documentation does in the tests: `python shell_program.py NAME WORDS…`.

`python`, `mlevents`, `curl` and the shell's own commands run for real. Addresses of the app on Azure are
those of the sandbox, and a sandbox takes a free port and stays in the background until the page ends. What
cannot run here is in `NOT_RUN`, with its reason, and the tests check its words.
"""

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.processes.command_client import serve_command

NOT_RUN = {
    "az": "needs an Azure subscription; tests/infra compares its words with what it accepts",
    "azd": "the same",
    "func": "the same",
    "gh": "needs a repository on GitHub",
    "npx azurite": "downloads a package of npm",
    "python -m venv": "`make package` makes an environment and installs the packages",
    "python -m pip install": "the same, and its words are parsed by pip",
    "python -m infra.hooks": "downloads packages; tests/infra runs it with a recorder",
    "infra/deploy.sh": "deploys; tests/infra runs it with a recorder",
    "python -m sandbox demo": "`make demo` runs it, and test_readme.py runs that",
    "make": "its targets are compared with the Makefile: the tests cannot run themselves",
}
"""Commands that tests do not run, and why."""
FOUND_IS_NO_ERROR = ("diff", "rollouts")
"""Commands whose exit code 1 is an answer: something differs, a rollout runs."""
LONGEST_START = 60
PYTHONS = ("python", "python3", "python3.13")


def run(name: str, words: list[str]) -> int:
    """Run one command, or check it where it cannot run; the exit code."""
    words = [_at_sandbox(word) for word in words]
    if name in PYTHONS:
        return run_python(words)
    if name == "mlevents":
        return run_mlevents(words)
    if name == "curl":
        return subprocess.call([os.environ["REAL_CURL"], "--fail-with-body", *words])
    if name == "make":
        makefile = Path("Makefile").read_text(encoding="utf-8")
        return int(not all(f"\n{word}:" in makefile for word in words))
    print("value")
    return 0 if any(one.split()[0] in (name, f"infra/{name}") for one in NOT_RUN) else 127


def run_python(words: list[str]) -> int:
    """A module of ours, a check of what downloads, or Python itself."""
    match words:
        case ["-m", "mlevents", *rest]:
            code = run_mlevents(rest)
        case ["-m", "sandbox", "up", *rest]:
            code = start_sandbox(["sandbox", "up"], rest, Path("ready.json"))
        case ["-m", "sandbox", "demo"] | ["-m", "infra.hooks", "prepackage", *_]:
            code = 0
        case ["-m", "venv", folder]:
            (Path(folder) / "bin").mkdir(parents=True, exist_ok=True)
            (Path(folder) / "bin" / "activate").touch()
            code = 0
        case ["-m", "pip", command, *rest]:
            code = check_pip(command, rest)
        case _:
            code = subprocess.call([os.environ["REAL_PYTHON"], *words])
    return code


def check_pip(command: str, words: list[str]) -> int:
    """Whether pip knows the options, and the files that they name exist."""
    code = f"from pip._internal.commands import create_command as c; c({command!r}).parse_args({words!r})"
    named = [Path(after) for before, after in pairwise(words) if before == "-r"]
    known = subprocess.call([os.environ["REAL_PYTHON"], "-c", code]) == 0
    return int(not (known and all(path.is_file() for path in named)))


def run_mlevents(words: list[str]) -> int:
    """A command of mlevents, run by the process server."""
    if words[:1] == ["up"]:
        return start_sandbox(["mlevents", "up"], words[1:], Path(".mlevents/ready.json"))
    code = serve_command("mlevents", words)
    deadline = time.monotonic() + LONGEST_START
    while code and words[:1] == ["load"] and time.monotonic() < deadline:
        time.sleep(1)  # the page's rule deploys the model in the meantime
        code = serve_command("mlevents", words)
    return 0 if code == 1 and words[0] in FOUND_IS_NO_ERROR else code


def start_sandbox(program: list[str], words: list[str], ready: Path) -> int:
    """Start a sandbox on a free port; return once it is up, and leave it running until the page ends."""
    if "--ready-file" in words:
        ready = Path(words[words.index("--ready-file") + 1])
    elif program[0] == "sandbox":
        words = [*words, "--ready-file", str(ready)]
    running = Path(os.environ["RUNNING"])
    stop_sandboxes(running)
    ready.unlink(missing_ok=True)  # the one that ends may not have removed its own yet
    command = [os.environ["REAL_PYTHON"], "-m", *program, *words, "--port", "0"]
    with open(os.environ["RUNNING"] + ".log", "ab") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    running.write_text(str(process.pid), encoding="utf-8")
    deadline = time.monotonic() + LONGEST_START
    while not ready.is_file() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    if not ready.is_file():
        return 1
    addresses = json.loads(ready.read_text(encoding="utf-8"))
    running.with_suffix(".sh").write_text(export_addresses(addresses), encoding="utf-8")
    return 0


def export_addresses(ready: dict[str, Any]) -> str:
    """The addresses of a sandbox as variables for the shell, named as the documentation names them."""
    found = {name.upper(): value for name, value in ready.items() if isinstance(value, str)}
    exports = {**found, "APP_ADDRESS": found["FUNCTIONS"]}
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in exports.items())


def stop_sandboxes(running: Path) -> None:
    """End the sandbox whose process is in the file, if there is one."""
    if running.is_file():
        with suppress(ProcessLookupError):
            os.kill(int(running.read_text(encoding="utf-8")), signal.SIGTERM)
        running.unlink()


def _at_sandbox(word: str) -> str:
    """An address of the app on Azure or of Core Tools, as that of the sandbox."""
    before, found, after = word.partition(".azurewebsites.net")
    if found and before.startswith("https://"):
        return os.environ["APP_ADDRESS"] + after
    return word.replace("http://localhost:7071", os.environ["APP_ADDRESS"])


def install(folder: Path) -> None:
    """Write a program for each name into a folder that is to be the first of the PATH."""
    folder.mkdir(parents=True)
    names = [*PYTHONS, "mlevents", "curl", "make", "az", "azd", "func", "gh", "npx"]
    for name in names:
        file = folder / name
        file.write_text(f'#!/bin/sh\nexec "$REAL_PYTHON" -S "{__file__}" {name} "$@"\n', encoding="utf-8")
        file.chmod(0o755)


def real(name: str) -> str:
    """The path of a program that must be there."""
    found = shutil.which(name)
    assert found, f"{name} is not on the PATH"
    return found


if __name__ == "__main__":
    sys.exit(run(sys.argv[1], sys.argv[2:]))
