"""Which settings the app asks its environment for."""

from typing import Any

from mlevents.settings import Settings


class RecordingEnvironment(dict[str, str]):
    """An empty environment that notes each name it is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: set[str] = set()

    def get(self, key: str, default: Any = None) -> Any:
        self.asked.add(key)
        return super().get(key, default)

    def __missing__(self, key: str) -> str:
        self.asked.add(key)
        raise KeyError(key)


def settings_asked_for() -> set[str]:
    environment = RecordingEnvironment()
    Settings.read(environment)
    return environment.asked
