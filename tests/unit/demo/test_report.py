import io

from rich.console import Console

from engine.demo import alarm
from engine.demo.alarm import AlarmTold
from engine.demo.conversation import CHECKS, Told
from engine.demo.report import Timeline, as_json, show, show_alarm, summary
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
    told, raised = Told(), AlarmTold()
    for name in CHECKS:
        told.checks.judge(name, True)
    for name in alarm.CHECKS[:-1]:
        raised.checks.judge(name, True)
    count = len(CHECKS) + len(alarm.CHECKS)
    assert summary(told, raised, 12.3, "x.wav").startswith(
        f"demo failed: {alarm.CHECKS[-1]} ({count - 1} of {count} checks, 12 s)")
    assert as_json(told, raised, 12.34, "")["ok"] is False
    raised.checks.judge(alarm.CHECKS[-1], True)
    passed = f"demo passed ({count} of {count} checks, 12 s); what the caller heard: x.wav"
    assert summary(told, raised, 12.3, "x.wav") == passed
    assert as_json(told, raised, 12.34, "")["ok"] is True


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
