"""The stored form of an alarm's order."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from engine.store.alarm_plan import dump_plan, load_plan
from engine.vocabulary.values import AlarmPlan, Wave

PLAN = AlarmPlan(
    alarm_id=5, organisation_id=1, caller_id="4930100", created_at=datetime(2026, 11, 21, 12, 0, 0, 1000, tzinfo=UTC),
    message=(("de", "Brand in Halle 3 ü\u2028\"'"), ("en", "Fire")), recording_id=None, closing=(("de", "Danke."),),
    needed=2, by_role=(("driver", 1),), key="1", decline_key="9", pin="0711", strategy="waves",
    waves=(Wave(0, (3, 4)), Wave(120.5)), rounds=3, pause_s=60, retry_on=("busy", "noAnswer"), ring_timeout_s=25,
    expires_s=1800, amd=False,
)


def test_a_plan_comes_back_as_it_was_stored() -> None:
    assert load_plan(dump_plan(PLAN)) == PLAN
    recorded = replace(PLAN, message=(), closing=(), recording_id=7, by_role=(), waves=(), strategy="parallel")
    assert load_plan(dump_plan(recorded)) == recorded


def test_what_the_database_made_of_it_is_the_same_plan() -> None:
    """jsonb keeps neither spaces nor the order of fields."""
    assert load_plan(json.dumps(dict(sorted(json.loads(dump_plan(PLAN)).items())), indent=1)) == PLAN


def test_what_is_no_plan_is_refused() -> None:
    with pytest.raises(ValueError, match="organisation_id"):
        load_plan("{}")
