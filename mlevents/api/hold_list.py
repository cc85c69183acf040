"""What operators hold now, as the API shows it."""

from collections import Counter
from dataclasses import dataclass

from durabletask.client import AsyncTaskHubGrpcClient

from mlevents.orchestration.intervention import Intervention
from mlevents.responses.held_list import count_held, list_held
from mlevents.responses.holds import EVERYTHING, HoldState, read_holds


@dataclass(frozen=True, slots=True)
class HoldView:
    """One hold: `rule` is null for that of everything; `waiting` counts its responses that wait."""

    rule: str | None
    by: str
    reason: str
    since: str
    waiting: int


@dataclass(frozen=True, slots=True)
class HoldList:
    """Every hold; `releasing` are the rules whose held responses act now, in order, null for everything.

    `waiting` counts all responses that wait, also behind those that are acting.
    """

    holds: list[HoldView]
    releasing: list[str | None]
    waiting: int


@dataclass(frozen=True, slots=True)
class HoldSituation:
    """The holds, and how many responses of each rule wait."""

    state: HoldState
    waiting: Counter[str]

    def view(self, scope: str) -> HoldView | None:
        """The hold of a rule, or of everything, if there is one."""
        found = self.state.holds.get(scope)
        if found is None:
            return None
        count = self.waiting.total() if scope == EVERYTHING else self.waiting[scope]
        return _view(name_scope(scope), found, count)

    def view_of_rule(self, rule: str) -> HoldView | None:
        """What holds a rule: its own hold, else that of everything."""
        own = self.view(rule)
        everything = None if own else self.state.holds.get(EVERYTHING)
        return _view(None, everything, self.waiting[rule]) if everything else own

    def view_all(self) -> HoldList:
        """Everything for people."""
        views = [view for scope in self.state.holds if (view := self.view(scope))]
        return HoldList(views, [name_scope(one) for one in self.state.releases], self.waiting.total())


async def read_hold_list(client: AsyncTaskHubGrpcClient) -> HoldSituation:
    """The holds now; lists what runs only if there is a hold, or a release under way."""
    state = await read_holds(client)
    held = await list_held(client) if state.holds or state.releases else []
    return HoldSituation(state, count_held(held))


def name_scope(scope: str) -> str | None:
    """The rule of a scope; None for everything."""
    return None if scope == EVERYTHING else scope


def _view(rule: str | None, hold: Intervention, waiting: int) -> HoldView:
    return HoldView(rule, hold.by, hold.reason, hold.time, waiting)
