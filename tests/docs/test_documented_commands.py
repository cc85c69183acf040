"""Every command of the documentation runs, as it is written, in a copy of the repository.

The `sh` and `powershell` blocks of a page are one script, from top to bottom. `console` blocks show what they
print: tests/unit/test_docs.py runs those.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import cache_from_source
from pathlib import Path

import pytest

from sandbox.sandbox_process import ROOT, Stage
from tests.docs.shell_program import NOT_RUN, PYTHONS, export_addresses, install, real, stop_sandboxes
from tests.processes.process_client import find_server
from tests.unit.markdown_page import Fence, read_page

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
SHELLS = ("sh", "powershell")
LANGUAGES = {*SHELLS, "console", "yaml", "yml", "json", "python", "text", "toml", "mermaid", "kusto"}
TO_POSIX = (
    (r"\$env:(\w+) = ", r"export \1="),
    (r"\$env:(\w+)", r"$\1"),
    (r"\bpy -3\.13\b", "python3.13"),
    (r"\bCopy-Item\b", "cp"),
    (r"\.venv\\Scripts\\Activate\.ps1", ". .venv/bin/activate"),
    (r"\.venv\\Scripts\\python\b", "python"),
    (r"; ", "\n"),
)
"""How a block of PowerShell is written for a POSIX shell: it runs the same commands with the same words."""
EVENT = """{"id": "e-1", "subject": "models/fraud-net:8", "eventTime": "2026-03-02T09:15:17Z",
"topic": "/subscriptions/0/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/ml-prod",
"eventType": "Microsoft.MachineLearningServices.ModelRegistered", "dataVersion": "2",
"data": {"modelName": "fraud-net", "modelVersion": "8", "modelTags": {"stage": "dev"}}}"""


def has_commands(page: Path) -> bool:
    return any(fence.info[:1] and fence.info[0] in SHELLS for fence in read_page(page).fences)


@pytest.fixture(scope="session")
def history(shipped: Stage) -> Stage:
    """A sandbox with the model and the run that the pages name."""
    shipped.register("fraud-net", "8", {"stage": "dev"})
    shipped.publish(shipped.run_status_changed("train-fraud-42", "Completed"))
    return shipped


@pytest.fixture
def environment(tmp_path: Path, history: Stage) -> Iterator[dict[str, str]]:
    """What the commands of a page find: our programs first on the PATH, and a sandbox."""
    install(tmp_path / "bin")
    running = tmp_path / "running"
    running.with_suffix(".sh").write_text(export_addresses(history.ready))
    yield {
        **{name: value for name, value in os.environ.items() if not name.startswith(("MLEVENTS_", "PYTEST"))},
        **history.environment(),
        "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
        "PYTHONPATH": str(tmp_path / "checkout"),
        "REAL_PYTHON": sys.executable,
        "REAL_CURL": real("curl"),
        "PROCESS_SERVER": find_server(),
        "RUNNING": str(running),
        "AZURE_SUBSCRIPTION_ID": "00000000-0000-0000-0000-000000000000",
        "PYTHONDONTWRITEBYTECODE": "1",
        "NO_COLOR": "1",
        "APP": "app-mlevents",
        "KEY": "key",
        "RULE": "alert-failed-runs",
        "RG": "rg-mlevents",
        "ENDPOINT": "https://example.com/events",
        "MAIL": "/subscriptions/0/resourceGroups/g/providers/Microsoft.Communication/communicationServices/m",
    }
    stop_sandboxes(running)


FAILED_RUN = """[{"id": "docs", "topic": "'$WORKSPACE'", "subject": "experiments/e/runs/r",
"eventType": "Microsoft.MachineLearningServices.RunStatusChanged", "eventTime": "'$(date -u +%FT%TZ)'",
"data": {"runStatus": "Failed", "runId": "r"}, "dataVersion": "2"}]"""
RESPONSE_ID = f"""\
curl -s "$EVENT_GRID" -d '{FAILED_RUN}'
ID=
until [ "$ID" ]; do
  sleep 0.2
  found=$(curl -s "$FUNCTIONS/api/v1/responses?status=done" | grep -o '"alert-failed-runs\\.[^"]*' || true)
  ID=$(echo "$found" | head -n 1 | tr -d '"')
done
"""
"""The id of a response that has ended, for a command that names `$ID`."""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the checkout, with the files that a page names and does not show."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    listed = subprocess.check_output(["git", "ls-files", "-z"], cwd=ROOT)
    names = [os.fsdecode(name) for name in listed.split(b"\0") if name]
    compiled = [cache_from_source(name) for name in names if name.endswith(".py")]
    here = "\0".join(name for name in names + compiled if (ROOT / name).is_file())
    command = ["xargs", "-0", "cp", "-p", "--parents", "-t", str(folder)]
    subprocess.run(command, cwd=ROOT, input=here.encode(), check=True)
    for name in ("event.json", "again.json"):
        (folder / name).write_text(EVENT)
    for name in ("dev", "prod"):
        (folder / f"environments/{name}.yaml").parent.mkdir(exist_ok=True)
        (folder / f"environments/{name}.yaml").write_text("version: 1\n")
    (folder / "old.yaml").write_text((ROOT / "rules.yaml").read_text())
    (folder / "infra/deploy.sh").write_text("true\n")
    (tmp_path / "release-2").symlink_to(ROOT)
    return folder


@pytest.mark.parametrize(
    "page", [page for page in PAGES if has_commands(page)], ids=lambda page: str(page.relative_to(ROOT))
)
def test_every_command_of_a_page_runs(page: Path, copy: Path, environment: dict[str, str]) -> None:
    for fence in read_page(page).fences:
        if fence.file:
            (copy / fence.file).parent.mkdir(parents=True, exist_ok=True)
            (copy / fence.file).write_text(fence.text)
    text = page.read_text(encoding="utf-8")
    if "--events events" in text:
        (copy / "events").mkdir()
        (copy / "events/one.json").write_text(EVENT)
    if "git:" in text:
        make_repository(copy)
    script = "\n".join(["set -eu", *map(script_of, read_page(page).fences)])
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=copy,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, done.stdout[-3000:]


def make_repository(folder: Path) -> None:
    """Make the copy a repository whose `origin/main` is what is in it."""
    commit = "git -c user.name=a -c user.email=a@example.com commit -q -m all"
    script = f"git init -q . && git add -A && {commit} && git update-ref refs/remotes/origin/main HEAD"
    subprocess.run(["bash", "-c", script], cwd=folder, check=True)


def script_of(fence: Fence) -> str:
    """What bash does at this fence: print its place and run its commands, or write the file that it shows."""
    if fence.info[:1] == ["sh"]:
        text = re.sub(r"(?<!<)<([a-z][\w ]*)>", "placeholder", fence.text)
    elif fence.info[:1] == ["powershell"]:
        text = fence.text
        for pattern, posix in TO_POSIX:
            text = re.sub(pattern, posix, text)
    elif fence.file:
        write = f"mkdir -p $(dirname {fence.file})\ncat > {fence.file} <<'END-OF-FENCE'\n"
        return f"{write}{fence.text}END-OF-FENCE\n"
    else:
        return ""
    prepared = RESPONSE_ID if "$ID/" in text else ""
    return f"echo '--- {fence.place}'\n. \"$RUNNING.sh\"\n{prepared}{text}"


@pytest.mark.parametrize("wrong", ["mlevents chekc", "curl -s $FUNCTIONS/api/v1/nowhere", "make demmo"])
def test_a_command_that_fails_would_be_noticed(wrong: str, copy: Path, environment: dict[str, str]) -> None:
    script = f'set -eu\n. "$RUNNING.sh"\n{wrong}\n'
    done = subprocess.run(["bash", "-c", script], cwd=copy, env=environment, capture_output=True, check=False)
    assert done.returncode != 0


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_block_says_its_language_and_no_command_is_in_a_text(page: Path) -> None:
    fences = read_page(page).fences
    assert [one.place for one in fences if not one.info or one.info[0] not in LANGUAGES] == []
    programs = rf"^(?:{'|'.join(PYTHONS)}|mlevents|az|azd|func|make|curl|pip) "
    hidden = [one for one in fences if one.info[:1] == ["text"] and re.search(programs, one.text, re.M)]
    assert [one.place for one in hidden] == []


def test_what_is_not_run_is_written_somewhere_and_has_its_reason() -> None:
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    assert [name for name in NOT_RUN if name not in text.replace("python3.13", "python")] == []
    assert all(NOT_RUN.values())
    assert shutil.which("bash")
