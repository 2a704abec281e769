import asyncio
import csv
import io

import pytest

from engine.demo.crowd import KINDS, PEOPLE, Crowd, as_needed, busiest_second, ended
from engine.softphone import Behaviour, Carrier
from engine.softphone.audio import tone


def test_two_hundred_contacts_of_every_kind_are_mixed_and_have_numbers_of_their_own() -> None:
    crowd = Crowd(Carrier())
    assert len({person.phone.number for person in crowd.people}) == PEOPLE == 200
    for kind, count, _ in KINDS:
        assert len(crowd.of(kind)) == count
    assert len({person.kind for person in crowd.people[:30]}) >= 6


def test_the_csv_names_each_of_them_by_a_national_number() -> None:
    crowd = Crowd(Carrier())
    rows = list(csv.DictReader(io.StringIO(crowd.csv(), newline=""), delimiter=";"))
    assert [row["first_name"] for row in rows] == [person.name for person in crowd.people]
    assert ["49" + row["phone"].replace(" ", "")[1:] for row in rows] == [it.phone.number for it in crowd.people]


@pytest.mark.parametrize(("endings", "is_right"), [
    (["answered"], True), (["declined"], True), (["invalidNumber"], True), (["busy", "answered"], True),
    (["busy", "busy"], True), (["mailbox", "noAnswer"], True),
    ([], False), (["busy"], False), (["answered", "answered"], False), (["declined", "busy"], False),
    (["busy", "busy", "answered"], False), (["busy", "busy", "busy"], False),
])
def test_who_was_reached_or_refused_is_not_called_again_and_others_are_once(endings: list[str], is_right: bool) -> None:
    assert as_needed(endings) is is_right


def test_the_busiest_second_may_begin_anywhere() -> None:
    assert busiest_second([]) == 0
    assert busiest_second([0.0, 0.9, 1.0, 1.8, 5.0]) == 3
    assert busiest_second([0.0, 1.0, 2.0]) == 1


@pytest.mark.parametrize(("behaviour", "says", "how"), [
    (Behaviour.rejects(486, 0), 0.0, "busy"), (Behaviour.rejects(480, 0), 0.0, "noAnswer"),
    (Behaviour.rejects(603, 0), 0.0, "declined"), (Behaviour.rejects(404, 0), 0.0, "invalidNumber"),
    (Behaviour.rejects(500, 0), 0.0, "status 500"), (Behaviour.answers(0), 0.0, "mailbox"),
    (Behaviour.answers(0), 0.3, "answered"), (Behaviour.answers(0, "9", 0), 0.3, "declined"),
    (Behaviour.answers(0, "1", 0), 0.3, "answered"),
])
async def test_a_call_ended_as_the_phone_saw_it(behaviour: Behaviour, says: float, how: str) -> None:
    async with Carrier() as carrier, Carrier() as switch:
        crowd = Crowd(carrier)
        person = crowd.people[0]
        person.phone.behaviour = behaviour
        audio = tone(1000, seconds=says) if says else None
        placed = await switch.call("4930", person.phone.number, at=carrier.address, audio=audio)
        if behaviour.answer_after_s is not None:
            await (person.phone.saw("dtmf ended") if behaviour.press else asyncio.sleep(0))
            await (person.phone.heard(says / 2) if says else person.phone.answered())
            placed.hang_up()
        await person.phone.ended()
        assert person.endings == (how,)
        assert person.typed == (behaviour.press,)
        assert person.opted_out is (behaviour.press == "9")
        assert how in crowd.endings() and crowd.invites() == [person.phone.call.invited_at]
        assert ended(person.phone.call, behaviour.press) == how
