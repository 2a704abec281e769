"""What is spoken: one text for everybody once, a person's name for that person."""

from tests.acceptance.alarm_town import Muster


async def test_two_languages_and_a_name(muster: Muster):
    await muster.found(2)
    message = {"de": "Brand in {place}, {name} bitte melden.", "en": "Fire in {place}."}
    recipients = [{"userID": muster.town.users[0]},
                  {"phone": "+4930111002", "language": "en", "name": "Wache"}]
    alarm = await muster.alarm(people=2, needed=2, message=message, fields={"place": "Halle 3"}, recipients=recipients)
    german = await muster.answers(1)
    english = await muster.answers(2)
    await muster.hears(german, "de/alarm-intro")
    await muster.hears(english, "en/alarm-intro")
    for call in (german, english):
        call.press("1")
    await alarm.is_("acknowledged")
    await muster.hears(english, "en/alarm-confirmed")


async def test_no_voice_and_the_alarm_rings_all_the_same(open_muster, quick_asterisk):
    muster = await open_muster(quick_asterisk, voice="http:http://127.0.0.1:9/")
    alarm = await muster.alarm(people=1)
    call = await muster.answers(1)
    await muster.hears(call, "de/alarm-untold", timeout_s=15)
    call.press("1")
    await alarm.is_("acknowledged")
    assert "speechFailed" in await alarm.notes()
