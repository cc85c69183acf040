"""What the tests of the deployment share."""

from pathlib import Path

import pytest

from tests.infra.deployment_project import Azure, make_project


@pytest.fixture
def azure(tmp_path: Path) -> Azure:
    """A project of its own, and an Azure that answers from a file."""
    return make_project(tmp_path)
