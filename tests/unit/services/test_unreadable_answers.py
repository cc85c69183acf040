"""What is answered is not what is documented: a proxy's page, half a body, another shape."""

import json
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from mlevents.actions.action import Done
from mlevents.actions.run_data_factory_pipeline.action import RunDataFactoryPipeline
from mlevents.errors import PermanentError, TransientError
from mlevents.services.connection import Message
from mlevents.services.machine_learning.batch_endpoints import BatchEndpoints, Invocation
from mlevents.services.machine_learning.data_plane import DataPlane
from mlevents.services.machine_learning.resource_ids import Workspace
from mlevents.services.mail.email import Email
from mlevents.services.paging import next_page
from tests.unit.factory_stand_in import ID, FactoryStandIn
from tests.unit.stand_ins import WORKSPACE, Answer, Authority, Request, Server, services, step

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # azure-ai-ml's own, on import
HTML = Answer(raw=b"<html><body>Bad gateway</body></html>", headers={"Content-Type": "text/html"})
UNREADABLE = {
    "page": HTML,
    "page called JSON": replace(HTML, headers={}),
    "cut": Answer(raw=b'{"runId": "0d6'),
    "empty": Answer(raw=b""),
    "list": Answer(body=[]),
    "text": Answer(body="ok"),
    "number": Answer(body=5),
    "null": Answer(body=None, raw=b"null"),
    "other": Answer(body={"value": 5, "runId": {"a": 1}, "name": [], "properties": "x", "api": 7}),
    "deep": Answer(raw=b"[" * 200_000),
    "no UTF-8": Answer(raw=b'{"runId": "\xff\xfe"}'),
}
unreadable = pytest.mark.parametrize("answer", UNREADABLE.values(), ids=UNREADABLE.keys())
KEY = "mlevents-0123456789"


@unreadable
@pytest.mark.parametrize("request_", ["pipeline", "query", "run"])
@pytest.mark.parametrize("marked", [True, False])
def test_no_read_of_data_factory_is_a_fault_of_ours(
    cloud: ExitStack, trusted: Authority, answer: Answer, request_: str, marked: bool
) -> None:
    factory = FactoryStandIn({"retrain": ["mlevents_response"] if marked else []})
    server = cloud.enter_context(Server(factory, trusted.context).serving())
    known = services({"f": {"type": "data_factory", "id": ID}}, server.url)
    action, at = RunDataFactoryPipeline(connection="f", pipeline="retrain", wait=True), step()
    factory.instead[request_] = lambda: answer
    failures = 0
    for _ in range(10):
        try:
            outcome = action.perform(at, known)
        except TransientError:
            failures += 1
            continue
        if isinstance(outcome, Done):
            break
        at = replace(at, progress=outcome.progress)
    assert isinstance(outcome, Done)
    assert len(factory.runs) == 1
    assert failures <= 1


@unreadable
@pytest.mark.parametrize("marked", [True, False])
def test_a_run_whose_id_cannot_be_read_is_looked_up_within_the_same_attempt(
    cloud: ExitStack, trusted: Authority, answer: Answer, marked: bool
) -> None:
    factory = FactoryStandIn({"retrain": ["mlevents_response"] if marked else []})
    server = cloud.enter_context(Server(factory, trusted.context).serving())
    known = services({"f": {"type": "data_factory", "id": ID}}, server.url)
    action = RunDataFactoryPipeline(connection="f", pipeline="retrain")
    intent: Any = action.perform(step(), known)
    factory.instead["created"] = lambda: answer
    outcome = action.perform(step(progress=intent.progress), known)
    assert isinstance(outcome, Done)
    assert outcome.result["run_id"] == factory.runs[0]["runId"]
    assert len(factory.runs) == 1


class Front:
    """A batch endpoint and the front end that lists its jobs; `instead` answers a request once."""

    def __init__(self) -> None:
        self.jobs: list[dict[str, Any]] = []
        self.instead: dict[str, Callable[[], Answer]] = {}
        self.url = ""

    def __call__(self, request: Request) -> Answer:
        name = "invoke" if request.method == "POST" else "list" if "/jobs" in request.path else "discovery"
        found = Answer(body={"api": self.url})
        if name == "invoke":
            asked = request.json["properties"]
            self.jobs.append(
                {"name": f"batchjob-{len(self.jobs)}", "properties": {**asked, "status": "Running"}}
            )
            found = Answer(201, self.jobs[-1])
        elif name == "list":
            found = Answer(body={"value": self.jobs})
        return self.instead.pop(name)() if name in self.instead else found


class Client(Any):
    """As much of MLClient as the batch endpoints ask for."""

    def __init__(self, url: str) -> None:
        self.url = url

    @property
    def batch_endpoints(self) -> Any:
        return self

    def get(self, name: str) -> Any:
        return self

    @property
    def scoring_uri(self) -> str:
        return f"{self.url}/batch/retrain/jobs"


@pytest.fixture
def front(cloud: ExitStack, trusted: Authority) -> Front:
    found = Front()
    found.url = cloud.enter_context(Server(found, trusted.context).serving()).url
    return found


def batch(front: Front) -> BatchEndpoints:
    from azure.identity import ManagedIdentityCredential

    client, scope = Client(front.url), "https://ml.azure.com/.default"
    discover = partial(str, f"{front.url}/discovery")
    plane = DataPlane(Workspace.parse(WORKSPACE), discover, ManagedIdentityCredential(), scope)
    return BatchEndpoints(client, plane)


WANTED = Invocation("retrain", KEY)
REFUSED = {
    "endpoint": lambda name: replace(WANTED, endpoint=name),
    "deployment": lambda name: replace(WANTED, deployment=name),
}


@unreadable
def test_a_batch_job_whose_answer_cannot_be_read_is_looked_up_and_started_once(
    front: Front, answer: Answer
) -> None:
    front.instead["invoke"] = lambda: replace(answer, status=201)
    assert batch(front).invoke(WANTED).name == "batchjob-0"
    assert len(front.jobs) == 1


@unreadable
@pytest.mark.parametrize("where", ["list", "discovery"])
def test_nothing_is_started_while_the_jobs_cannot_be_read(front: Front, answer: Answer, where: str) -> None:
    front.instead[where] = lambda: answer
    opened = batch(front)
    for _ in range(2):
        try:
            opened.invoke(WANTED)
        except TransientError:
            assert not front.jobs
    assert len(front.jobs) == 1


def test_a_planted_job_with_our_name_is_not_ours(front: Front) -> None:
    front.jobs.append({"name": KEY, "properties": {"name": KEY, "properties": {"mlevents.key": "else"}}})
    assert batch(front).invoke(WANTED).name == "batchjob-1"


def test_the_token_follows_no_link_to_another_host(
    front: Front, cloud: ExitStack, trusted: Authority
) -> None:
    elsewhere = cloud.enter_context(Server(lambda _: Answer(body={"value": []}), trusted.context).serving())
    front.instead["list"] = lambda: Answer(body={"value": [], "nextLink": f"{elsewhere.url}/jobs"})
    with pytest.raises(PermanentError, match="nextLink names another host"):
        batch(front).invoke(WANTED)
    assert not elsewhere.requests
    assert not front.jobs


def test_a_list_that_leads_back_to_itself_ends(front: Front) -> None:
    opened = batch(front)
    place = f"{front.url}/mferp/managementfrontend{WORKSPACE}/batchEndpoints/retrain/jobs"
    link = f"{place}?api-version=2020-09-01-dataplanepreview"
    front.instead["list"] = lambda: Answer(body={"value": [], "nextLink": link})
    with pytest.raises(TransientError, match="cannot be read"):
        opened.invoke(WANTED)


@pytest.mark.parametrize(
    ("link", "page"),
    [
        ("https://A.example:443/p2", "https://A.example:443/p2"),
        ("/p2?x=1", "https://a.example/p2?x=1"),
        (None, None),
        ("", None),
    ],
)
def test_a_page_of_the_same_host_is_followed_however_it_is_written(
    link: str | None, page: str | None
) -> None:
    assert next_page("https://a.example/p1", link) == page


@pytest.mark.parametrize(
    "link",
    [
        "http://a.example/p2",
        "https://a.example.evil.example/p2",
        "https://a.example@evil.example/p2",
        "//evil.example/p2",
        "https://a.example:444/p2",
        "file:///etc/passwd",
    ],
)
def test_a_page_elsewhere_is_refused(link: str) -> None:
    with pytest.raises(PermanentError, match="no token is sent there"):
        next_page("https://a.example/p1", link)


@pytest.mark.parametrize("name", ["..", ".", "a/b", "a?b", "", "é", "a\r\nb", "a b", "%2e%2e", "网"])
@pytest.mark.parametrize("parameter", REFUSED)
def test_no_name_leads_out_of_the_path_or_breaks_a_header(front: Front, name: str, parameter: str) -> None:
    with pytest.raises(PermanentError, match=r"is not a valid batch (endpoint|deployment) name"):
        batch(front).invoke(REFUSED[parameter](name))
    assert not front.jobs


@unreadable
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_mail_whose_answer_cannot_be_read_is_sent_once(
    cloud: ExitStack, trusted: Authority, answer: Answer, method: str
) -> None:
    operations: list[str] = []
    bad = [answer]

    def service(request: Request) -> Answer:
        given = Answer(404, {"error": {"code": "OperationNotFound"}})
        if request.method == "POST":
            operations.append(request.headers["Operation-Id"])
            given = Answer(202, {"id": operations[-1], "status": "Running"})
        elif request.path.split("/")[-1].split("?")[0] in operations:
            given = Answer(body={"status": "Succeeded"})
        return (
            replace(bad.pop(), status=202 if method == "POST" else 200)
            if bad and request.method == method
            else given
        )

    server = cloud.enter_context(Server(service, trusted.context).serving())
    mail = Email.model_validate({"endpoint": server.url, "sender": "a@b.example", "to": ["t@b.example"]})
    sent = ""
    for _ in range(3):
        with suppress(TransientError):
            sent = mail.send(Message("s", "t", "k"), services({}))
        if sent:
            break
    assert "t@b.example" in sent
    assert len(operations) == 1


def test_the_answers_above_are_what_they_are_called() -> None:
    with pytest.raises(ValueError, match="Unterminated"):
        json.loads(UNREADABLE["cut"].raw or b"")
