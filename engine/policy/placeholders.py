"""What a program's texts leave open: `{first_name}`, `[contact:first_name]`, `[transmission:destination:phone]` and
`[result:age]`.

Pure; called by the engine. The fields of a contact are known before the call, and filled in first; results come in it.
"""

from collections.abc import Callable, Mapping

DESTINATION = "transmission:destination:phone"      # the number that is called
CONTACT_FIELDS = (
    "first_name", "last_name", "phone", "email", "address", "custom1", "custom2", "custom3", "description")
PLACEHOLDERS = (*CONTACT_FIELDS, DESTINATION)
RESULT = "result:"
LONGEST = 100       # characters between the brackets
_CLOSED_BY = {"{": "}", "[": "]"}


def filled(text: str, fields: Mapping[str, str]) -> str:
    """With what `fields` says for PLACEHOLDERS; what it does not say is nothing. `[result:…]` stays."""
    def known(sign: str, name: str) -> str | None:
        if sign == "{":
            return _plain(fields.get(name, "")) if _is_word(name) else None
        kind, _, field = name.partition(":")
        if kind == "contact":
            return _plain(fields.get(field, ""))
        return _plain(fields.get(DESTINATION, fields.get("phone", ""))) if name == DESTINATION else None
    return _replaced(text, known)


def with_results(text: str, results: Mapping[str, str]) -> str:
    """With the results of steps before, by their names; one that is not there is nothing."""
    def known(sign: str, name: str) -> str | None:
        is_result = sign == "[" and name.startswith(RESULT)
        return results.get(name.removeprefix(RESULT), "") if is_result else None
    return _replaced(text, known)


def has_results(text: str) -> bool:
    """Whether it can be rendered only in the call."""
    return with_results(text, {}) != text


def _plain(value: str) -> str:
    """What somebody is called is never a placeholder."""
    return value.replace("[", "(").replace("]", ")")


def _is_word(name: str) -> bool:
    return name.replace("_", "a").isalnum()


def _replaced(text: str, known: Callable[[str, str], str | None]) -> str:
    """Every `{…}` and `[…]` that `known` knows; what is put in is not looked at again."""
    parts: list[str] = []
    at = 0
    while at < len(text):
        sign = text[at]
        end = text.find(_CLOSED_BY[sign], at, at + LONGEST) if sign in _CLOSED_BY else -1
        value = known(sign, text[at + 1:end].strip()) if end > 0 else None
        parts.append(sign if value is None else value)
        at = at + 1 if value is None else end + 1
    return "".join(parts)
