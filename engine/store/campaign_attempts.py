"""Rows of claimed attempts as `campaign_ports.Attempt`. Used by `campaign_claims.py` alone."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

import phonenumbers

from engine.campaign_ports import Attempt
from engine.store.dialable import refusal
from engine.vocabulary.program import RetryRules

if TYPE_CHECKING:
    import asyncpg

DESTINATION = "transmission:destination:phone"  # ICTCore's placeholder of the number that is called
FIELDS = ("first_name", "last_name", "phone", "email", "address", "custom1", "custom2", "custom3", "description")


def unfit(row: "asyncpg.Record") -> str | None:
    """Why nobody can be called by it, whatever is tried."""
    if row["program_type"] is None:
        return "its program was deleted"
    if row["direction"] == "inbound":
        return None
    if row["number"] is None:
        return "no phone number"
    if row["has_opted_out"]:
        return "do not call"
    if row["caller_id"] is None:
        return "the organization has no number to show"
    found = refusal(row["number"], frozenset(row["countries"]))
    return None if found is None else found.why[:80]


def attempt(row: "asyncpg.Record") -> Attempt:
    retry = json.loads(row["retry"] or "{}")
    default = RetryRules()
    rules = RetryRules(retry.get("busyS", default.busy_s), retry.get("noAnswerS", default.no_answer_s),
                       retry.get("failedS", default.failed_s))
    return Attempt(
        row["call_id"], row["spool_id"], row["transmission_id"], row["campaign_id"], row["organisation_id"],
        row["program_type"] or "", json.loads(row["program"] or "{}"), (row["number"] or "+")[1:],
        (row["caller_id"] or "+")[1:], row["contact_language"] or row["language"], _fields(row, row["title"]),
        row["try_allowed"] - row["try_done"], rules, row["opt_out_key"],
        _digits(row["extension"] or "", row["country"]), frozenset(number[1:] for number in row["hotlines"]),
        frozenset(row["countries"]), row["calls_per_second"])


def coming(row: "asyncpg.Record") -> Attempt:
    return Attempt(
        "", 0, 0, row["campaign_id"], row["organisation_id"], row["program_type"], json.loads(row["program"]),
        row["number"][1:], "", row["contact_language"] or row["language"], _fields(row, ""), 0, RetryRules())


def _fields(row: "asyncpg.Record", title: str) -> Mapping[str, str]:
    named = {"number": row["number"] or "", "title": title, DESTINATION: row["number"] or ""}
    return {name: row[name] or "" for name in FIELDS} | named


def _digits(phone: str, country: str) -> str:
    """E.164 digits; national forms are read in the organisation's country. '' for what is no number."""
    try:
        number = phonenumbers.parse(phone, country)
    except phonenumbers.NumberParseException:
        return ""
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)[1:]
