"""The sweeps' own time: a story's seconds pass in milliseconds."""

import logging
from collections.abc import Iterator
from datetime import timedelta

import pytest
import structlog

import engine.campaigns
import engine.kept_recordings
import engine.reconcile
import engine.store.campaign_claims


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Rows are looked for as often; no log lines."""
    monkeypatch.setattr(engine.reconcile, "ROWS_EVERY_S", 0.001)
    monkeypatch.setattr(engine.reconcile, "SETTLED_S", 0.001)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.reset_defaults()


@pytest.fixture
def eager(quick: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is due is looked for at every turn, and what never began is free at once."""
    for name in ("SHORTEST_PAUSE_S", "LONGEST_PAUSE_S", "FREE_EVERY_S"):
        monkeypatch.setattr(engine.campaigns, name, 0.0)
    monkeypatch.setattr(engine.kept_recordings, "EVERY_S", 0.001)
    # in the second that a leg may be missing in a snapshot no time goes by in a story
    monkeypatch.setattr(engine.reconcile, "CHANNELS_EVERY_S", 0.005)


@pytest.fixture
def eager_postgres(eager: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """As `eager`, as fast as a database answers; its own pauses go by the time of this machine."""
    for name in ("SHORTEST_PAUSE_S", "LONGEST_PAUSE_S"):
        monkeypatch.setattr(engine.campaigns, name, 0.004)
    for name in ("LOOK_AGAIN", "FULL_AGAIN"):
        monkeypatch.setattr(engine.store.campaign_claims, name, timedelta(milliseconds=3))
