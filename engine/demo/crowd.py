"""The demonstration's 200 contacts and their software phones: who answers how, and what each phone saw of each call.

How a call ended is judged by what the phone itself saw, in the words of `/progress`.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from engine.softphone import Behaviour, Carrier, Phone
from engine.softphone.audio import chirp
from engine.softphone.taken_call import TakenCall

LOCAL = "040 66969"  # Hamburg 040 66969xxx: numbers that Germany keeps for films
E164 = "494066969"
TESTER = E164 + "999"
OPT_OUT = "9"
ANSWERS, OLDEST = "12", 79  # the survey: a key, and two digits
TRIES = 2
AGAIN = ("busy", "noAnswer", "mailbox")  # who is called once more
REFUSALS = {486: "busy", 480: "noAnswer", 603: "declined", 404: "invalidNumber"}
DISPOSITIONS = ("answered", "mailbox", *REFUSALS.values())

HELLO = chirp(11, 0.4, 0.2)  # a person says a word and waits, a mailbox goes on
GREETING = chirp(12, 3.2, 0.2)
FIRST_KEY_S, DIGITS_S = 0.8, 3.0  # of sound: within the first question, and well within the second
STRIDE = 73  # kinds are mixed: the n-th contact is of kind n * STRIDE


def _answers(place: int) -> Behaviour:
    """Presses an answer, and then an age."""
    return Behaviour(
        answer_after_s=_pick_up_s(place), audio=HELLO, press=ANSWERS[place % len(ANSWERS)],
        press_after_hearing_s=FIRST_KEY_S, then_press=((DIGITS_S, str(OLDEST - place % 60)),))


def _opts_out(place: int) -> Behaviour:
    return Behaviour(
        answer_after_s=_pick_up_s(place), audio=HELLO, press=OPT_OUT, press_after_hearing_s=FIRST_KEY_S)


def _mailbox(place: int) -> Behaviour:
    return Behaviour.mailbox(GREETING, after_s=_pick_up_s(place))


def _busy_first(place: int) -> Behaviour:
    return Behaviour.rejects(486, after_s=0.2).with_(next_time=_answers(place))


def _rejects(status: int, after_s: float) -> Callable[[int], Behaviour]:
    return lambda place: Behaviour.rejects(status, after_s)


def _pick_up_s(place: int) -> float:
    return 0.4 + place % 7 / 10


KINDS: tuple[tuple[str, int, Callable[[int], Behaviour]], ...] = (
    ("answers", 130, _answers),
    ("busy, then answers", 12, _busy_first),
    ("busy", 8, _rejects(486, 0.2)),
    ("no answer", 12, _rejects(480, 3.0)),  # it rings, until the network says that nobody is there
    ("mailbox", 12, _mailbox),
    ("opts out", 12, _opts_out),
    ("declines", 8, _rejects(603, 0.6)),
    ("no such number", 6, _rejects(404, 0.0)),
)
PEOPLE = sum(count for _, count, _ in KINDS)


@dataclass(frozen=True, slots=True)
class Person:
    name: str
    kind: str
    phone: Phone

    @property
    def endings(self) -> tuple[str, ...]:
        """How the calls ended that the phone got, oldest first."""
        return tuple(ended(call, keys(call)) for call in self.phone.calls)

    @property
    def typed(self) -> tuple[str, ...]:
        """The keys of each call."""
        return tuple(keys(call) for call in self.phone.calls)

    @property
    def opted_out(self) -> bool:
        return OPT_OUT in self.typed

    @property
    def survey(self) -> str:
        """The digits of the call in which he answered."""
        return next((typed for typed in self.typed if typed and typed != OPT_OUT), "")


class Crowd:
    """`people` in the order of the list; the tester is not in it."""

    def __init__(self, carrier: Carrier) -> None:
        kinds = [(name, habit) for name, count, habit in KINDS for _ in range(count)]
        self.people: list[Person] = []
        for place in range(PEOPLE):
            kind, habit = kinds[place * STRIDE % PEOPLE]
            self.people.append(Person(f"Contact {place + 1}", kind, carrier.phone(f"{E164}{place:03}", habit(place))))

        self.tester = Person("Tester", "answers", carrier.phone(TESTER, _answers(0)))

    def csv(self) -> str:
        """As an office keeps them: national numbers, a header."""
        rows = (f"{person.name};Muster;{LOCAL}{place:03}\r\n" for place, person in enumerate(self.people))
        return "first_name;last_name;phone\r\n" + "".join(rows)

    def of(self, kind: str) -> list[Person]:
        return [person for person in self.people if person.kind == kind]

    def endings(self) -> Counter[str]:
        return Counter(how for person in self.people for how in person.endings)

    def invites(self) -> list[float]:
        """When each call came, monotonic seconds."""
        return sorted(call.invited_at for person in self.people for call in person.phone.calls)


def keys(call: TakenCall) -> str:
    """What was pressed in it."""
    return "".join(entry.detail for entry in call.journal.of(call.who, call.id, "dtmf ended"))


def ended(call: TakenCall, pressed: str) -> str:
    """A machine is hung up on before anything is said to it; who presses the opt-out key declines."""
    if call.status != 200:
        return REFUSALS.get(call.status or 0, f"status {call.status}")
    if pressed == OPT_OUT:
        return "declined"
    return "answered" if call.recording.sound_s > 0 else "mailbox"


def as_needed(endings: Sequence[str]) -> bool:
    """Called until there is a last word, and never more than TRIES times."""
    *before, last = endings or ("",)
    return all(how in AGAIN for how in before) and bool(last) and (
        len(endings) == TRIES if last in AGAIN else len(endings) <= TRIES)


def busiest_second(times: Sequence[float]) -> int:
    """The most in any second, wherever it begins; `times` in order."""
    first = most = 0
    for place, at in enumerate(times):
        while times[first] <= at - 1:
            first += 1
        most = max(most, place - first + 1)
    return most
