"""A template that Azure ML refuses is a problem of the rule file, before any rule acts."""

from pathlib import Path

import pytest

from mlevents.actions.deploy_model.parameters import Limits
from mlevents.actions.deploy_model.template_check import check_deployment_template
from mlevents.errors import PermanentError, RulesError
from mlevents.rules.file import load_rules
from mlevents.settings import Settings

RULES = """\
version: 1
rules:
  - id: deploy
    event: model.registered
    do: [{uses: deploy_model, with: {endpoint: fraud, template: small.yaml}}]
"""


def test_each_fault_has_its_line_in_the_template(tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_text(RULES)
    (tmp_path / "small.yaml").write_text(
        "instance_type: S\ninstance_count: many\nliveness_probe:\n  perod: 5\n"
    )
    with pytest.raises(RulesError) as caught:
        load_rules(tmp_path / "rules.yaml", Settings(environment={}))
    (problem,) = caught.value.problems
    assert (problem.line, problem.path) == (5, "rules[0].do[0].with")
    assert problem.text == (
        "small.yaml:2:1: instance_count: must be a whole number of at least 1, not the text 'many'; "
        "small.yaml:4:3: liveness_probe.perod: unknown key (did you mean 'period'?)"
    )


def test_at_most_three_faults_are_named() -> None:
    with pytest.raises(PermanentError) as caught:
        check_deployment_template("small.yaml", "a: 1\nb: 1\nc: 1\nd: 1\n", None)
    assert str(caught.value).count("small.yaml:") == 3


def test_the_limit_counts_a_template_that_azure_ml_takes() -> None:
    text = "instance_type: S\ninstance_count: {}\n"
    check_deployment_template("small.yaml", text.format(2), Limits(instances=2))
    with pytest.raises(PermanentError, match="asks for 3 instances, more than limits"):
        check_deployment_template("small.yaml", text.format(3), Limits(instances=2))
