"""The page at `/` of the functions address: publish events, read the inbox, switch faults, set load.

`GET /` is the page, `GET /sandbox/live` its parts that change by themselves, `POST /sandbox/…` its forms. It
works without scripts, and while the app is down.
"""

import time
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from mlevents.events import NAMES
from sandbox.console.chat import list_chat, read_senders
from sandbox.console.fault_switches import list_switches
from sandbox.console.load_sliders import list_loads
from sandbox.console.page_forms import REFUSALS, Form, PageForms, Submit
from sandbox.console.page_rendering import answer_static, render_template
from sandbox.console.publication_view import describe_publications, read_responses
from sandbox.console.request_guard import find_refusal
from sandbox.console.sandbox_parts import SandboxParts
from sandbox.console.trial_events import read_tests
from sandbox.host.functions_host import NO_HOST

ROOT = "/sandbox"
LATEST_EVENTS = 6
FIELDS = ("type", "workspace", "name", "tags", "more")
"""Of the form for an event of one's own."""


class SandboxPage:
    """The page of one sandbox."""

    def __init__(self, sandbox: SandboxParts) -> None:
        self._sandbox = sandbox
        self._forms = PageForms(sandbox)
        self._version = int(time.time())

    def routes(self) -> list[web.RouteDef]:
        """Where the page answers, on the address of the Functions host."""
        submits = self._forms.by_name().items()
        return [
            web.get("/", self._answer_home),
            web.get(f"{ROOT}/live", self._answer_live),
            web.get(f"{ROOT}/static/{{name}}", self._answer_static),
            *(web.post(f"{ROOT}/{name}", self._bind(submit)) for name, submit in submits),
        ]

    async def _answer_home(self, request: web.Request) -> web.Response:
        """The page; a program that asks while the app is down gets the answer of a host that is down."""
        is_browser = "text/html" in request.headers.get("Accept", "") or "HX-Request" in request.headers
        if not (is_browser or self._sandbox.is_running):
            return web.Response(status=503, text=NO_HOST)
        return self._refuse(request) or await self._show()

    async def _answer_live(self, request: web.Request) -> web.Response:
        if refused := self._refuse(request):
            return refused
        return render_template("live.html", **await self._describe())

    async def _answer_static(self, request: web.Request) -> web.Response:
        return self._refuse(request) or answer_static(request.match_info["name"])

    def _bind(self, submit: Submit) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def answer(request: web.Request) -> web.Response:
            if refused := self._refuse(request):
                return refused
            form = {name: str(value) for name, value in (await request.post()).items()}
            try:
                place = await submit(form)
            except REFUSALS as error:
                return await self._show(400, str(error.args[0] if error.args else error), form)
            return web.Response(status=303, headers={"Location": f"/#{place}"})

        return answer

    async def _show(self, status: int = 200, error: str = "", form: Form | None = None) -> web.Response:
        sandbox = self._sandbox
        names = {
            "tests": await read_tests(sandbox.rules, sandbox.read_environment()),
            "kinds": list(NAMES),
            "workspaces": sandbox.read_ready()["workspaces"],
            "error": error,
            "form": dict.fromkeys(FIELDS, "") | dict(form or {}),
            "version": self._version,
        }
        return render_template("page.html", status, **names, **await self._describe())

    async def _describe(self) -> dict[str, Any]:
        """What the live parts of the page show."""
        sandbox, ready = self._sandbox, self._sandbox.read_ready()
        url = f"{sandbox.host.url}{sandbox.api}"
        responses = await read_responses(url, sandbox.host.key) if sandbox.is_running else []
        latest = sandbox.event_grid.journal.list_latest(LATEST_EVENTS)
        return {
            "api": sandbox.api,
            "state": sandbox.host.state,
            "fault": sandbox.host.error,
            "publications": describe_publications(latest, responses),
            "messages": list_chat(sandbox.inbox.messages, read_senders(sandbox.rules, ready["settings"])),
            "switches": list(list_switches(sandbox.arm.faults)),
            "faults": [fault.to_json() for fault in sandbox.arm.faults.list_faults()],
            "loads": list(list_loads(sandbox.arm.workspaces, sandbox.arm.load)),
        }

    def _refuse(self, request: web.Request) -> web.Response | None:
        if refusal := find_refusal(request):
            return web.Response(status=403, text=refusal)
        return None if self._sandbox.is_up else web.Response(status=503, text=NO_HOST)
