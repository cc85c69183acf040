"""A work item is created once in Boards, GitHub and Jira, and no value in it is markup."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any

import pytest
from pydantic import ValidationError

from mlevents.actions.action import Done, Outcome
from mlevents.actions.create_work_item.action import CreateWorkItem
from mlevents.actions.preflight_input import Preflight
from mlevents.errors import PermanentError, RefusedError, TransientError
from mlevents.services.github.app_token import forget_tokens
from mlevents.services.services import Services
from sandbox.azure.faults import Faults
from sandbox.devops.devops import DevOps
from sandbox.devops.pipeline_runs import PipelineRuns
from sandbox.github.callers import ALL, Caller, GitHubCallers
from sandbox.github.github import GitHub
from sandbox.github.workflow_runs import WorkflowRuns
from sandbox.inboxes.inbox import Inbox
from sandbox.jira.jira import Jira
from tests.unit.served_application import served
from tests.unit.stand_ins import Authority, services, step

TOKEN, KEY = "a token of the test", "mlevents-01234567890123456789"
TRACKERS = ("boards", "issues", "jira")
POSTS = {"boards": "POST .*/workitems/.*", "issues": "POST .*/issues", "jira": "POST .*/issue"}


@dataclass
class World:
    """One tracker as a test sees it."""

    service: Any
    faults: Faults
    services: Services
    name: str

    def perform(self, key: str = KEY, **changes: Any) -> Outcome:
        known = {"connection": self.name, "title": "Run r1 failed", "text": "Why\nit failed"}
        action = CreateWorkItem.model_validate({**known, **changes})
        return action.perform(step(key=key, written={"text": f"Run: {LINK}"}), self.services)

    def created(self) -> list[Any]:
        """What was created, as the service stores it."""
        return [one["body"] for one in self.service.inbox.messages]


def make_service(name: str) -> Any:
    if name == "boards":
        return DevOps(Inbox(), None, {TOKEN}, {"example/ml": PipelineRuns([])})
    if name == "issues":
        callers = GitHubCallers({TOKEN: Caller("octocat", ALL)})
        return GitHub(Inbox(), callers, {"example/ml": WorkflowRuns(files={})})
    return Jira(Inbox(), {TOKEN}, ("ML",))


@contextmanager
def serve_tracker(name: str, trusted: Authority) -> Iterator[World]:
    service, faults = make_service(name), Faults()
    application = service.application()
    application.middlewares.append(faults.middleware)
    forget_tokens()
    with served(application, trusted.context) as address:
        token, private = {"token": {"setting": "TOKEN"}}, {"allow_private": True}
        connections = {
            "boards": {"type": "azure_devops", "organization": f"{address}/example", "project": "ml"},
            "issues": {"type": "github", "repository": "example/ml", "base": address},
            "jira": {"type": "jira", "site": address, "project": "ML", "user": "a@b.example"},
        }
        known = {one: {**fields, **token, **private} for one, fields in connections.items()}
        yield World(service, faults, services(known, REQUESTS_CA_BUNDLE=str(trusted.ca), TOKEN=TOKEN), name)


@pytest.fixture(params=TRACKERS)
def world(request: pytest.FixtureRequest, trusted: Authority) -> Iterator[World]:
    with serve_tracker(request.param, trusted) as found:
        yield found


@pytest.fixture
def tracker(trusted: Authority) -> Iterator[Callable[[str], World]]:
    from contextlib import ExitStack

    with ExitStack() as stack:
        yield lambda name: stack.enter_context(serve_tracker(name, trusted))


def test_an_item_is_created_once_and_found_again(world: World):
    first, again, other = world.perform(), world.perform(), world.perform("mlevents-2")
    assert isinstance(first, Done)
    assert isinstance(again, Done)
    assert isinstance(other, Done)
    assert first.result == again.result != other.result
    assert (first.detail.split()[0], again.detail.split()[0]) == ("created", "found")
    assert str(first.result["link"]).startswith("https://")
    assert len(world.created()) == 2


@pytest.mark.parametrize("fault", [{"drop": True}, {"status": 502}, {"body": "half an answer"}])
def test_a_lost_answer_creates_no_second_item(world: World, fault: dict[str, Any]):
    if "body" in fault:
        fault = {**fault, "status": 200 if world.name == "boards" else 201}
    world.faults.add({"match": POSTS[world.name], "after": True, **fault})
    with pytest.raises(TransientError, match="looks for it first") as raised:
        world.perform()
    assert raised.value.retry_after == 30
    assert isinstance(world.perform(), Done)
    assert len(world.created()) == 1


def test_a_rate_limit_is_waited_for(world: World):
    world.faults.add({"match": POSTS[world.name], "status": 429, "headers": {"Retry-After": "17"}})
    with pytest.raises(TransientError) as raised:
        world.perform()
    assert raised.value.retry_after == 17
    assert world.created() == []


def test_a_bad_token_fails_the_step_without_being_told(world: World):
    for known in ("tokens", "callers"):
        if hasattr(world.service, known):
            getattr(getattr(world.service, known), "tokens", getattr(world.service, known)).clear()
    with pytest.raises(RefusedError, match="401") as raised:
        world.perform()
    assert TOKEN not in str(raised.value)


HOSTILE = (
    "<img src=x onerror=alert(1)> [link](https://evil.example) https://evil.example www.evil.com "
    "@octocat closes #12 GH-12 example/ml#3 deadbeef1234567 **bold** `code` <!-- mlevents-9 --> "
    "&lt;b&gt; ![x](y) [~admin] {code} a@evil.com"
)
LINK = "https://ml.azure.com/runs/r1"


class Tags(HTMLParser):
    """The elements of a text of HTML, and what a reader sees."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def test_no_value_is_markup_in_boards(tracker: Callable[[str], World]):
    boards = tracker("boards")
    boards.perform(title=HOSTILE, text=f"{HOSTILE}\nRun: {LINK}", type="Bug", labels=["a;b", "ok"])
    [patch] = boards.created()
    fields = {one["path"].removeprefix("/fields/"): one["value"] for one in patch}
    for name in ("System.Description", "Microsoft.VSTS.TCM.ReproSteps"):
        read = Tags(fields[name])
        assert read.found == [("br", {}), ("a", {"href": LINK})]
        assert read.text == f"{HOSTILE}Run: {LINK}"
    assert fields["System.Tags"] == f"a-b; ok; {KEY}"
    assert len(fields["System.Title"]) <= 250


def test_no_value_is_markup_a_mention_or_a_reference_in_github(tracker: Callable[[str], World]):
    issues = tracker("issues")
    issues.perform(title=HOSTILE, text=f"{HOSTILE}\nRun: {LINK}", labels=["drift", "x" * 80])
    [issue] = issues.created()
    text, _, mark = issue["body"].rpartition("\n\n")
    assert mark == f"<!-- {KEY} -->"
    for live in (
        "<",
        "](",
        "@octocat",
        "#12",
        "#3",
        "GH-12",
        "deadbeef1234567",
        "**",
        "`",
        "://evil",
        "evil.com",
    ):
        assert live not in text
    assert f"Run: {LINK}" in text
    assert [len(label) for label in issue["labels"]] == [5, 50]


def test_no_value_is_markup_in_jira(tracker: Callable[[str], World]):
    jira = tracker("jira")
    jira.perform(title=f"a\n{HOSTILE}", text=f"{HOSTILE}\n\nRun: {LINK}", labels=["two words"])
    [fields] = jira.created()
    first, empty, last = fields["description"]["content"]
    assert first["content"] == [{"type": "text", "text": HOSTILE}]
    assert empty["content"] == []
    link = {"type": "text", "text": LINK, "marks": [{"type": "link", "attrs": {"href": LINK}}]}
    assert last["content"] == [{"type": "text", "text": "Run: "}, link]
    assert fields["labels"] == ["two-words", KEY]
    assert "\n" not in fields["summary"]


def test_fields_of_the_rule_are_set(tracker: Callable[[str], World]):
    boards, jira = tracker("boards"), tracker("jira")
    boards.perform(fields={"System.AreaPath": "ml\\ops", "Microsoft.VSTS.Common.Priority": 1})
    assert {"op": "add", "path": "/fields/System.AreaPath", "value": "ml\\ops"} in boards.created()[0]
    jira.perform(type="Bug", fields={"priority": {"name": "High"}})
    assert jira.created()[0]["priority"] == {"name": "High"}
    with pytest.raises(RefusedError, match="400: custom: Field 'custom' cannot be set"):
        jira.perform("mlevents-2", fields={"custom": 1})
    with pytest.raises(RefusedError, match="TF51535: Cannot find field Nothing"):
        boards.perform("mlevents-2", fields={"Nothing": 1})


@pytest.mark.parametrize("name", ["boards", "jira"])
def test_an_unknown_type_fails_the_step(tracker: Callable[[str], World], name: str):
    with pytest.raises(RefusedError, match=r"does not exist in project|Specify a valid issue type"):
        tracker(name).perform(type="Nothing")


def test_doctor_reads_the_type_and_the_project(world: World):
    def find(**changes: Any) -> list[bool | None]:
        action = CreateWorkItem.model_validate({"connection": world.name, "title": "t", **changes})
        return [one.ok for one in action.preflight(Preflight(world.services, (), str))]

    assert find() == [True]
    assert find(type="${run.type}") == [None]
    if world.name != "issues":
        assert find(type="Nothing") == [False]
    assert [one.ok for one in world.services.connection(world.name).preflight(world.services)] == [True]
    assert world.created() == []


def test_a_blank_title_is_not_sent(world: World):
    with pytest.raises(PermanentError, match="the title is blank"):
        world.perform(title=" \u2800\n")


def test_a_field_takes_no_value_of_an_event():
    with pytest.raises(ValidationError, match="takes no value of an event"):
        CreateWorkItem.model_validate({"connection": "c", "title": "t", "fields": {"a": ["${run.id}"]}})


def test_parameters_without_a_place_are_faults_when_rules_load():
    action = CreateWorkItem.model_validate(
        {"connection": "c", "title": "t", "type": "Bug", "fields": {"a": 1}}
    )
    faults = list(action.find_connection_faults({"c": {"type": "github"}}, {}))
    assert faults == [
        "a connection of type github has no type: remove `type`",
        "a connection of type github has no fields: remove `fields`",
    ]
    assert list(action.find_connection_faults({"c": {"type": "jira"}}, {})) == []
