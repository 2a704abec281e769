"""What must hold after any fault, by the phones' own journals and the rows of Postgres, never by the engine's word.

`check(crowd)` waits until everything is over, then collects whatever is wrong in all of them and writes the figures
into the test's line of the table; `so_far(crowd)` judges in the middle what can be judged by the phones alone. Only a
fault that harms the switch may end a call: what overlaps it, or the `SWITCH_BACK_S` after it, is excused, nothing else.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Collection, Iterator
from itertools import pairwise

from engine.softphone.audio import read_wav
from engine.softphone.call import Call
from engine.softphone.g711 import BY_PAYLOAD_TYPE
from engine.softphone.listening import correlation, hears
from engine.softphone.recording import Packet
from engine.softphone.taken_call import TakenCall
from tests.acceptance.town import agent_number
from tests.phone_lives import Lives
from tests.torture.crowd import ROUNDS, Crowd, Drive, Order, Visit
from tests.torture.world import World

SILENCE_S = 10.0
SWITCH_BACK_S = 5.0
OVER_WITHIN_S = 150.0
ONCE_A_CALL = ("callerConnected", "bridged", "callerHangup", "callEnded", "noAgentAvailable")
UNSAVED_S = 1.0         # an end at a phone may wait so long for its commit
RETURNS_S = 10.0        # until an engine that returned has compared
KEY_S = 0.15            # a key lasts 0.1 s, and the switch may answer its beginning
AT_ONCE_S = 2.0
BEGINNING_S = 0.8       # of the thank-you


async def check(crowd: Crowd, over_within_s: float = OVER_WITHIN_S) -> None:
    """Raises AssertionError with every violation found."""
    await over(crowd, over_within_s)
    wrong = [*so_far(crowd), *await of_hotline_rows(crowd), *await of_alarm_rows(crowd),
             *await of_campaign_rows(crowd), *await of_leftovers(crowd.world)]
    if wrong:
        await tell(crowd)
    assert not wrong, "\n".join(wrong)


async def tell(crowd: Crowd) -> None:
    """Everything that helps to understand what went wrong: faults, and what the phones and the logs say, in one order
    of time."""
    zero, origin = time.time() - time.monotonic(), crowd.world.harms[0].struck_at if crowd.world.harms else 0.0
    lines = [(entry.at, f"        {entry}") for entry in crowd.world.town.carrier.journal.entries]
    lines += [(harm.struck_at, f"FAULT {harm.name}") for harm in crowd.world.harms]
    lines += [(harm.healed_at, f"HEALED {harm.name}") for harm in crowd.world.harms]
    for query, who in (
        ("SELECT e.at, e.type, e.phone, l.id AS of FROM call_log_entries e JOIN call_logs l ON l.id = e.call_log_id",
         "log"),
        ("SELECT at, type, phone, alarm_id AS of FROM alarm_notes", "alarm"),
    ):
        for row in await crowd.world.fetch(query):
            lines.append((row["at"].timestamp() - zero, f"    {who} {row['of']}: {row['type']} {row['phone'] or ''}"))
    for at, line in sorted(lines):
        print(f"{at - origin:8.2f} {line}")


def so_far(crowd: Crowd) -> list[str]:
    """What the phones can tell at any time."""
    lives = Lives(crowd.world.town.carrier.journal)
    return [*of_visits(crowd), *of_alarmed(crowd, lives), *of_campaigns(crowd, lives), *of_caps(crowd.world, lives)]


# --- callers -------------------------------------------------------------------------------------------------------


def of_visits(crowd: Crowd) -> Iterator[str]:
    """Talks are not dropped, waiting callers neither lost nor left in silence."""
    tally = crowd.world.tally
    tally.dropped = tally.lost = 0
    for visit in crowd.visits:
        if crowd.world.harmed("switch", visit.call.invited_at, visit.until, SWITCH_BACK_S):
            continue
        silence_s = silence_of(crowd, visit)
        tally.silent(silence_s)
        if silence_s > SILENCE_S:
            yield f"{named(visit)} heard nothing for {silence_s:.1f} s"
        if visit.call.ended_at is None and visit.hung_up_at is None:
            continue    # it is going on
        if visit.hung_up_at is None and visit.talk_from is not None:
            tally.dropped += 1
            yield f"{named(visit)} was cut in his talk (cause {visit.call.cause})"
        elif visit.talk_from is None:
            tally.lost += 1
            yield f"{named(visit)} waited and got nobody (status {visit.call.status}, cause {visit.call.cause})"


def silence_of(crowd: Crowd, visit: Visit) -> float:
    """Reckoned once, when it is over: who judges keeps the phones of this process waiting."""
    known = crowd.silences.get(visit.call.id)
    if known is not None:
        return known
    silence_s = longest_silence_s(visit.call, visit.until)
    if visit.hung_up_at is not None or visit.call.ended_at is not None:
        crowd.silences[visit.call.id] = silence_s
    return silence_s


def named(visit: Visit) -> str:
    return f"the caller {visit.call.who} (there {visit.until - visit.call.invited_at:.1f} s)"


def longest_silence_s(call: Call, until: float) -> float:
    """The longest time without a sound at this phone, from its INVITE on, by when its packets came."""
    heard = [packet.at for packet in call.recording.packets if packet.at <= until and is_audible(packet)]
    answered = [] if call.answered_at is None else [call.answered_at]
    moments = sorted([began(call), *answered, *heard, until])   # it rings until it is answered
    return max(later - earlier for earlier, later in pairwise(moments))


def is_audible(packet: Packet) -> bool:
    return packet.payload.translate(BY_PAYLOAD_TYPE[packet.payload_type].loud).count(1) > len(packet.payload) // 8


async def of_hotline_rows(crowd: Crowd) -> list[str]:
    """Every answered call is recorded once, with its end; each step of it once; every call at an agent is in it."""
    world, wrong = crowd.world, []
    rows = await world.fetch(
        "SELECT r.from_number, l.end_time, l.outcome FROM call_logs l "
        "JOIN telephone_records r ON r.call_log_id = l.id AND r.direction = 'inbound'")
    recorded = Counter(row["from_number"].lstrip("+") for row in rows)
    outcomes = {row["from_number"].lstrip("+"): row["outcome"] for row in rows}
    for visit in crowd.visits:
        if visit.call.answered_at is None:
            continue
        times = recorded[visit.call.who]
        if times != 1:
            wrong.append(f"{named(visit)} is recorded {times} times")
        elif (visit.talk_from is not None and outcomes[visit.call.who] != "answered"
              # AstDB's last second is lost with Asterisk: also who talked in the fallback
              and not world.harmed("switch", visit.call.invited_at, visit.until)):
            wrong.append(f"{named(visit)} talked, and is recorded as {outcomes[visit.call.who]}")
    wrong += [f"call log {row['id']} has no end" for row in await world.fetch(
        "SELECT id FROM call_logs WHERE end_time IS NULL")]
    wrong += [f"call log {row['call_log_id']} tells {row['type']} {row['times']} times" for row in await world.fetch(
        "SELECT call_log_id, type, count(*) AS times FROM call_log_entries WHERE type = ANY($1) "
        "GROUP BY 1, 2 HAVING count(*) > 1", list(ONCE_A_CALL))]
    told = Counter(row["to_number"].lstrip("+") for row in await world.fetch(
        "SELECT to_number FROM telephone_records WHERE direction = 'outbound'"))
    agents = {agent_number(n + 1) for n in range(len(world.town.users))}
    rung = Counter(entry.who for entry in world.town.carrier.journal.of(what="invite") if entry.who in agents)
    if missing := rung - told - Counter(dialled_again(world, agents)):
        wrong.append(f"calls at agents without a record: {dict(missing)}")
    return wrong


def dialled_again(world: World, numbers: Collection[str]) -> Iterator[str]:
    """Whose phone refused while the engine that dialled it died, so that it was never told: the next one sends the dial
    that was committed once more, as the same leg of the same record (at least once: ARCHITECTURE.md). A leg of another
    id could ring beside the first."""
    for number in numbers:
        for earlier, later in pairwise(world.town.carrier.phones[number].calls):
            if any(harm.parts & {"engine", "database"} and earlier.ended_at is not None
                   and harm.struck_at - UNSAVED_S <= earlier.ended_at <= harm.healed_at + UNSAVED_S
                   and harm.struck_at <= later.invited_at <= harm.healed_at + RETURNS_S for harm in world.harms):
                yield number


# --- alarms --------------------------------------------------------------------------------------------------------


def of_alarmed(crowd: Crowd, lives: Lives) -> Iterator[str]:
    """Nobody is called again after hearing thank you; nobody has two live calls of one alarm."""
    tally = crowd.world.tally
    tally.doubled = 0
    for order in crowd.orders:
        for n in order.people:
            calls = crowd.world.phone(n).calls
            for earlier, later in lives.overlapping(calls):
                tally.doubled += 1
                yield f"person {n} had two calls at once, of {began(earlier):.2f} and {began(later):.2f}"
            for call in calls[:-1]:
                if is_thanked(crowd, call):
                    tally.doubled += 1
                    yield f"person {n} was called again after hearing thank you in the call of {call.invited_at:.2f}"


def is_thanked(crowd: Crowd, call: TakenCall) -> bool:
    if call.id not in crowd.thanked:
        thanked = hears_thanks(crowd.world, call)
        if call.ended_at is None:
            return thanked
        crowd.thanked[call.id] = thanked
    return crowd.thanked[call.id]


def hears_thanks(world: World, call: TakenCall) -> bool:
    """He pressed the key, and at once the thank-you began. "Enough have acknowledged", for those who did not press in
    time, ends like it: that comes later, and the whole of what he heard is more like that."""
    pressed = [entry.at for entry in call.journal.of(call.who, call.id, "dtmf ended") if "1" in entry.detail]
    if call.answered_at is None or not pressed:
        return False
    words = world.asterisk.sounds / "de"
    thanks, enough = (read_wav(words / f"{name}.wav") for name in ("alarm-confirmed", "alarm-enough"))
    heard = call.recording.pcm()
    found = hears(call.recording.pcm(from_at=pressed[0] - KEY_S), thanks, BEGINNING_S)
    return (found is not None and found.offset_s <= AT_ONCE_S
            and correlation(thanks, heard) >= correlation(enough, heard))


async def of_alarm_rows(crowd: Crowd) -> list[str]:
    """Every alarm that was taken is there, once, and over; each person as the policy says, or a recorded failure."""
    world, wrong = crowd.world, []
    taken = [order for order in crowd.orders if order.alarm_id is not None]
    alarms = {row["id"]: row for row in await world.fetch("SELECT id, state, finished_at FROM alarms")}
    if len(alarms) != len({order.alarm_id for order in taken}):
        wrong.append(f"{len(taken)} alarms were taken, {len(alarms)} are there")
    for order in taken:
        row = alarms.get(order.alarm_id)
        if row is None or row["finished_at"] is None or row["state"] not in ("acknowledged", "failed"):
            world.tally.lost += 1
            wrong.append(f"the alarm {order.key} ({order.alarm_id}) is {row and dict(row)}")
        else:
            wrong += await of_recipients(crowd, order, row["state"])
    wrong += [f"alarm {row['alarm_id']} notes {row['type']} {row['times']} times" for row in await world.fetch(
        "SELECT alarm_id, type, recipient_id, leg, count(*) AS times FROM alarm_notes "
        "WHERE type NOT IN ('roundStarted', 'waveStarted', 'delayed') GROUP BY 1, 2, 3, 4 HAVING count(*) > 1")]
    wrong += [f"events tell {row['type']} of {row['what']} {row['times']} times" for row in await world.fetch(
        "SELECT type, data::text AS what, count(*) AS times FROM events WHERE type LIKE 'alarm.%' "
        "OR type IN ('recipient.acknowledged', 'recipient.declined', 'call.finished') "
        "GROUP BY 1, 2 HAVING count(*) > 1")]
    return wrong


async def of_recipients(crowd: Crowd, order: Order, state: str) -> list[str]:
    world = crowd.world
    rows = await world.fetch(
        "SELECT r.user_id, r.state, count(a.leg) AS attempts, count(a.leg) = count(a.ended_at) AS ended "
        "FROM alarm_recipients r LEFT JOIN alarm_attempts a ON a.recipient_id = r.id "
        "WHERE r.alarm_id = $1 GROUP BY r.id",
        order.alarm_id)
    by_user = {row["user_id"]: row for row in rows}
    wrong = []
    for n in order.people:
        row, calls = by_user[world.users[n]], world.phone(n).calls
        who = f"person {n} of {order.key} ({row['state']}, {row['attempts']} attempts, rung {len(calls)} times)"
        # a dial of unknown fate rings again as the same attempt: the first one ended with the switch
        whole = [call for call in calls if not world.harmed("switch", began(call), call.ended_at or began(call))]
        again = len([*dialled_again(world, [agent_number(n)])])
        if len(whole) - again > row["attempts"]:
            wrong.append(f"{who}: a call without its attempt")
        if not row["ended"]:
            wrong.append(f"{who}: an attempt has no end")
        if any(is_thanked(crowd, call) for call in calls) and row["state"] != "acknowledged":
            world.tally.lost += 1
            wrong.append(f"{who}: thanked, and it is lost")
        if row["state"] == "acknowledged" and not any("1" in keys(call) for call in calls):
            wrong.append(f"{who}: he never pressed the key")
        if state == "failed" and row["state"] == "unreached" and row["attempts"] < ROUNDS:
            world.tally.lost += 1
            wrong.append(f"{who}: given up before {ROUNDS} rounds")
    return wrong


def keys(call: TakenCall) -> str:
    return "".join(entry.detail for entry in call.journal.of(call.who, call.id, "dtmf ended"))


# --- campaigns -----------------------------------------------------------------------------------------------------


def of_campaigns(crowd: Crowd, lives: Lives) -> Iterator[str]:
    for drive in crowd.drives:
        calls = []
        for n in drive.contacts:
            taken = crowd.world.phone(n).calls
            calls += taken
            if len(taken) > drive.tries:
                crowd.world.tally.doubled += 1
                yield f"contact {n} was called {len(taken)} times, allowed are {drive.tries}"
            if n in drive.forbidden and taken:
                yield f"contact {n} was called and must never be"
            if lives.overlapping(taken):
                crowd.world.tally.doubled += 1
                yield f"contact {n} had two calls at once"
        if (most := lives.most_at_once(calls)) > drive.channels:
            yield f"{most} calls of a campaign at once, it has {drive.channels} channels"


async def of_campaign_rows(crowd: Crowd) -> list[str]:
    wrong = []
    for drive in crowd.drives:
        rows = await crowd.world.fetch(
            "SELECT t.contact_id, t.status, t.try_done, t.try_allowed, "
            "count(s.id) FILTER (WHERE s.status <> 'invalid') AS spools, bool_and(s.time_end IS NOT NULL) AS ended "
            "FROM transmissions t LEFT JOIN spools s ON s.transmission_id = t.id "
            "WHERE t.campaign_id = $1 GROUP BY t.id",
            drive.campaign.id)
        by_contact = {row["contact_id"]: row for row in rows}
        for n in drive.contacts:
            row, rung = by_contact.get(crowd.world.fair.contacts[n]), len(crowd.world.phone(n).calls)
            if row is None:
                if rung:
                    wrong.append(f"contact {n} was called {rung} times and has no transmission")
            elif not rung <= row["try_done"] <= row["try_allowed"]:
                wrong.append(f"contact {n} was called {rung} times: {dict(row)}")
    wrong += [f"events tell {row['type']} {row['times']} times" for row in await crowd.world.fetch(
        "SELECT type, data::text, count(*) AS times FROM events WHERE type = 'transmission.finished' "
        "GROUP BY 1, 2 HAVING count(*) > 1")]
    return wrong


# --- what is shared ------------------------------------------------------------------------------------------------


def of_caps(world: World, lives: Lives) -> Iterator[str]:
    """What the trunk may carry: legs at once, and new ones of alarms and campaigns in any second (who is rung by the
    dialplan, without an engine, is an agent)."""
    settings = world.town.engine.environment
    calls = [call for phone in world.town.carrier.phones.values() for call in phone.calls]
    most = lives.most_at_once([*calls, *world.town.carrier.placed])
    if most > int(settings.get("RINGWARD_TRUNK_CHANNELS", "500")):
        yield f"{most} legs at once"
    agents = {agent_number(n + 1) for n in range(len(world.town.users))}
    at = sorted(call.invited_at for call in calls if call.who not in agents)
    cps = float(settings.get("RINGWARD_TRUNK_CPS", "50"))
    most = max((sum(1 for other in at[i:i + 200] if other < one + 1.0) for i, one in enumerate(at)), default=0)
    if most > cps:
        yield f"{most} calls in a second, {cps:g} may be"


def began(call: Call) -> float:
    return float(call.invited_at)  # type: ignore[attr-defined]


async def of_leftovers(world: World) -> list[str]:
    wrong = [f"a call is left: {row['flow']} {row['phase']}" for row in await world.fetch("SELECT * FROM calls")]
    if notes := [path.name for path in world.asterisk.settings.acks.iterdir() if path.is_file()]:
        wrong.append(f"notes of acknowledgements are left: {notes}")
    if unknown := world.town.carrier.unknown:
        wrong.append(f"numbers were called that nobody has: {[entry.who for entry in unknown]}")
    return wrong


async def over(crowd: Crowd, within_s: float) -> None:
    """The crowd has stopped, and what it began ends by itself: alarms, the campaigns that are not put off, calls."""
    world = crowd.world
    crowd.ends.set()

    async def done() -> bool:
        if not await world.is_whole():
            return False
        open_alarms = await world.fetch("SELECT id FROM alarms WHERE finished_at IS NULL")
        running = await world.fetch("SELECT id FROM campaigns WHERE status IN ('ready', 'running') AND id = ANY($1)",
                                    [drive.campaign.id for drive in crowd.drives if not is_put_off(drive)])
        if open_alarms or running:
            return False
        return not await world.fetch("SELECT id FROM calls") and await asyncio.to_thread(world.town.channels) == 0

    since = time.monotonic()
    try:
        await world.town.until(done, "everything is over", within_s)
    except AssertionError:
        for query in ("SELECT id, state, finished_at FROM alarms WHERE finished_at IS NULL",
                      "SELECT flow, phase, state FROM calls", "SELECT id, status FROM campaigns"):
            print(query, [dict(row) for row in await world.fetch(query)])
        print(await asyncio.to_thread(world.town.asterisk_cli, "core show channels concise"))
        raise
    world.tally.recovered(0.0)
    print(f"over after {time.monotonic() - since:.1f} s")


def is_put_off(drive: Drive) -> bool:
    return len(drive.forbidden) == len(drive.contacts)
