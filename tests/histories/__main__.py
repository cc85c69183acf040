"""Record the histories that are missing in tests/data/histories: `python -m tests.histories`.

A history is never written over: it is what an earlier release left, and today's code must replay it.
"""

from pathlib import Path

from mlevents.orchestration.versions import CURRENT
from tests.histories.recorder import written
from tests.histories.scenes import RECORDINGS

FOLDER = Path(__file__).parents[1] / "data" / "histories"


def main() -> None:
    """Write the files that are not there."""
    FOLDER.mkdir(exist_ok=True)
    for scene, record in RECORDINGS.items():
        for instance, (name, turns, end) in record().recorded.items():
            tail = instance.removeprefix("rule-1.abc").replace(".", "-")
            file = FOLDER / f"v{CURRENT}-{scene}{tail}.json"
            if not file.exists():
                file.write_text(written(name, turns, end))
                print(file.name)


if __name__ == "__main__":
    main()
