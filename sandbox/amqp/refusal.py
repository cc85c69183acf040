"""Why something is refused: https://docs.oasis-open.org/amqp/core/v1.0/os/ (2.8.14 to 2.8.18)."""

from dataclasses import dataclass

from sandbox.amqp.encoding import Described, Symbol

ERROR = 0x1D


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error of AMQP: its condition, and a text for people."""

    condition: str
    text: str

    def describe(self) -> Described:
        """As it is sent."""
        return Described(ERROR, [Symbol(self.condition), self.text, None])
