"""What a campaign's counts say of how far it is."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api.ringward.campaign_mapping import columns, progress
from api.ringward.campaign_schemas import CampaignBody, Window
from engine.store.campaigns import Figures

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
RUNNING = Figures(status="running", contact_total=100, transmissions=40, cpm=60, calls_per_second=None, has_more=True,
                  figures={"transmission completed": 20, "transmission failed": 5, "transmission invalid": 3,
                           "transmission removed": 2, "answered": 24, "busy": 8},
                  pending=1, postponed=4, processing=2, live=1, started=20)


def test_who_waits_for_another_attempt_is_what_is_left_over() -> None:
    told = progress(RUNNING, NOW).transmissions
    assert told.retry == 40 - 1 - 2 - 20 - 5 - 3 - 2
    assert progress(replace(RUNNING, transmissions=0), NOW).transmissions.retry == 0


def test_answered_are_those_of_attempts_that_ended() -> None:
    assert progress(RUNNING, NOW).answerRate == 0.75
    assert progress(replace(RUNNING, figures={}), NOW).answerRate is None


@pytest.mark.parametrize(("change", "seconds"), [
    ({}, (56 + 4 + 1 + 7) / 2),                             # by the two calls a second of now
    ({"has_more": False}, (4 + 1 + 7) / 2),
    ({"started": 0}, 56 + 4 + 1 + 7),                       # before the first ones by cpm
    ({"started": 0, "calls_per_second": 0.5}, (56 + 4 + 1 + 7) / 0.5)])
def test_the_end_is_estimated_by_the_calls_a_second(change: dict[str, Any], seconds: float) -> None:
    assert progress(replace(RUNNING, **change), NOW).estimatedEnd == NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize("status", ["new", "paused", "completed", "broken"])
def test_what_does_not_run_has_no_end(status: str) -> None:
    assert progress(replace(RUNNING, status=status), NOW).estimatedEnd is None


def test_a_very_long_list_ends_some_time() -> None:
    endless = replace(RUNNING, contact_total=10**15, started=0, calls_per_second=0.001)
    assert progress(endless, NOW).estimatedEnd == NOW + timedelta(days=3650)


def test_settings_become_columns() -> None:
    window = Window.model_validate({"from": "22:00", "to": "06:00", "weekdays": [7, 1, 7]})
    body = CampaignBody(window=window, dncListIDs=[3, 3, 4])
    made = columns(body, ["+4930100", "+4930100"], "DE")
    assert made["call_window"] == {
        "from": "22:00", "to": "06:00", "weekdays": [1, 7], "country": "DE", "holidays": False}
    assert (made["dnc_list_ids"], made["caller_ids"], made["channels"]) == ([3, 4], ["+4930100"], None)
    assert made["retry"] == {"busyS": 300, "noAnswerS": 1800, "failedS": 600}
