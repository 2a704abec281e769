import io

from rich.console import Console

from engine.demo.alarm import AlarmTold
from engine.demo.campaign import CampaignTold
from engine.demo.conversation import Told
from engine.demo.report import Story, Timeline, as_json, show, show_alarm, show_campaign, summary
from engine.softphone import Journal


def test_the_timeline_counts_from_the_callers_invite_and_names_people():
    console, journal = Console(record=True, width=100, file=io.StringIO()), Journal()
    Timeline(console, journal, {"4911": "Ada", "4922": "caller"})
    journal.write("4911", "x", "invite", "before it all")
    journal.write("4922", "x", "invite sent", "4930")
    journal.write("4911", "y", "cancel", "Reason: …", 26)
    journal.write("4911", "y", "first rtp")
    lines = console.export_text().splitlines()
    assert len(lines) == 2
    assert lines[0].split() == ["0", "ms", "caller", "invite", "sent", "4930"]
    assert lines[1].split()[2:] == ["Ada", "cancel", "(cause", "26)"]


def test_the_summary_says_what_failed():
    story = Story()
    for checks in (story.call.checks, story.alarm.checks, story.campaign.checks):
        for name in checks.names:
            checks.judge(name, True)
    last, count = story.campaign.checks.names[-1], len(story.checks)
    story.campaign.checks.judge(last, False)
    assert summary(story, 12.3, "x.wav").startswith(f"demo failed: {last} ({count - 1} of {count} checks, 12 s)")
    assert as_json(story, 12.34, "")["ok"] is False
    story.campaign.checks.judge(last, True)
    passed = f"demo passed ({count} of {count} checks, 12 s); what the caller heard: x.wav"
    assert summary(story, 12.3, "x.wav") == passed
    assert as_json(story, 12.34, "")["ok"] is True


def test_log_and_records_are_shown_as_the_api_returned_them():
    console, told = Console(record=True, width=100, file=io.StringIO()), Told()
    told.log = {"entries": [{"time": "2026-11-21T21:26:10.405Z", "type": "callerConnected", "phone": "+49176"}]}
    told.records = [{"direction": "inbound", "from": "+49176", "status": "answered", "cause": 16}]
    told.figures_ms = {"accept to audio both ways": 25.4}
    show(console, told)
    text = console.export_text()
    for shown in ("21:26:10.405Z", "callerConnected", "inbound", "answered", "16", "25", "FAILED"):
        assert shown in text


def test_the_alarms_timeline_is_shown_with_names():
    console, told = Console(record=True, width=100, file=io.StringIO()), AlarmTold()
    told.alarm = {"recipients": [{"id": 7, "name": "Frida"}], "timeline": [
        {"at": "2026-11-21T21:26:10.405Z", "type": "acknowledged", "recipientID": 7, "phone": "+49176", "message": ""},
        {"at": "2026-11-21T21:26:11.405Z", "type": "finished", "recipientID": None, "phone": None, "message": ""}]}
    show_alarm(console, told)
    text = console.export_text()
    for shown in ("21:26:10.405Z", "acknowledged", "Frida", "finished", "FAILED"):
        assert shown in text


def test_the_dispositions_of_a_campaign_stand_beside_what_the_phones_saw():
    console, told = Console(record=True, width=100, file=io.StringIO()), CampaignTold()
    told.progress = {"dispositions": {"answered": 2, "busy": 3, "lost": 1, "failed": 0}}
    told.phones = {"answered": 2, "busy": 4}
    told.results = [{"disposition": "answered"}, {"disposition": "answered"}, {"disposition": "busy"}]
    show_campaign(console, told)
    lines = [line.split() for line in console.export_text().splitlines()]
    for row in (["answered", "2", "2", "2"], ["busy", "3", "4", "1"], ["lost", "1", "0", "0"], ["all", "6", "6", "3"]):
        assert row in lines
    assert not any(line[:1] == ["failed"] for line in lines)
