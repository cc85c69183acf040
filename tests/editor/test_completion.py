"""What an editor offers in a rule file: everything that `check` accepts at the cursor, and nothing else."""

from typing import Any

import pytest

from mlevents.actions.action import action
from mlevents.conditions.condition import operator
from mlevents.events import NAMES
from mlevents.events.known_values import KNOWN_VALUES
from mlevents.gates.gate import gate
from mlevents.rules.environment_file import EnvironmentSyntax
from mlevents.rules.model_fields import list_fields
from mlevents.rules.syntax import RuleFileSyntax, RuleSyntax
from mlevents.services.connection import connection
from tests.editor.language_server import LanguageServer

COMBINATORS = {"any", "all", "not"}


def in_rule(event: str, *lines: str) -> str:
    """A rule file with these lines in its one rule."""
    return f"version: 1\nrules:\n  - id: one\n    event: {event}\n" + "".join(f"    {one}\n" for one in lines)


def in_step(*lines: str) -> str:
    return in_rule("model.registered", "do:", *(f"  {one}" for one in lines))


def in_connection(*lines: str) -> str:
    return "version: 1\nconnections:\n  one:\n" + "".join(f"    {one}\n" for one in lines)


def names_of(element: Any) -> set[str]:
    return set(list_fields(element))


def test_uses_offers_every_action(editor: LanguageServer):
    offered = editor.complete(in_step("- uses: ‸"))
    assert set(offered) == set(action.names())
    assert all(item["documentation"] for item in offered.values())


@pytest.mark.parametrize(("name", "element"), action.items())
def test_with_offers_the_parameters_of_the_action(editor: LanguageServer, name: str, element: Any):
    offered = editor.complete(in_step(f"- uses: {name}", "  with:", "    ‸"))
    assert set(offered) == names_of(element)
    assert all(item["documentation"] for item in offered.values())


@pytest.mark.parametrize("kind", sorted(NAMES))
def test_where_offers_the_names_of_the_event(editor: LanguageServer, kind: str):
    assert set(editor.complete(in_rule(kind, "where:", "  ‸"))) == {*NAMES[kind], *COMBINATORS}
    for root, fields in NAMES[kind].items():
        offered = editor.complete(in_rule(kind, "where:", f"  {root}:", "    ‸"))
        assert set(offered) == {*fields, *COMBINATORS}
        assert all(offered[field]["documentation"] for field in fields)


def test_where_offers_the_names_of_each_of_several_events(editor: LanguageServer):
    offered = editor.complete(in_rule("[model.registered, model.deployed]", "where:", "  ‸"))
    assert set(offered) == {"event", "workspace", "model", "deployment", *COMBINATORS}
    assert {*NAMES["drift.detected"], *NAMES["model.registered"]} <= set(
        editor.complete(in_rule('"*"', "where:", "  ‸"))
    )


@pytest.mark.parametrize(
    ("place", "kind"),
    [("run.id", "text"), ("run.root", "boolean"), ("drift.value", "number"), ("drift.features", "list")],
)
def test_a_field_offers_the_operators_that_can_hold(editor: LanguageServer, place: str, kind: str):
    root, field = place.split(".")
    lines = ("where:", f"  {root}:", f"    {field}:", "      ‸")
    fitting = {name for name, found in operator.items() if kind in found.fits}
    assert set(editor.complete(in_rule("drift.detected", *lines))) == {*fitting, *COMBINATORS}


def test_a_tag_offers_operators_and_a_list_of_maps_its_own(editor: LanguageServer):
    lines = ("where:", "  model:", "    tags:", "      stage:", "        ‸")
    assert "prefix" in editor.complete(in_rule("model.registered", *lines))
    listed = ("where:", "  drift:", "    breaches:", "      ‸")
    assert set(editor.complete(in_rule("drift.detected", *listed))) == {"present", "absent", *COMBINATORS}
    lines = ("where:", "  drift:", "    breaches:", "      any:", "        ‸")
    items = {"feature", "metric", "value", "threshold", *COMBINATORS}
    assert set(editor.complete(in_rule("drift.detected", *lines))) == items


@pytest.mark.parametrize("keys", list(KNOWN_VALUES), ids=".".join)
def test_known_values_are_offered(editor: LanguageServer, keys: tuple[str, str]):
    lines = ("where:", f"  {keys[0]}:", f"    {keys[1]}: ‸")
    assert set(editor.complete(in_rule("drift.detected", *lines))) == set(KNOWN_VALUES[keys].values)


def test_event_offers_every_event_and_mode_every_mode(editor: LanguageServer):
    offered = editor.complete("version: 1\nrules:\n  - id: one\n    event: ‸\n")
    assert set(offered) == {*NAMES, '"*"'}
    assert all(item["documentation"] for item in offered.values())
    assert set(editor.complete(in_rule('"*"', "mode: ‸"))) == {"live", "shadow", "disabled"}


def test_a_rule_offers_its_keys_and_the_gates_that_fit_its_events(editor: LanguageServer):
    common = set(RuleSyntax.model_fields) - {"id", "event"}
    of_models = set(editor.complete(in_rule("model.registered", "‸")))
    assert of_models == {*common, *gate.names()} - {"recovered"}
    assert set(editor.complete(in_rule("drift.detected", "‸"))) == {*common, *gate.names()} - {"require"}


@pytest.mark.parametrize("name", [name for name, found in gate.items() if names_of(found) != {"root"}])
def test_a_gate_offers_its_keys(editor: LanguageServer, name: str):
    event = "run.completed" if name == "recovered" else "model.registered"
    offered = editor.complete(in_rule(event, f"{name}:", "  ‸"))
    assert set(offered) == names_of(gate.find(name))
    assert all(item["documentation"] for item in offered.values())


def test_the_file_offers_its_sections(editor: LanguageServer):
    assert set(editor.complete("‸\n")) == set(RuleFileSyntax.model_fields)


def test_a_connection_offers_types_first_and_then_the_parameters_of_its_type(editor: LanguageServer):
    assert set(editor.complete(in_connection("‸"))) == {"type"}
    assert set(editor.complete(in_connection("type: ‸"))) == set(connection.names())
    for name, element in connection.items():
        offered = editor.complete(in_connection(f"type: {name}", "‸"))
        assert set(offered) == names_of(element)
        assert all(item["documentation"] for item in offered.values())


def test_a_rollout_offers_its_keys_at_every_level(editor: LanguageServer):
    lines = ("- uses: deploy_model", "  with:", "    rollout:")
    assert {"mirror", "checks"} <= set(editor.complete(in_step(*lines, "      ‸")))
    mirror = editor.complete(in_step(*lines, "      mirror:", "        ‸"))
    assert set(mirror) == {"percent", "for", "timeout"}
    metrics = editor.complete(in_step(*lines, "      checks:", "        - metric: ‸"))
    assert {"error_rate", "latency_p95", "requests"} <= set(metrics)


def test_a_template_of_notify_is_offered(editor: LanguageServer):
    offered = editor.complete(in_step("- uses: notify", "  with:", "    template: ‸"))
    assert {"run-failed", "model-deployed"} <= set(offered)


def test_a_test_offers_events_their_fields_and_expectations(editor: LanguageServer):
    head = "version: 1\ntests:\n  - name: one\n"
    assert set(editor.complete(f"{head}    given:\n      ‸\n")) == set(NAMES)
    for root in ("event", "model"):
        offered = editor.complete(
            f"{head}    given:\n      model.registered:\n        {root}:\n          ‸\n"
        )
        assert set(offered) == set(NAMES["model.registered"][root])
    assert set(editor.complete(f"{head}    expect:\n      ‸\n")) == {"match", "not", "only", "dedupe"}


def test_an_environment_file_offers_its_sections_and_modes(environment: LanguageServer):
    assert set(environment.complete("‸\n")) == set(EnvironmentSyntax.model_fields)
    assert set(environment.complete("modes:\n  one: ‸\n")) == {"live", "shadow", "disabled"}
    sizes = environment.complete("templates:\n  deployments/small.yaml:\n    ‸\n")
    assert set(sizes) == {"instance_type", "instance_count"}
    changed = environment.complete("connections:\n  one:\n    type: smtp\n    ‸\n")
    assert set(changed) == names_of(connection.find("smtp"))
