"""One response for each value of this, instead of one for each event.

```yaml
dedupe: "${drift.monitor_run}"
```

The value stands in the response's id, so that a second event with the same value finds the response
there, whenever it comes. `drift.monitor_run` is one for all signals of a monitor's run, each of which has
a run of its own. Name the workspace in it where two workspaces may have the same value.
"""

import json

from mlevents.canonical import joined_parts

REMEDY = "name one value, such as ${drift.monitor_run}, or write several into one text"


def identity(value: object) -> str:
    """What makes it the same response: the value, and nothing of the event.

    Raises ValueError for a map or a list, of which nobody can say when it is the same.
    """
    if isinstance(value, dict | list):
        kind = "a map" if isinstance(value, dict) else "a list"
        raise ValueError(f"the value is {kind}: {REMEDY}")  # noqa: TRY004 - a value, not a type of ours
    return joined_parts("dedupe", json.dumps(value, sort_keys=True))
