"""The sweeps' own time: a story's seconds pass in milliseconds."""

import logging
from collections.abc import Iterator

import pytest
import structlog

import engine.reconcile


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Rows are looked for as often; no log lines."""
    monkeypatch.setattr(engine.reconcile, "ROWS_EVERY_S", 0.001)
    monkeypatch.setattr(engine.reconcile, "SETTLED_S", 0.001)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.reset_defaults()
