"""A rollout that waits for an approval, as the documentation shows its page."""

import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sandbox.sandbox_process import PATIENCE, ROOT, stage, until

_RULES = """
version: 1
connections:
  leads:
    {type: smtp, host: {setting: SMTP_HOST}, port: {setting: SMTP_PORT}, tls: none,
     sender: mlevents@example.com, to: [leads@example.com]}
endpoints: "*"
rules:
  - id: first
    event: model.registered
    where: {model: {version: "1"}}
    do: [{uses: deploy_model, with: {template: deployments/small.yaml}}]
  - id: deploy-good-models
    event: model.registered
    where: {model: {version: "2", tags: {stage: production, accuracy: {gte: 0.92}}}}
    do:
      - id: deploy
        uses: deploy_model
        with:
          endpoint: "${model.name}"
          template: deployments/small.yaml
          rollout:
            steps: [{percent: 10, for: 3m}, {approve: {ask: leads, within: 100h}}, {percent: 100}]
            checks:
              - {metric: error_rate, max: 0.2, window: 3m}
              - {metric: latency_p95, max: 250ms, window: 3m}
            no_traffic: proceed
      - {uses: notify, with: {to: leads, template: model-deployed}}
"""
_LINK = re.compile(r"http://\S+/api/console/approvals/[\w.-]+/[\w-]{43}")


@contextmanager
def open_approval() -> Iterator[str]:
    """The link that a person gets by mail, in a sandbox of its own."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(ROOT / "deployments", Path(folder, "deployments"))
        Path(folder, "rules.yaml").write_text(_RULES)
        with stage(Path(folder, "rules.yaml"), 600) as app:
            good = {"stage": "production", "accuracy": "0.931", "auc": "0.972", "owner": "ada"}
            app.register("fraud-net", "1", good)
            app.settled("models/fraud-net:1")
            app.load("fraud-net", 20)
            app.register("fraud-net", "2", {**good, "accuracy": "0.947", "auc": "0.969", "owner": "grace"})

            def found() -> list[str]:
                return [link[0] for one in app.inbox() if (link := _LINK.search(str(one)))]

            yield until(found, PATIENCE, lambda: f"no link: {app.responses()}")[0]
