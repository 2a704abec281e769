"""Guards taken out of the product one at a time, and the tests that must turn red. Run by test_mutants.py.

A mutant's `old` text must be found exactly once: a refactoring that moves a guard moves its mutant.
"""

from dataclasses import dataclass
from pathlib import Path

from engine.store.queries import SQL
from tests.torture.organisation_queries import found, without_organisation

_CALL = "tests/unit/test_call.py"
_ORDERS = "tests/unit/switch/test_orders.py"
_ALARM = "tests/contract/test_switch_alarm.py"
_CALLS = "tests/contract/test_calls_store.py"
_IDS = "tests/integration"


@dataclass(frozen=True, slots=True)
class Mutant:
    name: str
    file: str
    old: str
    new: str
    killers: tuple[str, ...]


MUTANTS = (
    Mutant("the acknowledge check removed: whoever answers has acknowledged", "dialplans/asterisk/alarm.conf",
           'GotoIf($["${RW_D}" = "${RW_K}"]?pressed)', "Goto(pressed)", (f"{_ALARM}::test_silence_is_not_reached",)),
    Mutant("the accept check removed: any key takes the caller", "engine/flows/hotline.py",
           "return agent_accepted(state, leg, at) if digits == ACCEPT_KEY else agent_silent(state, leg)",
           "return agent_accepted(state, leg, at)", ("tests/unit/flows/test_hotline.py",)),
    Mutant("the commit moved after Originate", "engine/call.py",
           "            try:\n                await self._save(done)\n",
           "            self._execute(done)\n            done.orders = {}\n            try:\n"
           "                await self._save(done)\n",
           (f"{_CALL}::test_nothing_reaches_the_switch_before_the_commit",)),
    Mutant("ChannelId removed", "engine/switch/asterisk/orders.py",
           '("Action", "Originate"), ("ActionID", leg), ("ChannelId", leg),',
           '("Action", "Originate"), ("ActionID", leg),', (f"{_ORDERS}::test_dial_originates_into_the_question",)),
    Mutant("the lease removed", "dialplans/asterisk/verbs.conf",
           ' same => n,Goto(rw-left,s,1)\nexten => T,1,GotoIf($["${RW_DID}" != ""]?rw-fall,s,1)\n',
           " same => n,Goto(rw-left,s,1)\nexten => T,1,NoOp()\n",
           ("tests/contract/test_switch.py::test_a_lease_that_is_not_renewed_ends_in_fallback",)),
    Mutant("the lease never renewed", "engine/leases.py", "due += legs", "due += []", ("tests/unit/test_leases.py",)),
    Mutant("the encoder's refusal removed", "engine/switch/asterisk/encoder.py",
           "    if not pattern.fullmatch(value):", "    if pattern is None:",
           ("tests/unit/switch/test_encoder.py", _ORDERS)),
    Mutant("the encoder's second check removed", "engine/switch/asterisk/encoder.py",
           "if not _HEADER.fullmatch(name) or not line.isprintable() or not line.isascii() or len(line) > MAX_LINE:",
           "if not line:", ("tests/unit/switch/test_encoder.py",)),
    Mutant("an engine that was replaced saves all the same", "engine/store/sql/calls.sql",
           "SELECT save_batch($1, $2,",
           "SELECT save_batch($1, coalesce((SELECT fencing FROM engines WHERE switch = $1), $2),",
           (f"{_CALLS}::test_an_owner_that_stopped_beating_is_replaced_and_saves_nothing_any_more",)),
    Mutant("the idempotency key ignored", "engine/store/sql/alarm_book.sql",
           "known.created_at < clock_timestamp() - interval '24 hours'", "known.created_at < clock_timestamp()",
           (f"{_IDS}/test_alarms_api.py::test_a_key_with_another_body_is_a_conflict",)),
    Mutant("the cap of a trunk ignored", "engine/policy/capacity.py",
           "return max(1, int(self.cps))", "return 2 * max(1, int(self.cps))",
           ("tests/unit/policy/test_capacity.py",)),
    Mutant("an acknowledgement counts twice", "engine/flows/alarm_legs.py",
           "if one.state is RecipientState.ACKNOWLEDGED:\n        return Step(state)\n    one = replace(one, state=",
           "one = replace(one, state=", ("tests/unit/flows/test_alarm.py",)),
    Mutant("endpoints that can be guessed", "engine/switch/asterisk/endpoints.py",
           "{hashlib.sha256(f'endpoint {secret}'.encode()).hexdigest()[:8]}", "00000000",
           ("tests/unit/switch/test_endpoints.py",)),
    Mutant("the caller's own text in Asterisk's events", "config/asterisk/pjsip.conf", "callerid = <0>\n", "",
           ("tests/torture/test_hostile_sip.py::test_hostile_names_of_callers_are_nowhere_but_in_their_calls",)),
)

_HERE = "tests/torture"
# the law of the queries themselves; then who asks every route with another organisation's ids
ISOLATION = (f"{_HERE}/test_organisation_queries.py",
             f"{_HERE}/test_hostile_organisations.py::test_no_route_tells_or_changes_anything_of_another_organisation")
QUERIES = tuple(sorted(found()))


def without_organisation_in(query: str, root: Path = SQL) -> Mutant:
    """A query (`file.name`) for everybody's rows."""
    file, _, name = query.partition(".")
    block = _block((root / f"{file}.sql").read_text(), name)
    return Mutant(f"the organisation left out of {query}", f"engine/store/sql/{file}.sql", block,
                  without_organisation(block), ISOLATION)


def _block(text: str, query: str) -> str:
    start = text.index(f"-- name: {query}\n")
    end = text.find("\n-- name: ", start)
    return text[start:] if end < 0 else text[start:end]
