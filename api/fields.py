"""Field types that the schemas of several APIs share: strict, bounded, and the same in the OpenAPI document."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema

INT64_MAX = 2**63 - 1


class Body(BaseModel):
    """What a client sends: an unknown member is refused."""

    model_config = ConfigDict(strict=True, extra="forbid")


class FromUrl(BaseModel):
    """Parameters of a path, a query or headers."""

    model_config = ConfigDict(strict=True, extra="ignore")


_INTEGER = re.compile(r"-?[0-9]{1,19}", re.ASCII)
_CONTROL = r"\x00-\x1f\x7f-\x9f"


def whole_number(least: int, most: int) -> Any:
    """The constraints of an integer."""
    return Field(ge=least, le=most, examples=[max(least, 1)], json_schema_extra={"format": "int64"})


Int64 = Annotated[int, whole_number(-INT64_MAX - 1, INT64_MAX)]
# one line of text that says something
Line = Annotated[str, Field(pattern=rf"^[^{_CONTROL}]*[^\s{_CONTROL}][^{_CONTROL}]*$", examples=["Bereitschaft"])]
# text with line breaks and tabs, perhaps empty
Text = Annotated[str, Field(pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*$")]


def _from_text(value: Any) -> Any:
    """An integer as it stands in a path or query; everything else stays a string, which is then no integer."""
    return int(value) if isinstance(value, str) and _INTEGER.fullmatch(value) else value


def utc_text(at: datetime) -> str:
    """RFC 3339 in UTC with milliseconds and Z."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


FROM_TEXT = BeforeValidator(_from_text)
UrlInt = Annotated[Int64, FROM_TEXT]
UtcTime = Annotated[datetime, PlainSerializer(utc_text, return_type=str),
                    WithJsonSchema({"type": "string", "format": "date-time"})]
