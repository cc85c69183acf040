"""What a sandbox runs, and how; and why it cannot."""

from dataclasses import dataclass
from pathlib import Path

from sandbox.event_grid import topic

CHECKOUT = Path(__file__).resolve().parent.parent
ROOT = CHECKOUT if (CHECKOUT / "function_app.py").is_file() else Path.cwd()
"""The folder of the app: the checkout of mlevents, else with the installed package the current folder."""


@dataclass(frozen=True, slots=True)
class Options:
    """What runs, and how; without `rules`, the app uses its own default.

    `env` is the environment of the rules.

    `twice` executes every activity twice; `deliver_twice` delivers every event twice. `dead_letters`
    is a folder that receives dead letters as the storage container would. `real` names settings, or
    connections with their address in the rule file, that lead to the real receiver. `reload` restarts the
    app when a file of the rules changes; `attached` is for a program that has started the sandbox. With
    `keys` the host asks for a function key, and the app takes itself for a deployed one.
    """

    port: int = 7071
    rules: Path | None = None
    speed: float = 1.0
    ready_file: Path | None = None
    twice: bool = False
    deliver_twice: bool = False
    dead_letters: Path | None = None
    app: Path = ROOT
    script: str = "function_app.py"
    functions: tuple[str, ...] = topic.FUNCTIONS
    env: str = ""
    real: tuple[str, ...] = ()
    reload: bool = False
    attached: bool = False
    keys: bool = False


class PortTakenError(Exception):
    """Another process listens on the port."""


class RealReceiverError(Exception):
    """`real` names what cannot be used."""
