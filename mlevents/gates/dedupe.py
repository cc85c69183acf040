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


def identity(value: object) -> str:
    """What makes it the same response: the value, of any JSON type, and nothing of the event."""
    return joined_parts("dedupe", json.dumps(value, sort_keys=True))
