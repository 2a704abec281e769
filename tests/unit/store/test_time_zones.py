"""Which clocks hang where a phone number is."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from phonenumbers.tzdata import TIMEZONE_DATA

from engine.store.time_zones import zone, zone_of_country, zones_of


@pytest.mark.parametrize("number, names", [
    ("+4930231251234", ["Europe/Berlin"]),
    ("+4915123456789", ["Europe/Berlin"]),
    ("+12125551234", ["America/New_York"]),
    ("+14155552671", ["America/Los_Angeles"]),
    ("+919876543210", ["Asia/Calcutta"]),
    ("+12120001234", ["America/New_York"]),  # not valid by the tables, but of New York
    ("+870773111632", []),  # a satellite
    ("+999123456", []),
    ("+49", []),
    ("", []),
    ("030555123", []),
])
def test_zones_of_a_number(number: str, names: list[str]) -> None:
    assert [it.key for it in zones_of(number)] == names


def test_a_number_of_no_place_has_all_the_zones_of_its_country() -> None:
    names = {it.key for it in zones_of("+18005551234")}
    assert {"America/New_York", "America/Los_Angeles", "Pacific/Honolulu"} <= names


def test_every_zone_of_the_tables_is_one_of_the_data() -> None:
    names = {name for zones in TIMEZONE_DATA.values() for name in zones} - {"Etc/Unknown"}
    assert [name for name in names if zone(name) is None] == []


@pytest.mark.parametrize("name", [
    "", "Europe", "Europe/Nowhere", "europe/berlin ", "../etc/passwd", "/etc/passwd", "zone.tab", "\0", "\ud800",
    "x" * 5000,
])
def test_what_is_no_zone(name: str) -> None:
    assert zone(name) is None


def test_a_zone_by_name() -> None:
    found = zone("Europe/Berlin")
    assert found is ZoneInfo("Europe/Berlin")
    assert datetime(2026, 7, 1, 12, tzinfo=found).isoformat() == "2026-07-01T12:00:00+02:00"


@pytest.mark.parametrize("country, name", [
    ("DE", "Europe/Berlin"), ("AT", "Europe/Vienna"), ("FR", "Europe/Paris"), ("IT", "Europe/Rome"),
    ("US", None), ("ES", None), ("RU", None), ("", None), ("XX", None)])
def test_a_country_has_a_zone_when_all_its_clocks_show_the_same(country: str, name: str | None) -> None:
    found = zone_of_country(country)
    assert (found and found.key) == name


def test_islands_with_the_time_of_their_country_do_not_matter() -> None:
    found = zone_of_country("GB")
    assert found is not None and datetime(2026, 7, 1, tzinfo=found).utcoffset() == timedelta(hours=1)
