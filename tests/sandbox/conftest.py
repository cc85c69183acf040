"""What tests against the sandbox's Resource Manager share.

A module may set `SPEED`, and `FILES`, the files beside the rule file that its steps read.
"""

from collections.abc import Iterator

import pytest

from mlevents.services.services import Services
from tests.sandbox import arm_server
from tests.sandbox.arm_server import Server, services_of, serving


@pytest.fixture(scope="module")
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running Resource Manager for the tests of one module."""
    speed = getattr(request.module, "SPEED", arm_server.SPEED)
    with serving(tmp_path_factory.mktemp("ca"), speed=speed) as running:
        yield running


@pytest.fixture
def services(
    server: Server, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Services]:
    """The app's services, with the real SDKs, against that Resource Manager."""
    with services_of(server, monkeypatch, **request.module.FILES) as found:
        yield found
