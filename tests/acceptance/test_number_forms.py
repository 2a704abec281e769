"""What a carrier may write for our number: 4930…, +4930…, 004930…; and what is no number at all."""

import pytest

from tests.acceptance.endings import ends, nobody_else_was_rung

REFUSED = [
    "{n}x", "x{n}", "{n}&49301110001", "{n},1", "{n}/n", "{n}%22", "{n}%2CHangup()", "{n}%0D%0AAction:%20Logoff",
    "%22{n}%22", "{n}%24%7BSHELL(touch%20/tmp/ringward-was-here)%7D", "+", "00", "++{n}", "000{n}", "{n}-1", "s", "h",
    "Local%2F{n}", "abc", "%2B",
]


async def test_three_forms_of_the_number_reach_the_hotline(town):
    hotline = await town.hotline(agents=1)
    digits = hotline.number.removeprefix("+")
    for nth, form in enumerate((digits, f"+{digits}", f"00{digits}")):
        caller = await town.carrier.call("4917012345", form)
        assert await caller.final() == 200
        await town.phone(1).rung(times=nth + 1)
        assert town.phone(1).call.caller == digits
        caller.hang_up()
        await town.phone(1).ended(times=nth + 1)
        log = ["callerConnected", "agentCalled 1", "callerHangup", "agentCancelled 1"]
        await ends(town, "callerHangup", log, ["caller answered 16", "phone 1 cancelled 16"])


async def test_what_is_no_number_is_not_found_and_nothing_runs(town, tmp_path):
    hotline = await town.hotline(agents=1)
    digits = hotline.number.removeprefix("+")
    calls = {form: await town.carrier.call("4917012345", form.format(n=digits)) for form in REFUSED}
    assert {form: await call.final() for form, call in calls.items()} == dict.fromkeys(REFUSED, 404)
    assert await town.log_id(-1) is None
    await nobody_else_was_rung(town)
    await town.no_channels(timeout_s=1)


@pytest.mark.parametrize("caller", ["anonymous", "%22;DROP", "+4917012345", "49170,1&2"])
async def test_a_caller_without_a_number_is_served_and_only_digits_of_it_are_kept(town, caller):
    await town.hotline(agents=1)
    call = await town.calls(caller)
    assert await call.final() == 200
    await town.phone(1).rung()
    assert town.phone(1).call.caller == town.hotlines[0].number.removeprefix("+")
    call.hang_up()
    await town.phone(1).ended()
    log = ["callerConnected", "agentCalled 1", "callerHangup", "agentCancelled 1"]
    await ends(town, "callerHangup", log, ["caller answered 16", "phone 1 cancelled 16"])
    kept = await town.database.fetchval("SELECT from_number FROM telephone_records WHERE direction = 'inbound'")
    assert kept == "".join(letter for letter in caller.removeprefix("%22") if letter.isdigit())
