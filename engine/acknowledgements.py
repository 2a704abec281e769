"""The dialplan's own notes of who acknowledged, or declined (ARCHITECTURE.md, "When the engine is gone"), brought in.

`reconcile.py` and `app.py` call it. A note counts whatever was heard before: it is told to the alarm that dialled the
leg, or, when that alarm is over, written down beside it. It is deleted only after that is durable.
"""

import asyncio

from engine.call import Calls
from engine.mailbox import ForCall
from engine.ports import AckNote, AlarmStore, Switch
from engine.vocabulary.events import Acknowledged, Declined


class Acknowledgements:
    def __init__(self, switch: Switch, alarms: AlarmStore, calls: Calls) -> None:
        self._switch = switch
        self._alarms = alarms
        self._calls = calls
        self._turn = asyncio.Lock()  # one import at a time: they would tell each other's notes once more

    async def bring_in(self) -> None:
        """Every note that lies there now is durable when it returns. Raises StoreFailed, SwitchLost."""
        async with self._turn:
            notes = await self._switch.acknowledgements()
            if not notes:
                return
            told = {note.leg: await self._tell(note) for note in notes}
            await self._calls.settled(as_owner=True)
            # an alarm that ended meanwhile may not have heard it: the next time it is over, and the note is late
            heard = [note for note in notes if (call_id := told[note.leg]) is None or self._calls.lives(call_id)]
            await self._switch.forget_acknowledgements(heard)

    async def _tell(self, note: AckNote) -> str | None:
        """The id of the call that was told; None: its alarm is over, and an acknowledgement is written down."""
        call_id = self._calls.call_of(note.leg) or await self._alarms.call_of_attempt(note.leg)
        if call_id is not None:
            heard = Declined if note.is_declined else Acknowledged
            self._calls.mailbox.post(ForCall(call_id, heard(note.at, note.leg)))
        elif not note.is_declined:  # nobody would ring him again
            await self._alarms.acknowledge_late(note)
        return call_id
