"""The answers of deployments, as metrics count them, and how the requests of a load are answered."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Score:
    """What a deployment answered, `count` times alike; `seconds` is what the model took for each."""

    time: float
    endpoint: str
    deployment: str
    status: int
    seconds: float
    mirrored: bool
    model_status: int = 200
    count: int = 1


@dataclass(frozen=True, slots=True)
class Profile:
    """How the requests of a load are answered; None is the model's own doing. `seconds` for each."""

    error_rate: float | None = None
    seconds: float | None = None
