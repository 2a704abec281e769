"""How a story ends: what the call log and the telephone records tell, and that nobody was rung beside."""

from collections import Counter

from tests.acceptance.town import Town

Log = list[str | tuple[str, ...]]


async def ends(town: Town, outcome: str, log: Log, legs: list[str], nth: int = -1, rung: bool = True) -> None:
    """The nth call ended like this.

    `log` is the whole call log in its order: "bridged 2" is about phone 2, the entries of a tuple come in any order.
    (When the greeting was over, `welcomePlayed`, is another story's matter: left out unless `log` has it. The last
    entry, `callEnded`, is in every log and not given.)
    `legs` are the telephone records, the caller's first, then by phone: "phone 2 answered 16" is status and cause.
    With `rung`, no phone of the town got any call that no record tells, and none of an unknown number came.
    """
    assert (seen := await town.outcome(nth)) == outcome, f"it ended as {seen}: {await entries(town, nth)}"
    told = await entries(town, nth)
    log = [*log, "callEnded"]
    if "welcomePlayed" not in _flat(log):
        told = [line for line in told if line != "welcomePlayed"]
    assert _in_order_of(told, log) == _flat(log), f"the log tells {told}"
    assert (seen_legs := await records(town, nth)) == legs, f"the records tell {seen_legs}"
    if rung:
        await nobody_else_was_rung(town)


async def nobody_else_was_rung(town: Town) -> None:
    """Every INVITE at a phone has its telephone record, and the other way round."""
    numbers = [row["to_number"] for row in await town.database.fetch(
        "SELECT to_number FROM telephone_records WHERE direction = 'outbound'")]
    invites = Counter(entry.who for entry in town.carrier.journal.of(what="invite"))
    assert invites == Counter(numbers), f"rung: {invites}, in the records: {Counter(numbers)}"
    assert town.carrier.unknown == []


async def entries(town: Town, nth: int = -1) -> list[str]:
    """ "agentCalled 1": the type of each entry of the nth call log and the phone it is about."""
    rows = await town.database.fetch(
        "SELECT type, phone FROM call_log_entries WHERE call_log_id = $1 ORDER BY id",
        await town.log_id(nth))
    return [f"{row['type']} {_phone(row['phone'])}".rstrip() for row in rows]


async def records(town: Town, nth: int = -1) -> list[str]:
    rows = await town.database.fetch(
        "SELECT * FROM telephone_records WHERE call_log_id = $1 ORDER BY direction, to_number, start_time",
        await town.log_id(nth))
    return [
        (f"phone {_phone(row['to_number'])}" if row["direction"] == "outbound" else "caller")
        + f" {row['status']} {row['cause']}" for row in rows
    ]


def _phone(number: str | None) -> str:
    """Agents' numbers end with the number of the phone; the caller's own is left out."""
    return str(int(number[-2:])) if number and number.startswith("49301110") else ""


def _flat(log: Log) -> list[str]:
    return [line for part in log for line in ([part] if isinstance(part, str) else part)]


def _in_order_of(told: list[str], log: Log) -> list[str]:
    """What was told, with the lines that may come in any order brought into the order of `log`."""
    sorted_lines: list[str] = []
    for part in log:
        wanted = [part] if isinstance(part, str) else list(part)
        piece, told = told[:len(wanted)], told[len(wanted):]
        sorted_lines += wanted if sorted(piece) == sorted(wanted) else piece
    return sorted_lines + told
