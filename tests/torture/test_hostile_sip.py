"""Text of callers that is meant for somebody else: names and numbers with commands, line breaks, rubbish in them.

Through the real Asterisk to engine, logs, Postgres and the API, and the same with no engine at all. Only digits of a
number are ever kept.
"""

import json
import re
from pathlib import Path
from urllib.parse import quote, quote_from_bytes

import pytest

from engine.runtime.ports import Address
from tests.acceptance.endings import nobody_else_was_rung
from tests.acceptance.town import Town
from tests.torture.canaries import WORD, Canaries
from tests.torture.test_sip_toll_fraud import placed
from tests.torture.wire import Reply, Wire

NUMBER = "4917055512345"
DIALLED = ("{n}&49900", "{n},1", "49900&{n}", "{n}/n", "{n}@rw-leg", "{n};tag=1", "({n})", "{n})", "{n}${{EXTEN}}",
           "$[{n}]", "{n}$", "{{{n}", "{n} ", " {n}", "{n}\r\nX: y", "{n}\t", "'{n}'", '"{n}"', "{n}|",
           "{n}!", "{n}#", "*{n}", "_X.", "_{n}", "s", "h", "t", "i", "T", "a", "o", "fax", "failed", "-{n}", "+ {n}",
           "+", "00", "{n}" * 3, "9" * 400, "٤٩٣٠", "４９３０", "{n}\ud7ff", "Local/{n}@rw-in",
           "PJSIP/trunk/sip:{n}", "")


def hostile(text: str, port: str) -> dict[str, bytes | None]:
    """A text in every place that a message has for one. Line breaks only where they can be written: in users, as %.."""
    raw = re.sub(r"[\r\n\x00]", " ", text).encode()
    quoted = b'"' + raw.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'
    user = NUMBER + quote(text, safe="")
    return {
        "From": quoted + f" <sip:{user}@{port}>;tag=1{abs(hash(text))}".encode(),
        "P-Asserted-Identity": quoted + f" <sip:{user}@{port}>".encode(), "Remote-Party-ID": quoted + b" <sip:1@h>",
        "Diversion": quoted + b" <sip:1@h>;reason=unconditional", "User-Agent": raw, "Subject": raw,
        "Contact": f"<sip:{quote(text, safe='')[:200]}@{port}>".encode(), "Organization": raw,
        "Call-Info": b"<http://h/" + quote(text).encode() + b">",
        "Reason": b'SIP;cause=200;text="' + raw.replace(b'"', b"") + b'"',
        "X-" + WORD: raw,
    }


def uri_of(town: Town, user: str | None = None) -> bytes:
    sip = Address.parse(town.asterisk.sip)
    return f"sip:{user or town.hotlines[0].number[1:]}@{sip.host}:{sip.port}".encode()


async def everything_is_sent(town: Town, canaries: Canaries) -> int:
    """Every text once, as a call to the hotline; how many were served. Asterisk may drop what is no SIP."""
    sip, uri, calls = Address.parse(town.asterisk.sip), uri_of(town), []
    async with Wire.open((sip.host, sip.port)) as wire:
        names = [hostile(text, wire.address) for text in canaries.texts]
        names.append({"From": b'"\xff\xfe\xc3\x28' + WORD.encode() + b'" <sip:' + NUMBER.encode() + b"%FF%0A@h>;tag=9"})
        names.append({"From": f"<tel:+{NUMBER};phone-context={WORD}>;tag=8".encode()})
        for changes in names:
            calls.append(wire.request("INVITE", uri, changes, wire.offer()))

        async def all_are_answered() -> bool:
            return {reply.call_id for reply in wire.replies if reply.status >= 200} == set(calls)
        try:
            await town.until(all_are_answered, "all are answered", 6)
        except AssertionError:
            pass
        finals = {reply.call_id: reply for reply in wire.replies if reply.status >= 200}
        for reply in finals.values():
            wire.end(reply, uri)
        assert not set(wire.statuses()) - {100, 180, 200, 400, 404, 480, 486}, wire.statuses()
        return sum(reply.status == 200 for reply in finals.values())


async def test_hostile_names_of_callers_are_nowhere_but_in_their_calls(muster, tmp_path, tally):
    town = muster.town
    await town.hotline(agents=1, channels_inbound=100)
    await muster.found(1)
    canaries = Canaries(town, tmp_path)
    served = await everything_is_sent(town, canaries)
    tally.faults += len(canaries.texts)
    tally.calls += served
    assert served > len(canaries.texts) // 2
    await town.until(lambda: all_have_ended(town, served), "every call has ended in Postgres")

    numbers = {row["from_number"] for row in await town.database.fetch("SELECT from_number FROM telephone_records")}
    assert all(re.fullmatch(r"[0-9]*", number) for number in numbers), numbers
    assert NUMBER in numbers
    found = await in_the_database(town)
    assert not found, found
    hotline = town.hotlines[0].hotline_id
    for path in ("logs", "records"):
        answer = await api(muster, f"/hotlines/{hotline}/{path}")
        assert WORD not in answer and json.loads(answer)
    log_is_clean(town.engine.log_path, is_json=True)
    log_is_clean(Path(town.asterisk.home.path) / "log" / "asterisk.log")
    canaries.untouched()

    caller = await town.calls()
    assert await caller.final() == 200
    caller.hang_up()
    await town.until(lambda: all_have_ended(town, served + 1), "the last call has ended in Postgres as well")


async def test_nor_with_no_engine_at_all(town, tmp_path, tally):
    await town.hotline(agents=1, channels_inbound=100)
    town.engine.kill()
    canaries = Canaries(town, tmp_path)
    served = await everything_is_sent(town, canaries)
    tally.faults += len(canaries.texts)
    tally.calls += served
    assert served > len(canaries.texts) // 2
    await town.no_channels()
    rows = town.asterisk_cli("database show fb")
    assert WORD not in rows and "started" not in rows
    for value in re.findall(r": (\S+)\s*$", rows, re.MULTILINE):
        assert re.fullmatch(r"[a-zA-Z]*:[0-9]*:[0-9]*:[0-9]*:[A-Z]*:[0-9]*", value), value
    log_is_clean(Path(town.asterisk.home.path) / "log" / "asterisk.log")
    canaries.untouched()
    town.engine.start()
    await town.engine_is_back()
    assert not await in_the_database(town)
    log_is_clean(town.engine.log_path, is_json=True)


async def test_what_is_dialled_is_a_hotlines_digits_or_no_channel_at_all(town, tmp_path, tally):
    await town.hotline(agents=1)
    canaries = Canaries(town, tmp_path)
    before, sip = placed(town), Address.parse(town.asterisk.sip)
    async with Wire.open((sip.host, sip.port)) as wire:
        users = [form.format(n=town.hotlines[0].number[1:]) for form in DIALLED] + canaries.texts
        for user in users:
            uri = uri_of(town, quote_from_bytes(user.encode(errors="surrogatepass"), safe="") or "-")
            call = wire.request("INVITE", uri, {"To": b'"' + quote(user).encode() + b'" <' + uri + b">"}, wire.offer())
            tally.faults += 1
            reply = await wire.final(call)
            wire.acknowledge(reply, uri)
            assert reply.status == 404, (user, reply.status)
    assert placed(town) - before <= 8, "digits (and -) that are no hotline's were asked for, nothing else"
    assert await town.log_id(-1) is None
    await nobody_else_was_rung(town)
    canaries.untouched()


@pytest.mark.parametrize("break_", ["\r\n", "\n", "\r", "\r\n\r\n"])
async def test_no_caller_speaks_for_the_switch(town, tally, break_):
    """Asterisk's events carry a caller's number as it is. Who waits is not hung up by what another one sends."""
    await town.hotline(agents=1, channels_inbound=50)
    victim = await town.calls()
    await victim.answered()
    tally.calls += 1
    leg = await town.database.fetchval("SELECT leg FROM telephone_records ORDER BY id LIMIT 1") or "1.1"
    lines = ["Event: Hangup", "Channel: PJSIP/trunk-00000000", f"Uniqueid: {leg}", f"Linkedid: {leg}", "Cause: 16"]
    forged = quote(f"{NUMBER}{break_}" + "\r\n".join(lines) + break_, safe="")
    sip, uri = Address.parse(town.asterisk.sip), uri_of(town)
    async with Wire.open((sip.host, sip.port)) as wire:
        for n in range(30):
            names: dict[str, bytes | None] = {"From": f"<sip:{forged}@h>;tag=t{n}".encode(), "To": b"<" + uri + b">"}
            to = uri if n % 3 else uri_of(town, f"+{forged}")
            call = wire.request("INVITE", to, names, wire.offer(), branch=f"z9hG4bKx{n}{abs(hash(forged))}")
            wire.cancel(to, call, names, f"z9hG4bKx{n}{abs(hash(forged))}")
            tally.faults += 1

        async def all_over() -> bool:
            return len({reply.call_id for reply in finals_of(wire)}) == 30
        await town.until(all_over, "all are refused or cancelled")
        for reply in finals_of(wire):
            wire.end(reply, uri)
    await victim.heard(victim.recording.sound_s + 0.5)
    await town.accepts(1)
    await town.has_entry("bridged", 0)
    assert victim.talking
    victim.hang_up()
    await town.phone(1).ended()
    assert "ami." not in town.engine.log_path.read_text()


def finals_of(wire: Wire) -> list[Reply]:
    """Of INVITEs that were cancelled, some too late."""
    return [reply for reply in wire.replies if reply.status in (200, 404, 487) and "INVITE" in reply.header("CSeq")]


async def all_have_ended(town: Town, calls: int) -> bool:
    return bool(await town.database.fetchval("SELECT count(*) >= $1 FROM call_logs WHERE end_time IS NOT NULL", calls))


async def in_the_database(town: Town) -> list[str]:
    """Tables that have the canary's word in any column."""
    tables = await town.database.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    return [row["tablename"] for row in tables if await town.database.fetchval(
        f"SELECT count(*) FROM \"{row['tablename']}\" t WHERE t::text ILIKE '%{WORD}%'")]  # noqa: S608 -- our names


async def api(muster, path: str) -> str:
    headers = {"API-TOKEN": muster.token}
    async with muster.session.get(f"{muster.url}/api/v1/first-responder{path}", headers=headers) as answer:
        assert answer.status == 200, answer.status
        return await answer.text()


def log_is_clean(log: Path, is_json: bool = False) -> None:
    """Nothing of the callers' texts, no whole number, no line that is not the program's own."""
    text = log.read_text(errors="replace")
    assert WORD not in text and NUMBER not in text and NUMBER[2:] not in text and "\x1b" not in text
    for line in text.splitlines():
        assert not is_json or json.loads(line)
