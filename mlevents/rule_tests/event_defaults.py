"""What an event has that nobody wrote: enough to be one that Azure sends."""

import uuid
from collections.abc import Mapping
from typing import Any

from mlevents.events.event_forms import Form, forms

type Names = Mapping[str, Mapping[str, Any]]

BREACH = {"feature": "amount", "metric": "JensenShannonDistance", "value": 0.41, "threshold": 0.1}
BREACH_NAMES = ("breaches", "features", *BREACH)


def fill_defaults(kind: str, names: Names) -> dict[str, dict[str, Any]]:
    """The names with what is missing: an identity, and what every event of this kind says.

    Drift is one of today's monitors (v2), unless only the older generation has what is asked for.
    """
    filled = {root: dict(fields) for root, fields in names.items()}
    form = _choose_form(kind, filled)
    for root, fields in _find_defaults(form, filled).items():
        filled[root] = {**fields, **filled.get(root, {})}
    return filled


def _choose_form(kind: str, names: Names) -> Form:
    """The form that can say the most of these names, today's first."""
    generation = names.get("drift", {}).get("generation")
    asked = [
        (root, name)
        for root, fields in names.items()
        if root not in ("event", "workspace")
        for name in fields
    ]

    def compare(form: Form) -> tuple[bool, int, bool]:
        is_older = form.derived is None
        unsaid = sum(name not in form.fields.get(root, {}) for root, name in asked)
        return generation is not None and (generation == "v1") != is_older, unsaid, is_older

    return min((one for one in forms(kind) if one.derived is None or one.derived.kind == kind), key=compare)


def _find_defaults(form: Form, names: Names) -> dict[str, dict[str, Any]]:
    root, field = form.type.about
    name = f"{root}-{uuid.uuid4().hex[:8]}"
    if form.derived:
        return _default_breach(names, name)
    known: Mapping[str, dict[str, Any]] = {
        "model": {"name": "demo-model", "version": "1"},
        "deployment": {"service": "demo-endpoint", "compute_type": "ACI"},
        "run": {
            "id": name,
            "experiment": "demo",
            "experiment_id": str(uuid.uuid4()),
            "type": "azureml.PipelineRun",
            "status": "Completed",
        },
        "drift": {"monitor": "demo-monitor", "run": name, "coefficient": _find_coefficient(names)},
    }
    return {root: known.get(root, {field: name})}


def _find_coefficient(names: Names) -> float:
    value = names.get("drift", {}).get("value")
    return 0.5 if value is None else float(value)


def _default_breach(names: Names, run: str) -> dict[str, dict[str, Any]]:
    """A step of a monitor's run that found a breach; it is a run as well."""
    drift = names.get("drift", {})
    own = {"run": run, "monitor": "demo-monitor", "monitor_run": f"monitor-{uuid.uuid4().hex[:8]}"}
    said = {} if any(name in drift for name in BREACH_NAMES) else {"breaches": [BREACH]}
    step = {"experiment": "demo-monitor", "experiment_id": str(uuid.uuid4())}
    return {"drift": {**own, **said}, "run": {**step, "type": "azureml.StepRun", "status": "Failed"}}
