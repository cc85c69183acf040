"""The compiled filters, told by Event Grid's documented semantics: more than the rules, never less."""

from hypothesis import example, find, given, settings
from hypothesis.strategies import booleans

from mlevents.eventgrid.filter_evaluation import is_delivered
from mlevents.eventgrid.subscription_filters import compile_filters
from mlevents.events import parse
from mlevents.matching.match import plan
from sandbox.event_grid.filter_evaluation import delivers
from tests.unit.matching.where_samples import PREFIX, close_pairs, file_of, rule_of, rules, wire_events

MODEL = {
    "id": "1",
    "subject": "models/fraud:8",
    "eventType": "Microsoft.MachineLearningServices.ModelRegistered",
}
RUN = {"id": "1", "subject": "experiments/e/runs/r", "eventType": PREFIX + "RunCompleted", "data": {}}


def about_models(*wheres):
    """A file of one rule for each of these conditions on models."""
    return file_of(*(rule_of(where, name=f"r{number}") for number, where in enumerate(wheres)))


def model(**data):
    """A model's event with this `data`."""
    return "ModelRegistered", MODEL | {"data": data}


def tagged(key, condition):
    """A condition on one tag of a model."""
    return {"model": {"tags": {key: condition}}}


@settings(max_examples=200, deadline=None)
@given(rules=rules(), sent=wire_events())
@example(about_models({"model": {"version": "8"}}), model(modelVersion=8))
@example(about_models({"model": {"version": "8"}}), model())
@example(about_models(tagged("stage", "true")), model(modelTags={"stage": True}))
@example(about_models(tagged("stage", {"prefix": "0."})), model(modelTags={"stage": 0.5}))
@example(about_models(tagged("a.b", "x")), model(modelTags={"a.b": "x"}))
@example(about_models(tagged("hold", {"absent": True})), model(ModelTags={"hold": None}))
@example(about_models(tagged("hold", {"not-in": ["é"]})), model(modelTags={"hold": "É"}))
@example(about_models(tagged("hold", {"not-in": "a"}), tagged("hold", {"not-in": "b"})), model())
@example(about_models(tagged("n", {"gt": 1}), tagged("n", {"not-in": "2"})), model())
@example(file_of(rule_of({"run": {"status": "completed"}}, ("run.completed",))), ("RunCompleted", RUN))
@example(
    file_of(rule_of({"run": {"type": {"absent": True}}}, ("run.completed",))),
    ("RunCompleted", RUN | {"data": {"runType": ""}}),
)
def test_the_compiled_filter_never_drops_a_matching_event(rules, sent):
    function, document = sent
    filters = {name: one.to_json() for name, one in compile_filters(rules.rules, "narrow").items()}
    for verdict in plan(rules, parse(document)):
        if verdict.matches:
            assert delivers(filters[function], document), (verdict.rule, filters[function])


@settings(max_examples=250, deadline=None)
@given(pair=close_pairs(), cased=booleans())
@example((about_models(tagged("stage", "x")), *model(ModelName="fraud", ModelTags={"stage": "x"})), True)
@example((about_models(tagged("hold", {"absent": True})), *model(modelTags={"Hold": "x"})), False)
def test_a_safe_filter_drops_no_match_however_keys_inside_data_compare(pair, cased):
    rules, function, document = pair
    filters = compile_filters(rules.rules, "safe")
    for verdict in plan(rules, parse(document)):
        if verdict.matches:
            assert delivers(filters[function].to_json(), document, cased=cased), filters[function]


@given(rules=rules(most=6))
@settings(max_examples=100, deadline=None)
def test_a_safe_filter_asks_for_types_and_subjects_and_reports_all_that_a_narrow_one_asks_for(rules):
    safe, narrow = (compile_filters(rules.rules, width) for width in ("safe", "narrow"))
    for function, one in safe.items():
        assert one.types == narrow[function].types
        assert all(clause.key == "subject" for clause in one.clauses)
        reported = {(widened.rule, widened.path) for widened in one.widened}
        assert reported >= {(widened.rule, widened.path) for widened in narrow[function].widened}
        if narrow[function].clauses != one.clauses:
            assert any("filters: safe" in widened.reason for widened in one.widened)


@settings(max_examples=250, deadline=None)
@given(close_pairs())
def test_rules_close_to_an_event_never_drop_it(pair):
    rules, function, document = pair
    filters = compile_filters(rules.rules, "narrow")
    for verdict in plan(rules, parse(document)):
        if verdict.matches:
            assert delivers(filters[function].to_json(), document), filters[function]


@settings(max_examples=200, deadline=None)
@given(rules=rules(), sent=wire_events())
def test_what_explain_says_is_delivered_is_what_event_grid_delivers(rules, sent):
    _, document = sent
    filters = compile_filters(rules.rules, "narrow")
    told = any(delivers(one.to_json(), document) for one in filters.values())
    assert is_delivered(filters, document) is told


@given(rules=rules(most=40))
@settings(max_examples=25, deadline=None)
def test_a_filter_stays_within_the_limits_of_a_subscription(rules):
    for one in compile_filters(rules.rules, "narrow").values():
        assert len(one.clauses) <= 25
        assert sum(max(1, len(clause.values)) for clause in one.clauses) <= 25


def test_the_laws_meet_events_that_match_and_events_that_are_dropped():
    patient = settings(max_examples=3000, deadline=None)

    def dropped(found):
        rules, function, document = found
        one = compile_filters(rules.rules, "narrow")[function]
        return bool(one.clauses) and not delivers(one.to_json(), document)

    def matched(found):
        rules, function, document = found
        matches = any(verdict.matches for verdict in plan(rules, parse(document)))
        return matches and bool(compile_filters(rules.rules, "narrow")[function].clauses)

    assert find(close_pairs(), dropped, settings=patient)
    assert find(close_pairs(), matched, settings=patient)
