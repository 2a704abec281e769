"""Whom an alarm rings: recipients as they were posted and what the directory knows of them, merged. Pure.

Called by `alarm_post.py`. Who is meant twice (by an id and by a group, say) is one person, at his first place; a number
is rung once, for the first person who has it. Who is left without any phone by that is dropped, and the timeline tells
so; who never had one stays, and is unreached from the beginning.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from api.errors import Invalid, Problem
from api.phone_numbers import E164, parsed, written
from api.ringward.alarm_order import Texts
from api.ringward.alarm_schemas import MOST_RECIPIENTS, AlarmBody, RecipientBody
from api.ringward.frame import Refused
from engine.store.alarm_posting import Directory, Member, NewNote, NewRecipient, PostingOrganisation, Somebody
from engine.store.alarms import voice_of
from engine.store.dialable import refusal

Key: TypeAlias = tuple[str, int | str]


@dataclass(slots=True)
class Meant:
    """Somebody who is meant, so far. `asked` is the member of the body that brought him first."""

    key: Key
    asked: str
    who: Somebody
    role: str = ""
    is_own_role: bool = False           # given to him, not to a group
    groups: set[int] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class People:
    recipients: tuple[NewRecipient, ...]
    asked: tuple[str, ...]              # for each of them, the member of the body
    notes: tuple[NewNote, ...]


def people(body: AlarmBody, directory: Directory, organisation: PostingOrganisation, texts: Texts) -> People:
    """Raises Invalid for ids that are not there; Refused for numbers that are never dialled, or when nobody has one."""
    _check_ids(body, directory)
    found = _merged(body.recipients, directory, organisation)
    if len(found) > MOST_RECIPIENTS:
        raise Refused("too-many-recipients", "recipients", f"{len(found)} people: {MOST_RECIPIENTS} are the most")
    _count_members(found, body, directory)
    _check_numbers(found, organisation)
    recipients: list[NewRecipient] = []
    asked: list[str] = []
    notes: list[NewNote] = []
    owner: dict[str, int] = {}
    for it in found:
        place = len(recipients)
        own = dict.fromkeys(it.who.numbers)
        phones = tuple(number for number in own if number not in owner)
        for number in own.keys() - set(phones):
            notes.append(NewNote("duplicatePhone", place if phones else owner[number], number,
                                 f"{it.asked} {it.who.name}".strip()))
        if own and not phones:
            continue
        if not own:
            notes.append(NewNote("noPhone", place))
        owner |= dict.fromkeys(phones, place)
        language = texts.language(it.who.language, organisation.language)
        recipients.append(NewRecipient(
            user_id=_id(it.key, "user"), contact_id=_id(it.key, "contact"), name=it.who.name, role=it.role,
            language=language, voice=voice_of(language), phones=phones, group_ids=tuple(sorted(it.groups))))
        asked.append(it.asked)
    if not owner:
        raise Refused("no-phone", "recipients", "nobody among them has a phone")
    return People(tuple(recipients), tuple(asked), tuple(notes))


def group_ids(body: AlarmBody) -> set[int]:
    """The groups of recipients and waves."""
    return {it.groupID for it in body.recipients if it.groupID is not None} | {
        group for wave in body.strategy.waves for group in wave.groupIDs}


def _check_ids(body: AlarmBody, directory: Directory) -> None:
    problems: list[Problem] = []
    for n, it in enumerate(body.recipients):
        for name, there, row_id in (("userID", directory.users, it.userID),
                                    ("contactID", directory.contacts, it.contactID),
                                    ("groupID", directory.groups, it.groupID)):
            if row_id is not None and row_id not in there:
                problems.append(Problem(f"recipients[{n}].{name}", f"there is no such {name[:-2]}: {row_id}"))
    for n, wave in enumerate(body.strategy.waves):
        problems += [Problem(f"strategy.waves[{n}].groupIDs[{m}]", f"there is no such group: {group}")
                     for m, group in enumerate(wave.groupIDs) if group not in directory.groups]
    if problems:
        raise Invalid(problems[0].field, problems[0].problem, *problems[1:])


def _merged(
    asked: Sequence[RecipientBody], directory: Directory, organisation: PostingOrganisation) -> list[Meant]:
    found: dict[Key, Meant] = {}
    for n, it in enumerate(asked):
        for key, member, who in _meant(n, it, directory, organisation):
            one = found.setdefault(key, Meant(key, member, who))
            is_own = it.groupID is None
            if it.role and (not one.role or (is_own and not one.is_own_role)):
                one.role, one.is_own_role = it.role, is_own
    return list(found.values())


def _meant(n: int, it: RecipientBody, directory: Directory,
           organisation: PostingOrganisation) -> Iterator[tuple[Key, str, Somebody]]:
    if it.userID is not None:
        yield ("user", it.userID), f"recipients[{n}].userID", directory.users[it.userID]
    elif it.contactID is not None:
        yield ("contact", it.contactID), f"recipients[{n}].contactID", directory.contacts[it.contactID]
    elif it.phone is not None:
        number = _number(it.phone, organisation.country, f"recipients[{n}].phone")
        yield ("phone", number), f"recipients[{n}].phone", Somebody(it.name or "", it.language, (number,))
    elif it.groupID is not None:
        for member in directory.groups[it.groupID]:
            key, who = _member(member, directory)
            yield key, f"recipients[{n}].groupID", who


def _member(member: Member, directory: Directory) -> tuple[Key, Somebody]:
    if member.user_id is not None:
        return ("user", member.user_id), directory.users[member.user_id]
    assert member.contact_id is not None        # noqa: S101 - one of both, as the table says
    return ("contact", member.contact_id), directory.contacts[member.contact_id]


def _number(text: str, country: str, where: str) -> str:
    """E.164 of what may be a number; whether it may be dialled is another question (112 is a number)."""
    number = parsed(text, country)
    if number is None or not E164.fullmatch(written(number)):
        raise Invalid(where, "not a phone number")
    return written(number)


def _count_members(found: Sequence[Meant], body: AlarmBody, directory: Directory) -> None:
    """Every group of recipients and waves in which somebody is, however he was named."""
    of: dict[Key, set[int]] = {}
    for group in group_ids(body):
        for member in directory.groups[group]:
            of.setdefault(_member(member, directory)[0], set()).add(group)
    for it in found:
        it.groups |= of.get(it.key, set())


def _check_numbers(found: Sequence[Meant], organisation: PostingOrganisation) -> None:
    problems: list[Problem] = []
    rule = ""
    for it in found:
        for number in it.who.numbers:
            if (refused := refusal(number, organisation.countries)) is not None:
                rule = rule or refused.rule
                name = f" ({it.who.name})" if it.who.name else ""
                problems.append(Problem(it.asked, f"{number}{name} is {refused.why}: it is never dialled"))
    if problems:
        raise Refused(rule, problems[0].field, problems[0].problem, *problems[1:])


def _id(key: Key, kind: str) -> int | None:
    return int(key[1]) if key[0] == kind else None


def needed(body: AlarmBody, recipients: Sequence[NewRecipient]) -> int:
    """How many must acknowledge. Raises Invalid when so many are not there."""
    problems = []
    wanted = len(recipients) if body.acknowledge.needed == "all" else int(body.acknowledge.needed)
    if wanted > len(recipients):
        problems.append(Problem("acknowledge.needed", _too_few(wanted, len(recipients))))
    there = Counter(it.role for it in recipients)
    problems += [Problem(f"acknowledge.byRole.{role}", _too_few(count, there[role], " with this role"))
                 for role, count in body.acknowledge.byRole.items() if count > there[role]]
    if problems:
        raise Invalid(problems[0].field, problems[0].problem, *problems[1:])
    return wanted


def _too_few(wanted: int, there: int, of_whom: str = "") -> str:
    said = "is no recipient" if there == 0 else "is only 1 recipient" if there == 1 else f"are only {there} recipients"
    return f"{wanted} must acknowledge, but there {said}{of_whom}"
