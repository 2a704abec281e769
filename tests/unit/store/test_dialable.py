"""Numbers that are never dialled, as a table."""

import pytest

from engine.store.dialable import refusal

GERMANY = frozenset({"DE"})


@pytest.mark.parametrize(("number", "rule"), [
    # emergency and service short codes, however they are written, also with digits behind them
    ("+49112", "service-number"), ("+49110", "service-number"), ("+4911212345", "service-number"),
    ("+49116117", "service-number"), ("+49115", "service-number"), ("+4911833", "service-number"),
    ("+490112", "service-number"), ("+4900110", "service-number"), ("+430133", "service-number"),
    ("+390112", "service-number"), ("+490116117", "service-number"),
    ("+43144", "service-number"), ("+41117", "service-number"), ("+1911", "service-number"),
    ("+44999", "service-number"),
    ("+39112", "service-number"), ("+33112", "service-number"),
    ("+499001234567", "premium-rate-number"), ("+19005551234", "premium-rate-number"),
    ("+449098790123", "premium-rate-number"),
    ("+491801234567", "shared-cost-number"), ("+491371234567", "shared-cost-number"),
    ("+881612345678", "satellite-number"), ("+870773123456", "satellite-number"),
    ("+88216123456", "satellite-number"),
    ("+883510001234567", "satellite-number"), ("+979123456789", "satellite-number"),
    ("+80012345678", "satellite-number"),
    # with digits too few or too many they are what they are
    ("+4990012", "premium-rate-number"), ("+4990012345678901", "premium-rate-number"),
    ("+4909001234567", "premium-rate-number"), ("+49009001234567", "premium-rate-number"),
    ("+49137", "shared-cost-number"), ("+49180123", "shared-cost-number"), ("+49180123456789", "shared-cost-number"),
    ("+99912", "invalid-number"), ("+0", "invalid-number"), ("+431", "invalid-number"),
    ("+12225550123", "invalid-number"),     # no area code: of which of the countries with +1 is it?
    # of a range that is newer than phonenumbers, or with a digit missing: not worth the alarm of all others
    ("+49301", None), ("+4915999", None), ("+493012", None),
    ("+436641234567", "country-not-allowed"), ("+12025550123", "country-not-allowed"),
    ("+447624123456", "country-not-allowed"),
    ("+4930555123", None), ("+491701234567", None), ("+498001234567", None),
    ("+4930112", "service-number"), ("+49221110", "service-number"), ("+49301121234", None)])
def test_what_an_organisation_of_germany_may_dial(number: str, rule: str | None) -> None:
    refused = refusal(number, GERMANY)
    assert (refused and refused.rule) == rule


def test_the_organisations_list_counts_and_countries_of_one_code_are_told_apart() -> None:
    assert refusal("+436641234567", frozenset({"AT"})) is None
    assert refusal("+4930555123", frozenset({"AT"})) is not None
    assert refusal("+12025550123", frozenset({"US"})) is None
    assert refusal("+14165550123", frozenset({"US"})) is not None       # Canada
    assert refusal("+499001234567", frozenset({"DE", "AT"})) is not None
