"""What is wrong with a value, in words for whoever wrote it: pydantic says it for whoever wrote the schema.

Used by `errors.invalid` for every API. A kind that is not listed keeps pydantic's words.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError, ValidatorFunctionWrapHandler, WrapValidator
from pydantic_core import ErrorDetails

_A_NUMBER, _TRUTH, _AN_OBJECT = "must be a whole number", "must be true or false", "must be an object"
_WORDS: Mapping[str, str] = {
    "missing": "is required",
    "extra_forbidden": "is unknown here; is it spelled right?",
    "string_type": "must be a string",
    "int_type": _A_NUMBER, "int_parsing": _A_NUMBER, "int_from_float": _A_NUMBER, "int_parsing_size": _A_NUMBER,
    "bool_type": _TRUTH, "bool_parsing": _TRUTH,
    "dict_type": _AN_OBJECT, "model_type": _AN_OBJECT, "model_attributes_type": _AN_OBJECT,
    "list_type": "must be a list",
    "literal_error": "must be {expected}",
    "string_pattern_mismatch": "must match {pattern}",
    "string_too_short": "must have {min_length} characters at least",
    "string_too_long": "must have {max_length} characters at most",
    "too_short": "too few: {min_length} at least",
    "too_long": "too many: {max_length} at most",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be {ge} at least",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be {le} at most",
}


def in_words(error: ErrorDetails) -> str:
    """One of `ValidationError.errors()`."""
    words = _WORDS.get(error["type"])
    if words is None:
        return error["msg"].removeprefix("Value error, ")
    return words.format_map(error.get("ctx", {}))


def saying(words: str) -> WrapValidator:
    """For a type whose constraint has words of its own: they are told, whatever is wrong with the value."""

    def check(value: Any, validate: ValidatorFunctionWrapHandler) -> Any:
        try:
            return validate(value)
        except ValidationError:
            raise ValueError(words) from None

    return WrapValidator(check)
