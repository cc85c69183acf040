"""The pipelines deploy main to dev, then to prod, and comment on a pull request: ours and a new project's."""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.infra.pipeline_project import (
    AZURE,
    AZURE_DEPLOY,
    GITHUB,
    GITHUB_DEPLOY,
    PROJECTS,
    ROOT,
    Pipelines,
    commit,
    git,
    run_script,
    write_project,
)

SCHEMA = json.loads((ROOT / "tests/data/azure/github_workflow_schema.json").read_text())
PARAMETERS = dict(re.findall(r"\$\{(\w+)(?:=([^}]*))?\}", (ROOT / "infra/main.parameters.json").read_text()))
SECRETS = {"MLEVENTS_SECRET", "TEAMS_WORKFLOW_URL"}
ON_MAIN = "github.ref == 'refs/heads/main' && github.event_name != 'pull_request'"


@pytest.fixture(params=PROJECTS)
def pipelines(request: pytest.FixtureRequest) -> Pipelines:
    return PROJECTS[request.param]()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A new project with the branches main and change."""
    folder = tmp_path / "project"
    folder.mkdir()
    write_project(folder)
    return folder


@pytest.mark.parametrize("name", [GITHUB, GITHUB_DEPLOY])
def test_github_can_read_the_workflow(pipelines: Pipelines, name: str):
    written: dict[Any, Any] = pipelines.read(name)
    written["on"] = written.pop(True)  # YAML 1.1 reads the key `on` as true
    assert [one.message for one in jsonschema.Draft7Validator(SCHEMA).iter_errors(written)] == []
    written["jobs"]["more"] = {"runs-on": "ubuntu-latest", "step": []}
    assert list(jsonschema.Draft7Validator(SCHEMA).iter_errors(written)) != []


def test_github_deploys_to_dev_then_to_prod(pipelines: Pipelines):
    jobs = pipelines.read(GITHUB)["jobs"]
    assert (jobs["dev"]["needs"], jobs["prod"]["needs"]) == ("check", "dev")
    assert jobs["dev"]["if"].startswith(ON_MAIN)
    assert "if" not in jobs["prod"], "without a condition it is skipped where dev is"
    for name in ("dev", "prod"):
        assert jobs[name]["uses"] == f"./{GITHUB_DEPLOY}"
        assert jobs[name]["with"] == {"environment": name}
        assert jobs[name]["permissions"] == {"contents": "read", "id-token": "write"}
    deploy = pipelines.read(GITHUB_DEPLOY)["jobs"]["deploy"]
    assert deploy["environment"] == "${{ inputs.environment }}", "its reviewers approve"
    assert deploy["concurrency"] == "deploy-${{ inputs.environment }}"
    assert deploy["env"]["AZURE_ENV_NAME"] == "${{ vars.AZURE_ENV_NAME || inputs.environment }}"
    runs = [step["run"] for step in deploy["steps"] if "run" in step]
    assert runs[-2:] == ["azd provision --no-prompt", "azd deploy --no-prompt"]


def test_azure_devops_deploys_to_dev_then_to_prod(pipelines: Pipelines):
    used = [one for one in pipelines.read(AZURE)["stages"] if "template" in one]
    assert [one["template"] for one in used] == [Path(AZURE_DEPLOY).name] * 2
    assert [one["parameters"] for one in used] == [
        {"environment": "dev", "after": "check"},
        {"environment": "prod", "after": "dev"},
    ]
    deploy = pipelines.read(AZURE_DEPLOY)
    assert {one["name"] for one in deploy["parameters"]} == set(used[0]["parameters"])
    (stage,) = deploy["stages"]
    assert stage["stage"] == "${{ parameters.environment }}"
    assert stage["dependsOn"] == "${{ parameters.after }}"
    assert stage["condition"] == "and(succeeded(), eq(variables['Build.SourceBranch'], 'refs/heads/main'))"
    assert stage["variables"] == [{"group": "mlevents-${{ parameters.environment }}"}]
    (job,) = stage["jobs"]
    assert job["environment"] == "${{ parameters.environment }}", "its approvals and checks apply"
    (task,) = [one for one in azure_steps(pipelines) if one.get("task") == "AzureCLI@2"]
    assert task["inputs"]["azureSubscription"] == "mlevents-${{ parameters.environment }}"
    script = task["inputs"]["inlineScript"]
    assert script.index("azd provision --no-prompt") < script.index("azd deploy --no-prompt")


def azure_steps(pipelines: Pipelines) -> list[dict[str, Any]]:
    return pipelines.read(AZURE_DEPLOY)["stages"][0]["jobs"][0]["strategy"]["runOnce"]["deploy"]["steps"]


def test_github_passes_every_parameter(pipelines: Pipelines):
    passed = pipelines.read(GITHUB_DEPLOY)["jobs"]["deploy"]["env"]
    assert set(PARAMETERS) <= set(passed)
    for name, value in passed.items():
        assert f"{'secrets' if name in SECRETS else 'vars'}.{name}" in value
        if PARAMETERS.get(name) and name not in SECRETS:
            assert f"|| '{PARAMETERS[name]}'" in value


def test_azure_devops_passes_every_parameter_and_defines_what_it_passes(pipelines: Pipelines):
    passed = next(one["env"] for one in azure_steps(pipelines) if "env" in one)
    assert passed == {name: f"$({name})" for name in passed}
    assert set(PARAMETERS) <= set(passed)
    defined = {one["name"]: one["value"] for one in pipelines.read(AZURE)["variables"]}
    assert set(passed) - set(defined) == {"AZURE_ENV_NAME", "AZURE_LOCATION", "AZURE_SUBSCRIPTION_ID"}
    assert defined == {name: PARAMETERS[name] for name in defined}


def test_a_token_has_no_more_rights_than_its_job_needs(pipelines: Pipelines):
    workflow = pipelines.read(GITHUB)
    assert workflow["permissions"] == {"contents": "read"}
    assert pipelines.read(GITHUB_DEPLOY)["permissions"] == {"contents": "read"}
    assert "permissions" not in workflow["jobs"]["check"]
    assert workflow["jobs"]["diff"]["permissions"] == {"contents": "read", "pull-requests": "write"}
    assert [
        one for one in pipelines.texts.values() if re.search("client-secret|AZURE_CREDENTIALS", one)
    ] == []


def test_every_action_is_pinned_by_its_commit(pipelines: Pipelines):
    """A tag can be moved to other code; a commit cannot."""
    used = [
        one
        for name in (GITHUB, GITHUB_DEPLOY)
        for one in re.findall(r"uses: *(\S+)(.*)", pipelines.texts[name])
        if one[0] != f"./{GITHUB_DEPLOY}"
    ]
    assert len(used) >= 6
    for action, comment in used:
        assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", action), action
        assert re.fullmatch(r" # v\d+\.\d+\.\d+", comment), f"{action} does not say its version"


def test_no_input_becomes_a_command(pipelines: Pipelines):
    """A branch's name is text that a stranger chose: it reaches a script as a variable only."""
    jobs = pipelines.read(GITHUB)["jobs"].values()
    scripts = [step["run"] for job in jobs for step in job.get("steps", []) if "run" in step]
    assert [one for one in scripts if "${{" in one] == []
    steps = [step for job in ("check", "diff") for step in pipelines.azure_job(job)["steps"]]
    assert [one for one in steps if "$(" in one.get("script", "").replace("$(basename", "")] == []


def test_what_the_diff_job_needs_of_the_history_is_fetched(pipelines: Pipelines):
    checkout = pipelines.read(GITHUB)["jobs"]["diff"]["steps"][0]
    assert checkout["with"]["fetch-depth"] == 0
    assert pipelines.azure_job("diff")["steps"][0] == {"checkout": "self", "fetchDepth": 0}


def test_a_fork_gets_a_summary_and_no_comment(pipelines: Pipelines):
    comment = pipelines.github_script("diff", "gh pr comment")
    assert comment["if"] == "github.event.pull_request.head.repo.full_name == github.repository"
    assert "--edit-last --create-if-none --body-file diff.md" in comment["run"]
    assert pipelines.read(GITHUB)["jobs"]["diff"]["if"] == "github.event_name == 'pull_request'"
    thread = pipelines.azure_script("diff", "infra.pull_request_thread")
    assert "ne(variables['System.PullRequest.IsFork'], 'True')" in thread["condition"]
    assert thread["env"] == {"SYSTEM_ACCESSTOKEN": "$(System.AccessToken)"}


def compare(pipelines: Pipelines, project: Path) -> list[str]:
    """What the diff step of each service writes for the people who read the pull request."""
    summary = project.parent / "summary.md"
    github = pipelines.github_script("diff", " diff ")
    assert github["env"]["BASE"] == "${{ github.base_ref }}"
    done = run_script(github["run"], project, BASE="main", GITHUB_STEP_SUMMARY=str(summary))
    assert done.returncode == 0, done.stderr
    assert summary.read_text() == (project / "diff.md").read_text()
    azure = pipelines.azure_script("diff", " diff ")
    assert azure["env"] == {"TARGET": "$(System.PullRequest.TargetBranch)"}
    found = [summary.read_text()]
    for target in ("refs/heads/main", "main"):  # Azure Repos; GitHub
        done = run_script(azure["script"], project, TARGET=target, MLEVENTS_RULES="")
        assert done.returncode == 0, done.stderr
        assert done.stdout == f"##vso[task.uploadsummary]{project}/diff.md\n"
        found.append((project / "diff.md").read_text())
    return found


def test_a_pull_request_says_what_the_change_means_in_each_environment(pipelines: Pipelines, project: Path):
    rules = project / "rules.yaml"
    rules.write_text(rules.read_text().replace("tags: {release:", "tags: {ready:", 1))
    dev = project / "environments" / "dev.yaml"
    dev.write_text(dev.read_text().replace("all: shadow", "all: disabled"))
    commit(project)
    for text in compare(pipelines, project):
        first, dev_text, prod_text = re.split(r"## Environment \w+\n", text)
        assert '- `` where.model.tags.ready: added "yes" ``' in first
        assert '- `` mode: "shadow" → "disabled" ``' in dev_text
        assert prod_text == "The same differences as above.\n\n"


def test_without_a_change_a_pull_request_says_so(pipelines: Pipelines, project: Path):
    (project / "README.md").write_text("other")
    commit(project)
    assert all(text.startswith("The rules mean the same.\n") for text in compare(pipelines, project))


@pytest.mark.parametrize("broken", ["", "rules: ["], ids=["none", "broken"])
def test_a_target_branch_without_usable_rules_is_said_in_the_comment(
    pipelines: Pipelines, project: Path, broken: str
):
    good = (project / "rules.yaml").read_text()
    git(project, "checkout", "-q", "main")
    (project / "rules.yaml").write_text(broken) if broken else (project / "rules.yaml").unlink()
    commit(project)
    git(project, "fetch", "-q", "origin")
    git(project, "checkout", "-q", "-B", "change")
    (project / "rules.yaml").write_text(good)
    commit(project)
    said = "git:origin/main:rules.yaml:1:" if broken else "this commit has no 'rules.yaml'"
    for text in compare(pipelines, project):
        assert text.startswith("The rules cannot be compared:\n\n- ")
        assert said in text


def test_a_branch_that_is_not_there_is_said_and_fails_nothing_silently(pipelines: Pipelines, project: Path):
    script = pipelines.github_script("diff", " diff ")["run"]
    done = run_script(script, project, BASE="none", GITHUB_STEP_SUMMARY=str(project.parent / "summary.md"))
    assert done.returncode == 0
    assert "git:origin/none" in (project / "diff.md").read_text()


def test_the_check_step_checks_every_environment(pipelines: Pipelines, project: Path):
    steps = [
        pipelines.github_script("check", "mlevents check")["run"],
        pipelines.azure_script("check", "mlevents check")["script"],
    ]
    (project / ".venv" / "bin").mkdir(parents=True)
    (project / ".venv" / "bin" / "python").symlink_to(project.parent / "programs" / "python")
    for step in steps:
        done = run_script(step, project, MLEVENTS_RULES="")
        assert done.returncode == 0, done.stdout + done.stderr
    (project / "environments" / "prod.yaml").write_text("modes: {none: live}\n")
    for step in steps:
        done = run_script(step, project, MLEVENTS_RULES="")
        assert done.returncode == 1
        assert "unknown rule 'none'" in done.stdout
        assert "prod.yaml" in done.stdout
