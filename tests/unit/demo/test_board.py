import io

from rich.console import Console

from engine.demo.api import Event
from engine.demo.board import Board

ALARM = {"id": 5, "state": "queued", "createdAt": "2026-11-21T21:26:10.000Z", "recipients": [
    {"id": 1, "name": "Dora", "phones": ["+491713920003"]}, {"id": 2, "name": "Emil", "phones": ["+491713920004"]}]}


def shown(board: Board) -> str:
    console = Console(record=True, width=100, file=io.StringIO())
    console.print(board.table())
    return console.export_text()


def test_events_fill_the_table() -> None:
    board = Board(Console(file=io.StringIO()))
    board.tell(Event("recipient.dialled", {"alarmID": 4, "recipientID": 1}, "2026-11-21T21:26:10Z"))  # before it began
    board.begin(ALARM)
    assert shown(board).count("pending") == 2
    board.tell(Event("recipient.dialled", {"alarmID": 5, "recipientID": 1}, "2026-11-21T21:26:10.400Z"))
    board.tell(Event("recipient.busy", {"alarmID": 5, "recipientID": 1}, "2026-11-21T21:26:11Z"))
    board.tell(Event("recipient.acknowledged", {"alarmID": 5, "recipientID": 2}, "2026-11-21T21:26:17.240Z"))
    board.tell(Event("alarm.acknowledged", {
        "alarmID": 5, "state": "acknowledged", "needed": 1, "acknowledged": 1}, "2026-11-21T21:26:17.240Z"))
    board.tell(Event("recipient.busy", {"alarmID": 9, "recipientID": 77}, "2026-11-21T21:26:18Z"))
    title, dora, emil = [line.split() for line in shown(board).splitlines() if any(
        word in line for word in ("alarm", "Dora", "Emil"))]
    assert title == "alarm 5: acknowledged, 1 of 1 have acknowledged".split()
    assert dora == ["Dora", "+491713920003", "ringing", "rings,", "busy", "1.0"]
    assert emil == ["Emil", "+491713920004", "acknowledged", "pressed", "1", "7.2"]
    board.end({"recipients": [{"id": 1, "state": "unreached"}, {"id": 2, "state": "acknowledged"}]})
    assert "unreached" in shown(board) and "ringing" not in shown(board)
