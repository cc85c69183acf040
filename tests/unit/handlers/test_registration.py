"""Everything that has functions is registered, and every function that is registered is there."""

from pkgutil import resolve_name

import pytest

from mlevents.handlers import responses, timers
from mlevents.handlers.registration import MODULES
from sandbox.sandbox_process import ROOT

PLACES = [
    *responses.ORCHESTRATORS.values(),
    *responses.ENTITIES.values(),
    *responses.ACTIVITIES.values(),
    *responses.HUB_ACTIVITIES.values(),
    *(place for _, place in timers.TIMERS.values()),
]


def test_every_module_with_functions_is_registered():
    files = (ROOT / "mlevents" / "handlers").glob("*.py")
    found = {file.stem for file in files if "blueprint = Blueprint()" in file.read_text(encoding="utf-8")}
    assert found == {module.__name__.rpartition(".")[2] for module in MODULES}


@pytest.mark.parametrize("place", PLACES)
def test_what_is_imported_at_the_first_call_is_there(place: str):
    assert callable(resolve_name(place))
