"""What an alarm says and how it goes on: a posted body, checked as far as it can be without the directory. Pure.

Called by `alarm_post.py`. Every problem is found before one is told.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from api.errors import Invalid, Problem
from api.ringward.alarm_schemas import LANGUAGES, TEXT_CHARS, AlarmBody

PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
PERSONAL = frozenset({"name", "role"})
COUNTED = frozenset({"acknowledged", "needed"})


@dataclass(frozen=True, slots=True)
class Texts:
    """By language, with the shared fields filled in."""

    message: tuple[tuple[str, str], ...]
    closing: tuple[tuple[str, str], ...]

    def language(self, own: str | None, of_organisation: str) -> str:
        """In which a person is told: the own one, the organisation's, else the first one given."""
        spoken = [language for language, _ in self.message]
        wanted = [primary(it) for it in (own, of_organisation) if it]
        return next((it for it in wanted if it in spoken or not spoken), spoken[0] if spoken else "en")


def primary(language: str) -> str:
    """`de` of `de-AT`."""
    return re.split("[-_]", language.lower())[0]


def checked(body: AlarmBody) -> Texts:
    """Raises Invalid with everything that is wrong."""
    message = dict(_filled(body.message.texts, body.fields, PERSONAL))
    closing = dict(_filled(body.closing or {}, body.fields, COUNTED))
    problems = [*_fields(body), *_message(body), *_texts("message", body.message.texts, message, body.fields, PERSONAL),
                *_texts("closing", body.closing or {}, closing, body.fields, COUNTED), *_keys(body), *_waves(body)]
    if problems:
        raise Invalid(problems[0].field, problems[0].problem, *problems[1:])
    return Texts(tuple(message.items()), tuple(closing.items()))


def _filled(
    texts: Mapping[str, str], fields: Mapping[str, str], left: frozenset[str],
) -> Iterator[tuple[str, str]]:
    for language, text in texts.items():
        yield language, PLACEHOLDER.sub(lambda it: it[0] if it[1] in left else fields.get(it[1], it[0]), text)


def _fields(body: AlarmBody) -> Iterator[Problem]:
    for name in body.fields.keys() & (PERSONAL | COUNTED):
        yield Problem(f"fields.{name}", "is filled in by Ringward: choose another name")


def _message(body: AlarmBody) -> Iterator[Problem]:
    if body.message.recordingID is None and not body.message.texts:
        yield Problem("message", "needs a text by language, or a recordingID")
    if body.message.recordingID is not None and body.message.texts:
        yield Problem("message", "give texts or a recordingID, not both")
    for language in body.message.texts.keys() - LANGUAGES:
        yield Problem(f"message.{language[:100]}", "not a language code of ISO 639-1")


def _texts(member: str, texts: Mapping[str, str], filled: Mapping[str, str], fields: Mapping[str, str],
           own: frozenset[str]) -> Iterator[Problem]:
    for language, text in texts.items():
        where = f"{member}.{language[:100]}"
        if not any(sign.isalnum() for sign in text):
            yield Problem(where, "says nothing")
        if set("{}") & set(PLACEHOLDER.sub("", text)):
            yield Problem(where, "a { or } that belongs to no placeholder")
        for name in dict.fromkeys(PLACEHOLDER.findall(text)):
            if name not in fields and name not in own:
                yield Problem(where, f"unknown placeholder {{{name[:50]}}}")
        if len(filled[language]) > TEXT_CHARS:
            yield Problem(where, f"longer than {TEXT_CHARS} characters with its fields filled in")


def _keys(body: AlarmBody) -> Iterator[Problem]:
    if body.acknowledge.key == body.acknowledge.declineKey:
        yield Problem("acknowledge.declineKey", f"the same as the key ({body.acknowledge.key}): give another, or null")


def _waves(body: AlarmBody) -> Iterator[Problem]:
    waves = body.strategy.waves
    if bool(waves) != (body.strategy.type == "waves"):
        yield Problem("strategy.waves", "needed for the strategy waves" if not waves else "only for the strategy waves")
    for n, (former, wave) in enumerate(pairwise(waves), 1):
        if wave.afterS < former.afterS:
            yield Problem(f"strategy.waves[{n}].afterS", "earlier than the wave before")
