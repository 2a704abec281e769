"""What happened at the phones, when; and waiting for it to happen.

One journal serves all phones and callers of a carrier. Entries are written as things happen, in order; nobody
sleeps: `wait` returns at once if it has already happened, else as soon as it does.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

Predicate = Callable[["Entry"], bool]


class NeverHappened(AssertionError):
    """A condition that a test or the demo waited for did not come true in time."""


@dataclass(frozen=True, slots=True)
class Entry:
    """`at` is monotonic seconds (of an INVITE: when the kernel got it); `who` the phone's or caller's number; `call`
    the SIP Call-ID.

    `what` is one of: invite, cancel, ack, bye, "<status> sent", "<status> received", "invite sent", "cancel sent",
    "bye sent", ringing, answered, refused, ended, dtmf (heard), "dtmf sent" (begun), "dtmf ended" (its end has left),
    "first rtp", "first sound", "heard <n> s", "unknown number".
    `cause` is the Q.850 number that came with it, if any (26: completed elsewhere).
    """

    at: float
    who: str
    call: str
    what: str
    detail: str = ""
    cause: int | None = None

    def __str__(self) -> str:
        cause = f" cause {self.cause}" if self.cause is not None else ""
        return f"{self.who}: {self.what}{' ' + self.detail if self.detail else ''}{cause}"


@dataclass(slots=True)
class Journal:
    entries: list[Entry] = field(default_factory=list)
    listeners: list[Callable[[Entry], None]] = field(default_factory=list)  # for a live display
    _waiting: list[tuple[Predicate, asyncio.Future[Entry]]] = field(default_factory=list)
    _by_number: dict[str, list[Entry]] = field(default_factory=dict)  # a bench writes tens of thousands

    def write(
        self, who: str, call: str, what: str, detail: str = "", cause: int | None = None, at: float | None = None,
    ) -> Entry:
        entry = Entry(time.monotonic() if at is None else at, who, call, what, detail, cause)
        self.entries.append(entry)
        self._by_number.setdefault(who, []).append(entry)
        for listener in self.listeners:
            listener(entry)
        for waiting in [w for w in self._waiting if w[0](entry)]:
            self._waiting.remove(waiting)
            if not waiting[1].done():
                waiting[1].set_result(entry)
        return entry

    def forget(self) -> None:
        """All that happened so far; who waits counts from now on."""
        self.entries.clear()
        self._by_number.clear()

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries)

    def of(self, who: str = "", call: str = "", what: str = "") -> list[Entry]:
        """The entries of one number, one call, one kind (each optional), oldest first."""
        return [
            entry for entry in self._of(who) if (not call or entry.call == call) and (not what or entry.what == what)
        ]

    def _of(self, who: str) -> list[Entry]:
        return self._by_number.get(who, []) if who else self.entries

    async def wait(
        self, predicate: Predicate, wanted: str, timeout_s: float, times: int = 1, who: str = ""
    ) -> Entry:
        """The entry that made it true, `times` counted over the whole journal (or all of one number's entries)."""
        loop = asyncio.get_running_loop()
        happened = [entry for entry in self._of(who) if predicate(entry)]
        deadline = loop.time() + timeout_s
        while len(happened) < times:
            future: asyncio.Future[Entry] = loop.create_future()
            self._waiting.append((lambda entry: who in ("", entry.who) and predicate(entry), future))
            try:
                async with asyncio.timeout_at(deadline):
                    happened.append(await future)
            except TimeoutError:
                lines = "\n".join(f"  {entry.at:.3f} {entry}" for entry in self.entries[-30:])
                raise NeverHappened(f"{wanted}: not within {timeout_s:g} s; the journal ends:\n{lines}") from None
            finally:
                self._waiting = [waiting for waiting in self._waiting if waiting[1] is not future]
        return happened[times - 1]
