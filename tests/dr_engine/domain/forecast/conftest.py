"""Few trees are enough for made-up days."""

import pytest

from dr_engine.domain.forecast import learner


@pytest.fixture(autouse=True)
def few_trees(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learner, "TREES", 60)
