"""`init`: a project of one's own, and nothing overwritten."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator
from typer.testing import CliRunner, Result

from mlevents.__main__ import build_app
from mlevents.commands.init import PROJECT, make_files
from mlevents.commands.version import read_version
from mlevents.rules.extensions import use_extensions
from mlevents.yamlfile.reader import parse_yaml

ROOT = Path(__file__).resolve().parents[3]


def init(*words: str | Path) -> Result:
    return CliRunner().invoke(build_app(), ["init", *map(str, words)])


def test_everything_of_a_project_is_written(tmp_path: Path):
    result = init(tmp_path / "churn")
    assert result.exit_code == 0, result.output
    wanted = (
        *("function_app.py", "host.json", "requirements.txt", "constraints.txt", "rules.yaml", "README.md"),
        *("local.settings.json.example", "azure.yaml", "infra/main.bicep", "infra/hooks/run.sh"),
        *("deployments/small.yaml", "extensions/_example.py", "templates/_example.txt", "wheels/.gitkeep"),
        *(".gitignore", ".funcignore", ".python-version", ".github/workflows/mlevents.yml"),
        *(".github/workflows/deploy.yml", ".azuredevops/pipeline.yml", ".azuredevops/deploy.yml"),
        *("environments/dev.yaml", "environments/prod.yaml"),
    )
    assert [name for name in wanted if not (tmp_path / "churn" / name).is_file()] == []


def test_in_a_checkout_the_step_is_named_that_gives_the_project_its_package(tmp_path: Path):
    output = init(tmp_path / "churn").stdout
    [command] = re.findall(r"python -m pip wheel .+", output)
    assert command == f"python -m pip wheel --no-deps --wheel-dir wheels {ROOT}"
    offline = [sys.executable, *command.split()[1:], "--no-build-isolation", "--no-index", "--quiet"]
    subprocess.run(offline, cwd=tmp_path / "churn", check=True)
    [wheel] = (tmp_path / "churn" / "wheels").glob("*.whl")
    assert wheel.name.startswith(f"mlevents-{read_version()}-")


def test_the_function_app_has_three_lines():
    assert make_files("x")["function_app.py"].decode().splitlines() == [
        "import azure.functions as func",
        "from mlevents import register",
        "app = register(func.FunctionApp())",
    ]


def test_the_requirement_is_this_version_and_the_constraints_are_those_of_the_lock_file():
    files = make_files("x")
    requirements = files["requirements.txt"].decode().splitlines()
    assert f"mlevents=={read_version()}" in requirements
    assert "--constraint constraints.txt" in requirements
    locked = re.findall(r"^([\w.-]+==[^ ;\\]+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    found = [re.split(r" *;", line)[0] for line in files["constraints.txt"].decode().splitlines()[1:]]
    assert found == locked
    assert len(found) > 50


@pytest.mark.parametrize(
    "name", ["host.json", "infra/main.bicep", "infra/hooks/package.py", ".github/workflows/deploy.yml"]
)
def test_what_is_shared_is_the_repositorys_own(name: str):
    assert make_files("x")[name] == (ROOT / name).read_bytes()


def test_what_pip_compiles_in_the_package_is_not_copied():
    """pip compiles the examples of the package when it installs it."""
    folder = PROJECT / "extensions" / "__pycache__"
    compiled = folder / "_compiled_by_a_test.cpython-313.pyc"
    folder.mkdir(exist_ok=True)
    compiled.write_bytes(b"")
    try:
        assert [name for name in make_files("x") if "__pycache__" in name] == []
    finally:
        compiled.unlink()


def test_no_local_file_of_the_repository_is_copied():
    names = set(make_files("x"))
    assert not {"infra/filters.json", "infra/streams.json", "infra/targets.json", "infra/checkov.in"} & names
    assert [name for name in names if "__pycache__" in name or "@" in name] == []


@pytest.mark.parametrize("present", ["rules.yaml", "infra/main.bicep", "README.md"])
def test_a_file_that_is_there_is_named_and_nothing_is_written(tmp_path: Path, present: str):
    file = tmp_path / present
    file.parent.mkdir(exist_ok=True)
    file.write_text("mine")
    result = init(tmp_path)
    assert result.exit_code == 2
    assert present in result.stderr.replace("\n", "")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [file]
    assert file.read_text() == "mine"


def test_a_link_that_leads_nowhere_is_not_written_through(tmp_path: Path):
    (tmp_path / "rules.yaml").symlink_to(tmp_path / "elsewhere")
    assert init(tmp_path).exit_code == 2
    assert [path.name for path in tmp_path.iterdir()] == ["rules.yaml"]


@pytest.mark.parametrize("blocked", ["", "infra", ".github"])
def test_a_file_in_the_place_of_a_folder_is_named_and_nothing_is_written(tmp_path: Path, blocked: str):
    folder = tmp_path / "new"
    if blocked:
        folder.mkdir()
    (folder / blocked).write_text("a file")
    result = init(folder)
    assert result.exit_code == 2, result.output
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [folder / blocked]


def test_other_files_of_the_folder_stay(tmp_path: Path):
    (tmp_path / "notes.txt").write_text("mine")
    assert init(tmp_path).exit_code == 0
    assert (tmp_path / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize(("folder", "name"), [("Churn_Rules", "churn-rules"), ("a b", "a-b")])
def test_the_name_is_made_from_the_folders(tmp_path: Path, folder: str, name: str):
    assert init(tmp_path / folder).exit_code == 0
    assert yaml.safe_load((tmp_path / folder / "azure.yaml").read_text())["name"] == name
    assert (tmp_path / folder / "README.md").read_text().startswith(f"# {name}\n")


def test_a_name_can_be_chosen(tmp_path: Path):
    assert init(tmp_path / "x", "--name", "churn").exit_code == 0
    assert yaml.safe_load((tmp_path / "x" / "azure.yaml").read_text())["name"] == "churn"


@pytest.mark.parametrize("name", ["Churn", "a b", "-a", "a\nb", "ä"])
def test_a_name_that_azd_refuses_is_wrong_usage(tmp_path: Path, name: str):
    assert init(tmp_path / "x", "--name", name).exit_code == 2
    assert not (tmp_path / "x").exists()


def test_json_lists_the_files(tmp_path: Path):
    document = json.loads(init(tmp_path / "x", "--json").stdout)
    assert document["files"] == sorted(make_files("x"))


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_the_rules_of_a_new_project_are_right_in_each_environment(tmp_path: Path, name: str):
    assert init(tmp_path / "x").exit_code == 0
    checked = CliRunner().invoke(build_app(), ["check", str(tmp_path / "x" / "rules.yaml"), "--env", name])
    assert checked.exit_code == 0, checked.output
    assert "no problems" in checked.stdout


@pytest.mark.parametrize(
    "text", [make_files("x")[".funcignore"].decode(), (ROOT / ".funcignore").read_text()]
)
def test_nothing_that_the_app_needs_is_left_out_of_a_deployment(text: str):
    ignored = text.replace("/extensions/__pycache__/", "").replace("/rules.schema.json", "").split()
    needed = (
        "rules",
        "deployments",
        "extensions",
        "templates",
        "environments",
        "function_app.py",
        "host.json",
    )
    assert [line for line in ignored if line.strip("/*").startswith(needed)] == []
    assert "!/.python_packages" in ignored


def test_the_examples_of_own_elements_work_once_they_are_renamed(tmp_path: Path):
    init(tmp_path / "churn")
    project = tmp_path / "churn"
    rules = project / "rules.yaml"
    steps = """\
      - {uses: notify, with: {to: team, template: new-version}}
      - {uses: write_log, with: {text: "${model.name}"}}

# `mlevents check` runs these"""
    rules.write_text(rules.read_text().replace("\n# `mlevents check` runs these", steps))
    before = CliRunner().invoke(build_app(), ["check", str(rules)])
    assert (before.exit_code, before.output.count("unknown")) == (1, 2)
    (project / "extensions" / "_example.py").rename(project / "extensions" / "write_log.py")
    (project / "templates" / "_example.txt").rename(project / "templates" / "new-version.txt")
    after = CliRunner().invoke(build_app(), ["check", str(rules)])
    assert after.exit_code == 0, after.output
    use_extensions(tmp_path / "nowhere" / "rules.yaml")


def test_an_editor_knows_the_files_of_a_new_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLEVENTS_RULES", raising=False)
    assert CliRunner().invoke(build_app(), ["init", "own"]).exit_code == 0
    monkeypatch.chdir(tmp_path / "own")
    files = [Path("rules.yaml"), *Path("environments").glob("*.yaml")]
    assert len(files) == 3
    for file in files:
        named = file.read_text().splitlines()[0].removeprefix("# yaml-language-server: $schema=")
        schema = json.loads((file.parent / named).read_text())
        assert Draft202012Validator(schema).is_valid(parse_yaml(file.read_text(), str(file)).value)
    for name, option in (("rules", []), ("environment", ["--environment"])):
        written = Path(f"{name}.schema.json")
        printed = CliRunner().invoke(build_app(), ["schema", *option]).stdout
        assert written.read_text() == printed
        written.write_text("old")
    assert CliRunner().invoke(build_app(), ["schema", "--write"]).exit_code == 0
    assert Path("rules.schema.json").read_text() == CliRunner().invoke(build_app(), ["schema"]).stdout
