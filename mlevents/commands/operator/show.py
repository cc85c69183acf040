"""`show`: one response with all that is known of it."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from mlevents.commands.command import AsJson, command, print_json, print_line
from mlevents.commands.explain_rule import CONDITION_MARKS
from mlevents.commands.live_feed import BAD_MARK, MARKS
from mlevents.commands.operator.app_options import AppOptions, exit_when_refused
from mlevents.commands.operator.response_list import ResponseId, find_response_id
from mlevents.commands.operator.responses import format_moment
from mlevents.commands.option_groups import expand_options
from mlevents.duration import format_duration
from mlevents.explanations.value_format import format_condition, format_found, shorten_subject

STEP_MARKS = MARKS | {"skipped": ("·", "dim"), "stopped": BAD_MARK}
VERDICT_MARKS = {"healthy": CONDITION_MARKS[True], "breached": CONDITION_MARKS[False]}
_LOG_LINES = 10
INNER = " " * 6

type Line = tuple[str | tuple[str, str], ...]


@command("show")
@expand_options
def print_response(id: ResponseId, target: AppOptions, as_json: AsJson = False) -> None:
    """Show one response: its steps with phases and checks, its log, why its rule matched, its links."""
    with exit_when_refused():
        app = target.open()
        found = app.read(f"responses/{quote(find_response_id(app, id), safe='')}")
    if as_json:
        print_json(found)
        return
    for line in describe_response(found):
        print_line(*line)


def describe_response(found: Mapping[str, Any]) -> Iterator[Line]:
    """The lines that show a response."""
    yield from _describe_head(found)
    if found.get("gates"):
        yield (("Gates", "bold"),)
    for gate in found.get("gates") or ():
        yield _describe_gate(gate)
    if found["steps"]:
        yield (("Steps", "bold"),)
    for step in found["steps"]:
        yield from _describe_step(step)
    yield from _describe_conditions(found.get("explanation") or ())
    if found.get("log"):
        yield (("What operators did", "bold"),)
    for entry in found.get("log") or ():
        reason = f": {entry['reason']}" if entry["reason"] else ""
        effect = f" ({entry['effect']})" if entry["effect"] else ""
        yield (
            "  ",
            (format_moment(entry["time"]), "dim"),
            f"  {entry['verb']} by {entry['by']}{reason}{effect}",
        )
    if found.get("links"):
        yield (("Links", "bold"),)
    for link in found.get("links") or ():
        yield (f"  {link['kind']} {link['name']}: {link['url']}",)


def _describe_head(found: Mapping[str, Any]) -> Iterator[Line]:
    event, because = found["event"], _join_words(found["because"] or "")
    for step in found["steps"]:  # its line says the rest
        if step["detail"]:
            because = because.removesuffix(f": {_join_words(step['detail'])}")
    because = f": {because}" if because else ""
    yield ((found["id"], "bold"),)
    yield "  ", STEP_MARKS.get(found["status"], BAD_MARK), f" {found['status']}{because}"
    attempt = f", attempt {found['attempt']}" if found.get("attempt", 1) > 1 else ""
    took = format_duration(round(found.get("duration") or 0, 1))
    yield ("  ", ("began  ", "dim"), f"{format_moment(found['created'])}, took {took}{attempt}")
    subject = shorten_subject(event.get("subject") or "")
    yield (
        "  ",
        ("event  ", "dim"),
        f"{event.get('type') or 'unreadable'}  {subject}  {event.get('id') or ''}",
    )
    if topic := event.get("topic"):
        yield ("  ", ("from   ", "dim"), shorten_subject(topic))


def _describe_gate(gate: Mapping[str, Any]) -> Line:
    mark = STEP_MARKS.get({"passed": "done"}.get(gate["status"], gate["status"]), BAD_MARK)
    until = f", until {format_moment(gate['until'])}" if gate.get("until") else ""
    detail = f": {_join_words(gate['detail'])}" if gate["detail"] else ""
    return ("  ", mark, " ", (gate["gate"], "bold"), f" {gate['status']}{detail}{until}")


def _describe_step(step: Mapping[str, Any]) -> Iterator[Line]:
    name = step["id"] if step["id"] == step["uses"] else f"{step['id']} ({step['uses']})"
    detail = f": {_join_words(step['detail'])}" if step["detail"] else ""
    yield "  ", STEP_MARKS.get(step["status"], BAD_MARK), " ", (name, "bold"), f" {step['status']}{detail}"
    for phase in step.get("phases") or ():
        took = format_duration(round(phase["seconds"], 1))
        yield INNER, (f"{phase['phase']}, {took}: ", "dim"), _join_words(phase["detail"])
        for check in phase.get("checks") or ():
            mark = VERDICT_MARKS.get(check["verdict"], CONDITION_MARKS[None])
            yield f"{INNER}  ", mark, f" {describe_check(check)}"
    lines = step.get("log") or ()
    if lines:
        yield INNER, ("container log", "dim")
    for line in lines[-_LOG_LINES:]:
        yield f"{INNER}  ", (_join_words(line), "dim")


def describe_check(check: Mapping[str, Any]) -> str:
    """A check: its value against its limits, and against the stable deployment."""
    least, most, stable = check.get("min"), check.get("max"), check.get("stable")
    limits = [f"at least {least:.4g}"] if least is not None else []
    limits += [f"at most {most:.4g}"] if most is not None else []
    value = "no value" if check.get("value") is None else f"{check['value']:.4g}"
    beside = "" if stable is None else f", stable has {stable:.4g}"
    limit = f" (limit: {' and '.join(limits)}{beside})" if limits else ""
    return f"{check['metric']}: {value}{limit}: {check['verdict']}"


def _describe_conditions(lines: Any) -> Iterator[Line]:
    if lines:
        yield (("Why the rule matched", "bold"),)
    for line in lines:
        indent = "  " + "  " * line["depth"]
        if line["holds"] is None:
            yield (f"{indent}{line['name']}",)
        else:
            yield indent, CONDITION_MARKS[line["holds"]], f" {_describe_condition(line)}"


def _describe_condition(line: Mapping[str, Any]) -> str:
    if line["wanted"] is None:
        return str(line["name"])
    return f"{line['name']} {format_condition(line['wanted'])}: {format_found(line['found'])}"


def _join_words(text: str) -> str:
    return " ".join(text.split())
